// Kernels of sources: the loop over the rows of a batch, and event times that are an expression.
#include <llvm/IR/CFG.h>
#include <llvm/IR/MDBuilder.h>

#include "compiler/codegen/module_emitter.h"
#include "compiler/codegen/stage_emitter.h"
#include "runtime/abi/kernel.h"

namespace mut::codegen {

using typed::Kind;

std::vector<Value> ModuleEmitter::generated_fields(FunctionEmitter& at, const typed::Source& source,
                                                   llvm::Value* number) {
  at.draw_number = number;
  at.draw_source = static_cast<int>(&source - program().sources.data());
  at.draw_count = 0;
  at.fields = {Value{program().types->scalar(Kind::Int), {number}}};
  std::vector<Value> out;
  for (const typed::Output& output : source.generated) out.push_back(at.emit(*output.value));
  return out;
}

std::vector<Value> ModuleEmitter::column_fields(FunctionEmitter& at, const typed::Source& source,
                                                llvm::Value* columns, llvm::Value* row) {
  llvm::IRBuilder<>& b = at.builder();
  const graph::Needs& needs = graph_.needs[static_cast<size_t>(source.stream)].front();
  std::vector<Value> out;
  auto invariant = [&](llvm::LoadInst* load_inst) {
    load_inst->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(module_.getContext(), {}));
    return load_inst;
  };
  for (size_t i = 0; i < source.type->fields.size(); ++i) {
    if (!needs[i]) {
      out.emplace_back();
      continue;
    }
    typed::TypeRef type = source.type->fields[i].type;
    typed::TypeRef inner = type->kind == Kind::Optional ? type->element : type;
    const abi::TypeDesc& of = layout(inner);
    llvm::Value* column = b.CreateConstGEP1_64(b.getInt8Ty(), columns, i * sizeof(MutColumn));
    llvm::Value* values = invariant(b.CreateLoad(b.getPtrTy(), column));
    Value value =
        load(b, inner, of, b.CreateGEP(b.getInt8Ty(), values, b.CreateMul(row, b.getInt64(of.size))));
    if (type->kind == Kind::Optional) {
      llvm::Value* valid =
          invariant(b.CreateLoad(b.getPtrTy(), b.CreateConstGEP1_64(b.getInt8Ty(), column, 8)));
      llvm::Value* present = b.CreateLoad(b.getInt8Ty(), b.CreateGEP(b.getInt8Ty(), valid, row));
      value.type = type;
      value.parts.push_back(b.CreateICmpNE(present, b.getInt8(0)));
    }
    out.push_back(std::move(value));
  }
  return out;
}

bool ModuleEmitter::can_fire(int source) const {
  uint64_t bit = uint64_t{1} << source;
  for (const graph::StoreNode& node : graph_.stores) {
    bool results = node.desc.kind == state::StoreKind::Panes ||
                   node.desc.kind == state::StoreKind::Sessions || node.desc.kind == state::StoreKind::Whole;
    if (results && (graph_.source_mask[static_cast<size_t>(node.stream)] & bit) != 0) return true;
  }
  // A param waits for a tick of the watermark of all that feed it.
  return !program().sets.empty();
}

bool ModuleEmitter::reads_watermark(int source) const {
  uint64_t bit = uint64_t{1} << source;
  for (const graph::StoreNode& node : graph_.stores) {
    if ((graph_.source_mask[static_cast<size_t>(node.stream)] & bit) != 0) return true;
  }
  return !program().sets.empty();
}

void ModuleEmitter::emit_undecodable(FunctionEmitter& at, const typed::Source& source, llvm::Value* batch,
                                     llvm::Value* row, llvm::Value* watermark) {
  llvm::IRBuilder<>& b = at.builder();
  llvm::Type* half = b.getInt32Ty();
  const typed::Stream& stream = program().streams[static_cast<size_t>(source.stream)];
  int head_site = graph::error_site(graph_, source.stream, static_cast<int>(stream.stages.size()) + 1);
  llvm::AllocaInst* event = at.temporary(sizeof(MutErrorEvent));
  llvm::CallInst* call = b.CreateCall(
      helper("mut_undecodable", b.getVoidTy(), {b.getPtrTy(), half, b.getPtrTy(), half, b.getPtrTy()}),
      {at.context(), b.getInt32(static_cast<uint32_t>(head_site)), batch, b.CreateTrunc(row, half), event});
  call->addFnAttr(llvm::Attribute::Cold);
  if (watermark != nullptr) {
    at.time =
        b.CreateSelect(b.CreateICmpEQ(watermark, b.getInt64(uint64_t{1} << 63)), b.getInt64(0), watermark);
  }
  send_error_event(at, source.stream, event);
}

// The loop of a source: over stretches of decoded rows, in each a row at a time: the watermark first, then
// everything that reads the event. Between two stretches lies a record that could not be decoded.
void ModuleEmitter::emit_source_kernel(int index) {
  const typed::Source& source = program().sources[static_cast<size_t>(index)];
  llvm::LLVMContext& context = module_.getContext();
  llvm::Type* pointer = llvm::PointerType::getUnqual(context);
  llvm::Type* word = llvm::Type::getInt64Ty(context);
  llvm::Type* half = llvm::Type::getInt32Ty(context);
  auto* function =
      llvm::Function::Create(llvm::FunctionType::get(half, {pointer, pointer, pointer}, false),
                             llvm::Function::ExternalLinkage, source_kernel_name(index), module_);
  function->setDoesNotThrow();
  for (unsigned i = 0; i < 3; ++i) function->addParamAttr(i, llvm::Attribute::NoAlias);
  FunctionEmitter at(*this, function);
  llvm::IRBuilder<>& b = at.builder();
  llvm::MDBuilder weights(context);
  at.set_context(function->getArg(0));
  at.counts = tally_.open(b, at.context());
  llvm::Value* batch = function->getArg(1);
  llvm::Value* cursor = function->getArg(2);
  auto field = [&](llvm::Value* base, uint64_t offset) {
    return b.CreateConstGEP1_64(b.getInt8Ty(), base, offset);
  };
  llvm::Value* columns = b.CreateLoad(pointer, field(batch, offsetof(MutBatch, columns)));
  llvm::Value* times = b.CreateLoad(pointer, field(batch, offsetof(MutBatch, times)));
  llvm::Value* bad = b.CreateLoad(pointer, field(batch, offsetof(MutBatch, bad)));
  llvm::Value* first_position = b.CreateLoad(word, field(batch, offsetof(MutBatch, first_position)));
  llvm::Value* row_begin = b.CreateZExt(b.CreateLoad(half, field(cursor, offsetof(MutCursor, row))), word);
  llvm::Value* row_end = b.CreateZExt(b.CreateLoad(half, field(cursor, offsetof(MutCursor, row_end))), word);
  llvm::Value* watermark_begin = b.CreateLoad(word, field(cursor, offsetof(MutCursor, watermark)));
  llvm::Value* output_max = at.context_constant(offsetof(MutContext, output_rows_max), word);

  llvm::BasicBlock* entry = b.GetInsertBlock();
  llvm::BasicBlock* stretch = at.block("stretch");
  llvm::BasicBlock* find_bad = at.block("find_bad");
  llvm::BasicBlock* rows = at.block("rows");
  llvm::BasicBlock* head = at.block("row");
  llvm::BasicBlock* more = at.block("more");
  llvm::BasicBlock* ready = at.block("ready");
  llvm::BasicBlock* over = at.block("over");
  llvm::BasicBlock* undecodable = at.block("undecodable");
  llvm::BasicBlock* leave = at.block("leave");
  b.CreateBr(stretch);

  b.SetInsertPoint(stretch);
  llvm::PHINode* stretch_row = b.CreatePHI(word, 2, "stretch_row");
  llvm::PHINode* stretch_watermark = b.CreatePHI(word, 2, "stretch_watermark");
  stretch_row->addIncoming(row_begin, entry);
  stretch_watermark->addIncoming(watermark_begin, entry);
  b.CreateCondBr(b.CreateIsNull(bad), rows, find_bad, weights.createBranchWeights(1 << 12, 1));
  b.SetInsertPoint(find_bad);
  llvm::Value* next_bad = b.CreateCall(helper("mut_next_bad", word, {pointer, word, word}),
                                       {bad, stretch_row, row_end}, "next_bad");
  b.CreateBr(rows);
  b.SetInsertPoint(rows);
  llvm::PHINode* stretch_end = b.CreatePHI(word, 2, "stretch_end");
  stretch_end->addIncoming(row_end, stretch);
  stretch_end->addIncoming(next_bad, find_bad);
  b.CreateBr(head);

  b.SetInsertPoint(head);
  llvm::PHINode* row = b.CreatePHI(word, 3, "row");
  llvm::PHINode* watermark = b.CreatePHI(word, 3, "watermark");
  row->addIncoming(stretch_row, rows);
  watermark->addIncoming(stretch_watermark, rows);
  b.CreateCondBr(b.CreateICmpULT(row, stretch_end), more, over, weights.createBranchWeights(1 << 12, 1));
  b.SetInsertPoint(more);
  llvm::Value* made = b.CreateLoad(word, tally_.output_rows(b, at.counts));
  b.CreateCondBr(b.CreateICmpUGE(made, output_max), leave, ready, weights.createBranchWeights(1, 1 << 12));
  b.SetInsertPoint(ready);
  emit_prefetches(at, source, columns, row, stretch_end);
  at.position = b.CreateAdd(first_position, row);
  at.time = b.CreateLoad(word, b.CreateGEP(word, times, row));
  llvm::Value* reached = b.CreateSub(at.time, b.getInt64(static_cast<uint64_t>(source.lateness)));
  llvm::Value* rises = b.CreateICmpSGT(reached, watermark);
  llvm::Value* risen = b.CreateSelect(rises, reached, watermark);
  llvm::BasicBlock* at_due = nullptr;
  if (can_fire(index)) {
    // Stores that the rows before have changed may be due earlier than when the kernel began.
    llvm::Value* due = at.context_field(offsetof(MutContext, due), word);
    llvm::BasicBlock* process = at.block("process");
    b.CreateCondBr(b.CreateAnd(rises, b.CreateICmpSGE(risen, due)), leave, process,
                   weights.createBranchWeights(1, 1 << 12));
    at_due = b.GetInsertBlock();
    b.SetInsertPoint(process);
  }
  if (reads_watermark(index)) b.CreateStore(risen, field(at.context(), offsetof(MutContext, watermark)));
  auto go_on = [&] {
    row->addIncoming(b.CreateAdd(row, b.getInt64(1)), b.GetInsertBlock());
    watermark->addIncoming(risen, b.GetInsertBlock());
    b.CreateBr(head);
  };
  if (source.generated.empty()) {
    at.fields = column_fields(at, source, columns, row);
  } else {
    at.handler = {at.block("failed"), at.temporary(4)};
    llvm::BasicBlock* failed = at.handler.block;
    llvm::Value* number = b.CreateLoad(word, b.CreateGEP(word, b.CreateLoad(pointer, columns), row));
    at.fields = generated_fields(at, source, number);
    llvm::BasicBlock* after = b.GetInsertBlock();
    if (llvm::pred_empty(failed)) {
      failed->eraseFromParent();
    } else {
      b.SetInsertPoint(failed);
      emit_undecodable(at, source, batch, row, nullptr);
      go_on();
    }
    b.SetInsertPoint(after);
  }
  call_section(at, source.stream, 0, at.fields);
  go_on();

  b.SetInsertPoint(over);
  b.CreateCondBr(b.CreateICmpUGE(row, row_end), leave, undecodable);
  // No event time of its own, one position of its source.
  b.SetInsertPoint(undecodable);
  at.position = b.CreateAdd(first_position, row);
  emit_undecodable(at, source, batch, row, watermark);
  stretch_row->addIncoming(b.CreateAdd(row, b.getInt64(1)), b.GetInsertBlock());
  stretch_watermark->addIncoming(watermark, b.GetInsertBlock());
  b.CreateBr(stretch);

  b.SetInsertPoint(leave);
  llvm::PHINode* why = b.CreatePHI(half, 3);
  llvm::PHINode* watermark_out = b.CreatePHI(word, 3);
  auto left = [&](llvm::BasicBlock* from, MutStop reason, llvm::Value* at_watermark) {
    why->addIncoming(b.getInt32(reason), from);
    watermark_out->addIncoming(at_watermark, from);
  };
  left(over, MUT_STOP_END, watermark);
  left(more, MUT_STOP_OUTPUT, watermark);
  if (at_due != nullptr) left(at_due, MUT_STOP_DUE, risen);
  b.CreateStore(b.CreateTrunc(row, half), field(cursor, offsetof(MutCursor, row)));
  b.CreateStore(watermark_out, field(cursor, offsetof(MutCursor, watermark)));
  tally_.close(b, at.context(), at.counts);
  b.CreateRet(why);
}

// Event times that are an expression over the record: computed for a whole batch before it is run.
void ModuleEmitter::emit_times_kernel(int index) {
  const typed::Source& source = program().sources[static_cast<size_t>(index)];
  llvm::LLVMContext& context = module_.getContext();
  llvm::Type* pointer = llvm::PointerType::getUnqual(context);
  llvm::Type* word = llvm::Type::getInt64Ty(context);
  auto* function = llvm::Function::Create(
      llvm::FunctionType::get(llvm::Type::getVoidTy(context), {pointer, pointer, pointer}, false),
      llvm::Function::ExternalLinkage, times_kernel_name(index), module_);
  function->setDoesNotThrow();
  FunctionEmitter at(*this, function);
  llvm::IRBuilder<>& b = at.builder();
  at.set_context(function->getArg(0));
  llvm::Value* batch = function->getArg(1);
  llvm::Value* bad = function->getArg(2);  // set to 1 where the expression fails
  auto field = [&](llvm::Value* base, uint64_t offset) {
    return b.CreateConstGEP1_64(b.getInt8Ty(), base, offset);
  };
  llvm::Value* columns = b.CreateLoad(pointer, field(batch, offsetof(MutBatch, columns)));
  llvm::Value* times = b.CreateLoad(pointer, field(batch, offsetof(MutBatch, times)));
  llvm::Value* row_count =
      b.CreateZExt(b.CreateLoad(b.getInt32Ty(), field(batch, offsetof(MutBatch, row_count))), word);
  llvm::BasicBlock* entry = b.GetInsertBlock();
  llvm::BasicBlock* head = at.block("row");
  llvm::BasicBlock* look = at.block("look");
  llvm::BasicBlock* body = at.block("body");
  llvm::BasicBlock* next_row = at.block("next");
  llvm::BasicBlock* end = at.block("end");
  b.CreateBr(head);
  b.SetInsertPoint(head);
  llvm::PHINode* row = b.CreatePHI(word, 2);
  row->addIncoming(b.getInt64(0), entry);
  b.CreateCondBr(b.CreateICmpULT(row, row_count), look, end);
  b.SetInsertPoint(look);
  llvm::Value* is_bad =
      b.CreateICmpNE(b.CreateLoad(b.getInt8Ty(), b.CreateGEP(b.getInt8Ty(), bad, row)), b.getInt8(0));
  b.CreateCondBr(is_bad, next_row, body);
  b.SetInsertPoint(body);
  at.time = b.CreateLoad(word, b.CreateGEP(word, times, row));
  at.position = row;
  at.handler = {at.block("failed"), at.temporary(4)};
  llvm::BasicBlock* failed = at.handler.block;
  if (source.generated.empty()) {
    at.fields = column_fields(at, source, columns, row);
  } else {
    llvm::Value* number = b.CreateLoad(word, b.CreateGEP(word, b.CreateLoad(pointer, columns), row));
    at.fields = generated_fields(at, source, number);
  }
  llvm::Value* time = at.emit(*source.time).part();
  b.CreateStore(time, b.CreateGEP(word, times, row));
  b.CreateBr(next_row);
  if (llvm::pred_empty(failed)) {
    failed->eraseFromParent();
  } else {
    b.SetInsertPoint(failed);
    b.CreateStore(b.getInt8(1), b.CreateGEP(b.getInt8Ty(), bad, row));
    b.CreateBr(next_row);
  }
  b.SetInsertPoint(next_row);
  row->addIncoming(b.CreateAdd(row, b.getInt64(1)), next_row);
  b.CreateBr(head);
  b.SetInsertPoint(end);
  b.CreateRetVoid();
}

}  // namespace mut::codegen
