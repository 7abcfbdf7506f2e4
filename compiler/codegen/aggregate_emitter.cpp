// Machine code of `aggregate`: running, and in windows.

#include <algorithm>
#include <tuple>
#include <utility>

#include "compiler/codegen/stage_emitter.h"

namespace mut::codegen {

using state::CellFn;
using state::StoreKind;
using state::WordKind;
using typed::EventError;
using typed::Kind;
using typed::StageKind;

// A group's cells are copied, changed and read; they go back when nothing of the stage has failed.
void StageEmitter::emit_running() {
  B& b = at_.builder();
  int store = module_.graph().stage_stores[static_cast<size_t>(stream_)][static_cast<size_t>(index_)][0];
  const state::StoreDesc& desc = module_.graph().stores[static_cast<size_t>(store)].desc;
  at_.stage = {};
  llvm::Value* key = emit_key(stage_.keys, desc, &at_.stage.keys);
  std::vector<Argument> arguments;
  for (const typed::AggregateCall& call : stage_.aggregates) arguments.push_back(emit_argument(call));
  llvm::Value* table = store_view(store);
  need_room(store, table, key, arguments);
  llvm::Value* row = group_row(store, key);
  OwnAhead own{std::vector<llvm::Value*>(desc.cells.size(), nullptr)};
  for (uint32_t i = 0; i < desc.cells.size(); ++i) {
    const state::CellDesc& cell = desc.cells[i];
    const typed::AggregateCall& call = stage_.aggregates[i];
    const Argument argument = arguments[i];
    if (is_simple(cell)) {
      llvm::AllocaInst* copy = at_.temporary(cell.size);
      copy_cell(cell, i, table, row, copy);
      when(argument.counts, [&] { add_to_cell(cell, i, table, row, copy, argument); });
      at_.stage.aggregates.push_back(number_result(cell, call, copy));
      commits_.push_back([=, this, &cell] { keep_cell(cell, i, table, row, copy); });
      if (cell.fn == CellFn::Own) own.copies[i] = copy;
      continue;
    }
    auto unchanged = [&] { return kept_result(cell, i, table, row, call); };
    auto changed = [&] { return result_with(cell, i, table, row, argument); };
    at_.stage.aggregates.push_back(
        argument.counts == nullptr ? changed() : choose_result(argument.counts, changed, unchanged));
    commits_.push_back([=, this, &cell] {
      when(argument.counts, [&] { add_to_cell(cell, i, table, row, nullptr, argument); });
    });
  }
  add_growth(store, table, row, own);
  need_own_room(store, own.growth);
  commits_.push_back([=, this, &desc] { touch(desc, row); });
  const graph::Needs& after =
      module_.graph().needs[static_cast<size_t>(stream_)][static_cast<size_t>(index_) + 1];
  std::vector<Value> made(stage_.outputs.size());
  for (size_t i = 0; i < stage_.outputs.size(); ++i) {
    if (after[i] || graph::can_fail(*stage_.outputs[i].value)) made[i] = at_.emit(*stage_.outputs[i].value);
  }
  // Results may point at texts of cells that change now: own them first.
  for (Value& value : made) {
    typed::TypeRef scalar = value.empty()                        ? nullptr
                            : value.type->kind == Kind::Optional ? value.type->element
                                                                 : value.type;
    if (scalar == nullptr || (scalar->kind != Kind::String && scalar->kind != Kind::Bytes)) continue;
    llvm::Value* size = b.CreateAnd(value.parts[0], b.getInt64(0xFFFFFFFFU));
    value.parts[1] = b.CreateCall(
        module_.helper("mut_arena_copy", b.getPtrTy(), {b.getPtrTy(), b.getPtrTy(), b.getInt64Ty()}),
        {at_.context(), value.parts[1],
         value.type->kind == Kind::Optional ? b.CreateSelect(value.present(), size, b.getInt64(0)) : size});
  }
  commit();
  at_.fields = std::move(made);
}

void StageEmitter::late_unless(llvm::Value* in_time) {
  B& b = at_.builder();
  llvm::BasicBlock* next = at_.block("in_time");
  llvm::BasicBlock* late = at_.block("late");
  b.CreateCondBr(in_time, next, late);
  b.SetInsertPoint(late);
  if (stage_.late_stream >= 0 && module_.graph().live[static_cast<size_t>(stage_.late_stream)]) {
    module_.call_section(at_, stage_.late_stream, 0, at_.fields);
  }
  b.CreateRetVoid();
  b.SetInsertPoint(next);
}

// The row of the session that an event belongs to, and the table that it lies in. What a window gives at each
// event, and cells of the script, ask the store for more than the row.
std::pair<llvm::Value*, llvm::Value*> StageEmitter::session_row(int store, llvm::Value* key) {
  B& b = at_.builder();
  llvm::Type* pointer = b.getPtrTy();
  llvm::Type* word = b.getInt64Ty();
  const state::StoreDesc& desc = module_.graph().stores[static_cast<size_t>(store)].desc;
  bool asks = stage_.on_update || stage_.late == typed::LatePolicy::Update ||
              std::any_of(desc.cells.begin(), desc.cells.end(),
                          [](const state::CellDesc& cell) { return cell.fn == CellFn::Own; });
  llvm::Value* latest = nullptr;
  llvm::Value* latest_table = nullptr;
  llvm::BasicBlock* from = nullptr;
  llvm::BasicBlock* have = at_.block("have");
  if (!asks) {
    llvm::Value* view = store_view(store);
    latest_table = b.CreateLoad(pointer, offset(view, offsetof(MutSessions, newest)));
    latest = b.CreateCall(module_.helper("mut_session_latest", pointer,
                                         {pointer, pointer, word, b.getInt32Ty(), word, word, word}),
                          {view, key, at_.time, b.getInt32(desc.key_words), b.getInt64(desc.text_mask),
                           b.getInt64(desc.row_size), b.getInt64(desc.session_offset)});
    from = b.GetInsertBlock();
    llvm::BasicBlock* look = at_.block("look");
    b.CreateCondBr(b.CreateIsNotNull(latest), have, look, module_.weights(1 << 12, 1));
    b.SetInsertPoint(look);
  }
  llvm::AllocaInst* table_out = at_.temporary(8);
  llvm::Value* row =
      b.CreateCall(module_.helper("mut_session", pointer, {pointer, b.getInt32Ty(), pointer, word, pointer}),
                   {at_.context(), b.getInt32(static_cast<uint32_t>(store)), key, at_.time, table_out});
  llvm::Value* table = b.CreateLoad(pointer, table_out);
  at_.check(b.CreateIsNotNull(table), EventError::Memory);
  late_unless(b.CreateIsNotNull(row));
  llvm::BasicBlock* found = b.GetInsertBlock();
  b.CreateBr(have);
  b.SetInsertPoint(have);
  if (asks) return {row, table};
  auto either = [&](llvm::Value* of_latest, llvm::Value* of_found) {
    llvm::PHINode* phi = b.CreatePHI(pointer, 2);
    phi->addIncoming(of_latest, from);
    phi->addIncoming(of_found, found);
    return phi;
  };
  return {either(latest, row), either(latest_table, table)};
}

bool StageEmitter::gives_at_events(const typed::Stage& stage, const state::StoreDesc& desc) {
  return desc.gives == state::Gives::AtTicks || stage.on_update || stage.late == typed::LatePolicy::Update;
}

// The table of the pane that holds the event; leaves where it is late.
llvm::Value* StageEmitter::pane_table(int store, llvm::Value* view, llvm::Value* key) {
  B& b = at_.builder();
  llvm::Type* pointer = b.getPtrTy();
  if (is_calm(at_.known_rows)) return b.CreateLoad(pointer, offset(view, offsetof(MutWindow, pane_table)));
  llvm::Value* cached =
      b.CreateCall(module_.helper("mut_window_cached", pointer, {pointer, b.getInt64Ty()}), {view, at_.time});
  return known_or(cached, b.CreateIsNotNull(cached), [&]() -> llvm::Value* {
    llvm::Value* found =
        b.CreateCall(module_.helper("mut_pane", pointer, {pointer, b.getInt32Ty(), pointer, b.getInt64Ty()}),
                     {at_.context(), b.getInt32(static_cast<uint32_t>(store)), key, at_.time});
    late_unless(b.CreateIsNotNull(found));
    return found;
  });
}

void StageEmitter::emit_windowed() {
  B& b = at_.builder();
  llvm::Type* pointer = b.getPtrTy();
  int store = module_.graph().stage_stores[static_cast<size_t>(stream_)][static_cast<size_t>(index_)][0];
  const state::StoreDesc& desc = module_.graph().stores[static_cast<size_t>(store)].desc;
  std::vector<Value> keys;
  llvm::Value* key = emit_key(stage_.keys, desc, &keys);
  std::vector<Argument> arguments;
  for (const typed::AggregateCall& call : stage_.aggregates) arguments.push_back(emit_argument(call));
  llvm::Value* view = store_view(store);
  llvm::Value* table = view;
  llvm::Value* row = nullptr;
  OwnAhead own;
  bool apart = false;
  llvm::Value* step = nullptr;  // of windows that are made of panes
  if (desc.kind == StoreKind::Overlaps) {
    emit_overlaps(store, key, arguments);
  } else if (desc.kind == StoreKind::Panes) {
    table = pane_table(store, view, key);
    own = own_ahead(store, table, key, arguments);
    need_room(store, table, key, arguments);
    need_own_room(store, own.growth);
    row = row_of(store, table, key);
  } else if (desc.kind == StoreKind::Sessions) {
    own = own_of_sessions(store, key, arguments);
    need_room(store, table, key, arguments);
    need_own_room(store, own.growth);
    std::tie(row, table) = session_row(store, key);
  } else {
    if (desc.ttl != 0) {  // before what the group holds is asked
      if (desc.kind == StoreKind::Counts) {
        b.CreateCall(module_.helper("mut_count_observe", b.getVoidTy(), {pointer, b.getInt32Ty()}),
                     {at_.context(), b.getInt32(static_cast<uint32_t>(store))});
      }
      group_row(store, key);
    }
    apart = state::slides(desc) && state::keeps_windows_apart(desc);
    if (apart) {
      llvm::Value* windows = b.CreateCall(
          module_.helper("mut_count_prepare", b.getInt32Ty(), {pointer, b.getInt32Ty(), pointer}),
          {at_.context(), b.getInt32(static_cast<uint32_t>(store)), key});
      at_.check(b.CreateICmpNE(windows, b.getInt32(0)), EventError::Memory);
      emit_apart(store, key, arguments, windows);
    } else if (state::slides(desc)) {
      row = row_of(store, table, key);
      if (is_in_frame(store)) return emit_calm_count(store, row, arguments);
      step = step_of_count(store, row, key, arguments);
      if (fills_at_each(store)) emit_count_step(store, row, std::exchange(step, nullptr), keys, arguments);
    } else {
      own = own_ahead(store, table, key, arguments);
      need_room(store, table, key, arguments);
      need_own_room(store, own.growth);
    }
    if (row == nullptr) row = row_of(store, table, key);
  }
  bool added = apart || desc.kind == StoreKind::Overlaps;
  for (uint32_t i = 0; !added && i < desc.cells.size(); ++i) {
    const state::CellDesc& cell = desc.cells[i];
    llvm::Value* at = offset(row, cell.offset);
    if (cell.fn == CellFn::Own) {
      keep_cell(cell, i, table, row, own.copies[i]);
      continue;
    }
    when(arguments[i].counts, [&] {
      if (is_in_frame(store)) return add_in_frame(cell, i, table, row, arguments[i]);
      add_to_cell(cell, i, table, row, at, arguments[i]);
    });
  }
  if (desc.kind == StoreKind::Whole || desc.kind == StoreKind::Groups) touch(desc, row);
  if (desc.gives == state::Gives::AtTicks && desc.kind != StoreKind::Overlaps) {
    b.CreateCall(module_.helper("mut_window_changed", b.getVoidTy(),
                                {pointer, b.getInt32Ty(), pointer, b.getInt64Ty()}),
                 {at_.context(), b.getInt32(static_cast<uint32_t>(store)), row, at_.time});
  }
  bool timed =
      desc.kind == StoreKind::Panes || desc.kind == StoreKind::Sessions || desc.kind == StoreKind::Overlaps;
  bool repeats = timed && (stage_.on_update || stage_.late == typed::LatePolicy::Update);
  if (step != nullptr) emit_count_step(store, row, step, keys, arguments);
  if (repeats || desc.kind == StoreKind::Counts) {
    llvm::AllocaInst* given = at_.temporary(sizeof(MutResultRows));
    b.CreateCall(
        module_.helper(repeats ? "mut_window_update" : "mut_count_event", b.getVoidTy(),
                       {pointer, b.getInt32Ty(), pointer, b.getInt64Ty(), pointer}),
        {at_.context(), b.getInt32(static_cast<uint32_t>(store)), repeats ? key : row, at_.time, given});
    llvm::Value* rows = b.CreateLoad(pointer, offset(given, offsetof(MutResultRows, rows)));
    llvm::Value* times = b.CreateLoad(pointer, offset(given, offsetof(MutResultRows, times)));
    llvm::Value* count = b.CreateLoad(b.getInt64Ty(), offset(given, offsetof(MutResultRows, count)));
    module_.emit_result_rows(at_, store, rows, times, count);
  }
  b.CreateRetVoid();
}

}  // namespace mut::codegen
