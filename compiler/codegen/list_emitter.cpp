// Functions that look at each element of a list: loops in the kernel, results in the arena of the batch.
#include "compiler/codegen/function_emitter.h"
#include "compiler/codegen/module_emitter.h"

namespace mut::codegen {

using typed::Expr;
using typed::ExprKind;

llvm::Value* FunctionEmitter::element_at(const abi::TypeDesc& layout, llvm::Value* data, llvm::Value* index) {
  return builder_.CreateGEP(builder_.getInt8Ty(), data,
                            builder_.CreateMul(index, builder_.getInt64(layout.size)));
}

llvm::Value* FunctionEmitter::list_memory(const abi::TypeDesc& layout, llvm::Value* count) {
  return builder_.CreateCall(
      module_.helper("mut_arena", builder_.getPtrTy(), {builder_.getPtrTy(), builder_.getInt64Ty()}),
      {context_, builder_.CreateMul(count, builder_.getInt64(layout.size))});
}

// Runs `body` for each element, which is bound to `local`. `carried` goes round the loop: the body gets what
// it was and says what it is next. Behind the loop it is what it was last.
std::vector<llvm::Value*> FunctionEmitter::for_each_element(
    const Value& list, int local, std::vector<llvm::Value*> carried,
    const std::function<std::vector<llvm::Value*>(llvm::Value* index, const Value& element,
                                                  const std::vector<llvm::Value*>& carried)>& body,
    const std::function<llvm::Value*(const std::vector<llvm::Value*>& carried)>& ends) {
  const abi::TypeDesc& layout = module_.layout(list.type->element);
  llvm::BasicBlock* before = builder_.GetInsertBlock();
  llvm::BasicBlock* head = block("each");
  llvm::BasicBlock* inside = block("element");
  llvm::BasicBlock* end = block("end");
  builder_.CreateBr(head);
  builder_.SetInsertPoint(head);
  llvm::PHINode* index = builder_.CreatePHI(builder_.getInt64Ty(), 2);
  index->addIncoming(builder_.getInt64(0), before);
  std::vector<llvm::PHINode*> phis;
  std::vector<llvm::Value*> now;
  for (llvm::Value* value : carried) {
    phis.push_back(builder_.CreatePHI(value->getType(), 2));
    phis.back()->addIncoming(value, before);
    now.push_back(phis.back());
  }
  llvm::Value* more = builder_.CreateICmpULT(index, list.parts[0]);
  if (ends) more = builder_.CreateAnd(more, builder_.CreateNot(ends(now)));
  builder_.CreateCondBr(more, inside, end);
  builder_.SetInsertPoint(inside);
  Value element = load(builder_, list.type->element, layout, element_at(layout, list.parts[1], index));
  bind(local, element);
  std::vector<llvm::Value*> next = body(index, element, now);
  llvm::BasicBlock* last = builder_.GetInsertBlock();
  index->addIncoming(builder_.CreateAdd(index, builder_.getInt64(1)), last);
  for (size_t i = 0; i < phis.size(); ++i) phis[i]->addIncoming(next[i], last);
  builder_.CreateBr(head);
  builder_.SetInsertPoint(end);
  return now;
}

Value FunctionEmitter::emit_each(const Expr& expr) {
  Value list = emit(*expr.args[0]);
  switch (expr.kind) {
    case ExprKind::MapList: {
      const abi::TypeDesc& layout = module_.layout(expr.type->element);
      llvm::Value* memory = list_memory(layout, list.parts[0]);
      for_each_element(list, expr.index, {},
                       [&](llvm::Value* index, const Value&, const std::vector<llvm::Value*>&) {
                         store(builder_, emit(*expr.args[1]), layout, element_at(layout, memory, index));
                         return std::vector<llvm::Value*>();
                       });
      return {expr.type, {list.parts[0], memory}};
    }
    case ExprKind::FilterList: {
      const abi::TypeDesc& layout = module_.layout(expr.type->element);
      llvm::Value* memory = list_memory(layout, list.parts[0]);
      auto count =
          for_each_element(list, expr.index, {builder_.getInt64(0)},
                           [&](llvm::Value*, const Value& element, const std::vector<llvm::Value*>& kept) {
                             llvm::Value* keep = emit_condition(*expr.args[1]);
                             // Written in any case; the next one goes over it when this one is not kept.
                             store(builder_, element, layout, element_at(layout, memory, kept[0]));
                             return std::vector<llvm::Value*>{builder_.CreateAdd(
                                 kept[0], builder_.CreateZExt(keep, builder_.getInt64Ty()))};
                           });
      return {expr.type, {count[0], memory}};
    }
    case ExprKind::AnyOf:
    case ExprKind::AllOf: {
      bool wanted = expr.kind == ExprKind::AnyOf;
      auto found = for_each_element(
          list, expr.index, {builder_.getFalse()},
          [&](llvm::Value*, const Value&, const std::vector<llvm::Value*>&) {
            llvm::Value* holds = emit_condition(*expr.args[1]);
            return std::vector<llvm::Value*>{wanted ? holds : builder_.CreateNot(holds)};
          },
          [](const std::vector<llvm::Value*>& carried) { return carried[0]; });
      return {expr.type, {wanted ? found[0] : builder_.CreateNot(found[0])}};
    }
    default: {  // Reduce
      Value first = emit(*expr.args[1]);
      auto last = for_each_element(list, expr.index, first.parts,
                                   [&](llvm::Value*, const Value&, const std::vector<llvm::Value*>& before) {
                                     bind(expr.index + 1, {expr.type, before});
                                     return emit(*expr.args[2]).parts;
                                   });
      return {expr.type, last};
    }
  }
}

Value FunctionEmitter::emit_zip(const Expr& expr) {
  std::vector<Value> lists;
  for (size_t i = 0; i + 1 < expr.args.size(); ++i) lists.push_back(emit(*expr.args[i]));
  const abi::TypeDesc& layout = module_.layout(expr.type->element);
  llvm::Value* memory = list_memory(layout, lists[0].parts[0]);
  for_each_element(lists[0], expr.index, {},
                   [&](llvm::Value* index, const Value&, const std::vector<llvm::Value*>&) {
                     for (size_t i = 1; i < lists.size(); ++i) {
                       typed::TypeRef element = lists[i].type->element;
                       const abi::TypeDesc& each = module_.layout(element);
                       bind(expr.index + static_cast<int>(i),
                            load(builder_, element, each, element_at(each, lists[i].parts[1], index)));
                     }
                     store(builder_, emit(*expr.args.back()), layout, element_at(layout, memory, index));
                     return std::vector<llvm::Value*>();
                   });
  return {expr.type, {lists[0].parts[0], memory}};
}

}  // namespace mut::codegen
