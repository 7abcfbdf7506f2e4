// What all code of a function is made of: memory, blocks, branches, loops, failures.
#include "compiler/codegen/function_emitter.h"

#include "compiler/codegen/module_emitter.h"

namespace mut::codegen {

using typed::EventError;
using typed::Kind;

FunctionEmitter::FunctionEmitter(ModuleEmitter& module, llvm::Function* function, int place)
    : module_(module),
      function_(function),
      builder_(llvm::BasicBlock::Create(function->getContext(), "entry", function)) {
  PlaceWriter* places = module.places();
  if (places == nullptr) return;
  places->begin(*function, place);
  builder_.SetCurrentDebugLocation(PlaceWriter::at(*function, place));
}

AtPlace::AtPlace(FunctionEmitter& at, int place)
    : builder_(at.builder()), before_(at.builder().getCurrentDebugLocation()) {
  if (at.module().places() != nullptr)
    builder_.SetCurrentDebugLocation(PlaceWriter::at(*at.function(), place));
}

llvm::AllocaInst* FunctionEmitter::temporary(uint64_t bytes) {
  llvm::BasicBlock& entry = function_->getEntryBlock();
  llvm::IRBuilder<> at_entry(&entry, entry.begin());
  llvm::AllocaInst* out =
      at_entry.CreateAlloca(llvm::ArrayType::get(at_entry.getInt8Ty(), bytes == 0 ? 1 : bytes));
  out->setAlignment(llvm::Align(16));
  return out;
}

llvm::Value* FunctionEmitter::spill(const Value& value) {
  const abi::TypeDesc& layout = module_.layout(value.type);
  llvm::AllocaInst* out = temporary(layout.size);
  store(builder_, value, layout, out);
  return out;
}

llvm::BasicBlock* FunctionEmitter::block(const char* name) {
  return llvm::BasicBlock::Create(function_->getContext(), name, function_);
}

void FunctionEmitter::fail(EventError error) {
  builder_.CreateStore(builder_.getInt32(static_cast<uint32_t>(error)), handler.code);
  builder_.CreateBr(handler.block);
}

llvm::BasicBlock* FunctionEmitter::failing(EventError error) {
  llvm::BasicBlock*& out = wrong_[{handler.block, error}];
  if (out != nullptr) return out;
  out = block("wrong");
  llvm::IRBuilder<>::InsertPointGuard back(builder_);
  builder_.SetInsertPoint(out);
  fail(error);
  return out;
}

void FunctionEmitter::check(llvm::Value* fine, EventError error) {
  llvm::BasicBlock* next = block("fine");
  builder_.CreateCondBr(fine, next, failing(error), module_.weights(1 << 20, 1));
  builder_.SetInsertPoint(next);
}

void FunctionEmitter::refuse(llvm::Value* wrong, EventError error) {
  llvm::BasicBlock* next = block("fine");
  builder_.CreateCondBr(wrong, failing(error), next, module_.weights(1, 1 << 20));
  builder_.SetInsertPoint(next);
}

llvm::Value* FunctionEmitter::context_field(unsigned offset, llvm::Type* type) {
  return builder_.CreateLoad(type, offset_by(builder_, context_, offset));
}

llvm::LoadInst* FunctionEmitter::constant(llvm::LoadInst* load, uint64_t bytes) {
  if (module_.source_rows() == SourceRows::OneByOne) return load;  // no pass reads it
  llvm::LLVMContext& context = function_->getContext();
  load->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(context, {}));
  if (bytes == 0) return load;
  auto number = [&](uint64_t value) {
    return llvm::MDNode::get(context, llvm::ConstantAsMetadata::get(builder_.getInt64(value)));
  };
  load->setMetadata(llvm::LLVMContext::MD_dereferenceable, number(bytes));
  load->setMetadata(llvm::LLVMContext::MD_align, number(8));
  return load;
}

llvm::Value* FunctionEmitter::context_constant(unsigned offset, llvm::Type* type, uint64_t bytes) {
  return constant(llvm::cast<llvm::LoadInst>(context_field(offset, type)), bytes);
}

Value FunctionEmitter::bool_value(llvm::Value* value) const {
  return {module_.program().types->scalar(Kind::Bool), {value}};
}

Value FunctionEmitter::choose(llvm::Value* condition, const std::function<Value()>& then_value,
                              const std::function<Value()>& else_value) {
  llvm::BasicBlock* then_block = block("then");
  llvm::BasicBlock* else_block = block("else");
  llvm::BasicBlock* end = block("end");
  builder_.CreateCondBr(condition, then_block, else_block);
  builder_.SetInsertPoint(then_block);
  Value a = then_value();
  then_block = builder_.GetInsertBlock();
  builder_.CreateBr(end);
  builder_.SetInsertPoint(else_block);
  Value b = else_value();
  else_block = builder_.GetInsertBlock();
  builder_.CreateBr(end);
  builder_.SetInsertPoint(end);
  Value out{a.type, {}};
  for (size_t i = 0; i < a.parts.size(); ++i) {
    llvm::PHINode* phi = builder_.CreatePHI(a.parts[i]->getType(), 2);
    phi->addIncoming(a.parts[i], then_block);
    phi->addIncoming(b.parts[i], else_block);
    out.parts.push_back(phi);
  }
  return out;
}

void FunctionEmitter::for_each(llvm::Value* begin, llvm::Value* end,
                               const std::function<void(llvm::Value* index)>& body) {
  llvm::BasicBlock* before = builder_.GetInsertBlock();
  llvm::BasicBlock* head = block("each");
  llvm::BasicBlock* inside = block("body");
  llvm::BasicBlock* over = block("over");
  builder_.CreateBr(head);
  builder_.SetInsertPoint(head);
  llvm::PHINode* index = builder_.CreatePHI(begin->getType(), 2);
  index->addIncoming(begin, before);
  builder_.CreateCondBr(builder_.CreateICmpULT(index, end), inside, over);
  builder_.SetInsertPoint(inside);
  body(index);
  index->addIncoming(builder_.CreateAdd(index, llvm::ConstantInt::get(begin->getType(), 1)),
                     builder_.GetInsertBlock());
  builder_.CreateBr(head);
  builder_.SetInsertPoint(over);
}

}  // namespace mut::codegen
