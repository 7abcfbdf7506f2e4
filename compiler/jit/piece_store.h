// Functions of the versions that someone may go back to, and that the next version may have as they are.
#pragma once
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "compiler/jit/piece.h"

namespace mut::jit {

// Threads: one at a time.
class PieceStore {
 public:
  // All of a version by its shape. Empty: it is not known.
  std::vector<PieceRef> version(std::string_view shape) const;
  // Null: it is not known.
  PieceRef function(const std::string& key) const;
  // The newest version from now on; lets go of the oldest where there are too many.
  void keep(const std::string& shape, std::vector<PieceRef> pieces);

 private:
  std::deque<std::pair<std::string, std::vector<PieceRef>>> versions_;  // the newest last
  std::unordered_map<std::string_view, PieceRef> functions_;            // the key is that of the piece
};

}  // namespace mut::jit
