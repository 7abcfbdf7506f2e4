// Machine code of windows of a number of events that overlap and are made of panes: what an event fills, and,
// where panes are narrow, the pane and the result of the window, made of values in registers.
#include "compiler/codegen/stage_emitter.h"
#include "runtime/abi/deliberate.h"
#include "runtime/state/narrow_panes.h"
#include "runtime/state/results.h"

namespace mut::codegen {

using inl::CountStep;
using state::NarrowCell;
using typed::EventError;
using typed::Kind;

namespace {

const char* filling(NarrowCell kind) {
  switch (kind) {
    case NarrowCell::Count:
      return "mut_fill_count";
    case NarrowCell::Sum:
      return "mut_fill_sum";
    case NarrowCell::Least:
      return "mut_fill_min";
    case NarrowCell::Greatest:
      return "mut_fill_max";
  }
  return nullptr;
}

}  // namespace

std::vector<llvm::Value*> StageEmitter::count_layout(B& b, const state::StoreDesc& desc) {
  inl::CountLayout layout = state::narrow_layout(desc).code;
  return {b.getInt64(layout.queue_offset), b.getInt64(static_cast<uint64_t>(layout.pane_events)),
          b.getInt64(static_cast<uint64_t>(layout.every)), b.getInt64(layout.window_panes),
          b.getInt64(layout.pane_bytes)};
}

llvm::Value* StageEmitter::step_of_count(int store, llvm::Value* row, llvm::Value* key,
                                         const std::vector<Argument>& arguments) {
  B& b = at_.builder();
  llvm::Type* pointer = b.getPtrTy();
  llvm::Type* word = b.getInt64Ty();
  llvm::Type* number = b.getInt32Ty();
  const state::StoreDesc& desc = module_.graph().stores[static_cast<size_t>(store)].desc;
  std::vector<llvm::Value*> passed = {row, at_.time};
  for (llvm::Value* each : count_layout(b, desc)) passed.push_back(each);
  llvm::Value* known = b.CreateCall(
      module_.helper("mut_count_step", number, {pointer, word, word, word, word, word, word}), passed);
  llvm::Value* ask = b.getInt32(static_cast<uint32_t>(CountStep::Ask));
  return known_or(known, b.CreateICmpNE(known, ask), [&]() -> llvm::Value* {
    llvm::Value* told =
        b.CreateCall(module_.helper("mut_count_room", number, {pointer, number, pointer, word}),
                     {at_.context(), b.getInt32(static_cast<uint32_t>(store)), row, at_.time});
    at_.check(b.CreateICmpNE(told, ask), EventError::Memory);
    need_room(store, store_view(store), key, arguments);
    return told;
  });
}

bool StageEmitter::fills_at_each(int store) {
  const state::StoreDesc& desc = module_.graph().stores[static_cast<size_t>(store)].desc;
  return state::has_narrow_panes(desc) && state::narrow_layout(desc).code.pane_events == 1;
}

void StageEmitter::emit_count_step(int store, llvm::Value* row, llvm::Value* step,
                                   const std::vector<Value>& keys, const std::vector<Argument>& arguments) {
  B& b = at_.builder();
  auto on = [&](CountStep which) {
    llvm::BasicBlock* taken = at_.block("taken");
    llvm::BasicBlock* other = at_.block("other");
    b.CreateCondBr(b.CreateICmpEQ(step, b.getInt32(static_cast<uint32_t>(which))), taken, other,
                   module_.weights(1 << 12, 1));
    b.SetInsertPoint(taken);
    return other;
  };
  const state::StoreDesc& desc = module_.graph().stores[static_cast<size_t>(store)].desc;
  if (!fills_at_each(store)) {
    llvm::BasicBlock* other = on(CountStep::Quiet);
    b.CreateRetVoid();
    b.SetInsertPoint(other);
  }
  if (!state::has_narrow_panes(desc)) return;
  llvm::BasicBlock* other = on(CountStep::Fills);
  emit_filled_pane(store, row, keys, arguments);
  b.SetInsertPoint(other);
}

// Of a calm row, for which there is room whatever it fills.
void StageEmitter::emit_calm_count(int store, llvm::Value* row, const std::vector<Argument>& arguments) {
  B& b = at_.builder();
  llvm::Type* word = b.getInt64Ty();
  if (!fills_at_each(store)) {
    const state::StoreDesc& desc = module_.graph().stores[static_cast<size_t>(store)].desc;
    inl::CountLayout layout = state::narrow_layout(desc).code;
    for (uint32_t i = 0; i < desc.cells.size(); ++i) {
      when(arguments[i].counts,
           [&] { add_in_frame(desc.cells[i], i, store_view(store), row, arguments[i]); });
    }
    llvm::BasicBlock* fills = nullptr;
    if (at_.known_rows != Known::CalmQuiet) {
      llvm::BasicBlock* quiet = at_.block("quiet");
      fills = at_.block("fills");
      llvm::Value* in_pane = b.CreateAlignedLoad(
          word, offset(row, layout.queue_offset + offsetof(inl::CountQueue, in_pane)), llvm::Align(8));
      auto last = static_cast<uint64_t>(layout.pane_events - 1);
      b.CreateCondBr(b.CreateICmpSLT(in_pane, b.getInt64(last)), quiet, fills);
      b.SetInsertPoint(quiet);
    }
    b.CreateCall(module_.helper("mut_count_quiet", b.getVoidTy(), {b.getPtrTy(), word, word}),
                 {row, at_.time, b.getInt64(layout.queue_offset)});
    b.CreateRetVoid();
    if (fills == nullptr) return;
    b.SetInsertPoint(fills);
  }
  emit_filled_pane(store, row, {}, arguments);
}

// What the pane holds, by cell: that of a single event is made without a look at the row, whose cells stay
// empty.
std::vector<llvm::Value*> StageEmitter::cells_of_pane(int store, llvm::Value* row,
                                                      const std::vector<Argument>& arguments) {
  B& b = at_.builder();
  const state::StoreDesc& desc = module_.graph().stores[static_cast<size_t>(store)].desc;
  std::vector<llvm::Value*> out;
  for (uint32_t i = 0; i < desc.cells.size(); ++i) {
    const state::CellDesc& cell = desc.cells[i];
    if (!fills_at_each(store)) {
      out.push_back(offset(row, cell.offset));
      continue;
    }
    llvm::Value* fresh = at_.temporary(cell.size);
    for (uint32_t word = 0; word < cell.size; word += 8)
      b.CreateAlignedStore(b.getInt64(0), offset(fresh, word), llvm::Align(8));
    when(arguments[i].counts, [&] { add_to_cell(cell, i, store_view(store), row, fresh, arguments[i]); });
    out.push_back(fresh);
  }
  return out;
}

void StageEmitter::emit_filled_pane(int store, llvm::Value* row, const std::vector<Value>& keys,
                                    const std::vector<Argument>& arguments) {
  B& b = at_.builder();
  llvm::Type* pointer = b.getPtrTy();
  llvm::Type* word = b.getInt64Ty();
  llvm::Type* number = b.getInt32Ty();
  llvm::Type* nothing = b.getVoidTy();
  const state::StoreDesc& desc = module_.graph().stores[static_cast<size_t>(store)].desc;
  state::NarrowLayout layout = state::narrow_layout(desc);
  std::vector<llvm::Value*> cells = cells_of_pane(store, row, arguments);
  llvm::Value* queue = offset(row, layout.code.queue_offset);
  llvm::AllocaInst* panes = at_.temporary(sizeof(inl::CountPanes));
  std::vector<llvm::Value*> to_fill = {row, at_.time};
  for (llvm::Value* each : count_layout(b, desc)) to_fill.push_back(each);
  llvm::Value* place =  // of its panes
      is_in_frame(store) ? b.CreateLoad(pointer, offset(row, desc.row_size)) : store_view(store);
  to_fill.insert(to_fill.end(), {place, panes});
  b.CreateCall(module_.helper(is_in_frame(store) ? "mut_count_fill_calm" : "mut_count_fill", nothing,
                              {pointer, word, word, word, word, word, word, pointer, pointer}),
               to_fill);
  llvm::Value* made = b.CreateLoad(pointer, offset(panes, offsetof(inl::CountPanes, made)));
  llvm::Value* leaving = b.CreateLoad(pointer, offset(panes, offsetof(inl::CountPanes, leaving)));
  llvm::Value* oldest = b.CreateLoad(pointer, offset(panes, offsetof(inl::CountPanes, oldest)));
  llvm::Value* leaves = is_in_frame(store) ? b.getTrue() : b.CreateIsNotNull(leaving);
  llvm::Value* null = llvm::ConstantPointerNull::get(b.getPtrTy());
  for (size_t i = 0; i < layout.cells.size(); ++i) {
    const state::NarrowLayout::Cell& cell = layout.cells[i];
    std::vector<llvm::Value*> passed = {cells[i], offset(row, cell.total_offset),
                                        offset(made, cell.pane_offset)};
    std::vector<llvm::Type*> types = {pointer, pointer, pointer, pointer};
    bool extreme = cell.kind == NarrowCell::Least || cell.kind == NarrowCell::Greatest;
    llvm::Value* old = b.CreateSelect(leaves, offset(leaving, cell.pane_offset), null);
    if (MUT_DELIBERATE_FAULT(count_pane_stays)) old = null;
    passed.push_back(extreme ? queue : old);
    if (cell.kind == NarrowCell::Sum) {
      passed.push_back(b.getInt32(cell.words));
      types.push_back(number);
    }
    std::string fills = filling(cell.kind);
    if (extreme && is_in_frame(store) && !fills_at_each(store)) fills += "_calm";
    b.CreateCall(module_.helper(fills.c_str(), nothing, types), passed);
  }
  llvm::Value* full =
      b.CreateICmpNE(b.CreateCall(module_.helper("mut_count_fills_window", number, {pointer, word, word}),
                                  {queue, b.getInt64(static_cast<uint64_t>(layout.code.pane_events)),
                                   b.getInt64(static_cast<uint64_t>(layout.code.every))}),
                     b.getInt32(0));
  llvm::BasicBlock* gives = at_.block("gives");
  llvm::BasicBlock* done = at_.block("done");
  b.CreateCondBr(full, gives, done);
  b.SetInsertPoint(done);
  b.CreateRetVoid();
  b.SetInsertPoint(gives);
  llvm::Value* error = b.getInt32(0);
  std::vector<Value> results;
  std::vector<Value> flags;
  for (size_t i = 0; i < layout.cells.size(); ++i) {
    const state::NarrowLayout::Cell& cell = layout.cells[i];
    const typed::AggregateCall& call = stage_.aggregates[i];
    llvm::Value* total = offset(row, cell.total_offset);
    llvm::Value* whole = total;  // as a cell of that kind
    if (cell.kind == NarrowCell::Least || cell.kind == NarrowCell::Greatest) {
      whole = at_.temporary(sizeof(inl::ExtremeCell));
      b.CreateCall(module_.helper(cell.kind == NarrowCell::Least ? "mut_whole_min" : "mut_whole_max", nothing,
                                  {pointer, pointer, pointer, pointer}),
                   {total, queue, offset(oldest, cell.pane_offset), whole});
      // Added by an edit, after the last event; this one is a value where each is.
      if (call.result->kind != Kind::Optional && arguments[i].counts != nullptr) {
        llvm::Value* values = b.CreateLoad(word, offset(whole, offsetof(inl::ExtremeCell, count)));
        error = b.CreateSelect(b.CreateICmpEQ(values, b.getInt64(0)),
                               b.getInt32(static_cast<uint32_t>(state::RowError::NoValue)), error);
      }
    }
    StageResult result = number_result(desc.cells[i], call, whole);
    results.push_back(result.value);
    if (state::may_overflow(desc.cells[i]))
      flags.push_back({module_.program().types->scalar(Kind::Bool), {result.overflow}});
  }
  // In the order of state::result_record.
  std::vector<Value> fields = {{module_.program().types->scalar(Kind::I32), {error}}};
  fields.insert(fields.end(), keys.begin(), keys.end());
  fields.insert(fields.end(), results.begin(), results.end());
  typed::TypeRef time = module_.program().types->scalar(Kind::Time);
  fields.push_back({time, {b.CreateLoad(word, oldest)}});
  fields.push_back({time, {at_.time}});
  fields.insert(fields.end(), flags.begin(), flags.end());
  module_.emit_result_row(at_, store,
                          {nullptr, nullptr, [&](size_t place, typed::TypeRef) { return fields[place]; }});
  b.CreateRetVoid();
}

}  // namespace mut::codegen
