#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "tools/ledger/ledger.h"

namespace {

constexpr const char* about =
    R"(Says what was lost, repeated, mixed or reordered between an input and a stamped output
(`mutc run --stamp`). Exit code: 0 when nothing was, 1 when something was, 2 when it cannot tell.

Meanings:
  passthrough  `emit payments to …`: each record that is a JSON object comes out exactly once, with the
               content it had.
  threshold    `where amount > limit` with the limit of the version that the record's position belongs
               to. --versions FILE: {"versions":[{"version":1,"from":0,"limit":100},{"version":2,…}]},
               `from` being the position of the first record of the version.
  running      `aggregate n = count(), t = sum(amount) by card`: a row for each record with the totals
               of its card so far.)";

bool read_file(const std::string& path, std::string& out) {
  std::ifstream in(path, std::ios::binary);
  out.assign(std::istreambuf_iterator<char>(in), {});
  if (!in.fail() || in.eof()) return true;
  std::fprintf(stderr, "ledger: %s cannot be read\n", path.c_str());
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(about, "ledger");
  ledger::Question question;
  std::string input;
  std::string output;
  std::string versions;
  app.add_option("--input", input, "JSON lines that the source read")->required();
  app.add_option("--output", output, "JSON lines that the sink wrote, stamped")->required();
  app.add_option("--meaning", question.meaning, "passthrough, threshold or running")
      ->required()
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, ledger::Meaning>{{"passthrough", ledger::Meaning::Passthrough},
                                                 {"threshold", ledger::Meaning::Threshold},
                                                 {"running", ledger::Meaning::Running}}));
  app.add_option("--versions", versions, "JSON: where each version begins, and its limit");
  app.add_option("--source", question.source, "Only rows of this source");
  app.add_option("--amount", question.amount, "Field that is compared or summed");
  app.add_option("--key", question.key, "Field that is the key");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (!read_file(input, question.input) || !read_file(output, question.output)) return 2;
  std::string text;
  if (!versions.empty()) {
    if (!read_file(versions, text)) return 2;
    auto parsed = ledger::parse_versions(text);
    if (!parsed) {
      std::fprintf(stderr, "ledger: %s is not of the form that --help shows\n", versions.c_str());
      return 2;
    }
    question.versions = *parsed;
  }
  if (question.meaning == ledger::Meaning::Threshold && question.versions.empty()) {
    std::fprintf(stderr, "ledger: threshold needs --versions\n");
    return 2;
  }
  ledger::Result result = ledger::audit(question);
  if (!result.answer) {
    std::fprintf(stderr, "ledger: %s\n", result.problem.c_str());
    return 2;
  }
  const ledger::Answer& answer = *result.answer;
  for (const std::string& example : answer.examples) std::fprintf(stderr, "ledger: %s\n", example.c_str());
  std::printf("%llu rows: lost %llu, repeated %llu, mixed %llu, reordered %llu\n",
              static_cast<unsigned long long>(answer.rows), static_cast<unsigned long long>(answer.lost),
              static_cast<unsigned long long>(answer.repeated), static_cast<unsigned long long>(answer.mixed),
              static_cast<unsigned long long>(answer.reordered));
  return answer.balanced() ? 0 : 1;
}
