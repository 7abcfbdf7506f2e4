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

void SourceLoop::run_calm_rows(llvm::Value* begin, llvm::Value* end, const LooksAhead::RowOf& row_of) {
  at_.known_rows = Known::Calm;
  at_.for_each(begin, end, [&](llvm::Value* number) {
    llvm::Value* row = row_of(number);
    run_row(row, time_of(row));
  });
  at_.known_rows = Known::Nothing;
}

SourceLoop::Calm SourceLoop::ask_calm(Place from, llvm::Value* limit) {
  Span span = time_span(from.row, limit);
  llvm::Value* own = reached(span.newest);
  llvm::Value* risen = b_.CreateSelect(b_.CreateICmpSGT(own, from.watermark), own, from.watermark);
  llvm::Value* due = at_.context_field(offsetof(MutContext, due), word_);
  // Times that are shifted may wrap around; those of a block that does are not in order.
  llvm::Value* is_calm = b_.CreateICmpSLE(span.oldest, span.newest);
  is_calm = b_.CreateAnd(is_calm, b_.CreateICmpSLT(risen, due));
  llvm::Value* oldest = MUT_DELIBERATE_FAULT(calm_takes_older) ? span.newest : span.oldest;
  return {b_.CreateAnd(is_calm, calm_.in_panes(at_, oldest, span.newest)), risen};
}

void SourceLoop::set_watermark(llvm::Value* watermark) {
  b_.CreateStore(watermark, field(at_.context(), offsetof(MutContext, watermark)));
}

// With a filter in front: rows of a calm block that may pass are found by vector code. Control goes on where
// the block is not calm.
void SourceLoop::run_if_calm(Block block) {
  llvm::BasicBlock* calm = at_.block("calm");
  llvm::BasicBlock* usual = at_.block("usual");
  auto [is_calm, risen] = ask_calm({block.begin, block.watermark}, block.limit);
  b_.CreateCondBr(is_calm, calm, usual);
  b_.SetInsertPoint(calm);
  llvm::Value* count = collect_passing(block.begin, block.limit);
  run_calm_rows(b_.getInt64(0), count,
                [&](llvm::Value* number) { return b_.CreateLoad(word_, slot(written_, number)); });
  drop(b_.CreateSub(block.limit, block.begin), count);
  set_watermark(risen);
  block.newest_watermark = risen;
  next_block(block);
  b_.SetInsertPoint(usual);
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
  auto [is_calm, risen] = ask_calm({begin, watermark}, limit);
  b_.CreateCondBr(is_calm, calm, usual);

  b_.SetInsertPoint(calm);
  run_calm_rows(begin, limit, [](llvm::Value* number) { return number; });
  set_watermark(risen);
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
