// Tables and look-ups: keeping the newest row of a key, and reading it.
#include "compiler/codegen/stage_emitter.h"

namespace mut::codegen {

using typed::EventError;
using typed::Kind;

llvm::Value* StageEmitter::emit_plain_key(const std::vector<typed::ExprPtr>& keys,
                                          const state::StoreDesc& desc, llvm::Value*& present,
                                          std::vector<Value>& values) {
  B& b = at_.builder();
  llvm::AllocaInst* out = at_.temporary(desc.key_words * 8U + 8U);
  present = b.getTrue();
  for (size_t i = 0; i < keys.size(); ++i) {
    Value value = at_.emit(*keys[i]);
    if (value.type->kind == Kind::Optional) {
      present = b.CreateAnd(present, value.present());
      value = slice(value, 0, value.type->element);
    }
    values.push_back(value);
    llvm::Value* words = words_of(value, true);
    size_t count = at_.words(value).size();
    for (size_t w = 0; w < count; ++w) {
      llvm::Value* word = b.CreateAlignedLoad(b.getInt64Ty(), offset(words, w * 8), llvm::Align(8));
      b.CreateAlignedStore(word, offset(out, (desc.keys[i].word + w) * 8), llvm::Align(8));
    }
  }
  return out;
}

void StageEmitter::emit_table() {
  B& b = at_.builder();
  int store = module_.graph().stage_stores[static_cast<size_t>(stream_)][static_cast<size_t>(index_)][0];
  const state::StoreDesc& desc = module_.graph().stores[static_cast<size_t>(store)].desc;
  llvm::Value* present = nullptr;
  std::vector<Value> values;
  llvm::Value* key = emit_plain_key(stage_.keys, desc, present, values);
  at_.check(present, EventError::NoKey);
  Value record{stage_.input, {}};
  for (const Value& field : at_.fields)
    record.parts.insert(record.parts.end(), field.parts.begin(), field.parts.end());
  llvm::Value* put = b.CreateCall(
      module_.helper("mut_row_put", b.getInt32Ty(),
                     {b.getPtrTy(), b.getInt32Ty(), b.getPtrTy(), b.getInt64Ty(), b.getPtrTy()}),
      {at_.context(), b.getInt32(static_cast<uint32_t>(store)), key, at_.time, at_.spill(record)});
  at_.check(b.CreateICmpSGE(put, b.getInt32(0)), EventError::Memory);
  leave_unless(b.CreateICmpNE(put, b.getInt32(0)));
}

void StageEmitter::emit_lookup() {
  B& b = at_.builder();
  const typed::Join& join = *stage_.join;
  const std::vector<int>& stores = module_.graph().stage_stores[static_cast<size_t>(join.right)].back();
  int store = stores[0];
  const state::StoreDesc& desc = module_.graph().stores[static_cast<size_t>(store)].desc;
  llvm::Value* present = nullptr;
  std::vector<Value> values;
  llvm::Value* key = emit_plain_key(stage_.keys, desc, present, values);
  for (const Value& value : values) {  // a NaN equals nothing
    bool real = value.type->kind == Kind::Float || value.type->kind == Kind::F32;
    if (real) present = b.CreateAnd(present, b.CreateFCmpORD(value.part(), value.part()));
  }
  llvm::Value* when =
      join.as_of ? at_.emit(*join.as_of).part() : static_cast<llvm::Value*>(b.getInt64(uint64_t{INT64_MAX}));
  key = b.CreateSelect(present, key, llvm::ConstantPointerNull::get(b.getPtrTy()));
  llvm::Value* row =
      b.CreateCall(module_.helper("mut_row_find", b.getPtrTy(),
                                  {b.getPtrTy(), b.getInt32Ty(), b.getPtrTy(), b.getInt64Ty()}),
                   {at_.context(), b.getInt32(static_cast<uint32_t>(store)), key, when});
  llvm::LLVMContext& context = at_.function()->getContext();
  typed::TypeRef boolean = module_.program().types->scalar(Kind::Bool);
  Value found{boolean, {b.CreateIsNotNull(row)}};
  Value record = at_.choose(
      found.part(), [&]() -> Value { return load(b, join.right_type, module_.layout(join.right_type), row); },
      [&]() -> Value { return zero(join.right_type, context); });
  if (join.condition) {
    std::vector<Value> own = at_.fields;
    at_.fields.push_back(record);
    found = at_.choose(
        found.part(), [&]() -> Value { return at_.emit(*join.condition); },
        [&]() -> Value { return {boolean, {b.getFalse()}}; });
    at_.fields = std::move(own);
  }
  if (join.kind == typed::JoinKind::Lookup) {
    leave_unless(found.part());
  } else {
    record.type = stage_.output->fields.back().type;
    record.parts.push_back(found.part());
  }
  at_.fields.push_back(std::move(record));
}

}  // namespace mut::codegen
