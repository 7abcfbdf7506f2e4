// Literals, operators, branches, bindings.
#include <llvm/IR/CFG.h>
#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/MDBuilder.h>

#include "compiler/codegen/divisible.h"
#include "compiler/codegen/function_emitter.h"
#include "compiler/codegen/module_emitter.h"
#include "runtime/abi/deliberate.h"
#include "runtime/abi/kernel.h"

namespace mut::codegen {

using typed::EventError;
using typed::Expr;
using typed::ExprKind;
using typed::Kind;
using typed::Op;

Value FunctionEmitter::emit(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::Literal:
      return emit_literal(expr);
    case ExprKind::Field:
      return fields[static_cast<size_t>(expr.index)];
    case ExprKind::Param:
      return emit_param(expr);
    case ExprKind::Local:
      return locals_.at(expr.index);
    case ExprKind::Convert:
      return convert(emit(*expr.args[0]), expr.type);
    case ExprKind::Cast:
    case ExprKind::CastOptional:
      return emit_cast(expr);
    case ExprKind::Unary:
      return emit_unary(expr);
    case ExprKind::Binary:
      return emit_binary(expr);
    case ExprKind::Member: {
      Value record = emit(*expr.args[0]);
      size_t first = 0;
      for (int i = 0; i < expr.index; ++i)
        first += part_count(record.type->fields[static_cast<size_t>(i)].type);
      return slice(record, first, expr.type);
    }
    case ExprKind::OptionalMember: {
      Value object = emit(*expr.args[0]);
      typed::TypeRef record = object.type->element;
      size_t first = 0;
      for (int i = 0; i < expr.index; ++i) first += part_count(record->fields[static_cast<size_t>(i)].type);
      typed::TypeRef field = record->fields[static_cast<size_t>(expr.index)].type;
      Value value = slice(object, first, field);
      Value out{expr.type, value.parts};
      if (field->kind == Kind::Optional) {
        out.parts.back() = builder_.CreateAnd(object.present(), value.present());
      } else {
        out.parts.push_back(object.present());
      }
      return out;
    }
    case ExprKind::Element:
      return emit_element(expr);
    case ExprKind::Call:
      return emit_call(expr);
    case ExprKind::If: {
      llvm::Value* condition = emit_condition(*expr.args[0]);
      return choose(condition, [&] { return emit(*expr.args[1]); }, [&] { return emit(*expr.args[2]); });
    }
    case ExprKind::Let:
      locals_[expr.index] = emit(*expr.args[0]);
      return emit(*expr.args[1]);
    case ExprKind::Try:
      return emit_try(expr);
    case ExprKind::Coalesce: {
      Value left = emit(*expr.args[0]);
      bool keeps_none = expr.type->kind == Kind::Optional;
      return choose(
          left.present(), [&] { return keeps_none ? left : slice(left, 0, expr.type); },
          [&] { return emit(*expr.args[1]); });
    }
    case ExprKind::IsNone: {
      Value value = emit(*expr.args[0]);
      if (value.type->kind == Kind::None) return bool_value(builder_.getTrue());
      return bool_value(builder_.CreateNot(value.present()));
    }
    case ExprKind::IsSome: {
      Value value = emit(*expr.args[0]);
      locals_[expr.index] = slice(value, 0, value.type->element);
      return bool_value(value.present());
    }
    case ExprKind::Unwrap: {
      Value value = emit(*expr.args[0]);
      return slice(value, 0, expr.type);
    }
    case ExprKind::MakeRecord: {
      Value out{expr.type, {}};
      for (const typed::ExprPtr& arg : expr.args) {
        Value part = emit(*arg);
        out.parts.insert(out.parts.end(), part.parts.begin(), part.parts.end());
      }
      return out;
    }
    case ExprKind::MakeList:
      return emit_list(expr);
    case ExprKind::MakeMap:
      return emit_map(expr);
    case ExprKind::MapList:
    case ExprKind::FilterList:
    case ExprKind::AnyOf:
    case ExprKind::AllOf:
    case ExprKind::Reduce:
      return emit_each(expr);
    case ExprKind::ZipLists:
      return emit_zip(expr);
    case ExprKind::Text:
    case ExprKind::Format:
      return emit_text(expr);
    case ExprKind::History:
      return read(stage.histories[static_cast<size_t>(expr.index)]);
    case ExprKind::Key:
      return stage.keys[static_cast<size_t>(expr.index)];
    case ExprKind::Aggregate:
      return read(stage.aggregates[static_cast<size_t>(expr.index)]);
    case ExprKind::WindowStart:
      return stage.window_start;
    case ExprKind::WindowEnd:
      return stage.window_end;
  }
  return {};
}

Value FunctionEmitter::read(const StageResult& result) {
  if (result.overflow != nullptr) refuse(result.overflow, EventError::Overflow);
  return result.value;
}

// Read once, where the function begins.
llvm::Value* FunctionEmitter::literals() {
  if (literals_ != nullptr) return literals_;
  llvm::IRBuilder<>::InsertPointGuard back(builder_);
  llvm::BasicBlock& entry = function_->getEntryBlock();
  builder_.SetInsertPoint(&entry, entry.getFirstNonPHIOrDbgOrAlloca());
  literals_ = context_constant(offsetof(MutContext, literals), builder_.getPtrTy(),
                               module_.graph().literals.size() * 16);
  return literals_;
}

Value FunctionEmitter::emit_literal(const Expr& expr) {
  if (expr.value.is_none()) return zero(expr.type, function_->getContext());
  typed::TypeRef scalar = expr.type->kind == Kind::Optional ? expr.type->element : expr.type;
  Value out{scalar, {}};
  bool text = scalar->kind == Kind::String || scalar->kind == Kind::Bytes;
  llvm::Type* type = text ? builder_.getInt64Ty() : scalar_type(scalar->kind, function_->getContext());
  if (module_.literals() == Literals::Constant && !text) {
    if (scalar->kind == Kind::Float || scalar->kind == Kind::F32) {
      out.parts.push_back(llvm::ConstantFP::get(type, expr.value.as_float()));
    } else if (scalar->kind == Kind::Decimal) {
      out.parts.push_back(decimal_constant(function_->getContext(), expr.value.as_decimal()));
    } else if (scalar->kind == Kind::Bool) {
      out.parts.push_back(builder_.getInt1(expr.value.as_bool()));
    } else {
      out.parts.push_back(llvm::ConstantInt::get(type, static_cast<uint64_t>(expr.value.as_int())));
    }
  } else {
    int slot = module_.graph().literal_slots.at(&expr);
    llvm::Value* at = offset_by(builder_, literals(), static_cast<uint64_t>(slot) * 16);
    // The table of a version never changes.
    auto invariant = [&](llvm::LoadInst* load) { return constant(load); };
    if (scalar->kind == Kind::Bool) {
      out.parts.push_back(builder_.CreateICmpNE(invariant(builder_.CreateLoad(builder_.getInt8Ty(), at)),
                                                builder_.getInt8(0)));
    } else {
      // As aligned as the table.
      out.parts.push_back(invariant(scalar->kind == Kind::Decimal
                                        ? builder_.CreateAlignedLoad(type, at, llvm::Align(8))
                                        : builder_.CreateLoad(type, at)));
      if (text) {
        out.parts.push_back(invariant(builder_.CreateLoad(builder_.getPtrTy(), offset_by(builder_, at, 8))));
      }
    }
  }
  if (expr.type->kind == Kind::Optional) {
    out.type = expr.type;
    out.parts.push_back(builder_.getTrue());
  }
  return out;
}

Value FunctionEmitter::emit_param(const Expr& expr) {
  const abi::FieldDesc& field = module_.params_layout().fields[static_cast<size_t>(expr.index)];
  llvm::Value* params = context_constant(offsetof(MutContext, params), builder_.getPtrTy());
  return load(builder_, expr.type, *field.type, offset_by(builder_, params, field.offset));
}

Value FunctionEmitter::emit_unary(const Expr& expr) {
  Value value = emit(*expr.args[0]);
  if (expr.op == Op::Not) return bool_value(builder_.CreateNot(value.part()));
  if (expr.type->kind == Kind::Float) return {expr.type, {builder_.CreateFNeg(value.part())}};
  if (expr.type->kind == Kind::Decimal) return {expr.type, {builder_.CreateNeg(value.part())}};
  check(builder_.CreateICmpNE(value.part(), builder_.getInt64(uint64_t{1} << 63)), EventError::Overflow);
  return {expr.type, {builder_.CreateNeg(value.part())}};
}

Value FunctionEmitter::emit_binary(const Expr& expr) {
  if (expr.op == Op::And || expr.op == Op::Or) {
    llvm::Value* left = emit_condition(*expr.args[0]);
    llvm::BasicBlock* left_end = builder_.GetInsertBlock();
    llvm::BasicBlock* right_block = block("right");
    llvm::BasicBlock* end = block("end");
    if (expr.op == Op::And) {
      builder_.CreateCondBr(left, right_block, end);
    } else {
      builder_.CreateCondBr(left, end, right_block);
    }
    builder_.SetInsertPoint(right_block);
    llvm::Value* right = emit_condition(*expr.args[1]);
    right_block = builder_.GetInsertBlock();
    builder_.CreateBr(end);
    builder_.SetInsertPoint(end);
    llvm::PHINode* phi = builder_.CreatePHI(builder_.getInt1Ty(), 2);
    phi->addIncoming(builder_.getInt1(expr.op == Op::Or), left_end);
    phi->addIncoming(right, right_block);
    return bool_value(phi);
  }
  Value left = emit(*expr.args[0]);
  Value right = emit(*expr.args[1]);
  if (expr.op <= Op::GreaterEqual) return emit_comparison(expr, left, right);
  return emit_arithmetic(expr, left, right);
}

// Checked arithmetic on 64-bit integers: overflow and division by zero are event errors.
Value FunctionEmitter::emit_int_arithmetic(Op op, typed::TypeRef type, llvm::Value* left, llvm::Value* right,
                                           bool is_signed) {
  auto checked = [&](llvm::Intrinsic::ID id) {
    llvm::Value* pair = builder_.CreateBinaryIntrinsic(id, left, right);
    refuse(builder_.CreateExtractValue(pair, 1), EventError::Overflow);
    return Value{type, {builder_.CreateExtractValue(pair, 0)}};
  };
  switch (op) {
    case Op::Add:
      return checked(is_signed ? llvm::Intrinsic::sadd_with_overflow : llvm::Intrinsic::uadd_with_overflow);
    case Op::Subtract:
      return checked(is_signed ? llvm::Intrinsic::ssub_with_overflow : llvm::Intrinsic::usub_with_overflow);
    case Op::Multiply:
      if (MUT_DELIBERATE_FAULT(product_wraps)) return {type, {builder_.CreateMul(left, right)}};
      return checked(is_signed ? llvm::Intrinsic::smul_with_overflow : llvm::Intrinsic::umul_with_overflow);
    default:
      break;
  }
  check(builder_.CreateICmpNE(right, builder_.getInt64(0)), EventError::DivisionByZero);
  if (!is_signed)
    return {type, {op == Op::Divide ? builder_.CreateUDiv(left, right) : builder_.CreateURem(left, right)}};
  llvm::Value* minus_one = builder_.CreateICmpEQ(right, builder_.getInt64(~uint64_t{0}));
  if (op == Op::Divide) {
    llvm::Value* least = builder_.CreateICmpEQ(left, builder_.getInt64(uint64_t{1} << 63));
    refuse(builder_.CreateAnd(minus_one, least), EventError::Overflow);
    return {type, {builder_.CreateSDiv(left, right)}};
  }
  // x % -1 is 0; the machine's division would trap for the least x.
  llvm::Value* safe = builder_.CreateSelect(minus_one, builder_.getInt64(1), right);
  if (MUT_DELIBERATE_FAULT(remainder_unsigned)) return {type, {builder_.CreateURem(left, safe)}};
  return {type, {builder_.CreateSRem(left, safe)}};
}

Value FunctionEmitter::emit_arithmetic(const Expr& expr, const Value& left, const Value& right) {
  Kind a = left.type->kind;
  Kind b = right.type->kind;
  if (a == Kind::String) {
    llvm::AllocaInst* pair = temporary(32);
    const abi::TypeDesc& layout = module_.layout(expr.type);
    store(builder_, left, layout, pair);
    store(builder_, right, layout, offset_by(builder_, pair, 16));
    llvm::AllocaInst* out = temporary(16);
    builder_.CreateCall(module_.helper("mut_text_join", builder_.getVoidTy(),
                                       {builder_.getPtrTy(), builder_.getInt64Ty(), builder_.getPtrTy(),
                                        builder_.getPtrTy()}),
                        {context_, builder_.getInt64(2), pair, out});
    return load(builder_, expr.type, layout, out);
  }
  if (a == Kind::Decimal) return emit_decimal_arithmetic(expr, left, right);
  if (a == Kind::Float && b == Kind::Float) {
    llvm::Value* x = left.part();
    llvm::Value* y = right.part();
    switch (expr.op) {
      case Op::Add:
        return {expr.type, {builder_.CreateFAdd(x, y)}};
      case Op::Subtract:
        return {expr.type, {builder_.CreateFSub(x, y)}};
      case Op::Multiply:
        return {expr.type, {builder_.CreateFMul(x, y)}};
      case Op::Divide:
        return {expr.type, {builder_.CreateFDiv(x, y)}};
      default:
        return {expr.type,
                {builder_.CreateCall(module_.helper("fmod", builder_.getDoubleTy(),
                                                    {builder_.getDoubleTy(), builder_.getDoubleTy()}),
                                     {x, y})}};
    }
  }
  if (a == Kind::Duration && b == Kind::Duration && expr.op == Op::Divide) {
    llvm::Value* x = builder_.CreateSIToFP(left.part(), builder_.getDoubleTy());
    llvm::Value* y = builder_.CreateSIToFP(right.part(), builder_.getDoubleTy());
    return {expr.type, {builder_.CreateFDiv(x, y)}};
  }
  if (a == Kind::Float || b == Kind::Float) {  // duration * float, duration / float
    llvm::AllocaInst* out = temporary(8);
    const Value& number = a == Kind::Float ? left : right;
    const Value& duration = a == Kind::Float ? right : left;
    llvm::Value* fine = builder_.CreateCall(
        module_.helper(
            "mut_scale_duration", builder_.getInt32Ty(),
            {builder_.getInt64Ty(), builder_.getDoubleTy(), builder_.getInt32Ty(), builder_.getPtrTy()}),
        {duration.part(), number.part(), builder_.getInt32(expr.op == Op::Divide ? 1 : 0), out});
    check(builder_.CreateICmpNE(fine, builder_.getInt32(0)), EventError::Overflow);
    return {expr.type, {builder_.CreateLoad(builder_.getInt64Ty(), out)}};
  }
  return emit_int_arithmetic(expr.op, expr.type, left.part(), right.part(), a != Kind::U64);
}

llvm::Value* FunctionEmitter::equal(const Value& a, const Value& b) {
  switch (a.type->kind) {
    case Kind::None:
      return builder_.getTrue();
    case Kind::Decimal:
      if (a.type->scale == b.type->scale) return builder_.CreateICmpEQ(a.part(), b.part());
      return builder_.CreateICmpEQ(compare_decimals(a, b), builder_.getInt32(0));
    case Kind::Float:
    case Kind::F32:
      return builder_.CreateFCmpOEQ(a.part(), b.part());
    case Kind::String:
    case Kind::Bytes: {
      llvm::Value* result = builder_.CreateCall(module_.helper("mut_text_equal", builder_.getInt32Ty(),
                                                               {builder_.getInt64Ty(), builder_.getPtrTy(),
                                                                builder_.getInt64Ty(), builder_.getPtrTy()}),
                                                {a.parts[0], a.parts[1], b.parts[0], b.parts[1]});
      return builder_.CreateICmpNE(result, builder_.getInt32(0));
    }
    case Kind::Optional: {
      Value out = choose(
          builder_.CreateAnd(a.present(), b.present()),
          [&] { return bool_value(equal(slice(a, 0, a.type->element), slice(b, 0, b.type->element))); },
          [&] { return bool_value(builder_.CreateNot(builder_.CreateOr(a.present(), b.present()))); });
      return out.part();
    }
    case Kind::Record: {
      llvm::Value* all = builder_.getTrue();
      size_t first = 0;
      for (const typed::Field& field : a.type->fields) {
        all = builder_.CreateAnd(all, equal(slice(a, first, field.type), slice(b, first, field.type)));
        first += part_count(field.type);
      }
      return all;
    }
    case Kind::List:
    case Kind::Map: {
      int type = graph::runtime_type(module_.graph(), a.type);
      llvm::Value* result = builder_.CreateCall(
          module_.helper(
              "mut_list_equal", builder_.getInt32Ty(),
              {builder_.getPtrTy(), builder_.getInt32Ty(), builder_.getPtrTy(), builder_.getPtrTy()}),
          {context_, builder_.getInt32(static_cast<uint32_t>(type)), spill(a), spill(b)});
      return builder_.CreateICmpNE(result, builder_.getInt32(0));
    }
    default:
      return builder_.CreateICmpEQ(a.part(), b.part());
  }
}

llvm::Value* FunctionEmitter::less(const Value& a, const Value& b) {
  switch (a.type->kind) {
    case Kind::Decimal:
      if (a.type->scale == b.type->scale) return builder_.CreateICmpSLT(a.part(), b.part());
      return builder_.CreateICmpSLT(compare_decimals(a, b), builder_.getInt32(0));
    case Kind::Float:
    case Kind::F32:
      return builder_.CreateFCmpOLT(a.part(), b.part());
    case Kind::String:
    case Kind::Bytes: {
      llvm::Value* order = builder_.CreateCall(module_.helper("mut_text_compare", builder_.getInt32Ty(),
                                                              {builder_.getInt64Ty(), builder_.getPtrTy(),
                                                               builder_.getInt64Ty(), builder_.getPtrTy()}),
                                               {a.parts[0], a.parts[1], b.parts[0], b.parts[1]});
      return builder_.CreateICmpSLT(order, builder_.getInt32(0));
    }
    case Kind::Bool:
    case Kind::U8:
    case Kind::U16:
    case Kind::U32:
    case Kind::U64:
      return builder_.CreateICmpULT(a.part(), b.part());
    default:
      return builder_.CreateICmpSLT(a.part(), b.part());
  }
}

Value FunctionEmitter::emit_comparison(const Expr& expr, const Value& left, const Value& right) {
  Kind a = left.type->kind;
  Kind b = right.type->kind;
  if ((a == Kind::Int && b == Kind::Float) || (a == Kind::Float && b == Kind::Int)) {
    bool swapped = a == Kind::Float;
    llvm::Value* order =
        builder_.CreateCall(module_.helper("mut_compare_int_float", builder_.getInt32Ty(),
                                           {builder_.getInt64Ty(), builder_.getDoubleTy()}),
                            {swapped ? right.part() : left.part(), swapped ? left.part() : right.part()});
    llvm::Value* ordered = builder_.CreateICmpNE(order, builder_.getInt32(2));
    llvm::Value* nil = builder_.getInt32(0);
    llvm::Value* result = nullptr;
    Op op = expr.op;
    if (swapped) {
      op = op == Op::Less           ? Op::Greater
           : op == Op::LessEqual    ? Op::GreaterEqual
           : op == Op::Greater      ? Op::Less
           : op == Op::GreaterEqual ? Op::LessEqual
                                    : op;
    }
    switch (op) {
      case Op::Equal:
        return bool_value(builder_.CreateICmpEQ(order, nil));
      case Op::NotEqual:
        return bool_value(builder_.CreateICmpNE(order, nil));
      case Op::Less:
        result = builder_.CreateICmpSLT(order, nil);
        break;
      case Op::LessEqual:
        result = builder_.CreateICmpSLE(order, nil);
        break;
      case Op::Greater:
        result = builder_.CreateICmpSGT(order, nil);
        break;
      default:
        result = builder_.CreateICmpSGE(order, nil);
        break;
    }
    return bool_value(builder_.CreateAnd(ordered, result));
  }
  if (a == Kind::Int && b == Kind::Int && (expr.op == Op::Equal || expr.op == Op::NotEqual)) {
    auto* zero = llvm::dyn_cast<llvm::ConstantInt>(right.part());
    llvm::Value* divisible =
        zero != nullptr && zero->isZero() ? emit_divisible(builder_, left.part()) : nullptr;
    if (divisible != nullptr)
      return bool_value(expr.op == Op::Equal ? divisible : builder_.CreateNot(divisible));
  }
  bool floats = a == Kind::Float || a == Kind::F32;
  switch (expr.op) {
    case Op::Equal:
      return bool_value(equal(left, right));
    case Op::NotEqual:
      if (floats) return bool_value(builder_.CreateFCmpUNE(left.part(), right.part()));
      return bool_value(builder_.CreateNot(equal(left, right)));
    case Op::Less:
      return bool_value(less(left, right));
    case Op::Greater:
      return bool_value(less(right, left));
    case Op::LessEqual:
      if (floats) return bool_value(builder_.CreateFCmpOLE(left.part(), right.part()));
      return bool_value(builder_.CreateNot(less(right, left)));
    default:
      if (floats) return bool_value(builder_.CreateFCmpOGE(left.part(), right.part()));
      return bool_value(builder_.CreateNot(less(left, right)));
  }
}

Value FunctionEmitter::convert(const Value& value, typed::TypeRef target) {
  if (value.type->text == target->text) return value;
  Kind from = value.type->kind;
  if (target->kind == Kind::Optional) {
    if (from == Kind::Optional) {
      if (typed::widening_can_fail(value.type, target)) {  // what is not there does not fail
        llvm::LLVMContext& context = function_->getContext();
        return choose(
            value.present(),
            [&] {
              Value inner = convert(slice(value, 0, value.type->element), target->element);
              inner.type = target;
              inner.parts.push_back(builder_.getTrue());
              return inner;
            },
            [&] { return zero(target, context); });
      }
      Value inner = convert(slice(value, 0, value.type->element), target->element);
      inner.type = target;
      inner.parts.push_back(value.present());
      return inner;
    }
    if (from == Kind::None) return zero(target, function_->getContext());
    Value inner = convert(value, target->element);
    inner.type = target;
    inner.parts.push_back(builder_.getTrue());
    return inner;
  }
  if (target->kind == Kind::Decimal) return to_decimal(value, target);
  if (target->kind == Kind::Float) {
    if (from == Kind::F32) return {target, {builder_.CreateFPExt(value.part(), builder_.getDoubleTy())}};
    bool is_unsigned = from == Kind::U8 || from == Kind::U16 || from == Kind::U32;
    return {target,
            {is_unsigned ? builder_.CreateUIToFP(value.part(), builder_.getDoubleTy())
                         : builder_.CreateSIToFP(value.part(), builder_.getDoubleTy())}};
  }
  if (target->kind == Kind::Int) {
    bool is_unsigned = from == Kind::U8 || from == Kind::U16 || from == Kind::U32;
    return {target,
            {is_unsigned ? builder_.CreateZExt(value.part(), builder_.getInt64Ty())
                         : builder_.CreateSExt(value.part(), builder_.getInt64Ty())}};
  }
  if (target->kind == Kind::Record) {
    Value out{target, {}};
    for (const typed::Field& field : target->fields) {
      size_t first = 0;
      int index = value.type->field_index(field.name);
      for (int i = 0; i < index; ++i) first += part_count(value.type->fields[static_cast<size_t>(i)].type);
      Value part =
          convert(slice(value, first, value.type->fields[static_cast<size_t>(index)].type), field.type);
      out.parts.insert(out.parts.end(), part.parts.begin(), part.parts.end());
    }
    return out;
  }
  if (target->kind == Kind::Secret) {
    return {target,
            convert(from == Kind::Secret ? Value{value.type->element, value.parts} : value, target->element)
                .parts};
  }
  if (target->kind == Kind::List || target->kind == Kind::Map) {
    bool map = target->kind == Kind::Map;
    bool empty = (map ? value.type->key() : value.type->element)->kind == Kind::None;
    if (empty) return zero(target, function_->getContext());
    // Element by element into new memory.
    const abi::TypeDesc& from_layout = module_.layout(value.type->element);
    const abi::TypeDesc& to_layout = module_.layout(target->element);
    llvm::Value* bytes = builder_.CreateMul(value.parts[0], builder_.getInt64(to_layout.size));
    llvm::Value* memory = builder_.CreateCall(
        module_.helper("mut_arena", builder_.getPtrTy(), {builder_.getPtrTy(), builder_.getInt64Ty()}),
        {context_, bytes});
    for_each(builder_.getInt64(0), value.parts[0], [&](llvm::Value* index) {
      llvm::Value* source =
          builder_.CreateGEP(builder_.getInt8Ty(), value.parts[1],
                             builder_.CreateMul(index, builder_.getInt64(from_layout.size)));
      Value element = convert(load(builder_, value.type->element, from_layout, source), target->element);
      llvm::Value* sink = builder_.CreateGEP(builder_.getInt8Ty(), memory,
                                             builder_.CreateMul(index, builder_.getInt64(to_layout.size)));
      store(builder_, element, to_layout, sink);
    });
    return {target, {value.parts[0], memory}};
  }
  return value;
}

Value FunctionEmitter::emit_try(const Expr& expr) {
  llvm::BasicBlock* otherwise = block("otherwise");
  llvm::BasicBlock* end = block("end");
  Handler outer = handler;
  handler.block = otherwise;
  Value a = emit(*expr.args[0]);
  llvm::BasicBlock* a_end = builder_.GetInsertBlock();
  builder_.CreateBr(end);
  handler = outer;
  builder_.SetInsertPoint(otherwise);
  if (llvm::pred_empty(otherwise)) {  // nothing in it can fail
    builder_.CreateUnreachable();
    builder_.SetInsertPoint(end);
    return a;
  }
  Value b = emit(*expr.args[1]);
  llvm::BasicBlock* b_end = builder_.GetInsertBlock();
  builder_.CreateBr(end);
  builder_.SetInsertPoint(end);
  Value out{a.type, {}};
  for (size_t i = 0; i < a.parts.size(); ++i) {
    llvm::PHINode* phi = builder_.CreatePHI(a.parts[i]->getType(), 2);
    phi->addIncoming(a.parts[i], a_end);
    phi->addIncoming(b.parts[i], b_end);
    out.parts.push_back(phi);
  }
  return out;
}

}  // namespace mut::codegen
