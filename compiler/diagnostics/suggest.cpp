// "did you mean": the nearest known word by Damerau-Levenshtein distance.
#include <algorithm>

#include "compiler/diagnostics/diagnostics.h"

namespace mut::diag {
namespace {

// Longer words are never typed names; the bound keeps the table small for hostile scripts.
constexpr size_t word_bytes_max = 64;

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

std::optional<std::string> did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.empty() || word.size() > word_bytes_max) return std::nullopt;
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
