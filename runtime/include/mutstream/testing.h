// `test` blocks: given rows, a virtual clock, expected rows.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "mutstream/tooling.h"

namespace mut {

struct TestResult {
  std::string name;
  bool passed = false;
  std::string text;  // what differed, with the place
};

// Fails when the script does not check.
Outcome<std::vector<TestResult>> run_tests(std::string_view text, std::string name,
                                           const CheckOptions& options);

}  // namespace mut
