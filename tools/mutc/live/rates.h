// How fast counts have grown lately, as a line of small bars.
#pragma once
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "mutstream/json.h"

namespace mut::tools {

// Of the records of sources and the rows of sinks, from one look at the figures to the next.
class Rates {
 public:
  static constexpr size_t looks = 20;
  void look(const JsonValue& figures);
  // `list`: "sources" or "sinks". One bar a look, the newest last; the highest is the most of these. Empty
  // before the second look.
  std::string bars(std::string_view list, const std::string& name) const;

 private:
  struct Counted {
    int64_t count = 0;
    int64_t time_ns = 0;
    std::deque<double> rates;
  };
  void note(const std::string& list, const std::string& name, int64_t count, int64_t time_ns);
  std::map<std::pair<std::string, std::string>, Counted> counted_;
};

}  // namespace mut::tools
