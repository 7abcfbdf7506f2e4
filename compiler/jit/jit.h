// Modules to machine code. Objects are built off to the side and linked into a dylib of their own, one
// a version, so that a version's code lives and dies as one (live-change.md 4.2).
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "compiler/codegen/emit.h"
#include "compiler/jit/code_lines.h"
#include "runtime/abi/result.h"
#include "runtime/graph/plan.h"

namespace mut::jit {

enum class Tier : uint8_t {
  Quick,      // no passes, fast instruction selection: running within milliseconds
  Optimised,  // helpers inlined from bitcode, -O2
};

// Where an object that was made before is looked for, and a new one is kept.
enum class Reuse : uint8_t {
  InProcess,  // as an edit has it, which is new and in a hurry
  OnDisk,     // also in the folder
};

// Asked again and again while code is made better, from the thread that does; may block for a while. False:
// what is made is not wanted any more, and the compilation ends with an error.
using GoesOn = std::function<bool()>;

struct CompileTimes {
  int64_t emit_ns = 0;
  int64_t passes_ns = 0;
  int64_t code_ns = 0;
  int64_t link_ns = 0;
  size_t object_bytes = 0;
  bool compiled = false;  // false: code of this shape was there
  size_t functions = 0;   // of quick code; and how many of them were there, from other versions
  size_t functions_kept = 0;
  Notes notes = Notes::None;
};

// Threads: compile() from any, one at a time per Jit; link() and the release of kernels too.
class Jit {
 public:
  // `object_folder`: where objects are kept for processes to come (object_cache.h); empty: nowhere.
  explicit Jit(const std::string& object_folder = {});
  ~Jit();

  // Kernels of a graph. The graph is not needed afterwards. `goes_on`: null, it does.
  Result<runtime::Kernels> compile(const graph::Graph& graph, Tier tier, codegen::Literals literals,
                                   Reuse reuse, CompileTimes* times, const GoesOn& goes_on = nullptr,
                                   Notes notes = Notes::None);
  // Code with notes that is linked.
  LoadedCode& loaded();
  // Why nothing is kept in the folder although it was named; empty: it is, or the folder cannot be made.
  const std::string& folder_problem() const;
  // Versions of code that are linked now: retired ones are gone.
  size_t live_dylibs() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// The module as text: IR after the passes of the tier, or assembly.
Result<std::string> print_ir(const graph::Graph& graph, Tier tier);
Result<std::string> print_assembly(const graph::Graph& graph, Tier tier, Notes notes = Notes::None);

}  // namespace mut::jit
