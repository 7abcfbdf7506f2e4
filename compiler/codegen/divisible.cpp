#include "compiler/codegen/divisible.h"

#include <llvm/IR/Intrinsics.h>

#include <bit>
#include <limits>

namespace mut::codegen {
namespace {

// The inverse of an odd number modulo 2^64: each step of Newton's doubles the bits that are right, three at
// first.
uint64_t inverse(uint64_t odd) {
  uint64_t out = odd;
  for (int step = 0; step < 5; ++step) out *= 2 - odd * out;
  return out;
}

}  // namespace

llvm::Value* emit_divisible(llvm::IRBuilder<>& builder, llvm::Value* remainder) {
  auto* operation = llvm::dyn_cast<llvm::BinaryOperator>(remainder);
  if (operation == nullptr || operation->getOpcode() != llvm::Instruction::SRem) return nullptr;
  auto* divisor = llvm::dyn_cast<llvm::ConstantInt>(operation->getOperand(1));
  if (divisor == nullptr || divisor->getBitWidth() != 64 || divisor->isMinValue(true)) return nullptr;
  auto size = static_cast<uint64_t>(std::abs(divisor->getSExtValue()));
  if (size == 0 || std::has_single_bit(size)) return nullptr;  // the machine has better
  // Multiples of the odd part are what its inverse maps to [-most, most]; the factors of two are the low bits
  // that must then be zero, and are turned to the top.
  auto twos = static_cast<unsigned>(std::countr_zero(size));
  uint64_t odd = size >> twos;
  uint64_t most = static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) / odd;
  most &= ~((uint64_t{1} << twos) - 1);
  llvm::Value* mapped = builder.CreateMul(operation->getOperand(0), builder.getInt64(inverse(odd)));
  mapped = builder.CreateAdd(mapped, builder.getInt64(most));
  if (twos != 0) {
    mapped = builder.CreateIntrinsic(llvm::Intrinsic::fshr, {mapped->getType()},
                                     {mapped, mapped, builder.getInt64(twos)});
  }
  return builder.CreateICmpULE(mapped, builder.getInt64((2 * most) >> twos));
}

}  // namespace mut::codegen
