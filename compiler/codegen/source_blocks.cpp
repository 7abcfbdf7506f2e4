// The loop of a source whose leading filter is asked for a block of rows at a time. See source_loop.h.
#include <llvm/IR/CFG.h>
#include <llvm/IR/MDBuilder.h>

#include "compiler/codegen/source_loop.h"

namespace mut::codegen {
namespace {

// Two arrays of 4 KiB: they stay in the first-level cache beside the columns.
constexpr uint64_t block_rows_max = 512;
// Where something may fire a kernel begins with a short block, and each is twice the one before: where it is
// left every few rows, few are looked at twice.
constexpr uint64_t block_rows_first = 32;
// Beside the times; more would crowd out the block itself.
constexpr size_t columns_asked_max = 4;

}  // namespace

llvm::Value* SourceLoop::may_pass(llvm::Value* row) {
  AtPlace place(at_, filter_site_);
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

// The watermark behind all rows from there to `end`, of which there is one at least.
llvm::Value* SourceLoop::newest_mark(Place from, llvm::Value* end) {
  llvm::Value* newest = b_.CreateCall(module_.helper("mut_newest_time", word_, {b_.getPtrTy(), word_, word_}),
                                      {times_, from.row, end});
  llvm::Value* own = reached(b_.CreateAdd(newest, time_shift_));
  return b_.CreateSelect(b_.CreateICmpSGT(own, from.watermark), own, from.watermark);
}

// In two loops: the first, of which nothing depends on the row before, becomes vector code where the filter
// has no branch; the second collects what it found.
llvm::Value* SourceLoop::collect_passing(llvm::Value* begin, llvm::Value* limit) {
  graph::Needs others = module_.graph().needs[static_cast<size_t>(source_.stream)].front();
  for (size_t i = 0; i < others.size(); ++i) {
    bool is_time = source_.time && source_.time->kind == typed::ExprKind::Field &&
                   source_.time->index == static_cast<int>(i);
    others[i] = others[i] && !filter_needs_[i] && !is_time;
  }
  llvm::Type* byte = b_.getInt8Ty();
  llvm::MDNode* often = llvm::MDBuilder(b_.getContext()).createBranchWeights(1 << 10, 1);
  llvm::BasicBlock* before = b_.GetInsertBlock();
  llvm::BasicBlock* ask = at_.block("ask");
  llvm::BasicBlock* asked = at_.block("asked");
  b_.CreateBr(ask);
  b_.SetInsertPoint(ask);
  llvm::PHINode* row = b_.CreatePHI(word_, 2, "ask_row");
  row->addIncoming(begin, before);
  llvm::Value* passes = b_.CreateZExt(may_pass(row), byte);
  b_.CreateStore(passes, b_.CreateGEP(byte, passes_, b_.CreateSub(row, begin)));
  llvm::Value* next_row = b_.CreateAdd(row, b_.getInt64(1));
  row->addIncoming(next_row, b_.GetInsertBlock());
  b_.CreateCondBr(b_.CreateICmpULT(next_row, limit), ask, asked, often);

  // Eight answers are one word; of most words of a filter that lets few pass none is set.
  b_.SetInsertPoint(asked);
  llvm::BasicBlock* collect = at_.block("collect");
  llvm::BasicBlock* found = at_.block("found");
  llvm::BasicBlock* next = at_.block("collect_next");
  llvm::BasicBlock* over = at_.block("collected");
  llvm::Value* rows = b_.CreateSub(limit, begin);
  b_.CreateAlignedStore(b_.getInt64(0), b_.CreateGEP(byte, passes_, rows), llvm::Align(1));
  b_.CreateBr(collect);
  b_.SetInsertPoint(collect);
  llvm::PHINode* at = b_.CreatePHI(word_, 2, "collect_row");
  llvm::PHINode* count = b_.CreatePHI(word_, 2, "written_count");
  at->addIncoming(b_.getInt64(0), asked);
  count->addIncoming(b_.getInt64(0), asked);
  llvm::Value* first = b_.CreateAdd(begin, at);
  llvm::Value* eight = b_.CreateAlignedLoad(word_, b_.CreateGEP(byte, passes_, at), llvm::Align(1));
  b_.CreateCondBr(b_.CreateICmpNE(eight, b_.getInt64(0)), found, next);
  b_.SetInsertPoint(found);
  llvm::PHINode* left = b_.CreatePHI(word_, 2, "answers");
  llvm::PHINode* known = b_.CreatePHI(word_, 2, "known_count");
  left->addIncoming(eight, collect);
  known->addIncoming(count, collect);
  llvm::Value* bit = b_.CreateIntrinsic(llvm::Intrinsic::cttz, {word_}, {left, b_.getTrue()});
  llvm::Value* passing = b_.CreateAdd(first, b_.CreateLShr(bit, uint64_t{3}));
  b_.CreateStore(passing, slot(written_, known));
  // Of a row in a hundred what it reads beside is nowhere near: those of a block are fetched at once.
  ask_columns(passing, others);
  llvm::Value* more = b_.CreateAdd(known, b_.getInt64(1));
  llvm::Value* rest = b_.CreateAnd(left, b_.CreateSub(left, b_.getInt64(1)));
  left->addIncoming(rest, found);
  known->addIncoming(more, found);
  b_.CreateCondBr(b_.CreateICmpNE(rest, b_.getInt64(0)), found, next);
  b_.SetInsertPoint(next);
  llvm::PHINode* next_count = b_.CreatePHI(word_, 2, "next_count");
  next_count->addIncoming(count, collect);
  next_count->addIncoming(more, found);
  llvm::Value* next_at = b_.CreateAdd(at, b_.getInt64(8));
  at->addIncoming(next_at, next);
  count->addIncoming(next_count, next);
  b_.CreateCondBr(b_.CreateICmpULT(next_at, rows), collect, over, often);
  b_.SetInsertPoint(over);
  return next_count;
}

SourceLoop::Written SourceLoop::write_down_apart(Place from, llvm::Value* limit) {
  llvm::Value* count = collect_passing(from.row, limit);
  // Meanwhile what was asked for comes.
  return {count, newest_mark(from, limit)};
}

SourceLoop::Written SourceLoop::write_down(Place from, llvm::Value* limit, Which which) {
  if (which == Which::MayPass && !reads_watermark_) return write_down_apart(from, limit);
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

// Columns of a host lie in memory as they came, and the processor itself reads ahead to the end of a page
// only. The row need not exist.
void SourceLoop::ask_columns(llvm::Value* row, const graph::Needs& wanted) {
  const abi::TypeDescRef record = graph::describe(source_.type);
  for (size_t i = 0, asked = 0; i < wanted.size() && asked < columns_asked_max; ++i) {
    if (!wanted[i] || record->fields[i].type->size != 8) continue;
    ask_memory(at_.constant(b_.CreateLoad(
                   b_.getPtrTy(), field(columns_, i * sizeof(MutColumn) + offsetof(MutColumn, values)))),
               row);
    ++asked;
  }
}

void SourceLoop::ask_memory(llvm::Value* words, llvm::Value* index) {
  b_.CreateIntrinsic(b_.getVoidTy(), llvm::Intrinsic::prefetch,
                     {slot(words, index), b_.getInt32(0), b_.getInt32(3), b_.getInt32(1)});
}

void SourceLoop::drop(llvm::Value* rows, llvm::Value* rows_run) {
  llvm::Value* dropped_at = module_.tally().dropped(b_, at_.counts, filter_site_);
  llvm::Value* known = b_.CreateLoad(word_, dropped_at);
  b_.CreateStore(b_.CreateAdd(known, b_.CreateSub(rows, rows_run)), dropped_at);
}

SourceLoop::Place SourceLoop::run_blocks(Place from, llvm::Value* end) {
  written_ = at_.temporary(block_rows_max * 8);
  marks_ = at_.temporary(block_rows_max * 8);
  passes_ = at_.temporary(block_rows_max + 8);
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
  block.length->addIncoming(b_.getInt64(can_fire_ ? block_rows_first : block_rows_max), before);
  b_.CreateCondBr(b_.CreateICmpULT(block.begin, end), first_pass, over);
  b_.SetInsertPoint(first_pass);
  llvm::Value* limit = b_.CreateAdd(block.begin, block.length);
  block.limit = b_.CreateSelect(b_.CreateICmpULT(limit, end), limit, end, "block_limit");
  if (calm_.possible()) run_if_calm(block);
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
  llvm::Value* is_full = b_.CreateICmpUGE(made, output_max());
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
    llvm::Value* own = newest_mark({first, first_mark}, done_row);
    full_mark = b_.CreateSelect(b_.CreateICmpULT(first, done_row), own, first_mark);
  }
  leaves_.push_back({full, MUT_STOP_OUTPUT, {done_row, full_mark}});
  b_.CreateBr(leave_);

  b_.SetInsertPoint(room);
  if (reads_watermark_) {
    // Each row that runs asks for a line of the next block, so that memory works while the rows do.
    llvm::Value* ahead = b_.CreateShl(index, b_.getInt64(3));
    ahead = b_.CreateSelect(b_.CreateICmpULT(ahead, block.length), ahead, block.length);
    ahead = b_.CreateAdd(block.limit, ahead);
    ask_memory(times_, ahead);
    ask_columns(ahead, module_.graph().needs[static_cast<size_t>(source_.stream)].front());
  }
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
