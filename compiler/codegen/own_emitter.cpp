// Aggregates of the script. In a cell lie the number of events and the words of the state; while there is no
// event the state is the initial one.
#include "compiler/codegen/stage_emitter.h"

namespace mut::codegen {

using typed::EventError;
using typed::Kind;
using typed::OwnAggregate;
using typed::OwnState;

namespace {

uint64_t word_count(typed::TypeRef type) {
  if (!typed::is_kept_as_words(type)) return 2;
  if (type->kind == Kind::Optional) return word_count(type->element) + 1;
  if (type->kind == Kind::Secret) return word_count(type->element);
  bool two = type->kind == Kind::String || type->kind == Kind::Bytes || type->kind == Kind::Json ||
             type->kind == Kind::Decimal;
  return two ? 2 : 1;
}

}  // namespace

uint64_t own_bytes(const OwnAggregate& own) {
  uint64_t words = 1;
  for (const OwnState& state : own.states) words += word_count(state.type);
  return words * 8;
}

std::vector<Value> own_initial(FunctionEmitter& at, const OwnAggregate& own) {
  std::vector<Value> out;
  for (const OwnState& state : own.states) out.push_back(at.emit(*state.initial));
  return out;
}

Value own_word(FunctionEmitter& at, typed::TypeRef type, llvm::Value* memory) {
  llvm::IRBuilder<>& b = at.builder();
  if (!typed::is_kept_as_words(type)) {
    llvm::Value* value = b.CreateAlignedLoad(b.getPtrTy(), offset_by(b, memory, 8), llvm::Align(8));
    return load(b, type, at.module().layout(type), value);
  }
  if (type->kind != Kind::Optional) return at.from_words(type, memory);
  Value out = at.from_words(type->element, memory);
  llvm::Value* present = b.CreateAlignedLoad(
      b.getInt64Ty(), offset_by(b, memory, word_count(type->element) * 8), llvm::Align(8));
  out.type = type;
  out.parts.push_back(b.CreateICmpNE(present, b.getInt64(0)));
  return out;
}

void store_own_word(FunctionEmitter& at, const Value& value, llvm::Value* memory) {
  llvm::IRBuilder<>& b = at.builder();
  std::vector<llvm::Value*> words;
  if (typed::is_kept_as_words(value.type)) {
    words = at.words(value);
  } else {
    words = {b.getInt64(0), b.CreatePtrToInt(at.spill(value), b.getInt64Ty())};
  }
  for (size_t w = 0; w < words.size(); ++w)
    b.CreateAlignedStore(words[w], offset_by(b, memory, w * 8), llvm::Align(8));
}

// What `loaded` gives when there are events, else the initial state.
std::vector<Value> own_or_initial(FunctionEmitter& at, const OwnAggregate& own, llvm::Value* events,
                                  const std::function<std::vector<Value>()>& loaded) {
  llvm::IRBuilder<>& b = at.builder();
  auto joined = [](const std::vector<Value>& values) {
    Value out;
    for (const Value& value : values)
      out.parts.insert(out.parts.end(), value.parts.begin(), value.parts.end());
    return out;
  };
  Value all = at.choose(
      b.CreateICmpNE(events, b.getInt64(0)), [&] { return joined(loaded()); },
      [&] { return joined(own_initial(at, own)); });
  std::vector<Value> out;
  size_t first = 0;
  for (const OwnState& state : own.states) {
    out.push_back(slice(all, first, state.type));
    first += part_count(state.type);
  }
  return out;
}

Value own_result(FunctionEmitter& at, const OwnAggregate& own, const std::vector<Value>& states) {
  for (size_t i = 0; i < states.size(); ++i) at.bind(own.states[i].local, states[i]);
  for (const auto& [local, value] : own.constants) at.bind(local, at.emit(*value));
  return at.emit(*own.result);
}

std::vector<Value> own_state_at(FunctionEmitter& at, const OwnAggregate& own, llvm::Value* cell) {
  llvm::IRBuilder<>& b = at.builder();
  llvm::Value* events = b.CreateAlignedLoad(b.getInt64Ty(), cell, llvm::Align(8));
  return own_or_initial(at, own, events, [&] {
    std::vector<Value> out;
    uint64_t bytes = 8;
    for (const OwnState& state : own.states) {
      out.push_back(own_word(at, state.type, offset_by(b, cell, bytes)));
      bytes += word_count(state.type) * 8;
    }
    return out;
  });
}

std::vector<Value> StageEmitter::own_state(const OwnAggregate& own, llvm::Value* cell) {
  return own_state_at(at_, own, cell);
}

void StageEmitter::copy_cell(const state::CellDesc& desc, uint32_t index, llvm::Value* table,
                             llvm::Value* row, llvm::Value* copy) {
  B& b = at_.builder();
  if (!state::owns_memory(desc)) {
    b.CreateMemCpy(copy, llvm::Align(8), offset(row, desc.offset), llvm::Align(8), desc.size);
    return;
  }
  llvm::Type* pointer = b.getPtrTy();
  b.CreateCall(
      module_.helper("mut_own_load", b.getVoidTy(), {pointer, pointer, pointer, b.getInt32Ty(), pointer}),
      {at_.context(), table, row, b.getInt32(index), copy});
}

void StageEmitter::keep_cell(const state::CellDesc& desc, uint32_t index, llvm::Value* table,
                             llvm::Value* row, llvm::Value* copy) {
  B& b = at_.builder();
  if (!state::owns_memory(desc)) {
    b.CreateMemCpy(offset(row, desc.offset), llvm::Align(8), copy, llvm::Align(8), desc.size);
    return;
  }
  llvm::Type* pointer = b.getPtrTy();
  b.CreateCall(module_.helper("mut_own_store", b.getVoidTy(), {pointer, pointer, b.getInt32Ty(), pointer}),
               {table, row, b.getInt32(index), copy});
}

llvm::Value* StageEmitter::own_growth(int store, llvm::Value* table, llvm::Value* row, uint32_t index,
                                      llvm::Value* copy) {
  B& b = at_.builder();
  llvm::Type* pointer = b.getPtrTy();
  llvm::Type* half = b.getInt32Ty();
  return b.CreateCall(
      module_.helper("mut_own_growth", b.getInt64Ty(), {pointer, half, pointer, pointer, half, pointer}),
      {at_.context(), b.getInt32(static_cast<uint32_t>(store)), table, row, b.getInt32(index), copy});
}

void StageEmitter::add_growth(int store, llvm::Value* table, llvm::Value* row, OwnAhead& own) {
  B& b = at_.builder();
  const state::StoreDesc& desc = module_.graph().stores[static_cast<size_t>(store)].desc;
  for (uint32_t i = 0; i < desc.cells.size(); ++i) {
    if (own.copies[i] == nullptr || !state::owns_memory(desc.cells[i])) continue;
    llvm::Value* growth = own_growth(store, table, row, i, own.copies[i]);
    own.growth = own.growth == nullptr ? growth : b.CreateAdd(own.growth, growth);
  }
}

void StageEmitter::need_own_room(int store, llvm::Value* growth) {
  if (growth == nullptr) return;
  B& b = at_.builder();
  // Mostly a piece is followed by one of its size.
  when(b.CreateICmpNE(growth, b.getInt64(0)), [&] {
    llvm::Value* room = b.CreateCall(
        module_.helper("mut_own_room", b.getInt32Ty(), {b.getPtrTy(), b.getInt32Ty(), b.getInt64Ty()}),
        {at_.context(), b.getInt32(static_cast<uint32_t>(store)), growth});
    at_.check(b.CreateICmpNE(room, b.getInt32(0)), EventError::Memory);
  });
}

void own_add(FunctionEmitter& at, const OwnAggregate& own, const std::vector<Value>& event, llvm::Value* from,
             llvm::Value* to) {
  llvm::IRBuilder<>& b = at.builder();
  std::vector<Value> states = own_state_at(at, own, from);
  llvm::Value* events = b.CreateAlignedLoad(b.getInt64Ty(), from, llvm::Align(8));
  for (size_t i = 0; i < states.size(); ++i) at.bind(own.states[i].local, states[i]);
  for (const auto& [local, value] : own.constants) at.bind(local, at.emit(*value));
  for (size_t i = 0; i < event.size(); ++i) at.bind(own.parameters[i], event[i]);
  std::vector<Value> next;
  for (const typed::ExprPtr& value : own.add) next.push_back(at.emit(*value));
  b.CreateAlignedStore(b.CreateAdd(events, b.getInt64(1)), to, llvm::Align(8));
  uint64_t bytes = 8;
  for (const Value& value : next) {
    store_own_word(at, value, offset_by(b, to, bytes));
    bytes += word_count(value.type) * 8;
  }
}

void StageEmitter::add_own(const OwnAggregate& own, const std::vector<Value>& event, llvm::Value* from,
                           llvm::Value* to) {
  own_add(at_, own, event, from, to);
}

void StageEmitter::merge_own(const OwnAggregate& own, llvm::Value* into, llvm::Value* other) {
  B& b = at_.builder();
  auto events_at = [&](llvm::Value* cell) {
    return b.CreateAlignedLoad(b.getInt64Ty(), cell, llvm::Align(8));
  };
  llvm::Value* more = events_at(other);
  // A state without events is that of an aggregate that an edit added, or whose `where` took none.
  when(b.CreateICmpNE(more, b.getInt64(0)), [&] {
    auto joined = [](const std::vector<Value>& values) {
      Value out;
      for (const Value& value : values)
        out.parts.insert(out.parts.end(), value.parts.begin(), value.parts.end());
      return out;
    };
    Value theirs = joined(own_state(own, other));
    Value all = at_.choose(
        b.CreateICmpNE(events_at(into), b.getInt64(0)),
        [&] {
          std::vector<Value> states = own_state(own, into);
          for (size_t i = 0; i < states.size(); ++i) at_.bind(own.states[i].local, states[i]);
          for (const auto& [local, value] : own.constants) at_.bind(local, at_.emit(*value));
          at_.bind(own.other, {own.other_type, theirs.parts});
          std::vector<Value> next;
          for (const typed::ExprPtr& value : own.merge) next.push_back(at_.emit(*value));
          return joined(next);
        },
        [&] { return theirs; });
    b.CreateAlignedStore(b.CreateAdd(events_at(into), more), into, llvm::Align(8));
    uint64_t bytes = 8;
    size_t first = 0;
    for (const OwnState& state : own.states) {
      store_own_word(at_, slice(all, first, state.type), offset(into, bytes));
      bytes += word_count(state.type) * 8;
      first += part_count(state.type);
    }
  });
}

StageEmitter::OwnAhead StageEmitter::own_of_sessions(int store, llvm::Value* key,
                                                     const std::vector<Argument>& arguments) {
  B& b = at_.builder();
  llvm::Type* pointer = b.getPtrTy();
  llvm::Type* half = b.getInt32Ty();
  const state::StoreDesc& desc = module_.graph().stores[static_cast<size_t>(store)].desc;
  OwnAhead out{std::vector<llvm::Value*>(desc.cells.size(), nullptr)};
  if (std::none_of(desc.cells.begin(), desc.cells.end(),
                   [](const state::CellDesc& cell) { return cell.fn == state::CellFn::Own; }))
    return out;
  llvm::Value* number = b.getInt32(static_cast<uint32_t>(store));
  llvm::AllocaInst* table_out = at_.temporary(8);
  llvm::Value* count =
      b.CreateCall(module_.helper("mut_session_near", half, {pointer, half, pointer, b.getInt64Ty()}),
                   {at_.context(), number, key, at_.time});
  late_unless(b.CreateICmpSGE(count, b.getInt32(0)));
  for (uint32_t i = 0; i < desc.cells.size(); ++i) {
    const state::CellDesc& cell = desc.cells[i];
    if (cell.fn != state::CellFn::Own) continue;
    const OwnAggregate& own = *arguments[i].call->own;
    llvm::AllocaInst* copy = at_.temporary(cell.size);
    llvm::AllocaInst* other = at_.temporary(cell.size);
    b.CreateMemSet(copy, b.getInt8(0), cell.size, llvm::Align(8));
    at_.for_each(b.getInt32(0), count, [&](llvm::Value* index) {
      llvm::Value* row =
          b.CreateCall(module_.helper("mut_session_near_row", pointer, {pointer, half, half, pointer}),
                       {at_.context(), number, index, table_out});
      copy_cell(cell, i, b.CreateLoad(pointer, table_out), row, other);
      merge_own(own, copy, other);
    });
    when(arguments[i].counts, [&] { add_own(own, arguments[i].own, copy, copy); });
    out.copies[i] = copy;
  }
  // In which row it will lie is not known yet.
  llvm::Value* nothing = llvm::ConstantPointerNull::get(b.getPtrTy());
  add_growth(store, nothing, nothing, out);
  return out;
}

// The samples that the event sees, one after the other, and then the event itself.
Value StageEmitter::own_over_ring(const graph::StoreNode& node, uint32_t cell, llvm::Value* row,
                                  llvm::Value* owner, llvm::Value* sample, const Argument& argument) {
  B& b = at_.builder();
  llvm::Type* pointer = b.getPtrTy();
  llvm::Type* word = b.getInt64Ty();
  const typed::History& history = stage_.histories[static_cast<size_t>(node.histories[cell])];
  const OwnAggregate& own = *history.call.own;
  const state::StoreDesc& desc = node.desc;
  bool keeps_text = std::any_of(own.states.begin(), own.states.end(), [](const OwnState& each) {
    typed::TypeRef type = each.type->kind == Kind::Optional ? each.type->element : each.type;
    return word_count(type) == 2;
  });
  llvm::AllocaInst* state = at_.temporary(own_bytes(own));
  b.CreateAlignedStore(b.getInt64(0), state, llvm::Align(8));
  llvm::Value* mark = keeps_no_arguments(own) ? arena_mark(at_) : nullptr;
  llvm::Value* range =
      b.CreateCall(module_.helper("mut_ring_range", word, {pointer, pointer, pointer, b.getInt32Ty()}),
                   {owner, row, sample, b.getInt32(history.excluding_current ? 1 : 0)});
  llvm::Value* end_index = b.CreateAnd(range, b.getInt64(0xFFFFFFFFU));
  at_.for_each(b.CreateLShr(range, 32), end_index, [&](llvm::Value* index) {
    llvm::Value* kept = b.CreateCall(
        module_.helper("mut_ring_sample", pointer, {pointer, pointer, b.getInt32Ty(), b.getInt32Ty()}),
        {owner, row, b.getInt32(cell), b.CreateTrunc(index, b.getInt32Ty())});
    llvm::BasicBlock* counted = at_.block("counted");
    llvm::BasicBlock* next = at_.block("next");
    b.CreateCondBr(b.CreateIsNotNull(kept), counted, next);
    b.SetInsertPoint(counted);
    std::vector<Value> event;
    auto next_column = static_cast<size_t>(node.columns[cell]);
    for (typed::TypeRef type : own.parameter_types) {
      bool optional = type->kind == Kind::Optional;
      const state::ColumnDesc& column = desc.columns[next_column];
      next_column += kept_columns(type);
      if (!typed::is_kept_as_words(type)) {
        llvm::AllocaInst* text = at_.temporary(16);
        b.CreateCall(module_.helper("mut_ring_text", b.getVoidTy(), {pointer, pointer, pointer}),
                     {owner, offset(kept, column.word * 8U), text});
        event.push_back(unpacked(at_, type, text));
        continue;
      }
      llvm::Value* present = nullptr;
      if (optional) {
        llvm::Value* flag = b.CreateAlignedLoad(
            word, offset(kept, (column.word + state::word_count(column.kind)) * 8U), llvm::Align(8));
        present = b.CreateICmpNE(flag, b.getInt64(0));
        type = type->element;
      }
      llvm::Value* at = offset(kept, column.word * 8U);
      if (column.kind == state::WordKind::Text) {
        llvm::AllocaInst* text = at_.temporary(16);
        b.CreateCall(module_.helper("mut_ring_text", b.getVoidTy(), {pointer, pointer, pointer}),
                     {owner, at, text});
        at = text;
      }
      event.push_back(at_.from_words(type, at));
      if (optional) {
        event.back().type = own.parameter_types[event.size() - 1];
        event.back().parts.push_back(present);
      }
      if (column.kind != state::WordKind::Text || !keeps_text) continue;
      // The sample may be let go before the result has been read.
      Value& text = event.back();
      llvm::Value* size = b.CreateAnd(text.parts[0], b.getInt64(0xFFFFFFFFU));
      text.parts[1] =
          b.CreateCall(module_.helper("mut_arena_copy", pointer, {pointer, pointer, b.getInt64Ty()}),
                       {at_.context(), text.parts[1], size});
    }
    add_own(own, event, state, state);
    if (mark != nullptr) rewind_arena(at_, mark);
    b.CreateBr(next);
    b.SetInsertPoint(next);
  });
  if (!history.excluding_current) when(argument.counts, [&] { add_own(own, argument.own, state, state); });
  return own_result(at_, own, own_state(own, state));
}

// Before anything of the stage changes: what its cells will hold, each in memory of its own. An event that
// fails in one of them leaves all as they were, and makes no row.
StageEmitter::OwnAhead StageEmitter::own_ahead(int store, llvm::Value* table, llvm::Value* key,
                                               const std::vector<Argument>& arguments) {
  B& b = at_.builder();
  const state::StoreDesc& desc = module_.graph().stores[static_cast<size_t>(store)].desc;
  OwnAhead out{std::vector<llvm::Value*>(desc.cells.size(), nullptr)};
  llvm::Value* known = nullptr;
  for (size_t i = 0; i < desc.cells.size(); ++i) {
    const state::CellDesc& cell = desc.cells[i];
    if (cell.fn != state::CellFn::Own) continue;
    if (known == nullptr) {
      known = b.CreateCall(
          module_.helper("mut_table_find", b.getPtrTy(),
                         {b.getPtrTy(), b.getPtrTy(), b.getInt32Ty(), b.getInt64Ty(), b.getInt64Ty()}),
          {table, key, b.getInt32(desc.key_words), b.getInt64(desc.text_mask), b.getInt64(desc.row_size)});
    }
    llvm::AllocaInst* copy = at_.temporary(cell.size);
    b.CreateMemSet(copy, b.getInt8(0), cell.size, llvm::Align(8));
    when(b.CreateIsNotNull(known), [&] { copy_cell(cell, static_cast<uint32_t>(i), table, known, copy); });
    when(arguments[i].counts, [&] { add_own(*arguments[i].call->own, arguments[i].own, copy, copy); });
    out.copies[i] = copy;
  }
  if (known != nullptr) add_growth(store, table, known, out);
  return out;
}

// An event goes to each window that holds it. Where adding can fail, all are asked before one is changed.
void StageEmitter::emit_overlaps(int store, llvm::Value* key, const std::vector<Argument>& arguments) {
  B& b = at_.builder();
  llvm::Type* pointer = b.getPtrTy();
  llvm::Type* half = b.getInt32Ty();
  const state::StoreDesc& desc = module_.graph().stores[static_cast<size_t>(store)].desc;
  llvm::Value* number = b.getInt32(static_cast<uint32_t>(store));
  llvm::Value* count = b.CreateCall(module_.helper("mut_overlaps", half, {pointer, half, b.getInt64Ty()}),
                                    {at_.context(), number, at_.time});
  late_unless(b.CreateICmpNE(count, b.getInt32(0)));
  auto for_each_window = [&](const std::function<void(llvm::Value * table)>& body) {
    at_.for_each(b.getInt32(0), count, [&](llvm::Value* index) {
      body(b.CreateCall(module_.helper("mut_overlap_table", pointer, {pointer, half, half}),
                        {at_.context(), number, index}));
    });
  };
  bool fails = false;
  for (const Argument& argument : arguments) {
    if (argument.call->own == nullptr) continue;
    for (const typed::ExprPtr& each : argument.call->own->add) fails = fails || graph::can_fail(*each);
  }
  for (const state::CellDesc& cell : desc.cells)
    fails = fails || state::owns_memory(cell) || cell.fn == state::CellFn::Distinct;
  llvm::AllocaInst* grown = at_.temporary(8);  // in the windows that were asked
  b.CreateAlignedStore(b.getInt64(0), grown, llvm::Align(8));
  auto ask = [&](llvm::Value* table) {
    OwnAhead own = own_ahead(store, table, key, arguments);
    need_room(store, table, key, arguments);
    if (own.growth == nullptr) return;
    llvm::Value* all = b.CreateAdd(b.CreateAlignedLoad(b.getInt64Ty(), grown, llvm::Align(8)), own.growth);
    b.CreateAlignedStore(all, grown, llvm::Align(8));
    need_own_room(store, all);
  };
  if (fails) for_each_window(ask);
  for_each_window([&](llvm::Value* table) {
    std::vector<llvm::Value*> own = own_ahead(store, table, key, arguments).copies;
    llvm::Value* row = find_row(table, key, desc);
    for (uint32_t i = 0; i < desc.cells.size(); ++i) {
      const state::CellDesc& cell = desc.cells[i];
      llvm::Value* at = offset(row, cell.offset);
      if (own[i] != nullptr) {
        keep_cell(cell, i, table, row, own[i]);
      } else {
        when(arguments[i].counts, [&] { add_to_cell(cell, i, table, row, at, arguments[i]); });
      }
    }
    if (desc.gives != state::Gives::AtTicks) return;
    b.CreateCall(
        module_.helper("mut_window_changed", b.getVoidTy(), {pointer, half, pointer, b.getInt64Ty()}),
        {at_.context(), number, row, at_.time});
  });
}

// The same of windows of a number of events, each a row of the key.
void StageEmitter::emit_apart(int store, llvm::Value* key, const std::vector<Argument>& arguments,
                              llvm::Value* windows) {
  B& b = at_.builder();
  llvm::Type* pointer = b.getPtrTy();
  llvm::Type* half = b.getInt32Ty();
  const state::StoreDesc& desc = module_.graph().stores[static_cast<size_t>(store)].desc;
  llvm::Value* number = b.getInt32(static_cast<uint32_t>(store));
  llvm::Value* table =
      b.CreateCall(module_.helper("mut_count_windows", pointer, {pointer, half}), {at_.context(), number});
  constexpr uint32_t key_words = 2;  // state/sliding_counts
  auto for_each_window = [&](const std::function<void(llvm::Value * row)>& body) {
    at_.for_each(b.getInt32(0), windows, [&](llvm::Value* index) {
      body(b.CreateCall(module_.helper("mut_count_window", pointer, {pointer, half, half}),
                        {at_.context(), number, index}));
    });
  };
  auto own_of = [&](llvm::Value* row, uint32_t i) {
    const state::CellDesc cell = in_row_of(key_words, desc, desc.cells[i]);
    llvm::AllocaInst* copy = at_.temporary(cell.size);
    copy_cell(cell, i, table, row, copy);
    when(arguments[i].counts, [&] { add_own(*arguments[i].call->own, arguments[i].own, copy, copy); });
    return copy;
  };
  bool fails = false;
  for (const Argument& argument : arguments) {
    if (argument.call->own == nullptr) continue;
    for (const typed::ExprPtr& each : argument.call->own->add) fails = fails || graph::can_fail(*each);
  }
  for (const state::CellDesc& cell : desc.cells)
    fails = fails || (cell.fn == state::CellFn::Own && state::owns_memory(cell));
  if (fails) {
    llvm::AllocaInst* grown = at_.temporary(8);
    b.CreateAlignedStore(b.getInt64(0), grown, llvm::Align(8));
    for_each_window([&](llvm::Value* row) {
      OwnAhead own{std::vector<llvm::Value*>(desc.cells.size(), nullptr)};
      for (uint32_t i = 0; i < desc.cells.size(); ++i) {
        if (desc.cells[i].fn == state::CellFn::Own) own.copies[i] = own_of(row, i);
      }
      add_growth(store, table, row, own);
      if (own.growth == nullptr) return;
      llvm::Value* all = b.CreateAdd(b.CreateAlignedLoad(b.getInt64Ty(), grown, llvm::Align(8)), own.growth);
      b.CreateAlignedStore(all, grown, llvm::Align(8));
      need_own_room(store, all);
    });
  }
  need_room(store, table, key, arguments);
  for_each_window([&](llvm::Value* row) {
    for (uint32_t i = 0; i < desc.cells.size(); ++i) {
      const state::CellDesc cell = in_row_of(key_words, desc, desc.cells[i]);
      if (cell.fn == state::CellFn::Own) {
        keep_cell(cell, i, table, row, own_of(row, i));
      } else {
        when(arguments[i].counts,
             [&] { add_to_cell(cell, i, table, row, offset(row, cell.offset), arguments[i]); });
      }
    }
  });
}

}  // namespace mut::codegen
