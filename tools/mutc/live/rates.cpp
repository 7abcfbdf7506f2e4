#include "tools/mutc/live/rates.h"

#include <algorithm>

#include "tools/mutc/live/link.h"

namespace mut::tools {

void Rates::note(const std::string& list, const std::string& name, int64_t count, int64_t time_ns) {
  auto [known, fresh] = counted_.try_emplace({list, name}, Counted{count, time_ns, {}});
  Counted& of = known->second;
  if (fresh || time_ns <= of.time_ns) return;
  // One that began anew, under its old name, counts from nothing.
  auto more = static_cast<double>(std::max<int64_t>(0, count - of.count));
  of.rates.push_back(more / static_cast<double>(time_ns - of.time_ns));
  if (of.rates.size() > looks) of.rates.pop_front();
  of.count = count;
  of.time_ns = time_ns;
}

void Rates::look(const JsonValue& figures) {
  int64_t now_ns = int_in(figures, "now_ns");
  for (const JsonValue& source : list_in(figures, "sources"))
    note("sources", text_in(source, "name"), int_in(source, "records"), now_ns);
  for (const JsonValue& sink : list_in(figures, "sinks"))
    note("sinks", text_in(sink, "name"), int_in(sink, "rows"), now_ns);
}

std::string Rates::bars(std::string_view list, const std::string& name) const {
  constexpr std::string_view all[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  constexpr double highest = std::size(all) - 1;
  auto known = counted_.find({std::string(list), name});
  if (known == counted_.end() || known->second.rates.empty()) return "";
  const std::deque<double>& rates = known->second.rates;
  double most = *std::max_element(rates.begin(), rates.end());
  std::string out;
  for (double rate : rates) out += all[most <= 0 ? 0 : static_cast<size_t>(rate / most * highest + 0.5)];
  return out;
}

}  // namespace mut::tools
