// What one version changes in the text of another: a unified diff, by Myers' greedy search for the shortest.
#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include "mutstream/tooling.h"

namespace mut {
namespace {

using Lines = std::vector<std::string_view>;

// Beyond, both texts are shown whole: the search keeps a table of the square of it.
constexpr int changes_max = 2000;
constexpr size_t context_lines = 3;

struct Step {
  char mark = ' ';  // ' ' both, '-' before, '+' after
  std::string_view line;
};

Lines lines_of(std::string_view text) {
  Lines out;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = std::min(text.find('\n', begin), text.size());
    out.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

// Furthest point on each diagonal after 0, 1, 2 … changes; empty: more than `changes_max`.
std::vector<std::vector<int>> search(const Lines& a, const Lines& b) {
  auto rows = static_cast<int>(a.size());
  auto columns = static_cast<int>(b.size());
  std::vector<std::vector<int>> trace;
  for (int changes = 0; changes <= changes_max; ++changes) {
    std::vector<int> now(static_cast<size_t>(2 * changes + 1));
    for (int diagonal = -changes; diagonal <= changes; diagonal += 2) {
      auto before = [&](int of) { return trace.back()[static_cast<size_t>(of + changes - 1)]; };
      int x = 0;
      if (changes > 0) {
        bool down =
            diagonal == -changes || (diagonal != changes && before(diagonal - 1) < before(diagonal + 1));
        x = down ? before(diagonal + 1) : before(diagonal - 1) + 1;
      }
      int y = x - diagonal;
      while (x < rows && y < columns && a[static_cast<size_t>(x)] == b[static_cast<size_t>(y)]) ++x, ++y;
      now[static_cast<size_t>(diagonal + changes)] = x;
      if (x >= rows && y >= columns) {
        trace.push_back(std::move(now));
        return trace;
      }
    }
    trace.push_back(std::move(now));
  }
  return {};
}

std::vector<Step> script(const Lines& a, const Lines& b) {
  std::vector<Step> out;
  std::vector<std::vector<int>> trace = search(a, b);
  if (trace.empty()) {
    for (std::string_view line : a) out.push_back({'-', line});
    for (std::string_view line : b) out.push_back({'+', line});
    return out;
  }
  auto x = static_cast<int>(a.size());
  auto y = static_cast<int>(b.size());
  for (int changes = static_cast<int>(trace.size()) - 1; changes >= 0; --changes) {
    int diagonal = x - y;
    int from_x = 0;
    int from_y = 0;
    if (changes > 0) {
      auto before = [&](int of) {
        return trace[static_cast<size_t>(changes - 1)][static_cast<size_t>(of + changes - 1)];
      };
      bool down =
          diagonal == -changes || (diagonal != changes && before(diagonal - 1) < before(diagonal + 1));
      int from = down ? diagonal + 1 : diagonal - 1;
      from_x = before(from);
      from_y = from_x - from;
    }
    while (x > from_x && y > from_y) out.push_back({' ', a[static_cast<size_t>(--x)]}), --y;
    if (changes == 0) break;
    if (x == from_x) {
      out.push_back({'+', b[static_cast<size_t>(--y)]});
    } else {
      out.push_back({'-', a[static_cast<size_t>(--x)]});
    }
  }
  std::reverse(out.begin(), out.end());
  return out;
}

// "@@ -1,7 +1,6 @@" and what it holds.
std::string print(const std::vector<Step>& steps) {
  std::string out;
  size_t before = 0;  // lines passed
  size_t after = 0;
  for (size_t i = 0; i < steps.size();) {
    size_t change = i;
    while (change < steps.size() && steps[change].mark == ' ') ++change;
    if (change == steps.size()) break;
    size_t begin = change - std::min(change - i, context_lines);
    // Up to the next run of lines that is too long to be the context of both sides.
    size_t end = change;
    for (size_t same = 0; end < steps.size() && same <= 2 * context_lines; ++end)
      same = steps[end].mark == ' ' ? same + 1 : 0;
    size_t last = end;
    while (steps[last - 1].mark == ' ') --last;
    end = std::min(last + context_lines, steps.size());
    before += begin - i;
    after += begin - i;
    size_t before_count = 0;
    size_t after_count = 0;
    std::string lines;
    for (size_t k = begin; k < end; ++k) {
      before_count += steps[k].mark != '+';
      after_count += steps[k].mark != '-';
      lines += steps[k].mark;
      lines += steps[k].line;
      lines += '\n';
    }
    auto place = [](size_t passed, size_t count) {
      return std::to_string(count > 0 ? passed + 1 : passed) + "," + std::to_string(count);
    };
    out += "@@ -" + place(before, before_count) + " +" + place(after, after_count) + " @@\n" + lines;
    before += before_count;
    after += after_count;
    i = end;
  }
  return out;
}

}  // namespace

std::string diff_versions(const VersionRecord& before, const VersionRecord& after) {
  std::string out = print(script(lines_of(before.text), lines_of(after.text)));
  std::map<std::string, std::string> values(before.params.begin(), before.params.end());
  for (const auto& [name, value] : after.params) {
    auto was = values.find(name);
    if (was != values.end() && was->second != value)
      out += "param " + name + ": " + was->second + " → " + value + "\n";
  }
  if (out.empty()) return out;
  auto head = [](const VersionRecord& record) {
    return record.name + " v" + std::to_string(record.version) + "\n";
  };
  return "--- " + head(before) + "+++ " + head(after) + out;
}

}  // namespace mut
