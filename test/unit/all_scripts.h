// Texts of the scripts of the tests, the examples and the library.
#pragma once
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "test/unit/scripts.h"

namespace mut::test {

inline std::vector<std::string> all_scripts() {
  std::vector<std::string> out;
  for (const NamedScript& script : scripts) out.emplace_back(script.text);
  for (const char* folder : {"/test/e2e", "/examples", "/stdlib"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(MUT_ROOT + std::string(folder))) {
      if (entry.path().extension() != ".mut") continue;
      std::stringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      out.push_back(text.str());
    }
  }
  return out;
}

}  // namespace mut::test
