// Blocks of rows of which is known before they run that none of them makes anything due and that each lies in
// the pane which its windows used last. Their rows ask neither: with small windows those questions were half
// of the work.
//
// Where all that the events of a source touch is windows in panes with plain cells, a stretch is run in
// blocks. The least and the greatest time of a block answer for all of its rows; a block for which the answer
// is no is run row by row.
//
// Stores without keys have one row. While a block runs it lies in the frame of the kernel (Tally::row), where
// the optimiser makes values in registers of it: so rows of such blocks may also touch running aggregates,
// windows over all, and windows of a number of events whose panes are narrow, which take as many rows as they
// have panes ready, in order of time.
#pragma once
#include <vector>

#include "compiler/codegen/module_emitter.h"

namespace mut::codegen {

// Of what the row of that store takes in a frame; 0: it does not lie there.
size_t frame_words(const state::StoreDesc& desc);

class CalmRows {
 public:
  // What the events of a source touch.
  CalmRows(ModuleEmitter& module, const typed::Source& source);

  // Whether there is anything to gain, and nothing that would miss what calm rows do not tell.
  bool possible() const { return possible_ && (!panes_.empty() || !rows_.empty()); }
  // Whether rows are calm only in order of time.
  bool wants_order() const { return !counts_.empty(); }
  // i64: how many rows from one of that time on can be calm. Null: any number.
  llvm::Value* rows_ready(FunctionEmitter& at, llvm::Value* time) const;
  // i64: how many rows from here on fill no pane, whatever becomes of them, while rows are in the frame.
  // Null: not many ever.
  llvm::Value* rows_quiet(FunctionEmitter& at) const;
  // i1: whether rows with times in [oldest, newest] are calm as far as panes go, and rows that go to the
  // frame are there.
  llvm::Value* in_panes(FunctionEmitter& at, llvm::Value* oldest, llvm::Value* newest) const;
  // Rows of stores into the frame, and back.
  void take_rows(FunctionEmitter& at) const;
  void put_rows(FunctionEmitter& at) const;

 private:
  void walk(int stream);
  bool touches(const typed::Stage& stage, int stream, size_t index);
  llvm::Value* view(FunctionEmitter& at, int store) const;
  void begin_cells(FunctionEmitter& at, int store, llvm::Value* row) const;
  llvm::Value* only_row(FunctionEmitter& at, int store) const;
  const state::StoreDesc& desc(int store) const {
    return module_.graph().stores[static_cast<size_t>(store)].desc;
  }

  ModuleEmitter& module_;
  bool possible_ = true;
  std::vector<int> panes_;
  std::vector<int> counts_;
  std::vector<int> rows_;  // stores whose rows go to the frame
};

}  // namespace mut::codegen
