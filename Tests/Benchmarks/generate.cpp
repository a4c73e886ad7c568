// generate: a deterministic topic of click events, as the bytes of Kafka's log segments.
//
//   generate --events N --out DIR [--seed S] [--customers C] [--partitions P] [--batch RECORDS]
//            [--late FACTOR] [--end SECONDS] [--crowd SECONDS] [--then N:SHARE:HOURS]...
//
// Writes DIR/p<k>.log (record batches of format 2 with their CRC-32C, not compressed, key = the
// customer's id) and DIR/meta.json: what is in there, to hold the readers to, and the partitions'
// end offsets after the N events and after each --then.
//
// The model: C customers, each a chain of visits of 3 to 15 events; 1 % of the pauses inside a
// visit exceed 30 minutes, 5 % of the visits start less than 30 minutes after the last one; 1 % of
// the events arrive minutes late, 0.05 % up to six hours (both times FACTOR); 0.1 % are malformed.
// Time begins in February 2026, or so that event N arrives SECONDS after 1970. With --crowd there
// are no visits: the customers click in turn, evenly over so many seconds. Each --then adds events,
// of which SHARE are late by 90 minutes to HOURS hours (0: by any time), each into a session that
// is over.
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

#include "segment.hpp"

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
  Shop(uint64_t seed, int customers, int64_t start, double lateness)
      : random_(seed), customers_(size_t(customers)), lateness_(lateness) {
    for (int c = 0; c < customers; c++)
      due_.push({start + int64_t(random_.uniform() * 6.3 * 3600 * kSecond), c});
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
    if (roll < 0.0005 * lateness_) seconds += 1800 + random_.uniform() * 19800;
    else if (roll < 0.0105 * lateness_) seconds += random_.exponential(120);
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
  Random random_;
  std::vector<Customer> customers_;
  double lateness_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::priority_queue<Event, std::vector<Event>, ArrivesLater> wire_;
};

// Customers who click in turn, each always in the same session of the browser.
class Crowd {
 public:
  Crowd(int customers, int64_t start, double pause)
      : customers_(customers), start_(start), pause_(pause) {}
  Event next() {
    int64_t time = start_ + int64_t(double(count_) * pause_ * kSecond);
    int customer = int(count_ % customers_) + 1, product = int(count_ % 1000) + 1;
    int page = int(count_++ % 12);
    return {time, time, customer, product, 0, page, "browser-" + std::to_string(customer)};
  }

 private:
  int64_t customers_, start_, count_ = 0;
  double pause_;
};

// One of a hundred events that were sent, for late ones to join.
class Past {
 public:
  explicit Past(Random &random) : random_(random) {}
  void remember(const Event &event) {
    if (count_++ % 100 == 0) sample_.push_back(event);
  }
  // An event of a session that was over long ago.
  Event joining(const Event &now, double hours) {
    int64_t span = hours > 0 ? int64_t(hours * 3600 * kSecond) : now.arrival;
    size_t low = before(now.arrival - span), high = before(now.arrival - 5400 * kSecond);
    if (low >= high) return now;
    Event event = sample_[low + random_.next() % (high - low)];
    event.time += random_.range(1, 1000) * 1000;
    event.arrival = now.arrival;
    return event;
  }

 private:
  size_t before(int64_t arrival) const {
    auto earlier = [](const Event &event, int64_t time) { return event.arrival < time; };
    return size_t(std::lower_bound(sample_.begin(), sample_.end(), arrival, earlier) -
                  sample_.begin());
  }

  Random &random_;
  std::vector<Event> sample_;
  int64_t count_ = 0;
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

struct Phase {
  int64_t events;
  double late, hours;
};

struct Options {
  int64_t events = 100'000, end = 0;
  int customers = 10'000, partitions = 3, batch = 500;
  double lateness = 1, crowd = 0;
  uint64_t seed = 1;
  std::vector<Phase> then;
  std::string out;
};

Phase phase(const std::string &text) {
  long long events = 0;
  Phase phase{};
  if (sscanf(text.c_str(), "%lld:%lf:%lf", &events, &phase.late, &phase.hours) != 3) exit(64);
  phase.events = events;
  return phase;
}

Options parse(int argc, char **argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    std::string name = argv[i], value = argv[i + 1];
    if (name == "--events") options.events = std::stoll(value);
    else if (name == "--customers") options.customers = std::stoi(value);
    else if (name == "--partitions") options.partitions = std::stoi(value);
    else if (name == "--batch") options.batch = std::stoi(value);
    else if (name == "--seed") options.seed = std::stoull(value);
    else if (name == "--late") options.lateness = std::stod(value);
    else if (name == "--end") options.end = std::stoll(value) * kSecond;
    else if (name == "--crowd") options.crowd = std::stod(value);
    else if (name == "--then") options.then.push_back(phase(value));
    else if (name == "--out") options.out = value;
    else options.events = 0;
  }
  if (options.out.empty() || options.events <= 0) {
    fprintf(stderr, "usage: the head of generate.cpp\n");
    exit(64);
  }
  options.then.insert(options.then.begin(), {options.events, 0, 0});
  return options;
}

// What was written, to hold the readers to.
struct Totals {
  int64_t events = 0, malformed = 0, value_bytes = 0, product_sum = 0, time_xor = 0;
  std::string ends;  // JSON, a list for each phase

  void count(const Event &event, bool is_broken, size_t bytes) {
    events++;
    value_bytes += int64_t(bytes);
    malformed += is_broken;
    if (is_broken) return;
    product_sum += event.product;
    time_xor ^= event.time;
  }
  void finish_phase(std::vector<Segment> &segments) {
    std::string list;
    for (auto &segment : segments)
      list += (list.empty() ? "" : ", ") + std::to_string(segment.flush());
    ends += (ends.empty() ? "[" : ", [") + list + "]";
  }
  bool write(const std::string &path) const {
    FILE *meta = fopen(path.c_str(), "w");
    if (!meta) return false;
    auto number = [](int64_t value) { return static_cast<long long>(value); };
    fprintf(meta,
            "{\"events\": %lld, \"valid\": %lld, \"malformed\": %lld, \"value_bytes\": %lld, "
            "\"sum_product_id\": %lld, \"xor_event_ts_us\": %lld, \"ends\": [%s]}\n",
            number(events), number(events - malformed), number(malformed), number(value_bytes),
            number(product_sum), number(time_xor), ends.c_str());
    return fclose(meta) == 0;
  }
};

// When the first event happens.
int64_t start(const Options &options) {
  if (!options.end) return kStart;
  if (options.crowd > 0) return options.end - int64_t(options.crowd * kSecond);
  Shop rehearsal(options.seed, options.customers, 0, options.lateness);
  for (int64_t n = 1; n < options.events; n++) rehearsal.next();
  return options.end - rehearsal.next().arrival;
}

}  // namespace

int main(int argc, char **argv) {
  Options options = parse(argc, argv);
  Random random(options.seed + 1);
  int64_t first = start(options);
  Shop shop(options.seed, options.customers, first, options.lateness);
  Crowd crowd(options.customers, first, options.crowd / double(options.events));
  Past past(random);
  std::vector<Segment> segments;
  for (int k = 0; k < options.partitions; k++)
    segments.emplace_back(options.out + "/p" + std::to_string(k) + ".log", options.batch);
  Totals totals;
  for (const Phase &phase : options.then) {
    for (int64_t n = 0; n < phase.events; n++) {
      Event event = options.crowd > 0 ? crowd.next() : shop.next();
      past.remember(event);
      if (phase.late > 0 && random.uniform() < phase.late) event = past.joining(event, phase.hours);
      int broken = random.next() % 1000 == 0 ? random.range(1, 3) : 0;
      std::string value = json(event, uuid(random), broken);
      segments[size_t(event.customer % options.partitions)].append(
          event.arrival / 1000, std::to_string(event.customer), value);
      totals.count(event, broken != 0, value.size());
    }
    totals.finish_phase(segments);
  }
  for (auto &segment : segments) segment.close();
  return totals.write(options.out + "/meta.json") ? 0 : 1;
}
