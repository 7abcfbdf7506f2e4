#include "compiler/jit/function_key.h"

#include <llvm/ADT/DenseMap.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/Function.h>
#include <llvm/IR/GlobalVariable.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/Metadata.h>

namespace mut::jit {
namespace {

// Values and lists of attributes are written in full where they are first met, then by their number.
class KeyWriter {
 public:
  explicit KeyWriter(const llvm::Function& function) : function_(function) {
    unsigned instructions = function.getInstructionCount();
    constexpr unsigned of_an_instruction = 32;  // bytes, more than most take
    out_.reserve(instructions * of_an_instruction);
    values_.reserve(instructions * 2);
  }

  std::optional<std::string> write() {
    text(function_.getName());
    type(function_.getFunctionType());
    attributes(function_.getAttributes());
    number(function_.getCallingConv());
    if (function_.hasPersonalityFn() || function_.hasPrefixData() || function_.hasPrologueData() ||
        function_.hasGC() || function_.hasSection() || function_.hasComdat())
      return std::nullopt;
    number(function_.getAlign() ? function_.getAlign()->value() : 0);
    for (const llvm::Argument& argument : function_.args()) name(argument);
    for (const llvm::BasicBlock& block : function_) {
      name(block);
      for (const llvm::Instruction& instruction : block) name(instruction);
    }
    for (const llvm::BasicBlock& block : function_) {
      number(block.size());
      for (const llvm::Instruction& instruction : block) {
        write(instruction);
        if (!known_) return std::nullopt;
      }
    }
    return std::move(out_);
  }

 private:
  static constexpr uint64_t long_number = 0xff;  // eight bytes follow

  void number(uint64_t value) {
    // Small ones are nearly all there are.
    if (value < long_number) {
      out_.push_back(static_cast<char>(value));
      return;
    }
    out_.push_back(static_cast<char>(long_number));
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void text(llvm::StringRef value) {
    number(value.size());
    out_.append(value.data(), value.size());
  }
  void name(const llvm::Value& value) { values_.try_emplace(&value, static_cast<uint32_t>(values_.size())); }

  void type(const llvm::Type* of) {
    number(of->getTypeID());
    if (const auto* integer = llvm::dyn_cast<llvm::IntegerType>(of)) {
      number(integer->getBitWidth());
      return;
    }
    if (of->isPointerTy()) {
      number(of->getPointerAddressSpace());
      return;
    }
    if (of->isVoidTy() || of->isFloatTy() || of->isDoubleTy()) return;
    if (const auto* array = llvm::dyn_cast<llvm::ArrayType>(of)) {
      number(array->getNumElements());
    } else if (const auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(of)) {
      number(vector->getNumElements());
    } else if (const auto* record = llvm::dyn_cast<llvm::StructType>(of)) {
      number(record->isPacked() ? 1 : 0);
    } else if (const auto* function = llvm::dyn_cast<llvm::FunctionType>(of)) {
      number(function->isVarArg() ? 1 : 0);
    } else {
      known_ = false;
    }
    number(of->getNumContainedTypes());
    for (const llvm::Type* part : of->subtypes()) type(part);
  }

  void attributes(llvm::AttributeList list) {
    auto [entry, fresh] =
        attributes_.try_emplace(list.getRawPointer(), static_cast<uint32_t>(attributes_.size()));
    number(entry->second);
    if (!fresh) return;
    number(list.getNumAttrSets());
    for (unsigned i : list.indexes()) {
      llvm::AttributeSet set = list.getAttributes(i);
      number(set.getNumAttributes());
      for (llvm::Attribute attribute : set) {
        if (attribute.isStringAttribute()) {
          number(0);
          text(attribute.getKindAsString());
          text(attribute.getValueAsString());
          continue;
        }
        number(1);
        number(attribute.getKindAsEnum());
        if (attribute.isIntAttribute()) {
          number(attribute.getValueAsInt());
        } else if (!attribute.isEnumAttribute()) {
          known_ = false;
        }
      }
    }
  }

  void constant(const llvm::Constant& value) {
    number(value.getValueID());
    type(value.getType());
    if (const auto* integer = llvm::dyn_cast<llvm::ConstantInt>(&value)) {
      for (unsigned i = 0; i < integer->getValue().getNumWords(); ++i)
        number(integer->getValue().getRawData()[i]);
    } else if (const auto* real = llvm::dyn_cast<llvm::ConstantFP>(&value)) {
      number(real->getValueAPF().bitcastToAPInt().getZExtValue());
    } else if (const auto* data = llvm::dyn_cast<llvm::ConstantDataSequential>(&value)) {
      text(data->getRawDataValues());
    } else if (llvm::isa<llvm::ConstantAggregate>(value)) {
      for (const llvm::Use& part : value.operands()) operand(*part);
    } else if (const auto* function = llvm::dyn_cast<llvm::Function>(&value)) {
      text(function->getName());
      type(function->getFunctionType());
      attributes(function->getAttributes());
    } else if (const auto* global = llvm::dyn_cast<llvm::GlobalVariable>(&value)) {
      global_variable(*global);
    } else if (!llvm::isa<llvm::ConstantPointerNull, llvm::ConstantAggregateZero, llvm::UndefValue>(value)) {
      known_ = false;
    }
  }

  // What it holds, and not its name, which other functions of the module have a part in.
  void global_variable(const llvm::GlobalVariable& global) {
    known_ = known_ && global.isConstant() && global.hasPrivateLinkage() && !global.isThreadLocal() &&
             !global.hasSection() && global.hasInitializer();
    if (!known_) return;
    number(static_cast<uint64_t>(global.getUnnamedAddr()));
    number(global.getAlign() ? global.getAlign()->value() : 0);
    operand(*global.getInitializer());
  }

  void operand(const llvm::Value& value) {
    // Numbers are as short as a reference, and need no looking up.
    if (const auto* integer = llvm::dyn_cast<llvm::ConstantInt>(&value);
        integer && integer->getBitWidth() <= 64) {
      number(0);
      number(integer->getBitWidth());
      number(integer->getZExtValue());
      return;
    }
    auto [entry, fresh] = values_.try_emplace(&value, static_cast<uint32_t>(values_.size()));
    number(1 + uint64_t{entry->second});
    if (!fresh) return;
    if (const auto* fixed = llvm::dyn_cast<llvm::Constant>(&value)) {
      constant(*fixed);
    } else {
      known_ = false;
    }
  }

  void metadata(const llvm::MDNode& node) {
    number(node.getNumOperands());
    for (const llvm::MDOperand& part : node.operands()) {
      if (const auto* string = llvm::dyn_cast_or_null<llvm::MDString>(part.get())) {
        text(string->getString());
      } else if (const auto* value = llvm::dyn_cast_or_null<llvm::ConstantAsMetadata>(part.get())) {
        operand(*value->getValue());
      } else {
        known_ = false;
      }
    }
  }

  void write(const llvm::Instruction& of) {
    number(of.getOpcode());
    number(of.getRawSubclassOptionalData());
    type(of.getType());
    number(of.getNumOperands());
    for (const llvm::Use& use : of.operands()) operand(*use);
    if (of.getDebugLoc()) known_ = false;
    if (of.hasMetadataOtherThanDebugLoc()) {
      llvm::SmallVector<std::pair<unsigned, llvm::MDNode*>, 4> all;
      of.getAllMetadataOtherThanDebugLoc(all);
      for (const auto& [kind, node] : all) {
        number(kind);
        metadata(*node);
      }
    }
    particulars(of);
  }

  // What is neither an operand nor a flag. An instruction of another kind is not known.
  void particulars(const llvm::Instruction& of) {
    if (const auto* load = llvm::dyn_cast<llvm::LoadInst>(&of)) {
      known_ = known_ && load->isSimple();
      number(load->getAlign().value());
    } else if (const auto* store = llvm::dyn_cast<llvm::StoreInst>(&of)) {
      known_ = known_ && store->isSimple();
      number(store->getAlign().value());
    } else if (const auto* slot = llvm::dyn_cast<llvm::AllocaInst>(&of)) {
      known_ = known_ && !slot->isUsedWithInAlloca() && !slot->isSwiftError();
      type(slot->getAllocatedType());
      number(slot->getAlign().value());
    } else if (const auto* place = llvm::dyn_cast<llvm::GetElementPtrInst>(&of)) {
      type(place->getSourceElementType());
    } else if (const auto* compare = llvm::dyn_cast<llvm::CmpInst>(&of)) {
      number(compare->getPredicate());
    } else if (const auto* phi = llvm::dyn_cast<llvm::PHINode>(&of)) {
      for (const llvm::BasicBlock* block : phi->blocks()) operand(*block);
    } else if (const auto* part = llvm::dyn_cast<llvm::ExtractValueInst>(&of)) {
      for (unsigned index : part->indices()) number(index);
    } else if (const auto* with = llvm::dyn_cast<llvm::InsertValueInst>(&of)) {
      for (unsigned index : with->indices()) number(index);
    } else if (const auto* call = llvm::dyn_cast<llvm::CallInst>(&of)) {
      known_ = known_ && !call->hasOperandBundles() && !call->isInlineAsm();
      type(call->getFunctionType());
      attributes(call->getAttributes());
      number(call->getCallingConv());
      number(call->getTailCallKind());
    } else if (!llvm::isa<llvm::BranchInst, llvm::ReturnInst, llvm::BinaryOperator, llvm::UnaryOperator,
                          llvm::CastInst, llvm::SelectInst, llvm::SwitchInst, llvm::UnreachableInst,
                          llvm::FreezeInst>(of)) {
      known_ = false;
    }
  }

  const llvm::Function& function_;
  std::string out_;
  bool known_ = true;
  llvm::DenseMap<const void*, uint32_t> values_;
  llvm::SmallDenseMap<const void*, uint32_t, 8> attributes_;
};

}  // namespace

std::optional<std::string> function_key(const llvm::Function& function) {
  return KeyWriter(function).write();
}

}  // namespace mut::jit
