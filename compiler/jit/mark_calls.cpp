// Which calls of a kernel are for state, and where a kernel is when it calls.
#include <llvm/IR/DebugInfoMetadata.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/Module.h>

#include <algorithm>

#include "compiler/jit/code_lines.h"
#include "runtime/env/does.h"

namespace mut::jit {

namespace {

// Beginnings of the names of functions that have no state of a stage: see symbols.def.
constexpr llvm::StringRef stateless[] = {
    "mut_key_float",   "mut_shard_of", "mut_text_",    "mut_compare_",   "mut_parse_time",  "mut_to_local",
    "mut_from_local",  "mut_json_",    "mut_regex_",   "mut_fail",       "mut_undecodable", "mut_next_bad",
    "mut_newest_time", "mut_arena",    "mut_readers_", "mut_sink_grow",  "mut_set",         "mut_draw_",
    "mut_round_",      "mut_scale_",   "mut_call",     "mut_list_equal", "mut_map_",        "mut_format",
    "mut_cast",        "mut_decimal_", "mut_pack",     "mut_unpack"};

bool keeps_state(llvm::StringRef name) {
  if (!name.starts_with("mut_")) return false;
  return std::none_of(std::begin(stateless), std::end(stateless),
                      [&](llvm::StringRef begin) { return name.starts_with(begin); });
}

// Whether it becomes a call of something outside.
bool leaves(const llvm::Instruction& instruction) {
  const auto* call = llvm::dyn_cast<llvm::CallInst>(&instruction);
  if (call == nullptr) return instruction.getOpcode() == llvm::Instruction::FRem;
  const llvm::Function* callee = call->getCalledFunction();
  if (callee == nullptr) return true;
  if (const auto* memory = llvm::dyn_cast<llvm::MemIntrinsic>(call))
    return !llvm::isa<llvm::Constant>(memory->getLength());
  switch (callee->getIntrinsicID()) {
    case llvm::Intrinsic::not_intrinsic:
      return callee->isDeclaration();
    case llvm::Intrinsic::sin:
    case llvm::Intrinsic::cos:
    case llvm::Intrinsic::exp:
    case llvm::Intrinsic::exp2:
    case llvm::Intrinsic::log:
    case llvm::Intrinsic::log2:
    case llvm::Intrinsic::log10:
    case llvm::Intrinsic::pow:
      return true;
    default:
      return false;
  }
}

}  // namespace

void mark_state_calls(llvm::Module& module) {
  for (llvm::Function& function : module) {
    for (llvm::Instruction& instruction : llvm::instructions(function)) {
      auto* call = llvm::dyn_cast<llvm::CallInst>(&instruction);
      const llvm::DebugLoc& at = instruction.getDebugLoc();
      if (call == nullptr || !at || call->getCalledFunction() == nullptr) continue;
      if (!keeps_state(call->getCalledFunction()->getName())) continue;
      call->setDebugLoc(llvm::DILocation::get(module.getContext(), at.getLine(), column_of(CodeKind::State),
                                              at.getScope(), at.getInlinedAt()));
    }
  }
}

void tell_where(llvm::Module& module) {
  env::WhereOffset offset = env::where_offset();
  if (!offset.known) return;
  constexpr unsigned thread_space = 257;  // of LLVM for x86: addresses from the thread pointer on
  llvm::LLVMContext& context = module.getContext();
  llvm::Value* word = llvm::ConstantExpr::getIntToPtr(
      llvm::ConstantInt::getSigned(llvm::Type::getInt64Ty(context), offset.bytes),
      llvm::PointerType::get(context, thread_space));
  for (llvm::Function& function : module) {
    for (llvm::Instruction& instruction : llvm::instructions(function)) {
      const llvm::DebugLoc& at = instruction.getDebugLoc();
      if (!at || at.getLine() == 0 || !leaves(instruction)) continue;
      Work work = at.getCol() == column_of(CodeKind::State) ? Work::State : Work::Lines;
      llvm::IRBuilder<> b(&instruction);
      b.CreateAlignedStore(b.getInt32(env::where_of(env::where_kind(work), at.getLine())), word,
                           llvm::Align(4), true);
    }
  }
}

}  // namespace mut::jit
