// Decimals: one value of 128 bits, units of 10^-scale, of at most 38 digits. What is more than a few
// instructions is in runtime/decimal.
#include <llvm/IR/Intrinsics.h>

#include "compiler/codegen/function_emitter.h"
#include "compiler/codegen/module_emitter.h"
#include "runtime/decimal/decimal.h"

namespace mut::codegen {

using typed::EventError;
using typed::Kind;
using typed::Op;

namespace {

llvm::ConstantInt* constant_units(llvm::Type* type, decimal::Units units) {
  auto bits = static_cast<unsigned __int128>(units);
  uint64_t words[2] = {static_cast<uint64_t>(bits), static_cast<uint64_t>(bits >> 64)};
  return llvm::ConstantInt::get(type->getContext(), llvm::APInt(128, words));
}

}  // namespace

llvm::Constant* decimal_constant(llvm::LLVMContext& context, __int128 units) {
  return constant_units(llvm::Type::getInt128Ty(context), units);
}

std::pair<llvm::Value*, llvm::Value*> FunctionEmitter::halves(llvm::Value* units) {
  llvm::Type* word = builder_.getInt64Ty();
  return {builder_.CreateTrunc(units, word), builder_.CreateTrunc(builder_.CreateLShr(units, 64), word)};
}

// `error`: 0, or a number of EventError.
void FunctionEmitter::check_decimal(llvm::Value* error) {
  auto is = [&](EventError which) {
    return builder_.CreateICmpEQ(error, builder_.getInt32(static_cast<uint32_t>(which)));
  };
  refuse(is(EventError::DivisionByZero), EventError::DivisionByZero);
  check(is(EventError::None), EventError::Overflow);
}

Value FunctionEmitter::call_decimal(const char* name, typed::TypeRef result, const Value& left,
                                    const Value& right) {
  llvm::Type* word = builder_.getInt64Ty();
  llvm::Type* half = builder_.getInt32Ty();
  auto [a_low, a_high] = halves(left.part());
  auto [b_low, b_high] = halves(right.part());
  auto scales = static_cast<uint32_t>(left.type->scale | right.type->scale << 8);
  llvm::AllocaInst* out = temporary(16);
  llvm::Value* error =
      builder_.CreateCall(module_.helper(name, half, {word, word, word, word, half, builder_.getPtrTy()}),
                          {a_low, a_high, b_low, b_high, builder_.getInt32(scales), out});
  check_decimal(error);
  return {result, {builder_.CreateAlignedLoad(builder_.getInt128Ty(), out, llvm::Align(8))}};
}

Value FunctionEmitter::emit_decimal_arithmetic(const typed::Expr& expr, const Value& left,
                                               const Value& right) {
  bool sum = expr.op == Op::Add || expr.op == Op::Subtract;
  if (sum && left.type->scale == right.type->scale) {
    // Of 38 digits each: 128 bits may be too few by one, and are then more than 38 digits too.
    auto id = expr.op == Op::Add ? llvm::Intrinsic::sadd_with_overflow : llvm::Intrinsic::ssub_with_overflow;
    llvm::Value* pair = builder_.CreateBinaryIntrinsic(id, left.part(), right.part());
    llvm::Value* units = builder_.CreateExtractValue(pair, 0);
    llvm::Type* type = units->getType();
    decimal::Units most = decimal::power_of_ten(decimal::digits_max) - 1;
    llvm::Value* fits = builder_.CreateAnd(builder_.CreateICmpSGE(units, constant_units(type, -most)),
                                           builder_.CreateICmpSLE(units, constant_units(type, most)));
    check(builder_.CreateAnd(fits, builder_.CreateNot(builder_.CreateExtractValue(pair, 1))),
          EventError::Overflow);
    return {expr.type, {units}};
  }
  switch (expr.op) {
    case Op::Add:
      return call_decimal("mut_decimal_add", expr.type, left, right);
    case Op::Subtract:
      return call_decimal("mut_decimal_subtract", expr.type, left, right);
    case Op::Multiply:
      return call_decimal("mut_decimal_multiply", expr.type, left, right);
    case Op::Divide:
      return call_decimal("mut_decimal_divide", expr.type, left, right);
    default:
      return call_decimal("mut_decimal_remainder", expr.type, left, right);
  }
}

llvm::Value* FunctionEmitter::subtract_decimals(const Value& a, const Value& b, llvm::Value* out) {
  llvm::Type* word = builder_.getInt64Ty();
  llvm::Type* half = builder_.getInt32Ty();
  auto [a_low, a_high] = halves(a.part());
  auto [b_low, b_high] = halves(b.part());
  auto scales = static_cast<uint32_t>(a.type->scale | b.type->scale << 8);
  return builder_.CreateCall(
      module_.helper("mut_decimal_subtract", half, {word, word, word, word, half, builder_.getPtrTy()}),
      {a_low, a_high, b_low, b_high, builder_.getInt32(scales), out});
}

llvm::Value* FunctionEmitter::compare_decimals(const Value& a, const Value& b) {
  llvm::Type* word = builder_.getInt64Ty();
  llvm::Type* half = builder_.getInt32Ty();
  auto [a_low, a_high] = halves(a.part());
  auto [b_low, b_high] = halves(b.part());
  auto scales = static_cast<uint32_t>(a.type->scale | b.type->scale << 8);
  return builder_.CreateCall(module_.helper("mut_decimal_compare", half, {word, word, word, word, half}),
                             {a_low, a_high, b_low, b_high, builder_.getInt32(scales)});
}

// Widens an int or a decimal of a smaller scale.
Value FunctionEmitter::to_decimal(const Value& value, typed::TypeRef target) {
  Value from = value;
  if (value.type->kind != Kind::Decimal) {
    bool is_unsigned =
        value.type->kind == Kind::U8 || value.type->kind == Kind::U16 || value.type->kind == Kind::U32;
    llvm::Type* wide = builder_.getInt128Ty();
    from.parts = {is_unsigned ? builder_.CreateZExt(value.part(), wide)
                              : builder_.CreateSExt(value.part(), wide)};
  }
  int scale = value.type->kind == Kind::Decimal ? value.type->scale : 0;
  if (scale == target->scale) return {target, from.parts};
  decimal::Units factor = decimal::power_of_ten(target->scale - scale);
  if (!typed::widening_can_fail(value.type, target))
    return {target, {builder_.CreateMul(from.part(), constant_units(builder_.getInt128Ty(), factor))}};
  // What is too large before it is raised is it afterwards.
  llvm::Type* type = builder_.getInt128Ty();
  decimal::Units most = (decimal::power_of_ten(decimal::digits_max) - 1) / factor;
  check(builder_.CreateAnd(builder_.CreateICmpSGE(from.part(), constant_units(type, -most)),
                           builder_.CreateICmpSLE(from.part(), constant_units(type, most))),
        EventError::Overflow);
  return {target, {builder_.CreateMul(from.part(), constant_units(type, factor))}};
}

Value FunctionEmitter::round_decimal(const typed::Expr& expr, const Value& value) {
  auto rounding = decimal::Rounding::HalfEven;
  if (expr.builtin == typed::Builtin::Trunc) rounding = decimal::Rounding::Down;
  if (expr.builtin == typed::Builtin::Floor) rounding = decimal::Rounding::Floor;
  if (expr.builtin == typed::Builtin::Ceil) rounding = decimal::Rounding::Ceiling;
  llvm::Type* word = builder_.getInt64Ty();
  llvm::Type* half = builder_.getInt32Ty();
  auto [low, high] = halves(value.part());
  auto scales = static_cast<uint32_t>(value.type->scale | expr.type->scale << 8);
  llvm::AllocaInst* out = temporary(16);
  llvm::Value* error = builder_.CreateCall(
      module_.helper("mut_decimal_rescale", half, {word, word, half, half, builder_.getPtrTy()}),
      {low, high, builder_.getInt32(scales), builder_.getInt32(static_cast<uint32_t>(rounding)), out});
  check(builder_.CreateICmpEQ(error, builder_.getInt32(0)), EventError::Overflow);
  return {expr.type, {builder_.CreateAlignedLoad(builder_.getInt128Ty(), out, llvm::Align(8))}};
}

}  // namespace mut::codegen
