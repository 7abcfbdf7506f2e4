// Kernels of results: the loop over the rows that a closing window gives.
#include <llvm/IR/CFG.h>

#include "compiler/codegen/module_emitter.h"
#include "compiler/codegen/process_emitter.h"
#include "compiler/codegen/stage_emitter.h"
#include "compiler/graph/places.h"
#include "runtime/abi/kernel.h"
#include "runtime/state/results.h"

namespace mut::codegen {

using typed::Kind;

static_assert(static_cast<int32_t>(state::RowError::NoValue) ==
              static_cast<int32_t>(typed::EventError::NoValue));

void ModuleEmitter::emit_result_kernel(int index) {
  llvm::LLVMContext& context = module_.getContext();
  llvm::Type* pointer = llvm::PointerType::getUnqual(context);
  llvm::Type* word = llvm::Type::getInt64Ty(context);
  auto* function = llvm::Function::Create(
      llvm::FunctionType::get(llvm::Type::getVoidTy(context), {pointer, pointer, pointer, word, word}, false),
      llvm::Function::ExternalLinkage, result_kernel_name(index), module_);
  function->setDoesNotThrow();
  const graph::StoreNode& node = graph_.stores[static_cast<size_t>(index)];
  FunctionEmitter at(*this, function, graph::stage_place(graph_, node.stream, node.stage));
  llvm::IRBuilder<>& b = at.builder();
  at.set_context(function->getArg(0));
  at.position = function->getArg(4);
  at.counts = tally_.open(b, at.context());
  if (graph_.stores[static_cast<size_t>(index)].desc.kind == state::StoreKind::Held) {
    emit_held_rows(at, index, function->getArg(1), function->getArg(2), function->getArg(3));
  } else if (graph_.stores[static_cast<size_t>(index)].desc.kind == state::StoreKind::Process) {
    ProcessEmitter::emit_timers(*this, at, index,
                                {function->getArg(1), function->getArg(2), function->getArg(3)});
  } else {
    emit_result_rows(at, index, function->getArg(1), function->getArg(2), function->getArg(3));
  }
  tally_.close(b, at.context(), at.counts);
  b.CreateRetVoid();
}

void ModuleEmitter::for_each_result(FunctionEmitter& at, const state::StoreDesc& desc, const GivenRows& given,
                                    const std::function<void(const GivenRow& row)>& body) {
  llvm::IRBuilder<>& b = at.builder();
  llvm::Value* caller_time = at.time;
  abi::TypeDescRef record = state::result_record(desc);
  at.for_each(b.getInt64(0), given.count, [&](llvm::Value* row) {
    at.time = b.CreateLoad(b.getInt64Ty(), b.CreateGEP(b.getInt64Ty(), given.times, row));
    llvm::Value* at_row = b.CreateGEP(b.getInt8Ty(), given.rows, b.CreateMul(row, b.getInt64(record->size)));
    body({row, at_row, [&](size_t i, typed::TypeRef type) {
            return load(b, type, *record->fields[i].type, offset_by(b, at_row, record->fields[i].offset));
          }});
  });
  at.time = caller_time;
}

void ModuleEmitter::emit_result_failure(FunctionEmitter& at, int index, const std::vector<Value>& shown) {
  const graph::StoreNode& node = graph_.stores[static_cast<size_t>(index)];
  llvm::IRBuilder<>& b = at.builder();
  llvm::Type* pointer = b.getPtrTy();
  llvm::Type* word = b.getInt64Ty();
  abi::TypeDescRef layout = state::shown_record(node.desc);
  llvm::AllocaInst* event = at.temporary(layout->size);
  for (size_t i = 0; i < layout->fields.size(); ++i) {
    store(b, shown[i], *layout->fields[i].type, offset_by(b, event, layout->fields[i].offset));
  }
  llvm::AllocaInst* out = at.temporary(sizeof(MutErrorEvent));
  int site = graph::error_site(graph_, node.stream, node.stage);
  b.CreateCall(
      helper("mut_fail_result", b.getVoidTy(),
             {pointer, b.getInt32Ty(), b.getInt32Ty(), b.getInt32Ty(), word, word, pointer, pointer}),
      {at.context(), b.getInt32(static_cast<uint32_t>(site)), b.getInt32(static_cast<uint32_t>(index)),
       b.CreateLoad(b.getInt32Ty(), at.handler.code), at.time, at.position, event, out});
  send_error_event(at, node.stream, site, out);
}

void ModuleEmitter::emit_result_rows(FunctionEmitter& at, int index, llvm::Value* rows, llvm::Value* times,
                                     llvm::Value* count) {
  const graph::StoreNode& node = graph_.stores[static_cast<size_t>(index)];
  AtPlace place(at, graph::stage_place(graph_, node.stream, node.stage));
  for_each_result(at, node.desc, {rows, times, count},
                  [&](const GivenRow& row) { emit_result_row(at, index, row); });
}

void ModuleEmitter::emit_result_row(FunctionEmitter& at, int index, const GivenRow& row) {
  const graph::StoreNode& node = graph_.stores[static_cast<size_t>(index)];
  const typed::Stage& stage =
      program().streams[static_cast<size_t>(node.stream)].stages[static_cast<size_t>(node.stage)];
  llvm::IRBuilder<>& b = at.builder();
  AtPlace here(at, graph::stage_place(graph_, node.stream, node.stage));
  // What the caller still needs, for the failures of its own stage.
  auto caller_handler = at.handler;
  StageValues caller_stage = std::exchange(at.stage, {});
  std::vector<Value> caller_fields = std::exchange(at.fields, {});
  abi::TypeDescRef record = state::result_record(node.desc);
  const auto& field = row.field;
  llvm::BasicBlock* next_row = at.block("next");
  typed::TypeTable& types = *program().types;
  size_t next = 1;
  for (const typed::ExprPtr& key : stage.keys) at.stage.keys.push_back(field(next++, key->type));
  // States of aggregates of the script: their results are computed once the row is known to be no error.
  auto own_fields = [&](size_t i, const typed::OwnAggregate& own) {
    const abi::FieldDesc& outer = record->fields[i];
    auto inner = [&](size_t k, typed::TypeRef type) {
      const abi::FieldDesc& at_field = outer.type->fields[k];
      return load(b, type, *at_field.type, offset_by(b, row.address, outer.offset + at_field.offset));
    };
    llvm::Value* events = inner(0, types.scalar(Kind::Int)).part();
    std::vector<Value> states = own_or_initial(at, own, events, [&] {
      std::vector<Value> out;
      for (size_t k = 0; k < own.states.size(); ++k) out.push_back(inner(k + 1, own.states[k].type));
      return out;
    });
    return own_result(at, own, states);
  };
  size_t first_aggregate = next;
  size_t flag = next + stage.aggregates.size() + 2;
  for (size_t i = 0; i < stage.aggregates.size(); ++i, ++next) {
    StageResult result;
    if (stage.aggregates[i].own == nullptr) result.value = field(next, stage.aggregates[i].result);
    if (state::may_overflow(state::results_of(node.desc)[i]))
      result.overflow = field(flag++, types.scalar(Kind::Bool)).part();
    at.stage.aggregates.push_back(std::move(result));
  }
  at.stage.window_start = field(next, types.scalar(Kind::Time));
  at.stage.window_end = field(next + 1, types.scalar(Kind::Time));
  at.handler = {at.block("failed"), at.temporary(4)};
  llvm::BasicBlock* failed = at.handler.block;
  Value error = field(0, types.scalar(Kind::I32));
  b.CreateStore(error.part(), at.handler.code);
  llvm::BasicBlock* fine = at.block("fine");
  b.CreateCondBr(b.CreateICmpEQ(error.part(), b.getInt32(0)), fine, failed, weights(1 << 20, 1));
  b.SetInsertPoint(fine);
  for (size_t i = 0; i < stage.aggregates.size(); ++i) {
    const typed::AggregateCall& call = stage.aggregates[i];
    if (call.own == nullptr) continue;
    size_t place = first_aggregate + i;
    at.stage.aggregates[i].value =
        stage.follows.empty() ? own_fields(place, *call.own)
                              : own_of_group(at, index, i, field(place, types.scalar(Kind::Int)).part());
  }
  const graph::Needs& after =
      graph_.needs[static_cast<size_t>(node.stream)][static_cast<size_t>(node.stage) + 1];
  for (size_t i = 0; i < stage.outputs.size(); ++i) {
    bool wanted = after[i] || graph::can_fail(*stage.outputs[i].value);
    at.fields.push_back(wanted ? at.emit(*stage.outputs[i].value) : Value{});
  }
  call_section(at, node.stream, static_cast<size_t>(node.stage) + 1, at.fields);
  b.CreateBr(next_row);
  b.SetInsertPoint(failed);
  std::vector<Value> shown = at.stage.keys;
  shown.push_back(at.stage.window_start);
  shown.push_back(at.stage.window_end);
  emit_result_failure(at, index, shown);
  b.CreateBr(next_row);
  b.SetInsertPoint(next_row);
  at.handler = caller_handler;
  at.stage = std::move(caller_stage);
  at.fields = std::move(caller_fields);
}

}  // namespace mut::codegen
