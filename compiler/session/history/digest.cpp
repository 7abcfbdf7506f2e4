#include "compiler/session/history/digest.h"

#include <llvm/ADT/StringExtras.h>
#include <llvm/Support/SHA256.h>

namespace mut::session {

std::string digest(std::string_view bytes) {
  llvm::SHA256 hash;
  hash.update(llvm::StringRef(bytes));
  return llvm::toHex(hash.final(), /*LowerCase=*/true);
}

std::string version_hash(const VersionRecord& record) {
  // Each part with its length before it: no two records give the same bytes.
  std::string bytes;
  auto add = [&](std::string_view part) {
    bytes += std::to_string(part.size());
    bytes += ':';
    bytes += part;
  };
  add(std::to_string(record.version));
  add(record.parent_hash);
  add(record.name);
  add(record.text);
  for (const auto& [param, value] : record.params) {
    add(param);
    add(value);
  }
  return digest(bytes);
}

}  // namespace mut::session
