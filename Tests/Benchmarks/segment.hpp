// Kafka's record batches of format 2, as the bytes of a log segment.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

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
  // Ends the batch; the offset of the next record.
  int64_t flush() {
    if (!count_) return base_;
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
    return base_;
  }
  void close() {
    flush();
    fclose(file_);
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
