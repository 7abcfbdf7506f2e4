// Objects on disk, for processes to come: a script that was compiled once is not compiled again.
//
// An object is named by what it is made of: the module before its passes, the tier, the processor, and the
// build of the program that compiles, whose passes and helpers may be others tomorrow. It carries a checksum,
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
  // The folder is made if it is absent, for its user alone. Nothing is kept where it is empty, cannot be
  // made, or may be written by others, who would say what this process runs; then problem() tells.
  explicit ObjectCache(std::string folder);

  const std::string& problem() const { return problem_; }
  bool keeps() const { return !folder_.empty(); }

  // `variant` tells apart what the module does not: the tier.
  static std::string key(const llvm::Module& module, const llvm::TargetMachine& machine, char variant);

  std::optional<Object> find(const std::string& key) const;
  // Takes as long as a write to a file that nobody waits for. Now and then the oldest objects go.
  void keep(const std::string& key, const Object& object) const;

 private:
  std::string path_of(const std::string& key) const;

  std::string folder_;
  std::string problem_;
};

}  // namespace mut::jit
