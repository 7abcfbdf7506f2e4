#include "compiler/jit/jit.h"

#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/OptBisect.h>
#include <llvm/IR/PassInstrumentation.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Linker/Linker.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/SmallVectorMemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/Transforms/IPO/GlobalDCE.h>
#include <llvm/Transforms/IPO/Internalize.h>
#include <llvm/Transforms/Instrumentation/AddressSanitizer.h>
#include <llvm/Transforms/Instrumentation/BoundsChecking.h>
#include <llvm/Transforms/Instrumentation/ThreadSanitizer.h>

#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>

#include "compiler/jit/object_cache.h"
#include "compiler/jit/symbols.h"

namespace mut::jit {
namespace {

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// LLVM keeps its table of targets in globals of its own; filled once.
void initialise_targets() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
  });
}

// A target machine, and the passes of its code generator for as long as it lives: LLVM takes a fifth of the
// time of a small module to put them together. That they run again is what llc's `-compile-twice` tests.
class Generator {
 public:
  explicit Generator(std::unique_ptr<llvm::TargetMachine> machine) : machine_(std::move(machine)) {}

  llvm::TargetMachine& machine() const { return *machine_; }

  Result<Object> object(llvm::Module& module) {
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

  Result<Object> assembly(llvm::Module& module) const {
    Object bytes;
    llvm::raw_svector_ostream stream(bytes);
    llvm::legacy::PassManager passes;
    if (machine_->addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::AssemblyFile))
      return no_code();
    passes.run(module);
    return bytes;
  }

 private:
  static Error no_code() { return Error{"LLVM cannot write code for this machine"}; }

  std::unique_ptr<llvm::TargetMachine> machine_;
  Object bytes_;
  llvm::raw_svector_ostream stream_{bytes_};
  std::unique_ptr<llvm::legacy::PassManager> passes_;  // made at first use; write into `stream_`
};

// Null: LLVM does not know this machine.
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

// Brings in the bodies of the helpers that the module calls, for the inliner.
bool link_helpers(llvm::Module& module, std::string& problem) {
  llvm::StringRef bytes(inline_bitcode().data(), inline_bitcode().size());
  auto helpers = llvm::parseBitcodeFile(llvm::MemoryBufferRef(bytes, "inline"), module.getContext());
  if (!helpers) {
    problem = llvm::toString(helpers.takeError());
    return false;
  }
  for (llvm::Function& function : **helpers) {
    // Built for any machine; here they may use what this one has.
    function.removeFnAttr("target-cpu");
    function.removeFnAttr("target-features");
    function.removeFnAttr("tune-cpu");
    function.removeFnAttr("stack-protector-buffer-size");
  }
  (*helpers)->setDataLayout(module.getDataLayout());
  (*helpers)->setTargetTriple(module.getTargetTriple());
  if (llvm::Linker::linkModules(module, std::move(*helpers), llvm::Linker::LinkOnlyNeeded)) {
    problem = "helpers do not link";
    return false;
  }
  llvm::internalizeModule(module, [](const llvm::GlobalValue& value) {
    llvm::StringRef name = value.getName();
    return name.starts_with("source_") || name.starts_with("times_") || name.starts_with("results_") ||
           name.starts_with("condition_");
  });
  return true;
}

// Asks before each pass that LLVM can do without, those of the code generator among them.
class Gate final : public llvm::OptPassGate {
 public:
  explicit Gate(const GoesOn& goes_on) : goes_on_(goes_on) {}
  bool shouldRunPass(const llvm::StringRef, llvm::StringRef) override { return goes_on_(); }
  bool isEnabled() const override { return true; }

 private:
  const GoesOn& goes_on_;
};

void run_passes(llvm::Module& module, llvm::TargetMachine& machine, Tier tier, const GoesOn& goes_on) {
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
#else
  if (tier == Tier::Quick) return;
#endif
  passes.run(module, modules);
}

// To make one takes LLVM half a millisecond, a tenth of what a small edit costs: they are kept.
// Threads: any; a generator is lent to one compilation at a time.
class Generators {
 public:
  std::unique_ptr<Generator> take(Tier tier) {
    std::lock_guard lock(mutex_);
    auto& idle = of(tier);
    if (idle.empty()) return make_generator(tier);
    auto out = std::move(idle.back());
    idle.pop_back();
    return out;
  }
  void give_back(Tier tier, std::unique_ptr<Generator> generator) {
    std::lock_guard lock(mutex_);
    of(tier).push_back(std::move(generator));
  }

 private:
  std::vector<std::unique_ptr<Generator>>& of(Tier tier) { return idle_[static_cast<size_t>(tier)]; }

  std::mutex mutex_;
  std::array<std::vector<std::unique_ptr<Generator>>, 2> idle_;
};

struct Built {
  codegen::EmittedModule emitted;
  std::unique_ptr<Generator> generator;
};

// The module as it is emitted, for that machine.
Result<Built> emit(const graph::Graph& graph, Tier tier, codegen::Literals literals,
                   std::unique_ptr<Generator> generator, CompileTimes& times) {
  int64_t begin = now_ns();
  bool notes = times.notes != Notes::None;
  if (!generator) return Error{"LLVM does not know this machine"};
  auto rows = tier == Tier::Quick ? codegen::SourceRows::OneByOne : codegen::SourceRows::InBlocks;
  auto places = notes ? codegen::Places::With : codegen::Places::Without;
  Built out{codegen::emit(graph, literals, rows, places), std::move(generator)};
  llvm::Module& module = *out.emitted.module;
  module.setDataLayout(out.generator->machine().createDataLayout());
  module.setTargetTriple(out.generator->machine().getTargetTriple().str());
  if (notes) mark_state_calls(module);
  times.emit_ns = now_ns() - begin;
  return out;
}

const Error not_wanted{"it is not wanted any more"};

// What is not valid is our bug: the edit is refused, and the program that runs goes on.
Status verify(const llvm::Module& module) {
  std::string problem;
  llvm::raw_string_ostream stream(problem);
  if (!llvm::verifyModule(module, &stream)) return Unit{};
  return Error{"the generated code is not valid: " + problem};
}

Status improve(Built& built, Tier tier, const GoesOn& goes_on, CompileTimes& times) {
  int64_t begin = now_ns();
  Status valid = verify(*built.emitted.module);
  if (!valid) return valid;
  if (tier == Tier::Optimised) {
    std::string problem;
    if (!link_helpers(*built.emitted.module, problem)) return Error{problem};
  }
  run_passes(*built.emitted.module, built.generator->machine(), tier, goes_on);
  if (goes_on && !goes_on()) return not_wanted;
  if (times.notes == Notes::PlacesAndCalls) tell_where(*built.emitted.module);
  times.passes_ns = now_ns() - begin;
  return Unit{};
}

Result<Built> build(const graph::Graph& graph, Tier tier, Notes notes = Notes::None) {
  CompileTimes times;
  times.notes = notes;
  auto built = emit(graph, tier, codegen::Literals::Table, make_generator(tier), times);
  if (!built) return built.error();
  Status improved = improve(built.value(), tier, nullptr, times);
  if (!improved) return improved.error();
  return built;
}

}  // namespace

struct Jit::State {
  explicit State(const std::string& object_folder) : on_disk(object_folder) {}

  // From the disk or made.
  Result<Object> object(const graph::Graph& graph, Tier tier, codegen::Literals literals, Reuse reuse,
                        const GoesOn& goes_on, CompileTimes& times);

  std::unique_ptr<llvm::orc::LLJIT> jit;
  llvm::orc::JITDylib* runtime = nullptr;
  std::mutex mutex;
  std::string problems;  // of the session's error reporter
  std::atomic<size_t> live{0};
  LoadedCode loaded;
  std::map<std::string, Object> objects;  // by tier and shape
  ObjectCache on_disk;
  uint64_t next = 0;
  Generators generators;
};

Jit::Jit(const std::string& object_folder) : state_(std::make_shared<State>(object_folder)) {
  initialise_targets();
  auto made = llvm::orc::LLJITBuilder().create();
  if (!made) {
    state_->problems = llvm::toString(made.takeError());
    return;
  }
  state_->jit = std::move(*made);
  llvm::orc::ExecutionSession& session = state_->jit->getExecutionSession();
  session.setErrorReporter([state = state_.get()](llvm::Error error) {
    state->problems += llvm::toString(std::move(error)) + "; ";
  });
  state_->runtime = &session.createBareJITDylib("runtime");
  llvm::orc::SymbolMap symbols;
  for (const auto& [name, address] : kernel_symbols()) {
    symbols[state_->jit->mangleAndIntern(name)] = {llvm::orc::ExecutorAddr::fromPtr(address),
                                                   llvm::JITSymbolFlags::Exported};
  }
  llvm::cantFail(state_->runtime->define(llvm::orc::absoluteSymbols(std::move(symbols))));
#if defined(MUT_SANITIZE_ADDRESS) || defined(MUT_SANITIZE_THREAD)
  // The sanitizer's own functions.
  auto process = llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
      state_->jit->getDataLayout().getGlobalPrefix());
  if (process) state_->runtime->addGenerator(std::move(*process));
#endif
}

Jit::~Jit() = default;

const std::string& Jit::folder_problem() const { return state_->on_disk.problem(); }

size_t Jit::live_dylibs() const { return state_->live.load(); }

LoadedCode& Jit::loaded() { return state_->loaded; }

Result<Object> Jit::State::object(const graph::Graph& graph, Tier tier, codegen::Literals literals,
                                  Reuse reuse, const GoesOn& asked, CompileTimes& times) {
  // Who has said no once is not asked again: a pass has been left out.
  bool stopped = false;
  GoesOn goes_on;
  if (asked) {
    goes_on = [&] {
      stopped = stopped || !asked();
      return !stopped;
    };
  }
  auto emitted = emit(graph, tier, literals, generators.take(tier), times);
  if (!emitted) return emitted.error();
  Built& built = emitted.value();
  bool looks = reuse == Reuse::OnDisk && on_disk.keeps() && times.notes != Notes::PlacesAndCalls;
  std::string key;
  if (looks) {
    key =
        ObjectCache::key(*built.emitted.module, built.generator->machine(), tier == Tier::Quick ? 'q' : 'o');
    if (auto known = on_disk.find(key)) {
      generators.give_back(tier, std::move(built.generator));
      return std::move(*known);
    }
  }
  Status improved = improve(built, tier, goes_on, times);
  if (!improved) {
    generators.give_back(tier, std::move(built.generator));
    return improved.error();
  }
  int64_t begin = now_ns();
  Gate gate(goes_on);
  if (goes_on) built.emitted.module->getContext().setOptPassGate(gate);
  auto made = built.generator->object(*built.emitted.module);
  generators.give_back(tier, std::move(built.generator));
  if (!made) return made;
  if (goes_on && !goes_on()) return not_wanted;
  times.code_ns = now_ns() - begin;
  times.compiled = true;
  if (looks) on_disk.keep(key, made.value());
  return made;
}

Result<runtime::Kernels> Jit::compile(const graph::Graph& graph, Tier tier, codegen::Literals literals,
                                      Reuse reuse, CompileTimes* times_out, const GoesOn& goes_on,
                                      Notes notes) {
  if (!state_->jit) return Error{"the compiler could not start: " + state_->problems};
  CompileTimes times;
  times.notes = notes;
  // Code with literals compiled in is good for those values only and is not kept by its shape.
  bool kept = literals == codegen::Literals::Table;
  std::string key =
      (tier == Tier::Quick ? "q" : "o") + std::to_string(static_cast<int>(times.notes)) + graph.shape;
  Object bytes;
  if (kept) {
    std::lock_guard lock(state_->mutex);
    if (auto known = state_->objects.find(key); known != state_->objects.end()) bytes = known->second;
  }
  if (bytes.empty()) {
    auto made = state_->object(graph, tier, literals, reuse, goes_on, times);
    if (!made) return made.error();
    bytes = std::move(made).value();
  }
  times.object_bytes = bytes.size();
  int64_t begin = now_ns();

  std::lock_guard lock(state_->mutex);
  if (kept) {
    // Room for the versions that someone may go back to, not for ever.
    constexpr size_t objects_max = 64;
    if (state_->objects.size() >= objects_max) state_->objects.erase(state_->objects.begin());
    state_->objects[key] = bytes;
  }
  state_->problems.clear();
  llvm::orc::ExecutionSession& session = state_->jit->getExecutionSession();
  llvm::orc::JITDylib& dylib = session.createBareJITDylib("v" + std::to_string(++state_->next));
  dylib.setLinkOrder({{&dylib, llvm::orc::JITDylibLookupFlags::MatchAllSymbols},
                      {state_->runtime, llvm::orc::JITDylibLookupFlags::MatchAllSymbols}},
                     false);
  state_->live.fetch_add(1);
  auto failed = [&](llvm::Error error) {
    return Error{llvm::toString(std::move(error)) + "; " + state_->problems};
  };
  std::optional<Error> problem;
  runtime::Kernels kernels;
  Object noted;
  if (times.notes != Notes::None) noted = bytes;
  std::string first_name;
  void* first = nullptr;
  auto buffer = std::make_unique<llvm::SmallVectorMemoryBuffer>(std::move(bytes), "kernel", false);
  if (llvm::Error error = state_->jit->addObjectFile(dylib, std::move(buffer)))
    problem = failed(std::move(error));
  auto find = [&](const std::string& name) -> void* {
    if (problem) return nullptr;
    auto address = state_->jit->lookup(dylib, name);
    if (!address) {
      problem = failed(address.takeError());
      return nullptr;
    }
    if (first == nullptr) {
      first_name = name;
      first = address->toPtr<void*>();
    }
    return address->toPtr<void*>();
  };
  const typed::Program& program = *graph.program;
  for (size_t i = 0; i < program.sources.size(); ++i) {
    bool live = graph.live[static_cast<size_t>(program.sources[i].stream)] != 0;
    int index = static_cast<int>(i);
    kernels.sources.push_back(
        live ? reinterpret_cast<MutSourceKernel>(find(codegen::source_kernel_name(index))) : nullptr);
    bool times_needed = live && codegen::computes_times(program.sources[i]);
    kernels.times.push_back(times_needed ? reinterpret_cast<void (*)(MutContext*, const MutBatch*, uint8_t*)>(
                                               find(codegen::times_kernel_name(index)))
                                         : nullptr);
  }
  for (size_t i = 0; i < graph.stores.size(); ++i) {
    bool results = state::has_results(graph.stores[i].desc);
    kernels.results.push_back(
        results ? reinterpret_cast<MutResultKernel>(find(codegen::result_kernel_name(static_cast<int>(i))))
                : nullptr);
    bool asks = graph.stores[i].desc.pattern.looks_back != 0;
    kernels.conditions.push_back(
        asks ? reinterpret_cast<state::PatternCondition>(find(codegen::condition_name(static_cast<int>(i))))
             : nullptr);
  }
  if (!problem && times.notes != Notes::None) {
    uint64_t offset = 0;
    Result<CodeLines> lines = CodeLines{};  // a script of which nothing runs has no code
    if (first != nullptr) lines = read_code_lines({noted.data(), noted.size()}, first_name, offset);
    if (lines) {
      state_->loaded.add(&dylib, reinterpret_cast<uintptr_t>(first) - offset, std::move(lines).value(),
                         times.notes);
    } else {
      problem = lines.error();
    }
  }
  times.link_ns = now_ns() - begin;
  if (times_out != nullptr) *times_out = times;
  if (problem) {
    llvm::consumeError(session.removeJITDylib(dylib));
    state_->live.fetch_sub(1);
    return *problem;
  }
  // Gone with the last holder of the kernels: one version, one dylib, one lifetime.
  kernels.owner = std::shared_ptr<void>(static_cast<void*>(&dylib), [state = state_](void* gone) {
    std::lock_guard unlink(state->mutex);
    state->loaded.unlinked(gone);
    llvm::consumeError(
        state->jit->getExecutionSession().removeJITDylib(*static_cast<llvm::orc::JITDylib*>(gone)));
    state->jit->getExecutionSession().getSymbolStringPool()->clearDeadEntries();
    state->live.fetch_sub(1);
  });
  return kernels;
}

Result<std::string> print_ir(const graph::Graph& graph, Tier tier) {
  auto built = build(graph, tier);
  if (!built) return built.error();
  std::string out;
  llvm::raw_string_ostream stream(out);
  built.value().emitted.module->print(stream, nullptr);
  return out;
}

Result<std::string> print_assembly(const graph::Graph& graph, Tier tier, Notes notes) {
  auto built = build(graph, tier, notes);
  if (!built) return built.error();
  auto bytes = built.value().generator->assembly(*built.value().emitted.module);
  if (!bytes) return bytes.error();
  return std::string(bytes.value().data(), bytes.value().size());
}

}  // namespace mut::jit
