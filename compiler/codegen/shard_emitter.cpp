// Code that asks whether an event belongs to the shard that runs it (graph/spread.h).
#include "compiler/codegen/stage_emitter.h"

namespace mut::codegen {

using graph::Asks;
using typed::Kind;

llvm::Value* ModuleEmitter::is_first_shard(FunctionEmitter& at) const {
  llvm::IRBuilder<>& b = at.builder();
  return b.CreateICmpEQ(at.context_constant(offsetof(MutContext, shard), b.getInt32Ty()), b.getInt32(0));
}

void ModuleEmitter::when_asked(FunctionEmitter& at, Asks asks, const std::function<void()>& body) const {
  if (asks == Asks::Nothing) {
    body();
    return;
  }
  llvm::BasicBlock* own = at.block("own");
  llvm::BasicBlock* after = at.block("after");
  at.builder().CreateCondBr(is_first_shard(at), own, after);
  at.builder().SetInsertPoint(own);
  body();
  at.builder().CreateBr(after);
  at.builder().SetInsertPoint(after);
}

// The key is computed by every shard; that none of them fails is known (graph/spread.cpp).
void StageEmitter::leave_other_shards(Asks asks, const typed::Expr* key) {
  if (asks == Asks::Nothing) return;
  B& b = at_.builder();
  llvm::Value* own = nullptr;
  if (asks == Asks::First) {
    own = module_.is_first_shard(at_);
  } else {
    Value value = at_.emit(*key);
    typed::TypeRef scalar = value.type->kind == Kind::Optional ? value.type->element : value.type;
    // As in emit_key(): one number, one key; a key that may be none is hashed as one that may not.
    if (scalar->kind == Kind::Float || scalar->kind == Kind::F32)
      value.parts[0] = b.CreateFAdd(value.parts[0], llvm::ConstantFP::get(value.parts[0]->getType(), 0.0));
    state::WordKind kind = state::word_kind(*graph::describe(scalar));
    llvm::Value* owner =
        b.CreateCall(module_.helper("mut_shard_of", b.getInt32Ty(),
                                    {b.getPtrTy(), b.getPtrTy(), b.getInt32Ty(), b.getInt64Ty()}),
                     {at_.context(), words_of(value, true), b.getInt32(state::word_count(kind)),
                      b.getInt64(kind == state::WordKind::Text ? 1 : 0)});
    own = b.CreateICmpEQ(owner, at_.context_constant(offsetof(MutContext, shard), b.getInt32Ty()));
  }
  llvm::BasicBlock* next = at_.block("own");
  llvm::BasicBlock* other = at_.block("other");
  b.CreateCondBr(own, next, other);
  b.SetInsertPoint(other);
  b.CreateRetVoid();
  b.SetInsertPoint(next);
}

void StageEmitter::ask_shard(state::JoinSide side) {
  if (module_.graph().shards == graph::Graph::Shards::One) return;
  const graph::Spread::StageSpread& spread =
      module_.graph().spread.stages[static_cast<size_t>(stream_)][static_cast<size_t>(index_)];
  const typed::Expr* key = nullptr;
  auto k = static_cast<size_t>(spread.key);
  if (spread.key >= 0 && side == state::JoinSide::Right) {
    key = stage_.join->right_keys[k].get();
  } else if (spread.key >= 0) {
    key = (stage_.histories.empty() ? stage_.keys : stage_.histories[0].keys)[k].get();
  }
  leave_other_shards(side == state::JoinSide::Right ? spread.asks_right : spread.asks, key);
}

}  // namespace mut::codegen
