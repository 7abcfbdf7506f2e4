// Blocks of rows of which is known before they run that none of them makes anything due and that each lies in
// the pane which its windows used last. Their rows ask neither: with small windows those questions were half
// of the work.
//
// Where all that the events of a source touch is windows in panes with plain cells, a stretch is run in
// blocks. The least and the greatest time of a block answer for all of its rows; a block for which the answer
// is no is run row by row.
#pragma once
#include <vector>

#include "compiler/codegen/module_emitter.h"

namespace mut::codegen {

class CalmRows {
 public:
  // What the events of a source touch.
  CalmRows(ModuleEmitter& module, const typed::Source& source);

  // Whether there is anything to gain, and nothing that would miss what calm rows do not tell.
  bool possible() const { return possible_ && !stores_.empty(); }
  // i1: whether rows with times in [oldest, newest] are calm as far as panes go.
  llvm::Value* in_panes(FunctionEmitter& at, llvm::Value* oldest, llvm::Value* newest) const;

 private:
  void walk(int stream);
  bool touches(const typed::Stage& stage, int stream, size_t index);
  llvm::Value* view(FunctionEmitter& at, int store) const;

  ModuleEmitter& module_;
  bool possible_ = true;
  std::vector<int> stores_;
};

}  // namespace mut::codegen
