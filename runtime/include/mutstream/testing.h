// `test` blocks: given rows, a virtual clock, expected rows, edits. Nothing outside is opened but files that
// a test names, which stand beside the script; no clock is read.
#pragma once
#include <string>
#include <string_view>
#include <utility>
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

// What the tests of a script would have to say to pass, where only rows differ: what came is taken for what
// is expected. Writes nothing. Of rows in the script only the fields that were named are given, all when
// there were none. A script that is formatted stays so.
struct TestUpdate {
  std::string text;                                        // of the script
  std::vector<std::pair<std::string, std::string>> files;  // that tests expect: path, text
  size_t expectations = 0;                                 // that were changed
};
Outcome<TestUpdate> update_tests(std::string_view text, std::string name, const TestOptions& options);

}  // namespace mut
