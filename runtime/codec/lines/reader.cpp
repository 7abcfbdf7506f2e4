#include "runtime/codec/lines/reader.h"

#include <cstring>
#include <utility>

#include "runtime/codec/line_cut.h"
#include "runtime/codec/utf8_window.h"

namespace mut::lines {
namespace {

class Reader final : public codec::Decoder {
 public:
  Status redeclare(abi::TypeDescRef record, std::optional<size_t>) override {
    if (record->fields.size() == 1 && record->fields[0].type->kind == abi::TypeKind::String) return Unit{};
    return Error{"format `lines` gives `{ line: string }`"};
  }

  void decode_again(std::string_view record, uint32_t line, int64_t arrival_ns,
                    batch::Batch& batch) override {
    std::string_view copy = abi::view(batch.arena().copy(record));
    codec::Utf8Window window(copy.data() + copy.size());
    uint32_t next_line = std::exchange(line_, line);
    finish_line(batch, window, copy.data(), copy.size(), arrival_ns);
    line_ = next_line;
  }

  void start_input() override {
    begun_ = false;
    discarding_ = false;
    line_ = 1;
  }

  Result<codec::DecodeStep> decode(std::string_view text, bool at_end, int64_t arrival_ns,
                                   batch::Batch& batch) override {
    const char* at = text.data();
    const char* end = at + text.size();
    if (!begun_) {
      constexpr std::string_view mark = "\xef\xbb\xbf";
      if (!at_end && text.size() < mark.size() && mark.starts_with(text)) return codec::DecodeStep{0};
      if (text.starts_with(mark)) at += mark.size();
      begun_ = true;
    }
    codec::Utf8Window window(end);
    while (at != end && batch.row_count() != batch.row_capacity()) {
      auto newline = static_cast<const char*>(memchr(at, '\n', static_cast<size_t>(end - at)));
      auto size = static_cast<size_t>((newline ? newline : end) - at);
      if (discarding_ || size > codec::record_bytes_max) {
        if (!discarding_) bad_row(batch, at, codec::kept_raw_bytes, "record longer than 16 MiB");
        discarding_ = !newline && !at_end;
      } else if (!newline && !at_end) {
        break;
      } else {
        finish_line(batch, window, at, size, arrival_ns);
      }
      line_ += newline != nullptr;
      at = newline ? newline + 1 : end;
    }
    return codec::DecodeStep{static_cast<size_t>(at - text.data())};
  }

  codec::RecordRun cut_off(std::string_view text, uint32_t records_max) override {
    if (!begun_ || discarding_) return {};
    codec::LineCut cut = codec::cut_lines(text, records_max);
    return {cut.bytes, std::exchange(line_, line_ + cut.lines)};
  }
  bool is_between_lines() const override { return begun_ && !discarding_; }
  std::unique_ptr<codec::Decoder> fork() const override {
    auto out = std::make_unique<Reader>();
    out->begun_ = true;
    return out;
  }
  void go_on_at(uint32_t line) override { line_ = line; }
  uint32_t line() const override { return line_; }

 private:
  void finish_line(batch::Batch& batch, codec::Utf8Window& window, const char* at, size_t size,
                   int64_t arrival_ns) {
    if (!window.good(at, at + size)) return bad_row(batch, at, size, "not UTF-8");
    if (size > 0 && at[size - 1] == '\r') --size;
    if (auto* texts = static_cast<MutStr*>(batch.values(0))) {
      texts[batch.row_count()] = abi::make_str(at, static_cast<uint32_t>(size));
    }
    if (uint8_t* valid = batch.valid(0)) valid[batch.row_count()] = 1;
    batch.times()[batch.row_count()] = arrival_ns;
    batch.finish_row({at, static_cast<uint32_t>(size), line_});
  }

  void bad_row(batch::Batch& batch, const char* at, size_t size, std::string_view message) {
    batch.finish_bad_row({at, static_cast<uint32_t>(size), line_}, "decode", message);
  }

  uint32_t line_ = 1;
  bool begun_ = false;
  bool discarding_ = false;  // inside of a line that was too long
};

}  // namespace

std::unique_ptr<codec::Decoder> make_reader(abi::TypeDescRef, const codec::DecodeOptions&) {
  return std::make_unique<Reader>();
}

}  // namespace mut::lines
