// Values of the language in SSA form, and between SSA form and memory.
#pragma once
#include <llvm/IR/IRBuilder.h>

#include <vector>

#include "compiler/graph/graph.h"

namespace mut::codegen {

// Parts by type: a scalar one; text {i64 size and prefix, ptr}; list {i64 count, ptr}; T? those of T
// and an i1 `present`; a record those of its fields in order. bool is i1, a decimal i128.
struct Value {
  typed::TypeRef type = nullptr;
  std::vector<llvm::Value*> parts;

  bool empty() const { return parts.empty() && type == nullptr; }  // a field nobody needs
  llvm::Value* part() const { return parts[0]; }
  llvm::Value* present() const { return parts.back(); }
};

size_t part_count(typed::TypeRef type);
void part_types(typed::TypeRef type, llvm::LLVMContext& context, std::vector<llvm::Type*>& out);
llvm::Type* scalar_type(typed::Kind kind, llvm::LLVMContext& context);
// All-zero parts: none, 0, "".
Value zero(typed::TypeRef type, llvm::LLVMContext& context);

llvm::Constant* decimal_constant(llvm::LLVMContext& context, __int128 units);

Value load(llvm::IRBuilder<>& builder, typed::TypeRef type, const abi::TypeDesc& layout,
           llvm::Value* pointer);
void store(llvm::IRBuilder<>& builder, const Value& value, const abi::TypeDesc& layout, llvm::Value* pointer);

// `bytes` behind `pointer`. No instruction where it is the same place: each costs the quick tier, which folds
// nothing.
llvm::Value* offset_by(llvm::IRBuilder<>& builder, llvm::Value* pointer, uint64_t bytes);

// Parts [first, first + part_count(type)) of a wider value.
Value slice(const Value& value, size_t first, typed::TypeRef type);

}  // namespace mut::codegen
