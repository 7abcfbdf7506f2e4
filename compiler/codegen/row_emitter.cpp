// Stages that let an event through or make others of it: `where`, `select` and `with`, `dedupe`, `flatten`.
#include "compiler/codegen/stage_emitter.h"
#include "runtime/abi/deliberate.h"

namespace mut::codegen {

using typed::EventError;
using typed::Kind;

void StageEmitter::emit_where() {
  llvm::Value* condition = at_.emit_condition(*stage_.condition);
  if (MUT_DELIBERATE_FAULT(where_before_history)) leave_unless(condition);
  commit();
  if (!MUT_DELIBERATE_FAULT(where_before_history)) leave_unless(condition);
}

void StageEmitter::emit_project() {
  const graph::Needs& after =
      module_.graph().needs[static_cast<size_t>(stream_)][static_cast<size_t>(index_) + 1];
  std::vector<Value> made(stage_.outputs.size());
  for (size_t i = 0; i < stage_.outputs.size(); ++i) {
    if (after[i] || graph::can_fail(*stage_.outputs[i].value)) made[i] = at_.emit(*stage_.outputs[i].value);
  }
  commit();
  at_.fields = std::move(made);
}

void StageEmitter::emit_dedupe() {
  B& b = at_.builder();
  int store = module_.graph().stage_stores[static_cast<size_t>(stream_)][static_cast<size_t>(index_)][0];
  const state::StoreDesc& desc = module_.graph().stores[static_cast<size_t>(store)].desc;
  llvm::Value* key = emit_key(stage_.keys, desc, nullptr);
  llvm::Value* table = store_view(store);
  llvm::Value* owner =
      b.CreateCall(module_.helper("mut_store_of", b.getPtrTy(), {b.getPtrTy(), b.getInt32Ty()}),
                   {at_.context(), b.getInt32(static_cast<uint32_t>(store))});
  llvm::Value* row = find_row(table, key, desc);
  llvm::Value* seen =
      stage_.most > 0
          ? b.CreateCall(module_.helper("mut_throttle_full", b.getInt32Ty(),
                                        {b.getPtrTy(), b.getPtrTy(), b.getInt64Ty(), b.getInt64Ty()}),
                         {owner, row, at_.time, b.getInt64(static_cast<uint64_t>(stage_.most))})
          : b.CreateCall(module_.helper("mut_dedupe_seen", b.getInt32Ty(),
                                        {b.getPtrTy(), b.getPtrTy(), b.getInt64Ty()}),
                         {owner, row, at_.time});
  leave_unless(b.CreateICmpEQ(seen, b.getInt32(0)));
  llvm::AllocaInst* sample = at_.temporary(24);
  b.CreateAlignedStore(at_.time, sample, llvm::Align(8));
  b.CreateAlignedStore(b.getInt64(0), offset(sample, 8), llvm::Align(8));
  b.CreateAlignedStore(b.getInt64(0), offset(sample, 16), llvm::Align(8));
  llvm::Value* kept = b.CreateCall(
      module_.helper("mut_ring_push", b.getInt32Ty(), {b.getPtrTy(), b.getPtrTy(), b.getPtrTy()}),
      {owner, row, sample});
  at_.check(b.CreateICmpNE(kept, b.getInt32(0)), EventError::Memory);
}

bool StageEmitter::emit_flatten() {
  B& b = at_.builder();
  Value list = at_.emit(*stage_.list);
  const abi::TypeDesc& layout = module_.layout(list.type->element);
  llvm::Value* first = b.getInt64(MUT_DELIBERATE_FAULT(flatten_without_first) ? 1 : 0);
  at_.for_each(first, list.parts[0], [&](llvm::Value* index) {
    Value element =
        load(b, list.type->element, layout,
             b.CreateGEP(b.getInt8Ty(), list.parts[1], b.CreateMul(index, b.getInt64(layout.size))));
    std::vector<Value> fields;
    for (size_t i = 0; i < stage_.output->fields.size(); ++i) {
      if (static_cast<int>(i) == stage_.flatten_output) {
        fields.push_back(element);
      } else {
        int from = stage_.input->field_index(stage_.output->fields[i].name);
        fields.push_back(at_.fields[static_cast<size_t>(from)]);
      }
    }
    module_.call_section(at_, stream_, static_cast<size_t>(index_) + 1, fields);
  });
  return false;
}

}  // namespace mut::codegen
