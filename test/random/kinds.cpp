#include "test/random/kinds.h"

#include <algorithm>

namespace mut::random_test {

const std::vector<std::string>& stage_kinds() {
  static const std::vector<std::string> kinds = {
      "where",       "select",    "with",      "without",   "rename",    "flatten",        "dedupe",
      "limit",       "latest",    "throttle",  "sample",    "delay",     "debounce",       "sort",
      "top",         "ranking",   "match",     "history",   "operator",  "running",        "tumbling",
      "sliding",     "session",   "count",     "all",       "updates",   "join",           "left join",
      "right join",  "full join", "semi join", "anti join", "asof join", "left asof join", "lookup",
      "left lookup", "as of",     "table",     "route",     "route all", "merge",          "union",
      "process"};
  return kinds;
}

bool is_join(const std::string& kind) { return kind.ends_with("join"); }

bool is_aggregate(const std::string& kind) {
  static const std::vector<std::string> kinds = {"running", "tumbling", "sliding", "session",
                                                 "count",   "all",      "updates"};
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

bool gives_later(const std::string& kind) {
  static const std::vector<std::string> holds = {"delay", "debounce", "sort", "top", "match", "process"};
  bool join = is_join(kind) && kind != "join" && kind != "semi join";
  return join || (is_aggregate(kind) && kind != "running") ||
         std::find(holds.begin(), holds.end(), kind) != holds.end();
}

bool is_head(const std::string& kind) {
  return kind == "table" || kind.starts_with("route") || kind == "merge" || kind == "union";
}

std::string why_not(const std::string& first, const std::string& second) {
  if (first != "running" && first != "updates" && first != "ranking") return "";
  if (is_aggregate(second)) return "an aggregate of repeated results is refused (MUT3004)";
  if (second == "match") return "a pattern of repeated results is refused (MUT3004)";
  if (is_join(second)) return "a join of repeated results is refused (MUT3020)";
  return "";
}

std::vector<std::pair<std::string, std::string>> possible_pairs() {
  std::vector<std::pair<std::string, std::string>> out;
  for (const std::string& first : stage_kinds()) {
    for (const std::string& second : stage_kinds()) {
      if (why_not(first, second).empty()) out.emplace_back(first, second);
    }
  }
  return out;
}

std::pair<std::string, std::string> pair_of_seed(uint64_t seed) {
  static const auto pairs = possible_pairs();
  // Seeds in a row have pairs that are far from each other; 997 is prime and no factor of their number.
  return pairs[seed % pairs.size() * 997 % pairs.size()];
}

}  // namespace mut::random_test
