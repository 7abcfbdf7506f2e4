// Lists, records and maps that aggregates of the script are passed, where events are kept for them: one
// packed piece in the place of a text, so that stores and edits need not know of them.
#include <algorithm>

#include "compiler/codegen/stage_emitter.h"
#include "runtime/batch/batch.h"

namespace mut::codegen {

using typed::EventError;
using typed::Kind;

uint32_t kept_columns(typed::TypeRef type) {
  return type->kind == Kind::Optional && typed::is_kept_as_words(type) ? 2 : 1;
}

std::vector<llvm::Value*> kept_words(FunctionEmitter& at, const Value& value, llvm::Value* counts) {
  if (typed::is_kept_as_words(value.type)) return at.words(value);
  llvm::IRBuilder<>& b = at.builder();
  llvm::Type* pointer = b.getPtrTy();
  llvm::Type* half = b.getInt32Ty();
  llvm::AllocaInst* out = at.temporary(16);
  b.CreateMemSet(out, b.getInt8(0), 16, llvm::Align(8));
  auto type = static_cast<uint32_t>(graph::runtime_type(at.module().graph(), value.type));
  auto pack = [&] {
    llvm::Value* fits = b.CreateCall(at.module().helper("mut_pack", half, {pointer, half, pointer, pointer}),
                                     {at.context(), b.getInt32(type), at.spill(value), out});
    at.check(b.CreateICmpNE(fits, b.getInt32(0)), EventError::Memory);
  };
  if (counts == nullptr) {
    pack();
  } else {  // what does not count may be anything
    llvm::BasicBlock* counted = at.block("counted");
    llvm::BasicBlock* end = at.block("end");
    b.CreateCondBr(counts, counted, end);
    b.SetInsertPoint(counted);
    pack();
    b.CreateBr(end);
    b.SetInsertPoint(end);
  }
  return {b.CreateAlignedLoad(b.getInt64Ty(), out, llvm::Align(8)),
          b.CreateAlignedLoad(b.getInt64Ty(), offset_by(b, out, 8), llvm::Align(8))};
}

Value unpacked(FunctionEmitter& at, typed::TypeRef type, llvm::Value* text) {
  llvm::IRBuilder<>& b = at.builder();
  auto number = static_cast<uint32_t>(graph::runtime_type(at.module().graph(), type));
  llvm::Value* value = b.CreateCall(
      at.module().helper("mut_unpack", b.getPtrTy(), {b.getPtrTy(), b.getInt32Ty(), b.getPtrTy()}),
      {at.context(), b.getInt32(number), text});
  return load(b, type, at.module().layout(type), value);
}

llvm::Value* arena_mark(FunctionEmitter& at) {
  llvm::IRBuilder<>& b = at.builder();
  llvm::AllocaInst* mark = at.temporary(sizeof(batch::Arena::Mark));
  b.CreateCall(at.module().helper("mut_arena_mark", b.getVoidTy(), {b.getPtrTy(), b.getPtrTy()}),
               {at.context(), mark});
  return mark;
}

void rewind_arena(FunctionEmitter& at, llvm::Value* mark) {
  llvm::IRBuilder<>& b = at.builder();
  b.CreateCall(at.module().helper("mut_arena_rewind", b.getVoidTy(), {b.getPtrTy(), b.getPtrTy()}),
               {at.context(), mark});
}

bool keeps_no_arguments(const typed::OwnAggregate& own) {
  return std::all_of(own.states.begin(), own.states.end(),
                     [](const typed::OwnState& state) { return typed::is_scalar(state.type); });
}

}  // namespace mut::codegen
