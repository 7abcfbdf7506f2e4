// Kernels of sources, what they read of a batch, and event times that are an expression.
#include <llvm/IR/CFG.h>

#include <algorithm>

#include "compiler/codegen/module_emitter.h"
#include "compiler/codegen/source_loop.h"
#include "compiler/codegen/stage_emitter.h"
#include "compiler/graph/places.h"
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
  auto invariant = [&](llvm::LoadInst* load_inst) { return at.constant(load_inst); };
  for (size_t i = 0; i < source.type->fields.size(); ++i) {
    if (!needs[i]) {
      out.emplace_back();
      continue;
    }
    typed::TypeRef type = source.type->fields[i].type;
    typed::TypeRef inner = type->kind == Kind::Optional ? type->element : type;
    const abi::TypeDesc& of = layout(inner);
    llvm::Value* column = offset_by(b, columns, i * sizeof(MutColumn));
    llvm::Value* values = invariant(b.CreateLoad(b.getPtrTy(), column));
    Value value =
        load(b, inner, of, b.CreateGEP(b.getInt8Ty(), values, b.CreateMul(row, b.getInt64(of.size))));
    // So that a value which only some rows want is read for those alone.
    for (llvm::Value* part : value.parts) {
      if (auto* loaded = llvm::dyn_cast<llvm::LoadInst>(part)) invariant(loaded);
    }
    if (type->kind == Kind::Optional) {
      llvm::Value* valid = invariant(b.CreateLoad(b.getPtrTy(), offset_by(b, column, 8)));
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
    if (state::has_results(node.desc) && (graph_.source_mask[static_cast<size_t>(node.stream)] & bit) != 0)
      return true;
  }
  // A param waits for a tick of the watermark of all that feed it.
  return !program().sets.empty();
}

bool ModuleEmitter::sets_timers(int source) const {
  uint64_t bit = uint64_t{1} << source;
  return std::any_of(graph_.stores.begin(), graph_.stores.end(), [&](const graph::StoreNode& node) {
    return !node.desc.timers.empty() && (graph_.source_mask[static_cast<size_t>(node.stream)] & bit) != 0;
  });
}

bool ModuleEmitter::keeps_variables(int source) const {
  uint64_t bit = uint64_t{1} << source;
  auto is_passed_lists = [](const typed::AggregateCall& call) {
    return call.own != nullptr &&
           std::any_of(call.own->parameter_types.begin(), call.own->parameter_types.end(),
                       [](typed::TypeRef type) { return !typed::is_kept_as_words(type); });
  };
  return std::any_of(graph_.stores.begin(), graph_.stores.end(), [&](const graph::StoreNode& node) {
    if ((graph_.source_mask[static_cast<size_t>(node.stream)] & bit) == 0) return false;
    const typed::Stage& stage =
        program().streams[static_cast<size_t>(node.stream)].stages[static_cast<size_t>(node.stage)];
    return std::any_of(node.desc.cells.begin(), node.desc.cells.end(),
                       [](const state::CellDesc& cell) {
                         return cell.fn == state::CellFn::Own && state::owns_memory(cell);
                       }) ||
           std::any_of(stage.aggregates.begin(), stage.aggregates.end(), is_passed_lists) ||
           std::any_of(stage.histories.begin(), stage.histories.end(),
                       [&](const typed::History& history) { return is_passed_lists(history.call); });
  });
}

bool ModuleEmitter::reads_watermark(int source) const {
  uint64_t bit = uint64_t{1} << source;
  for (const graph::StoreNode& node : graph_.stores) {
    if ((graph_.source_mask[static_cast<size_t>(node.stream)] & bit) != 0) return true;
  }
  return !program().sets.empty();
}

void ModuleEmitter::emit_source_kernel(int index) {
  llvm::LLVMContext& context = module_.getContext();
  llvm::Type* pointer = llvm::PointerType::getUnqual(context);
  auto* function = llvm::Function::Create(
      llvm::FunctionType::get(llvm::Type::getInt32Ty(context), {pointer, pointer, pointer}, false),
      llvm::Function::ExternalLinkage, source_kernel_name(index), module_);
  function->setDoesNotThrow();
  for (unsigned i = 0; i < 3; ++i) function->addParamAttr(i, llvm::Attribute::NoAlias);
  mark_context(*function);
  FunctionEmitter at(*this, function,
                     graph::head_place(graph_, program().sources[static_cast<size_t>(index)].stream));
  at.set_context(function->getArg(0));
  SourceLoop(*this, at, program().sources[static_cast<size_t>(index)]).emit();
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
  FunctionEmitter at(*this, function,
                     graph::head_place(graph_, program().sources[static_cast<size_t>(index)].stream));
  llvm::IRBuilder<>& b = at.builder();
  at.set_context(function->getArg(0));
  llvm::Value* batch = function->getArg(1);
  llvm::Value* bad = function->getArg(2);  // set to 1 where the expression fails
  auto field = [&](llvm::Value* base, uint64_t offset) { return offset_by(b, base, offset); };
  llvm::Value* columns = b.CreateLoad(pointer, field(batch, offsetof(MutBatch, columns)));
  llvm::Value* times = b.CreateLoad(pointer, field(batch, offsetof(MutBatch, times)));
  llvm::Value* row_count =
      b.CreateZExt(b.CreateLoad(b.getInt32Ty(), field(batch, offsetof(MutBatch, row_count))), word);
  at.for_each(b.getInt64(0), row_count, [&](llvm::Value* row) {
    llvm::BasicBlock* body = at.block("body");
    llvm::BasicBlock* next_row = at.block("next");
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
  });
  b.CreateRetVoid();
}

}  // namespace mut::codegen
