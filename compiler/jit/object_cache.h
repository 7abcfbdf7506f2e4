// Objects on disk, for processes to come: a script that was compiled once is not compiled again.
//
// An object is named by what it is made of: the module before its passes, the tier, the processor, and the
// builds of this program and of LLVM, whose passes and helpers may be others tomorrow. It carries a checksum,
// since it is machine code that will run: what a crash of the machine left half written counts as absent.
#pragma once
#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

#include <optional>
#include <string>

namespace mut::jit {

using Object = llvm::SmallVector<char, 0>;

// Threads: any. Other processes may use the same folder. Nothing here fails: what cannot be read or written
// is compiled.
class ObjectCache {
 public:
  // The folder is made if it is absent, with those above it, for its user alone. Nothing is kept where the
  // name is empty or the folder cannot be made; nor, which problem() tells, where it is another user's or
  // others may write there, who would say what this process runs.
  explicit ObjectCache(const std::string& folder);
  ~ObjectCache();
  ObjectCache(const ObjectCache&) = delete;
  ObjectCache& operator=(const ObjectCache&) = delete;

  const std::string& problem() const { return problem_; }
  bool keeps() const { return folder_ >= 0; }

  // `variant` tells apart what the module does not: the tier.
  static std::string key(const llvm::Module& module, const llvm::TargetMachine& machine, char variant);

  std::optional<Object> find(const std::string& key) const;
  // Takes as long as a write to a file that nobody waits for. Every twenty minutes, by whichever process
  // comes first, objects go that were not asked for in thirty days, and the oldest beyond 256 MiB.
  void keep(const std::string& key, const Object& object) const;

 private:
  void prune() const;

  int folder_ = -1;  // a descriptor: what was found safe stays the same, whatever its path names later
  std::string problem_;
};

}  // namespace mut::jit
