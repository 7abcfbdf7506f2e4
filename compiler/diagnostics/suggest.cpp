// "did you mean": what a word of another language is called here, else the nearest known word by
// Damerau-Levenshtein distance.
#include <algorithm>
#include <array>
#include <cctype>

#include "compiler/diagnostics/diagnostics.h"

namespace mut::diag {
namespace {

// Longer words are never typed names; the bound keeps the table small for hostile scripts.
constexpr size_t word_bytes_max = 64;

struct Translation {
  std::string_view there, here;
};

// Words of SQL, Python, C and their kin. Only what is known at the place in question is suggested.
constexpr std::array translations = {
    Translation{"filter", "where"},      Translation{"having", "where"},
    Translation{"drop", "without"},      Translation{"exclude", "without"},
    Translation{"project", "select"},    Translation{"extend", "with"},
    Translation{"unnest", "flatten"},    Translation{"explode", "flatten"},
    Translation{"flatmap", "flatten"},   Translation{"mean", "avg"},
    Translation{"average", "avg"},       Translation{"total", "sum"},
    Translation{"std", "stddev"},        Translation{"length", "len"},
    Translation{"size", "len"},          Translation{"substring", "slice"},
    Translation{"substr", "slice"},      Translation{"lag", "prev"},
    Translation{"str", "string"},        Translation{"to_string", "string"},
    Translation{"bigint", "int"},        Translation{"integer", "int"},
    Translation{"long", "int"},          Translation{"double", "float"},
    Translation{"real", "float"},        Translation{"number", "float"},
    Translation{"varchar", "string"},    Translation{"text", "string"},
    Translation{"char", "string"},       Translation{"boolean", "bool"},
    Translation{"timestamp", "time"},    Translation{"datetime", "time"},
    Translation{"interval", "duration"}, Translation{"console", "stdout"},
    Translation{"print", "stdout"},      Translation{"null", "none"},
    Translation{"nil", "none"},          Translation{"undefined", "none"},
    Translation{"true", "true"},         Translation{"false", "false"},
    Translation{"none", "none"},
};

// Insert, remove, replace, or swap two neighbours: each counts one.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t replace = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

}  // namespace

std::optional<std::string> translated(std::string_view word, const std::vector<std::string>& candidates) {
  std::string lower(word);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const Translation& entry : translations) {
    if (entry.there != lower || entry.here == word) continue;
    if (std::ranges::find(candidates, entry.here) != candidates.end()) return std::string(entry.here);
  }
  return std::nullopt;
}

std::optional<std::string> did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.empty() || word.size() > word_bytes_max) return std::nullopt;
  if (auto here = translated(word, candidates)) return here;
  size_t limit = std::max<size_t>(1, word.size() / 3);
  const std::string* best = nullptr;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > word_bytes_max || candidate == word) continue;
    size_t distance = edit_distance(word, candidate);
    // A word of one letter is near every other word of one letter: nothing of it may be left.
    if (distance >= word.size() || distance > limit) continue;
    limit = best == nullptr || distance < limit ? distance : limit;
    if (best == nullptr || distance < edit_distance(word, *best)) best = &candidate;
  }
  if (best == nullptr) return std::nullopt;
  return *best;
}

}  // namespace mut::diag
