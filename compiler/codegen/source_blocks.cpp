// The loop of a source whose leading filter is asked for a block of rows at a time. See source_loop.h.
#include <llvm/IR/CFG.h>
#include <llvm/IR/MDBuilder.h>

#include "compiler/codegen/source_loop.h"

namespace mut::codegen {
namespace {

// Two arrays of 8 KiB: they stay in the first-level cache.
constexpr uint64_t block_rows_max = 1024;
// A kernel begins with a short block, and each is twice the one before: where it is left every few rows
// because something fires, few rows are looked at twice.
constexpr uint64_t block_rows_first = 32;

}  // namespace

llvm::Value* SourceLoop::may_pass(llvm::Value* row) {
  at_.fields = module_.column_fields(at_, source_, columns_, row);
  at_.handler = {at_.block("undecided"), at_.temporary(4)};
  llvm::BasicBlock* undecided = at_.handler.block;
  llvm::Value* passes = at_.emit_condition(*filter_);
  llvm::BasicBlock* decided = b_.GetInsertBlock();
  if (llvm::pred_empty(undecided)) {
    undecided->eraseFromParent();
    return passes;
  }
  // It fails: the second pass finds that again, and tells.
  llvm::BasicBlock* known = at_.block("known");
  b_.CreateBr(known);
  b_.SetInsertPoint(undecided);
  b_.CreateBr(known);
  b_.SetInsertPoint(known);
  llvm::PHINode* out = b_.CreatePHI(b_.getInt1Ty(), 2);
  out->addIncoming(passes, decided);
  out->addIncoming(b_.getTrue(), undecided);
  return out;
}

SourceLoop::Written SourceLoop::write_down(Place from, llvm::Value* limit, Which which) {
  llvm::BasicBlock* before = b_.GetInsertBlock();
  llvm::BasicBlock* scan = at_.block(which == Which::MayPass ? "scan" : "scan_every");
  llvm::BasicBlock* over = at_.block("scanned");
  b_.CreateBr(scan);
  b_.SetInsertPoint(scan);
  llvm::PHINode* row = b_.CreatePHI(word_, 2, "scan_row");
  llvm::PHINode* count = b_.CreatePHI(word_, 2, "written_count");
  llvm::PHINode* mark = b_.CreatePHI(word_, 2, "mark");
  row->addIncoming(from.row, before);
  count->addIncoming(b_.getInt64(0), before);
  mark->addIncoming(from.watermark, before);
  llvm::Value* new_mark = reached(time_of(row));
  llvm::Value* next_mark = b_.CreateSelect(b_.CreateICmpSGT(new_mark, mark), new_mark, mark);
  b_.CreateStore(row, slot(written_, count));
  if (reads_watermark_) b_.CreateStore(mark, slot(marks_, count));
  // Free of branches, but for what the filter itself may refuse to decide.
  llvm::Value* one = which == Which::MayPass ? b_.CreateZExt(may_pass(row), word_) : b_.getInt64(1);
  llvm::Value* next_count = b_.CreateAdd(count, one);
  llvm::Value* next_row = b_.CreateAdd(row, b_.getInt64(1));
  row->addIncoming(next_row, b_.GetInsertBlock());
  count->addIncoming(next_count, b_.GetInsertBlock());
  mark->addIncoming(next_mark, b_.GetInsertBlock());
  b_.CreateCondBr(b_.CreateICmpULT(next_row, limit), scan, over,
                  llvm::MDBuilder(b_.getContext()).createBranchWeights(1 << 10, 1));
  b_.SetInsertPoint(over);
  return {next_count, next_mark};
}

void SourceLoop::drop(llvm::Value* rows, llvm::Value* rows_run) {
  llvm::Value* dropped_at = module_.tally().dropped(b_, at_.counts, filter_site_);
  llvm::Value* known = b_.CreateLoad(word_, dropped_at);
  b_.CreateStore(b_.CreateAdd(known, b_.CreateSub(rows, rows_run)), dropped_at);
}

SourceLoop::Place SourceLoop::run_blocks(Place from, llvm::Value* end) {
  written_ = at_.temporary(block_rows_max * 8);
  marks_ = at_.temporary(block_rows_max * 8);
  llvm::BasicBlock* before = b_.GetInsertBlock();
  llvm::BasicBlock* head = at_.block("block");
  llvm::BasicBlock* first_pass = at_.block("first_pass");
  llvm::BasicBlock* over = at_.block("blocks_over");
  b_.CreateBr(head);
  b_.SetInsertPoint(head);
  Block block{b_.CreatePHI(word_, 3, "block_begin"), b_.CreatePHI(word_, 3, "block_watermark"),
              b_.CreatePHI(word_, 3, "block_length"), nullptr, nullptr};
  block.begin->addIncoming(from.row, before);
  block.watermark->addIncoming(from.watermark, before);
  block.length->addIncoming(b_.getInt64(block_rows_first), before);
  b_.CreateCondBr(b_.CreateICmpULT(block.begin, end), first_pass, over);
  b_.SetInsertPoint(first_pass);
  llvm::Value* limit = b_.CreateAdd(block.begin, block.length);
  block.limit = b_.CreateSelect(b_.CreateICmpULT(limit, end), limit, end, "block_limit");
  Written passing = write_down({block.begin, block.watermark}, block.limit, Which::MayPass);
  block.newest_watermark = passing.watermark;
  run_written(block, passing.count);
  b_.SetInsertPoint(over);
  return {block.begin, block.watermark};
}

void SourceLoop::next_block(const Block& block) {
  llvm::Value* most = b_.getInt64(block_rows_max);
  llvm::Value* twice = b_.CreateShl(block.length, uint64_t{1});
  twice = b_.CreateSelect(b_.CreateICmpULT(twice, most), twice, most);
  block.begin->addIncoming(block.limit, b_.GetInsertBlock());
  block.watermark->addIncoming(block.newest_watermark, b_.GetInsertBlock());
  block.length->addIncoming(twice, b_.GetInsertBlock());
  b_.CreateBr(block.begin->getParent());
}

void SourceLoop::run_written(const Block& block, llvm::Value* passing_count) {
  llvm::MDNode* rare = llvm::MDBuilder(b_.getContext()).createBranchWeights(1, 1 << 12);
  llvm::BasicBlock* passing = b_.GetInsertBlock();
  llvm::BasicBlock* second_pass = at_.block("second_pass");
  llvm::BasicBlock* pick = at_.block("pick");
  llvm::BasicBlock* calm = at_.block("calm");
  llvm::BasicBlock* chosen = at_.block("chosen");
  llvm::BasicBlock* full = at_.block("block_full");
  llvm::BasicBlock* room = at_.block("block_room");
  llvm::BasicBlock* block_end = at_.block("block_end");
  b_.CreateBr(second_pass);
  b_.SetInsertPoint(second_pass);
  llvm::PHINode* first = b_.CreatePHI(word_, 2, "written_from");
  llvm::PHINode* first_mark = b_.CreatePHI(word_, 2, "written_watermark");
  llvm::PHINode* count = b_.CreatePHI(word_, 2, "written");
  llvm::PHINode* every = b_.CreatePHI(b_.getInt1Ty(), 2, "every");
  first->addIncoming(block.begin, passing);
  first_mark->addIncoming(block.watermark, passing);
  count->addIncoming(passing_count, passing);
  every->addIncoming(b_.getFalse(), passing);
  ahead_->forget();
  llvm::BasicBlock* begun = b_.GetInsertBlock();
  b_.CreateBr(pick);
  b_.SetInsertPoint(pick);
  llvm::PHINode* index = b_.CreatePHI(word_, 2, "index");
  llvm::PHINode* done_row = b_.CreatePHI(word_, 2, "done_row");
  llvm::PHINode* done_mark = b_.CreatePHI(word_, 2, "done_watermark");
  index->addIncoming(b_.getInt64(0), begun);
  done_row->addIncoming(first, begun);
  done_mark->addIncoming(first_mark, begun);
  llvm::Value* made = b_.CreateLoad(word_, module_.tally().output_rows(b_, at_.counts));
  llvm::Value* is_full = b_.CreateICmpUGE(made, output_max_);
  llvm::Value* is_left = b_.CreateICmpULT(index, count);
  auto this_row = [&] { return b_.CreateLoad(word_, slot(written_, index)); };
  auto risen = [&](llvm::Value* time) {
    llvm::Value* mark = b_.CreateLoad(word_, slot(marks_, index));
    llvm::Value* own = reached(time);
    llvm::Value* rises = b_.CreateICmpSGT(own, mark);
    return std::pair(rises, b_.CreateSelect(rises, own, mark));
  };
  if (can_fire_) {
    // Something may fire in this block, if only at a row that the filter drops. What the rows before have
    // changed may be due earlier than when the block began.
    llvm::BasicBlock* tense = at_.block("tense");
    llvm::BasicBlock* from_here = at_.block("from_here");
    llvm::BasicBlock* rows_left = at_.block("rows_left");
    llvm::BasicBlock* none_left = at_.block("none_left");
    llvm::BasicBlock* tense_row = at_.block("tense_row");
    llvm::BasicBlock* may_leave = at_.block("may_leave");
    llvm::BasicBlock* have_room = at_.block("have_room");
    llvm::Value* due = at_.context_field(offsetof(MutContext, due), word_);
    b_.CreateCondBr(b_.CreateICmpSGE(block.newest_watermark, due), tense, calm, rare);
    b_.SetInsertPoint(tense);
    b_.CreateCondBr(every, tense_row, from_here);

    b_.SetInsertPoint(from_here);
    drop(b_.CreateSub(done_row, first), index);
    b_.CreateCondBr(b_.CreateICmpULT(done_row, block.limit), rows_left, none_left);
    b_.SetInsertPoint(none_left);
    next_block(block);
    b_.SetInsertPoint(rows_left);
    Written all = write_down({done_row, done_mark}, block.limit, Which::Every);
    first->addIncoming(done_row, b_.GetInsertBlock());
    first_mark->addIncoming(done_mark, b_.GetInsertBlock());
    count->addIncoming(all.count, b_.GetInsertBlock());
    every->addIncoming(b_.getTrue(), b_.GetInsertBlock());
    b_.CreateBr(second_pass);

    b_.SetInsertPoint(tense_row);
    b_.CreateCondBr(is_left, may_leave, block_end);
    b_.SetInsertPoint(may_leave);
    b_.CreateCondBr(is_full, full, have_room, rare);
    b_.SetInsertPoint(have_room);
    llvm::Value* row = this_row();
    auto [rises, watermark] = risen(time_of(row));
    leave_if(is_due(rises, watermark, due), MUT_STOP_DUE, {row, watermark});
    b_.CreateBr(calm);
    b_.SetInsertPoint(calm);
  } else {
    b_.CreateBr(calm);
    b_.SetInsertPoint(calm);
  }
  b_.CreateCondBr(is_left, chosen, block_end);
  b_.SetInsertPoint(chosen);
  b_.CreateCondBr(is_full, full, room, rare);

  // What is left of the block is scanned anew after the sinks were emptied: rows before count now.
  b_.SetInsertPoint(full);
  drop(b_.CreateSub(done_row, first), index);
  llvm::Value* full_mark = done_mark;
  if (!reads_watermark_) {
    // Nothing has followed the watermark from row to row; an edit behind this batch may want it.
    llvm::CallInst* newest = b_.CreateCall(
        module_.helper("mut_newest_time", word_, {b_.getPtrTy(), word_, word_}), {times_, first, done_row});
    newest->addFnAttr(llvm::Attribute::Cold);
    llvm::Value* own = b_.CreateSelect(b_.CreateICmpULT(first, done_row), reached(newest), first_mark);
    full_mark = b_.CreateSelect(b_.CreateICmpSGT(own, first_mark), own, first_mark);
  }
  leaves_.push_back({full, MUT_STOP_OUTPUT, {done_row, full_mark}});
  b_.CreateBr(leave_);

  b_.SetInsertPoint(room);
  ahead_->emit(index, count,
               [&](llvm::Value* number) { return b_.CreateLoad(word_, slot(written_, number)); });
  llvm::Value* row = this_row();
  llvm::Value* time = time_of(row);
  llvm::Value* mark = done_mark;
  if (reads_watermark_) {
    mark = risen(time).second;
    b_.CreateStore(mark, field(at_.context(), offsetof(MutContext, watermark)));
  }
  run_row(row, time);
  index->addIncoming(b_.CreateAdd(index, b_.getInt64(1)), b_.GetInsertBlock());
  done_row->addIncoming(b_.CreateAdd(row, b_.getInt64(1)), b_.GetInsertBlock());
  done_mark->addIncoming(mark, b_.GetInsertBlock());
  b_.CreateBr(pick);

  b_.SetInsertPoint(block_end);
  drop(b_.CreateSub(block.limit, first), count);
  next_block(block);
}

}  // namespace mut::codegen
