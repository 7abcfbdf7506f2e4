// Calls of regular expressions, which the version keeps compiled.
#include "compiler/codegen/function_emitter.h"
#include "compiler/codegen/module_emitter.h"

namespace mut::codegen {

using typed::Builtin;
using typed::Expr;
using typed::Kind;

Value FunctionEmitter::emit_regex(const Expr& expr, const std::vector<Value>& args) {
  llvm::Type* pointer = builder_.getPtrTy();
  llvm::Type* half = builder_.getInt32Ty();
  const auto& known = module_.graph().regexes;
  auto place = std::find(known.begin(), known.end(), expr.spec);
  llvm::Value* index = builder_.getInt32(static_cast<uint32_t>(place - known.begin()));
  if (expr.builtin == Builtin::Matches) {
    llvm::Value* found = builder_.CreateCall(
        module_.helper("mut_regex_found", half, {pointer, half, pointer}), {context_, index, spill(args[0])});
    return bool_value(builder_.CreateICmpNE(found, builder_.getInt32(0)));
  }
  if (expr.builtin == Builtin::ReplaceRegex) {
    llvm::AllocaInst* out = temporary(16);
    builder_.CreateCall(
        module_.helper("mut_regex_replace", builder_.getVoidTy(), {pointer, half, pointer, pointer, pointer}),
        {context_, index, spill(args[0]), spill(args[1]), out});
    return load(builder_, expr.type, module_.layout(expr.type), out);
  }
  // Capture: a text and whether it is there for each group.
  typed::TypeRef record = expr.type->element;
  llvm::AllocaInst* out = temporary(record->fields.size() * 24);
  builder_.CreateMemSet(out, builder_.getInt8(0), record->fields.size() * 24, llvm::Align(8));
  llvm::Value* found =
      builder_.CreateCall(module_.helper("mut_regex_capture", half, {pointer, half, pointer, pointer}),
                          {context_, index, spill(args[0]), out});
  Value made{expr.type, {}};
  for (size_t i = 0; i < record->fields.size(); ++i) {
    typed::TypeRef type = record->fields[i].type;
    llvm::Value* at = offset_by(builder_, out, i * 24);
    Value text = from_words(type->kind == Kind::Optional ? type->element : type, at);
    made.parts.insert(made.parts.end(), text.parts.begin(), text.parts.end());
    if (type->kind != Kind::Optional) continue;
    llvm::Value* there =
        builder_.CreateAlignedLoad(builder_.getInt64Ty(), offset_by(builder_, at, 16), llvm::Align(8));
    made.parts.push_back(builder_.CreateICmpNE(there, builder_.getInt64(0)));
  }
  made.parts.push_back(builder_.CreateICmpNE(found, builder_.getInt32(0)));
  return made;
}

}  // namespace mut::codegen
