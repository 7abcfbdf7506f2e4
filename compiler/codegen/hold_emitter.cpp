// Stages that keep whole rows, as code: an event becomes a row with its order keys before it, and a row that
// is let go becomes an event again.
#include "compiler/codegen/stage_emitter.h"
#include "runtime/state/results.h"

namespace mut::codegen {

using typed::EventError;
using typed::HoldKind;
using typed::Kind;

void StageEmitter::emit_hold() {
  B& b = at_.builder();
  llvm::Type* pointer = b.getPtrTy();
  const typed::Hold& hold = *stage_.hold;
  int store_index =
      module_.graph().stage_stores[static_cast<size_t>(stream_)][static_cast<size_t>(index_)][0];
  const state::StoreDesc& desc = module_.graph().stores[static_cast<size_t>(store_index)].desc;
  const abi::TypeDesc& record = *desc.hold.record;
  llvm::Value* key = emit_key(stage_.keys, desc, nullptr);
  std::vector<Value> order;
  for (const auto& by : hold.order) order.push_back(at_.emit(*by.value));
  if (state::has_top_gate(desc)) emit_top_gate(store_index, order[0].part());
  llvm::AllocaInst* row = at_.temporary(record.size);
  b.CreateMemSet(row, b.getInt8(0), record.size, llvm::Align(8));
  for (size_t i = 0; i < order.size(); ++i)
    store(b, order[i], *record.fields[i].type, offset(row, record.fields[i].offset));
  Value whole{stage_.input, {}};
  for (const Value& field : at_.fields)
    whole.parts.insert(whole.parts.end(), field.parts.begin(), field.parts.end());
  store(b, whole, *record.fields.back().type, offset(row, record.fields.back().offset));
  llvm::AllocaInst* given = at_.temporary(sizeof(MutResultRows));
  llvm::Value* kept = b.CreateCall(
      module_.helper("mut_hold", b.getInt32Ty(),
                     {pointer, b.getInt32Ty(), pointer, b.getInt64Ty(), pointer, pointer}),
      {at_.context(), b.getInt32(static_cast<uint32_t>(store_index)), key, at_.time, row, given});
  at_.check(b.CreateICmpNE(kept, b.getInt32(0)), EventError::Memory);
  module_.emit_held_rows(at_, store_index,
                         b.CreateLoad(pointer, offset(given, offsetof(MutResultRows, rows))),
                         b.CreateLoad(pointer, offset(given, offsetof(MutResultRows, times))),
                         b.CreateLoad(b.getInt64Ty(), offset(given, offsetof(MutResultRows, count))));
  b.CreateRetVoid();
}

// `first`: the first order key of the event. What cannot be among the best ends here.
void StageEmitter::emit_top_gate(int store_index, llvm::Value* first) {
  B& b = at_.builder();
  const state::StoreDesc& desc = module_.graph().stores[static_cast<size_t>(store_index)].desc;
  llvm::Value* gate = store_view(store_index);
  auto field = [&](size_t bytes, llvm::Type* type) { return b.CreateLoad(type, offset(gate, bytes)); };
  llvm::Value* within =
      b.CreateAnd(b.CreateICmpSGE(at_.time, field(offsetof(MutTopGate, from), b.getInt64Ty())),
                  b.CreateICmpSLT(at_.time, field(offsetof(MutTopGate, until), b.getInt64Ty())));
  llvm::Value* last = field(offsetof(MutTopGate, last), first->getType());
  bool down = desc.hold.descending[0] != 0;
  llvm::Value* behind = first->getType()->isDoubleTy()
                            ? (down ? b.CreateFCmpOLT(first, last) : b.CreateFCmpOGT(first, last))
                            : (down ? b.CreateICmpSLT(first, last) : b.CreateICmpSGT(first, last));
  llvm::BasicBlock* let_go = at_.block("let_go");
  llvm::BasicBlock* held = at_.block("held");
  b.CreateCondBr(b.CreateAnd(within, behind), let_go, held);
  b.SetInsertPoint(let_go);
  llvm::Value* count = offset(gate, offsetof(MutTopGate, let_go));
  b.CreateStore(b.CreateAdd(b.CreateLoad(b.getInt64Ty(), count), b.getInt64(1)), count);
  llvm::Value* newest = offset(gate, offsetof(MutTopGate, newest));
  b.CreateStore(
      b.CreateBinaryIntrinsic(llvm::Intrinsic::smax, b.CreateLoad(b.getInt64Ty(), newest), at_.time), newest);
  b.CreateRetVoid();
  b.SetInsertPoint(held);
}

void ModuleEmitter::emit_held_rows(FunctionEmitter& at, int index, llvm::Value* rows, llvm::Value* times,
                                   llvm::Value* count) {
  const graph::StoreNode& node = graph_.stores[static_cast<size_t>(index)];
  const typed::Stage& stage =
      program().streams[static_cast<size_t>(node.stream)].stages[static_cast<size_t>(node.stage)];
  // What the caller still needs, for the failures of its own stage.
  std::vector<Value> caller_fields = std::exchange(at.fields, {});
  for_each_result(at, node.desc, {rows, times, count}, [&](const GivenRow& row) {
    Value whole = row.field(3, stage.input);
    size_t first = 0;
    for (const typed::Field& each : stage.input->fields) {
      at.fields.push_back(slice(whole, first, each.type));
      first += part_count(each.type);
    }
    for (size_t i = stage.input->fields.size(); i < stage.output->fields.size(); ++i) {
      const typed::Field& made = stage.output->fields[i];
      size_t place = made.name == "rank" ? 0 : made.name == "window_start" ? 1 : 2;
      at.fields.push_back(row.field(place, made.type));
    }
    call_section(at, node.stream, static_cast<size_t>(node.stage) + 1, at.fields);
  });
  at.fields = std::move(caller_fields);
}

}  // namespace mut::codegen
