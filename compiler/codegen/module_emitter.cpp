#include "compiler/codegen/module_emitter.h"

#include <llvm/IR/CFG.h>
#include <llvm/IR/MDBuilder.h>

#include "compiler/codegen/join_emitter.h"
#include "compiler/codegen/stage_emitter.h"
#include "compiler/graph/places.h"
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

ModuleEmitter::ModuleEmitter(const graph::Graph& graph, llvm::Module& module, Literals literals,
                             SourceRows rows, Places places)
    : graph_(graph),
      module_(module),
      literals_(literals),
      source_rows_(rows),
      tally_(graph, rows == SourceRows::OneByOne ? Counting::InContext : Counting::InFrame) {
  std::vector<abi::FieldDesc> fields;
  for (const typed::Param& param : graph.program->params)
    fields.push_back(abi::made_field(param.name, graph::describe(param.type)));
  params_layout_ = abi::make_record(std::move(fields));
  if (places == Places::With) places_ = std::make_unique<PlaceWriter>(module);
}

llvm::FunctionCallee ModuleEmitter::helper(const char* name, llvm::Type* result,
                                           std::vector<llvm::Type*> params) {
  llvm::FunctionCallee callee =
      module_.getOrInsertFunction(name, llvm::FunctionType::get(result, params, false));
  if (auto* function = llvm::dyn_cast<llvm::Function>(callee.getCallee())) function->setDoesNotThrow();
  return callee;
}

llvm::MDNode* ModuleEmitter::weights(uint32_t taken, uint32_t other) const {
  if (source_rows_ == SourceRows::OneByOne) return nullptr;
  return llvm::MDBuilder(module_.getContext()).createBranchWeights(taken, other);
}

void ModuleEmitter::mark_context(llvm::Function& function) {
  function.addParamAttr(
      0, llvm::Attribute::getWithDereferenceableBytes(module_.getContext(), sizeof(MutContext)));
  function.addParamAttr(0, llvm::Attribute::getWithAlignment(module_.getContext(), llvm::Align(8)));
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
    if (!state::has_results(graph_.stores[i].desc)) continue;
    if (graph_.stores[i].desc.pattern.looks_back != 0) emit_pattern_condition(static_cast<int>(i));
    if (graph_.stores[i].desc.kind == state::StoreKind::Join) {
      JoinEmitter::emit_results(*this, static_cast<int>(i));
    } else {
      emit_result_kernel(static_cast<int>(i));
    }
  }
  while (!pending_.empty() || !pending_right_sides_.empty()) {
    if (!pending_right_sides_.empty()) {
      auto [stream, stage] = pending_right_sides_.back();
      pending_right_sides_.pop_back();
      JoinEmitter::emit_right(*this, stream, stage, right_sides_.at({stream, stage}));
      continue;
    }
    auto [stream, stage, known] = pending_.back();
    pending_.pop_back();
    emit_section(stream, stage, known, sections_.at({stream, stage, known}));
  }
  if (places_) places_->finish();
}

llvm::Function* ModuleEmitter::section(int stream, size_t stage, Known known) {
  auto [entry, fresh] = sections_.emplace(std::tuple{stream, stage, known}, nullptr);
  if (!fresh) return entry->second;
  entry->second = make_section(stream, stage,
                               known == Known::CalmQuiet ? "quiet_"
                               : is_calm(known)          ? "calm_"
                                                         : "stream_");
  pending_.emplace_back(stream, stage, known);
  return entry->second;
}

llvm::Function* ModuleEmitter::make_section(int stream, size_t stage, const std::string& name,
                                            const std::vector<llvm::Type*>& more) {
  llvm::LLVMContext& context = module_.getContext();
  const typed::Stream& of = program().streams[static_cast<size_t>(stream)];
  typed::TypeRef record = stage < of.stages.size() ? of.stages[stage].input : of.type;
  llvm::Type* pointer = llvm::PointerType::getUnqual(context);
  llvm::Type* word = llvm::Type::getInt64Ty(context);
  std::vector<llvm::Type*> params = {pointer, pointer, word, word};
  const graph::Needs& needs = graph_.needs[static_cast<size_t>(stream)][stage];
  for (size_t i = 0; i < record->fields.size(); ++i) {
    if (needs[i]) part_types(record->fields[i].type, context, params);
  }
  params.insert(params.end(), more.begin(), more.end());
  auto* function = llvm::Function::Create(
      llvm::FunctionType::get(llvm::Type::getVoidTy(context), params, false), llvm::Function::InternalLinkage,
      name + std::to_string(stream) + "_" + std::to_string(stage), module_);
  function->setDoesNotThrow();
  mark_context(*function);
  return function;
}

void ModuleEmitter::enter_section(FunctionEmitter& at, int stream, size_t stage) {
  const typed::Stream& of = program().streams[static_cast<size_t>(stream)];
  llvm::Function* function = at.function();
  at.set_context(function->getArg(0));
  at.counts = function->getArg(1);
  at.time = function->getArg(2);
  at.position = function->getArg(3);
  typed::TypeRef record = stage < of.stages.size() ? of.stages[stage].input : of.type;
  const graph::Needs& needs = graph_.needs[static_cast<size_t>(stream)][stage];
  unsigned arg = 4;
  for (size_t i = 0; i < record->fields.size(); ++i) {
    Value value;
    if (needs[i]) {
      value.type = record->fields[i].type;
      for (size_t p = 0; p < part_count(value.type); ++p) value.parts.push_back(function->getArg(arg++));
    }
    at.fields.push_back(std::move(value));
  }
}

llvm::Function* ModuleEmitter::right_side(int stream, int stage) {
  auto [entry, fresh] = right_sides_.emplace(std::pair{stream, stage}, nullptr);
  if (!fresh) return entry->second;
  llvm::LLVMContext& context = module_.getContext();
  llvm::Type* pointer = llvm::PointerType::getUnqual(context);
  llvm::Type* word = llvm::Type::getInt64Ty(context);
  std::vector<llvm::Type*> params = {pointer, pointer, word, word};
  const typed::Stage& of = program().streams[static_cast<size_t>(stream)].stages[static_cast<size_t>(stage)];
  part_types(of.join->right_type, context, params);
  auto* function = llvm::Function::Create(
      llvm::FunctionType::get(llvm::Type::getVoidTy(context), params, false), llvm::Function::InternalLinkage,
      "join_" + std::to_string(stream) + "_" + std::to_string(stage), module_);
  function->setDoesNotThrow();
  mark_context(*function);
  entry->second = function;
  pending_right_sides_.emplace_back(stream, stage);
  return function;
}

void ModuleEmitter::emit_right_event(FunctionEmitter& at, const Consumer& consumer) {
  std::vector<llvm::Value*> args = {at.context(), at.counts, at.time, at.position};
  for (const Value& field : at.fields) args.insert(args.end(), field.parts.begin(), field.parts.end());
  at.builder().CreateCall(right_side(consumer.index, consumer.input), args);
}

// A stream that does nothing but hand its events to one other is passed over.
std::pair<int, size_t> ModuleEmitter::first_at_work(int stream, size_t stage) const {
  while (stage == program().streams[static_cast<size_t>(stream)].stages.size()) {
    const std::vector<Consumer>& all = graph_.consumers[static_cast<size_t>(stream)];
    if (all.size() != 1 || all[0].kind != Consumer::Kind::Stream ||
        !graph_.followers[static_cast<size_t>(stream)].empty())
      break;
    auto next = static_cast<size_t>(all[0].index);
    auto input = static_cast<size_t>(all[0].input);
    if (!program().streams[next].inputs[input].conversion.empty()) break;
    if (graph_.shards == graph::Graph::Shards::Several &&
        graph_.spread.inputs[next][input] != graph::Asks::Nothing)
      break;
    stream = all[0].index;
    stage = 0;
  }
  return {stream, stage};
}

llvm::CallInst* ModuleEmitter::call_section(FunctionEmitter& at, int of, size_t from,
                                            const std::vector<Value>& fields) {
  auto [stream, stage] = first_at_work(of, from);
  std::vector<llvm::Value*> args = {at.context(), at.counts, at.time, at.position};
  const graph::Needs& needs = graph_.needs[static_cast<size_t>(stream)][stage];
  for (size_t i = 0; i < fields.size(); ++i) {
    if (needs[i]) args.insert(args.end(), fields[i].parts.begin(), fields[i].parts.end());
  }
  return at.builder().CreateCall(section(stream, stage, at.known_rows), args);
}

void ModuleEmitter::emit_section(int stream, size_t stage, Known known, llvm::Function* function) {
  const typed::Stream& of = program().streams[static_cast<size_t>(stream)];
  FunctionEmitter at(*this, function, graph::end_place(graph_, stream));
  at.known_rows = known;
  enter_section(at, stream, stage);
  bool goes_on = true;
  for (size_t i = stage; i < of.stages.size() && goes_on; ++i) {
    AtPlace place(at, graph::stage_place(graph_, stream, static_cast<int>(i)));
    std::vector<Value> entering = at.fields;
    at.handler = {at.block("failed"), at.temporary(4)};
    llvm::BasicBlock* failed = at.handler.block;
    goes_on = StageEmitter(*this, at, stream, static_cast<int>(i)).emit();
    llvm::BasicBlock* after = at.builder().GetInsertBlock();
    if (llvm::pred_empty(failed)) {
      failed->eraseFromParent();
    } else {
      at.builder().SetInsertPoint(failed);
      emit_failure(at, graph::error_site(graph_, stream, static_cast<int>(i)), stream, static_cast<int>(i),
                   entering, of.stages[i].input);
      at.builder().CreateRetVoid();
    }
    at.builder().SetInsertPoint(after);
  }
  if (goes_on) finish_stream(at, stream);
  if (at.builder().GetInsertBlock()->getTerminator() == nullptr) at.builder().CreateRetVoid();
}

void ModuleEmitter::finish_stream(FunctionEmitter& at, int stream) {
  const std::vector<Consumer>& consumers = graph_.consumers[static_cast<size_t>(stream)];
  if (consumers.size() <= MUT_READERS_OF_GROUP) {
    for (const Consumer& consumer : consumers) emit_consumer(at, stream, consumer);
  } else {
    emit_fans(at, stream);
  }
  settle_followers(at, stream);
}

void ModuleEmitter::emit_consumer(FunctionEmitter& at, int stream, const Consumer& consumer) {
  switch (consumer.kind) {
    case Consumer::Kind::Emit: {
      bool everywhere = graph_.shards == graph::Graph::Shards::Several &&
                        graph_.spread.emits_everywhere[static_cast<size_t>(consumer.index)] != 0;
      when_asked(at, everywhere ? graph::Asks::First : graph::Asks::Nothing,
                 [&] { emit_row(at, consumer.index); });
      break;
    }
    case Consumer::Kind::Route: {
      AtPlace place(at, graph::route_error_site(graph_, consumer.index));
      emit_route(at, consumer.index);
      break;
    }
    case Consumer::Kind::Join:
      emit_right_event(at, consumer);
      break;
    case Consumer::Kind::Set:
      emit_set(at, stream, consumer.index);
      break;
    case Consumer::Kind::Stream: {
      const typed::Input& input =
          program().streams[static_cast<size_t>(consumer.index)].inputs[static_cast<size_t>(consumer.input)];
      graph::Asks asks = graph::Asks::Nothing;
      if (graph_.shards == graph::Graph::Shards::Several) {
        asks = graph_.spread.inputs[static_cast<size_t>(consumer.index)][static_cast<size_t>(consumer.input)];
      }
      if (input.conversion.empty()) {
        when_asked(at, asks, [&] { call_section(at, consumer.index, 0, at.fields); });
        break;
      }
      const graph::Needs& needs = graph_.needs[static_cast<size_t>(consumer.index)].front();
      std::vector<Value> converted;
      for (size_t i = 0; i < input.conversion.size(); ++i) {
        converted.push_back(needs[i] ? at.emit(*input.conversion[i].value) : Value{});
      }
      when_asked(at, asks, [&] { call_section(at, consumer.index, 0, converted); });
      break;
    }
  }
}

void ModuleEmitter::emit_row(FunctionEmitter& at, int emit) {
  AtPlace place(at, graph::emit_place(graph_, emit));
  llvm::IRBuilder<>& b = at.builder();
  llvm::Type* word = b.getInt64Ty();
  llvm::Type* bytes = b.getInt8Ty();
  const typed::Stream& stream =
      program().streams[static_cast<size_t>(program().emits[static_cast<size_t>(emit)].stream)];
  llvm::Value* sinks = at.context_constant(offsetof(MutContext, sinks), b.getPtrTy(),
                                           program().emits.size() * sizeof(MutSink));
  llvm::Value* sink = offset_by(b, sinks, static_cast<uint64_t>(emit) * sizeof(MutSink));
  auto field = [&](llvm::Value* base, uint64_t offset) { return offset_by(b, base, offset); };
  llvm::Value* count_at = tally_.sink_rows(b, at.counts, emit);
  llvm::Value* count = b.CreateLoad(word, count_at);
  llvm::Value* capacity = b.CreateLoad(word, field(sink, offsetof(MutSink, capacity)));
  llvm::BasicBlock* full = at.block("full");
  llvm::BasicBlock* room = at.block("room");
  b.CreateCondBr(b.CreateICmpEQ(count, capacity), full, room, weights(1, 1 << 16));
  b.SetInsertPoint(full);
  llvm::CallInst* grow = b.CreateCall(helper("mut_sink_grow", b.getVoidTy(), {b.getPtrTy(), b.getInt32Ty()}),
                                      {at.context(), b.getInt32(static_cast<uint32_t>(emit))});
  grow->addFnAttr(llvm::Attribute::Cold);
  b.CreateBr(room);
  b.SetInsertPoint(room);
  const abi::TypeDesc& record = layout(stream.type);
  uint64_t row_size = (sizeof(MutOutHead) + record.size + 7) / 8 * 8;
  llvm::Value* rows = b.CreateLoad(b.getPtrTy(), field(sink, offsetof(MutSink, rows)));
  llvm::Value* row = b.CreateGEP(bytes, rows, b.CreateMul(count, b.getInt64(row_size)));
  b.CreateStore(at.position, row);
  b.CreateStore(at.context_constant(offsetof(MutContext, source), b.getInt32Ty()),
                field(row, offsetof(MutOutHead, source)));
  llvm::Value* total_at = tally_.output_rows(b, at.counts);
  llvm::Value* total = b.CreateLoad(word, total_at);
  b.CreateStore(b.CreateTrunc(total, b.getInt32Ty()), field(row, offsetof(MutOutHead, order)));
  for (size_t i = 0; i < at.fields.size(); ++i) {
    store(b, at.fields[i], *record.fields[i].type, field(row, sizeof(MutOutHead) + record.fields[i].offset));
  }
  b.CreateStore(b.CreateAdd(count, b.getInt64(1)), count_at);
  b.CreateStore(b.CreateAdd(total, b.getInt64(1)), total_at);
}

// A value that the param does not take is an error of its stream.
void ModuleEmitter::emit_set(FunctionEmitter& at, int stream, int set) {
  AtPlace place(at, graph::set_error_site(graph_, set));
  llvm::IRBuilder<>& b = at.builder();
  at.handler = {at.block("failed"), at.temporary(4)};
  llvm::BasicBlock* failed = at.handler.block;
  llvm::BasicBlock* end = at.block("set_end");
  llvm::Value* taken = b.CreateCall(
      helper("mut_set", b.getInt32Ty(), {b.getPtrTy(), b.getInt32Ty(), b.getPtrTy(), b.getInt64Ty()}),
      {at.context(), b.getInt32(static_cast<uint32_t>(set)), at.spill(at.fields[0]), at.time});
  at.check(b.CreateICmpNE(taken, b.getInt32(0)), typed::EventError::Range);
  b.CreateBr(end);
  b.SetInsertPoint(failed);
  const typed::Stream& of = program().streams[static_cast<size_t>(stream)];
  emit_failure(at, graph::set_error_site(graph_, set), stream, static_cast<int>(of.stages.size()), at.fields,
               of.type);
  b.CreateBr(end);
  b.SetInsertPoint(end);
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
    emit_failure(at, graph::route_error_site(graph_, route), of.input, static_cast<int>(input.stages.size()),
                 at.fields, input.type);
    b.CreateBr(end);
  }
  b.SetInsertPoint(end);
}

void ModuleEmitter::send_error_event(FunctionEmitter& at, int stream, int site, llvm::Value* event) {
  int errors = graph_.errors_of[static_cast<size_t>(stream)];
  if (errors < 0 || !graph_.live[static_cast<size_t>(errors)]) return;
  graph::Asks asks = graph::Asks::Nothing;
  if (graph_.shards == graph::Graph::Shards::Several &&
      graph_.spread.everywhere_at[static_cast<size_t>(site)])
    asks = graph_.spread.error_inputs[static_cast<size_t>(stream)];
  llvm::IRBuilder<>& b = at.builder();
  auto field = [&](uint64_t offset) { return offset_by(b, event, offset); };
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
  when_asked(at, asks, [&] { call_section(at, errors, 0, fields); });
}

void ModuleEmitter::emit_failure(FunctionEmitter& at, int site, int stream, int stage,
                                 const std::vector<Value>& fields, typed::TypeRef record) {
  llvm::IRBuilder<>& b = at.builder();
  const graph::Needs& needs = graph_.needs[static_cast<size_t>(stream)][static_cast<size_t>(stage)];
  typed::TypeRef known = needed_record(needs, record, *program().types);
  abi::TypeDescRef known_layout = graph::describe(known);
  llvm::AllocaInst* event = at.temporary(known_layout->size);
  size_t next = 0;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (!needs[i]) continue;
    const abi::FieldDesc& field = known_layout->fields[next++];
    store(b, fields[i], *field.type, offset_by(b, event, field.offset));
  }
  llvm::AllocaInst* out = at.temporary(sizeof(MutErrorEvent));
  llvm::Type* word = b.getInt64Ty();
  llvm::CallInst* fail = b.CreateCall(
      helper("mut_fail", b.getVoidTy(),
             {b.getPtrTy(), b.getInt32Ty(), b.getInt32Ty(), word, word, b.getPtrTy(), b.getPtrTy()}),
      {at.context(), b.getInt32(static_cast<uint32_t>(site)), b.CreateLoad(b.getInt32Ty(), at.handler.code),
       at.time, at.position, event, out});
  fail->addFnAttr(llvm::Attribute::Cold);
  send_error_event(at, stream, site, out);
}

EmittedModule emit(const graph::Graph& graph, Literals literals, SourceRows rows, Places places,
                   Names names) {
  EmittedModule out;
  out.context = std::make_shared<llvm::LLVMContext>();
  out.context->setDiscardValueNames(names == Names::Discarded);
  out.module = std::make_shared<llvm::Module>("mut", *out.context);
  ModuleEmitter(graph, *out.module, literals, rows, places).run();
  return out;
}

}  // namespace mut::codegen
