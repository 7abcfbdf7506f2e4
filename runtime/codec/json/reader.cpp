#include "runtime/codec/json/reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/abi/deliberate.h"
#include "runtime/codec/json/bound_plan.h"
#include "runtime/codec/json/row_parser.h"
#include "runtime/codec/json/validate.h"
#include "runtime/codec/line_cut.h"
#include "runtime/codec/utf8_window.h"

namespace mut::json {
namespace {

constexpr std::string_view code = "decode";
constexpr std::string_view too_long = "record longer than 16 MiB";
constexpr size_t sentinel_bytes = 1 + batch::ReadBuffer::slack_bytes;

bool blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

// The end of the value at `at` by its brackets and quotes alone; null when `end` comes first.
const char* frame_value(const char* at, const char* end) {
  int64_t depth = 0;
  for (const char* begin = at; at != end; ++at) {
    switch (*at) {
      case '"':
        for (++at; at != end && *at != '"'; ++at) {
          if (*at == '\\' && ++at == end) return nullptr;
        }
        if (at == end) return nullptr;
        break;
      case '{':
      case '[':
        ++depth;
        continue;
      case '}':
      case ']':
        if (depth == 0) return at;  // of the array around it
        if (--depth == 0) return at + 1;
        continue;
      case ',':
      case '\n':
        if (depth == 0 && at != begin) return at;
        continue;
      default:
        continue;
    }
    if (depth == 0) return at + 1;
  }
  return nullptr;
}

std::unique_ptr<RowParser> parser_for(InstructionSet instructions) {
#ifdef __x86_64__
  if (instructions == InstructionSet::Avx2 && __builtin_cpu_supports("avx2")) return make_avx2_row_parser();
#endif
  return instructions == InstructionSet::Portable ? make_portable_row_parser() : make_row_parser();
}

class Reader final : public codec::Decoder {
 public:
  Reader(abi::TypeDescRef record, const codec::DecodeOptions& options, InstructionSet instructions)
      : bound_(std::move(record), options.time_field),
        parser_(parser_for(instructions)),
        instructions_(instructions) {
    parser_->time_unit = options.time_unit;
  }

  Status redeclare(abi::TypeDescRef record, std::optional<size_t> time_field) override {
    bound_ = BoundPlan(std::move(record), time_field);
    return Unit{};
  }

  void decode_again(std::string_view record, uint32_t line, int64_t arrival_ns,
                    batch::Batch& batch) override {
    bound_.bind(batch);
    batch_ = &batch;
    arrival_ns_ = arrival_ns;
    uint32_t next_line = std::exchange(line_, line);
    parser_->newline_is_space = in_array_;
    read_copy(record.data(), record.size());
    line_ = next_line;
  }

  void start_input() override {
    state_ = State::Begin;
    in_array_ = false;
    line_ = 1;
    discarding_ = false;
  }

  Result<codec::DecodeStep> decode(std::string_view text, bool at_end, int64_t arrival_ns,
                                   batch::Batch& batch) override {
    bound_.bind(batch);
    batch_ = &batch;
    arrival_ns_ = arrival_ns;
    const char* begin = text.data();
    const char* end = begin + text.size();
    const char* at = begin;
    if (state_ == State::Begin) at = read_begin(at, end, at_end);
    if (state_ == State::Lines) at = read_lines(at, end, at_end);
    if (state_ == State::Array) at = read_array(at, end, at_end);
    if (state_ == State::Broken) at = end;
    return codec::DecodeStep{static_cast<size_t>(at - begin)};
  }

  codec::RecordRun cut_off(std::string_view text, uint32_t records_max) override {
    if (state_ != State::Lines || discarding_) return {};
    codec::LineCut cut = codec::cut_lines(text, records_max);
    return {cut.bytes, std::exchange(line_, line_ + cut.lines)};
  }
  bool is_between_lines() const override { return state_ == State::Lines && !discarding_; }
  std::unique_ptr<codec::Decoder> fork() const override {
    codec::DecodeOptions options;
    options.time_unit = parser_->time_unit;
    options.time_field = bound_.time_field();
    auto out = std::make_unique<Reader>(bound_.shared_record(), options, instructions_);
    out->state_ = State::Lines;
    return out;
  }
  void go_on_at(uint32_t line) override { line_ = line; }
  uint32_t line() const override { return line_; }

 private:
  enum class State : uint8_t {
    Begin,   // byte order mark and blanks before the first value
    Lines,   // one value per line
    Array,   // between the brackets of one array
    Broken,  // an array whose structure is lost; the rest is not read
  };

  bool full() const { return batch_->row_count() == batch_->row_capacity(); }

  const char* read_begin(const char* at, const char* end, bool at_end) {
    if (!at_end && end - at < 3) return at;
    if (end - at >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0) at += 3;
    const char* value = at;
    while (value != end && (blank(*value) || *value == '\n')) ++value;
    if (value == end && !at_end) return at;
    state_ = State::Lines;
    if (value != end && *value == '[') {
      state_ = State::Array;
      in_array_ = true;
      between_ = Between::FirstOrEnd;
      count_lines(at, value);
      return value + 1;
    }
    return at;
  }

  void count_lines(const char* from, const char* to) {
    line_ += static_cast<uint32_t>(std::count(from, to, '\n'));
  }

  MutOrigin origin(const char* from, const char* to) const {
    if (to > from && to[-1] == '\r') --to;
    return {from, static_cast<uint32_t>(to - from), line_};
  }

  void bad_row(const char* from, const char* to, std::string_view message) {
    batch_->finish_bad_row(origin(from, to), code, message);
  }

  // One framed record, [at, end) without its line end.
  void read_record(const char* at, const char* end, bool utf8) {
    if (!utf8) return bad_row(at, end, "not UTF-8");
    const char* after = parser_->parse_row(bound_.plan(), at, batch_->row_count(), batch_->arena());
    finish_record(at, end, after);
  }

  void finish_record(const char* at, const char* end, const char* after) {
    if (!after) return bad_row(at, end, parser_->failure().message());
    if (static_cast<size_t>(end - at) > codec::record_bytes_max)
      return bad_row(at, at + codec::kept_raw_bytes, too_long);
    after = parser_->newline_is_space ? skip_space(after, end) : skip_blanks(after, end);
    if (after != end && !MUT_DELIBERATE_FAULT(json_text_behind))
      return bad_row(at, end, "text after the record");
    if (!bound_.set_time(*batch_, arrival_ns_)) {
      return bad_row(at, end, "field `" + bound_.time_name() + "`: the event time is none");
    }
    batch_->finish_row(origin(at, end));
  }

  static const char* skip_blanks(const char* at, const char* end) {
    while (at != end && blank(*at)) ++at;
    return at;
  }

  const char* read_lines(const char* at, const char* end, bool at_end) {
    parser_->newline_is_space = false;
    const char* last = static_cast<const char*>(memrchr(at, '\n', static_cast<size_t>(end - at)));
    const char* whole = last ? last + 1 : at;
    if (discarding_ && whole != at) {
      at = static_cast<const char*>(memchr(at, '\n', static_cast<size_t>(end - at))) + 1;
      ++line_;
      discarding_ = false;
    }
    codec::Utf8Window window(whole);
    while (at != whole && !full()) {
      window.prepare(at);
      const char* begin = at;
      while (blank(*at)) ++at;
      if (*at == '\n') {
        ++at, ++line_;
        continue;
      }
      const char* after = parser_->parse_row(bound_.plan(), at, batch_->row_count(), batch_->arena());
      const char* line_end = after;
      if (!after || *after != '\n') [[unlikely]] {
        const char* from = after ? after : at;
        line_end = static_cast<const char*>(memchr(from, '\n', static_cast<size_t>(whole - from)));
      }
      if (window.good(begin, line_end)) [[likely]] {
        finish_record(begin, line_end, after);
      } else {
        bad_row(begin, line_end, "not UTF-8");
      }
      at = line_end + 1;
      ++line_;
    }
    if (at != whole || full()) return at;
    return read_unfinished_line(at, end, at_end);
  }

  // What follows the last newline.
  const char* read_unfinished_line(const char* at, const char* end, bool at_end) {
    auto size = static_cast<size_t>(end - at);
    if (discarding_) return end;
    if (size > codec::record_bytes_max) {
      bad_row(at, at + codec::kept_raw_bytes, too_long);
      discarding_ = true;
      return end;
    }
    if (!at_end || size == 0) return at;
    if (skip_blanks(at, end) == end) return end;
    read_copy(at, size);
    return end;
  }

  // The parser wants a newline behind a record, and what follows the text is not ours to write.
  void read_copy(const char* at, size_t size) {
    char* copy = static_cast<char*>(batch_->arena().allocate(size + sentinel_bytes));
    memcpy(copy, at, size);
    memset(copy + size, '\n', sentinel_bytes);
    const char* value = skip_blanks(copy, copy + size);
    read_record(value, copy + size, codec::is_utf8({copy, size}));
  }

  enum class Between : uint8_t { FirstOrEnd, Value, CommaOrEnd, AfterEnd };

  const char* read_array(const char* at, const char* end, bool at_end) {
    parser_->newline_is_space = true;
    while (!full()) {
      const char* next = skip_space(at, end);
      count_lines(at, next);
      at = next;
      if (at == end) {
        if (at_end && between_ != Between::AfterEnd) broken(at, at, "the input ends inside of its array");
        return at;
      }
      if (between_ == Between::AfterEnd) {
        if (*at != '[') {
          broken(at, end, "text after the array");
          return end;
        }
        between_ = Between::FirstOrEnd;
        ++at;
      } else if (between_ == Between::CommaOrEnd) {
        if (*at != ',' && *at != ']') {
          broken(at, end, "expected `,` or `]`; the rest is not read");
          return end;
        }
        between_ = *at == ',' ? Between::Value : Between::AfterEnd;
        ++at;
      } else if (between_ == Between::FirstOrEnd && *at == ']') {
        between_ = Between::AfterEnd;
        ++at;
      } else {
        const char* after = frame_value(at, end);
        if (!after || after == at) {
          if (static_cast<size_t>(end - at) > codec::record_bytes_max) {
            broken(at, end, too_long);
          } else if (at_end || after == at) {
            broken(at, end,
                   after ? "expected a value; the rest is not read" : "the input ends inside of a record");
          } else {
            return at;
          }
          return end;
        }
        read_record(at, after, codec::is_utf8({at, static_cast<size_t>(after - at)}));
        count_lines(at, after);
        at = after;
        between_ = Between::CommaOrEnd;
      }
    }
    return at;
  }

  void broken(const char* from, const char* to, std::string_view message) {
    bad_row(from, std::min(to, from + codec::kept_raw_bytes), message);
    state_ = State::Broken;
  }

  BoundPlan bound_;
  std::unique_ptr<RowParser> parser_;
  InstructionSet instructions_;
  batch::Batch* batch_ = nullptr;
  int64_t arrival_ns_ = 0;
  uint32_t line_ = 1;
  State state_ = State::Begin;
  bool in_array_ = false;  // also when its structure is lost
  Between between_ = Between::FirstOrEnd;
  bool discarding_ = false;  // inside of a record that was too long
};

}  // namespace

std::unique_ptr<codec::Decoder> make_reader(abi::TypeDescRef record, const codec::DecodeOptions& options,
                                            InstructionSet instructions) {
  return std::make_unique<Reader>(std::move(record), options, instructions);
}

}  // namespace mut::json
