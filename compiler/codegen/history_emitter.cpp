// History of events: `over last …`, `over all`, prev, delta, changed. Every history sees the event
// before the expressions are evaluated, and keeps it only when the whole stage succeeds.
#include <algorithm>
#include <map>

#include "compiler/codegen/stage_emitter.h"

namespace mut::codegen {

using state::CellFn;
using state::StoreKind;
using typed::EventError;
using typed::Kind;

// All arguments first, in order; then what is known of them. So the error of an argument is that of the
// event, whatever the stores do.
void StageEmitter::emit_histories() {
  at_.stage = {};
  at_.stage.histories.resize(stage_.histories.size());
  std::vector<std::function<void()>> rest;
  for (int store : module_.graph().stage_stores[static_cast<size_t>(stream_)][static_cast<size_t>(index_)]) {
    const graph::StoreNode& node = module_.graph().stores[static_cast<size_t>(store)];
    if (node.desc.kind == StoreKind::Ring) {
      rest.push_back(emit_rings(node, store));
    } else if (node.desc.kind == StoreKind::Groups) {
      rest.push_back(emit_group_history(node, store));
    }
  }
  for (const auto& each : rest) each();
}

std::function<void()> StageEmitter::emit_rings(const graph::StoreNode& node, int store) {
  llvm::IRBuilder<>& b = at_.builder();
  const state::StoreDesc& desc = node.desc;
  llvm::Value* key = emit_key(stage_.histories[static_cast<size_t>(node.histories[0])].keys, desc, nullptr);
  // One sample for all cells of the ring: each column once.
  llvm::AllocaInst* sample = at_.temporary(desc.sample_words * 8U);
  b.CreateAlignedStore(at_.time, sample, llvm::Align(8));
  b.CreateAlignedStore(b.getInt64(0), offset(sample, 8), llvm::Align(8));
  llvm::Value* mask = b.getInt64(0);
  std::map<int, bool> done;
  std::vector<Argument> arguments(desc.cells.size());
  for (size_t i = 0; i < desc.cells.size(); ++i) {
    int column = node.columns[i];
    const typed::AggregateCall& call = stage_.histories[static_cast<size_t>(node.histories[i])].call;
    if (done[column] && call.own == nullptr) continue;
    Argument argument = emit_argument(call);
    arguments[i] = argument;
    if (done[column]) continue;
    done[column] = true;
    uint64_t bits = (~uint64_t{0} >> (64 - desc.cells[i].columns)) << column;
    llvm::Value* bit = b.getInt64(bits);
    mask = b.CreateOr(mask,
                      argument.counts == nullptr ? bit : b.CreateSelect(argument.counts, bit, b.getInt64(0)));
    uint32_t word = desc.columns[static_cast<size_t>(column)].word;
    std::vector<llvm::Value*> words;
    for (const Value& value : argument.own) {
      for (llvm::Value* each : kept_words(at_, value, argument.counts)) words.push_back(each);
    }
    if (!argument.value.empty()) words = at_.words(argument.value);
    if (words.empty()) words.push_back(b.getInt64(0));
    for (size_t w = 0; w < words.size(); ++w)
      b.CreateAlignedStore(words[w], offset(sample, (word + w) * 8), llvm::Align(8));
  }
  b.CreateAlignedStore(mask, offset(sample, 16), llvm::Align(8));
  return [=, this, &node] { query_rings(node, store, key, sample, arguments); };
}

void StageEmitter::query_rings(const graph::StoreNode& node, int store, llvm::Value* key, llvm::Value* sample,
                               const std::vector<Argument>& arguments) {
  llvm::IRBuilder<>& b = at_.builder();
  llvm::Type* pointer = b.getPtrTy();
  const state::StoreDesc& desc = node.desc;
  llvm::Value* table = store_view(store);
  llvm::Value* owner = b.CreateCall(module_.helper("mut_store_of", pointer, {pointer, b.getInt32Ty()}),
                                    {at_.context(), b.getInt32(static_cast<uint32_t>(store))});
  llvm::Value* row = find_row(table, key, desc);
  if (desc.ttl != 0)
    b.CreateCall(module_.helper("mut_ring_age", b.getVoidTy(), {pointer, pointer}), {owner, row});
  bool texts = std::any_of(desc.columns.begin(), desc.columns.end(), [](const state::ColumnDesc& column) {
    return column.kind == state::WordKind::Text;
  });
  if (texts) {
    llvm::Value* fits = b.CreateCall(
        module_.helper("mut_ring_room", b.getInt32Ty(), {pointer, pointer, pointer}), {owner, row, sample});
    at_.check(b.CreateICmpNE(fits, b.getInt32(0)), EventError::Memory);
  }
  for (uint32_t i = 0; i < desc.cells.size(); ++i) {
    auto index = static_cast<size_t>(node.histories[i]);
    const typed::History& history = stage_.histories[index];
    if (history.call.own != nullptr) {
      at_.stage.histories[index] = {own_over_ring(node, i, row, owner, sample, arguments[i])};
      continue;
    }
    llvm::AllocaInst* out = at_.temporary(16);
    llvm::Value* status = b.CreateCall(
        module_.helper("mut_ring_query", b.getInt32Ty(),
                       {pointer, pointer, b.getInt32Ty(), pointer, b.getInt32Ty(), pointer, pointer}),
        {at_.context(), row, b.getInt32(i), sample, b.getInt32(history.excluding_current ? 1 : 0), owner,
         out});
    at_.stage.histories[index] = state::gives_list(desc.cells[i].fn)
                                     ? list_from(status, out, history.call.result)
                                     : result_from(status, out, history.call.result);
  }
  commits_.push_back([=, this] {
    llvm::IRBuilder<>& builder = at_.builder();
    llvm::Value* kept =
        builder.CreateCall(module_.helper("mut_ring_push", builder.getInt32Ty(), {pointer, pointer, pointer}),
                           {owner, row, sample});
    at_.check(builder.CreateICmpNE(kept, builder.getInt32(0)), EventError::Memory);
  });
}

std::function<void()> StageEmitter::emit_group_history(const graph::StoreNode& node, int store) {
  const typed::History& history = stage_.histories[static_cast<size_t>(node.histories[0])];
  llvm::Value* key = emit_key(history.keys, node.desc, nullptr);
  if (history.over == typed::OverKind::Previous) {
    Value now = at_.emit(*history.call.argument);
    return [=, this, &node, &history] {
      llvm::Value* row = group_row(store, key);
      at_.stage.histories[static_cast<size_t>(node.histories[0])] =
          emit_previous(store_view(store), row, history, now);
      commits_.push_back([=, this, &node] { touch(node.desc, row); });
    };
  }
  Argument argument = emit_argument(history.call);
  return [=, this, &node] { query_group(node, store, key, argument); };
}

void StageEmitter::query_group(const graph::StoreNode& node, int store, llvm::Value* key,
                               const Argument& argument) {
  const state::StoreDesc& desc = node.desc;
  const state::CellDesc& cell = desc.cells[0];
  auto index = static_cast<size_t>(node.histories[0]);
  const typed::History& history = stage_.histories[index];
  llvm::Value* table = store_view(store);
  need_room(store, table, key, {argument});
  llvm::Value* row = group_row(store, key);
  auto current = [&](llvm::Value* at) {
    if (is_simple(cell)) return number_result(cell, history.call, at);
    return kept_result(cell, 0, table, row, history.call);
  };
  llvm::Value* in_place = offset(row, cell.offset);
  if (is_simple(cell)) {
    llvm::AllocaInst* copy = at_.temporary(cell.size);
    copy_cell(cell, 0, table, row, copy);
    if (history.excluding_current) at_.stage.histories[index] = current(copy);
    when(argument.counts, [&] { add_to_cell(cell, 0, table, row, copy, argument); });
    if (!history.excluding_current) at_.stage.histories[index] = current(copy);
    if (cell.fn == CellFn::Own && state::owns_memory(cell))
      need_own_room(store, own_growth(store, table, row, 0, copy));
    commits_.push_back([=, this, &desc, &cell] {
      keep_cell(cell, 0, table, row, copy);
      touch(desc, row);
    });
    return;
  }
  auto with_event = [&] { return result_with(cell, 0, table, row, argument); };
  if (history.excluding_current && cell.fn != CellFn::Rank) {
    at_.stage.histories[index] = current(in_place);
  } else if (argument.counts == nullptr) {
    at_.stage.histories[index] = with_event();
  } else {
    at_.stage.histories[index] =
        choose_result(argument.counts, with_event, [&] { return current(in_place); });
  }
  commits_.push_back([=, this, &desc, &cell] {
    when(argument.counts, [&] { add_to_cell(cell, 0, table, row, in_place, argument); });
    touch(desc, row);
  });
}

StageResult StageEmitter::emit_previous(llvm::Value* table, llvm::Value* row, const typed::History& history,
                                        const Value& now) {
  llvm::IRBuilder<>& b = at_.builder();
  llvm::Type* pointer = b.getPtrTy();
  llvm::LLVMContext& context = at_.function()->getContext();
  typed::TypeRef inner = now.type->kind == Kind::Optional ? now.type->element : now.type;
  llvm::AllocaInst* out = at_.temporary(16);
  b.CreateMemSet(out, b.getInt8(0), 16, llvm::MaybeAlign(8));
  llvm::Value* state = b.CreateCall(
      module_.helper("mut_previous_load", b.getInt32Ty(), {pointer, pointer, b.getInt32Ty(), pointer}),
      {table, row, b.getInt32(0), out});
  Value before = at_.from_words(inner, out);
  llvm::Value* had_value = b.CreateICmpEQ(state, b.getInt32(1));
  Value result;
  llvm::Value* overflow = nullptr;
  switch (history.call.fn) {
    case typed::AggregateFn::Prev:
      result = before;
      // The text lives in the cell, which is overwritten below.
      if (inner->kind == Kind::String || inner->kind == Kind::Bytes) {
        llvm::Value* size = b.CreateAnd(before.parts[0], b.getInt64(0xFFFFFFFFU));
        result.parts[1] =
            b.CreateCall(module_.helper("mut_arena_copy", pointer, {pointer, pointer, b.getInt64Ty()}),
                         {at_.context(), before.parts[1], b.CreateSelect(had_value, size, b.getInt64(0))});
      }
      result.type = history.call.result;
      result.parts.push_back(had_value);
      break;
    case typed::AggregateFn::Delta: {
      StageResult delta = choose_result(
          had_value,
          [&]() -> StageResult {
            Value difference{history.call.result, {}};
            llvm::Value* too_far = nullptr;
            if (inner->kind == Kind::Decimal) {
              llvm::AllocaInst* units = at_.temporary(16);
              llvm::Value* error = at_.subtract_decimals(now, before, units);
              too_far = b.CreateICmpNE(error, b.getInt32(0));
              difference.parts.push_back(b.CreateAlignedLoad(b.getInt128Ty(), units, llvm::Align(8)));
            } else if (inner->kind == Kind::Float) {
              difference.parts.push_back(b.CreateFSub(now.part(), before.part()));
            } else {
              llvm::Value* pair =
                  b.CreateBinaryIntrinsic(llvm::Intrinsic::ssub_with_overflow, now.part(), before.part());
              too_far = b.CreateExtractValue(pair, 1);
              difference.parts.push_back(b.CreateExtractValue(pair, 0));
            }
            difference.parts.push_back(b.getTrue());
            return {difference, too_far};
          },
          [&] { return StageResult{zero(history.call.result, context)}; });
      result = delta.value;
      overflow = delta.overflow;
      break;
    }
    default: {  // changed
      llvm::Value* first = b.CreateICmpEQ(state, b.getInt32(0));
      Value was{now.type, before.parts};
      if (now.type->kind == Kind::Optional) was.parts.push_back(had_value);
      typed::TypeRef boolean = history.call.result;
      result = at_.choose(
          first, [&] { return Value{boolean, {b.getTrue()}}; },
          [&] { return Value{boolean, {b.CreateNot(at_.equal(now, was))}}; });
    }
  }
  llvm::Value* present =
      now.type->kind == Kind::Optional ? b.CreateZExt(now.present(), b.getInt32Ty()) : b.getInt32(1);
  Value plain = now.type->kind == Kind::Optional ? slice(now, 0, inner) : now;
  llvm::Value* words = words_of(plain, false);
  commits_.push_back([=, this] {
    llvm::IRBuilder<>& builder = at_.builder();
    builder.CreateCall(
        module_.helper("mut_previous_store", builder.getVoidTy(),
                       {pointer, pointer, builder.getInt32Ty(), pointer, builder.getInt32Ty()}),
        {table, row, builder.getInt32(0), words, present});
  });
  return {result, overflow};
}

}  // namespace mut::codegen
