// What the machine code of a function depends on, so that code of a function that an edit left alone is
// known again.
#pragma once
#include <optional>
#include <string>

namespace llvm {
class Function;
}

namespace mut::jit {

// Everything that the code generator reads of a function: two of one key, for one machine and one tier, have
// the same code up to where their callees and constants lie. Bytes, not text: good within a process only.
// Nothing: the function has something that is not known here, and is not to be taken for another.
std::optional<std::string> function_key(const llvm::Function& function);

}  // namespace mut::jit
