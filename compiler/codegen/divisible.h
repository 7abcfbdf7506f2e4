// `x % d == 0` for a divisor that is known, without a division and so that a loop of it becomes vector code.
#pragma once
#include <llvm/IR/IRBuilder.h>

namespace mut::codegen {

// Whether `remainder`, a signed remainder of 64 bits, is zero; null when its divisor is no constant that this
// is of use for. The remainder itself is then not needed. After Granlund, Montgomery, "Division by Invariant
// Integers using Multiplication" (PLDI 1994), section 9.
llvm::Value* emit_divisible(llvm::IRBuilder<>& builder, llvm::Value* remainder);

}  // namespace mut::codegen
