// The loop of a source whose events touch nothing but windows in panes. See calm_rows.h.
#include <llvm/IR/MDBuilder.h>

#include "compiler/codegen/source_loop.h"
#include "runtime/abi/deliberate.h"

namespace mut::codegen {
namespace {

// A block that is not calm is run row by row: few enough that a pane that ends costs little, and enough that
// looking at their times does.
constexpr uint64_t calm_rows_max = 256;

}  // namespace

// Nothing in it depends on the row before: it becomes vector code.
SourceLoop::Span SourceLoop::time_span(llvm::Value* begin, llvm::Value* end) {
  llvm::BasicBlock* before = b_.GetInsertBlock();
  llvm::BasicBlock* look = at_.block("span");
  llvm::BasicBlock* over = at_.block("spanned");
  b_.CreateBr(look);
  b_.SetInsertPoint(look);
  llvm::PHINode* row = b_.CreatePHI(word_, 2, "span_row");
  llvm::PHINode* oldest = b_.CreatePHI(word_, 2, "oldest");
  llvm::PHINode* newest = b_.CreatePHI(word_, 2, "newest");
  row->addIncoming(begin, before);
  oldest->addIncoming(b_.getInt64(INT64_MAX), before);
  newest->addIncoming(b_.getInt64(static_cast<uint64_t>(INT64_MIN)), before);
  llvm::Value* time = at_.constant(b_.CreateLoad(word_, b_.CreateGEP(word_, times_, row)));
  llvm::Value* next_oldest = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, time, oldest);
  llvm::Value* next_newest = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smax, time, newest);
  llvm::Value* next_row = b_.CreateAdd(row, b_.getInt64(1));
  row->addIncoming(next_row, look);
  oldest->addIncoming(next_oldest, look);
  newest->addIncoming(next_newest, look);
  b_.CreateCondBr(b_.CreateICmpULT(next_row, end), look, over,
                  llvm::MDBuilder(b_.getContext()).createBranchWeights(1 << 8, 1));
  b_.SetInsertPoint(over);
  return {b_.CreateAdd(next_oldest, time_shift_), b_.CreateAdd(next_newest, time_shift_)};
}

void SourceLoop::run_calm_rows(llvm::Value* begin, llvm::Value* end) {
  at_.known_rows = Known::Calm;
  at_.for_each(begin, end, [&](llvm::Value* row) { run_row(row, time_of(row)); });
  at_.known_rows = Known::Nothing;
}

SourceLoop::Place SourceLoop::run_calm_blocks(Place from, llvm::Value* end) {
  llvm::BasicBlock* before = b_.GetInsertBlock();
  llvm::BasicBlock* head = at_.block("calm_head");
  llvm::BasicBlock* look = at_.block("calm_look");
  llvm::BasicBlock* calm = at_.block("calm");
  llvm::BasicBlock* usual = at_.block("usual");
  llvm::BasicBlock* over = at_.block("calm_over");
  b_.CreateBr(head);
  b_.SetInsertPoint(head);
  llvm::PHINode* begin = b_.CreatePHI(word_, 3, "calm_begin");
  llvm::PHINode* watermark = b_.CreatePHI(word_, 3, "calm_watermark");
  begin->addIncoming(from.row, before);
  watermark->addIncoming(from.watermark, before);
  b_.CreateCondBr(b_.CreateICmpULT(begin, end), look, over);

  b_.SetInsertPoint(look);
  llvm::Value* most = b_.CreateAdd(begin, b_.getInt64(calm_rows_max));
  llvm::Value* limit = b_.CreateSelect(b_.CreateICmpULT(most, end), most, end, "calm_limit");
  Span span = time_span(begin, limit);
  llvm::Value* own = reached(span.newest);
  llvm::Value* risen = b_.CreateSelect(b_.CreateICmpSGT(own, watermark), own, watermark);
  llvm::Value* due = at_.context_field(offsetof(MutContext, due), word_);
  // Times that are shifted may wrap around; those of a block that does are not in order.
  llvm::Value* is_calm = b_.CreateICmpSLE(span.oldest, span.newest);
  is_calm = b_.CreateAnd(is_calm, b_.CreateICmpSLT(risen, due));
  is_calm = b_.CreateAnd(
      is_calm,
      calm_.in_panes(at_, MUT_DELIBERATE_FAULT(calm_takes_older) ? span.newest : span.oldest, span.newest));
  b_.CreateCondBr(is_calm, calm, usual);

  b_.SetInsertPoint(calm);
  run_calm_rows(begin, limit);
  b_.CreateStore(risen, field(at_.context(), offsetof(MutContext, watermark)));
  begin->addIncoming(limit, b_.GetInsertBlock());
  watermark->addIncoming(risen, b_.GetInsertBlock());
  b_.CreateBr(head);

  b_.SetInsertPoint(usual);
  Place after = run_rows({begin, watermark}, limit, end);
  begin->addIncoming(after.row, b_.GetInsertBlock());
  watermark->addIncoming(after.watermark, b_.GetInsertBlock());
  b_.CreateBr(head);

  b_.SetInsertPoint(over);
  return {begin, watermark};
}

}  // namespace mut::codegen
