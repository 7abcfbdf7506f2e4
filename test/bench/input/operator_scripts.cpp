#include "test/bench/input/operator_scripts.h"

#include <array>
#include <charconv>

#include "test/bench/input/splitmix.h"

namespace mut::bench {
namespace {

// Shortest text that reads back the same, and reads as a float.
std::string literal(double value) {
  std::array<char, 64> digits{};
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed).ptr;
  std::string text(digits.data(), end);
  if (text.find('.') == std::string::npos) text += ".0";
  return text;
}

}  // namespace

std::string make_operator_script(unsigned operator_count, uint64_t seed) {
  SplitMix64 random(seed);
  std::string script =
      "type Event = { at: time, key: int, x: float }\n"
      "source events: Event = stdin()\n  time at\n"
      "stream totals = events\n";
  // What the maps so far make of the first x, and which share of it the filters so far cut off below:
  // the maps rise, so the next cut is at the same place for all.
  double scale = 1.0, offset = 0.0, passing = 1.0;
  for (unsigned i = 0; i < operator_count; ++i) {
    if (i % 4 == 3) {
      passing *= 0.9;
      script += "  | where x > " + literal(scale * (1.0 - passing) + offset) + "\n";
      continue;
    }
    const double a = 0.5 + random.unit();
    const double b = random.unit() + 0.001;
    script += "  | with x = " + literal(a) + " * x + " + literal(b) + "\n";
    scale *= a;
    offset = a * offset + b;
  }
  return script +
         "  | aggregate n = count(), total = sum(x) by key window tumbling 10s\n"
         "emit totals to stdout() as out\n";
}

OperatorEvents make_operator_events(uint64_t event_count) {
  constexpr uint64_t seed = 42;
  constexpr int64_t base_ns = 1'700'000'000'000'000'000;
  OperatorEvents events;
  for (uint64_t i = 0; i < event_count; ++i) {
    auto random = SplitMix64::of_item(seed, i);  // draw order: key, x
    events.time_ns.push_back(base_ns + static_cast<int64_t>(i) * 1'000'000);
    events.key.push_back(static_cast<int64_t>(random.uniform(100)));
    events.x.push_back(random.unit());
  }
  return events;
}

}  // namespace mut::bench
