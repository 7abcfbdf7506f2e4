#include "tools/mutc/run/guard.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace mut::tools {

std::optional<Guard> parse_guard(const std::string& text) {
  std::string plain = text;
  std::erase(plain, ' ');
  constexpr std::string_view head = "errors<";
  Guard out;
  double percent = 0;
  bool fits = plain.starts_with(head) && plain.ends_with('%');
  if (fits) {
    const char* end = plain.data() + plain.size() - 1;
    auto parsed = std::from_chars(plain.data() + head.size(), end, percent);
    fits = parsed.ec == std::errc() && parsed.ptr == end && percent > 0 && percent <= 100;
  }
  if (!fits) {
    std::fprintf(stderr, "mutc: --guard %s: write errors<N%%, as in errors<1%%\n", text.c_str());
    return std::nullopt;
  }
  out.error_share = percent / 100;
  return out;
}

}  // namespace mut::tools
