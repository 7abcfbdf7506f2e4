#include "compiler/codegen/source_loop.h"

#include <llvm/IR/CFG.h>

#include <algorithm>

namespace mut::codegen {
namespace {

using typed::ExprKind;
using typed::Kind;

bool is_plain(typed::TypeRef type) {
  return typed::is_number(type->kind) || type->kind == Kind::Bool || type->kind == Kind::Time ||
         type->kind == Kind::Duration || type->kind == Kind::Enum;
}

// Arithmetic and comparisons of columns: nothing that calls the runtime.
bool is_cheap(const typed::Expr& expr) {
  switch (expr.kind) {
    case ExprKind::Literal:
    case ExprKind::Field:
    case ExprKind::Param:
      return is_plain(expr.type);
    case ExprKind::Convert:
    case ExprKind::Unary:
    case ExprKind::Binary:
    case ExprKind::If:
      return is_plain(expr.type) &&
             std::all_of(expr.args.begin(), expr.args.end(), [](const auto& arg) { return is_cheap(*arg); });
    default:
      return false;
  }
}

void note_fields(const typed::Expr& expr, graph::Needs& out) {
  if (expr.kind == ExprKind::Field) out[static_cast<size_t>(expr.index)] = 1;
  for (const auto& arg : expr.args) note_fields(*arg, out);
}

}  // namespace

SourceLoop::SourceLoop(ModuleEmitter& module, FunctionEmitter& at, const typed::Source& source)
    : module_(module),
      at_(at),
      b_(at.builder()),
      source_(source),
      index_(static_cast<int>(&source - module.program().sources.data())),
      can_fire_(module.can_fire(index_)),
      reads_watermark_(module.reads_watermark(index_)),
      word_(b_.getInt64Ty()),
      calm_(module, source) {
  find_filter();
}

llvm::Value* SourceLoop::field(llvm::Value* base, uint64_t offset) { return offset_by(b_, base, offset); }

void SourceLoop::find_filter() {
  if (!source_.generated.empty() || module_.source_rows() == SourceRows::OneByOne) return;
  const graph::Graph& graph = module_.graph();
  int stream = source_.stream;
  const auto& streams = module_.program().streams;
  if (streams[static_cast<size_t>(stream)].stages.empty()) {
    const auto& consumers = graph.consumers[static_cast<size_t>(stream)];
    if (consumers.size() != 1 || consumers[0].kind != graph::Consumer::Kind::Stream) return;
    const auto& reader = streams[static_cast<size_t>(consumers[0].index)];
    if (!reader.inputs[static_cast<size_t>(consumers[0].input)].conversion.empty()) return;
    stream = consumers[0].index;
  }
  const auto& stages = streams[static_cast<size_t>(stream)].stages;
  if (stages.empty() || stages[0].kind != typed::StageKind::Where || !stages[0].histories.empty()) return;
  if (!is_cheap(*stages[0].condition)) return;
  filter_ = stages[0].condition.get();
  filter_needs_.assign(source_.type->fields.size(), 0);
  note_fields(*filter_, filter_needs_);
  filter_site_ = graph::error_site(graph, stream, 0);
}

void SourceLoop::open() {
  at_.counts = module_.tally().open(b_, at_.context());
  batch_ = at_.function()->getArg(1);
  cursor_ = at_.function()->getArg(2);
  llvm::Type* pointer = b_.getPtrTy();
  // A source has a field at least; where its values lie does not change while the kernel runs.
  columns_ = at_.constant(b_.CreateLoad(pointer, field(batch_, offsetof(MutBatch, columns))),
                          std::max<size_t>(1, source_.type->fields.size()) * sizeof(MutColumn));
  times_ = b_.CreateLoad(pointer, field(batch_, offsetof(MutBatch, times)));
  time_shift_ = at_.constant(b_.CreateLoad(word_, field(batch_, offsetof(MutBatch, time_shift))));
  bad_ = b_.CreateLoad(pointer, field(batch_, offsetof(MutBatch, bad)));
  first_position_ = b_.CreateLoad(word_, field(batch_, offsetof(MutBatch, first_position)));
  row_end_ =
      b_.CreateZExt(b_.CreateLoad(b_.getInt32Ty(), field(cursor_, offsetof(MutCursor, row_end))), word_);
  if (!module_.keeps_variables(number_of_source()))
    output_max_ = at_.context_constant(offsetof(MutContext, output_rows_max), word_);
  ahead_.emplace(module_, at_, source_, columns_);
  ahead_->forget();
  leave_ = at_.block("leave");
}

void SourceLoop::leave_if(llvm::Value* condition, MutStop reason, Place place) {
  llvm::BasicBlock* stay = at_.block("stay");
  leaves_.push_back({b_.GetInsertBlock(), reason, place});
  b_.CreateCondBr(condition, leave_, stay, module_.weights(1, 1 << 12));
  b_.SetInsertPoint(stay);
}

llvm::Value* SourceLoop::time_of(llvm::Value* row) {
  return b_.CreateAdd(at_.constant(b_.CreateLoad(word_, b_.CreateGEP(word_, times_, row))), time_shift_);
}

llvm::Value* SourceLoop::reached(llvm::Value* time) {
  return b_.CreateSub(time, b_.getInt64(static_cast<uint64_t>(source_.lateness)));
}

int SourceLoop::number_of_source() const {
  return static_cast<int>(&source_ - module_.program().sources.data());
}

// At how many rows output is to be taken. Where variables are read it is 0 once they fill the arena.
llvm::Value* SourceLoop::output_max() {
  if (output_max_ != nullptr) return output_max_;
  return at_.context_field(offsetof(MutContext, output_rows_max), word_);
}

// Whether a timer is to fire before anything else is done; null: no event sets one.
llvm::Value* SourceLoop::overdue() {
  if (!module_.sets_timers(number_of_source())) return nullptr;
  return b_.CreateICmpNE(at_.context_field(offsetof(MutContext, overdue), b_.getInt32Ty()), b_.getInt32(0));
}

llvm::Value* SourceLoop::is_due(llvm::Value* rises, llvm::Value* watermark, llvm::Value* due) {
  llvm::Value* reached = b_.CreateAnd(rises, b_.CreateICmpSGE(watermark, due));
  llvm::Value* waits = overdue();
  return waits != nullptr ? b_.CreateOr(reached, waits) : reached;
}

// The watermark with an event of that time; leaves where something fires before it.
llvm::Value* SourceLoop::raise(Place at, llvm::Value* time) {
  llvm::Value* new_mark = reached(time);
  llvm::Value* rises = b_.CreateICmpSGT(new_mark, at.watermark);
  llvm::Value* risen = b_.CreateSelect(rises, new_mark, at.watermark);
  if (can_fire_) {
    // Stores that the rows before have changed may be due earlier than when the kernel began.
    llvm::Value* due = at_.context_field(offsetof(MutContext, due), word_);
    leave_if(is_due(rises, risen, due), MUT_STOP_DUE, {at.row, risen});
  }
  if (reads_watermark_) b_.CreateStore(risen, field(at_.context(), offsetof(MutContext, watermark)));
  return risen;
}

void SourceLoop::run_row(llvm::Value* row, llvm::Value* time) {
  at_.position = b_.CreateAdd(first_position_, row);
  at_.time = time;
  llvm::BasicBlock* failed = nullptr;
  if (source_.generated.empty()) {
    at_.fields = module_.column_fields(at_, source_, columns_, row);
  } else {
    at_.handler = {at_.block("failed"), at_.temporary(4)};
    failed = at_.handler.block;
    llvm::Value* number =
        b_.CreateLoad(word_, b_.CreateGEP(word_, b_.CreateLoad(b_.getPtrTy(), columns_), row));
    at_.fields = module_.generated_fields(at_, source_, number);
  }
  module_.call_section(at_, source_.stream, 0, at_.fields);
  if (failed == nullptr) return;
  if (llvm::pred_empty(failed)) {
    failed->eraseFromParent();
    return;
  }
  llvm::BasicBlock* done = at_.block("done");
  b_.CreateBr(done);
  b_.SetInsertPoint(failed);
  emit_undecodable(row, nullptr);
  b_.CreateBr(done);
  b_.SetInsertPoint(done);
}

SourceLoop::Place SourceLoop::run_rows(Place from, llvm::Value* end, llvm::Value* next_end) {
  llvm::BasicBlock* before = b_.GetInsertBlock();
  llvm::BasicBlock* head = at_.block("row");
  llvm::BasicBlock* body = at_.block("body");
  llvm::BasicBlock* over = at_.block("over");
  b_.CreateBr(head);
  b_.SetInsertPoint(head);
  llvm::PHINode* row = b_.CreatePHI(word_, 2, "row");
  llvm::PHINode* watermark = b_.CreatePHI(word_, 2, "watermark");
  row->addIncoming(from.row, before);
  watermark->addIncoming(from.watermark, before);
  b_.CreateCondBr(b_.CreateICmpULT(row, end), body, over, module_.weights(1 << 12, 1));
  b_.SetInsertPoint(body);
  llvm::Value* made = b_.CreateLoad(word_, module_.tally().output_rows(b_, at_.counts));
  leave_if(b_.CreateICmpUGE(made, output_max()), MUT_STOP_OUTPUT, {row, watermark});
  ahead_->emit(row, next_end, [](llvm::Value* number) { return number; });
  llvm::Value* time = time_of(row);
  llvm::Value* risen = raise({row, watermark}, time);
  run_row(row, time);
  row->addIncoming(b_.CreateAdd(row, b_.getInt64(1)), b_.GetInsertBlock());
  watermark->addIncoming(risen, b_.GetInsertBlock());
  b_.CreateBr(head);
  b_.SetInsertPoint(over);
  return {row, watermark};
}

void SourceLoop::emit_undecodable(llvm::Value* row, llvm::Value* watermark) {
  llvm::Type* half = b_.getInt32Ty();
  const typed::Stream& stream = module_.program().streams[static_cast<size_t>(source_.stream)];
  int head_site =
      graph::error_site(module_.graph(), source_.stream, static_cast<int>(stream.stages.size()) + 1);
  llvm::AllocaInst* event = at_.temporary(sizeof(MutErrorEvent));
  llvm::CallInst* call =
      b_.CreateCall(module_.helper("mut_undecodable", b_.getVoidTy(),
                                   {b_.getPtrTy(), half, b_.getPtrTy(), half, b_.getPtrTy()}),
                    {at_.context(), b_.getInt32(static_cast<uint32_t>(head_site)), batch_,
                     b_.CreateTrunc(row, half), event});
  call->addFnAttr(llvm::Attribute::Cold);
  if (watermark != nullptr) {
    llvm::Value* none = b_.CreateICmpEQ(watermark, b_.getInt64(uint64_t{1} << 63));
    at_.time = b_.CreateSelect(none, b_.getInt64(0), watermark);
  }
  module_.send_error_event(at_, source_.stream, head_site, event);
}

void SourceLoop::close() {
  b_.SetInsertPoint(leave_);
  llvm::PHINode* why = b_.CreatePHI(b_.getInt32Ty(), 3);
  llvm::PHINode* row = b_.CreatePHI(word_, 3);
  llvm::PHINode* watermark = b_.CreatePHI(word_, 3);
  for (const Leave& leave : leaves_) {
    why->addIncoming(b_.getInt32(leave.reason), leave.from);
    row->addIncoming(leave.place.row, leave.from);
    watermark->addIncoming(leave.place.watermark, leave.from);
  }
  b_.CreateStore(b_.CreateTrunc(row, b_.getInt32Ty()), field(cursor_, offsetof(MutCursor, row)));
  b_.CreateStore(watermark, field(cursor_, offsetof(MutCursor, watermark)));
  module_.tally().close(b_, at_.context(), at_.counts);
  b_.CreateRet(why);
}

void SourceLoop::emit() {
  open();
  llvm::Value* row_begin =
      b_.CreateZExt(b_.CreateLoad(b_.getInt32Ty(), field(cursor_, offsetof(MutCursor, row))), word_);
  llvm::Value* watermark_begin = b_.CreateLoad(word_, field(cursor_, offsetof(MutCursor, watermark)));
  llvm::BasicBlock* entry = b_.GetInsertBlock();
  llvm::BasicBlock* stretch = at_.block("stretch");
  llvm::BasicBlock* find_bad = at_.block("find_bad");
  llvm::BasicBlock* rows = at_.block("rows");
  b_.CreateBr(stretch);
  b_.SetInsertPoint(stretch);
  llvm::PHINode* row = b_.CreatePHI(word_, 2, "stretch_row");
  llvm::PHINode* watermark = b_.CreatePHI(word_, 2, "stretch_watermark");
  row->addIncoming(row_begin, entry);
  watermark->addIncoming(watermark_begin, entry);
  b_.CreateCondBr(b_.CreateIsNull(bad_), rows, find_bad, module_.weights(1 << 12, 1));
  b_.SetInsertPoint(find_bad);
  llvm::Value* next_bad = b_.CreateCall(module_.helper("mut_next_bad", word_, {b_.getPtrTy(), word_, word_}),
                                        {bad_, row, row_end_}, "next_bad");
  b_.CreateBr(rows);
  b_.SetInsertPoint(rows);
  llvm::PHINode* end = b_.CreatePHI(word_, 2, "stretch_end");
  end->addIncoming(row_end_, stretch);
  end->addIncoming(next_bad, find_bad);
  Place after = filter_ != nullptr ? run_blocks({row, watermark}, end)
                : calm_.possible() ? run_calm_blocks({row, watermark}, end)
                                   : run_rows({row, watermark}, end, end);
  leave_if(b_.CreateICmpUGE(after.row, row_end_), MUT_STOP_END, after);
  if (llvm::Value* waits = overdue()) leave_if(waits, MUT_STOP_DUE, after);
  Place next = pass_bad(after);
  row->addIncoming(next.row, b_.GetInsertBlock());
  watermark->addIncoming(next.watermark, b_.GetInsertBlock());
  b_.CreateBr(stretch);
  close();
}

// Over a row that is no event of this version.
SourceLoop::Place SourceLoop::pass_bad(Place at) {
  llvm::BasicBlock* told = at_.block("told");
  llvm::BasicBlock* elsewhere = at_.block("elsewhere");
  llvm::BasicBlock* next = at_.block("next");
  llvm::Type* byte = b_.getInt8Ty();
  llvm::BasicBlock* found = b_.GetInsertBlock();
  // Two branches and no switch, which LLVM's quick selection of instructions does not know.
  llvm::BasicBlock* not_skipped = at_.block("not_skipped");
  llvm::Value* why = b_.CreateLoad(byte, b_.CreateGEP(byte, bad_, at.row));
  b_.CreateCondBr(b_.CreateICmpEQ(why, b_.getInt8(MUT_ROW_SKIPPED)), next, not_skipped);
  b_.SetInsertPoint(not_skipped);
  b_.CreateCondBr(b_.CreateICmpEQ(why, b_.getInt8(MUT_ROW_ELSEWHERE)), elsewhere, told);
  b_.SetInsertPoint(told);
  // No event time of its own, one position of its source.
  at_.position = b_.CreateAdd(first_position_, at.row);
  emit_undecodable(at.row, at.watermark);
  llvm::BasicBlock* told_end = b_.GetInsertBlock();
  b_.CreateBr(next);
  b_.SetInsertPoint(elsewhere);
  llvm::Value* risen = raise({at.row, at.watermark}, time_of(at.row));
  llvm::BasicBlock* elsewhere_end = b_.GetInsertBlock();
  b_.CreateBr(next);
  b_.SetInsertPoint(next);
  llvm::PHINode* watermark = b_.CreatePHI(word_, 3, "passed_watermark");
  watermark->addIncoming(at.watermark, found);
  watermark->addIncoming(at.watermark, told_end);
  watermark->addIncoming(risen, elsewhere_end);
  return {b_.CreateAdd(at.row, b_.getInt64(1)), watermark};
}

}  // namespace mut::codegen
