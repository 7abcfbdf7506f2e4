// LLVM's code generator for this machine.
#pragma once
#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>

#include <array>
#include <memory>
#include <mutex>
#include <vector>

#include "compiler/jit/jit.h"
#include "compiler/jit/object_cache.h"

namespace mut::jit {

// LLVM keeps its table of targets in globals of its own; filled once.
void initialise_targets();

// A target machine, and the passes of its code generator for as long as it lives: LLVM takes a fifth of the
// time of a small module to put them together. That they run again is what llc's `-compile-twice` tests.
// One for all functions, or one for each.
enum class Sections : uint8_t { One, OfFunctions };

class Generator {
 public:
  explicit Generator(std::unique_ptr<llvm::TargetMachine> machine) : machine_(std::move(machine)) {}

  llvm::TargetMachine& machine() const { return *machine_; }

  Result<Object> object(llvm::Module& module, Sections sections);
  Result<Object> assembly(llvm::Module& module) const;

 private:
  std::unique_ptr<llvm::TargetMachine> machine_;
  Object bytes_;
  llvm::raw_svector_ostream stream_{bytes_};
  std::unique_ptr<llvm::legacy::PassManager> passes_;  // made at first use; write into `stream_`
};

// Null: LLVM does not know this machine.
std::unique_ptr<Generator> make_generator(Tier tier);

// To make one takes LLVM half a millisecond, a tenth of what a small edit costs: they are kept.
// Threads: any; a generator is lent to one compilation at a time.
class Generators {
 public:
  // Goes back where it came from.
  class Lent {
   public:
    Lent(Generators& from, Tier tier, std::unique_ptr<Generator> generator)
        : from_(from), tier_(tier), generator_(std::move(generator)) {}
    ~Lent();
    Lent(const Lent&) = delete;
    Lent& operator=(const Lent&) = delete;

    Generator* get() const { return generator_.get(); }  // null: LLVM does not know this machine

   private:
    Generators& from_;
    Tier tier_;
    std::unique_ptr<Generator> generator_;
  };
  Lent lend(Tier tier);

 private:
  std::vector<std::unique_ptr<Generator>>& of(Tier tier) { return idle_[static_cast<size_t>(tier)]; }

  std::mutex mutex_;
  std::array<std::vector<std::unique_ptr<Generator>>, 2> idle_;
};

}  // namespace mut::jit
