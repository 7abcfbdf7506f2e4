#include "compiler/jit/symbols.h"

#include <cmath>
#include <cstring>

extern "C" {
#define MUT_SYMBOL(name) void name();
#include "compiler/jit/symbols.def"
#undef MUT_SYMBOL

extern const char mut_inline_bitcode_begin[];
extern const char mut_inline_bitcode_end[];
}

asm(R"(
.section .rodata
.balign 16
.globl mut_inline_bitcode_begin
mut_inline_bitcode_begin:
.incbin ")" MUT_INLINE_BITCODE R"("
.globl mut_inline_bitcode_end
mut_inline_bitcode_end:
.byte 0
.text
)");

namespace mut::jit {

std::string_view inline_bitcode() {
  return {mut_inline_bitcode_begin, static_cast<size_t>(mut_inline_bitcode_end - mut_inline_bitcode_begin)};
}

std::vector<std::pair<std::string_view, void*>> kernel_symbols() {
  using Unary = double (*)(double);
  using Binary = double (*)(double, double);
  auto unary = [](Unary function) { return reinterpret_cast<void*>(function); };
  auto binary = [](Binary function) { return reinterpret_cast<void*>(function); };
  return {
#define MUT_SYMBOL(name) {#name, reinterpret_cast<void*>(&name)},
#include "compiler/jit/symbols.def"
#undef MUT_SYMBOL
      {"exp", unary(std::exp)},
      {"log", unary(std::log)},
      {"log2", unary(std::log2)},
      {"log10", unary(std::log10)},
      {"sin", unary(std::sin)},
      {"cos", unary(std::cos)},
      {"tan", unary(std::tan)},
      {"erf", unary(std::erf)},
      {"erfc", unary(std::erfc)},
      {"rint", unary(std::rint)},
      {"trunc", unary(std::trunc)},
      {"floor", unary(std::floor)},
      {"ceil", unary(std::ceil)},
      {"sqrt", unary(std::sqrt)},
      {"pow", binary(std::pow)},
      {"atan2", binary(std::atan2)},
      {"fmod", binary(std::fmod)},
      {"memcpy", reinterpret_cast<void*>(&memcpy)},
      {"memmove", reinterpret_cast<void*>(&memmove)},
      {"memset", reinterpret_cast<void*>(&memset)},
      {"memcmp", reinterpret_cast<void*>(&memcmp)},
      {"bcmp", reinterpret_cast<void*>(&memcmp)},
  };
}

}  // namespace mut::jit
