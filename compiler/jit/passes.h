// What happens to a module before code is made of it.
#pragma once
#include <llvm/IR/OptBisect.h>

#include <string>

#include "compiler/jit/jit.h"

namespace llvm {
class TargetMachine;
}

namespace mut::jit {

// Asks before each pass that LLVM can do without, those of the code generator among them.
class Gate final : public llvm::OptPassGate {
 public:
  explicit Gate(const GoesOn& goes_on) : goes_on_(goes_on) {}
  bool shouldRunPass(const llvm::StringRef, llvm::StringRef) override { return goes_on_(); }
  bool isEnabled() const override { return true; }

 private:
  const GoesOn& goes_on_;
};

// Brings in the bodies of the helpers that the module calls, for the inliner.
Status link_helpers(llvm::Module& module);

// The passes of the tier; of a build with a sanitizer, its own as well.
void run_passes(llvm::Module& module, llvm::TargetMachine& machine, Tier tier, const GoesOn& goes_on);

}  // namespace mut::jit
