// What a keyed stage will look up, looked for some rows ahead: a table larger than the caches costs a miss
// for every row, and misses of different rows can be under way together. See runtime/inline/ahead.h.
#include "compiler/codegen/looks_ahead.h"

#include "runtime/abi/kernel.h"
#include "runtime/inline/ahead.h"

namespace mut::codegen {
namespace {

using typed::ExprKind;
using typed::Kind;

constexpr size_t lookups_max = 2;  // a kernel; more would crowd out the rows themselves

// The first few stores of a source whose keys are columns.
class LookupSearch {
 public:
  LookupSearch(const graph::Graph& graph, std::vector<LooksAhead::Lookup>& out) : graph_(graph), out_(out) {}

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
    LooksAhead::Lookup lookup{store, {}};
    for (const typed::ExprPtr& key : keys) {
      bool number = key->type->kind == Kind::Int || key->type->kind == Kind::Time ||
                    key->type->kind == Kind::Duration || key->type->kind == Kind::U64;
      if (key->kind != ExprKind::Field || !number || columns[static_cast<size_t>(key->index)] < 0) return;
      lookup.columns.push_back(columns[static_cast<size_t>(key->index)]);
    }
    out_.push_back(std::move(lookup));
  }

  const graph::Graph& graph_;
  std::vector<LooksAhead::Lookup>& out_;
};

}  // namespace

LooksAhead::LooksAhead(ModuleEmitter& module, FunctionEmitter& at, const typed::Source& source,
                       llvm::Value* columns)
    : module_(module), at_(at), source_(source), columns_(columns) {
  if (!source.generated.empty()) return;
  std::vector<int> own(source.type->fields.size());
  for (size_t i = 0; i < own.size(); ++i) own[i] = static_cast<int>(i);
  LookupSearch(module.graph(), lookups_).walk(source.stream, std::move(own));
  if (lookups_.empty()) return;
  stores_ = at.context_constant(offsetof(MutContext, stores), at.builder().getPtrTy(),
                                module.graph().stores.size() * 8);
}

bool LooksAhead::by_pane(const Lookup& lookup) const {
  return module_.graph().stores[static_cast<size_t>(lookup.store)].desc.kind == state::StoreKind::Panes;
}

llvm::Value* LooksAhead::view(const Lookup& lookup) {
  llvm::IRBuilder<>& b = at_.builder();
  return at_.constant(
      b.CreateLoad(b.getPtrTy(), offset_by(b, stores_, static_cast<uint64_t>(lookup.store) * sizeof(void*))));
}

void LooksAhead::forget() {
  llvm::IRBuilder<>& b = at_.builder();
  for (const Lookup& lookup : lookups_) {
    b.CreateCall(module_.helper(by_pane(lookup) ? "mut_window_forget_ahead" : "mut_table_forget_ahead",
                                b.getVoidTy(), {b.getPtrTy()}),
                 {view(lookup)});
  }
}

void LooksAhead::emit(llvm::Value* number, llvm::Value* number_end, const RowOf& row_of) {
  for (const Lookup& lookup : lookups_) emit(lookup, number, number_end, row_of);
}

void LooksAhead::emit(const Lookup& lookup, llvm::Value* number, llvm::Value* number_end,
                      const RowOf& row_of) {
  llvm::IRBuilder<>& b = at_.builder();
  llvm::Type* word = b.getInt64Ty();
  auto least = [&](uint64_t rows) {
    llvm::Value* end = b.CreateAdd(number, b.getInt64(rows));
    return b.CreateSelect(b.CreateICmpULT(end, number_end), end, number_end);
  };
  llvm::Value* ahead = b.CreateCall(module_.helper(by_pane(lookup) ? "mut_window_ahead" : "mut_table_ahead",
                                                   b.getPtrTy(), {b.getPtrTy(), word}),
                                    {view(lookup), number});
  llvm::BasicBlock* looks = at_.block("ahead");
  llvm::BasicBlock* more = at_.block("ahead_more");
  llvm::BasicBlock* tags = at_.block("ahead_tags");
  llvm::BasicBlock* rows = at_.block("ahead_rows");
  llvm::BasicBlock* done = at_.block("ahead_done");
  b.CreateCondBr(b.CreateIsNull(ahead), done, looks);
  b.SetInsertPoint(looks);
  llvm::Value* tags_end = least(inl::ahead_tags);
  llvm::Value* rows_end = least(inl::ahead_row);
  b.CreateBr(more);
  b.SetInsertPoint(more);
  llvm::Value* next = b.CreateLoad(word, offset_by(b, ahead, offsetof(MutAhead, asked)));
  b.CreateCondBr(b.CreateICmpULT(next, tags_end), tags, rows);
  b.SetInsertPoint(tags);
  std::vector<Value> fields = module_.column_fields(at_, source_, columns_, row_of(next));
  llvm::AllocaInst* key = at_.temporary(lookup.columns.size() * 8);
  for (size_t i = 0; i < lookup.columns.size(); ++i) {
    b.CreateAlignedStore(fields[static_cast<size_t>(lookup.columns[i])].part(), offset_by(b, key, i * 8),
                         llvm::Align(8));
  }
  b.CreateCall(module_.helper("mut_ahead_tags", b.getVoidTy(), {b.getPtrTy(), b.getPtrTy(), b.getInt32Ty()}),
               {ahead, key, b.getInt32(static_cast<uint32_t>(lookup.columns.size()))});
  b.CreateBr(more);
  b.SetInsertPoint(rows);
  b.CreateCall(module_.helper("mut_ahead_rows", b.getVoidTy(), {b.getPtrTy(), word}), {ahead, rows_end});
  b.CreateBr(done);
  b.SetInsertPoint(done);
}

}  // namespace mut::codegen
