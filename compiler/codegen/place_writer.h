// Says of instructions for which place of the graph they are there, in debug locations: line graph place + 1,
// column 0. There are no files and no lines of a script in it, so that code is kept by its shape as ever.
#pragma once
#include <llvm/IR/DIBuilder.h>
#include <llvm/IR/Module.h>

namespace mut::codegen {

class PlaceWriter {
 public:
  explicit PlaceWriter(llvm::Module& module);
  // Of a function that has a body.
  void begin(llvm::Function& function, int place);
  // In a function that was begun.
  static llvm::DebugLoc at(const llvm::Function& function, int place);
  // Nothing may be asked of it behind.
  void finish();

 private:
  llvm::DIBuilder builder_;
  llvm::DIFile* file_;
  llvm::DISubroutineType* type_;
};

}  // namespace mut::codegen
