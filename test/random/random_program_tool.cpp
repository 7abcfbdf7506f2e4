// random_program --seed S [--rows N] [--into FOLDER]: prints a script and its input, or writes them as
// FOLDER/program.mut and FOLDER/s0.jsonl, ….
#include <cstdio>
#include <cstring>
#include <fstream>

#include "test/random/random_program.h"

int main(int argc, char** argv) {
  mut::random_test::ProgramOptions options;
  std::string into;
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
  return 0;
}
