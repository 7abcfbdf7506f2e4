#include "compiler/codegen/stage_emitter.h"

#include "compiler/codegen/join_emitter.h"
#include "compiler/codegen/process_emitter.h"
#include "runtime/abi/deliberate.h"

namespace mut::codegen {

using state::CellFn;
using state::StoreKind;
using state::WordKind;
using typed::EventError;
using typed::Kind;
using typed::StageKind;

bool StageEmitter::emit() {
  ask_shard(state::JoinSide::Left);
  if (!stage_.histories.empty()) emit_histories();
  switch (stage_.kind) {
    case StageKind::Where:
      emit_where();
      return true;
    case StageKind::Project:
      emit_project();
      return true;
    case StageKind::Dedupe:
      emit_dedupe();
      return true;
    case StageKind::Flatten:
      return emit_flatten();
    case StageKind::Aggregate:
      if (!stage_.follows.empty()) {
        emit_follow();
        return false;
      }
      if (graph::is_breaker(stage_)) {
        emit_windowed();
        return false;
      }
      emit_running();
      return true;
    case StageKind::Hold:
      emit_hold();
      return false;
    case StageKind::Match:
      emit_match();
      return false;
    case StageKind::Process:
      ProcessEmitter(module_, at_, stream_, index_).emit_event();
      return false;
    case StageKind::Join:
      JoinEmitter(module_, at_, stream_, index_).emit_arrival(state::JoinSide::Left);
      return false;
    case StageKind::Table:
      emit_table();
      return true;
    case StageKind::Lookup:
      emit_lookup();
      return true;
  }
  return true;
}

// ---- pieces

void StageEmitter::when(llvm::Value* condition, const std::function<void()>& body) {
  if (condition == nullptr) {
    body();
    return;
  }
  llvm::BasicBlock* inside = at_.block("when");
  llvm::BasicBlock* after = at_.block("after");
  at_.builder().CreateCondBr(condition, inside, after);
  at_.builder().SetInsertPoint(inside);
  body();
  at_.builder().CreateBr(after);
  at_.builder().SetInsertPoint(after);
}

llvm::Value* StageEmitter::offset(llvm::Value* pointer, uint64_t bytes) {
  return offset_by(at_.builder(), pointer, bytes);
}

llvm::Value* StageEmitter::store_view(int store) {
  B& b = at_.builder();
  size_t count = module_.graph().stores.size();
  llvm::Value* stores = at_.context_constant(offsetof(MutContext, stores), b.getPtrTy(), count * 8);
  const state::StoreDesc& desc = module_.graph().stores[static_cast<size_t>(store)].desc;
  StoreKind kind = desc.kind;
  return at_.constant(
      b.CreateLoad(b.getPtrTy(), offset_by(b, stores, static_cast<uint64_t>(store) * sizeof(void*))),
      kind == StoreKind::Panes      ? sizeof(MutWindow)
      : kind == StoreKind::Sessions ? sizeof(MutSessions)
      : state::has_top_gate(desc)   ? sizeof(MutTopGate)
                                    : sizeof(MutTable));
}

void StageEmitter::leave_unless(llvm::Value* condition) {
  llvm::BasicBlock* next = at_.block("kept");
  llvm::BasicBlock* dropped = at_.block("dropped");
  at_.builder().CreateCondBr(condition, next, dropped);
  at_.builder().SetInsertPoint(dropped);
  B& b = at_.builder();
  llvm::Value* counter =
      module_.tally().dropped(b, at_.counts, graph::error_site(module_.graph(), stream_, index_));
  b.CreateStore(b.CreateAdd(b.CreateLoad(b.getInt64Ty(), counter), b.getInt64(1)), counter);
  at_.builder().CreateRetVoid();
  at_.builder().SetInsertPoint(next);
}

void StageEmitter::commit() {
  for (const Commit& change : commits_) change();
  commits_.clear();
}

llvm::Value* StageEmitter::words_of(const Value& value, bool canonical) {
  B& b = at_.builder();
  std::vector<llvm::Value*> words = at_.words(value);
  typed::TypeRef scalar = value.type->kind == Kind::Optional ? value.type->element : value.type;
  if (canonical && (scalar->kind == Kind::Float || scalar->kind == Kind::F32)) {
    llvm::Value* number = b.CreateBitCast(words[0], b.getDoubleTy());
    words[0] = b.CreateCall(module_.helper("mut_key_float", b.getInt64Ty(), {b.getDoubleTy()}), {number});
    if (value.type->kind == Kind::Optional)
      words[0] = b.CreateSelect(value.present(), words[0], b.getInt64(0));
  }
  llvm::AllocaInst* out = at_.temporary(words.size() * 8 + 8);
  for (size_t i = 0; i < words.size(); ++i)
    b.CreateAlignedStore(words[i], offset(out, i * 8), llvm::Align(8));
  return out;
}

llvm::Value* StageEmitter::emit_key(const std::vector<typed::ExprPtr>& keys, const state::StoreDesc& desc,
                                    std::vector<Value>* values) {
  B& b = at_.builder();
  llvm::AllocaInst* out = at_.temporary(desc.key_words * 8U + 8U);
  for (size_t i = 0; i < keys.size(); ++i) {
    Value value = at_.emit(*keys[i]);
    bool lost = (MUT_DELIBERATE_FAULT(dedupe_one_key_less) && stage_.kind == StageKind::Dedupe && i > 0) ||
                (MUT_DELIBERATE_FAULT(prev_of_any_key) && stage_.kind == StageKind::Project);
    if (lost) value = zero(value.type, at_.function()->getContext());
    typed::TypeRef scalar = value.type->kind == Kind::Optional ? value.type->element : value.type;
    if (scalar->kind == Kind::Float || scalar->kind == Kind::F32)  // rule 3.10: -0.0 is the key 0.0
      value.parts[0] = b.CreateFAdd(value.parts[0], llvm::ConstantFP::get(value.parts[0]->getType(), 0.0));
    if (values != nullptr) values->push_back(value);
    llvm::Value* words = words_of(value, true);
    size_t count = at_.words(value).size();
    for (size_t w = 0; w < count; ++w) {
      llvm::Value* word = b.CreateAlignedLoad(b.getInt64Ty(), offset(words, w * 8), llvm::Align(8));
      b.CreateAlignedStore(word, offset(out, (desc.keys[i].word + w) * 8), llvm::Align(8));
    }
  }
  return out;
}

llvm::Value* StageEmitter::known_or(llvm::Value* known, llvm::Value* holds,
                                    const std::function<llvm::Value*()>& look) {
  B& b = at_.builder();
  llvm::BasicBlock* from = b.GetInsertBlock();
  llvm::BasicBlock* looks = at_.block("look");
  llvm::BasicBlock* have = at_.block("have");
  b.CreateCondBr(holds, have, looks, module_.weights(1 << 12, 1));
  b.SetInsertPoint(looks);
  llvm::Value* found = look();
  llvm::BasicBlock* looked = b.GetInsertBlock();
  b.CreateBr(have);
  b.SetInsertPoint(have);
  llvm::PHINode* out = b.CreatePHI(known->getType(), 2);
  out->addIncoming(known, from);
  out->addIncoming(found, looked);
  return out;
}

llvm::Value* StageEmitter::find_row(llvm::Value* table, llvm::Value* key, const state::StoreDesc& desc) {
  B& b = at_.builder();
  const char* finds = is_calm(at_.known_rows) ? "mut_table_find_or_insert_calm" : "mut_table_find_or_insert";
  auto find = [&]() -> llvm::Value* {
    llvm::Value* row = b.CreateCall(
        module_.helper(finds, b.getPtrTy(),
                       {b.getPtrTy(), b.getPtrTy(), b.getInt32Ty(), b.getInt64Ty(), b.getInt64Ty()}),
        {table, key, b.getInt32(desc.key_words), b.getInt64(desc.text_mask), b.getInt64(desc.row_size)});
    at_.check(b.CreateIsNotNull(row), EventError::Memory);
    return row;
  };
  if (desc.key_words > 0) return find();
  llvm::Value* only = b.CreateLoad(b.getPtrTy(), offset(table, offsetof(MutTable, only)));
  return known_or(only, b.CreateIsNotNull(only), find);
}

bool StageEmitter::is_in_frame(int store) const {
  return is_calm(at_.known_rows) && module_.tally().has_row(store);
}

llvm::Value* StageEmitter::row_of(int store, llvm::Value* table, llvm::Value* key) {
  if (is_in_frame(store)) return module_.tally().row(at_.builder(), at_.counts, store);
  return find_row(table, key, module_.graph().stores[static_cast<size_t>(store)].desc);
}

llvm::Value* StageEmitter::group_row(int store, llvm::Value* key) {
  B& b = at_.builder();
  const state::StoreDesc& desc = module_.graph().stores[static_cast<size_t>(store)].desc;
  llvm::Value* table = store_view(store);
  llvm::Value* row = row_of(store, table, key);
  if (desc.ttl != 0) {
    b.CreateCall(module_.helper("mut_group_age", b.getVoidTy(),
                                {b.getPtrTy(), b.getPtrTy(), b.getInt32Ty(), b.getPtrTy()}),
                 {at_.context(), table, b.getInt32(static_cast<uint32_t>(store)), row});
  }
  return row;
}

StageEmitter::Argument StageEmitter::emit_argument(const typed::AggregateCall& call) {
  B& b = at_.builder();
  Argument out;
  out.call = &call;
  if (call.filter) out.counts = at_.emit_condition(*call.filter);
  // Rule 4.7: what the filter lets go is not looked at.
  auto evaluate = [&](const typed::Expr& expr) {
    if (out.counts == nullptr || !graph::can_fail(expr)) return at_.emit(expr);
    llvm::LLVMContext& context = at_.function()->getContext();
    return at_.choose(out.counts, [&] { return at_.emit(expr); }, [&] { return zero(expr.type, context); });
  };
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    Value value = evaluate(*call.arguments[i]);
    // A parameter that takes no none: what is none is skipped.
    if (value.type->kind == Kind::Optional && call.own->parameter_types[i]->kind != Kind::Optional) {
      out.counts = out.counts == nullptr ? value.present() : b.CreateAnd(out.counts, value.present());
      value = slice(value, 0, value.type->element);
    }
    out.own.push_back(std::move(value));
  }
  if (call.order) out.order = evaluate(*call.order);
  if (!call.argument) return out;
  Value value = evaluate(*call.argument);
  if (value.type->kind != Kind::Optional) {
    out.value = value;
    return out;
  }
  out.value = slice(value, 0, value.type->element);
  out.counts = out.counts == nullptr ? value.present() : b.CreateAnd(out.counts, value.present());
  return out;
}

bool StageEmitter::counts_different(const state::CellDesc& desc) {
  return desc.fn == CellFn::Distinct || desc.fn == CellFn::ApproxDistinct;
}

// Rows that are keyed by numbers: their cells lie elsewhere than the description says.
state::CellDesc StageEmitter::in_row_of(uint32_t key_words, const state::StoreDesc& desc,
                                        const state::CellDesc& cell) {
  state::CellDesc out = cell;
  out.offset = out.offset + key_words * 8 - desc.key_words * 8;
  return out;
}

// Cells that live in their bytes alone.
bool StageEmitter::is_simple(const state::CellDesc& desc) {
  if (desc.fn == CellFn::Own) return true;
  bool value =
      desc.fn == CellFn::Min || desc.fn == CellFn::Max || desc.fn == CellFn::First || desc.fn == CellFn::Last;
  if (value && state::word_count(desc.kind) == 2) return false;
  return !state::owns_memory(desc) && desc.fn != CellFn::Distinct && desc.fn != CellFn::ArgMin &&
         desc.fn != CellFn::ArgMax && desc.fn != CellFn::Previous;
}

void StageEmitter::add_to_cell(const state::CellDesc& desc, uint32_t index, llvm::Value* table,
                               llvm::Value* row, llvm::Value* cell, const Argument& argument) {
  B& b = at_.builder();
  llvm::Type* pointer = b.getPtrTy();
  llvm::Type* word = b.getInt64Ty();
  llvm::Type* nothing = b.getVoidTy();
  auto number = [&] { return at_.words(argument.value)[0]; };
  auto real = [&] { return b.CreateBitCast(number(), b.getDoubleTy()); };
  switch (desc.fn) {
    case CellFn::Own:
      add_own(*argument.call->own, argument.own, cell, cell);
      return;
    case CellFn::Count:
      b.CreateCall(module_.helper("mut_count_add", nothing, {pointer}), {cell});
      return;
    case CellFn::IntSum:
      b.CreateCall(module_.helper("mut_isum_add", nothing, {pointer, word}), {cell, number()});
      return;
    case CellFn::DecimalSum:
    case CellFn::DecimalAvg: {
      std::vector<llvm::Value*> words = at_.words(argument.value);
      b.CreateCall(module_.helper("mut_dsum_add", nothing, {pointer, word, word}),
                   {cell, words[0], words[1]});
      return;
    }
    case CellFn::FloatSum:
    case CellFn::Avg:
      b.CreateCall(module_.helper("mut_fsum_add", nothing, {pointer, b.getDoubleTy()}), {cell, real()});
      return;
    case CellFn::Variance:
    case CellFn::VarianceSample:
    case CellFn::Stddev:
    case CellFn::StddevSample:
      b.CreateCall(module_.helper("mut_moments_add", nothing, {pointer, b.getDoubleTy()}), {cell, real()});
      return;
    case CellFn::Any:
    case CellFn::All:
      b.CreateCall(module_.helper("mut_bool_add", nothing, {pointer, b.getInt8Ty()}),
                   {cell, b.CreateTrunc(number(), b.getInt8Ty())});
      return;
    case CellFn::Distinct:
      b.CreateCall(module_.helper("mut_distinct_add", nothing, {pointer, pointer, b.getInt32Ty(), pointer}),
                   {table, row, b.getInt32(index), words_of(argument.value, true)});
      return;
    default:
      break;
  }
  if (is_simple(desc)) {
    if (desc.fn == CellFn::First || desc.fn == CellFn::Last) {
      b.CreateCall(module_.helper(desc.fn == CellFn::First ? "mut_first_add" : "mut_last_add", nothing,
                                  {pointer, word, word}),
                   {cell, number(), MUT_DELIBERATE_FAULT(last_by_arrival) ? b.getInt64(0) : at_.time});
      return;
    }
    std::string name = desc.fn == CellFn::Min ? "mut_min_add_" : "mut_max_add_";
    name += desc.kind == WordKind::Float ? 'f' : desc.kind == WordKind::Unsigned ? 'u' : 's';
    b.CreateCall(module_.helper(name.c_str(), nothing, {pointer, word}), {cell, number()});
    return;
  }
  llvm::Value* order =
      argument.order.empty() ? llvm::ConstantPointerNull::get(b.getPtrTy()) : words_of(argument.order, false);
  b.CreateCall(
      module_.helper("mut_cell_add", nothing, {pointer, pointer, b.getInt32Ty(), pointer, pointer, word}),
      {table, row, b.getInt32(index), words_of(argument.value, counts_different(desc)), order, at_.time});
}

bool StageEmitter::is_calm_extreme(const state::CellDesc& desc) {
  return (desc.fn == CellFn::Min || desc.fn == CellFn::Max) && desc.kind == WordKind::Signed;
}

void StageEmitter::add_in_frame(const state::CellDesc& desc, uint32_t index, llvm::Value* table,
                                llvm::Value* row, const Argument& argument) {
  B& b = at_.builder();
  llvm::Value* cell = offset(row, desc.offset);
  if (!is_calm_extreme(desc)) return add_to_cell(desc, index, table, row, cell, argument);
  b.CreateCall(module_.helper(desc.fn == CellFn::Min ? "mut_min_add_calm" : "mut_max_add_calm", b.getVoidTy(),
                              {b.getPtrTy(), b.getInt64Ty()}),
               {cell, at_.words(argument.value)[0]});
}

// `status`: 0 none, 1 a result, 2 overflow.
StageResult StageEmitter::result_from(llvm::Value* status, llvm::Value* memory, typed::TypeRef type) {
  B& b = at_.builder();
  typed::TypeRef inner = type->kind == Kind::Optional ? type->element : type;
  Value out = at_.from_words(inner, memory);
  llvm::Value* present = b.CreateICmpEQ(status, b.getInt32(1));
  if (inner->kind == Kind::String || inner->kind == Kind::Bytes || inner->kind == Kind::Json) {
    // The text may live in a cell that a later event of the batch changes.
    llvm::Value* size =
        b.CreateSelect(present, b.CreateAnd(out.parts[0], b.getInt64(0xFFFFFFFFU)), b.getInt64(0));
    out.parts[1] = b.CreateCall(
        module_.helper("mut_arena_copy", b.getPtrTy(), {b.getPtrTy(), b.getPtrTy(), b.getInt64Ty()}),
        {at_.context(), out.parts[1], size});
  }
  llvm::Value* overflow = b.CreateICmpEQ(status, b.getInt32(2));
  if (type->kind != Kind::Optional) return {out, overflow};
  out.type = type;
  out.parts.push_back(present);
  return {out, overflow};
}

// The same of a list, or of a text that was made for this.
StageResult StageEmitter::list_from(llvm::Value* status, llvm::Value* memory, typed::TypeRef type) {
  B& b = at_.builder();
  typed::TypeRef inner = type->kind == Kind::Optional ? type->element : type;
  Value out = load(b, inner, module_.layout(inner), memory);
  if (type->kind != Kind::Optional) return {out};
  out.type = type;
  out.parts.push_back(b.CreateICmpEQ(status, b.getInt32(1)));
  return {out};
}

StageResult StageEmitter::kept_result(const state::CellDesc& cell, uint32_t index, llvm::Value* table,
                                      llvm::Value* row, const typed::AggregateCall& call) {
  B& b = at_.builder();
  llvm::Type* pointer = b.getPtrTy();
  llvm::AllocaInst* out = at_.temporary(16);
  if (state::gives_list(cell.fn)) {
    llvm::Value* status = b.CreateCall(module_.helper("mut_list_result", b.getInt32Ty(),
                                                      {pointer, pointer, pointer, b.getInt32Ty(), pointer}),
                                       {at_.context(), table, row, b.getInt32(index), out});
    return list_from(status, out, call.result);
  }
  llvm::Value* status = b.CreateCall(
      module_.helper("mut_cell_result", b.getInt32Ty(), {pointer, pointer, b.getInt32Ty(), pointer}),
      {table, row, b.getInt32(index), out});
  return result_from(status, out, call.result);
}

StageResult StageEmitter::result_with(const state::CellDesc& cell, uint32_t index, llvm::Value* table,
                                      llvm::Value* row, const Argument& argument) {
  B& b = at_.builder();
  llvm::Type* pointer = b.getPtrTy();
  llvm::Value* value = words_of(argument.value, counts_different(cell));
  typed::TypeRef type = argument.call->result;
  if (cell.fn == CellFn::Distinct) {
    llvm::Value* count = b.CreateCall(
        module_.helper("mut_distinct_peek", b.getInt64Ty(), {pointer, pointer, b.getInt32Ty(), pointer}),
        {table, row, b.getInt32(index), value});
    return {{type, {count}}};
  }
  llvm::AllocaInst* out = at_.temporary(16);
  if (state::gives_list(cell.fn)) {
    llvm::Value* status = b.CreateCall(
        module_.helper("mut_list_peek", b.getInt32Ty(),
                       {pointer, pointer, pointer, b.getInt32Ty(), pointer, b.getInt64Ty(), pointer}),
        {at_.context(), table, row, b.getInt32(index), value, at_.time, out});
    return list_from(status, out, type);
  }
  llvm::Value* order =
      argument.order.empty() ? llvm::ConstantPointerNull::get(b.getPtrTy()) : words_of(argument.order, false);
  llvm::Value* status = b.CreateCall(
      module_.helper("mut_cell_peek", b.getInt32Ty(),
                     {pointer, pointer, b.getInt32Ty(), pointer, pointer, b.getInt64Ty(), pointer}),
      {table, row, b.getInt32(index), value, order, at_.time, out});
  return result_from(status, out, type);
}

// Cells that grow with what they see: the event fails before it has changed anything.
void StageEmitter::need_room(int store, llvm::Value* table, llvm::Value* key,
                             const std::vector<Argument>& arguments) {
  B& b = at_.builder();
  const state::StoreDesc& desc = module_.graph().stores[static_cast<size_t>(store)].desc;
  bool grows = false;
  llvm::Value* bytes = b.getInt64(0);
  for (size_t i = 0; i < desc.cells.size(); ++i) {
    bool distinct = desc.cells[i].fn == CellFn::Distinct;
    if (!distinct && !state::keeps_values(desc.cells[i].fn)) continue;
    grows = true;
    bool texts = distinct || state::gives_list(desc.cells[i].fn);
    if (!texts || desc.cells[i].kind != WordKind::Text) continue;
    llvm::Value* size = b.CreateAnd(at_.words(arguments[i].value)[0], b.getInt64(0xFFFFFFFFU));
    if (arguments[i].counts != nullptr) size = b.CreateSelect(arguments[i].counts, size, b.getInt64(0));
    bytes = b.CreateAdd(bytes, size);
  }
  if (!grows) return;
  llvm::Value* room = b.CreateCall(
      module_.helper(
          "mut_room", b.getInt32Ty(),
          {b.getPtrTy(), b.getInt32Ty(), b.getPtrTy(), b.getPtrTy(), b.getInt64Ty(), b.getInt64Ty()}),
      {at_.context(), b.getInt32(static_cast<uint32_t>(store)), table, key, at_.time, bytes});
  at_.check(b.CreateICmpNE(room, b.getInt32(0)), EventError::Memory);
}

StageResult StageEmitter::choose_result(llvm::Value* condition,
                                        const std::function<StageResult()>& then_result,
                                        const std::function<StageResult()>& else_result) {
  // Whether it fits goes along as a part of its own.
  auto with_overflow = [&](const StageResult& result) {
    Value out = result.value;
    out.parts.push_back(result.overflow != nullptr ? result.overflow : at_.builder().getFalse());
    return out;
  };
  Value both = at_.choose(
      condition, [&] { return with_overflow(then_result()); }, [&] { return with_overflow(else_result()); });
  llvm::Value* overflow = both.parts.back();
  both.parts.pop_back();
  return {both, overflow};
}

StageResult StageEmitter::number_result(const state::CellDesc& desc, const typed::AggregateCall& call,
                                        llvm::Value* cell) {
  B& b = at_.builder();
  llvm::Type* pointer = b.getPtrTy();
  llvm::Type* real = b.getDoubleTy();
  auto word_at = [&](uint64_t bytes) {
    return b.CreateAlignedLoad(b.getInt64Ty(), offset(cell, bytes), llvm::Align(8));
  };
  auto maybe = [&](Value value, llvm::Value* present) {
    if (call.result->kind != Kind::Optional) return value;
    value.type = call.result;
    value.parts.push_back(present);
    return value;
  };
  typed::TypeRef inner = call.result->kind == Kind::Optional ? call.result->element : call.result;
  auto positive = [&](uint64_t bytes) { return b.CreateICmpSGT(word_at(bytes), b.getInt64(0)); };
  auto call_real = [&](const char* name) {
    return Value{inner, {b.CreateCall(module_.helper(name, real, {pointer}), {cell})}};
  };
  switch (desc.fn) {
    case CellFn::Own:
      return {own_result(at_, *call.own, own_state(*call.own, cell))};
    case CellFn::Count:
      return {{inner, {word_at(0)}}};
    case CellFn::IntSum: {
      llvm::Value* fits = b.CreateCall(module_.helper("mut_isum_fits", b.getInt32Ty(), {pointer}), {cell});
      if (MUT_DELIBERATE_FAULT(sum_wraps)) fits = b.getInt32(1);
      return {{inner, {word_at(0)}}, b.CreateICmpEQ(fits, b.getInt32(0))};
    }
    case CellFn::DecimalSum:
    case CellFn::DecimalAvg: {
      llvm::AllocaInst* out = at_.temporary(16);
      const char* name = desc.fn == CellFn::DecimalSum ? "mut_dsum_total" : "mut_dsum_mean";
      llvm::Value* status =
          b.CreateCall(module_.helper(name, b.getInt32Ty(), {pointer, pointer}), {cell, out});
      return result_from(status, out, call.result);
    }
    case CellFn::FloatSum:
      return {call_real("mut_fsum_value")};
    case CellFn::Avg:
      return {maybe(call_real("mut_fsum_mean"), positive(16))};
    case CellFn::Variance:
      return {maybe(call_real("mut_moments_variance"), positive(0))};
    case CellFn::Stddev:
      return {maybe(call_real("mut_moments_stddev"), positive(0))};
    case CellFn::VarianceSample:
      return {maybe(call_real("mut_moments_variance_sample"), b.CreateICmpSGT(word_at(0), b.getInt64(1)))};
    case CellFn::StddevSample:
      return {maybe(call_real("mut_moments_stddev_sample"), b.CreateICmpSGT(word_at(0), b.getInt64(1)))};
    case CellFn::Any:
    case CellFn::All: {
      llvm::Value* value = b.CreateICmpNE(word_at(desc.fn == CellFn::Any ? 8 : 16), b.getInt64(0));
      return {maybe({inner, {value}}, positive(0))};
    }
    case CellFn::Min:
    case CellFn::Max:
      return {maybe(at_.from_words(inner, cell), positive(8))};
    default:  // First, Last
      return {maybe(at_.from_words(inner, cell), b.CreateICmpEQ(word_at(24), b.getInt64(1)))};
  }
}

void StageEmitter::touch(const state::StoreDesc& desc, llvm::Value* row) {
  if (!state::is_aged(desc)) return;
  B& b = at_.builder();
  llvm::Value* last = offset(row, desc.row_size - 8);
  if (at_.known_rows == Known::CalmInOrder || at_.known_rows == Known::CalmQuiet) {  // put_rows() compares
    b.CreateAlignedStore(at_.time, last, llvm::Align(8));
    return;
  }
  llvm::Value* known = b.CreateAlignedLoad(b.getInt64Ty(), last, llvm::Align(8));
  b.CreateAlignedStore(b.CreateSelect(b.CreateICmpSGT(at_.time, known), at_.time, known), last,
                       llvm::Align(8));
}

// ---- stages

}  // namespace mut::codegen
