// `match` as code: an event becomes a sample of what the pattern asks of it, and conditions that look back at
// bound events become a function that the store calls.
#include "compiler/codegen/stage_emitter.h"
#include "compiler/graph/places.h"

namespace mut::codegen {

using typed::EventError;
using typed::Kind;

std::string condition_name(int store) { return "condition_" + std::to_string(store); }

namespace {

bool packs_values(const typed::Stage& stage, const graph::StoreNode& node) {
  bool of_measures =
      std::any_of(stage.aggregates.begin(), stage.aggregates.end(), [](const typed::AggregateCall& call) {
        return call.argument && !typed::is_kept_as_words(call.argument->type);
      });
  return of_measures || std::any_of(node.fields.begin(), node.fields.end(), [&](int field) {
           return !typed::is_kept_as_words(stage.input->fields[static_cast<size_t>(field)].type);
         });
}

// Where a condition that looks back finds the event that it is asked of, and what is bound before it.
class LookingBack {
 public:
  LookingBack(FunctionEmitter& at, const typed::Stage& stage, const graph::StoreNode& node)
      : at_(at), stage_(stage), node_(node), b_(at.builder()) {
    size_t column = node.columns.size();
    for (int field : node.fields) {
      columns_[field] = column;
      column += kept_columns(field_type(field));
    }
  }

  // What the condition reads, and no more: what is packed costs its size.
  void read(const typed::Expr& condition) {
    graph::Needs needs(stage_.input->fields.size(), 0);
    graph::add_needs(condition, needs);
    for (int field : node_.fields) {
      auto at = static_cast<size_t>(field);
      at_.fields[at] = needs[at] != 0 ? event_field(field) : Value{};
    }
    read_measures(condition);
  }

 private:
  typed::TypeRef field_type(int field) const { return stage_.input->fields[static_cast<size_t>(field)].type; }
  llvm::Value* word(llvm::Value* base, uint64_t index) { return offset_by(b_, base, index * 8); }
  llvm::Value* load_word(llvm::Value* base, uint64_t index) {
    return b_.CreateAlignedLoad(b_.getInt64Ty(), word(base, index), llvm::Align(8));
  }
  llvm::Value* sample() { return at_.function()->getArg(2); }
  llvm::Value* measures() { return at_.function()->getArg(3); }

  Value with_presence(Value value, typed::TypeRef type, llvm::Value* present) {
    value.type = type;
    value.parts.push_back(b_.CreateICmpNE(present, b_.getInt64(0)));
    return value;
  }

  Value event_field(int field) {
    typed::TypeRef type = field_type(field);
    size_t column = columns_.at(field);
    llvm::Value* memory = word(sample(), node_.desc.columns[column].word);
    if (!typed::is_kept_as_words(type)) return unpacked(at_, type, memory);
    if (type->kind != Kind::Optional) return at_.from_words(type, memory);
    return with_presence(at_.from_words(type->element, memory), type,
                         load_word(sample(), node_.desc.columns[column + 1].word));
  }

  void read_measures(const typed::Expr& expr) {
    if (expr.kind == typed::ExprKind::Aggregate) read_measure(static_cast<size_t>(expr.index));
    for (const typed::ExprPtr& arg : expr.args) read_measures(*arg);
  }

  void read_measure(size_t index) {
    typed::TypeRef type = stage_.aggregates[index].result;
    typed::TypeRef inner = typed::without_none(type);
    llvm::Value* memory = word(measures(), index * 3);
    llvm::Value* state = load_word(measures(), index * 3 + 2);
    // A list that is made of values lies there as in memory, in two words.
    bool made = state::gives_list(node_.desc.measures[index].fn) && inner->kind == Kind::List;
    Value value = made                             ? load(b_, inner, at_.module().layout(inner), memory)
                  : typed::is_kept_as_words(inner) ? at_.from_words(inner, memory)
                                                   : unpacked(at_, inner, memory);
    if (type->kind == Kind::Optional)
      value = with_presence(std::move(value), type, b_.CreateAnd(state, b_.getInt64(1)));
    at_.stage.aggregates[index] = {std::move(value),
                                   b_.CreateICmpNE(b_.CreateAnd(state, b_.getInt64(2)), b_.getInt64(0))};
  }

  FunctionEmitter& at_;
  const typed::Stage& stage_;
  const graph::StoreNode& node_;
  llvm::IRBuilder<>& b_;
  std::map<int, size_t> columns_;  // by field: its first column
};

}  // namespace

// See state/patterns.h for what a sample holds.
void StageEmitter::emit_match() {
  B& b = at_.builder();
  llvm::Type* pointer = b.getPtrTy();
  const typed::Match& match = *stage_.match;
  int store = module_.graph().stage_stores[static_cast<size_t>(stream_)][static_cast<size_t>(index_)][0];
  const graph::StoreNode& node = module_.graph().stores[static_cast<size_t>(store)];
  const state::StoreDesc& desc = node.desc;
  llvm::Value* key = emit_key(stage_.keys, desc, nullptr);
  llvm::AllocaInst* sample = at_.temporary(desc.sample_words * 8U);
  auto put = [&](uint32_t word, llvm::Value* value) {
    b.CreateAlignedStore(value, offset(sample, word * 8U), llvm::Align(8));
  };
  // Columns that have no value are texts of no length, or zero.
  b.CreateMemSet(sample, b.getInt8(0), desc.sample_words * 8U, llvm::Align(8));
  put(0, at_.time);
  llvm::Value* names = b.getInt64(0);
  for (size_t i = 0; i < match.names.size(); ++i) {
    const typed::PatternName& name = match.names[i];
    llvm::Value* bit = b.getInt64(uint64_t{1} << i);
    if (name.condition && !name.looks_back)
      bit = b.CreateSelect(at_.emit_condition(*name.condition), bit, b.getInt64(0));
    names = b.CreateOr(names, bit);
  }
  llvm::Value* mark = packs_values(stage_, node) ? arena_mark(at_) : nullptr;
  auto put_all = [&](size_t column, const std::vector<llvm::Value*>& words) {
    for (size_t w = 0; w < words.size(); ++w)
      put(desc.columns[column].word + static_cast<uint32_t>(w), words[w]);
  };
  llvm::Value* admits = b.getInt64(0);
  for (size_t i = 0; i < node.columns.size(); ++i) {
    if (node.columns[i] < 0) continue;
    Argument argument = emit_argument(stage_.aggregates[static_cast<size_t>(node.columns[i])]);
    llvm::Value* bit = b.getInt64(uint64_t{1} << i);
    if (argument.counts != nullptr) bit = b.CreateSelect(argument.counts, bit, b.getInt64(0));
    admits = b.CreateOr(admits, bit);
    if (!argument.value.empty()) put_all(i, kept_words(at_, argument.value, argument.counts));
    if (!argument.order.empty()) put_all(i + 1, at_.words(argument.order));
  }
  put(2, admits);
  put(3, names);
  size_t column = node.columns.size();
  for (int field : node.fields) {
    Value value = at_.fields[static_cast<size_t>(field)];
    std::vector<llvm::Value*> words = kept_words(at_, value, nullptr);
    uint32_t columns = kept_columns(value.type);
    llvm::Value* present = words.back();
    if (columns == 2) words.pop_back();
    put_all(column, words);
    if (columns == 2) put_all(column + 1, {present});
    column += columns;
  }
  llvm::AllocaInst* given = at_.temporary(sizeof(MutResultRows));
  llvm::Value* kept = b.CreateCall(
      module_.helper("mut_match_event", b.getInt32Ty(), {pointer, b.getInt32Ty(), pointer, pointer, pointer}),
      {at_.context(), b.getInt32(static_cast<uint32_t>(store)), key, sample, given});
  at_.check(b.CreateICmpNE(kept, b.getInt32(0)), EventError::Memory);
  llvm::Value* rows = b.CreateLoad(pointer, offset(given, offsetof(MutResultRows, rows)));
  llvm::Value* times = b.CreateLoad(pointer, offset(given, offsetof(MutResultRows, times)));
  llvm::Value* count = b.CreateLoad(b.getInt64Ty(), offset(given, offsetof(MutResultRows, count)));
  // What was packed on the way into the store is read by nobody else; of rows it has given the texts lie
  // there.
  if (mark != nullptr) when(b.CreateICmpEQ(count, b.getInt64(0)), [&] { rewind_arena(at_, mark); });
  module_.emit_result_rows(at_, store, rows, times, count);
  b.CreateRetVoid();
}

// i32 condition(context, name, sample, measures): 1 when the event satisfies the name; 0 when it does not or
// when the condition fails.
void ModuleEmitter::emit_pattern_condition(int store) {
  const graph::StoreNode& node = graph_.stores[static_cast<size_t>(store)];
  const typed::Stage& stage =
      program().streams[static_cast<size_t>(node.stream)].stages[static_cast<size_t>(node.stage)];
  llvm::LLVMContext& context = module_.getContext();
  llvm::Type* pointer = llvm::PointerType::getUnqual(context);
  llvm::Type* number = llvm::Type::getInt32Ty(context);
  auto* function =
      llvm::Function::Create(llvm::FunctionType::get(number, {pointer, number, pointer, pointer}, false),
                             llvm::Function::ExternalLinkage, condition_name(store), module_);
  function->setDoesNotThrow();
  FunctionEmitter at(*this, function, graph::stage_place(graph_, node.stream, node.stage));
  llvm::IRBuilder<>& b = at.builder();
  at.set_context(function->getArg(0));
  at.time = b.CreateAlignedLoad(b.getInt64Ty(), function->getArg(2), llvm::Align(8));
  at.position = b.getInt64(0);
  at.fields.resize(stage.input->fields.size());
  at.stage.aggregates.resize(stage.aggregates.size());
  LookingBack looking_back(at, stage, node);
  // A search may ask a million times for one event: nothing that a condition has made on its way stays.
  llvm::Value* mark = arena_mark(at);
  auto leave = [&](llvm::Value* holds) {
    rewind_arena(at, mark);
    b.CreateRet(holds);
  };
  at.handler = {at.block("failed"), at.temporary(4)};
  llvm::BasicBlock* failed = at.handler.block;
  llvm::SwitchInst* which = b.CreateSwitch(function->getArg(1), failed);
  for (size_t i = 0; i < stage.match->names.size(); ++i) {
    const typed::PatternName& name = stage.match->names[i];
    if (!name.looks_back) continue;
    llvm::BasicBlock* block = at.block("name");
    which->addCase(b.getInt32(static_cast<uint32_t>(i)), block);
    b.SetInsertPoint(block);
    looking_back.read(*name.condition);
    leave(b.CreateZExt(at.emit_condition(*name.condition), number));
  }
  b.SetInsertPoint(failed);
  leave(b.getInt32(0));
}

}  // namespace mut::codegen
