// The loop of a source whose events touch nothing but windows in panes. See calm_rows.h.
#include <llvm/IR/MDBuilder.h>

#include "compiler/codegen/source_loop.h"
#include "runtime/abi/deliberate.h"

namespace mut::codegen {
namespace {

// A block that is not calm is run row by row: few enough that a pane that ends costs little, and enough that
// looking at their times does.
constexpr uint64_t calm_rows_max = 256;
// Of fewer what is asked and put back costs more than it saves.
constexpr uint64_t calm_rows_least = 4;

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

// Asks memory for the block that begins there: of two columns that are read for a few dozen instructions a
// row at most the processor alone does not bring enough.
void SourceLoop::ask_block(llvm::Value* begin) {
  constexpr uint64_t line_rows = 8;
  at_.for_each(b_.getInt64(0), b_.getInt64(calm_rows_max / line_rows), [&](llvm::Value* line) {
    llvm::Value* row = b_.CreateAdd(begin, b_.CreateMul(line, b_.getInt64(line_rows)));
    ask_memory(times_, row);
    ask_columns(row, module_.graph().needs[static_cast<size_t>(source_.stream)].front());
  });
}

// Vector code as well.
llvm::Value* SourceLoop::in_order(llvm::Value* begin, llvm::Value* end) {
  llvm::BasicBlock* before = b_.GetInsertBlock();
  llvm::BasicBlock* look = at_.block("order");
  llvm::BasicBlock* over = at_.block("ordered");
  llvm::Value* first = b_.CreateAdd(begin, b_.getInt64(1));
  b_.CreateCondBr(b_.CreateICmpULT(first, end), look, over);
  b_.SetInsertPoint(look);
  llvm::PHINode* row = b_.CreatePHI(word_, 2, "order_row");
  llvm::PHINode* falls = b_.CreatePHI(word_, 2, "falls");
  row->addIncoming(first, before);
  falls->addIncoming(b_.getInt64(0), before);
  auto time_at = [&](llvm::Value* at_row) {
    return at_.constant(b_.CreateLoad(word_, b_.CreateGEP(word_, times_, at_row)));
  };
  llvm::Value* fall = b_.CreateICmpSLT(time_at(row), time_at(b_.CreateSub(row, b_.getInt64(1))));
  llvm::Value* next_falls = b_.CreateOr(falls, b_.CreateZExt(fall, word_));
  llvm::Value* next_row = b_.CreateAdd(row, b_.getInt64(1));
  row->addIncoming(next_row, look);
  falls->addIncoming(next_falls, look);
  b_.CreateCondBr(b_.CreateICmpULT(next_row, end), look, over,
                  llvm::MDBuilder(b_.getContext()).createBranchWeights(1 << 8, 1));
  b_.SetInsertPoint(over);
  llvm::PHINode* all = b_.CreatePHI(word_, 2, "all_falls");
  all->addIncoming(b_.getInt64(0), before);
  all->addIncoming(next_falls, look);
  return b_.CreateICmpEQ(all, b_.getInt64(0));
}

void SourceLoop::run_calm_rows(llvm::Value* begin, llvm::Value* end, const LooksAhead::RowOf& row_of) {
  at_.known_rows = calm_.wants_order() ? Known::CalmInOrder : Known::Calm;
  calm_.take_rows(at_);
  auto run = [&](llvm::Value* number) {
    llvm::Value* row = row_of(number);
    run_row(row, time_of(row));
  };
  if (!run_quiet_rows(begin, end, run)) at_.for_each(begin, end, run);
  calm_.put_rows(at_);
  at_.known_rows = Known::Nothing;
}

// Those that fill no pane in a loop of their own, which may become vector code, and then one that may. False:
// nothing was emitted.
bool SourceLoop::run_quiet_rows(llvm::Value* begin, llvm::Value* end,
                                const std::function<void(llvm::Value* number)>& run) {
  llvm::BasicBlock* before = b_.GetInsertBlock();
  llvm::BasicBlock* head = at_.block("quiet_head");
  b_.SetInsertPoint(head);
  llvm::PHINode* from = b_.CreatePHI(word_, 2, "quiet_from");
  llvm::Value* quiet = calm_.rows_quiet(at_);
  if (quiet == nullptr) {
    head->eraseFromParent();
    b_.SetInsertPoint(before);
    return false;
  }
  llvm::BasicBlock* last = at_.block("quiet_last");
  llvm::BasicBlock* over = at_.block("quiet_over");
  from->addIncoming(begin, before);
  llvm::Value* until = b_.CreateAdd(from, quiet);
  until = b_.CreateSelect(b_.CreateICmpULT(until, end), until, end);
  at_.known_rows = Known::CalmQuiet;
  at_.for_each(from, until, run);
  at_.known_rows = Known::CalmInOrder;
  b_.CreateCondBr(b_.CreateICmpULT(until, end), last, over);
  b_.SetInsertPoint(last);
  run(until);
  from->addIncoming(b_.CreateAdd(until, b_.getInt64(1)), b_.GetInsertBlock());
  b_.CreateBr(head);
  b_.SetInsertPoint(before);
  b_.CreateBr(head);
  b_.SetInsertPoint(over);
  return true;
}

SourceLoop::Calm SourceLoop::ask_calm(Place from, llvm::Value* limit) {
  llvm::Value* orderly = nullptr;
  Span span{};
  if (calm_.wants_order()) {
    orderly = in_order(from.row, limit);
    span = {time_of(from.row), time_of(b_.CreateSub(limit, b_.getInt64(1)))};
  } else {
    span = time_span(from.row, limit);
  }
  llvm::Value* own = reached(span.newest);
  llvm::Value* risen = b_.CreateSelect(b_.CreateICmpSGT(own, from.watermark), own, from.watermark);
  llvm::Value* due = at_.context_field(offsetof(MutContext, due), word_);
  // Times that are shifted may wrap around; those of a block that does are not in order.
  llvm::Value* is_calm = b_.CreateICmpSLE(span.oldest, span.newest);
  is_calm = b_.CreateAnd(is_calm, b_.CreateICmpSLT(risen, due));
  if (orderly != nullptr && !MUT_DELIBERATE_FAULT(calm_in_any_order))
    is_calm = b_.CreateAnd(is_calm, orderly);
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
  llvm::Value* ready = calm_.rows_ready(at_, time_of(block.begin));
  auto [is_calm, risen] = ask_calm({block.begin, block.watermark}, block.limit);
  if (ready != nullptr)
    is_calm = b_.CreateAnd(is_calm, b_.CreateICmpUGE(ready, b_.CreateSub(block.limit, block.begin)));
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
  llvm::Value* usual_limit = b_.CreateSelect(b_.CreateICmpULT(most, end), most, end, "calm_limit");
  llvm::Value* limit = usual_limit;
  if (llvm::Value* ready = calm_.rows_ready(at_, time_of(begin))) {
    llvm::BasicBlock* enough = at_.block("calm_enough");
    b_.CreateCondBr(b_.CreateICmpUGE(ready, b_.getInt64(calm_rows_least)), enough, usual);
    b_.SetInsertPoint(enough);
    llvm::Value* last = b_.CreateAdd(begin, ready);
    limit = b_.CreateSelect(b_.CreateICmpULT(last, usual_limit), last, usual_limit);
  }
  auto [is_calm, risen] = ask_calm({begin, watermark}, limit);
  b_.CreateCondBr(is_calm, calm, usual);

  b_.SetInsertPoint(calm);
  if (calm_.wants_order()) ask_block(limit);
  run_calm_rows(begin, limit, [](llvm::Value* number) { return number; });
  set_watermark(risen);
  begin->addIncoming(limit, b_.GetInsertBlock());
  watermark->addIncoming(risen, b_.GetInsertBlock());
  b_.CreateBr(head);

  b_.SetInsertPoint(usual);
  Place after = run_rows({begin, watermark}, usual_limit, end);
  begin->addIncoming(after.row, b_.GetInsertBlock());
  watermark->addIncoming(after.watermark, b_.GetInsertBlock());
  b_.CreateBr(head);

  b_.SetInsertPoint(over);
  return {begin, watermark};
}

}  // namespace mut::codegen
