// Lines as they are typed, put together to commands and declarations.
#pragma once
#include <string>
#include <vector>

namespace mut::tools {

// A declaration ends where it cannot go on; one that may have further stages at an empty line, or where the
// next line begins something else.
class Entries {
 public:
  // What is whole now, in order.
  std::vector<std::string> add(const std::string& line);
  // The same at the end of the input.
  std::vector<std::string> finish();
  void forget() { held_.clear(); }
  bool open() const { return !held_.empty(); }

 private:
  void take(std::vector<std::string>& out);
  std::string held_;
};

}  // namespace mut::tools
