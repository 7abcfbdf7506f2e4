#include "tools/mutc/live/text_diff.h"

#include <algorithm>
#include <vector>

namespace mut::tools {
namespace {

// Scripts that differ in more are shown as one replaced by the other.
constexpr size_t table_cells_max = 16 * 1024 * 1024;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace

std::string text_diff(std::string_view from, std::string_view to) {
  std::vector<std::string_view> old_lines = lines_of(from);
  std::vector<std::string_view> new_lines = lines_of(to);
  // What begins and ends alike needs no table.
  auto [o, n] = std::mismatch(old_lines.begin(), old_lines.end(), new_lines.begin(), new_lines.end());
  old_lines.erase(old_lines.begin(), o);
  new_lines.erase(new_lines.begin(), n);
  while (!old_lines.empty() && !new_lines.empty() && old_lines.back() == new_lines.back()) {
    old_lines.pop_back();
    new_lines.pop_back();
  }
  size_t width = new_lines.size() + 1;
  bool small = (old_lines.size() + 1) * width <= table_cells_max;
  // common[i * width + j]: most lines that the rests from i and j have in common, in order.
  std::vector<uint32_t> common(small ? (old_lines.size() + 1) * width : 0, 0);
  if (small) {
    for (size_t i = old_lines.size(); i-- > 0;) {
      for (size_t j = new_lines.size(); j-- > 0;) {
        common[i * width + j] = old_lines[i] == new_lines[j]
                                    ? common[(i + 1) * width + j + 1] + 1
                                    : std::max(common[(i + 1) * width + j], common[i * width + j + 1]);
      }
    }
  }
  std::string out;
  size_t i = 0;
  size_t j = 0;
  while (i < old_lines.size() || j < new_lines.size()) {
    bool both = i < old_lines.size() && j < new_lines.size();
    if (small && both && old_lines[i] == new_lines[j]) {
      ++i;
      ++j;
    } else if (i < old_lines.size() &&
               (!both || !small || common[(i + 1) * width + j] >= common[i * width + j + 1])) {
      out += "- " + std::string(old_lines[i++]) + "\n";
    } else {
      out += "+ " + std::string(new_lines[j++]) + "\n";
    }
  }
  return out;
}

}  // namespace mut::tools
