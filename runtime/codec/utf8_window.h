// Checks UTF-8 in blocks that the reader is about to touch, so that the check costs one pass over text
// that is in the nearest cache afterwards, and records cost nothing unless their block is bad.
#pragma once
#include <simdjson.h>

#include <string_view>

namespace mut::codec {

inline bool is_utf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

class Utf8Window {
 public:
  static constexpr size_t block_bytes = 32 * 1024;

  // `end` bounds what may be checked at all. For one stretch of text; make a new one for the next.
  explicit Utf8Window(const char* end) : end_(end) {}

  // Whether the record [begin, record_end) is good; records come in order.
  bool good(const char* begin, const char* record_end) {
    while (checked_to_ < record_end) check_block(begin);
    return begin >= bad_to_ || is_utf8({begin, static_cast<size_t>(record_end - begin)});
  }

  // Brings the text from `begin` on into the cache before it is parsed.
  void prepare(const char* begin) {
    if (checked_to_ <= begin) check_block(begin);
  }

 private:
  void check_block(const char* begin) {
    const char* from = checked_to_ > begin ? checked_to_ : begin;
    const char* to = end_ - from > static_cast<ptrdiff_t>(block_bytes) ? from + block_bytes : end_;
    // Not in the middle of a character.
    for (int i = 0; i < 3 && to != end_ && to > from + 4 && (static_cast<unsigned char>(*to) & 0xc0) == 0x80;
         ++i) {
      --to;
    }
    if (!is_utf8({from, static_cast<size_t>(to - from)})) bad_to_ = to;
    checked_to_ = to;
  }

  const char* end_;
  const char* checked_to_ = nullptr;
  const char* bad_to_ = nullptr;
};

}  // namespace mut::codec
