// `x % d == 0` of code with its literals in it, which divides nothing, against the division of C++.
#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "compiler/jit/jit.h"
#include "test/unit/kernel_run.h"

namespace mut::test {
namespace {

constexpr int64_t least = std::numeric_limits<int64_t>::min();
constexpr int64_t most = std::numeric_limits<int64_t>::max();

// Around zero, at both ends, and multiples of `d` with their neighbours.
std::vector<int64_t> values_for(int64_t d, std::mt19937_64& random) {
  std::vector<int64_t> out = {0, 1, -1, d, -d, most, most - 1, least, least + 1, most / d * d, least / d * d};
  for (int i = 0; i < 200; ++i) {
    auto any = static_cast<int64_t>(random()) >> (random() % 64);
    int64_t multiple = any / d * d;
    out.insert(out.end(), {any, multiple, multiple == most ? most : multiple + 1});
  }
  return out;
}

TEST(Divisible, AgreesWithTheDivision) {
  jit::Jit jit;
  std::mt19937_64 random(7);
  std::vector<int64_t> divisors = {1, 2, 3, 5, 6, 7, 8, 10, 12, 96, 123, 1000, -3, -6, -123, 999'999'937};
  divisors.insert(divisors.end(),
                  {1 << 20, 3 << 20, most, most - 1, most / 3, int64_t{1} << 62, int64_t{3} << 61});
  for (int64_t d : divisors) {
    for (const char* op : {"==", "!="}) {
      auto program = program_of("if x % (" + std::to_string(d) + ") " + op + " 0 then 1 else 2");
      ASSERT_TRUE(program);
      auto made = jit.compile(*program->graph, jit::Tier::Optimised, codegen::Literals::Constant,
                              jit::Reuse::InProcess, nullptr);
      ASSERT_TRUE(made) << made.error().message;
      KernelRun one(program);
      for (int64_t x : values_for(d, random)) {
        one.set_x(x);
        bool divides = x % d == 0;
        ASSERT_EQ(one.run(made.value()), divides == (op[0] == '=') ? 1 : 2) << x << " % " << d;
      }
    }
  }
}

}  // namespace
}  // namespace mut::test
