#include "compiler/codegen/module_emitter.h"

#include <llvm/IR/CFG.h>
#include <llvm/IR/MDBuilder.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/raw_ostream.h>

#include "compiler/codegen/stage_emitter.h"
#include "runtime/abi/kernel.h"

namespace mut::codegen {

using graph::Consumer;
using typed::Kind;

std::string source_kernel_name(int source) { return "source_" + std::to_string(source); }
std::string times_kernel_name(int source) { return "times_" + std::to_string(source); }
std::string result_kernel_name(int store) { return "results_" + std::to_string(store); }

bool computes_times(const typed::Source& source) {
  if (!source.time) return false;
  if (source.time->kind != typed::ExprKind::Field) return true;
  if (source.generated.empty()) return false;
  const typed::Expr& made = *source.generated[static_cast<size_t>(source.time->index)].value;
  return !(made.kind == typed::ExprKind::Call && made.builtin == typed::Builtin::EventTime);
}

typed::TypeRef needed_record(const graph::Needs& needs, typed::TypeRef record, typed::TypeTable& types) {
  std::vector<typed::Field> fields;
  for (size_t i = 0; i < record->fields.size(); ++i) {
    if (i < needs.size() && needs[i]) {
      typed::Field field;
      field.name = record->fields[i].name;
      field.type = record->fields[i].type;
      fields.push_back(std::move(field));
    }
  }
  return types.record(std::move(fields));
}

ModuleEmitter::ModuleEmitter(const graph::Graph& graph, llvm::Module& module, Literals literals)
    : graph_(graph), module_(module), literals_(literals) {
  std::vector<abi::FieldDesc> fields;
  for (const typed::Param& param : graph.program->params) {
    abi::FieldDesc field;
    field.name = param.name;
    field.type = graph::describe(param.type);
    fields.push_back(std::move(field));
  }
  params_layout_ = abi::make_record(std::move(fields));
}

llvm::FunctionCallee ModuleEmitter::helper(const char* name, llvm::Type* result,
                                           std::vector<llvm::Type*> params) {
  llvm::FunctionCallee callee =
      module_.getOrInsertFunction(name, llvm::FunctionType::get(result, params, false));
  if (auto* function = llvm::dyn_cast<llvm::Function>(callee.getCallee())) function->setDoesNotThrow();
  return callee;
}

const abi::TypeDesc& ModuleEmitter::layout(typed::TypeRef type) {
  abi::TypeDescRef& known = layouts_[type->text];
  if (!known) known = graph::describe(type);
  return *known;
}

void ModuleEmitter::run() {
  for (size_t i = 0; i < program().sources.size(); ++i) {
    if (!graph_.live[static_cast<size_t>(program().sources[i].stream)]) continue;
    emit_source_kernel(static_cast<int>(i));
    if (computes_times(program().sources[i])) emit_times_kernel(static_cast<int>(i));
  }
  for (size_t i = 0; i < graph_.stores.size(); ++i) {
    state::StoreKind kind = graph_.stores[i].desc.kind;
    if (kind == state::StoreKind::Panes || kind == state::StoreKind::Sessions ||
        kind == state::StoreKind::Whole) {
      emit_result_kernel(static_cast<int>(i));
    }
  }
  while (!pending_.empty()) {
    auto [stream, stage] = pending_.back();
    pending_.pop_back();
    emit_section(stream, stage, sections_.at({stream, stage}));
  }
}

llvm::Function* ModuleEmitter::section(int stream, size_t stage) {
  auto [entry, fresh] = sections_.emplace(std::pair{stream, stage}, nullptr);
  if (!fresh) return entry->second;
  llvm::LLVMContext& context = module_.getContext();
  const typed::Stream& of = program().streams[static_cast<size_t>(stream)];
  typed::TypeRef record = stage < of.stages.size() ? of.stages[stage].input : of.type;
  std::vector<llvm::Type*> params = {llvm::PointerType::getUnqual(context), llvm::Type::getInt64Ty(context),
                                     llvm::Type::getInt64Ty(context)};
  const graph::Needs& needs = graph_.needs[static_cast<size_t>(stream)][stage];
  for (size_t i = 0; i < record->fields.size(); ++i) {
    if (needs[i]) part_types(record->fields[i].type, context, params);
  }
  auto* function = llvm::Function::Create(
      llvm::FunctionType::get(llvm::Type::getVoidTy(context), params, false), llvm::Function::InternalLinkage,
      "stream_" + std::to_string(stream) + "_" + std::to_string(stage), module_);
  function->setDoesNotThrow();
  entry->second = function;
  pending_.emplace_back(stream, stage);
  return function;
}

void ModuleEmitter::call_section(FunctionEmitter& at, int stream, size_t stage,
                                 const std::vector<Value>& fields) {
  std::vector<llvm::Value*> args = {at.context(), at.time, at.position};
  const graph::Needs& needs = graph_.needs[static_cast<size_t>(stream)][stage];
  for (size_t i = 0; i < fields.size(); ++i) {
    if (needs[i]) args.insert(args.end(), fields[i].parts.begin(), fields[i].parts.end());
  }
  at.builder().CreateCall(section(stream, stage), args);
}

void ModuleEmitter::emit_section(int stream, size_t stage, llvm::Function* function) {
  const typed::Stream& of = program().streams[static_cast<size_t>(stream)];
  FunctionEmitter at(*this, function);
  at.set_context(function->getArg(0));
  at.time = function->getArg(1);
  at.position = function->getArg(2);
  typed::TypeRef record = stage < of.stages.size() ? of.stages[stage].input : of.type;
  const graph::Needs& needs = graph_.needs[static_cast<size_t>(stream)][stage];
  unsigned arg = 3;
  for (size_t i = 0; i < record->fields.size(); ++i) {
    Value value;
    if (needs[i]) {
      value.type = record->fields[i].type;
      for (size_t p = 0; p < part_count(value.type); ++p) value.parts.push_back(function->getArg(arg++));
    }
    at.fields.push_back(std::move(value));
  }
  bool goes_on = true;
  for (size_t i = stage; i < of.stages.size() && goes_on; ++i) {
    std::vector<Value> entering = at.fields;
    at.handler = {at.block("failed"), at.temporary(4)};
    llvm::BasicBlock* failed = at.handler.block;
    goes_on = StageEmitter(*this, at, stream, static_cast<int>(i)).emit();
    llvm::BasicBlock* after = at.builder().GetInsertBlock();
    if (llvm::pred_empty(failed)) {
      failed->eraseFromParent();
    } else {
      at.builder().SetInsertPoint(failed);
      emit_failure(at, stream, static_cast<int>(i), entering, of.stages[i].input);
      at.builder().CreateRetVoid();
    }
    at.builder().SetInsertPoint(after);
  }
  if (goes_on) finish_stream(at, stream);
  if (at.builder().GetInsertBlock()->getTerminator() == nullptr) at.builder().CreateRetVoid();
}

void ModuleEmitter::finish_stream(FunctionEmitter& at, int stream) {
  for (const Consumer& consumer : graph_.consumers[static_cast<size_t>(stream)]) {
    switch (consumer.kind) {
      case Consumer::Kind::Emit:
        emit_row(at, consumer.index);
        break;
      case Consumer::Kind::Route:
        emit_route(at, consumer.index);
        break;
      case Consumer::Kind::Set: {
        const abi::TypeDesc& of = layout(at.fields[0].type);
        (void)of;
        llvm::IRBuilder<>& b = at.builder();
        b.CreateCall(
            helper("mut_set", b.getVoidTy(), {b.getPtrTy(), b.getInt32Ty(), b.getPtrTy(), b.getInt64Ty()}),
            {at.context(), b.getInt32(static_cast<uint32_t>(consumer.index)), at.spill(at.fields[0]),
             at.time});
        break;
      }
      case Consumer::Kind::Stream: {
        const typed::Input& input = program()
                                        .streams[static_cast<size_t>(consumer.index)]
                                        .inputs[static_cast<size_t>(consumer.input)];
        if (input.conversion.empty()) {
          call_section(at, consumer.index, 0, at.fields);
          break;
        }
        const graph::Needs& needs = graph_.needs[static_cast<size_t>(consumer.index)].front();
        std::vector<Value> converted;
        for (size_t i = 0; i < input.conversion.size(); ++i) {
          converted.push_back(needs[i] ? at.emit(*input.conversion[i].value) : Value{});
        }
        call_section(at, consumer.index, 0, converted);
        break;
      }
    }
  }
}

void ModuleEmitter::emit_row(FunctionEmitter& at, int emit) {
  llvm::IRBuilder<>& b = at.builder();
  llvm::Type* word = b.getInt64Ty();
  llvm::Type* bytes = b.getInt8Ty();
  const typed::Stream& stream =
      program().streams[static_cast<size_t>(program().emits[static_cast<size_t>(emit)].stream)];
  llvm::Value* sinks = at.context_field(offsetof(MutContext, sinks), b.getPtrTy());
  llvm::Value* sink = b.CreateConstGEP1_64(bytes, sinks, static_cast<uint64_t>(emit) * sizeof(MutSink));
  auto field = [&](llvm::Value* base, uint64_t offset) { return b.CreateConstGEP1_64(bytes, base, offset); };
  llvm::Value* count_at = field(sink, offsetof(MutSink, count));
  llvm::Value* count = b.CreateLoad(word, count_at);
  llvm::Value* capacity = b.CreateLoad(word, field(sink, offsetof(MutSink, capacity)));
  llvm::BasicBlock* full = at.block("full");
  llvm::BasicBlock* room = at.block("room");
  b.CreateCondBr(b.CreateICmpEQ(count, capacity), full, room,
                 llvm::MDBuilder(module_.getContext()).createBranchWeights(1, 1 << 16));
  b.SetInsertPoint(full);
  b.CreateCall(helper("mut_sink_grow", b.getVoidTy(), {b.getPtrTy(), b.getInt32Ty()}),
               {at.context(), b.getInt32(static_cast<uint32_t>(emit))});
  b.CreateBr(room);
  b.SetInsertPoint(room);
  const abi::TypeDesc& record = layout(stream.type);
  uint64_t row_size = (sizeof(MutOutHead) + record.size + 7) / 8 * 8;
  llvm::Value* rows = b.CreateLoad(b.getPtrTy(), field(sink, offsetof(MutSink, rows)));
  llvm::Value* row = b.CreateGEP(bytes, rows, b.CreateMul(count, b.getInt64(row_size)));
  b.CreateStore(at.position, row);
  b.CreateStore(b.CreateLoad(b.getInt32Ty(), field(at.context(), offsetof(MutContext, source))),
                field(row, offsetof(MutOutHead, source)));
  llvm::Value* order_at = field(at.context(), offsetof(MutContext, order));
  llvm::Value* order = b.CreateLoad(word, order_at);
  b.CreateStore(b.CreateTrunc(order, b.getInt32Ty()), field(row, offsetof(MutOutHead, order)));
  b.CreateStore(b.CreateAdd(order, b.getInt64(1)), order_at);
  for (size_t i = 0; i < at.fields.size(); ++i) {
    store(b, at.fields[i], *record.fields[i].type, field(row, sizeof(MutOutHead) + record.fields[i].offset));
  }
  b.CreateStore(b.CreateAdd(count, b.getInt64(1)), count_at);
  llvm::Value* total_at = field(at.context(), offsetof(MutContext, output_rows));
  b.CreateStore(b.CreateAdd(b.CreateLoad(word, total_at), b.getInt64(1)), total_at);
}

void ModuleEmitter::emit_route(FunctionEmitter& at, int route) {
  llvm::IRBuilder<>& b = at.builder();
  const typed::Route& of = program().routes[static_cast<size_t>(route)];
  llvm::BasicBlock* end = at.block("routed");
  at.handler = {at.block("failed"), at.temporary(4)};
  llvm::BasicBlock* failed = at.handler.block;
  auto take = [&](const typed::RouteBranch& branch) {
    if (graph_.live[static_cast<size_t>(branch.stream)]) call_section(at, branch.stream, 0, at.fields);
  };
  if (of.all) {
    // All conditions before any branch: an error in one must not leave half of the event routed.
    std::vector<llvm::Value*> conditions;
    llvm::Value* any = b.getFalse();
    for (const typed::RouteBranch& branch : of.branches) {
      llvm::Value* condition = branch.condition ? at.emit_condition(*branch.condition) : nullptr;
      conditions.push_back(condition);
      if (condition != nullptr) any = b.CreateOr(any, condition);
    }
    for (size_t i = 0; i < of.branches.size(); ++i) {
      llvm::BasicBlock* inside = at.block("branch");
      llvm::BasicBlock* next = at.block("next");
      b.CreateCondBr(conditions[i] != nullptr ? conditions[i] : b.CreateNot(any), inside, next);
      b.SetInsertPoint(inside);
      take(of.branches[i]);
      b.CreateBr(next);
      b.SetInsertPoint(next);
    }
    b.CreateBr(end);
  } else {
    for (const typed::RouteBranch& branch : of.branches) {
      if (!branch.condition) {
        take(branch);
        break;
      }
      llvm::BasicBlock* inside = at.block("branch");
      llvm::BasicBlock* next = at.block("next");
      b.CreateCondBr(at.emit_condition(*branch.condition), inside, next);
      b.SetInsertPoint(inside);
      take(branch);
      b.CreateBr(end);
      b.SetInsertPoint(next);
    }
    b.CreateBr(end);
  }
  if (llvm::pred_empty(failed)) {
    failed->eraseFromParent();
  } else {
    b.SetInsertPoint(failed);
    const typed::Stream& input = program().streams[static_cast<size_t>(of.input)];
    emit_failure(at, of.input, static_cast<int>(input.stages.size()), at.fields, input.type);
    b.CreateBr(end);
  }
  b.SetInsertPoint(end);
}

void ModuleEmitter::send_error_event(FunctionEmitter& at, int stream, llvm::Value* event) {
  int errors = graph_.errors_of[static_cast<size_t>(stream)];
  if (errors < 0 || !graph_.live[static_cast<size_t>(errors)]) return;
  llvm::IRBuilder<>& b = at.builder();
  auto field = [&](uint64_t offset) { return b.CreateConstGEP1_64(b.getInt8Ty(), event, offset); };
  typed::TypeRef record = program().streams[static_cast<size_t>(errors)].type;
  auto text = [&](size_t index, uint64_t offset) {
    typed::TypeRef type = record->fields[index].type;
    Value out = load(b, type->kind == Kind::Optional ? type->element : type,
                     layout(type->kind == Kind::Optional ? type->element : type), field(offset));
    out.type = type;
    return out;
  };
  auto maybe = [&](size_t index, uint64_t offset, uint64_t has) {
    Value out = text(index, offset);
    out.parts.push_back(b.CreateICmpNE(b.CreateLoad(b.getInt8Ty(), field(has)), b.getInt8(0)));
    return out;
  };
  std::vector<Value> fields;
  fields.push_back(text(0, offsetof(MutErrorEvent, event)));
  fields.push_back(maybe(1, offsetof(MutErrorEvent, raw), offsetof(MutErrorEvent, has_raw)));
  fields.push_back(text(2, offsetof(MutErrorEvent, stage)));
  fields.push_back(
      {record->fields[3].type, {b.CreateLoad(b.getInt64Ty(), field(offsetof(MutErrorEvent, line)))}});
  fields.push_back(maybe(4, offsetof(MutErrorEvent, input), offsetof(MutErrorEvent, has_input)));
  fields.push_back(text(5, offsetof(MutErrorEvent, code)));
  fields.push_back(text(6, offsetof(MutErrorEvent, message)));
  call_section(at, errors, 0, fields);
}

void ModuleEmitter::emit_failure(FunctionEmitter& at, int stream, int stage, const std::vector<Value>& fields,
                                 typed::TypeRef record) {
  llvm::IRBuilder<>& b = at.builder();
  const graph::Needs& needs = graph_.needs[static_cast<size_t>(stream)][static_cast<size_t>(stage)];
  typed::TypeRef known = needed_record(needs, record, *program().types);
  abi::TypeDescRef known_layout = graph::describe(known);
  llvm::AllocaInst* event = at.temporary(known_layout->size);
  size_t next = 0;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (!needs[i]) continue;
    const abi::FieldDesc& field = known_layout->fields[next++];
    store(b, fields[i], *field.type, b.CreateConstGEP1_64(b.getInt8Ty(), event, field.offset));
  }
  llvm::AllocaInst* out = at.temporary(sizeof(MutErrorEvent));
  llvm::Type* word = b.getInt64Ty();
  b.CreateCall(helper("mut_fail", b.getVoidTy(),
                      {b.getPtrTy(), b.getInt32Ty(), b.getInt32Ty(), word, word, b.getPtrTy(), b.getPtrTy()}),
               {at.context(), b.getInt32(static_cast<uint32_t>(graph::error_site(graph_, stream, stage))),
                b.CreateLoad(b.getInt32Ty(), at.handler.code), at.time, at.position, event, out});
  send_error_event(at, stream, out);
}

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

// The loop of a source: a row at a time, the watermark first, then everything that reads the event.
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
  at.set_context(function->getArg(0));
  llvm::Value* batch = function->getArg(1);
  llvm::Value* cursor = function->getArg(2);
  auto field = [&](llvm::Value* base, uint64_t offset) {
    return b.CreateConstGEP1_64(b.getInt8Ty(), base, offset);
  };
  llvm::Value* columns = b.CreateLoad(pointer, field(batch, offsetof(MutBatch, columns)));
  llvm::Value* times = b.CreateLoad(pointer, field(batch, offsetof(MutBatch, times)));
  llvm::Value* bad = b.CreateLoad(pointer, field(batch, offsetof(MutBatch, bad)));
  llvm::Value* has_bad = b.CreateIsNotNull(bad);
  llvm::Value* first_position = b.CreateLoad(word, field(batch, offsetof(MutBatch, first_position)));
  llvm::Value* row_begin = b.CreateZExt(b.CreateLoad(half, field(cursor, offsetof(MutCursor, row))), word);
  llvm::Value* row_end = b.CreateZExt(b.CreateLoad(half, field(cursor, offsetof(MutCursor, row_end))), word);
  llvm::Value* watermark_begin = b.CreateLoad(word, field(cursor, offsetof(MutCursor, watermark)));
  llvm::Value* output_max = at.context_field(offsetof(MutContext, output_rows_max), word);

  llvm::BasicBlock* entry = b.GetInsertBlock();
  llvm::BasicBlock* head = at.block("row");
  llvm::BasicBlock* leave = at.block("leave");
  b.CreateBr(head);
  b.SetInsertPoint(head);
  llvm::PHINode* row = b.CreatePHI(word, 3, "row");
  llvm::PHINode* watermark = b.CreatePHI(word, 3, "watermark");
  row->addIncoming(row_begin, entry);
  watermark->addIncoming(watermark_begin, entry);
  llvm::BasicBlock* more = at.block("more");
  llvm::BasicBlock* ready = at.block("ready");
  b.CreateCondBr(b.CreateICmpULT(row, row_end), more, leave);
  llvm::BasicBlock* at_end = head;
  b.SetInsertPoint(more);
  llvm::Value* output = at.context_field(offsetof(MutContext, output_rows), word);
  b.CreateCondBr(b.CreateICmpUGE(output, output_max), leave, ready);
  llvm::BasicBlock* at_output = more;
  b.SetInsertPoint(ready);
  at.position = b.CreateAdd(first_position, row);
  at.time = b.CreateLoad(word, b.CreateGEP(word, times, row));

  // A record that could not be decoded: no event time of its own, one position of its source.
  llvm::BasicBlock* look_bad = at.block("look_bad");
  llvm::BasicBlock* decoded = at.block("decoded");
  llvm::BasicBlock* undecodable = at.block("undecodable");
  b.CreateCondBr(has_bad, look_bad, decoded, llvm::MDBuilder(context).createBranchWeights(1, 1 << 16));
  b.SetInsertPoint(look_bad);
  llvm::Value* is_bad =
      b.CreateICmpNE(b.CreateLoad(b.getInt8Ty(), b.CreateGEP(b.getInt8Ty(), bad, row)), b.getInt8(0));
  b.CreateCondBr(is_bad, undecodable, decoded);
  b.SetInsertPoint(undecodable);
  llvm::AllocaInst* error_event = at.temporary(sizeof(MutErrorEvent));
  const typed::Stream& stream = program().streams[static_cast<size_t>(source.stream)];
  int head_site = graph::error_site(graph_, source.stream, static_cast<int>(stream.stages.size()) + 1);
  b.CreateCall(helper("mut_undecodable", b.getVoidTy(), {pointer, half, pointer, half, pointer}),
               {at.context(), b.getInt32(static_cast<uint32_t>(head_site)), batch, b.CreateTrunc(row, half),
                error_event});
  llvm::Value* own_time = at.time;
  at.time =
      b.CreateSelect(b.CreateICmpEQ(watermark, b.getInt64(uint64_t{1} << 63)), b.getInt64(0), watermark);
  send_error_event(at, source.stream, error_event);
  at.time = own_time;
  llvm::Value* after_bad = b.CreateAdd(row, b.getInt64(1));
  row->addIncoming(after_bad, b.GetInsertBlock());
  watermark->addIncoming(watermark, b.GetInsertBlock());
  b.CreateBr(head);

  b.SetInsertPoint(decoded);
  llvm::Value* reached = b.CreateSub(at.time, b.getInt64(static_cast<uint64_t>(source.lateness)));
  llvm::Value* rises = b.CreateICmpSGT(reached, watermark);
  llvm::Value* risen = b.CreateSelect(rises, reached, watermark);
  llvm::Value* due = at.context_field(offsetof(MutContext, due), word);
  llvm::BasicBlock* process = at.block("process");
  llvm::BasicBlock* at_due = at.block("due");
  b.CreateCondBr(b.CreateAnd(rises, b.CreateICmpSGE(risen, due)), at_due, process,
                 llvm::MDBuilder(context).createBranchWeights(1, 1 << 12));
  b.SetInsertPoint(at_due);
  b.CreateBr(leave);
  b.SetInsertPoint(process);
  b.CreateStore(risen, field(at.context(), offsetof(MutContext, watermark)));
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
      b.CreateCall(helper("mut_undecodable", b.getVoidTy(), {pointer, half, pointer, half, pointer}),
                   {at.context(), b.getInt32(static_cast<uint32_t>(head_site)), batch,
                    b.CreateTrunc(row, half), error_event});
      send_error_event(at, source.stream, error_event);
      llvm::Value* after_failed = b.CreateAdd(row, b.getInt64(1));
      row->addIncoming(after_failed, b.GetInsertBlock());
      watermark->addIncoming(risen, b.GetInsertBlock());
      b.CreateBr(head);
    }
    b.SetInsertPoint(after);
  }
  call_section(at, source.stream, 0, at.fields);
  llvm::Value* next = b.CreateAdd(row, b.getInt64(1));
  row->addIncoming(next, b.GetInsertBlock());
  watermark->addIncoming(risen, b.GetInsertBlock());
  b.CreateBr(head);

  b.SetInsertPoint(leave);
  llvm::PHINode* why = b.CreatePHI(half, 3);
  why->addIncoming(b.getInt32(MUT_STOP_END), at_end);
  why->addIncoming(b.getInt32(MUT_STOP_OUTPUT), at_output);
  why->addIncoming(b.getInt32(MUT_STOP_DUE), at_due);
  llvm::PHINode* watermark_out = b.CreatePHI(word, 3);
  watermark_out->addIncoming(watermark, at_end);
  watermark_out->addIncoming(watermark, at_output);
  watermark_out->addIncoming(risen, at_due);
  b.CreateStore(b.CreateTrunc(row, half), field(cursor, offsetof(MutCursor, row)));
  b.CreateStore(watermark_out, field(cursor, offsetof(MutCursor, watermark)));
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

void ModuleEmitter::emit_result_kernel(int index) {
  const graph::StoreNode& node = graph_.stores[static_cast<size_t>(index)];
  const typed::Stage& stage =
      program().streams[static_cast<size_t>(node.stream)].stages[static_cast<size_t>(node.stage)];
  llvm::LLVMContext& context = module_.getContext();
  llvm::Type* pointer = llvm::PointerType::getUnqual(context);
  llvm::Type* word = llvm::Type::getInt64Ty(context);
  auto* function = llvm::Function::Create(
      llvm::FunctionType::get(llvm::Type::getVoidTy(context), {pointer, pointer, pointer, word, word}, false),
      llvm::Function::ExternalLinkage, result_kernel_name(index), module_);
  function->setDoesNotThrow();
  FunctionEmitter at(*this, function);
  llvm::IRBuilder<>& b = at.builder();
  at.set_context(function->getArg(0));
  at.position = function->getArg(4);
  // The layout that the store writes: see state/results.h.
  std::vector<abi::FieldDesc> fields;
  auto add = [&](abi::TypeDescRef type) {
    abi::FieldDesc field;
    field.type = std::move(type);
    fields.push_back(std::move(field));
  };
  add(abi::make_scalar(abi::TypeKind::I32));
  for (const state::KeyDesc& key : node.desc.keys) add(key.type);
  for (const state::CellDesc& cell : node.desc.cells) add(cell.result);
  add(abi::make_scalar(abi::TypeKind::Time));
  add(abi::make_scalar(abi::TypeKind::Time));
  abi::TypeDescRef record = abi::make_record(std::move(fields));

  llvm::BasicBlock* entry = b.GetInsertBlock();
  llvm::BasicBlock* head = at.block("row");
  llvm::BasicBlock* body = at.block("body");
  llvm::BasicBlock* end = at.block("end");
  llvm::BasicBlock* next_row = at.block("next");
  b.CreateBr(head);
  b.SetInsertPoint(head);
  llvm::PHINode* row = b.CreatePHI(word, 2);
  row->addIncoming(b.getInt64(0), entry);
  b.CreateCondBr(b.CreateICmpULT(row, function->getArg(3)), body, end);
  b.SetInsertPoint(body);
  at.time = b.CreateLoad(word, b.CreateGEP(word, function->getArg(2), row));
  llvm::Value* at_row =
      b.CreateGEP(b.getInt8Ty(), function->getArg(1), b.CreateMul(row, b.getInt64(record->size)));
  auto field = [&](size_t i, typed::TypeRef type) {
    return load(b, type, *record->fields[i].type,
                b.CreateConstGEP1_64(b.getInt8Ty(), at_row, record->fields[i].offset));
  };
  typed::TypeTable& types = *program().types;
  size_t next = 1;
  std::vector<Value> shown;  // for errors: keys and window
  std::vector<typed::Field> shown_fields;
  for (size_t i = 0; i < stage.keys.size(); ++i) {
    at.stage.keys.push_back(field(next++, stage.keys[i]->type));
    shown.push_back(at.stage.keys.back());
    typed::Field made;
    made.name = stage.key_names[i];
    made.type = stage.keys[i]->type;
    shown_fields.push_back(std::move(made));
  }
  for (const typed::AggregateCall& call : stage.aggregates)
    at.stage.aggregates.push_back(field(next++, call.result));
  at.stage.window_start = field(next, types.scalar(Kind::Time));
  at.stage.window_end = field(next + 1, types.scalar(Kind::Time));
  at.handler = {at.block("failed"), at.temporary(4)};
  llvm::BasicBlock* failed = at.handler.block;
  Value error = field(0, types.scalar(Kind::I32));
  at.check(b.CreateICmpEQ(error.part(), b.getInt32(0)), typed::EventError::Overflow);
  const graph::Needs& after =
      graph_.needs[static_cast<size_t>(node.stream)][static_cast<size_t>(node.stage) + 1];
  for (size_t i = 0; i < stage.outputs.size(); ++i) {
    bool wanted = after[i] || graph::can_fail(*stage.outputs[i].value);
    at.fields.push_back(wanted ? at.emit(*stage.outputs[i].value) : Value{});
  }
  call_section(at, node.stream, static_cast<size_t>(node.stage) + 1, at.fields);
  b.CreateBr(next_row);
  // Errors without one event (rule 4.5): keys and window are what there is to show.
  b.SetInsertPoint(failed);
  for (auto [name, value] :
       {std::pair{"window_start", &at.stage.window_start}, {"window_end", &at.stage.window_end}}) {
    shown.push_back(*value);
    typed::Field made;
    made.name = name;
    made.type = value->type;
    shown_fields.push_back(std::move(made));
  }
  typed::TypeRef shown_type = types.record(std::move(shown_fields));
  abi::TypeDescRef shown_layout = graph::describe(shown_type);
  llvm::AllocaInst* event = at.temporary(shown_layout->size);
  for (size_t i = 0; i < shown.size(); ++i) {
    store(b, shown[i], *shown_layout->fields[i].type,
          b.CreateConstGEP1_64(b.getInt8Ty(), event, shown_layout->fields[i].offset));
  }
  llvm::AllocaInst* out = at.temporary(sizeof(MutErrorEvent));
  b.CreateCall(
      helper("mut_fail_result", b.getVoidTy(),
             {pointer, b.getInt32Ty(), b.getInt32Ty(), b.getInt32Ty(), word, word, pointer, pointer}),
      {at.context(), b.getInt32(static_cast<uint32_t>(graph::error_site(graph_, node.stream, node.stage))),
       b.getInt32(static_cast<uint32_t>(index)), b.CreateLoad(b.getInt32Ty(), at.handler.code), at.time,
       at.position, event, out});
  send_error_event(at, node.stream, out);
  b.CreateBr(next_row);
  b.SetInsertPoint(next_row);
  row->addIncoming(b.CreateAdd(row, b.getInt64(1)), next_row);
  b.CreateBr(head);
  b.SetInsertPoint(end);
  b.CreateRetVoid();
}

EmittedModule emit(const graph::Graph& graph, Literals literals) {
  EmittedModule out;
  out.context = std::make_shared<llvm::LLVMContext>();
  out.module = std::make_shared<llvm::Module>("mut", *out.context);
  ModuleEmitter(graph, *out.module, literals).run();
  llvm::raw_string_ostream problem(out.problem);
  if (llvm::verifyModule(*out.module, &problem)) problem.flush();
  return out;
}

}  // namespace mut::codegen
