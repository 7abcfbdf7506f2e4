#include "runtime/codec/csv/reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/codec/csv/cell_value.h"
#include "runtime/codec/csv/cells.h"
#include "runtime/codec/json/bound_plan.h"
#include "runtime/codec/line_cut.h"
#include "runtime/codec/utf8_window.h"

namespace mut::csv {
namespace {

constexpr std::string_view code = "decode";
constexpr uint32_t no_column = UINT32_MAX;

class Reader final : public codec::Decoder {
 public:
  Reader(abi::TypeDescRef record, const codec::DecodeOptions& options)
      : bound_(record, options.time_field), options_(options) {
    start_input();
  }

  Status redeclare(abi::TypeDescRef record, std::optional<size_t> time_field) override {
    json::BoundPlan before = std::exchange(bound_, json::BoundPlan(std::move(record), time_field));
    std::vector<uint32_t> columns_before = std::exchange(columns_, {});
    columns_.resize(bound_.record().fields.size());
    for (uint32_t i = 0; i < columns_.size(); ++i) columns_[i] = i;
    if (!options_.header) column_count_ = columns_.size();
    if (!options_.header || !header_read_) return Unit{};
    Status mapped = map_columns();
    if (!mapped) {
      bound_ = std::move(before);
      columns_ = std::move(columns_before);
    }
    return mapped;
  }

  void decode_again(std::string_view record, uint32_t line, int64_t arrival_ns,
                    batch::Batch& batch) override {
    bound_.bind(batch);
    batch_ = &batch;
    arrival_ns_ = arrival_ns;
    auto* copy = static_cast<char*>(batch.arena().allocate(record.size() + batch::ReadBuffer::slack_bytes));
    memcpy(copy, record.data(), record.size());
    const char* end = copy + record.size();
    uint32_t next_line = std::exchange(line_, line);
    codec::Utf8Window window(end);
    Marks marks(copy, end, options_.separator);
    read_record(copy, cut_record(copy, end, true, options_.separator, marks, cells_), window);
    line_ = next_line;
  }

  void start_input() override {
    begun_ = false;
    header_read_ = !options_.header;
    line_ = 1;
    discarding_ = false;
    columns_.clear();
    column_count_ = bound_.record().fields.size();
    for (uint32_t i = 0; i < column_count_; ++i) columns_.push_back(i);
  }

  Result<codec::DecodeStep> decode(std::string_view text, bool at_end, int64_t arrival_ns,
                                   batch::Batch& batch) override {
    bound_.bind(batch);
    batch_ = &batch;
    arrival_ns_ = arrival_ns;
    const char* begin = text.data();
    const char* end = begin + text.size();
    const char* at = begin;
    if (!begun_) {
      constexpr std::string_view mark = "\xef\xbb\xbf";
      if (!at_end && text.size() < mark.size() && mark.starts_with(text)) return codec::DecodeStep{0};
      if (text.starts_with(mark)) at += mark.size();
      begun_ = true;
    }
    if (discarding_ && !(at = discard(at, end, at_end))) return codec::DecodeStep{text.size()};
    codec::Utf8Window window(end);
    Marks marks(at, end, options_.separator);
    // The header is read even when there is no room for rows: so a source is checked when it is opened.
    while (at != end && (!full() || !header_read_)) {
      Cut cut = cut_record(at, end, at_end, options_.separator, marks, cells_);
      if (cut.result == CutResult::Incomplete) {
        if (static_cast<size_t>(end - at) <= codec::record_bytes_max) break;
        bad_row(at, at + codec::kept_raw_bytes, "record longer than 16 MiB");
        discarding_ = true;
        return codec::DecodeStep{text.size()};
      }
      if (!header_read_) {
        Status status = read_header(cut.result);
        if (!status) return status.error();
      } else {
        read_record(at, cut, window);
      }
      line_ += static_cast<uint32_t>(std::count(at, cut.next, '\n'));
      at = cut.next;
    }
    return codec::DecodeStep{static_cast<size_t>(at - begin)};
  }

  codec::RecordRun cut_off(std::string_view text, uint32_t records_max) override {
    if (!begun_ || !header_read_ || discarding_) return {};
    codec::LineCut cut = codec::cut_lines(text, records_max, [this](std::string_view line) {
      return is_whole_record(line, options_.separator);
    });
    return {cut.bytes, std::exchange(line_, line_ + cut.lines)};
  }
  bool is_between_lines() const override { return begun_ && header_read_ && !discarding_; }
  std::unique_ptr<codec::Decoder> fork() const override {
    codec::DecodeOptions options = options_;
    options.time_field = bound_.time_field();
    auto out = std::make_unique<Reader>(bound_.shared_record(), options);
    out->begun_ = out->header_read_ = true;
    out->names_ = names_;
    out->columns_ = columns_;
    out->column_count_ = column_count_;
    return out;
  }
  void go_on_at(uint32_t line) override { line_ = line; }
  uint32_t line() const override { return line_; }

 private:
  bool full() const { return batch_->row_count() == batch_->row_capacity(); }

  // Where the next record begins after one that was too long; null when not in sight. Its quotes can
  // no longer be told, so the next line end counts.
  const char* discard(const char* at, const char* end, bool at_end) {
    auto newline = static_cast<const char*>(memchr(at, '\n', static_cast<size_t>(end - at)));
    if (!newline) return at_end ? end : nullptr;
    discarding_ = false;
    ++line_;
    return newline + 1;
  }

  static std::string unquoted(const Cell& cell) {
    std::string out;
    for (size_t i = 0; i < cell.size; ++i) {
      out += cell.begin[i];
      if (cell.doubled && cell.begin[i] == '"') ++i;
    }
    return out;
  }

  Status read_header(CutResult result) {
    if (result != CutResult::Record) return Error{"the header is malformed"};
    names_.clear();
    for (const Cell& cell : cells_) names_.push_back(unquoted(cell));
    Status mapped = map_columns();
    if (!mapped) return mapped;
    column_count_ = names_.size();
    header_read_ = true;
    return Unit{};
  }

  // Finds the column of each declared field by its name in the header.
  Status map_columns() {
    const std::vector<abi::FieldDesc>& fields = bound_.record().fields;
    for (size_t i = 0; i < fields.size(); ++i) {
      const std::string& name = fields[i].input_name.empty() ? fields[i].name : fields[i].input_name;
      auto found = std::find(names_.begin(), names_.end(), name);
      if (found != names_.end()) {
        columns_[i] = static_cast<uint32_t>(found - names_.begin());
      } else if (fields[i].has_default || fields[i].type->kind == abi::TypeKind::Optional) {
        columns_[i] = no_column;
      } else {
        return Error{"no column `" + name + "` in the header"};
      }
    }
    return Unit{};
  }

  void bad_row(const char* from, const char* to, std::string_view message) {
    batch_->finish_bad_row(origin(from, to), code, message);
  }
  MutOrigin origin(const char* from, const char* to) const {
    if (to > from && to[-1] == '\r') --to;
    return {from, static_cast<uint32_t>(to - from), line_};
  }

  void read_record(const char* at, const Cut& cut, codec::Utf8Window& window) {
    if (cut.result == CutResult::OpenQuote) return bad_row(at, cut.end, "the input ends inside of quotes");
    if (cut.result == CutResult::AfterQuote) return bad_row(at, cut.end, "text after a closing quote");
    // A blank line is a record only where a record is one cell.
    if (cells_.size() == 1 && column_count_ > 1 && cells_[0].size == 0 && !cells_[0].quoted) return;
    if (cells_.size() != column_count_) {
      return bad_row(
          at, cut.end,
          "expected " + std::to_string(column_count_) + " fields, found " + std::to_string(cells_.size()));
    }
    if (static_cast<size_t>(cut.end - at) > codec::record_bytes_max) {
      return bad_row(at, at + codec::kept_raw_bytes, "record longer than 16 MiB");
    }
    if (!window.good(at, cut.end)) return bad_row(at, cut.end, "not UTF-8");
    size_t row = batch_->row_count();
    std::vector<json::Field>& fields = bound_.plan().fields;
    for (size_t i = 0; i < fields.size(); ++i) {
      std::string_view reason = read_field(fields[i], columns_[i], row);
      if (!reason.empty()) {
        return bad_row(at, cut.end, "field `" + fields[i].desc->name + "`: " + std::string(reason));
      }
    }
    if (!bound_.set_time(*batch_, arrival_ns_)) {
      return bad_row(at, cut.end, "field `" + bound_.time_name() + "`: the event time is none");
    }
    batch_->finish_row(origin(at, cut.end));
  }

  bool is_none(const Cell& cell) const {
    if (cell.quoted) return false;
    if (cell.size == 0) return true;
    return !options_.none.empty() &&
           std::find(options_.none.begin(), options_.none.end(), cell.view()) != options_.none.end();
  }

  // Empty, or why not.
  std::string_view read_field(json::Field& field, uint32_t column, size_t row) {
    char* to = field.column + row * field.column_stride;
    uint8_t* present = field.valid + row * field.valid_stride;
    if (column == no_column || is_none(cells_[column])) {
      auto missing = json::read_absent(field, options_.time_unit, batch_->arena(), to, present);
      absent_reason_ = missing.value_or("");
      return absent_reason_;
    }
    const Cell& cell = cells_[column];
    if (field.node.optional) *present = 1;
    std::string_view text = cell.view();
    if (cell.doubled) text = abi::view(batch_->arena().copy(unquoted(cell)));
    const abi::TypeDesc& type = field.node.optional ? *field.desc->type->element : *field.desc->type;
    return read_cell(field.node, type, text, options_.time_unit, batch_->arena(), to);
  }

  json::BoundPlan bound_;
  codec::DecodeOptions options_;
  std::vector<std::string> names_;  // of the header
  std::vector<uint32_t> columns_;   // of each declared field
  size_t column_count_ = 0;
  std::vector<Cell> cells_;
  std::string absent_reason_;
  batch::Batch* batch_ = nullptr;
  int64_t arrival_ns_ = 0;
  uint32_t line_ = 1;
  bool begun_ = false;
  bool header_read_ = false;
  bool discarding_ = false;  // inside of a record that was too long
};

}  // namespace

std::unique_ptr<codec::Decoder> make_reader(abi::TypeDescRef record, const codec::DecodeOptions& options) {
  return std::make_unique<Reader>(std::move(record), options);
}

}  // namespace mut::csv
