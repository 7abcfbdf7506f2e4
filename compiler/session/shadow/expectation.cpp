#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "compiler/session/shadow/run.h"
#include "mutstream/shadow.h"

namespace mut {
namespace {

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  while (true) {
    size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return out;
    text.remove_prefix(begin);
    size_t end = std::min(text.find_first_of(" \t"), text.size());
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

}  // namespace

std::optional<Expectation> Expectation::parse(std::string_view text, std::string& problem) {
  Expectation out;
  bool none = false;
  size_t parts = 0;
  while (true) {
    size_t comma = std::min(text.find(','), text.size());
    std::vector<std::string> words = words_of(text.substr(0, comma));
    std::string_view what = words.empty() ? std::string_view() : words[0];
    ++parts;
    if (what == "none" && words.size() == 1) {
      none = true;
    } else if (what == "missing" && words.size() == 1) {
      out.missing = Allows::Everything;
    } else if (what == "extra" && words.size() == 1) {
      out.extra = Allows::Everything;
    } else if (what == "changed" && words.size() == 1) {
      out.changed = Allows::Everything;
    } else if (what == "changed" && words.size() > 2 && words[1] == "only") {
      out.changed = Allows::Some;
      out.fields.assign(words.begin() + 2, words.end());
    } else {
      problem = "`" + std::string(text.substr(0, comma)) +
                "`: write `none`, or of `missing`, `extra`, `changed`, `changed only FIELD FIELD` those that "
                "may be, with commas between";
      return std::nullopt;
    }
    if (comma == text.size()) break;
    text.remove_prefix(comma + 1);
  }
  if (none && parts > 1) {
    problem = "`none` stands alone";
    return std::nullopt;
  }
  return out;
}

namespace session {

std::vector<std::string> unexpected(const Expectation& expected, const std::vector<SinkComparison>& found) {
  using Allows = Expectation::Allows;
  std::vector<std::string> out;
  for (const SinkComparison& sink : found) {
    auto add = [&](uint64_t rows, Allows allows, std::string_view what) {
      if (rows > 0 && allows == Allows::Nothing)
        out.push_back(fmt::format("sink `{}`: {} rows {}", sink.sink, rows, what));
    };
    add(sink.missing, expected.missing, "missing");
    add(sink.extra, expected.extra, "extra");
    add(sink.changed, expected.changed, "changed");
    for (const FieldDifference& field : sink.fields) {
      bool allowed =
          std::find(expected.fields.begin(), expected.fields.end(), field.field) != expected.fields.end();
      if (expected.changed == Allows::Some && !allowed)
        out.push_back(fmt::format("sink `{}`: `{}` changed in {} rows", sink.sink, field.field, field.rows));
    }
  }
  return out;
}

}  // namespace session
}  // namespace mut
