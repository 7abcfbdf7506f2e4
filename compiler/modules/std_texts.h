// The library `std`: what stdlib/std/*.mut held when mutc was built.
#pragma once
#include <string_view>
#include <vector>

namespace mut::modules {

struct StdText {
  std::string_view name;  // "stats"
  std::string_view text;
};
const std::vector<StdText>& std_texts();

}  // namespace mut::modules
