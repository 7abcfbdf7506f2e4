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
  auto put_value = [&](uint32_t column, const Value& value) {
    std::vector<llvm::Value*> words = at_.words(value);
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
    if (!argument.value.empty()) put_value(column, argument.value);
    if (!argument.order.empty()) put_value(column + 1, argument.order);
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
    auto part = [&](size_t bytes) { return b.CreateConstGEP1_64(b.getInt8Ty(), given, bytes); };
    emit_result_rows(at, store, b.CreateLoad(pointer, part(offsetof(MutResultRows, rows))),
                     b.CreateLoad(pointer, part(offsetof(MutResultRows, times))),
                     b.CreateLoad(b.getInt64Ty(), part(offsetof(MutResultRows, count))));
  }
}

}  // namespace mut::codegen
