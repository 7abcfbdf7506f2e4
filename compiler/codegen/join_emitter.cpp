#include "compiler/codegen/join_emitter.h"

#include <llvm/IR/CFG.h>

#include "compiler/graph/places.h"
#include "runtime/abi/kernel.h"
#include "runtime/state/results.h"

namespace mut::codegen {

using state::JoinSide;
using typed::EventError;
using typed::Kind;

JoinEmitter::JoinEmitter(ModuleEmitter& module, FunctionEmitter& at, int stream, int stage)
    : module_(module),
      at_(at),
      stream_(stream),
      index_(stage),
      stage_(module.program().streams[static_cast<size_t>(stream)].stages[static_cast<size_t>(stage)]),
      join_(*stage_.join),
      store_(module.graph().stage_stores[static_cast<size_t>(stream)][static_cast<size_t>(stage)][0]) {}

Value JoinEmitter::record_of(const Fields& fields, typed::TypeRef record) const {
  Value out{record, {}};
  for (const Value& field : fields) out.parts.insert(out.parts.end(), field.parts.begin(), field.parts.end());
  return out;
}

JoinEmitter::Fields JoinEmitter::fields_of(const Value& record) const {
  Fields out;
  size_t first = 0;
  for (const typed::Field& field : record.type->fields) {
    out.push_back(slice(record, first, field.type));
    first += part_count(field.type);
  }
  return out;
}

llvm::Value* JoinEmitter::partners_field(uint64_t offset, llvm::Type* type) {
  B& b = at_.builder();
  return b.CreateLoad(type, offset_by(b, partners_, offset));
}

void JoinEmitter::for_each_partner(const std::function<void(llvm::Value*, llvm::Value*)>& body) {
  B& b = at_.builder();
  llvm::Value* count = partners_field(offsetof(MutPartners, count), b.getInt64Ty());
  llvm::Value* chosen = partners_field(offsetof(MutPartners, chosen), b.getPtrTy());
  at_.for_each(b.getInt64(0), count,
               [&](llvm::Value* index) { body(index, b.CreateGEP(b.getInt8Ty(), chosen, index)); });
}

Value JoinEmitter::partner_at(llvm::Value* index) {
  B& b = at_.builder();
  typed::TypeRef type = side_ == JoinSide::Left ? join_.right_type : stage_.input;
  llvm::Value* rows = partners_field(offsetof(MutPartners, rows), b.getPtrTy());
  llvm::Value* row = b.CreateLoad(b.getPtrTy(), b.CreateGEP(b.getPtrTy(), rows, index));
  return load(b, type, module_.layout(type), row);
}

// All conditions before anything changes: an error in one leaves nothing half joined.
void JoinEmitter::choose() {
  if (!join_.condition) return;
  B& b = at_.builder();
  for_each_partner([&](llvm::Value* index, llvm::Value* chosen) {
    Value partner = partner_at(index);
    Fields pair = side_ == JoinSide::Left ? own_ : fields_of(partner);
    pair.push_back(side_ == JoinSide::Left ? partner : record_of(own_, join_.right_type));
    at_.fields = std::move(pair);
    llvm::Value* holds = at_.emit_condition(*join_.condition);
    b.CreateStore(b.CreateZExt(holds, b.getInt8Ty()), chosen);
  });
  at_.fields = own_;
}

void JoinEmitter::give(const Fields* left, const Value* right) {
  llvm::LLVMContext& context = at_.function()->getContext();
  Fields out;
  for (size_t i = 0; i < stage_.output->fields.size(); ++i) {
    typed::TypeRef type = stage_.output->fields[i].type;
    bool of_right = i == stage_.input->fields.size();
    if (of_right ? right == nullptr : left == nullptr) {
      out.push_back(zero(type, context));
    } else {
      out.push_back(at_.convert(of_right ? *right : (*left)[i], type));
    }
  }
  module_.call_section(at_, stream_, static_cast<size_t>(index_) + 1, out);
}

void JoinEmitter::give_newest(const Fields& left, Otherwise otherwise) {
  B& b = at_.builder();
  side_ = JoinSide::Left;
  llvm::Value* count = partners_field(offsetof(MutPartners, count), b.getInt64Ty());
  llvm::BasicBlock* before = b.GetInsertBlock();
  llvm::BasicBlock* head = at_.block("candidate");
  llvm::BasicBlock* inside = at_.block("ask");
  llvm::BasicBlock* found = at_.block("newest");
  llvm::BasicBlock* older = at_.block("older");
  llvm::BasicBlock* none = at_.block("none");
  llvm::BasicBlock* end = at_.block("decided");
  b.CreateBr(head);
  b.SetInsertPoint(head);
  llvm::PHINode* index = b.CreatePHI(b.getInt64Ty(), 2);
  index->addIncoming(b.getInt64(0), before);
  b.CreateCondBr(b.CreateICmpULT(index, count), inside, none);
  b.SetInsertPoint(inside);
  Value partner = partner_at(index);
  llvm::Value* holds = b.getTrue();
  if (join_.condition) {
    at_.fields = left;
    at_.fields.push_back(partner);
    holds = at_.emit_condition(*join_.condition);
    at_.fields = left;
  }
  b.CreateCondBr(holds, found, older);
  b.SetInsertPoint(older);
  index->addIncoming(b.CreateAdd(index, b.getInt64(1)), older);
  b.CreateBr(head);
  b.SetInsertPoint(found);
  give(&left, &partner);
  b.CreateBr(end);
  b.SetInsertPoint(none);
  if (otherwise == Otherwise::LeftAlone) give(&left, nullptr);
  b.CreateBr(end);
  b.SetInsertPoint(end);
}

void JoinEmitter::emit_arrival(JoinSide side) {
  B& b = at_.builder();
  llvm::Type* pointer = b.getPtrTy();
  llvm::Type* word = b.getInt64Ty();
  side_ = side;
  own_ = at_.fields;
  bool left = side == JoinSide::Left;
  const state::StoreDesc& desc = module_.graph().stores[static_cast<size_t>(store_)].desc;
  std::vector<Value> keys;
  llvm::Value* key = StageEmitter(module_, at_, stream_, index_)
                         .emit_key(left ? stage_.keys : join_.right_keys, desc, &keys);
  for (const Value& value : keys) {
    typed::TypeRef scalar = value.type->kind == Kind::Optional ? value.type->element : value.type;
    llvm::Value* joins = value.type->kind == Kind::Optional ? value.present() : nullptr;
    if (scalar->kind == Kind::Float || scalar->kind == Kind::F32) {
      llvm::Value* number = b.CreateFCmpORD(value.part(), value.part());
      joins = joins == nullptr ? number : b.CreateAnd(joins, number);
    }
    if (joins != nullptr) key = b.CreateSelect(joins, key, llvm::ConstantPointerNull::get(b.getPtrTy()));
  }
  llvm::Value* store = b.getInt32(static_cast<uint32_t>(store_));
  llvm::Value* side_number = b.getInt32(static_cast<uint32_t>(side));
  partners_ = at_.temporary(sizeof(MutPartners));
  b.CreateCall(module_.helper("mut_join_find", b.getVoidTy(),
                              {pointer, b.getInt32Ty(), b.getInt32Ty(), pointer, word, pointer}),
               {at_.context(), store, side_number, key, at_.time, partners_});
  bool asof = state::is_asof(desc.join.kind);
  if (!asof) choose();
  Value own = record_of(own_, left ? stage_.input : join_.right_type);
  llvm::Value* kept =
      b.CreateCall(module_.helper("mut_join_keep", b.getInt32Ty(),
                                  {pointer, b.getInt32Ty(), b.getInt32Ty(), pointer, word, pointer, pointer}),
                   {at_.context(), store, side_number, key, at_.time, at_.spill(own), partners_});
  at_.check(b.CreateICmpNE(kept, b.getInt32(0)), EventError::Memory);

  if (asof && left) give_newest(own_, Otherwise::Nothing);
  llvm::Value* own_time = at_.time;
  llvm::Value* times = partners_field(offsetof(MutPartners, times), pointer);
  auto send = [&](llvm::Value* index, llvm::Value* chosen) {
    llvm::BasicBlock* given = at_.block("given");
    llvm::BasicBlock* next = at_.block("next");
    b.CreateCondBr(b.CreateICmpNE(b.CreateLoad(b.getInt8Ty(), chosen), b.getInt8(0)), given, next);
    b.SetInsertPoint(given);
    Value partner = partner_at(index);
    llvm::Value* time = b.CreateLoad(word, b.CreateGEP(word, times, index));
    at_.time = b.CreateSelect(b.CreateICmpSGT(time, own_time), time, own_time);
    Fields of_left = left ? own_ : fields_of(partner);
    Value of_right = left ? partner : own;
    give(&of_left, &of_right);
    b.CreateBr(next);
    b.SetInsertPoint(next);
  };
  if (!asof) for_each_partner(send);
  at_.time = own_time;
  if (state::gives_unmatched(desc.join.kind, side)) {
    llvm::BasicBlock* alone = at_.block("alone");
    llvm::BasicBlock* end = at_.block("end");
    llvm::Value* unmatched = partners_field(offsetof(MutPartners, unmatched), word);
    b.CreateCondBr(b.CreateICmpNE(unmatched, b.getInt64(0)), alone, end);
    b.SetInsertPoint(alone);
    give(left ? &own_ : nullptr, left ? nullptr : &own);
    b.CreateBr(end);
    b.SetInsertPoint(end);
  }
  b.CreateRetVoid();
}

void JoinEmitter::emit_right(ModuleEmitter& module, int stream, int stage, llvm::Function* function) {
  FunctionEmitter at(module, function, graph::join_error_site(module.graph(), stream, stage));
  B& b = at.builder();
  at.set_context(function->getArg(0));
  at.counts = function->getArg(1);
  at.time = function->getArg(2);
  at.position = function->getArg(3);
  const typed::Stage& of =
      module.program().streams[static_cast<size_t>(stream)].stages[static_cast<size_t>(stage)];
  unsigned arg = 4;
  for (const typed::Field& field : of.join->right_type->fields) {
    Value value{field.type, {}};
    for (size_t p = 0; p < part_count(field.type); ++p) value.parts.push_back(function->getArg(arg++));
    at.fields.push_back(std::move(value));
  }
  at.handler = {at.block("failed"), at.temporary(4)};
  llvm::BasicBlock* failed = at.handler.block;
  std::vector<Value> entering = at.fields;
  StageEmitter(module, at, stream, stage).ask_shard(JoinSide::Right);
  JoinEmitter join(module, at, stream, stage);
  join.emit_arrival(JoinSide::Right);
  b.SetInsertPoint(failed);
  llvm::AllocaInst* out = at.temporary(sizeof(MutErrorEvent));
  llvm::CallInst* fail = b.CreateCall(
      module.helper("mut_fail", b.getVoidTy(),
                    {b.getPtrTy(), b.getInt32Ty(), b.getInt32Ty(), b.getInt64Ty(), b.getInt64Ty(),
                     b.getPtrTy(), b.getPtrTy()}),
      {at.context(), b.getInt32(static_cast<uint32_t>(graph::join_error_site(module.graph(), stream, stage))),
       b.CreateLoad(b.getInt32Ty(), at.handler.code), at.time, at.position,
       at.spill(join.record_of(entering, of.join->right_type)), out});
  fail->addFnAttr(llvm::Attribute::Cold);
  module.send_error_event(at, stream, graph::join_error_site(module.graph(), stream, stage), out);
  b.CreateRetVoid();
}

void JoinEmitter::emit_results(ModuleEmitter& module, int store) {
  llvm::LLVMContext& context = module.module().getContext();
  llvm::Type* pointer = llvm::PointerType::getUnqual(context);
  llvm::Type* word = llvm::Type::getInt64Ty(context);
  auto* function = llvm::Function::Create(
      llvm::FunctionType::get(llvm::Type::getVoidTy(context), {pointer, pointer, pointer, word, word}, false),
      llvm::Function::ExternalLinkage, result_kernel_name(store), module.module());
  function->setDoesNotThrow();
  const graph::StoreNode& node = module.graph().stores[static_cast<size_t>(store)];
  FunctionEmitter at(module, function, graph::stage_place(module.graph(), node.stream, node.stage));
  B& b = at.builder();
  at.set_context(function->getArg(0));
  at.position = function->getArg(4);
  at.counts = module.tally().open(b, at.context());
  JoinEmitter join(module, at, node.stream, node.stage);
  auto give_row = [&](const GivenRow& row) {
    llvm::BasicBlock* left = at.block("left");
    llvm::BasicBlock* right = at.block("right");
    llvm::BasicBlock* next_row = at.block("next");
    Value side = row.field(0, module.program().types->scalar(Kind::I32));
    b.CreateCondBr(b.CreateICmpEQ(side.part(), b.getInt32(static_cast<uint32_t>(JoinSide::Left))), left,
                   right);
    b.SetInsertPoint(left);
    Value whole_left = row.field(1, join.stage_.input);
    Fields of_left = join.fields_of(whole_left);
    if (state::is_asof(node.desc.join.kind)) {
      at.handler = {at.block("failed"), at.temporary(4)};
      llvm::BasicBlock* failed = at.handler.block;
      join.partners_ = at.temporary(sizeof(MutPartners));
      b.CreateCall(
          module.helper("mut_join_candidates", b.getVoidTy(), {pointer, b.getInt32Ty(), word, pointer}),
          {at.context(), b.getInt32(static_cast<uint32_t>(store)), row.index, join.partners_});
      join.give_newest(of_left, node.desc.join.kind == state::JoinKind::LeftAsof ? Otherwise::LeftAlone
                                                                                 : Otherwise::Nothing);
      b.CreateBr(next_row);
      b.SetInsertPoint(failed);
      if (llvm::pred_empty(failed)) {
        b.CreateUnreachable();
      } else {
        module.emit_failure(at, graph::error_site(module.graph(), node.stream, node.stage), node.stream,
                            node.stage, of_left, join.stage_.input);
        b.CreateBr(next_row);
      }
    } else {
      join.give(&of_left, nullptr);
      b.CreateBr(next_row);
    }
    b.SetInsertPoint(right);
    if (state::gives_unmatched(node.desc.join.kind, JoinSide::Right)) {
      Value of_right = row.field(2, join.join_.right_type);
      join.give(nullptr, &of_right);
    }
    b.CreateBr(next_row);
    b.SetInsertPoint(next_row);
  };
  module.for_each_result(at, node.desc, {function->getArg(1), function->getArg(2), function->getArg(3)},
                         give_row);
  module.tally().close(b, at.context(), at.counts);
  b.CreateRetVoid();
}

}  // namespace mut::codegen
