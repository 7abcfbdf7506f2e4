// Walks into `json`, and `json` of values.
#include "compiler/codegen/function_emitter.h"
#include "compiler/codegen/module_emitter.h"

namespace mut::codegen {

using typed::Builtin;
using typed::Expr;
using typed::Kind;

// A member or element: none where the value is none, or has no such part.
Value FunctionEmitter::emit_json_walk(const Expr& expr, const std::vector<Value>& args) {
  llvm::Type* pointer = builder_.getPtrTy();
  typed::TypeRef json = expr.type->element;
  auto walk = [&](const Value& value) {
    llvm::AllocaInst* out = temporary(16);
    llvm::Value* found = nullptr;
    if (expr.builtin == Builtin::JsonMember) {
      found = builder_.CreateCall(
          module_.helper("mut_json_member", builder_.getInt32Ty(), {pointer, pointer, pointer}),
          {spill(value), spill(args[1]), out});
    } else {
      found = builder_.CreateCall(module_.helper("mut_json_element", builder_.getInt32Ty(),
                                                 {pointer, builder_.getInt64Ty(), pointer}),
                                  {spill(value), args[1].part(), out});
    }
    Value part = load(builder_, json, module_.layout(json), out);
    part.type = expr.type;
    part.parts.push_back(builder_.CreateICmpNE(found, builder_.getInt32(0)));
    return part;
  };
  if (args[0].type->kind != Kind::Optional) return walk(args[0]);
  return choose(
      args[0].present(), [&] { return walk(slice(args[0], 0, json)); },
      [&] { return zero(expr.type, function_->getContext()); });
}

Value FunctionEmitter::emit_json_of(const Expr& expr, const Value& value) {
  llvm::AllocaInst* out = temporary(16);
  int type = graph::runtime_type(module_.graph(), value.type);
  builder_.CreateCall(
      module_.helper("mut_json_of", builder_.getVoidTy(),
                     {builder_.getPtrTy(), builder_.getInt32Ty(), builder_.getPtrTy(), builder_.getPtrTy()}),
      {context_, builder_.getInt32(static_cast<uint32_t>(type)), spill(value), out});
  return load(builder_, expr.type, module_.layout(expr.type), out);
}

}  // namespace mut::codegen
