// `match` as code: an event becomes a sample of what the pattern asks of it, and conditions that look back at
// bound events become a function that the store calls.
#include "compiler/codegen/stage_emitter.h"

namespace mut::codegen {

using typed::EventError;
using typed::Kind;

std::string condition_name(int store) { return "condition_" + std::to_string(store); }

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
  llvm::Value* admits = b.getInt64(0);
  for (size_t i = 0; i < node.columns.size(); ++i) {
    Argument argument = emit_argument(stage_.aggregates[static_cast<size_t>(node.columns[i])]);
    llvm::Value* bit = b.getInt64(uint64_t{1} << i);
    if (argument.counts != nullptr) bit = b.CreateSelect(argument.counts, bit, b.getInt64(0));
    admits = b.CreateOr(admits, bit);
    if (argument.value.empty()) continue;
    std::vector<llvm::Value*> words = at_.words(argument.value);
    for (size_t w = 0; w < words.size(); ++w) put(desc.columns[i].word + static_cast<uint32_t>(w), words[w]);
  }
  put(2, admits);
  put(3, names);
  size_t column = node.columns.size();
  for (int field : node.fields) {
    Value value = at_.fields[static_cast<size_t>(field)];
    std::vector<llvm::Value*> words = at_.words(value);
    bool optional = value.type->kind == Kind::Optional;
    for (size_t w = 0; w + (optional ? 1 : 0) < words.size(); ++w)
      put(desc.columns[column].word + static_cast<uint32_t>(w), words[w]);
    ++column;
    if (optional) put(desc.columns[column++].word, words.back());
  }
  llvm::AllocaInst* given = at_.temporary(sizeof(MutResultRows));
  llvm::Value* kept = b.CreateCall(
      module_.helper("mut_match_event", b.getInt32Ty(), {pointer, b.getInt32Ty(), pointer, pointer, pointer}),
      {at_.context(), b.getInt32(static_cast<uint32_t>(store)), key, sample, given});
  at_.check(b.CreateICmpNE(kept, b.getInt32(0)), EventError::Memory);
  llvm::Value* rows = b.CreateLoad(pointer, offset(given, offsetof(MutResultRows, rows)));
  llvm::Value* times = b.CreateLoad(pointer, offset(given, offsetof(MutResultRows, times)));
  llvm::Value* count = b.CreateLoad(b.getInt64Ty(), offset(given, offsetof(MutResultRows, count)));
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
  FunctionEmitter at(*this, function);
  llvm::IRBuilder<>& b = at.builder();
  at.set_context(function->getArg(0));
  llvm::Value* sample = function->getArg(2);
  auto word = [&](llvm::Value* base, uint64_t index) {
    return b.CreateConstGEP1_64(b.getInt8Ty(), base, index * 8);
  };
  auto load_word = [&](llvm::Value* base, uint64_t index) {
    return b.CreateAlignedLoad(b.getInt64Ty(), word(base, index), llvm::Align(8));
  };
  // A value whose presence lies in a word of its own.
  auto value_of = [&](typed::TypeRef type, llvm::Value* memory,
                      const std::function<llvm::Value*()>& present) {
    bool optional = type->kind == Kind::Optional;
    typed::TypeRef inner = optional ? type->element : type;
    // A list is given as its memory layout, which is of two words.
    Value out =
        inner->kind == Kind::List ? load(b, inner, layout(inner), memory) : at.from_words(inner, memory);
    if (!optional) return out;
    out.type = type;
    out.parts.push_back(b.CreateICmpNE(present(), b.getInt64(0)));
    return out;
  };
  at.time = load_word(sample, 0);
  at.position = b.getInt64(0);
  at.fields.resize(stage.input->fields.size());
  size_t column = node.columns.size();
  for (int field : node.fields) {
    typed::TypeRef type = stage.input->fields[static_cast<size_t>(field)].type;
    uint32_t at_word = node.desc.columns[column++].word;
    at.fields[static_cast<size_t>(field)] = value_of(
        type, word(sample, at_word), [&] { return load_word(sample, node.desc.columns[column++].word); });
  }
  for (size_t i = 0; i < stage.aggregates.size(); ++i) {
    llvm::Value* state = load_word(function->getArg(3), i * 3 + 2);
    auto present = [&] { return b.CreateAnd(state, b.getInt64(1)); };
    at.stage.aggregates.push_back(
        {value_of(stage.aggregates[i].result, word(function->getArg(3), i * 3), present),
         b.CreateICmpNE(b.CreateAnd(state, b.getInt64(2)), b.getInt64(0))});
  }
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
    leave(b.CreateZExt(at.emit_condition(*name.condition), number));
  }
  b.SetInsertPoint(failed);
  leave(b.getInt32(0));
}

}  // namespace mut::codegen
