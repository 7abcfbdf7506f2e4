// `test` blocks: given rows, a virtual clock, expected rows, edits. Nothing outside is opened but files that
// a test names, which stand beside the script; no clock is read.
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
  double seconds = 0;
};

struct TestOptions {
  CheckOptions check;
  enum class Runner : uint8_t { Engine, Reference } runner = Runner::Engine;
};

// In order of the script. `name` is its path: files are looked for beside it. Fails when the script does
// not check, or has no test.
Outcome<std::vector<TestResult>> run_tests(std::string_view text, std::string name,
                                           const TestOptions& options);

}  // namespace mut
