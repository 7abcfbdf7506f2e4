// random_program --seed S [--rows N] [--into FOLDER]: prints a script and its input, or writes them as
// FOLDER/program.mut and FOLDER/s0.jsonl, …, with FOLDER/pairs.txt: the disorder of the input, then lines of
// first kind, second kind, stream of the second, with tabs.
// random_program --pairs: first kind, second kind, why no program can have it, the least seed whose program
// has.
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>

#include "test/random/kinds.h"
#include "test/random/random_program.h"

namespace {

const char* name_of(mut::random_test::Disorder disorder) {
  switch (disorder) {
    case mut::random_test::Disorder::None:
      return "in order";
    case mut::random_test::Disorder::InTime:
      return "out of order";
    default:
      return "late";
  }
}

void print_pairs() {
  std::map<std::pair<std::string, std::string>, size_t> seeds;
  for (size_t seed = 0; seed < mut::random_test::possible_pairs().size(); ++seed)
    seeds[mut::random_test::pair_of_seed(seed)] = seed;
  for (const std::string& first : mut::random_test::stage_kinds()) {
    for (const std::string& second : mut::random_test::stage_kinds()) {
      std::string reason = mut::random_test::why_not(first, second);
      printf("%s\t%s\t%s\t%zu\n", first.c_str(), second.c_str(), reason.c_str(),
             reason.empty() ? seeds.at({first, second}) : 0);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  mut::random_test::ProgramOptions options;
  std::string into;
  if (argc == 2 && strcmp(argv[1], "--pairs") == 0) {
    print_pairs();
    return 0;
  }
  for (int i = 1; i < argc; i += 2) {
    std::string name = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : nullptr;
    if (value != nullptr && name == "--seed") {
      options.seed = std::strtoull(value, nullptr, 10);
    } else if (value != nullptr && name == "--rows") {
      options.rows = std::strtoll(value, nullptr, 10);
    } else if (value != nullptr && name == "--into") {
      into = value;
    } else {
      fprintf(stderr, "random_program --seed S [--rows N] [--into FOLDER]\n");
      return 2;
    }
  }
  auto program = mut::random_test::random_program(options);
  if (into.empty()) {
    printf("%s", program.script.c_str());
    for (const auto& [name, text] : program.inputs) printf("\n// %s\n%s", name.c_str(), text.c_str());
    return 0;
  }
  std::ofstream(into + "/program.mut") << program.script;
  for (const auto& [name, text] : program.inputs) std::ofstream(into + "/" + name, std::ios::binary) << text;
  std::ofstream pairs(into + "/pairs.txt");
  pairs << name_of(program.disorder) << '\n';
  for (const auto& pair : program.pairs)
    pairs << pair.first << '\t' << pair.second << '\t' << pair.stream << '\n';
  return 0;
}
