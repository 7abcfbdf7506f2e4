// Code of single functions, before it is linked: what an edit left alone is kept from the version before.
#pragma once
#include <llvm/ADT/SmallVector.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/abi/result.h"

namespace mut::jit {

// A place in bytes where an address goes.
struct Reference {
  uint8_t kind = 0;  // of JITLink
  uint32_t offset = 0;
  int64_t addend = 0;
  std::string symbol;        // a function of the version or of the runtime; or, where that is empty:
  size_t data = 0;           // constants of the object
  uint64_t data_offset = 0;  // in them
};

struct Bytes {
  std::string content;
  uint64_t alignment = 1;
  uint64_t alignment_offset = 0;
  std::vector<Reference> references;
};

// What functions of one object read beside their code.
using Constants = std::vector<Bytes>;

struct Piece {
  std::string key;   // function_key(); empty: it is nobody else's
  std::string name;  // of the function
  Bytes code;
  std::shared_ptr<const Constants> constants;
};
using PieceRef = std::shared_ptr<const Piece>;

// The functions of an object that was made with a section for each, without their keys.
Result<std::vector<std::shared_ptr<Piece>>> split_object(std::string_view object);

}  // namespace mut::jit
