// What code in memory is there for: which place of a graph, and whether for the state of that place.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "runtime/abi/result.h"

namespace llvm {
class Module;
}  // namespace llvm

namespace mut::jit {

// What code says of itself.
enum class Notes : uint8_t {
  None,
  Places,          // what each instruction is there for: LoadedCode. The instructions are those of None
  PlacesAndCalls,  // and before each call of the runtime where it is, for samples. Never on disk: it relies
                   // on where this process keeps that
};

enum class CodeKind : uint8_t { Place, State };

uint16_t column_of(CodeKind kind);  // of a debug location

struct CodeRow {
  uint32_t offset = 0;  // of the first byte, in the code of its object; valid up to the next row
  int place = -1;       // -1: none
  CodeKind kind = CodeKind::Place;
};

// In the order of their offsets. Empty where the object says nothing.
struct CodeLines {
  std::vector<CodeRow> rows;
  uint32_t size = 0;  // bytes of code
};
// `object`: bytes of an object whose module was emitted with places. `anchor`: a function of it; its offset
// comes back.
Result<CodeLines> read_code_lines(std::string_view object, std::string_view anchor, uint64_t& anchor_offset);

// In a module that was emitted with places, before its passes: calls of what keeps state say so in their
// locations, which the inliner gives to the code that takes the place of a call.
void mark_state_calls(llvm::Module& module);
// Behind the passes: each call that leaves the module says before where it is (env::thread_where). Adds
// instructions; for code that is sampled.
void tell_where(llvm::Module& module);

// A piece of code that is for one place.
struct CodePiece {
  uintptr_t begin = 0;
  uintptr_t end = 0;
  int place = -1;
  CodeKind kind = CodeKind::Place;
};

// All code with places that is linked, and what was lately. Threads: any.
class LoadedCode {
 public:
  // `owner`: of its kernels.
  void add(const void* owner, uintptr_t begin, CodeLines lines, Notes notes);
  // Its addresses may be another's from now on. What it was is known until forget_unlinked(), or until so
  // many more are unlinked: samples of it are looked up within half a second.
  static constexpr size_t unlinked_most = 64;
  void unlinked(const void* owner);
  void forget_unlinked();

  struct Found {
    uint64_t number = 0;  // of the code: no other has it, also when this one is gone
    int place = -1;
    CodeKind kind = CodeKind::Place;
  };
  std::optional<Found> find(uintptr_t address) const;
  // Of code that is linked; None and 0: it has no notes.
  Notes notes_of(const void* owner) const;
  uint64_t number_of(const void* owner) const;
  // In order of addresses, neighbours of one place as one. Empty where it is not known.
  std::vector<CodePiece> pieces(const void* owner) const;

 private:
  struct Piece {
    const void* owner;
    uint64_t number;
    uintptr_t begin;
    CodeLines lines;
    Notes notes;
    bool linked;
  };
  mutable std::mutex mutex_;
  const Piece* linked(const void* owner) const;
  std::vector<Piece> code_;  // the newest last
  uint64_t numbers_ = 0;
};

}  // namespace mut::jit
