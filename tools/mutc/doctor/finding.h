// What `mutc doctor` has found out about one thing.
#pragma once
#include <string>
#include <vector>

namespace mut::tools {

enum class Verdict {
  Fine,
  Note,     // it runs, but not as it could, or otherwise than one may think
  Problem,  // it does not run
};

struct Finding {
  Verdict verdict = Verdict::Fine;
  std::string about;  // "memory", "source `rows`"
  std::string text;
  std::string fix;  // what to do; empty where nothing need be done
};

// Of this machine and this user, in the order in which they matter.
std::vector<Finding> examine_machine();

}  // namespace mut::tools
