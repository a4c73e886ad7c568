// toml++ behind a C interface: the parsed document as a flat list of nodes with their positions.
//
// No exception leaves this target. Everything a node points to lives as long as its document.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum ctoml_type {
  ctoml_type_table,
  ctoml_type_array,
  ctoml_type_string,
  ctoml_type_integer,
  ctoml_type_float,
  ctoml_type_boolean,
  ctoml_type_date,
  ctoml_type_time,
  ctoml_type_date_time,
} ctoml_type;

/// UTF-8, not terminated by NUL: a quoted string may hold one.
typedef struct ctoml_text {
  const char *_Nullable bytes;
  size_t count;
} ctoml_text;

/// From the first code point to behind the last one; lines and columns count from 1, columns in
/// code points. All zero when the source does not show the thing (a table that only a dotted key
/// or a subtable's header implies).
typedef struct ctoml_region {
  uint32_t begin_line, begin_column, end_line, end_column;
} ctoml_region;

/// One key with its value, or one element of an array.
typedef struct ctoml_node {
  /// Index of the table or array this one is in; -1 for what is at the top of the document. A
  /// parent always comes before its children.
  int32_t parent;
  ctoml_type type;
  /// Empty for the elements of an array, which come in their order.
  ctoml_text key;
  ctoml_region key_region;
  ctoml_region value_region;
  /// The content of a string; dates and times as RFC 3339 writes them.
  ctoml_text text;
  /// The integer, or 0 or 1 for a boolean.
  int64_t integer;
  double real;
} ctoml_node;

typedef struct ctoml_document ctoml_document;

/// Parses UTF-8 text. NULL only when memory is exhausted; a syntax error is a document that has
/// one. The caller bounds size and nesting: toml++ destroys nested tables recursively.
ctoml_document *_Nullable ctoml_parse(const char *_Nullable bytes, size_t count);

void ctoml_free(ctoml_document *_Nullable document);

/// The syntax error, or a NULL pointer when the text is well formed (then `place` is untouched).
ctoml_text ctoml_error(const ctoml_document *_Nonnull document, ctoml_region *_Nonnull place);

size_t ctoml_count(const ctoml_document *_Nonnull document);

/// Precondition: index < ctoml_count(document).
const ctoml_node *_Nonnull ctoml_node_at(const ctoml_document *_Nonnull document, size_t index);

#ifdef __cplusplus
}
#endif
