#include "compiler/codegen/value.h"

namespace mut::codegen {

using typed::Kind;

size_t part_count(typed::TypeRef type) {
  switch (type->kind) {
    case Kind::String:
    case Kind::Bytes:
    case Kind::Json:
    case Kind::List:
    case Kind::Map:
      return 2;
    case Kind::Secret:
      return part_count(type->element);
    case Kind::Optional:
      return part_count(type->element) + 1;
    case Kind::Record: {
      size_t count = 0;
      for (const typed::Field& field : type->fields) count += part_count(field.type);
      return count;
    }
    default:
      return 1;
  }
}

llvm::Type* scalar_type(Kind kind, llvm::LLVMContext& context) {
  switch (kind) {
    case Kind::Bool:
      return llvm::Type::getInt1Ty(context);
    case Kind::I8:
    case Kind::U8:
      return llvm::Type::getInt8Ty(context);
    case Kind::I16:
    case Kind::U16:
      return llvm::Type::getInt16Ty(context);
    case Kind::I32:
    case Kind::U32:
    case Kind::Enum:
      return llvm::Type::getInt32Ty(context);
    case Kind::Float:
      return llvm::Type::getDoubleTy(context);
    case Kind::F32:
      return llvm::Type::getFloatTy(context);
    case Kind::Decimal:
      return llvm::Type::getInt128Ty(context);
    default:
      return llvm::Type::getInt64Ty(context);
  }
}

void part_types(typed::TypeRef type, llvm::LLVMContext& context, std::vector<llvm::Type*>& out) {
  switch (type->kind) {
    case Kind::String:
    case Kind::Bytes:
    case Kind::Json:
    case Kind::List:
    case Kind::Map:
      out.push_back(llvm::Type::getInt64Ty(context));
      out.push_back(llvm::PointerType::getUnqual(context));
      return;
    case Kind::Secret:
      part_types(type->element, context, out);
      return;
    case Kind::Optional:
      part_types(type->element, context, out);
      out.push_back(llvm::Type::getInt1Ty(context));
      return;
    case Kind::Record:
      for (const typed::Field& field : type->fields) part_types(field.type, context, out);
      return;
    default:
      out.push_back(scalar_type(type->kind, context));
  }
}

Value zero(typed::TypeRef type, llvm::LLVMContext& context) {
  std::vector<llvm::Type*> types;
  part_types(type, context, types);
  Value out{type, {}};
  for (llvm::Type* part : types) out.parts.push_back(llvm::Constant::getNullValue(part));
  return out;
}

llvm::Value* offset_by(llvm::IRBuilder<>& builder, llvm::Value* pointer, uint64_t bytes) {
  return bytes == 0 ? pointer : builder.CreateConstGEP1_64(builder.getInt8Ty(), pointer, bytes);
}

Value slice(const Value& value, size_t first, typed::TypeRef type) {
  Value out{type, {}};
  auto begin = value.parts.begin() + static_cast<std::ptrdiff_t>(first);
  out.parts.assign(begin, begin + static_cast<std::ptrdiff_t>(part_count(type)));
  return out;
}

namespace {

llvm::Value* at(llvm::IRBuilder<>& builder, llvm::Value* pointer, uint64_t offset) {
  return offset == 0 ? pointer : offset_by(builder, pointer, offset);
}

}  // namespace

Value load(llvm::IRBuilder<>& builder, typed::TypeRef type, const abi::TypeDesc& layout,
           llvm::Value* pointer) {
  Value out{type, {}};
  switch (type->kind) {
    case Kind::String:
    case Kind::Bytes:
    case Kind::Json:
    case Kind::List:
    case Kind::Map:
      out.parts.push_back(builder.CreateAlignedLoad(builder.getInt64Ty(), pointer, llvm::Align(4)));
      out.parts.push_back(
          builder.CreateAlignedLoad(builder.getPtrTy(), at(builder, pointer, 8), llvm::Align(4)));
      return out;
    case Kind::Secret:
      out.parts = load(builder, type->element, layout, pointer).parts;
      return out;
    case Kind::Optional: {
      out.parts = load(builder, type->element, *layout.element, pointer).parts;
      llvm::Value* present =
          builder.CreateLoad(builder.getInt8Ty(), at(builder, pointer, layout.present_offset));
      out.parts.push_back(builder.CreateICmpNE(present, builder.getInt8(0)));
      return out;
    }
    case Kind::Record:
      for (size_t i = 0; i < type->fields.size(); ++i) {
        const abi::FieldDesc& field = layout.fields[i];
        Value part = load(builder, type->fields[i].type, *field.type, at(builder, pointer, field.offset));
        out.parts.insert(out.parts.end(), part.parts.begin(), part.parts.end());
      }
      return out;
    case Kind::Bool:
      out.parts.push_back(
          builder.CreateICmpNE(builder.CreateLoad(builder.getInt8Ty(), pointer), builder.getInt8(0)));
      return out;
    default: {
      llvm::Type* scalar = scalar_type(type->kind, builder.getContext());
      out.parts.push_back(builder.CreateAlignedLoad(scalar, pointer, llvm::Align(layout.align)));
      return out;
    }
  }
}

void store(llvm::IRBuilder<>& builder, const Value& value, const abi::TypeDesc& layout,
           llvm::Value* pointer) {
  switch (value.type->kind) {
    case Kind::String:
    case Kind::Bytes:
    case Kind::Json:
    case Kind::List:
    case Kind::Map:
      builder.CreateAlignedStore(value.parts[0], pointer, llvm::Align(4));
      builder.CreateAlignedStore(value.parts[1], at(builder, pointer, 8), llvm::Align(4));
      return;
    case Kind::Secret:
      store(builder, {value.type->element, value.parts}, layout, pointer);
      return;
    case Kind::Optional:
      store(builder, slice(value, 0, value.type->element), *layout.element, pointer);
      builder.CreateStore(builder.CreateZExt(value.present(), builder.getInt8Ty()),
                          at(builder, pointer, layout.present_offset));
      return;
    case Kind::Record: {
      size_t first = 0;
      for (size_t i = 0; i < value.type->fields.size(); ++i) {
        typed::TypeRef type = value.type->fields[i].type;
        store(builder, slice(value, first, type), *layout.fields[i].type,
              at(builder, pointer, layout.fields[i].offset));
        first += part_count(type);
      }
      return;
    }
    case Kind::Bool:
      builder.CreateStore(builder.CreateZExt(value.part(), builder.getInt8Ty()), pointer);
      return;
    default:
      builder.CreateAlignedStore(value.part(), pointer, llvm::Align(layout.align));
  }
}

}  // namespace mut::codegen
