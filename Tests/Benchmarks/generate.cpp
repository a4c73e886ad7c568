// generate: a deterministic topic of click events, as the bytes of Kafka's log segments.
//
//   generate --events N --out DIR [--seed S] [--customers C] [--partitions P] [--batch RECORDS]
//
// Writes DIR/p<k>.log (record batches of format 2 with their CRC-32C, not compressed, key = the
// customer's id) and DIR/meta.json: what is in there, to hold the readers to.
//
// The model: C customers, each a chain of visits of 3 to 15 events; 1 % of the pauses inside a
// visit exceed 30 minutes, 5 % of the visits start less than 30 minutes after the last one; 1 % of
// the events arrive minutes late, 0.05 % up to six hours; 0.1 % are malformed.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <queue>
#include <string>
#include <vector>

namespace {

constexpr int64_t kSecond = 1'000'000;                   // times are microseconds
constexpr int64_t kStart = 1'769'904'000LL * kSecond;    // 2026-02-01T00:00:00Z

// xoshiro256++, seeded by SplitMix64.
class Random {
 public:
  explicit Random(uint64_t seed) {
    for (auto &word : state_) {
      seed += 0x9e3779b97f4a7c15ULL;
      uint64_t x = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9ULL;
      x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
      word = x ^ (x >> 31);
    }
  }
  uint64_t next() {
    uint64_t result = rotate(state_[0] + state_[3], 23) + state_[0], shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate(state_[3], 45);
    return result;
  }
  double uniform() { return double(next() >> 11) * 0x1.0p-53; }
  double exponential(double mean) { return -mean * std::log1p(-uniform()); }
  double normal() {
    double radius = std::sqrt(-2 * std::log1p(-uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
  }
  int range(int low, int high) { return low + int(next() % uint64_t(high - low + 1)); }

 private:
  static uint64_t rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
  std::array<uint64_t, 4> state_;
};

std::string uuid(Random &random) {
  uint64_t high = (random.next() & 0xffffffffffff0fffULL) | 0x4000;
  uint64_t low = (random.next() & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;
  char text[37];
  snprintf(text, sizeof text, "%08x-%04x-%04x-%04x-%012llx", unsigned(high >> 32),
           unsigned(high >> 16 & 0xffff), unsigned(high & 0xffff), unsigned(low >> 48),
           static_cast<unsigned long long>(low & 0xffffffffffffULL));
  return text;
}

std::string iso8601(int64_t microseconds) {
  time_t seconds = microseconds / kSecond;
  tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  size_t length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  int fraction = int(microseconds % kSecond);  // left out when zero, as Python's isoformat does
  if (fraction) snprintf(text + length, sizeof text - length, ".%06d", fraction);
  return std::string(text) + "+00:00";
}

// One partition's segment file, written batch by batch.
class Segment {
 public:
  Segment(const std::string &path, int batch) : file_(fopen(path.c_str(), "wb")), batch_(batch) {
    if (!file_) {
      perror(path.c_str());
      exit(1);
    }
  }
  void append(int64_t milliseconds, const std::string &key, const std::string &value) {
    if (!count_) first_ = last_ = milliseconds;
    last_ = std::max(last_, milliseconds);
    std::string record(1, '\0');  // attributes
    varint(record, milliseconds - first_);
    varint(record, count_);
    varint(record, int64_t(key.size()));
    record += key;
    varint(record, int64_t(value.size()));
    record += value;
    varint(record, 0);  // headers
    varint(records_, int64_t(record.size()));
    records_ += record;
    if (++count_ == batch_) flush();
  }
  void flush() {
    if (!count_) return;
    std::string covered;  // what the CRC covers: from the attributes on
    integer(covered, 0, 2);
    integer(covered, count_ - 1, 4);
    integer(covered, first_, 8);
    integer(covered, last_, 8);
    integer(covered, -1, 8);  // producer id, epoch, sequence: none
    integer(covered, -1, 2);
    integer(covered, -1, 4);
    integer(covered, count_, 4);
    covered += records_;
    std::string header;
    integer(header, base_, 8);
    integer(header, int64_t(covered.size()) + 9, 4);
    integer(header, 0, 4);  // leader epoch
    integer(header, 2, 1);  // record format
    integer(header, crc32c(covered), 4);
    fwrite(header.data(), 1, header.size(), file_);
    fwrite(covered.data(), 1, covered.size(), file_);
    base_ += count_;
    count_ = 0;
    records_.clear();
  }
  int64_t close() {
    flush();
    fclose(file_);
    return base_;
  }

 private:
  static void integer(std::string &out, int64_t value, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out.push_back(char(value >> shift));
  }
  static void varint(std::string &out, int64_t value) {
    uint64_t bits = (uint64_t(value) << 1) ^ uint64_t(value >> 63);
    for (; bits > 127; bits >>= 7) out.push_back(char(bits | 128));
    out.push_back(char(bits));
  }
  static uint32_t crc32c(const std::string &bytes) {
    static const auto table = [] {
      std::array<uint32_t, 256> entries{};
      for (uint32_t i = 0; i < 256; i++) {
        entries[i] = i;
        for (int k = 0; k < 8; k++)
          entries[i] = entries[i] >> 1 ^ (entries[i] & 1 ? 0x82f63b78u : 0);
      }
      return entries;
    }();
    uint32_t crc = ~0u;
    for (unsigned char byte : bytes) crc = crc >> 8 ^ table[(crc ^ byte) & 255];
    return ~crc;
  }

  FILE *file_;
  int batch_, count_ = 0;
  int64_t base_ = 0, first_ = 0, last_ = 0;
  std::string records_;
};

constexpr const char *kTypes[] = {"page_view", "add_to_cart", "purchase", "search"};
constexpr const char *kPages[] = {
    "/", "/category/electronics", "/category/clothing", "/category/books",
    "/category/home-garden", "/category/sports", "/category/toys", "/category/beauty",
    "/category/food", "/search", "/cart", "/checkout"};

struct Event {
  int64_t time, arrival;
  int customer, product, type, page;
  std::string session;
};

struct ArrivesLater {
  bool operator()(const Event &a, const Event &b) const { return a.arrival > b.arrival; }
};

struct Customer {
  int left = 0;  // events of the running visit
  bool cart = false;
  std::string session;
};

// The shop: next() gives the events in the order in which they arrive.
class Shop {
 public:
  Shop(Random &random, int customers) : random_(random), customers_(size_t(customers)) {
    for (int c = 0; c < customers; c++)
      due_.push({kStart + int64_t(random_.uniform() * 6.3 * 3600 * kSecond), c});
  }
  Event next() {
    while (wire_.empty() || wire_.top().arrival > due_.top().first) click();
    Event event = wire_.top();
    wire_.pop();
    return event;
  }

 private:
  int type(const Customer &customer) {
    uint64_t roll = random_.next() % 100;
    if (customer.cart) return customer.left == 1 ? 2 : roll < 60 ? 0 : roll < 80 ? 1 : 3;
    return roll < 65 ? 0 : roll < 80 ? 1 : roll < 85 ? 2 : 3;
  }
  double pause(const Customer &customer) {
    if (!customer.left)
      return random_.uniform() < 0.05 ? 600 + random_.uniform() * 1140
                                      : 2100 + random_.exponential(5.5 * 3600);
    if (random_.uniform() < 0.01) return 1860 + random_.uniform() * 3600;
    return std::min(1790.0, 25 * std::exp(1.2 * random_.normal()) + 0.2);
  }
  int64_t delay() {
    double roll = random_.uniform(), seconds = random_.exponential(0.05);
    if (roll < 0.0005) seconds += 1800 + random_.uniform() * 19800;
    else if (roll < 0.0105) seconds += random_.exponential(120);
    return int64_t(seconds * kSecond);
  }
  void click() {
    auto [time, number] = due_.top();
    due_.pop();
    Customer &customer = customers_[size_t(number)];
    if (!customer.left) customer = {random_.range(3, 15), false, uuid(random_)};
    int kind = type(customer);
    if (kind == 1) customer.cart = true;
    int product = kind == 3 ? 0 : random_.range(1, 1000);
    int page = kind == 3 ? 9 : kind == 0 ? random_.range(0, 11) : 10;
    wire_.push({time, time + delay(), number + 1, product, kind, page, customer.session});
    customer.left--;
    due_.push({time + int64_t(pause(customer) * kSecond), number});
  }

  using Due = std::pair<int64_t, int>;
  Random &random_;
  std::vector<Customer> customers_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::priority_queue<Event, std::vector<Event>, ArrivesLater> wire_;
};

// The event's JSON; `broken` is 0 for a good one, else one of the three malformed kinds.
std::string json(const Event &event, const std::string &id, int broken) {
  std::string start = "{\"event_id\": \"" + id + "\", ";
  std::string customer = "\"customer_id\": " + std::to_string(event.customer) + ", ";
  if (broken == 1) return start + customer + "\"produ";
  if (broken == 2) return "not json " + id;
  std::string product = event.product ? std::to_string(event.product) : "null";
  return (broken == 3 ? "{" : start) + customer + "\"product_id\": " + product +
         ", \"event_type\": \"" + kTypes[event.type] + "\", \"session_id\": \"" + event.session +
         "\", \"page\": \"" + kPages[event.page] + "\", \"event_ts\": \"" + iso8601(event.time) +
         "\"}";
}

struct Options {
  int64_t events = 100'000;
  int customers = 10'000, partitions = 3, batch = 500;
  uint64_t seed = 1;
  std::string out;
};

Options parse(int argc, char **argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    std::string name = argv[i], value = argv[i + 1];
    if (name == "--events") options.events = std::stoll(value);
    else if (name == "--customers") options.customers = std::stoi(value);
    else if (name == "--partitions") options.partitions = std::stoi(value);
    else if (name == "--batch") options.batch = std::stoi(value);
    else if (name == "--seed") options.seed = std::stoull(value);
    else if (name == "--out") options.out = value;
    else options.events = 0;
  }
  if (options.out.empty() || options.events <= 0) {
    fprintf(stderr, "usage: the head of generate.cpp\n");
    exit(64);
  }
  return options;
}

}  // namespace

int main(int argc, char **argv) {
  Options options = parse(argc, argv);
  Random random(options.seed);
  Shop shop(random, options.customers);
  std::vector<Segment> segments;
  for (int k = 0; k < options.partitions; k++)
    segments.emplace_back(options.out + "/p" + std::to_string(k) + ".log", options.batch);
  int64_t malformed = 0, value_bytes = 0, product_sum = 0, time_xor = 0;
  for (int64_t n = 0; n < options.events; n++) {
    Event event = shop.next();
    int broken = random.next() % 1000 == 0 ? random.range(1, 3) : 0;
    std::string value = json(event, uuid(random), broken);
    std::string key = std::to_string(event.customer);
    segments[size_t(event.customer % options.partitions)].append(event.arrival / 1000, key, value);
    value_bytes += int64_t(value.size());
    malformed += broken != 0;
    if (!broken) {
      product_sum += event.product;
      time_xor ^= event.time;
    }
  }
  for (auto &segment : segments) segment.close();
  FILE *meta = fopen((options.out + "/meta.json").c_str(), "w");
  if (!meta) return 1;
  fprintf(meta,
          "{\"events\": %lld, \"valid\": %lld, \"malformed\": %lld, \"value_bytes\": %lld, "
          "\"sum_product_id\": %lld, \"xor_event_ts_us\": %lld}\n",
          static_cast<long long>(options.events),
          static_cast<long long>(options.events - malformed), static_cast<long long>(malformed), static_cast<long long>(value_bytes),
          static_cast<long long>(product_sum), static_cast<long long>(time_xor));
  return fclose(meta) ? 1 : 0;
}
