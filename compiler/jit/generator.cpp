#include "compiler/jit/generator.h"

#include <llvm/IR/Module.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/TargetParser/Host.h>

namespace mut::jit {
namespace {

Error no_code() { return Error{"LLVM cannot write code for this machine"}; }

}  // namespace

void initialise_targets() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
  });
}

Result<Object> Generator::object(llvm::Module& module, Sections sections) {
  machine_->Options.FunctionSections = sections == Sections::OfFunctions;
  if (!passes_) {
    passes_ = std::make_unique<llvm::legacy::PassManager>();
    if (machine_->addPassesToEmitFile(*passes_, stream_, nullptr, llvm::CodeGenFileType::ObjectFile)) {
      passes_.reset();
      return no_code();
    }
  }
  bytes_.clear();
  passes_->run(module);
  return bytes_;
}

Result<Object> Generator::assembly(llvm::Module& module) const {
  Object bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  if (machine_->addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::AssemblyFile))
    return no_code();
  passes.run(module);
  return bytes;
}

std::unique_ptr<Generator> make_generator(Tier tier) {
  initialise_targets();
  std::string problem;
  std::string triple = llvm::sys::getProcessTriple();
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, problem);
  if (target == nullptr) return nullptr;
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  std::string features;
  for (const auto& feature : llvm::sys::getHostCPUFeatures()) {
    features +=
        (features.empty() ? "" : ",") + std::string(feature.second ? "+" : "-") + feature.first().str();
  }
  auto level = tier == Tier::Quick ? llvm::CodeGenOptLevel::None : llvm::CodeGenOptLevel::Default;
  auto machine = std::unique_ptr<llvm::TargetMachine>(
      target->createTargetMachine(triple, llvm::sys::getHostCPUName(), features, options, llvm::Reloc::PIC_,
                                  llvm::CodeModel::Small, level, true));
  if (!machine) return nullptr;
  if (tier == Tier::Quick) machine->setFastISel(true);
  return std::make_unique<Generator>(std::move(machine));
}

Generators::Lent::~Lent() {
  if (!generator_) return;
  std::lock_guard lock(from_.mutex_);
  from_.of(tier_).push_back(std::move(generator_));
}

Generators::Lent Generators::lend(Tier tier) {
  std::unique_ptr<Generator> generator;
  {
    std::lock_guard lock(mutex_);
    auto& idle = of(tier);
    if (!idle.empty()) {
      generator = std::move(idle.back());
      idle.pop_back();
    }
  }
  if (!generator) generator = make_generator(tier);
  return {*this, tier, std::move(generator)};
}

}  // namespace mut::jit
