// `aggregate` over the current rows of a table, as code: a row that comes through becomes a sample of what
// the aggregates ask of it. What a change of the table does to the groups is told when all that reads the
// table has seen the row.
#include "compiler/codegen/stage_emitter.h"

namespace mut::codegen {

using typed::EventError;

// See state/followed.h for what a sample holds.
void StageEmitter::emit_follow() {
  B& b = at_.builder();
  llvm::Type* pointer = b.getPtrTy();
  llvm::Type* number = b.getInt32Ty();
  int store = module_.graph().stage_stores[static_cast<size_t>(stream_)][static_cast<size_t>(index_)][0];
  const graph::StoreNode& node = module_.graph().stores[static_cast<size_t>(store)];
  llvm::Value* key = emit_key(stage_.keys, node.desc, nullptr);
  llvm::AllocaInst* sample = at_.temporary(node.desc.sample_words * 8U);
  // Columns that have no value are texts of no length, or zero.
  b.CreateMemSet(sample, b.getInt8(0), node.desc.sample_words * 8U, llvm::Align(8));
  auto put = [&](uint32_t word, llvm::Value* value) {
    b.CreateAlignedStore(value, offset(sample, word * 8U), llvm::Align(8));
  };
  auto put_words = [&](uint32_t column, const std::vector<llvm::Value*>& words) {
    for (size_t w = 0; w < words.size(); ++w)
      put(node.desc.columns[column].word + static_cast<uint32_t>(w), words[w]);
  };
  llvm::Value* admits = b.getInt64(0);
  for (size_t i = 0; i < stage_.aggregates.size(); ++i) {
    Argument argument = emit_argument(stage_.aggregates[i]);
    llvm::Value* bit = b.getInt64(uint64_t{1} << i);
    if (argument.counts != nullptr) bit = b.CreateSelect(argument.counts, bit, b.getInt64(0));
    admits = b.CreateOr(admits, bit);
    uint32_t column = node.desc.measures[i].column;
    for (const Value& value : argument.own) {
      put_words(column, kept_words(at_, value, argument.counts));
      column += kept_columns(value.type);
    }
    if (!argument.value.empty()) put_words(column, at_.words(argument.value));
    if (!argument.order.empty()) put_words(column + 1, at_.words(argument.order));
  }
  put(0, at_.time);
  put(2, admits);
  llvm::Value* kept =
      b.CreateCall(module_.helper("mut_follow_event", number, {pointer, number, number, pointer, pointer}),
                   {at_.context(), b.getInt32(static_cast<uint32_t>(store)),
                    b.getInt32(static_cast<uint32_t>(node.table)), key, sample});
  at_.check(b.CreateICmpNE(kept, b.getInt32(0)), EventError::Memory);
  b.CreateRetVoid();
}

// The result of an aggregate of the script: its state after all that the group has been given.
Value ModuleEmitter::own_of_group(FunctionEmitter& at, int store, size_t measure, llvm::Value* group) {
  llvm::IRBuilder<>& b = at.builder();
  llvm::Type* pointer = b.getPtrTy();
  llvm::Type* word = b.getInt64Ty();
  llvm::Type* half = b.getInt32Ty();
  const graph::StoreNode& node = graph_.stores[static_cast<size_t>(store)];
  const typed::Stage& stage =
      program().streams[static_cast<size_t>(node.stream)].stages[static_cast<size_t>(node.stage)];
  const typed::OwnAggregate& own = *stage.aggregates[measure].own;
  llvm::Value* number = b.getInt32(static_cast<uint32_t>(store));
  llvm::AllocaInst* state = at.temporary(own_bytes(own));
  b.CreateAlignedStore(b.getInt64(0), state, llvm::Align(8));
  llvm::Value* mark = keeps_no_arguments(own) ? arena_mark(at) : nullptr;
  llvm::Value* places =
      b.CreateCall(helper("mut_follow_places", word, {pointer, half, word}), {at.context(), number, group});
  at.for_each(b.getInt64(0), places, [&](llvm::Value* place) {
    llvm::Value* sample =
        b.CreateCall(helper("mut_follow_member", pointer, {pointer, half, word, half, word}),
                     {at.context(), number, group, b.getInt32(static_cast<uint32_t>(measure)), place});
    llvm::BasicBlock* counted = at.block("counted");
    llvm::BasicBlock* next = at.block("next");
    b.CreateCondBr(b.CreateIsNotNull(sample), counted, next);
    b.SetInsertPoint(counted);
    std::vector<Value> event;
    uint32_t column = node.desc.measures[measure].column;
    for (typed::TypeRef type : own.parameter_types) {
      llvm::Value* words = offset_by(b, sample, node.desc.columns[column].word * 8U);
      if (!typed::is_kept_as_words(type)) {
        event.push_back(unpacked(at, type, words));
        column += kept_columns(type);
        continue;
      }
      event.push_back(own_word(at, type, words));
      if (node.desc.columns[column].kind == state::WordKind::Text) {
        // The row that has it may be replaced before the result has been read.
        Value& text = event.back();
        llvm::Value* size = b.CreateAnd(text.parts[0], b.getInt64(0xFFFFFFFFU));
        text.parts[1] = b.CreateCall(helper("mut_arena_copy", pointer, {pointer, pointer, word}),
                                     {at.context(), text.parts[1], size});
      }
      column += kept_columns(type);
    }
    own_add(at, own, event, state, state);
    if (mark != nullptr) rewind_arena(at, mark);
    b.CreateBr(next);
    b.SetInsertPoint(next);
  });
  return own_result(at, own, own_state_at(at, own, state));
}

// A row of the table has changed, and its readers have seen it.
void ModuleEmitter::settle_followers(FunctionEmitter& at, int stream) {
  llvm::IRBuilder<>& b = at.builder();
  llvm::Type* pointer = b.getPtrTy();
  llvm::Type* number = b.getInt32Ty();
  for (int store : graph_.followers[static_cast<size_t>(stream)]) {
    llvm::AllocaInst* given = at.temporary(sizeof(MutResultRows));
    b.CreateCall(
        helper("mut_follow_settle", b.getVoidTy(), {pointer, number, number, b.getInt64Ty(), pointer}),
        {at.context(), b.getInt32(static_cast<uint32_t>(store)),
         b.getInt32(static_cast<uint32_t>(graph_.stores[static_cast<size_t>(store)].table)), at.time, given});
    auto part = [&](size_t bytes) { return offset_by(b, given, bytes); };
    emit_result_rows(at, store, b.CreateLoad(pointer, part(offsetof(MutResultRows, rows))),
                     b.CreateLoad(pointer, part(offsetof(MutResultRows, times))),
                     b.CreateLoad(b.getInt64Ty(), part(offsetof(MutResultRows, count))));
  }
}

}  // namespace mut::codegen
