#include "compiler/jit/passes.h"

#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/PassInstrumentation.h>
#include <llvm/Linker/Linker.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Transforms/IPO/GlobalDCE.h>
#include <llvm/Transforms/IPO/Internalize.h>
#include <llvm/Transforms/Instrumentation/AddressSanitizer.h>
#include <llvm/Transforms/Instrumentation/BoundsChecking.h>
#include <llvm/Transforms/Instrumentation/ThreadSanitizer.h>

#include "compiler/jit/symbols.h"

namespace mut::jit {

Status link_helpers(llvm::Module& module) {
  llvm::StringRef bytes(inline_bitcode().data(), inline_bitcode().size());
  auto helpers = llvm::parseBitcodeFile(llvm::MemoryBufferRef(bytes, "inline"), module.getContext());
  if (!helpers) return Error{llvm::toString(helpers.takeError())};
  for (llvm::Function& function : **helpers) {
    // Built for any machine; here they may use what this one has.
    function.removeFnAttr("target-cpu");
    function.removeFnAttr("target-features");
    function.removeFnAttr("tune-cpu");
    function.removeFnAttr("stack-protector-buffer-size");
  }
  (*helpers)->setDataLayout(module.getDataLayout());
  (*helpers)->setTargetTriple(module.getTargetTriple());
  if (llvm::Linker::linkModules(module, std::move(*helpers), llvm::Linker::LinkOnlyNeeded))
    return Error{"helpers do not link"};
  llvm::internalizeModule(module, [](const llvm::GlobalValue& value) {
    llvm::StringRef name = value.getName();
    return name.starts_with("source_") || name.starts_with("times_") || name.starts_with("results_") ||
           name.starts_with("condition_");
  });
  return Unit{};
}

void run_passes(llvm::Module& module, llvm::TargetMachine& machine, Tier tier, const GoesOn& goes_on) {
#if !defined(MUT_SANITIZE_ADDRESS) && !defined(MUT_SANITIZE_THREAD)
  if (tier == Tier::Quick) return;
#endif
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager calls;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = true;
  tuning.SLPVectorization = false;
  llvm::PassInstrumentationCallbacks callbacks;
  if (goes_on)
    callbacks.registerShouldRunOptionalPassCallback([&](llvm::StringRef, llvm::Any) { return goes_on(); });
  llvm::PassBuilder builder(&machine, tuning, std::nullopt, &callbacks);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(calls);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, calls, modules);
  llvm::ModulePassManager passes;
  if (tier == Tier::Optimised) passes = builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2);
#if defined(MUT_SANITIZE_ADDRESS)
  for (llvm::Function& function : module) {
    if (!function.isDeclaration()) function.addFnAttr(llvm::Attribute::SanitizeAddress);
  }
  // Accesses whose object is known, the context's arrays on the stack among them: a trap, as UBSan knows no
  // IR.
  passes.addPass(llvm::createModuleToFunctionPassAdaptor(llvm::BoundsCheckingPass()));
  passes.addPass(llvm::AddressSanitizerPass(llvm::AddressSanitizerOptions()));
#elif defined(MUT_SANITIZE_THREAD)
  for (llvm::Function& function : module) {
    if (!function.isDeclaration()) function.addFnAttr(llvm::Attribute::SanitizeThread);
  }
  passes.addPass(llvm::ModuleThreadSanitizerPass());
  passes.addPass(llvm::createModuleToFunctionPassAdaptor(llvm::ThreadSanitizerPass()));
#endif
  passes.run(module, modules);
}

}  // namespace mut::jit
