// Looks up, ahead of the events of a source, what their stages will look up.
#pragma once
#include <functional>

#include "compiler/codegen/module_emitter.h"

namespace mut::codegen {

class LooksAhead {
 public:
  // A store whose key is made of columns of the source as they are.
  struct Lookup {
    int store;
    std::vector<int> columns;
  };
  using RowOf = std::function<llvm::Value*(llvm::Value* number)>;

  LooksAhead(ModuleEmitter& module, FunctionEmitter& at, const typed::Source& source, llvm::Value* columns);

  // The numbers of events begin anew.
  void forget();
  // Event `number` is next; `row_of` gives the row of an event before `number_end`.
  void emit(llvm::Value* number, llvm::Value* number_end, const RowOf& row_of);

 private:
  void emit(const Lookup& lookup, llvm::Value* number, llvm::Value* number_end, const RowOf& row_of);
  bool by_pane(const Lookup& lookup) const;
  llvm::Value* view(const Lookup& lookup);

  ModuleEmitter& module_;
  FunctionEmitter& at_;
  const typed::Source& source_;
  llvm::Value* columns_;
  llvm::Value* stores_ = nullptr;
  std::vector<Lookup> lookups_;
};

}  // namespace mut::codegen
