// What one call of a kernel has counted so far: rows made, rows per sink, rows let go per stage. Nothing that
// a kernel calls reads these counts. Beside them, in a frame, the rows of stores without keys while a block
// of calm rows runs (calm_rows.h).
#pragma once
#include <llvm/IR/IRBuilder.h>

#include <map>

#include "compiler/graph/graph.h"

namespace mut::codegen {

enum class Counting : uint8_t {
  // In the kernel's own frame, so that counting stays in registers once everything is inlined; goes to the
  // MutContext
  // when the kernel returns.
  InFrame,
  // In the MutContext itself, so that a kernel is the same code whatever is counted behind it.
  InContext,
};

class Tally {
 public:
  Tally(const graph::Graph& graph, Counting counting);

  // At the begin of a kernel: where counts are, filled from `context`.
  llvm::Value* open(llvm::IRBuilder<>& entry, llvm::Value* context) const;
  // Before a kernel returns.
  void close(llvm::IRBuilder<>& builder, llvm::Value* context, llvm::Value* counts) const;

  // Addresses of i64 counts.
  llvm::Value* output_rows(llvm::IRBuilder<>& builder, llvm::Value* counts) const;
  llvm::Value* sink_rows(llvm::IRBuilder<>& builder, llvm::Value* counts, int emit) const;
  // `site`: of a stage that chooses.
  llvm::Value* dropped(llvm::IRBuilder<>& builder, llvm::Value* counts, int site) const;

  // Whether there is room for the row of a store in the frame.
  bool has_row(int store) const { return rows_.count(store) != 0; }
  llvm::Value* row(llvm::IRBuilder<>& builder, llvm::Value* counts, int store) const;

 private:
  size_t slots() const { return 1 + sinks_ + sites_.size() + row_slots_; }

  Counting counting_;
  size_t sinks_ = 0;
  size_t row_slots_ = 0;
  std::map<int, size_t> sites_;  // site → slot
  std::map<int, size_t> rows_;   // store → first slot
};

}  // namespace mut::codegen
