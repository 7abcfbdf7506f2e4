// Built-in functions, casts, text, lists, seeded draws, and words of keys.
#include <llvm/IR/Intrinsics.h>

#include "compiler/codegen/function_emitter.h"
#include "compiler/codegen/module_emitter.h"
#include "runtime/abi/kernel.h"
#include "runtime/decimal/decimal.h"

namespace mut::codegen {

using typed::Builtin;
using typed::EventError;
using typed::Expr;
using typed::ExprKind;
using typed::Kind;

Value FunctionEmitter::emit_call(const Expr& expr) {
  if (expr.builtin >= Builtin::Pick) return emit_draw(expr);
  if (expr.builtin == Builtin::EventTime) return {expr.type, {time}};
  if (expr.builtin == Builtin::ArrivalTime)
    return {expr.type, {context_field(offsetof(MutContext, arrival), builder_.getInt64Ty())}};
  if (expr.builtin == Builtin::Position) return {expr.type, {position}};
  std::vector<Value> args;
  for (const typed::ExprPtr& arg : expr.args) args.push_back(emit(*arg));
  switch (expr.builtin) {
    case Builtin::ParseTime: {
      llvm::AllocaInst* out = temporary(8);
      llvm::Constant* pattern = builder_.CreateGlobalString(expr.spec);
      llvm::Type* pointer = builder_.getPtrTy();
      llvm::Type* word = builder_.getInt64Ty();
      llvm::Value* fine = builder_.CreateCall(
          module_.helper("mut_parse_time", builder_.getInt32Ty(), {pointer, pointer, word, word, pointer}),
          {spill(args[0]), pattern, builder_.getInt64(expr.spec.size()), args[1].part(), out});
      check(builder_.CreateICmpNE(fine, builder_.getInt32(0)), EventError::Cast);
      return {expr.type, {builder_.CreateLoad(word, out)}};
    }
    case Builtin::ToLocal:
    case Builtin::FromLocal: {
      const auto& known = module_.graph().zones;
      auto place = std::find(known.begin(), known.end(), expr.spec) - known.begin();
      llvm::Type* word = builder_.getInt64Ty();
      const char* helper = expr.builtin == Builtin::ToLocal ? "mut_to_local" : "mut_from_local";
      return {expr.type,
              {builder_.CreateCall(
                  module_.helper(helper, word, {builder_.getPtrTy(), builder_.getInt32Ty(), word}),
                  {context_, builder_.getInt32(static_cast<uint32_t>(place)), args[0].part()})}};
    }
    case Builtin::JsonMember:
    case Builtin::JsonElement:
      return emit_json_walk(expr, args);
    case Builtin::Reveal:
    case Builtin::JsonText:
      return {expr.type, args[0].parts};
    case Builtin::ToJson:
      return emit_json_of(expr, args[0]);
    case Builtin::Matches:
    case Builtin::ReplaceRegex:
    case Builtin::Capture:
      return emit_regex(expr, args);
    case Builtin::Min:
    case Builtin::Max:
    case Builtin::Clamp:
      return emit_extreme(expr, args);
    case Builtin::Abs: {
      llvm::Value* x = args[0].part();
      if (expr.type->kind == Kind::Float)
        return {expr.type, {builder_.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, x)}};
      if (expr.type->kind == Kind::U64) return args[0];
      if (expr.type->kind == Kind::Decimal)
        return {expr.type, {builder_.CreateBinaryIntrinsic(llvm::Intrinsic::abs, x, builder_.getFalse())}};
      check(builder_.CreateICmpNE(x, builder_.getInt64(uint64_t{1} << 63)), EventError::Overflow);
      return {expr.type, {builder_.CreateBinaryIntrinsic(llvm::Intrinsic::abs, x, builder_.getFalse())}};
    }
    case Builtin::Sign: {
      llvm::Value* x = args[0].part();
      if (expr.type->kind == Kind::Float) {
        llvm::Value* nil = llvm::ConstantFP::get(builder_.getDoubleTy(), 0.0);
        llvm::Value* up = builder_.CreateSelect(builder_.CreateFCmpOGT(x, nil),
                                                llvm::ConstantFP::get(builder_.getDoubleTy(), 1.0), x);
        return {expr.type,
                {builder_.CreateSelect(builder_.CreateFCmpOLT(x, nil),
                                       llvm::ConstantFP::get(builder_.getDoubleTy(), -1.0), up)}};
      }
      if (expr.type->kind == Kind::Decimal) {
        llvm::LLVMContext& context = function_->getContext();
        llvm::Constant* one = decimal_constant(context, decimal::power_of_ten(expr.type->scale));
        llvm::Constant* nil = llvm::Constant::getNullValue(x->getType());
        llvm::Value* positive = builder_.CreateSelect(builder_.CreateICmpSGT(x, nil), one, nil);
        return {expr.type,
                {builder_.CreateSelect(builder_.CreateICmpSLT(x, nil), builder_.CreateNeg(one), positive)}};
      }
      llvm::Value* up =
          builder_.CreateZExt(builder_.CreateICmpNE(x, builder_.getInt64(0)), builder_.getInt64Ty());
      if (expr.type->kind == Kind::U64) return {expr.type, {up}};
      llvm::Value* below = builder_.CreateICmpSLT(x, builder_.getInt64(0));
      return {expr.type, {builder_.CreateSelect(below, builder_.getInt64(~uint64_t{0}), up)}};
    }
    case Builtin::Mod: {
      llvm::Value* x = args[0].part();
      llvm::Value* y = args[1].part();
      Value rest = emit_int_arithmetic(typed::Op::Remainder, expr.type, x, y, true);
      llvm::Value* other_sign =
          builder_.CreateICmpSLT(builder_.CreateXor(rest.part(), y), builder_.getInt64(0));
      llvm::Value* some = builder_.CreateICmpNE(rest.part(), builder_.getInt64(0));
      return {expr.type,
              {builder_.CreateSelect(builder_.CreateAnd(other_sign, some), builder_.CreateAdd(rest.part(), y),
                                     rest.part())}};
    }
    case Builtin::BitAnd:
      return {expr.type, {builder_.CreateAnd(args[0].part(), args[1].part())}};
    case Builtin::BitOr:
      return {expr.type, {builder_.CreateOr(args[0].part(), args[1].part())}};
    case Builtin::BitXor:
      return {expr.type, {builder_.CreateXor(args[0].part(), args[1].part())}};
    case Builtin::BitNot:
      return {expr.type, {builder_.CreateNot(args[0].part())}};
    case Builtin::ShiftLeft:
    case Builtin::ShiftRight: {
      check(builder_.CreateICmpULT(args[1].part(), builder_.getInt64(64)), EventError::Overflow);
      return {expr.type,
              {expr.builtin == Builtin::ShiftLeft ? builder_.CreateShl(args[0].part(), args[1].part())
                                                  : builder_.CreateAShr(args[0].part(), args[1].part())}};
    }
    case Builtin::DecimalToFloat: {
      llvm::Type* word = builder_.getInt64Ty();
      auto [low, high] = halves(args[0].part());
      auto scale = static_cast<uint32_t>(args[0].type->scale);
      return {expr.type,
              {builder_.CreateCall(module_.helper("mut_decimal_to_float", builder_.getDoubleTy(),
                                                  {word, word, builder_.getInt32Ty()}),
                                   {low, high, builder_.getInt32(scale)})}};
    }
    case Builtin::IsNan:
      return bool_value(builder_.CreateFCmpUNO(args[0].part(), args[0].part()));
    default:
      break;
  }
  if (expr.type->kind == Kind::Decimal && expr.builtin >= Builtin::Round && expr.builtin <= Builtin::Ceil)
    return round_decimal(expr, args[0]);
  if (expr.builtin >= Builtin::Round && expr.builtin <= Builtin::Logistic && args.size() <= 2)
    return emit_float_call(expr, args);
  return emit_runtime_call(expr, args);
}

// One implementation of each mathematical function for kernels and runtime: the C library's.
Value FunctionEmitter::emit_float_call(const Expr& expr, const std::vector<Value>& args) {
  llvm::Type* number = builder_.getDoubleTy();
  auto unary = [&](const char* name) {
    return Value{expr.type, {builder_.CreateCall(module_.helper(name, number, {number}), {args[0].part()})}};
  };
  auto binary = [&](const char* name) {
    return Value{expr.type,
                 {builder_.CreateCall(module_.helper(name, number, {number, number}),
                                      {args[0].part(), args[1].part()})}};
  };
  switch (expr.builtin) {
    case Builtin::Sqrt:
      return {expr.type, {builder_.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, args[0].part())}};
    case Builtin::Round:
      if (args.size() == 2) {
        return {
            expr.type,
            {builder_.CreateCall(module_.helper("mut_round_digits", number, {number, builder_.getInt64Ty()}),
                                 {args[0].part(), args[1].part()})}};
      }
      return unary("rint");
    case Builtin::Trunc:
      return unary("trunc");
    case Builtin::Floor:
      return unary("floor");
    case Builtin::Ceil:
      return unary("ceil");
    case Builtin::Exp:
      return unary("exp");
    case Builtin::Log:
      return unary("log");
    case Builtin::Log2:
      return unary("log2");
    case Builtin::Log10:
      return unary("log10");
    case Builtin::Sin:
      return unary("sin");
    case Builtin::Cos:
      return unary("cos");
    case Builtin::Tan:
      return unary("tan");
    case Builtin::Erf:
      return unary("erf");
    case Builtin::Erfc:
      return unary("erfc");
    case Builtin::Pow:
      return binary("pow");
    case Builtin::Atan2:
      return binary("atan2");
    default: {  // logistic
      llvm::Value* one = llvm::ConstantFP::get(number, 1.0);
      llvm::Value* power =
          builder_.CreateCall(module_.helper("exp", number, {number}), {builder_.CreateFNeg(args[0].part())});
      return {expr.type, {builder_.CreateFDiv(one, builder_.CreateFAdd(one, power))}};
    }
  }
}

// min, max, clamp by the one total order (3.10).
Value FunctionEmitter::emit_extreme(const Expr& expr, const std::vector<Value>& args) {
  auto total_less = [&](const Value& a, const Value& b) -> llvm::Value* {
    if (a.type->kind != Kind::Float) return less(a, b);
    llvm::Value* below = builder_.CreateFCmpOLT(a.part(), b.part());
    llvm::Value* b_nan = builder_.CreateFCmpUNO(b.part(), b.part());
    llvm::Value* a_number = builder_.CreateFCmpORD(a.part(), a.part());
    return builder_.CreateOr(below, builder_.CreateAnd(b_nan, a_number));
  };
  auto pick = [&](llvm::Value* condition, const Value& a, const Value& b) {
    Value out{a.type, {}};
    for (size_t i = 0; i < a.parts.size(); ++i)
      out.parts.push_back(builder_.CreateSelect(condition, a.parts[i], b.parts[i]));
    return out;
  };
  if (expr.builtin == Builtin::Clamp) {
    Value low = pick(total_less(args[0], args[1]), args[1], args[0]);
    return pick(total_less(args[2], low), args[2], low);
  }
  Value best = args[0];
  for (size_t i = 1; i < args.size(); ++i) {
    llvm::Value* better =
        expr.builtin == Builtin::Min ? total_less(args[i], best) : total_less(best, args[i]);
    best = pick(better, args[i], best);
  }
  return best;
}

Value FunctionEmitter::emit_runtime_call(const Expr& expr, const std::vector<Value>& args) {
  // i32 mut_call(ctx, builtin, out, args, types, count): 0 fine, else an EventError.
  llvm::AllocaInst* pointers = temporary(args.size() * 8 + 8);
  llvm::AllocaInst* types = temporary(args.size() * 4 + 4);
  for (size_t i = 0; i < args.size(); ++i) {
    builder_.CreateStore(spill(args[i]), offset_by(builder_, pointers, i * 8));
    int type = graph::runtime_type(module_.graph(), args[i].type);
    builder_.CreateStore(builder_.getInt32(static_cast<uint32_t>(type)), offset_by(builder_, types, i * 4));
  }
  const abi::TypeDesc& layout = module_.layout(expr.type);
  llvm::AllocaInst* out = temporary(layout.size);
  llvm::Type* pointer = builder_.getPtrTy();
  llvm::Value* error = builder_.CreateCall(
      module_.helper("mut_call", builder_.getInt32Ty(),
                     {pointer, builder_.getInt32Ty(), pointer, pointer, pointer, builder_.getInt32Ty()}),
      {context_, builder_.getInt32(static_cast<uint32_t>(expr.builtin)), out, pointers, types,
       builder_.getInt32(static_cast<uint32_t>(args.size()))});
  if (expr.builtin == Builtin::ListSum)
    check(builder_.CreateICmpEQ(error, builder_.getInt32(0)), EventError::Overflow);
  return load(builder_, expr.type, layout, out);
}

Value FunctionEmitter::emit_cast(const Expr& expr) {
  bool optional = expr.kind == ExprKind::CastOptional;
  typed::TypeRef target = optional ? expr.type->element : expr.type;
  Value source = emit(*expr.args[0]);
  auto cast_value = [&](const Value& value) -> Value {
    if (value.type->kind == Kind::Int && target->kind == Kind::Float) {  // inline, as scripts do it often
      llvm::Value* real = builder_.CreateSIToFP(value.part(), builder_.getDoubleTy());
      llvm::Value* back = builder_.CreateIntrinsic(llvm::Intrinsic::fptosi_sat,
                                                   {builder_.getInt64Ty(), builder_.getDoubleTy()}, {real});
      llvm::Value* fits = builder_.CreateFCmpOLT(real, llvm::ConstantFP::get(builder_.getDoubleTy(), 0x1p63));
      llvm::Value* exact = builder_.CreateAnd(fits, builder_.CreateICmpEQ(back, value.part()));
      if (!optional) {
        check(exact, EventError::Cast);
        return {target, {real}};
      }
      return {expr.type, {real, exact}};
    }
    const abi::TypeDesc& layout = module_.layout(target);
    llvm::AllocaInst* out = temporary(layout.size);
    builder_.CreateMemSet(out, builder_.getInt8(0), layout.size, llvm::MaybeAlign(1));
    llvm::Type* pointer = builder_.getPtrTy();
    llvm::Value* fine = builder_.CreateCall(
        module_.helper("mut_cast", builder_.getInt32Ty(),
                       {pointer, builder_.getInt32Ty(), builder_.getInt32Ty(), pointer, pointer}),
        {context_, builder_.getInt32(static_cast<uint32_t>(graph::runtime_type(module_.graph(), value.type))),
         builder_.getInt32(static_cast<uint32_t>(graph::runtime_type(module_.graph(), target))), spill(value),
         out});
    llvm::Value* worked = builder_.CreateICmpNE(fine, builder_.getInt32(0));
    if (!optional) {
      check(worked, EventError::Cast);
      return load(builder_, target, layout, out);
    }
    Value loaded = load(builder_, target, layout, out);
    loaded.type = expr.type;
    loaded.parts.push_back(worked);
    return loaded;
  };
  if (source.type->kind != Kind::Optional) return cast_value(source);
  Value inner = slice(source, 0, source.type->element);
  if (!optional) {
    check(source.present(), EventError::Cast);
    return inner.type->text == target->text ? inner : cast_value(inner);
  }
  return choose(
      source.present(), [&] { return cast_value(inner); },
      [&] { return zero(expr.type, function_->getContext()); });
}

Value FunctionEmitter::emit_text(const Expr& expr) {
  llvm::Type* pointer = builder_.getPtrTy();
  llvm::AllocaInst* out = temporary(16);
  const abi::TypeDesc& layout = module_.layout(expr.type);
  if (expr.kind == ExprKind::Format) {
    Value value = emit(*expr.args[0]);
    int type = graph::runtime_type(module_.graph(), value.type);
    llvm::Constant* spec = builder_.CreateGlobalString(expr.spec);
    builder_.CreateCall(
        module_.helper("mut_format", builder_.getVoidTy(),
                       {pointer, builder_.getInt32Ty(), pointer, builder_.getInt64Ty(), pointer, pointer}),
        {context_, builder_.getInt32(static_cast<uint32_t>(type)), spec, builder_.getInt64(expr.spec.size()),
         spill(value), out});
    return load(builder_, expr.type, layout, out);
  }
  std::vector<Value> parts;
  for (const typed::ExprPtr& arg : expr.args) parts.push_back(emit(*arg));
  llvm::AllocaInst* pieces = temporary(parts.size() * 16);
  for (size_t i = 0; i < parts.size(); ++i) {
    store(builder_, parts[i], layout, offset_by(builder_, pieces, i * 16));
  }
  builder_.CreateCall(module_.helper("mut_text_join", builder_.getVoidTy(),
                                     {pointer, builder_.getInt64Ty(), pointer, pointer}),
                      {context_, builder_.getInt64(parts.size()), pieces, out});
  return load(builder_, expr.type, layout, out);
}

Value FunctionEmitter::emit_list(const Expr& expr) {
  const abi::TypeDesc& layout = module_.layout(expr.type->element);
  llvm::Value* memory = builder_.CreateCall(
      module_.helper("mut_arena", builder_.getPtrTy(), {builder_.getPtrTy(), builder_.getInt64Ty()}),
      {context_, builder_.getInt64(expr.args.size() * layout.size)});
  for (size_t i = 0; i < expr.args.size(); ++i) {
    store(builder_, emit(*expr.args[i]), layout, offset_by(builder_, memory, i * layout.size));
  }
  return {expr.type, {builder_.getInt64(expr.args.size()), memory}};
}

// Entries as a list of records; where two keys may be one, the runtime looks.
Value FunctionEmitter::emit_map(const Expr& expr) {
  typed::TypeRef entry = expr.type->element;
  const abi::TypeDesc& layout = module_.layout(entry);
  size_t count = expr.args.size() / 2;
  llvm::Value* memory = list_memory(layout, builder_.getInt64(count));
  bool known = true;
  for (size_t i = 0; i < count; ++i) {
    known = known && expr.args[2 * i]->kind == ExprKind::Literal;
    Value out = emit(*expr.args[2 * i]);
    Value value = emit(*expr.args[2 * i + 1]);
    out.type = entry;
    out.parts.insert(out.parts.end(), value.parts.begin(), value.parts.end());
    store(builder_, out, layout, offset_by(builder_, memory, i * layout.size));
  }
  if (known || count < 2) return {expr.type, {builder_.getInt64(count), memory}};
  auto type = static_cast<uint32_t>(graph::runtime_type(module_.graph(), expr.type));
  llvm::Type* word = builder_.getInt64Ty();
  llvm::Value* left = builder_.CreateCall(
      module_.helper("mut_map_unite", word,
                     {builder_.getPtrTy(), builder_.getInt32Ty(), builder_.getPtrTy(), word}),
      {context_, builder_.getInt32(type), memory, builder_.getInt64(count)});
  return {expr.type, {left, memory}};
}

Value FunctionEmitter::emit_map_value(const Expr& expr) {
  Value map = emit(*expr.args[0]);
  Value key = emit(*expr.args[1]);
  auto type = static_cast<uint32_t>(graph::runtime_type(module_.graph(), map.type));
  llvm::Type* pointer = builder_.getPtrTy();
  llvm::Value* found = builder_.CreateCall(
      module_.helper("mut_map_find", pointer, {pointer, builder_.getInt32Ty(), pointer, pointer}),
      {context_, builder_.getInt32(type), spill(map), spill(key)});
  check(builder_.CreateIsNotNull(found), EventError::Index);
  return load(builder_, expr.type, module_.layout(expr.type), found);
}

Value FunctionEmitter::emit_element(const Expr& expr) {
  if (expr.args[0]->type->kind == Kind::Map) return emit_map_value(expr);
  Value list = emit(*expr.args[0]);
  llvm::Value* index = emit(*expr.args[1]).part();
  check(builder_.CreateICmpULT(index, list.parts[0]), EventError::Index);
  const abi::TypeDesc& layout = module_.layout(expr.type);
  return load(builder_, expr.type, layout,
              builder_.CreateGEP(builder_.getInt8Ty(), list.parts[1],
                                 builder_.CreateMul(index, builder_.getInt64(layout.size))));
}

// Draws are a function of (seed, n, place of the call), so that a row does not depend on others.
Value FunctionEmitter::emit_draw(const Expr& expr) {
  llvm::Type* word = builder_.getInt64Ty();
  llvm::Type* number = builder_.getDoubleTy();
  llvm::Value* seeds = context_field(offsetof(MutContext, seeds), builder_.getPtrTy());
  llvm::Value* seed = builder_.CreateLoad(
      word, offset_by(builder_, seeds, static_cast<uint64_t>(draw_source) * sizeof(uint64_t)));
  llvm::Value* place = builder_.getInt64(static_cast<uint64_t>(draw_count++));
  auto draw_int = [&](llvm::Value* low, llvm::Value* high) {
    return builder_.CreateCall(module_.helper("mut_draw_int", word, {word, word, word, word, word}),
                               {seed, draw_number, place, low, high});
  };
  switch (expr.builtin) {
    case Builtin::Pick: {
      if (expr.args.size() == 2) {
        llvm::Value* low = emit(*expr.args[0]).part();
        llvm::Value* high = emit(*expr.args[1]).part();
        return {expr.type, {draw_int(low, high)}};
      }
      Value list = emit(*expr.args[0]);
      llvm::Value* index =
          draw_int(builder_.getInt64(0), builder_.CreateSub(list.parts[0], builder_.getInt64(1)));
      const abi::TypeDesc& layout = module_.layout(expr.type);
      return load(builder_, expr.type, layout,
                  builder_.CreateGEP(builder_.getInt8Ty(), list.parts[1],
                                     builder_.CreateMul(index, builder_.getInt64(layout.size))));
    }
    case Builtin::Chance: {
      llvm::Value* drawn = builder_.CreateCall(module_.helper("mut_draw_unit", number, {word, word, word}),
                                               {seed, draw_number, place});
      return bool_value(builder_.CreateFCmpOLT(drawn, emit(*expr.args[0]).part()));
    }
    default: {
      const char* name = expr.builtin == Builtin::Uniform  ? "mut_draw_uniform"
                         : expr.builtin == Builtin::Normal ? "mut_draw_normal"
                                                           : "mut_draw_lognormal";
      llvm::Value* a = emit(*expr.args[0]).part();
      llvm::Value* b = emit(*expr.args[1]).part();
      return {expr.type,
              {builder_.CreateCall(module_.helper(name, number, {word, word, word, number, number}),
                                   {seed, draw_number, place, a, b})}};
    }
  }
}

// ---- words

std::vector<llvm::Value*> FunctionEmitter::words(const Value& value) {
  llvm::Type* word = builder_.getInt64Ty();
  switch (value.type->kind) {
    case Kind::Optional: {
      std::vector<llvm::Value*> out = words(slice(value, 0, value.type->element));
      // One form for none: all zero.
      for (llvm::Value*& part : out)
        part = builder_.CreateSelect(value.present(), part, builder_.getInt64(0));
      out.push_back(builder_.CreateZExt(value.present(), word));
      return out;
    }
    case Kind::Secret:
      return words({value.type->element, value.parts});
    case Kind::String:
    case Kind::Bytes:
    case Kind::Json:
      return {value.parts[0], builder_.CreatePtrToInt(value.parts[1], word)};
    case Kind::Decimal: {
      auto [low, high] = halves(value.part());
      return {low, high};
    }
    case Kind::Float:
      return {builder_.CreateBitCast(value.part(), word)};
    case Kind::F32:
      return {builder_.CreateBitCast(builder_.CreateFPExt(value.part(), builder_.getDoubleTy()), word)};
    case Kind::Bool:
    case Kind::U8:
    case Kind::U16:
    case Kind::U32:
      return {builder_.CreateZExt(value.part(), word)};
    case Kind::I8:
    case Kind::I16:
    case Kind::I32:
    case Kind::Enum:
      return {builder_.CreateSExt(value.part(), word)};
    default:
      return {value.part()};
  }
}

// A result word (or two) back as a value; optional types are the caller's.
Value FunctionEmitter::from_words(typed::TypeRef type, llvm::Value* memory) {
  if (type->kind == Kind::Secret) return {type, from_words(type->element, memory).parts};
  if (type->kind == Kind::Decimal)
    return {type, {builder_.CreateAlignedLoad(builder_.getInt128Ty(), memory, llvm::Align(8))}};
  llvm::Value* word = builder_.CreateAlignedLoad(builder_.getInt64Ty(), memory, llvm::Align(8));
  switch (type->kind) {
    case Kind::String:
    case Kind::Bytes:
    case Kind::Json:
      return {type,
              {word, builder_.CreateAlignedLoad(builder_.getPtrTy(), offset_by(builder_, memory, 8),
                                                llvm::Align(8))}};
    case Kind::Float:
      return {type, {builder_.CreateBitCast(word, builder_.getDoubleTy())}};
    case Kind::F32:
      return {type,
              {builder_.CreateFPTrunc(builder_.CreateBitCast(word, builder_.getDoubleTy()),
                                      builder_.getFloatTy())}};
    case Kind::Bool:
      return {type, {builder_.CreateICmpNE(word, builder_.getInt64(0))}};
    default:
      return {type, {builder_.CreateTruncOrBitCast(word, scalar_type(type->kind, function_->getContext()))}};
  }
}

}  // namespace mut::codegen
