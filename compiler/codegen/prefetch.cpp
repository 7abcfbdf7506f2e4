// Memory that a keyed stage will want, asked for some rows ahead: a table larger than the caches costs a
// miss for every row, and misses of different rows can be under way together.
#include "compiler/codegen/module_emitter.h"
#include "runtime/abi/kernel.h"

namespace mut::codegen {
namespace {

using typed::ExprKind;
using typed::Kind;

// The tags of a row's key are asked for before the row that they name.
struct Ahead {
  uint64_t rows;
  uint32_t row_itself;  // 0: its tags
};
constexpr Ahead looks[] = {{48, 0}, {24, 1}};
constexpr size_t lookups_max = 2;  // a kernel; more would crowd out the rows themselves

// A store whose key is made of columns of the source as they are.
struct Lookup {
  int store;
  std::vector<int> columns;
};

class LookupSearch {
 public:
  LookupSearch(const graph::Graph& graph, std::vector<Lookup>& out) : graph_(graph), out_(out) {}

  // `columns`: for each field of what enters the stream the column of the source that it is, or -1.
  void walk(int stream, std::vector<int> columns) {
    if (!graph_.live[static_cast<size_t>(stream)]) return;
    const typed::Stream& of = graph_.program->streams[static_cast<size_t>(stream)];
    for (size_t i = 0; i < of.stages.size(); ++i) {
      const typed::Stage& stage = of.stages[i];
      for (int store : graph_.stage_stores[static_cast<size_t>(stream)][i]) {
        const graph::StoreNode& node = graph_.stores[static_cast<size_t>(store)];
        if (!node.histories.empty()) {
          add(store, stage.histories[static_cast<size_t>(node.histories[0])].keys, columns);
        } else if (node.desc.kind != state::StoreKind::Sessions &&
                   node.desc.kind != state::StoreKind::Overlaps) {
          add(store, stage.keys, columns);
        }
      }
      // Behind all others other rows go on, or others fields.
      bool goes_on = stage.kind == typed::StageKind::Where || stage.kind == typed::StageKind::Project ||
                     stage.kind == typed::StageKind::Dedupe;
      if (!goes_on) return;
      if (stage.kind != typed::StageKind::Project) continue;
      std::vector<int> after;
      for (const typed::Output& output : stage.outputs) {
        bool same = output.value->kind == ExprKind::Field;
        after.push_back(same ? columns[static_cast<size_t>(output.value->index)] : -1);
      }
      columns = std::move(after);
    }
    for (const graph::Consumer& consumer : graph_.consumers[static_cast<size_t>(stream)]) {
      if (consumer.kind == graph::Consumer::Kind::Stream) {
        const typed::Input& input = graph_.program->streams[static_cast<size_t>(consumer.index)]
                                        .inputs[static_cast<size_t>(consumer.input)];
        if (input.conversion.empty()) walk(consumer.index, columns);
      } else if (consumer.kind == graph::Consumer::Kind::Route) {
        for (const auto& branch : graph_.program->routes[static_cast<size_t>(consumer.index)].branches)
          walk(branch.stream, columns);
      }
    }
  }

 private:
  void add(int store, const std::vector<typed::ExprPtr>& keys, const std::vector<int>& columns) {
    if (keys.empty() || out_.size() == lookups_max) return;
    Lookup lookup{store, {}};
    for (const typed::ExprPtr& key : keys) {
      bool number = key->type->kind == Kind::Int || key->type->kind == Kind::Time ||
                    key->type->kind == Kind::Duration || key->type->kind == Kind::U64;
      if (key->kind != ExprKind::Field || !number || columns[static_cast<size_t>(key->index)] < 0) return;
      lookup.columns.push_back(columns[static_cast<size_t>(key->index)]);
    }
    out_.push_back(std::move(lookup));
  }

  const graph::Graph& graph_;
  std::vector<Lookup>& out_;
};

}  // namespace

void ModuleEmitter::emit_prefetches(FunctionEmitter& at, const typed::Source& source, llvm::Value* columns,
                                    llvm::Value* row, llvm::Value* row_end) {
  if (!source.generated.empty()) return;
  std::vector<Lookup> lookups;
  std::vector<int> own(source.type->fields.size());
  for (size_t i = 0; i < own.size(); ++i) own[i] = static_cast<int>(i);
  LookupSearch(graph_, lookups).walk(source.stream, std::move(own));
  if (lookups.empty()) return;
  llvm::IRBuilder<>& b = at.builder();
  llvm::Value* last = b.CreateSub(row_end, b.getInt64(1));
  llvm::Value* stores =
      at.context_constant(offsetof(MutContext, stores), b.getPtrTy(), graph_.stores.size() * 8);
  for (const Ahead& look : looks) {
    llvm::Value* ahead = b.CreateAdd(row, b.getInt64(look.rows));
    ahead = b.CreateSelect(b.CreateICmpULT(ahead, last), ahead, last);
    std::vector<Value> fields = column_fields(at, source, columns, ahead);
    for (const Lookup& lookup : lookups) {
      llvm::AllocaInst* key = at.temporary(lookup.columns.size() * 8);
      for (size_t i = 0; i < lookup.columns.size(); ++i) {
        b.CreateAlignedStore(fields[static_cast<size_t>(lookup.columns[i])].part(),
                             b.CreateConstGEP1_64(b.getInt8Ty(), key, i * 8), llvm::Align(8));
      }
      llvm::Value* view = at.constant(b.CreateLoad(
          b.getPtrTy(), b.CreateConstGEP1_64(b.getPtrTy(), stores, static_cast<uint64_t>(lookup.store))));
      bool panes = graph_.stores[static_cast<size_t>(lookup.store)].desc.kind == state::StoreKind::Panes;
      b.CreateCall(
          helper(panes ? "mut_window_prefetch" : "mut_table_prefetch", b.getVoidTy(),
                 {b.getPtrTy(), b.getPtrTy(), b.getInt32Ty(), b.getInt32Ty()}),
          {view, key, b.getInt32(static_cast<uint32_t>(lookup.columns.size())), b.getInt32(look.row_itself)});
    }
  }
}

}  // namespace mut::codegen
