#include "compiler/jit/piece_store.h"

#include <algorithm>

namespace mut::jit {
namespace {

// Room for the versions that someone may go back to, not for ever.
constexpr size_t versions_max = 64;

}  // namespace

std::vector<PieceRef> PieceStore::version(std::string_view shape) const {
  for (const auto& [known, pieces] : versions_) {
    if (known == shape) return pieces;
  }
  return {};
}

PieceRef PieceStore::function(const std::string& key) const {
  auto known = functions_.find(key);
  return known != functions_.end() ? known->second : nullptr;
}

void PieceStore::keep(const std::string& shape, std::vector<PieceRef> pieces) {
  std::erase_if(versions_, [&](const auto& version) { return version.first == shape; });
  for (const PieceRef& piece : pieces) {
    if (!piece->key.empty()) functions_.try_emplace(piece->key, piece);
  }
  versions_.emplace_back(shape, std::move(pieces));
  if (versions_.size() <= versions_max) return;
  versions_.pop_front();
  std::erase_if(functions_, [](const auto& entry) { return entry.second.use_count() == 1; });
}

}  // namespace mut::jit
