// Reads one JSON record into columns or memory. Three builds of one text, for AVX-512, AVX2 and any
// processor, chosen when the parser is made.
#pragma once
#include <memory>
#include <string>

#include "runtime/batch/batch.h"
#include "runtime/codec/json/plan.h"
#include "runtime/codec/text/time.h"

namespace mut::json {

// Why the last record was refused.
struct Failure {
  std::string path;     // "bid.price"; empty when the fault is in no field
  std::string reason;   // "expected an integer"
  bool syntax = false;  // the text is no JSON, reading cannot go on behind the value

  std::string message() const { return path.empty() ? reason : "field `" + path + "`: " + reason; }
};

// One thread at a time. The text must be followed by a newline or be a framed value (balanced brackets);
// up to 64 bytes behind it are read but do not matter.
class RowParser {
 public:
  virtual ~RowParser() = default;

  // Reads the record at `at` into row `row` of the plan's columns; decoded texts go into `arena`.
  // Returns the place behind it, null on failure.
  virtual const char* parse_row(RecordPlan& plan, const char* at, uint32_t row, batch::Arena& arena) = 0;
  // Reads one value into memory of the layout of the node's type.
  virtual const char* parse_value(Node& node, const char* at, char* to, batch::Arena& arena) = 0;

  const Failure& failure() const { return failure_; }
  text::TimeUnit time_unit = text::TimeUnit::Milli;
  bool newline_is_space = false;  // for values that were framed

 protected:
  Failure failure_;
};

std::unique_ptr<RowParser> make_portable_row_parser();
// Only where the processor has AVX2.
std::unique_ptr<RowParser> make_avx2_row_parser();
// The same with AVX-512 (VBMI2).
std::unique_ptr<RowParser> make_avx512_row_parser();
// The fastest one of those that run here.
std::unique_ptr<RowParser> make_row_parser();

}  // namespace mut::json
