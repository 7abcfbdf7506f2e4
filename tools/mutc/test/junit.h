// Results of tests as JUnit XML, for the pages that servers of continuous integration make of them.
#pragma once
#include <string>
#include <vector>

#include "mutstream/testing.h"

namespace mut::tools {

// Of one file; `problem`: why it has no results, as text.
struct TestedFile {
  std::string path;
  std::vector<TestResult> results;
  std::string problem;
};

// A `testsuite` a file, a `testcase` a test. A file with a problem has one case, named after it, with an
// `error`.
std::string junit_xml(const std::vector<TestedFile>& files);

}  // namespace mut::tools
