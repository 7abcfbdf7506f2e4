#include "tools/ledger/ledger.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>

namespace ledger {
namespace {

using Element = simdjson::dom::element;

double number_of(const Element& element) {
  double out = std::nan("");
  if (element.get(out) != simdjson::SUCCESS) return std::nan("");
  return out;
}

std::optional<double> number_in(const Element& record, const std::string& name) {
  Element field;
  if (record[name].get(field) != simdjson::SUCCESS) return std::nullopt;
  double out = number_of(field);
  return std::isnan(out) ? std::nullopt : std::optional(out);
}

std::optional<uint64_t> count_in(const Element& record, const char* name) {
  uint64_t out = 0;
  if (record[name].get(out) != simdjson::SUCCESS) return std::nullopt;
  return out;
}

std::string text_in(const Element& record, const std::string& name) {
  std::string_view out;
  if (record[name].get(out) != simdjson::SUCCESS) return "";
  return std::string(out);
}

bool close(double a, double b) {
  return a == b || std::fabs(a - b) <= 1e-9 * std::max(std::fabs(a), std::fabs(b));
}

// Texts as they are; numbers by value, as `3` may come out as `3.0`.
bool same(const Element& a, const Element& b) {
  double x = number_of(a);
  double y = number_of(b);
  if (!std::isnan(x) && !std::isnan(y)) return close(x, y);
  return simdjson::minify(a) == simdjson::minify(b);
}

struct InputRecord {
  std::string text;
  bool good = false;
  double amount = 0;
  std::string key;
  // Running totals of its key, itself included.
  uint64_t count = 0;
  double total = 0;
};

class Audit {
 public:
  explicit Audit(const Question& question) : question_(question) {}

  Result run() {
    read_input();
    for_each_line(question_.output, [&](const std::string& line) { row(line); });
    if (!problem_.empty()) return {std::nullopt, problem_};
    for (uint64_t position = 0; position < records_.size(); ++position) {
      uint64_t wanted = expected(position) ? 1 : 0;
      uint64_t found = rows_of_[position];
      if (found < wanted) note(answer_.lost, position, "is lost");
      if (found > std::max<uint64_t>(wanted, 1)) answer_.repeated += found - 1;
      if (wanted == 0 && found > 0) note(answer_.mixed, position, "has a row that its version does not give");
    }
    return {answer_, ""};
  }

 private:
  template <typename Visit>
  static void for_each_line(const std::string& text, Visit visit) {
    for (size_t begin = 0; begin < text.size();) {
      size_t end = std::min(text.find('\n', begin), text.size());
      std::string line = text.substr(begin, end - begin);
      if (line.find_first_not_of(" \t\r") != std::string::npos) visit(line);
      begin = end + 1;
    }
  }

  void note(uint64_t& counter, uint64_t position, const std::string& what) {
    ++counter;
    if (answer_.examples.size() < 8)
      answer_.examples.push_back("record " + std::to_string(position) + " " + what);
  }

  void read_input() {
    std::map<std::string, std::pair<uint64_t, double>> totals;
    for_each_line(question_.input, [&](const std::string& line) {
      InputRecord record;
      record.text = line;
      Element element;
      if (parser_.parse(line).get(element) == simdjson::SUCCESS && element.is_object()) {
        auto amount = number_in(element, question_.amount);
        record.good = amount.has_value() || question_.meaning == Meaning::Passthrough;
        record.amount = amount.value_or(0);
        record.key = text_in(element, question_.key);
      }
      if (record.good) {
        auto& [count, total] = totals[record.key];
        record.count = ++count;
        record.total = total += record.amount;
      }
      records_.push_back(std::move(record));
    });
    rows_of_.assign(records_.size(), 0);
  }

  const Version* version_at(uint64_t position) const {
    const Version* found = nullptr;
    for (const Version& version : question_.versions) {
      if (version.from <= position) found = &version;
    }
    return found;
  }

  bool expected(uint64_t position) const {
    const InputRecord& record = records_[position];
    if (!record.good) return false;
    const Version* version = version_at(position);
    return question_.meaning != Meaning::Threshold || version == nullptr || record.amount > version->limit;
  }

  void row(const std::string& line) {
    Element element;
    if (parser_.parse(line).get(element) != simdjson::SUCCESS || !element.is_object()) {
      problem_ = "the output holds a line that is no JSON object: " + line.substr(0, 80);
      return;
    }
    auto position = count_in(element, "$position");
    auto version = count_in(element, "$version");
    if (!position || !version) {
      problem_ = "the output holds a row without $position and $version: " + line.substr(0, 80);
      return;
    }
    if (!question_.source.empty() && text_in(element, "$source") != question_.source) return;
    ++answer_.rows;
    if (*position >= records_.size()) {
      note(answer_.mixed, *position, "has a row but was never read");
      return;
    }
    bool again = rows_of_[*position]++ > 0;
    const InputRecord& record = records_[*position];
    std::string line_of = question_.meaning == Meaning::Running ? "key " + record.key : "";
    auto [last, first] = last_position_.try_emplace(line_of, *position);
    if (!first && *position < last->second) note(answer_.reordered, *position, "comes after a later one");
    last->second = std::max(last->second, *position);
    check_version(*position, *version);
    if (question_.meaning == Meaning::Running) {
      if (!again) check_totals(element, *position, record);
    } else {
      check_content(element, *position, record);
    }
  }

  void check_version(uint64_t position, uint64_t version) {
    if (const Version* wanted = version_at(position)) {
      if (wanted->number != version) note(answer_.mixed, position, "has a row of another version");
      return;
    }
    // Nothing is known of the cuts: a later record may not be of an earlier version.
    auto after = newest_.upper_bound(position);
    bool back = (after != newest_.end() && after->second < version) ||
                (after != newest_.begin() && std::prev(after)->second > version);
    if (back) note(answer_.mixed, position, "has a row of a version that its neighbours left");
    newest_.emplace(position, version);
  }

  void check_content(const Element& row, uint64_t position, const InputRecord& record) {
    simdjson::dom::parser parser;
    Element input;
    if (parser.parse(record.text).get(input) != simdjson::SUCCESS) {
      note(answer_.mixed, position, "has a row but cannot be read");
      return;
    }
    for (auto [name, value] : simdjson::dom::object(row)) {
      Element original;
      if (name.starts_with('$') || input[name].get(original) != simdjson::SUCCESS) continue;
      // Times may be written otherwise than they were read.
      if (value.is_string() && original.is_number()) continue;
      if (same(value, original)) continue;
      note(answer_.mixed, position, "has a row of other content");
      return;
    }
  }

  // A count that is off stays off: only its change is told.
  void check_totals(const Element& row, uint64_t position, const InputRecord& record) {
    auto count = count_in(row, "n");
    auto total = number_in(row, "t");
    if (!count || !total) {
      problem_ = "a row of `running` lacks `n` or `t`";
      return;
    }
    int64_t& known = off_by_[record.key];
    auto off = static_cast<int64_t>(*count) - static_cast<int64_t>(record.count);
    if (off > known) note(answer_.repeated, position, "is counted again by its key");
    if (off < known) note(answer_.lost, position, "or one before is not counted by its key");
    if (off == 0 && !close(*total, record.total)) note(answer_.mixed, position, "has a sum of other records");
    known = off;
  }

  const Question& question_;
  simdjson::dom::parser parser_;
  std::vector<InputRecord> records_;
  std::vector<uint64_t> rows_of_;
  std::map<std::string, uint64_t> last_position_;
  std::map<uint64_t, uint64_t> newest_;  // version by position
  std::map<std::string, int64_t> off_by_;
  Answer answer_;
  std::string problem_;
};

}  // namespace

Result audit(const Question& question) { return Audit(question).run(); }

std::optional<std::vector<Version>> parse_versions(const std::string& text) {
  simdjson::dom::parser parser;
  Element root;
  simdjson::dom::array list;
  if (parser.parse(text).get(root) != simdjson::SUCCESS || root["versions"].get(list) != simdjson::SUCCESS)
    return std::nullopt;
  std::vector<Version> out;
  for (Element entry : list) {
    auto number = count_in(entry, "version");
    auto from = count_in(entry, "from");
    if (!number || !from) return std::nullopt;
    out.push_back({*number, *from, number_in(entry, "limit").value_or(0)});
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Version& a, const Version& b) { return a.from < b.from; });
  return out;
}

}  // namespace ledger
