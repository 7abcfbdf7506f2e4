#include "compiler/codegen/calm_rows.h"

#include <algorithm>

#include "compiler/codegen/stage_emitter.h"
#include "runtime/abi/kernel.h"

namespace mut::codegen {

using graph::Consumer;
using typed::StageKind;

CalmRows::CalmRows(ModuleEmitter& module, const typed::Source& source) : module_(module) {
  possible_ = module.source_rows() == SourceRows::InBlocks && source.generated.empty() &&
              module.program().sets.empty() &&
              !module.sets_timers(static_cast<int>(&source - module.program().sources.data()));
  if (possible_) walk(source.stream);
}

// Whether the rows of calm blocks can go through the stage. A window ends the way of an event.
bool CalmRows::touches(const typed::Stage& stage, int stream, size_t index) {
  if (stage.kind == StageKind::Where || stage.kind == StageKind::Project) return stage.histories.empty();
  if (stage.kind != StageKind::Aggregate) return false;
  const std::vector<int>& stores = module_.graph().stage_stores[static_cast<size_t>(stream)][index];
  if (stores.size() != 1) return false;
  const state::StoreDesc& desc = module_.graph().stores[static_cast<size_t>(stores[0])].desc;
  bool plain = desc.kind == state::StoreKind::Panes && !StageEmitter::gives_at_events(stage, desc) &&
               std::all_of(desc.cells.begin(), desc.cells.end(), StageEmitter::is_simple);
  if (plain) stores_.push_back(stores[0]);
  return plain;
}

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
    if (of.stages[i].kind == StageKind::Aggregate) return;
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

llvm::Value* CalmRows::in_panes(FunctionEmitter& at, llvm::Value* oldest, llvm::Value* newest) const {
  llvm::IRBuilder<>& b = at.builder();
  llvm::Value* all = b.getTrue();
  for (int store : stores_) {
    llvm::Value* in = b.CreateCall(
        module_.helper("mut_window_has", b.getInt32Ty(), {b.getPtrTy(), b.getInt64Ty(), b.getInt64Ty()}),
        {view(at, store), oldest, newest});
    all = b.CreateAnd(all, b.CreateICmpNE(in, b.getInt32(0)));
  }
  return all;
}

}  // namespace mut::codegen
