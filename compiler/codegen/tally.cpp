#include "compiler/codegen/tally.h"

#include "compiler/codegen/calm_rows.h"
#include "compiler/codegen/value.h"
#include "runtime/abi/kernel.h"

namespace mut::codegen {
namespace {

// Rows in a frame are values in registers once all is inlined; of more the optimiser makes no good code.
constexpr size_t row_slots_max = 128;

llvm::Value* field(llvm::IRBuilder<>& builder, llvm::Value* base, uint64_t bytes) {
  return offset_by(builder, base, bytes);
}

}  // namespace

Tally::Tally(const graph::Graph& graph, Counting counting)
    : counting_(counting), sinks_(graph.program->emits.size()) {
  for (size_t stream = 0; stream < graph.program->streams.size(); ++stream) {
    const auto& stages = graph.program->streams[stream].stages;
    for (size_t stage = 0; stage < stages.size(); ++stage) {
      typed::StageKind kind = stages[stage].kind;
      bool chooses = kind == typed::StageKind::Where || kind == typed::StageKind::Dedupe ||
                     kind == typed::StageKind::Table || kind == typed::StageKind::Lookup;
      if (!chooses || !graph.live[stream]) continue;
      size_t slot = 1 + sinks_ + sites_.size();
      sites_[graph::error_site(graph, static_cast<int>(stream), static_cast<int>(stage))] = slot;
    }
  }
  if (counting_ == Counting::InContext) return;
  for (size_t store = 0; store < graph.stores.size(); ++store) {
    size_t words = frame_words(graph.stores[store].desc);
    if (words == 0 || row_slots_ + words > row_slots_max) continue;
    rows_[static_cast<int>(store)] = slots();
    row_slots_ += words;
  }
}

llvm::Value* Tally::open(llvm::IRBuilder<>& entry, llvm::Value* context) const {
  if (counting_ == Counting::InContext) return context;
  llvm::Value* counts =
      entry.CreateAlloca(llvm::ArrayType::get(entry.getInt64Ty(), slots()), nullptr, "counts");
  llvm::Value* made =
      entry.CreateLoad(entry.getInt64Ty(), field(entry, context, offsetof(MutContext, output_rows)));
  entry.CreateStore(made, output_rows(entry, counts));
  llvm::Value* sinks = entry.CreateLoad(entry.getPtrTy(), field(entry, context, offsetof(MutContext, sinks)));
  for (size_t i = 0; i < sinks_; ++i) {
    llvm::Value* known = entry.CreateLoad(
        entry.getInt64Ty(), field(entry, sinks, i * sizeof(MutSink) + offsetof(MutSink, count)));
    entry.CreateStore(known, sink_rows(entry, counts, static_cast<int>(i)));
  }
  for (const auto& [site, slot] : sites_) entry.CreateStore(entry.getInt64(0), dropped(entry, counts, site));
  return counts;
}

void Tally::close(llvm::IRBuilder<>& builder, llvm::Value* context, llvm::Value* counts) const {
  if (counting_ == Counting::InContext) return;
  llvm::Type* word = builder.getInt64Ty();
  builder.CreateStore(builder.CreateLoad(word, output_rows(builder, counts)),
                      field(builder, context, offsetof(MutContext, output_rows)));
  llvm::Value* sinks =
      builder.CreateLoad(builder.getPtrTy(), field(builder, context, offsetof(MutContext, sinks)));
  for (size_t i = 0; i < sinks_; ++i) {
    builder.CreateStore(builder.CreateLoad(word, sink_rows(builder, counts, static_cast<int>(i))),
                        field(builder, sinks, i * sizeof(MutSink) + offsetof(MutSink, count)));
  }
  if (sites_.empty()) return;
  llvm::Value* totals =
      builder.CreateLoad(builder.getPtrTy(), field(builder, context, offsetof(MutContext, dropped)));
  for (const auto& [site, slot] : sites_) {
    llvm::Value* total = field(builder, totals, static_cast<uint64_t>(site) * 8);
    llvm::Value* more = builder.CreateLoad(word, dropped(builder, counts, site));
    builder.CreateStore(builder.CreateAdd(builder.CreateLoad(word, total), more), total);
  }
}

llvm::Value* Tally::output_rows(llvm::IRBuilder<>& builder, llvm::Value* counts) const {
  return field(builder, counts, counting_ == Counting::InContext ? offsetof(MutContext, output_rows) : 0);
}

llvm::Value* Tally::sink_rows(llvm::IRBuilder<>& builder, llvm::Value* counts, int emit) const {
  if (counting_ == Counting::InContext) {
    llvm::Value* sinks =
        builder.CreateLoad(builder.getPtrTy(), field(builder, counts, offsetof(MutContext, sinks)));
    return field(builder, sinks, static_cast<uint64_t>(emit) * sizeof(MutSink) + offsetof(MutSink, count));
  }
  return field(builder, counts, (1 + static_cast<uint64_t>(emit)) * 8);
}

llvm::Value* Tally::dropped(llvm::IRBuilder<>& builder, llvm::Value* counts, int site) const {
  if (counting_ == Counting::InContext) {
    llvm::Value* totals =
        builder.CreateLoad(builder.getPtrTy(), field(builder, counts, offsetof(MutContext, dropped)));
    return field(builder, totals, static_cast<uint64_t>(site) * 8);
  }
  return field(builder, counts, sites_.at(site) * 8);
}

llvm::Value* Tally::row(llvm::IRBuilder<>& builder, llvm::Value* counts, int store) const {
  return field(builder, counts, rows_.at(store) * 8);
}

}  // namespace mut::codegen
