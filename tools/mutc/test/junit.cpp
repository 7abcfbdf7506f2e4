#include "tools/mutc/test/junit.h"

#include <fmt/format.h>

namespace mut::tools {
namespace {

// Text and attributes alike. Characters that XML 1.0 cannot name become U+FFFD.
std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') {
          out += c;
        } else {
          out += "\xef\xbf\xbd";
        }
    }
  }
  return out;
}

std::string_view first_line(std::string_view text) { return text.substr(0, text.find('\n')); }

struct Counts {
  size_t tests = 0;
  size_t failures = 0;
  size_t errors = 0;
  double seconds = 0;

  void add(const Counts& other) {
    tests += other.tests;
    failures += other.failures;
    errors += other.errors;
    seconds += other.seconds;
  }
  std::string attributes() const {
    return fmt::format(R"(tests="{}" failures="{}" errors="{}" skipped="0" time="{:.6f}")", tests, failures,
                       errors, seconds);
  }
};

Counts counts_of(const TestedFile& file) {
  Counts out;
  for (const TestResult& result : file.results)
    out.add({1, result.passed ? size_t{0} : size_t{1}, 0, result.seconds});
  if (!file.problem.empty()) out.add({1, 0, 1, 0});
  return out;
}

// `word`: failure or error.
std::string testcase(const std::string& path, std::string_view name, double seconds, std::string_view word,
                     std::string_view text) {
  std::string out = fmt::format(R"(    <testcase name="{}" classname="{}" time="{:.6f}")", escaped(name),
                                escaped(path), seconds);
  if (word.empty()) return out + "/>\n";
  return out + fmt::format(">\n      <{0} message=\"{1}\">{2}</{0}>\n    </testcase>\n", word,
                           escaped(first_line(text)), escaped(text));
}

}  // namespace

std::string junit_xml(const std::vector<TestedFile>& files) {
  Counts all;
  std::string suites;
  for (const TestedFile& file : files) {
    Counts counts = counts_of(file);
    all.add(counts);
    suites += fmt::format("  <testsuite name=\"{}\" {}>\n", escaped(file.path), counts.attributes());
    for (const TestResult& result : file.results)
      suites += testcase(file.path, result.name, result.seconds, result.passed ? "" : "failure", result.text);
    if (!file.problem.empty()) suites += testcase(file.path, file.path, 0, "error", file.problem);
    suites += "  </testsuite>\n";
  }
  return fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {}>\n{}</testsuites>\n",
                     all.attributes(), suites);
}

}  // namespace mut::tools
