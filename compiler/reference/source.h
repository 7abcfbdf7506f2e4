// Records of one source, one at a time, read from a text that is there as a whole.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compiler/reference/evaluate.h"
#include "compiler/typed/program.h"

namespace mut::reference {

enum class Format : uint8_t { Json, Csv, Tsv, Lines };

// Where a source's records come from.
struct Feed {
  std::string text;
  std::string name;  // of the input, for `.errors`: "payments.jsonl"
  std::optional<Format> format;
};

struct Record {
  std::optional<Value::Parts> fields;  // empty: cannot be decoded
  bool is_future = false;              // further ahead of its arrival than the source allows
  int64_t time = 0;
  std::string raw;
  bool has_raw = false;
  std::string input;      // "name:line", may be empty
  uint64_t position = 0;  // of the record in its source, from 0
};

class SourceReader {
 public:
  explicit SourceReader(Feed feed, uint64_t first_line = 1)
      : feed_(std::move(feed)), line_(first_line), next_line_(first_line) {}

  // The next record by the declaration as it stands, or empty at the end; take() moves on. Between the
  // two a swap may bring another declaration.
  std::optional<Record> peek(const typed::Source& source, const std::vector<Value>& params);
  void take() {
    at_ = next_;
    ++position_;
    line_ = next_line_;
  }
  uint64_t position() const { return position_; }
  // Of the record that is next, from the first line on.
  uint64_t line() const { return line_; }
  // What keeps the source from being read: a column that the header lacks. Empty when nothing does.
  const std::string& problem() const { return problem_; }

 private:
  struct Cells {
    std::vector<std::pair<std::string, bool>> cells;  // text, quoted
    bool malformed = false;
  };
  std::optional<Record> next_line_record(const typed::Source& source);
  std::optional<Record> next_csv_record(const typed::Source& source);
  std::optional<Record> next_generated(const typed::Source& source, const std::vector<Value>& params);
  void compute_time(const typed::Source& source, const std::vector<Value>& params, Record& record) const;
  bool at_end() const { return next_ >= feed_.text.size(); }
  // Cells of the record at `next_`, which moves behind it.
  Cells cut_csv(char separator);
  std::optional<Value::Parts> decode_cells(const typed::Source& source, const Cells& cells);
  Format format_of(const typed::Source& source) const;

  Feed feed_;
  size_t at_ = 0;
  size_t next_ = 0;
  uint64_t position_ = 0;
  uint64_t line_;
  uint64_t next_line_;
  std::optional<std::vector<std::string>> header_;
  std::string problem_;
};

}  // namespace mut::reference
