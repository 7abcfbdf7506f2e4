#include "compiler/session/http/metrics_text.h"

#include <fmt/format.h>
#include <llvm/Support/JSON.h>

#include <algorithm>
#include <cmath>

namespace mut::session {
namespace {

using Kind = MetricFamily::Kind;

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  constexpr double whole_max = 9'007'199'254'740'992.0;  // 2 to the power of 53
  if (value == std::floor(value) && std::abs(value) < whole_max)
    return std::to_string(static_cast<int64_t>(value));
  return fmt::format("{}", value);
}

// With a point also where it is whole, as OpenMetrics has it.
std::string step_text(double seconds) {
  std::string out = fmt::format("{}", seconds);
  return out.find('.') == std::string::npos && out.find('e') == std::string::npos ? out + ".0" : out;
}

// One byte that is no UTF-8, as a path may have, would cost the whole page.
std::string escaped(std::string_view given) {
  std::string out;
  const std::string text = llvm::json::fixUTF8(llvm::StringRef(given));
  for (char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return out;
}

std::string_view kind_text(Kind kind) {
  constexpr std::string_view names[] = {"counter", "gauge", "info"};
  return names[static_cast<size_t>(kind)];
}

std::string_view ending(Kind kind) {
  constexpr std::string_view endings[] = {"_total", "", "_info"};
  return endings[static_cast<size_t>(kind)];
}

}  // namespace

void MetricsText::append_head(std::string_view name, std::string_view kind, std::string_view unit,
                              std::string_view help) {
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, kind);
  if (form_ == MetricsForm::OpenMetrics && !unit.empty()) text_ += fmt::format("# UNIT {} {}\n", name, unit);
}

void MetricsText::begin(const MetricFamily& family) {
  end_family();
  family_ = family;
}

void MetricsText::end_family() {
  if (samples_.empty()) return;
  std::string sample = std::string(family_.name) + std::string(ending(family_.kind));
  if (form_ == MetricsForm::OpenMetrics) {
    append_head(family_.name, kind_text(family_.kind), family_.unit, family_.help);
  } else {
    // The older form knows no info, and names counters with their ending.
    append_head(sample, kind_text(family_.kind == Kind::Info ? Kind::Gauge : family_.kind), "", family_.help);
  }
  for (const auto& [labels, value] : samples_) text_ += sample + labels + " " + number(value) + "\n";
  samples_.clear();
  known_.clear();
}

void MetricsText::add(const MetricLabels& labels, double value) {
  auto written = [&](auto text_of) {
    std::string out;
    for (const auto& [name, text] : labels)
      out += fmt::format("{}{}=\"{}\"", out.empty() ? "{" : ",", name, escaped(text_of(text)));
    return out.empty() ? out : out + "}";
  };
  std::string own = written([](std::string_view text) { return text; });
  if (samples_.size() >= series_max && !known_.contains(own))
    own = written([](std::string_view) { return std::string_view("other"); });
  auto [place, fresh] = known_.emplace(std::move(own), samples_.size());
  if (fresh) {
    samples_.emplace_back(place->first, value);
    return;
  }
  double& sum = samples_[place->second].second;
  sum = family_.together == MetricFamily::Together::Sum ? sum + value : std::max(sum, value);
}

void MetricsText::add_histogram(std::string_view name, std::string_view help, const DurationHistogram& took) {
  end_family();
  append_head(name, "histogram", "seconds", help);
  uint64_t count = 0;
  for (size_t i = 0; i < took.counts.size(); ++i) {
    count += took.counts[i];
    bool last = i == took.steps_ns.size();
    std::string step = last ? "+Inf" : step_text(static_cast<double>(took.steps_ns[i]) / 1e9);
    text_ += fmt::format("{}_bucket{{le=\"{}\"}} {}\n", name, step, count);
  }
  text_ += fmt::format("{}_sum {}\n{}_count {}\n", name, number(static_cast<double>(took.sum_ns) / 1e9), name,
                       count);
}

std::string MetricsText::take() {
  end_family();
  if (form_ == MetricsForm::OpenMetrics) text_ += "# EOF\n";
  return std::move(text_);
}

}  // namespace mut::session
