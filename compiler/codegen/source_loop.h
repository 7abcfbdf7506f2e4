// The loop of a source's kernel. Over stretches of decoded rows, in each a row at a time: the watermark
// first, then everything that reads the event. Between two stretches lies a record that did not decode.
//
// Where all that a source feeds begins with a `where` that is cheap to ask, a stretch is run in blocks: a
// first pass writes down which rows may pass, without a branch, the second runs those. The second asks
// again, so the first may let through what it cannot decide. Where something may fire within the block, if
// only at a row that the filter drops, the second pass gets every row from there on.
//
// Without such a filter, where all that events touch is windows in panes, it is run in blocks too:
// calm_rows.h.
#pragma once
#include <optional>
#include <vector>

#include "compiler/codegen/calm_rows.h"
#include "compiler/codegen/looks_ahead.h"
#include "runtime/abi/kernel.h"

namespace mut::codegen {

class SourceLoop {
 public:
  SourceLoop(ModuleEmitter& module, FunctionEmitter& at, const typed::Source& source);
  // From the entry of a function of type MutSourceKernel to its return.
  void emit();

 private:
  // The next row and the watermark before it.
  struct Place {
    llvm::Value* row;
    llvm::Value* watermark;
  };
  // Which rows a first pass writes down.
  enum class Which : uint8_t { MayPass, Every };
  struct Written {
    llvm::Value* count;
    llvm::Value* watermark;  // behind the last row that was looked at
  };
  struct Block {
    llvm::PHINode* begin;
    llvm::PHINode* watermark;  // before the first row
    llvm::PHINode* length;     // rows, if there are as many
    llvm::Value* limit;
    llvm::Value* newest_watermark;  // behind the last row
  };

  void open();
  // `next_end`: of the rows that may be looked at before they are run.
  Place run_rows(Place from, llvm::Value* end, llvm::Value* next_end);
  void run_row(llvm::Value* row, llvm::Value* time);
  llvm::Value* raise(Place at_place, llvm::Value* time);
  Place pass_bad(Place at_place);
  llvm::Value* overdue();
  llvm::Value* output_max();
  int number_of_source() const;
  // Whether something fires before a row is run.
  llvm::Value* is_due(llvm::Value* rises, llvm::Value* watermark, llvm::Value* due);
  llvm::Value* time_of(llvm::Value* row);
  llvm::Value* reached(llvm::Value* time);
  // In source_calm.cpp.
  Place run_calm_blocks(Place from, llvm::Value* end);
  struct Span {
    llvm::Value* oldest;
    llvm::Value* newest;
  };
  // Of the times of rows [begin, end), of which there is one at least.
  Span time_span(llvm::Value* begin, llvm::Value* end);
  void ask_block(llvm::Value* begin);
  // i1: whether each of them is at or after the one before.
  llvm::Value* in_order(llvm::Value* begin, llvm::Value* end);
  struct Calm {
    llvm::Value* is_calm;    // i1
    llvm::Value* watermark;  // behind them
  };
  // Of rows from there to `limit`, of which there is one at least.
  Calm ask_calm(Place from, llvm::Value* limit);
  void run_calm_rows(llvm::Value* begin, llvm::Value* end, const LooksAhead::RowOf& row_of);
  bool run_quiet_rows(llvm::Value* begin, llvm::Value* end,
                      const std::function<void(llvm::Value* number)>& run);
  void set_watermark(llvm::Value* watermark);
  void run_if_calm(Block block);
  // In source_blocks.cpp.
  Place run_blocks(Place from, llvm::Value* end);
  // Asks memory for the lines that a row of some columns lies in.
  void ask_columns(llvm::Value* row, const graph::Needs& wanted);
  void ask_memory(llvm::Value* words, llvm::Value* index);
  // Writes down rows of [from, limit), which is not empty.
  Written write_down(Place from, llvm::Value* limit, Which which);
  llvm::Value* newest_mark(Place from, llvm::Value* end);
  // How many may pass; they are written down.
  llvm::Value* collect_passing(llvm::Value* begin, llvm::Value* limit);
  // The same where nothing asks for the watermark before each.
  Written write_down_apart(Place from, llvm::Value* limit);
  // The second pass, beginning with the `passing_count` rows that may pass; goes on to the next block.
  void run_written(const Block& block, llvm::Value* passing_count);
  void next_block(const Block& block);
  // Whether the leading filter may keep the row.
  llvm::Value* may_pass(llvm::Value* row);
  // Counts those of `rows` that did not run as dropped by the leading filter.
  void drop(llvm::Value* rows, llvm::Value* rows_run);
  llvm::Value* slot(llvm::Value* array, llvm::Value* index) { return b_.CreateGEP(word_, array, index); }
  void leave_if(llvm::Value* condition, MutStop reason, Place at_place);
  void find_filter();
  void emit_undecodable(llvm::Value* row, llvm::Value* watermark);
  void close();

  llvm::Value* field(llvm::Value* base, uint64_t offset);

  struct Leave {
    llvm::BasicBlock* from;
    MutStop reason;
    Place place;
  };

  ModuleEmitter& module_;
  FunctionEmitter& at_;
  llvm::IRBuilder<>& b_;
  const typed::Source& source_;
  int index_;
  bool can_fire_;
  bool reads_watermark_;
  const typed::Expr* filter_ = nullptr;  // the leading one
  graph::Needs filter_needs_;            // the fields that it reads
  int filter_site_ = 0;

  llvm::Type* word_;
  llvm::Value* batch_;
  llvm::Value* cursor_;
  llvm::Value* columns_;
  llvm::Value* times_;
  llvm::Value* time_shift_;
  llvm::Value* bad_;
  llvm::Value* first_position_;
  llvm::Value* row_end_;
  llvm::Value* output_max_ = nullptr;    // null: it changes while rows run
  llvm::AllocaInst* written_ = nullptr;  // rows of a block that the second pass runs
  llvm::AllocaInst* passes_ = nullptr;   // whether a row of a block may pass
  llvm::AllocaInst* marks_ = nullptr;    // the watermark before each of them
  llvm::BasicBlock* leave_;
  std::optional<LooksAhead> ahead_;
  CalmRows calm_;
  std::vector<Leave> leaves_;
};

}  // namespace mut::codegen
