#include "compiler/jit/piece.h"

#include <llvm/ExecutionEngine/JITLink/JITLink.h>

#include <map>

namespace mut::jit {
namespace {

namespace jitlink = llvm::jitlink;

bool may(const jitlink::Block& block, llvm::orc::MemProt what) {
  auto bits = static_cast<unsigned>(block.getSection().getMemProt());
  return (bits & static_cast<unsigned>(what)) != 0;
}

Error not_split(const std::string& why) { return Error{"an object is not split into functions: " + why}; }

class Splitter {
 public:
  explicit Splitter(jitlink::LinkGraph& graph) : graph_(graph) {}

  Result<std::vector<std::shared_ptr<Piece>>> run() {
    for (jitlink::Symbol* symbol : graph_.defined_symbols()) {
      if (!may(symbol->getBlock(), llvm::orc::MemProt::Exec) || !symbol->hasName() ||
          symbol->getScope() == jitlink::Scope::Local)
        continue;
      if (symbol->getOffset() != 0 ||
          !functions_.emplace(&symbol->getBlock(), symbol->getName().str()).second)
        return not_split("two in one section");
    }
    std::vector<std::shared_ptr<Piece>> out;
    auto constants = std::make_shared<Constants>();
    for (const auto& [block, name] : functions_) {
      auto piece = std::make_shared<Piece>();
      piece->name = name;
      piece->code = bytes(*block);
      piece->constants = constants;
      out.push_back(std::move(piece));
    }
    for (size_t i = 0; i < data_.size(); ++i) constants->push_back(bytes(*data_[i]));  // may find others
    if (!problem_.empty()) return not_split(problem_);
    return out;
  }

 private:
  Bytes bytes(jitlink::Block& block) {
    Bytes out;
    if (block.isZeroFill()) {
      out.content.assign(block.getSize(), '\0');
    } else {
      out.content.assign(block.getContent().data(), block.getSize());
    }
    out.alignment = block.getAlignment();
    out.alignment_offset = block.getAlignmentOffset();
    for (jitlink::Edge& edge : block.edges()) {
      Reference reference{edge.getKind(), edge.getOffset(), edge.getAddend(), {}, 0, 0};
      refer(edge.getTarget(), reference);
      out.references.push_back(std::move(reference));
    }
    return out;
  }

  void refer(jitlink::Symbol& target, Reference& reference) {
    if (!target.isDefined()) {
      if (!target.hasName()) problem_ = "something without a name";
      reference.symbol = target.getName().str();
      return;
    }
    jitlink::Block& block = target.getBlock();
    if (auto function = functions_.find(&block); function != functions_.end()) {
      reference.symbol = function->second;
      reference.addend += static_cast<int64_t>(target.getOffset());
      return;
    }
    if (may(block, llvm::orc::MemProt::Write)) problem_ = "memory that is written";
    auto [known, fresh] = numbers_.emplace(&block, data_.size());
    if (fresh) data_.push_back(&block);
    reference.data = known->second;
    reference.data_offset = target.getOffset();
  }

  jitlink::LinkGraph& graph_;
  std::map<jitlink::Block*, std::string> functions_;
  std::map<jitlink::Block*, size_t> numbers_;
  std::vector<jitlink::Block*> data_;
  std::string problem_;
};

}  // namespace

Result<std::vector<std::shared_ptr<Piece>>> split_object(std::string_view object) {
  auto graph = jitlink::createLinkGraphFromObject(
      llvm::MemoryBufferRef(llvm::StringRef(object.data(), object.size()), "kernel"));
  if (!graph) return not_split(llvm::toString(graph.takeError()));
  return Splitter(**graph).run();
}

}  // namespace mut::jit
