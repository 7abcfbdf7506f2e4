// Metrics as text, in the two forms that Prometheus reads.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mutstream/inspect.h"

namespace mut::session {

// Plain: the text format 0.0.4. OpenMetrics: 1.0.
enum class MetricsForm : uint8_t { Plain, OpenMetrics };

// Names are those of OpenMetrics: of a counter without `_total`, of an info without `_info`.
struct MetricFamily {
  enum class Kind : uint8_t { Counter, Gauge, Info } kind = Kind::Gauge;
  std::string_view name;
  std::string_view unit;  // the name ends with it; empty: none
  std::string_view help;  // without quotes and backslashes
  // What becomes of two with the same labels, and of those past the bound of series.
  enum class Together : uint8_t { Sum, Most } together = Together::Sum;
};

using MetricLabels = std::vector<std::pair<std::string_view, std::string_view>>;

class MetricsText {
 public:
  // So many series of one family; the others are one whose labels say `other`.
  static constexpr size_t series_max = 1000;

  explicit MetricsText(MetricsForm form) : form_(form) {}
  // What is added from here on is of that family; one without a sample is left out.
  void begin(const MetricFamily& family);
  void add(const MetricLabels& labels, double value);
  void add_histogram(std::string_view name, std::string_view help, const DurationHistogram& took);
  std::string take();

 private:
  void end_family();
  void append_head(std::string_view name, std::string_view kind, std::string_view unit,
                   std::string_view help);

  MetricsForm form_;
  std::string text_;
  MetricFamily family_;
  std::vector<std::pair<std::string, double>> samples_;  // by labels as they are written
  std::map<std::string, size_t> known_;
};

}  // namespace mut::session
