// One CSV record cut into its cells (RFC 4180).
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/codec/csv/scan.h"

namespace mut::csv {

struct Cell {
  const char* begin = nullptr;  // without the quotes
  uint32_t size = 0;            // bytes
  bool quoted = false;
  bool doubled = false;  // holds "" that mean one quote

  std::string_view view() const { return {begin, size}; }
};

enum class CutResult : uint8_t {
  Record,
  Incomplete,  // the text ends before the record does
  OpenQuote,   // the input ends inside of quotes
  AfterQuote,  // something between a closing quote and the separator
};

struct Cut {
  CutResult result = CutResult::Incomplete;
  const char* end = nullptr;   // of the record, without its line end
  const char* next = nullptr;  // begin of the next record
};

// Cuts the record at `at`, which must be where `marks` stands. `cells` is overwritten.
Cut cut_record(const char* at, const char* end, bool at_end, char separator, Marks& marks,
               std::vector<Cell>& cells);

// Whether a line, without its end, is a whole record to cut_record() and nothing is wrong with its quotes.
bool is_whole_record(std::string_view line, char separator);

}  // namespace mut::csv
