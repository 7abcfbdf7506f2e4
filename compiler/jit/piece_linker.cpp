#include "compiler/jit/piece_linker.h"

#include <dlfcn.h>
#include <llvm/ExecutionEngine/JITLink/JITLink.h>
#include <llvm/Support/Process.h>
#include <llvm/TargetParser/Host.h>

#include "compiler/jit/symbols.h"

namespace mut::jit {
namespace {

namespace jitlink = llvm::jitlink;
using Memory = jitlink::InProcessMemoryManager;

// As they are when they are put together: each constant once, however many functions read it.
class GraphBuilder {
 public:
  GraphBuilder()
      : graph_(std::make_unique<jitlink::LinkGraph>("version", llvm::Triple(llvm::sys::getProcessTriple()),
                                                    jitlink::getGenericEdgeKindName)),
        code_(graph_->createSection(
            ".text", llvm::BitmaskEnumDetail::operator|(llvm::orc::MemProt::Read, llvm::orc::MemProt::Exec))),
        data_(graph_->createSection(".rodata", llvm::orc::MemProt::Read)) {}

  void add(std::span<const PieceRef> pieces) {
    for (const PieceRef& piece : pieces) {
      jitlink::Block& code = block(code_, piece->code);
      functions_[piece->name] = &graph_->addDefinedSymbol(
          code, 0, piece->name, code.getSize(), jitlink::Linkage::Strong, jitlink::Scope::Local, true, true);
      waiting_.push_back({&code, &piece->code, piece->constants.get()});
    }
    while (!waiting_.empty()) {
      Waiting next = waiting_.back();
      waiting_.pop_back();
      for (const Reference& to : next.bytes->references)
        next.block->addEdge(to.kind, to.offset, target(to, next.constants), to.addend);
    }
  }

  std::unique_ptr<jitlink::LinkGraph> take() { return std::move(graph_); }
  const llvm::StringMap<jitlink::Symbol*>& functions() const { return functions_; }

 private:
  struct Waiting {
    jitlink::Block* block;
    const Bytes* bytes;
    const Constants* constants;
  };

  jitlink::Block& block(jitlink::Section& section, const Bytes& bytes) {
    return graph_->createContentBlock(section, {bytes.content.data(), bytes.content.size()},
                                      llvm::orc::ExecutorAddr(), bytes.alignment, bytes.alignment_offset);
  }

  jitlink::Symbol& target(const Reference& to, const Constants* constants) {
    if (!to.symbol.empty()) {
      if (auto known = functions_.find(to.symbol); known != functions_.end()) return *known->second;
      jitlink::Symbol*& outside = outside_[to.symbol];
      if (outside == nullptr) outside = &graph_->addExternalSymbol(to.symbol, 0, false);
      return *outside;
    }
    const Bytes& bytes = (*constants)[to.data];
    jitlink::Block*& data = constants_[&bytes];
    if (data == nullptr) {
      data = &block(data_, bytes);
      waiting_.push_back({data, &bytes, constants});
    }
    jitlink::Symbol*& place = places_[{&bytes, to.data_offset}];
    if (place == nullptr) place = &graph_->addAnonymousSymbol(*data, to.data_offset, 0, false, false);
    return *place;
  }

  std::unique_ptr<jitlink::LinkGraph> graph_;
  jitlink::Section& code_;
  jitlink::Section& data_;
  llvm::StringMap<jitlink::Symbol*> functions_;
  llvm::StringMap<jitlink::Symbol*> outside_;
  std::map<const Bytes*, jitlink::Block*> constants_;
  std::map<std::pair<const Bytes*, uint64_t>, jitlink::Symbol*> places_;
  std::vector<Waiting> waiting_;
};

// What became of a link: with the memory of this process, it is over when link() returns.
struct Outcome {
  std::optional<Error> problem;
  std::map<std::string, void*, std::less<>> functions;
  std::optional<Memory::FinalizedAlloc> code;
};

class Context final : public jitlink::JITLinkContext {
 public:
  Context(Memory& memory, const llvm::StringMap<void*>& runtime,
          const llvm::StringMap<jitlink::Symbol*>& functions, Outcome& out)
      : JITLinkContext(nullptr), memory_(memory), runtime_(runtime), functions_(functions), out_(out) {}

  jitlink::JITLinkMemoryManager& getMemoryManager() override { return memory_; }
  void notifyFailed(llvm::Error error) override { out_.problem = Error{llvm::toString(std::move(error))}; }

  void lookup(const LookupMap& symbols,
              std::unique_ptr<jitlink::JITLinkAsyncLookupContinuation> go_on) override {
    jitlink::AsyncLookupResult found;
    for (const auto& [name, needed] : symbols) {
      void* address = address_of(name);
      if (address == nullptr) {
        go_on->run(llvm::createStringError("no function " + name + " for kernels"));
        return;
      }
      found[name] = {llvm::orc::ExecutorAddr::fromPtr(address), llvm::JITSymbolFlags::Exported};
    }
    go_on->run(std::move(found));
  }

  llvm::Error notifyResolved(jitlink::LinkGraph&) override {
    for (const auto& entry : functions_)
      out_.functions[entry.first().str()] = entry.second->getAddress().toPtr<void*>();
    return llvm::Error::success();
  }
  void notifyFinalized(Memory::FinalizedAlloc code) override { out_.code = std::move(code); }

 private:
  void* address_of(llvm::StringRef name) const {
    if (auto known = runtime_.find(name); known != runtime_.end()) return known->second;
#if defined(MUT_SANITIZE_ADDRESS) || defined(MUT_SANITIZE_THREAD)
    return dlsym(RTLD_DEFAULT, name.str().c_str());  // the sanitizer's own
#else
    return nullptr;
#endif
  }

  Memory& memory_;
  const llvm::StringMap<void*>& runtime_;
  const llvm::StringMap<jitlink::Symbol*>& functions_;
  Outcome& out_;
};

}  // namespace

PieceLinker::PieceLinker() : memory_(std::make_shared<Memory>(llvm::sys::Process::getPageSizeEstimate())) {
  for (const auto& [name, address] : kernel_symbols())
    runtime_[llvm::StringRef(name.data(), name.size())] = address;
}

Result<LinkedPieces> PieceLinker::link(std::span<const PieceRef> pieces) {
  if (pieces.empty()) return LinkedPieces{{}, std::make_shared<char>()};  // of a script of which nothing runs
  GraphBuilder builder;
  builder.add(pieces);
  Outcome out;
  jitlink::link(builder.take(), std::make_unique<Context>(*memory_, runtime_, builder.functions(), out));
  if (out.problem) return *out.problem;
  if (!out.code) return Error{"a version is not linked"};
  LinkedPieces linked;
  linked.functions = std::move(out.functions);
  auto* code = new Memory::FinalizedAlloc(std::move(*out.code));
  linked.owner = std::shared_ptr<void>(static_cast<void*>(code), [memory = memory_](void* gone) {
    std::unique_ptr<Memory::FinalizedAlloc> held(static_cast<Memory::FinalizedAlloc*>(gone));
    llvm::consumeError(memory->deallocate(std::move(*held)));
  });
  return linked;
}

}  // namespace mut::jit
