#include "runtime/abi/value.h"
#include "runtime/codec/csv/reader.h"
#include "runtime/codec/csv/writer.h"
#include "runtime/codec/decoder.h"
#include "runtime/codec/encoder.h"
#include "runtime/codec/json/reader.h"
#include "runtime/codec/json/writer.h"
#include "runtime/codec/lines/reader.h"

namespace mut::codec {
namespace {

class JsonEncoder final : public Encoder {
 public:
  explicit JsonEncoder(abi::TypeDescRef record) : record_(std::move(record)), writer_(*record_) {}
  void append(const void* row, text::Buffer& out) const override {
    writer_.append(row, out);
    out.append('\n');
  }

 private:
  abi::TypeDescRef record_;
  json::RowWriter writer_;
};

class CsvEncoder final : public Encoder {
 public:
  CsvEncoder(abi::TypeDescRef record, char separator)
      : record_(std::move(record)), writer_(*record_, separator) {}
  void append_header(text::Buffer& out) const override { writer_.append_header(out); }
  void append(const void* row, text::Buffer& out) const override { writer_.append(row, out); }

 private:
  abi::TypeDescRef record_;
  csv::RowWriter writer_;
};

class LinesEncoder final : public Encoder {
 public:
  void append(const void* row, text::Buffer& out) const override {
    MutStr line;
    memcpy(&line, row, sizeof line);
    out.append(abi::view(line));
    out.append('\n');
  }
};

}  // namespace

std::optional<Format> format_of_name(std::string_view name) {
  if (name == "json" || name == "jsonl" || name == "ndjson") return Format::Json;
  if (name == "csv") return Format::Csv;
  if (name == "tsv") return Format::Tsv;
  if (name == "lines") return Format::Lines;
  return std::nullopt;
}

std::optional<Format> format_of_path(std::string_view path) {
  for (std::string_view packed : {".gz", ".zst"}) {
    if (!path.ends_with(packed)) continue;
    path.remove_suffix(packed.size());
    break;
  }
  size_t dot = path.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  std::string_view ending = path.substr(dot + 1);
  if (ending == "jsonl" || ending == "ndjson" || ending == "json") return Format::Json;
  if (ending == "csv") return Format::Csv;
  if (ending == "tsv") return Format::Tsv;
  if (ending == "log" || ending == "txt") return Format::Lines;
  return std::nullopt;
}

std::unique_ptr<Decoder> make_decoder(Format format, abi::TypeDescRef record, const DecodeOptions& options) {
  DecodeOptions adjusted = options;
  switch (format) {
    case Format::Json:
      return json::make_reader(std::move(record), options);
    case Format::Tsv:
      adjusted.separator = '\t';
      return csv::make_reader(std::move(record), adjusted);
    case Format::Csv:
      return csv::make_reader(std::move(record), options);
    case Format::Lines:
      return lines::make_reader(std::move(record), options);
  }
  return nullptr;
}

std::unique_ptr<Encoder> make_encoder(Format format, abi::TypeDescRef record, char separator) {
  switch (format) {
    case Format::Json:
      return std::make_unique<JsonEncoder>(std::move(record));
    case Format::Csv:
      return std::make_unique<CsvEncoder>(std::move(record), separator);
    case Format::Tsv:
      return std::make_unique<CsvEncoder>(std::move(record), '\t');
    case Format::Lines:
      return std::make_unique<LinesEncoder>();
  }
  return nullptr;
}

}  // namespace mut::codec
