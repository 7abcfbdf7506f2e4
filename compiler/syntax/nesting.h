// Counts how deep a script nests, one token after the other.
#pragma once
#include <cstddef>
#include <vector>

namespace mut::syntax {

class NestingCounter {
 public:
  // Returns the depth after the token. Brackets, interpolations, and the prefixes that reach as
  // far right as they can (`if`, `try`, `x =>`, runs of `not` and unary minus) each count one.
  size_t add(size_t token_type);

 private:
  struct Level {
    size_t far = 0;   // `if`, `try`, `=>`: open until the expression ends
    size_t near = 0;  // `not`, `-`: open until the next operand
  };
  std::vector<Level> levels_ = std::vector<Level>(1);
  size_t depth_ = 0;
  size_t before_ = 0;  // type of the token before
};

}  // namespace mut::syntax
