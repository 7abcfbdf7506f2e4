#include "compiler/codegen/calm_rows.h"

#include <algorithm>

#include "compiler/codegen/stage_emitter.h"
#include "runtime/abi/kernel.h"
#include "runtime/state/narrow_panes.h"

namespace mut::codegen {

using graph::Consumer;
using typed::StageKind;

CalmRows::CalmRows(ModuleEmitter& module, const typed::Source& source) : module_(module) {
  possible_ = module.source_rows() == SourceRows::InBlocks && source.generated.empty() &&
              module.program().sets.empty() &&
              !module.sets_timers(static_cast<int>(&source - module.program().sources.data()));
  if (possible_) walk(source.stream);
}

namespace {

// Of a pane; of fewer they are not worth a loop of their own.
constexpr int64_t quiet_rows_least = 8;

// Cells of a few words that code in the kernel changes.
bool is_of_frame(const state::CellDesc& cell) {
  return StageEmitter::is_simple(cell) && cell.fn != state::CellFn::Own &&
         cell.fn != state::CellFn::DecimalSum && cell.fn != state::CellFn::DecimalAvg;
}

}  // namespace

size_t frame_words(const state::StoreDesc& desc) {
  if (desc.key_words != 0 || desc.ttl != 0 || desc.gives != state::Gives::AtClose) return 0;
  size_t words = desc.row_size / 8;
  // Beside the row: where its panes lie.
  if (desc.kind == state::StoreKind::Counts) return state::has_narrow_panes(desc) ? words + 1 : 0;
  bool fits = desc.kind == state::StoreKind::Panes || desc.kind == state::StoreKind::Whole ||
              desc.kind == state::StoreKind::Groups;
  return fits && std::all_of(desc.cells.begin(), desc.cells.end(), is_of_frame) ? words : 0;
}

// Whether the rows of calm blocks can go through the stage.
bool CalmRows::touches(const typed::Stage& stage, int stream, size_t index) {
  if (stage.kind == StageKind::Where || stage.kind == StageKind::Project) return stage.histories.empty();
  if (stage.kind != StageKind::Aggregate || !stage.follows.empty()) return false;
  const std::vector<int>& stores = module_.graph().stage_stores[static_cast<size_t>(stream)][index];
  if (stores.size() != 1) return false;
  int store = stores[0];
  const state::StoreDesc& of = desc(store);
  bool in_frame = module_.tally().has_row(store);
  // Twice where two ways of an event lead there.
  bool known = std::find(rows_.begin(), rows_.end(), store) != rows_.end();
  if (in_frame && !known) rows_.push_back(store);
  if (of.kind == state::StoreKind::Panes) {
    panes_.push_back(store);
    return !StageEmitter::gives_at_events(stage, of) &&
           std::all_of(of.cells.begin(), of.cells.end(), StageEmitter::is_simple);
  }
  if (of.kind != state::StoreKind::Counts) return in_frame && !StageEmitter::gives_at_events(stage, of);
  counts_.push_back(store);
  return in_frame && !known;
}

// A window ends the way of an event, but for one that an event fills.
void CalmRows::walk(int stream) {
  const graph::Graph& graph = module_.graph();
  if (!graph.live[static_cast<size_t>(stream)]) return;
  const typed::Stream& of = module_.program().streams[static_cast<size_t>(stream)];
  int errors = graph.errors_of[static_cast<size_t>(stream)];
  // An event error may be anything to what reads it.
  possible_ = possible_ && (errors < 0 || !graph.live[static_cast<size_t>(errors)]) &&
              graph.followers[static_cast<size_t>(stream)].empty();
  for (size_t i = 0; i < of.stages.size() && possible_; ++i) {
    possible_ = touches(of.stages[i], stream, i);
    if (of.stages[i].kind != StageKind::Aggregate || !possible_) continue;
    if (!graph::is_breaker(of.stages[i])) continue;
    int store = graph.stage_stores[static_cast<size_t>(stream)][i][0];
    if (desc(store).kind != state::StoreKind::Counts) return;
  }
  for (const Consumer& consumer : graph.consumers[static_cast<size_t>(stream)]) {
    if (!possible_) return;
    if (consumer.kind == Consumer::Kind::Stream) {
      walk(consumer.index);
    } else if (consumer.kind == Consumer::Kind::Route) {
      for (const auto& branch : module_.program().routes[static_cast<size_t>(consumer.index)].branches)
        walk(branch.stream);
    } else {
      possible_ = false;
    }
  }
}

llvm::Value* CalmRows::view(FunctionEmitter& at, int store) const {
  llvm::IRBuilder<>& b = at.builder();
  llvm::Value* stores =
      at.context_constant(offsetof(MutContext, stores), b.getPtrTy(), module_.graph().stores.size() * 8);
  return at.constant(
      b.CreateLoad(b.getPtrTy(), offset_by(b, stores, static_cast<uint64_t>(store) * sizeof(void*))));
}

// Null: none is known.
llvm::Value* CalmRows::only_row(FunctionEmitter& at, int store) const {
  llvm::IRBuilder<>& b = at.builder();
  llvm::Value* of = view(at, store);
  if (desc(store).kind == state::StoreKind::Panes)
    return b.CreateCall(module_.helper("mut_window_only", b.getPtrTy(), {b.getPtrTy()}), {of});
  return b.CreateLoad(b.getPtrTy(), offset_by(b, of, offsetof(MutTable, only)));
}

llvm::Value* CalmRows::rows_ready(FunctionEmitter& at, llvm::Value* time) const {
  llvm::IRBuilder<>& b = at.builder();
  llvm::Type* pointer = b.getPtrTy();
  llvm::Type* word = b.getInt64Ty();
  llvm::Value* all = nullptr;
  for (int store : counts_) {
    std::vector<llvm::Value*> passed = {at.context(), b.getInt32(static_cast<uint32_t>(store)),
                                        view(at, store), time};
    for (llvm::Value* each : StageEmitter::count_layout(b, desc(store))) passed.push_back(each);
    llvm::Value* ready =
        b.CreateCall(module_.helper("mut_count_ready", word,
                                    {pointer, b.getInt32Ty(), pointer, word, word, word, word, word, word}),
                     passed);
    all = all == nullptr ? ready : b.CreateBinaryIntrinsic(llvm::Intrinsic::umin, all, ready);
  }
  return all;
}

llvm::Value* CalmRows::rows_quiet(FunctionEmitter& at) const {
  if (counts_.size() != 1) return nullptr;
  inl::CountLayout layout = state::narrow_layout(desc(counts_[0])).code;
  if (layout.pane_events < quiet_rows_least) return nullptr;
  llvm::IRBuilder<>& b = at.builder();
  llvm::Value* queue = offset_by(b, module_.tally().row(b, at.counts, counts_[0]), layout.queue_offset);
  llvm::Value* in_pane = b.CreateAlignedLoad(
      b.getInt64Ty(), offset_by(b, queue, offsetof(inl::CountQueue, in_pane)), llvm::Align(8));
  return b.CreateSub(b.getInt64(static_cast<uint64_t>(layout.pane_events - 1)), in_pane);
}

llvm::Value* CalmRows::in_panes(FunctionEmitter& at, llvm::Value* oldest, llvm::Value* newest) const {
  llvm::IRBuilder<>& b = at.builder();
  llvm::Value* all = b.getTrue();
  for (int store : panes_) {
    llvm::Value* in = b.CreateCall(
        module_.helper("mut_window_has", b.getInt32Ty(), {b.getPtrTy(), b.getInt64Ty(), b.getInt64Ty()}),
        {view(at, store), oldest, newest});
    all = b.CreateAnd(all, b.CreateICmpNE(in, b.getInt32(0)));
  }
  for (int store : rows_) all = b.CreateAnd(all, b.CreateIsNotNull(only_row(at, store)));
  return all;
}

// See StageEmitter::is_calm_extreme.
void CalmRows::begin_cells(FunctionEmitter& at, int store, llvm::Value* row) const {
  if (desc(store).kind == state::StoreKind::Groups) return;  // copied at each event
  llvm::IRBuilder<>& b = at.builder();
  llvm::Type* pointer = b.getPtrTy();
  for (const state::CellDesc& cell : desc(store).cells) {
    if (!StageEmitter::is_calm_extreme(cell)) continue;
    b.CreateCall(module_.helper(cell.fn == state::CellFn::Min ? "mut_min_begin_calm" : "mut_max_begin_calm",
                                b.getVoidTy(), {pointer}),
                 {offset_by(b, row, cell.offset)});
  }
  if (desc(store).kind != state::StoreKind::Counts) return;
  b.CreateCall(module_.helper("mut_count_begin_calm", b.getVoidTy(), {pointer, b.getInt64Ty()}),
               {row, StageEmitter::count_layout(b, desc(store)).front()});
}

void CalmRows::take_rows(FunctionEmitter& at) const {
  llvm::IRBuilder<>& b = at.builder();
  for (int store : rows_) {
    llvm::Value* row = only_row(at, store);
    llvm::Value* copy = module_.tally().row(b, at.counts, store);
    b.CreateMemCpy(copy, llvm::Align(8), row, llvm::Align(8), desc(store).row_size);
    begin_cells(at, store, copy);
    if (desc(store).kind != state::StoreKind::Counts) continue;
    llvm::Value* ring = b.CreateCall(
        module_.helper("mut_count_ring", b.getPtrTy(), {b.getPtrTy(), b.getPtrTy(), b.getInt64Ty()}),
        {view(at, store), row, StageEmitter::count_layout(b, desc(store)).front()});
    b.CreateStore(ring, offset_by(b, copy, desc(store).row_size));
  }
}

void CalmRows::put_rows(FunctionEmitter& at) const {
  llvm::IRBuilder<>& b = at.builder();
  for (int store : rows_) {
    llvm::Value* copy = module_.tally().row(b, at.counts, store);
    llvm::Value* row = only_row(at, store);
    if (desc(store).kind == state::StoreKind::Whole && wants_order()) {  // see StageEmitter::touch
      uint64_t newest = desc(store).row_size - 8;
      auto of = [&](llvm::Value* from) { return b.CreateLoad(b.getInt64Ty(), offset_by(b, from, newest)); };
      b.CreateStore(b.CreateBinaryIntrinsic(llvm::Intrinsic::smax, of(row), of(copy)),
                    offset_by(b, copy, newest));
    }
    if (desc(store).kind == state::StoreKind::Counts) {
      llvm::Type* pointer = b.getPtrTy();
      b.CreateCall(module_.helper("mut_count_take_ready", b.getVoidTy(), {pointer, pointer, b.getInt64Ty()}),
                   {copy, row, StageEmitter::count_layout(b, desc(store)).front()});
    }
    b.CreateMemCpy(row, llvm::Align(8), copy, llvm::Align(8), desc(store).row_size);
  }
}

}  // namespace mut::codegen
