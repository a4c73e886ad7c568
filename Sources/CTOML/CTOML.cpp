#define TOML_SHARED_LIB 1
#include "CTOML.h"

#include <deque>
#include <exception>
#include <memory>
#include <new>
#include <sstream>
#include <string>
#include <string_view>
#include <toml++/toml.h>
#include <vector>

struct ctoml_document {
  // A deque, because the nodes point into its strings and it never moves them.
  std::deque<std::string> texts;
  std::vector<ctoml_node> nodes;
  bool failed = false;
  std::string message;
  ctoml_region place{};
};

namespace {

ctoml_region region(const toml::source_region &source) {
  return {source.begin.line, source.begin.column, source.end.line, source.end.column};
}

ctoml_text keep(ctoml_document &document, std::string text) {
  const std::string &kept = document.texts.emplace_back(std::move(text));
  return {kept.data(), kept.size()};
}

template <typename Value> std::string spelled(const Value &value) {
  std::ostringstream stream;
  stream << value;
  return stream.str();
}

ctoml_node converted(ctoml_document &document, const toml::node &source) {
  ctoml_node node{};
  node.value_region = region(source.source());
  switch (source.type()) {
  case toml::node_type::table: node.type = ctoml_type_table; break;
  case toml::node_type::array: node.type = ctoml_type_array; break;
  case toml::node_type::integer:
    node.type = ctoml_type_integer;
    node.integer = source.as_integer()->get();
    break;
  case toml::node_type::floating_point:
    node.type = ctoml_type_float;
    node.real = source.as_floating_point()->get();
    break;
  case toml::node_type::boolean:
    node.type = ctoml_type_boolean;
    node.integer = source.as_boolean()->get() ? 1 : 0;
    break;
  case toml::node_type::date:
    node.type = ctoml_type_date;
    node.text = keep(document, spelled(source.as_date()->get()));
    break;
  case toml::node_type::time:
    node.type = ctoml_type_time;
    node.text = keep(document, spelled(source.as_time()->get()));
    break;
  case toml::node_type::date_time:
    node.type = ctoml_type_date_time;
    node.text = keep(document, spelled(source.as_date_time()->get()));
    break;
  case toml::node_type::string:
  case toml::node_type::none:
    node.type = ctoml_type_string;
    if (const auto *string = source.as_string()) node.text = keep(document, string->get());
    break;
  }
  return node;
}

/// Depth is bounded by the caller of ctoml_parse.
void flatten(ctoml_document &document, const toml::node &source, int32_t parent) {
  if (const toml::table *table = source.as_table()) {
    for (const auto &[key, value] : *table) {
      ctoml_node node = converted(document, value);
      node.parent = parent;
      node.key = keep(document, std::string(key.str()));
      node.key_region = region(key.source());
      document.nodes.push_back(node);
      flatten(document, value, static_cast<int32_t>(document.nodes.size() - 1));
    }
  } else if (const toml::array *array = source.as_array()) {
    for (const toml::node &value : *array) {
      ctoml_node node = converted(document, value);
      node.parent = parent;
      document.nodes.push_back(node);
      flatten(document, value, static_cast<int32_t>(document.nodes.size() - 1));
    }
  }
}

} // namespace

ctoml_document *ctoml_parse(const char *bytes, size_t count) try {
  auto document = std::make_unique<ctoml_document>();
  try {
    const toml::table root = toml::parse(std::string_view(bytes, count));
    flatten(*document, root, -1);
  } catch (const toml::parse_error &error) {
    document->failed = true;
    document->message = std::string(error.description());
    document->place = region(error.source());
  } catch (const std::bad_alloc &) {
    throw;
  } catch (const std::exception &error) {
    document->failed = true;
    document->message = error.what();
  }
  return document.release();
} catch (...) {
  return nullptr;
}

void ctoml_free(ctoml_document *document) { delete document; }

ctoml_text ctoml_error(const ctoml_document *document, ctoml_region *place) {
  if (!document->failed) return {nullptr, 0};
  *place = document->place;
  return {document->message.data(), document->message.size()};
}

size_t ctoml_count(const ctoml_document *document) { return document->nodes.size(); }

const ctoml_node *ctoml_node_at(const ctoml_document *document, size_t index) {
  return &document->nodes[index];
}
