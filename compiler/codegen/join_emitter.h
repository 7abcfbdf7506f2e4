// Joins as code: an event of either side asks for its partners, the condition for each, and sends pairs on.
#pragma once
#include "compiler/codegen/stage_emitter.h"

namespace mut::codegen {

class JoinEmitter {
 public:
  JoinEmitter(ModuleEmitter& module, FunctionEmitter& at, int stream, int stage);

  // FunctionEmitter::fields are those of an event of that side. Ends with a return.
  void emit_arrival(state::JoinSide side);
  // The function of events of the right side, which nothing has called before.
  static void emit_right(ModuleEmitter& module, int stream, int stage, llvm::Function* function);
  // The kernel of rows that found no partner.
  static void emit_results(ModuleEmitter& module, int store);

 private:
  using B = llvm::IRBuilder<>;
  using Fields = std::vector<Value>;

  void for_each_partner(const std::function<void(llvm::Value* index, llvm::Value* chosen)>& body);
  Value partner_at(llvm::Value* index);
  // The record of a side as one value, and its fields.
  Value record_of(const Fields& fields, typed::TypeRef record) const;
  Fields fields_of(const Value& record) const;
  // Sends a row on: null for a side that has no row.
  void give(const Fields* left, const Value* right);
  void choose();
  // Asof: the newest candidate of which the condition holds. Behind it nothing has been emitted.
  enum class Otherwise : uint8_t { Nothing, LeftAlone };
  void give_newest(const Fields& left, Otherwise otherwise);
  llvm::Value* partners_field(uint64_t offset, llvm::Type* type);

  ModuleEmitter& module_;
  FunctionEmitter& at_;
  int stream_;
  int index_;
  const typed::Stage& stage_;
  const typed::Join& join_;
  int store_ = -1;
  state::JoinSide side_ = state::JoinSide::Left;
  llvm::Value* partners_ = nullptr;
  Fields own_;
};

}  // namespace mut::codegen
