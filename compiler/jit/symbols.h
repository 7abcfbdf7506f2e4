#pragma once
#include <string_view>
#include <utility>
#include <vector>

namespace mut::jit {

// Names and addresses of everything that kernels may call, the C library's mathematics included.
std::vector<std::pair<std::string_view, void*>> kernel_symbols();

// runtime/inline as LLVM bitcode.
std::string_view inline_bitcode();

}  // namespace mut::jit
