// The loop of a source's kernel. Over stretches of decoded rows, in each a row at a time: the watermark
// first, then everything that reads the event. Between two stretches lies a record that did not decode.
//
// Where all that a source feeds begins with a `where` that is cheap to ask, a stretch is run in blocks: a
// first pass writes down which rows may pass, without a branch, the second runs those. The second asks
// again, so the first may let through what it cannot decide. A block in which something would fire is run
// a row at a time from the row on at which that is seen.
#pragma once
#include <optional>
#include <vector>

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
  // Who calls the stages: the loop that is run most of the time, or one beside it.
  enum class Path : uint8_t { Main, Side };

  void open();
  Place run_rows(Place from, llvm::Value* end, Path path);
  Place run_blocks(Place from, llvm::Value* end);
  llvm::Value* overdue();
  void run_row(llvm::Value* row, llvm::Value* time, Path path);
  llvm::Value* time_of(llvm::Value* row);
  llvm::Value* reached(llvm::Value* time);
  // Whether the leading filter may keep the row.
  llvm::Value* may_pass(llvm::Value* row);
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
  int filter_site_ = 0;

  llvm::Type* word_;
  llvm::Value* batch_;
  llvm::Value* cursor_;
  llvm::Value* columns_;
  llvm::Value* times_;
  llvm::Value* bad_;
  llvm::Value* first_position_;
  llvm::Value* row_end_;
  llvm::Value* output_max_;
  llvm::BasicBlock* leave_;
  std::optional<LooksAhead> ahead_;
  std::vector<Leave> leaves_;
};

}  // namespace mut::codegen
