#include "mutstream/testing.h"
namespace mut {
Outcome<std::vector<TestResult>> run_tests(std::string_view, std::string, const CheckOptions&) {
  return std::vector<TestResult>{};
}
}  // namespace mut
