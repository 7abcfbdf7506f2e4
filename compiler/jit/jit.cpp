#include "compiler/jit/jit.h"

#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/SmallVectorMemoryBuffer.h>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>

#include "compiler/jit/function_key.h"
#include "compiler/jit/generator.h"
#include "compiler/jit/object_cache.h"
#include "compiler/jit/passes.h"
#include "compiler/jit/piece_linker.h"
#include "compiler/jit/piece_store.h"
#include "compiler/jit/symbols.h"

namespace mut::jit {
namespace {

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// The module as it is emitted, for that machine. `generator` may be null.
Result<codegen::EmittedModule> emit(const graph::Graph& graph, Tier tier, codegen::Literals literals,
                                    const Generator* generator, codegen::Names value_names,
                                    CompileTimes& times) {
  int64_t begin = now_ns();
  bool notes = times.notes != Notes::None;
  if (generator == nullptr) return Error{"LLVM does not know this machine"};
  auto rows = tier == Tier::Quick ? codegen::SourceRows::OneByOne : codegen::SourceRows::InBlocks;
  auto places = notes ? codegen::Places::With : codegen::Places::Without;
  codegen::EmittedModule out = codegen::emit(graph, literals, rows, places, value_names);
  out.module->setDataLayout(generator->machine().createDataLayout());
  out.module->setTargetTriple(generator->machine().getTargetTriple().str());
  if (notes) mark_state_calls(*out.module);
  times.emit_ns = now_ns() - begin;
  return out;
}

const Error not_wanted{"it is not wanted any more"};

// What is not valid is our bug: the edit is refused, and the program that runs goes on.
Error not_valid(const std::string& problem) { return Error{"the generated code is not valid: " + problem}; }

Status verify(const llvm::Module& module) {
  std::string problem;
  llvm::raw_string_ostream stream(problem);
  if (llvm::verifyModule(module, &stream)) return not_valid(problem);
  return Unit{};
}

// Those that have a body.
Status verify_functions(const llvm::Module& module) {
  std::string problem;
  llvm::raw_string_ostream stream(problem);
  for (const llvm::Function& function : module) {
    if (!function.isDeclaration() && llvm::verifyFunction(function, &stream)) return not_valid(problem);
  }
  return Unit{};
}

Status improve(llvm::Module& module, const Generator& generator, Tier tier, const GoesOn& goes_on,
               CompileTimes& times) {
  int64_t begin = now_ns();
  Status valid = verify(module);
  if (!valid) return valid;
  if (tier == Tier::Optimised) {
    Status linked = link_helpers(module);
    if (!linked) return linked;
  }
  run_passes(module, generator.machine(), tier, goes_on);
  if (goes_on && !goes_on()) return not_wanted;
  if (times.notes == Notes::PlacesAndCalls) tell_where(module);
  times.passes_ns = now_ns() - begin;
  return Unit{};
}

struct Built {
  codegen::EmittedModule emitted;
  std::unique_ptr<Generator> generator;
};

Result<Built> build(const graph::Graph& graph, Tier tier, Notes notes = Notes::None) {
  CompileTimes times;
  times.notes = notes;
  auto generator = make_generator(tier);
  auto emitted = emit(graph, tier, codegen::Literals::Table, generator.get(), codegen::Names::Kept, times);
  if (!emitted) return emitted.error();
  Status improved = improve(*emitted.value().module, *generator, tier, nullptr, times);
  if (!improved) return improved.error();
  return Built{std::move(emitted).value(), std::move(generator)};
}

// `find`: the address of a function by its name.
runtime::Kernels kernels_of(const graph::Graph& graph, const std::function<void*(const std::string&)>& find) {
  runtime::Kernels kernels;
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
  return kernels;
}

}  // namespace

struct Jit::State {
  explicit State(const std::string& object_folder) : on_disk(object_folder) {}

  // From the disk or made.
  Result<Object> object(const graph::Graph& graph, Tier tier, codegen::Literals literals, Reuse reuse,
                        const GoesOn& goes_on, CompileTimes& times);
  // All in one object, in a dylib of its own.
  Result<runtime::Kernels> compile_whole(const std::shared_ptr<State>& self, const graph::Graph& graph,
                                         Tier tier, codegen::Literals literals, Reuse reuse,
                                         const GoesOn& goes_on, CompileTimes& times);
  // Functions that are not known; from the disk or made. Those that are known are taken as they are.
  Result<std::vector<PieceRef>> pieces(const graph::Graph& graph, Reuse reuse, CompileTimes& times);
  // Quick code, put together of functions.
  Result<runtime::Kernels> compile_pieces(const std::shared_ptr<State>& self, const graph::Graph& graph,
                                          Reuse reuse, const GoesOn& goes_on, CompileTimes& times);

  std::unique_ptr<llvm::orc::LLJIT> jit;
  llvm::orc::JITDylib* runtime = nullptr;
  std::mutex mutex;
  std::string problems;  // of the session's error reporter
  std::atomic<size_t> live{0};
  LoadedCode loaded;
  std::map<std::string, Object> objects;  // by tier and shape
  PieceStore known;
  PieceLinker linker;
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
  Generators::Lent generator = generators.lend(tier);
  auto emitted = emit(graph, tier, literals, generator.get(), codegen::Names::Discarded, times);
  if (!emitted) return emitted.error();
  llvm::Module& module = *emitted.value().module;
  bool looks = reuse == Reuse::OnDisk && on_disk.keeps() && times.notes != Notes::PlacesAndCalls;
  std::string key;
  if (looks) {
    key = ObjectCache::key(module, generator.get()->machine(), tier == Tier::Quick ? 'q' : 'o');
    if (auto found = on_disk.find(key)) return std::move(*found);
  }
  Status improved = improve(module, *generator.get(), tier, goes_on, times);
  if (!improved) return improved.error();
  int64_t begin = now_ns();
  Gate gate(goes_on);
  if (goes_on) module.getContext().setOptPassGate(gate);
  auto made = generator.get()->object(module, Sections::One);
  if (!made) return made;
  if (goes_on && !goes_on()) return not_wanted;
  times.code_ns = now_ns() - begin;
  times.compiled = true;
  if (looks) on_disk.keep(key, made.value());
  return made;
}

Result<std::vector<PieceRef>> Jit::State::pieces(const graph::Graph& graph, Reuse reuse,
                                                 CompileTimes& times) {
  Generators::Lent generator = generators.lend(Tier::Quick);
  auto emitted =
      emit(graph, Tier::Quick, codegen::Literals::Table, generator.get(), codegen::Names::Discarded, times);
  if (!emitted) return emitted.error();
  llvm::Module& module = *emitted.value().module;
  int64_t begin = now_ns();
  std::vector<std::string> names;
  std::map<std::string, PieceRef> of_name;  // null: to be made
  std::map<std::string, std::string> keys;
  for (llvm::Function& function : module) {
    if (function.isDeclaration()) continue;
    function.setLinkage(llvm::GlobalValue::ExternalLinkage);  // others call it from another object
    names.push_back(function.getName().str());
    std::string& key = keys[names.back()];
    if (auto whole = function_key(function)) key = std::move(*whole);
    std::lock_guard lock(mutex);
    of_name[names.back()] = key.empty() ? nullptr : known.function(key);
  }
  // What is kept for other processes is whole.
  bool looks = reuse == Reuse::OnDisk && on_disk.keeps();
  std::string disk_key;
  std::optional<Object> object;
  if (looks) {
    disk_key = ObjectCache::key(module, generator.get()->machine(), 'q');
    object = on_disk.find(disk_key);
  } else {
    for (const std::string& name : names) {
      if (of_name[name]) module.getFunction(name)->deleteBody();
    }
  }
  size_t known_count = static_cast<size_t>(std::count_if(
      of_name.begin(), of_name.end(), [](const auto& entry) { return entry.second != nullptr; }));
  if (!object && (looks || known_count < names.size())) {
    Status valid = verify_functions(module);
    if (!valid) return valid.error();
    run_passes(module, generator.get()->machine(), Tier::Quick, nullptr);
    times.passes_ns = now_ns() - begin;
    begin = now_ns();
    auto made = generator.get()->object(module, Sections::OfFunctions);
    if (!made) return made.error();
    times.code_ns = now_ns() - begin;
    times.compiled = true;
    if (looks) on_disk.keep(disk_key, made.value());
    object = std::move(made).value();
  }
  times.functions = names.size();
  times.functions_kept = known_count;
  if (object) {
    auto split = split_object({object->data(), object->size()});
    if (!split) return split.error();
    for (std::shared_ptr<Piece>& piece : split.value()) {
      auto wanted = of_name.find(piece->name);
      if (wanted == of_name.end() || wanted->second) continue;
      piece->key = std::move(keys[piece->name]);
      wanted->second = std::move(piece);
    }
  }
  std::vector<PieceRef> out;
  for (const std::string& name : names) {
    if (!of_name[name]) return Error{"an object is without " + name};
    out.push_back(of_name[name]);
  }
  return out;
}

Result<runtime::Kernels> Jit::State::compile_pieces(const std::shared_ptr<State>& self,
                                                    const graph::Graph& graph, Reuse reuse,
                                                    const GoesOn& goes_on, CompileTimes& times) {
  std::vector<PieceRef> all;
  {
    std::lock_guard lock(mutex);
    all = known.version(graph.shape);
  }
  if (all.empty()) {
    auto made = pieces(graph, reuse, times);
    if (!made) return made.error();
    if (goes_on && !goes_on()) return not_wanted;
    all = std::move(made).value();
  }
  int64_t begin = now_ns();
  std::lock_guard lock(mutex);
  for (const PieceRef& piece : all) times.object_bytes += piece->code.content.size();
  auto linked = linker.link(all);
  if (!linked) return linked.error();
  known.keep(graph.shape, std::move(all));
  std::optional<Error> problem;
  runtime::Kernels kernels = kernels_of(graph, [&](const std::string& name) -> void* {
    auto found = linked.value().functions.find(name);
    if (found != linked.value().functions.end()) return found->second;
    problem = Error{"a version is without " + name};
    return nullptr;
  });
  if (problem) return *problem;
  live.fetch_add(1);
  void* code = linked.value().owner.get();
  kernels.owner = std::shared_ptr<void>(code, [self, owner = std::move(linked.value().owner)](void*) mutable {
    owner = nullptr;
    self->live.fetch_sub(1);
  });
  times.link_ns = now_ns() - begin;
  return kernels;
}

Result<runtime::Kernels> Jit::compile(const graph::Graph& graph, Tier tier, codegen::Literals literals,
                                      Reuse reuse, CompileTimes* times_out, const GoesOn& goes_on,
                                      Notes notes) {
  if (!state_->jit) return Error{"the compiler could not start: " + state_->problems};
  CompileTimes times;
  times.notes = notes;
  // Notes are of one object, and passes look at all functions together.
  bool in_pieces = tier == Tier::Quick && literals == codegen::Literals::Table && notes == Notes::None;
  auto out = in_pieces ? state_->compile_pieces(state_, graph, reuse, goes_on, times)
                       : state_->compile_whole(state_, graph, tier, literals, reuse, goes_on, times);
  if (times_out != nullptr) *times_out = times;
  return out;
}

Result<runtime::Kernels> Jit::State::compile_whole(const std::shared_ptr<State>& self,
                                                   const graph::Graph& graph, Tier tier,
                                                   codegen::Literals literals, Reuse reuse,
                                                   const GoesOn& goes_on, CompileTimes& times) {
  // Code with literals compiled in is good for those values only and is not kept by its shape.
  bool kept = literals == codegen::Literals::Table;
  std::string key =
      (tier == Tier::Quick ? "q" : "o") + std::to_string(static_cast<int>(times.notes)) + graph.shape;
  Object bytes;
  if (kept) {
    std::lock_guard lock(mutex);
    if (auto before = objects.find(key); before != objects.end()) bytes = before->second;
  }
  if (bytes.empty()) {
    auto made = object(graph, tier, literals, reuse, goes_on, times);
    if (!made) return made.error();
    bytes = std::move(made).value();
  }
  times.object_bytes = bytes.size();
  int64_t begin = now_ns();

  std::lock_guard lock(mutex);
  if (kept) {
    // Room for the versions that someone may go back to, not for ever.
    constexpr size_t objects_max = 64;
    if (objects.size() >= objects_max) objects.erase(objects.begin());
    objects[key] = bytes;
  }
  problems.clear();
  llvm::orc::ExecutionSession& session = jit->getExecutionSession();
  llvm::orc::JITDylib& dylib = session.createBareJITDylib("v" + std::to_string(++next));
  dylib.setLinkOrder({{&dylib, llvm::orc::JITDylibLookupFlags::MatchAllSymbols},
                      {runtime, llvm::orc::JITDylibLookupFlags::MatchAllSymbols}},
                     false);
  live.fetch_add(1);
  auto failed = [&](llvm::Error error) { return Error{llvm::toString(std::move(error)) + "; " + problems}; };
  std::optional<Error> problem;
  Object noted;
  if (times.notes != Notes::None) noted = bytes;
  std::string first_name;
  void* first = nullptr;
  auto buffer = std::make_unique<llvm::SmallVectorMemoryBuffer>(std::move(bytes), "kernel", false);
  if (llvm::Error error = jit->addObjectFile(dylib, std::move(buffer))) problem = failed(std::move(error));
  runtime::Kernels kernels = kernels_of(graph, [&](const std::string& name) -> void* {
    if (problem) return nullptr;
    auto address = jit->lookup(dylib, name);
    if (!address) {
      problem = failed(address.takeError());
      return nullptr;
    }
    if (first == nullptr) {
      first_name = name;
      first = address->toPtr<void*>();
    }
    return address->toPtr<void*>();
  });
  if (!problem && times.notes != Notes::None) {
    uint64_t offset = 0;
    Result<CodeLines> lines = CodeLines{};  // a script of which nothing runs has no code
    if (first != nullptr) lines = read_code_lines({noted.data(), noted.size()}, first_name, offset);
    if (lines) {
      loaded.add(&dylib, reinterpret_cast<uintptr_t>(first) - offset, std::move(lines).value(), times.notes);
    } else {
      problem = lines.error();
    }
  }
  times.link_ns = now_ns() - begin;
  if (problem) {
    llvm::consumeError(session.removeJITDylib(dylib));
    live.fetch_sub(1);
    return *problem;
  }
  // Gone with the last holder of the kernels: one version, one dylib, one lifetime.
  kernels.owner = std::shared_ptr<void>(static_cast<void*>(&dylib), [self](void* gone) {
    std::lock_guard unlink(self->mutex);
    self->loaded.unlinked(gone);
    llvm::consumeError(
        self->jit->getExecutionSession().removeJITDylib(*static_cast<llvm::orc::JITDylib*>(gone)));
    self->jit->getExecutionSession().getSymbolStringPool()->clearDeadEntries();
    self->live.fetch_sub(1);
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
