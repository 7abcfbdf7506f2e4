// Puts the functions of a version together.
#pragma once
#include <llvm/ADT/StringMap.h>
#include <llvm/ExecutionEngine/JITLink/JITLinkMemoryManager.h>

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "compiler/jit/piece.h"

namespace mut::jit {

struct LinkedPieces {
  std::map<std::string, void*, std::less<>> functions;
  std::shared_ptr<void> owner;  // of their code: gone with its last holder
};

// Threads: link() one at a time; owners are let go of by any.
class PieceLinker {
 public:
  PieceLinker();

  // The pieces call each other and functions of the runtime. They are not needed afterwards.
  Result<LinkedPieces> link(std::span<const PieceRef> pieces);

 private:
  std::shared_ptr<llvm::jitlink::InProcessMemoryManager> memory_;
  llvm::StringMap<void*> runtime_;
};

}  // namespace mut::jit
