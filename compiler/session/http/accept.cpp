#include "compiler/session/http/accept.h"

#include <fast_float/fast_float.h>

#include <algorithm>

namespace mut::session {
namespace {

std::string_view trimmed(std::string_view text) {
  size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Cuts off what is before `end`, and it.
std::string_view take_until(std::string_view& text, char end) {
  size_t at = text.find(end);
  std::string_view out = trimmed(text.substr(0, at));
  text = at == std::string_view::npos ? "" : text.substr(at + 1);
  return out;
}

bool same(std::string_view one, std::string_view other) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                    [&](char a, char b) { return lower(a) == lower(b); });
}

struct Range {
  std::string_view type;
  std::string_view version;
  double quality = 1;
};

Range read_range(std::string_view text) {
  Range out;
  out.type = take_until(text, ';');
  while (!text.empty()) {
    std::string_view parameter = take_until(text, ';');
    std::string_view name = take_until(parameter, '=');
    if (same(name, "version")) out.version = parameter;
    if (!same(name, "q")) continue;
    auto [end, error] =
        fast_float::from_chars(parameter.data(), parameter.data() + parameter.size(), out.quality);
    if (error != std::errc()) out.quality = 0;
  }
  return out;
}

}  // namespace

MetricsForm form_wanted(std::string_view accept) {
  double open = 0;
  double plain = 0;
  while (!accept.empty()) {
    Range range = read_range(take_until(accept, ','));
    bool fits = range.version.empty() || range.version == "1.0.0";
    if (same(range.type, "application/openmetrics-text") && fits) open = std::max(open, range.quality);
    if (same(range.type, "text/plain")) plain = std::max(plain, range.quality);
  }
  return open > 0 && open >= plain ? MetricsForm::OpenMetrics : MetricsForm::Plain;
}

}  // namespace mut::session
