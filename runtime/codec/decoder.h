// From text to rows: what all readers of formats have in common.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/abi/result.h"
#include "runtime/abi/type_desc.h"
#include "runtime/batch/batch.h"
#include "runtime/codec/text/time.h"

namespace mut::codec {

// A longer record becomes a bad row; its bytes are not kept.
constexpr size_t record_bytes_max = 16 * 1024 * 1024;
// Nesting of one JSON record; deeper ones become bad rows.
constexpr int json_depth_max = 256;
// How much of a record that is too long is kept for `.errors`.
constexpr size_t kept_raw_bytes = 1024;

struct DecodeOptions {
  text::TimeUnit time_unit = text::TimeUnit::Milli;  // of times and durations given as numbers
  // Which declared field is the event time; none: `arrival_ns` of decode() is.
  std::optional<size_t> time_field;
  // CSV only.
  char separator = ',';
  bool header = true;
  std::vector<std::string> none;  // unquoted texts that mean `none`, beside the empty one
};

struct DecodeStep {
  size_t bytes_used = 0;
};

// Whole records at the begin of a text.
struct RecordRun {
  size_t bytes = 0;         // 0: none
  uint32_t first_line = 1;  // of the input, where it begins
};

// Turns the text of one source into rows. A record that cannot be decoded becomes a bad row (code
// "decode") and never stops the reader. One thread at a time.
class Decoder {
 public:
  virtual ~Decoder() = default;

  // Appends whole records of `text` until `batch` is full or no whole record is left; with `at_end`
  // what is left counts as whole. `text` lies in a batch::ReadBuffer (its slack may be read), rows
  // point into it, and it continues where the last call's bytes_used ended. Needs more text than it
  // was given when it used nothing and the batch is not full.
  // Fails only when the input as a whole does not fit the declaration (a CSV column is missing).
  virtual Result<DecodeStep> decode(std::string_view text, bool at_end, int64_t arrival_ns,
                                    batch::Batch& batch) = 0;

  // From the next record on the input is read as another record type; place and header stay.
  // `time_field` as in DecodeOptions. Fails, and changes nothing, when the input does not fit.
  virtual Status redeclare(abi::TypeDescRef record, std::optional<size_t> time_field) = 0;

  // Appends a record that was handed over before, as MutOrigin shows it, once more: after redeclare(), for
  // rows that have not run. `batch` has room. Place and state of the input stay.
  virtual void decode_again(std::string_view record, uint32_t line, int64_t arrival_ns,
                            batch::Batch& batch) = 0;

  // The next text is the begin of another file: own header, byte order mark, line 1.
  virtual void start_input() = 0;

  // Of the input, where the next text begins; from 1.
  virtual uint32_t line() const = 0;

  // ---- for several threads, each with a decoder of its own

  // Takes whole records off the begin of `text`, `records_max` at most, for another decoder; this one goes on
  // behind them. `text` lies and continues as in decode(). None where nobody else can tell what follows:
  // before the first record, inside of an array, of a record that is too long or is not to be cut at a line
  // end.
  virtual RecordRun cut_off(std::string_view text, uint32_t records_max) = 0;
  // Whether a fork could decode what follows: it stands between two lines.
  virtual bool is_between_lines() const = 0;
  // Another decoder of the same records, that decodes what cut_off() gave, in whatever order.
  virtual std::unique_ptr<Decoder> fork() const = 0;
  // The next text of a fork begins at this line.
  virtual void go_on_at(uint32_t line) = 0;
};

enum class Format : uint8_t { Json, Csv, Tsv, Lines };

// "json", "csv", "tsv", "lines".
std::optional<Format> format_of_name(std::string_view name);
// By the ending of the path, `.gz` and `.zst` left aside (rule 6.24).
std::optional<Format> format_of_path(std::string_view path);

// The record of a `lines` source has one field of type string.
std::unique_ptr<Decoder> make_decoder(Format format, abi::TypeDescRef record, const DecodeOptions& options);

}  // namespace mut::codec
