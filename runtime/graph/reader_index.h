// Which readers of a stream an event concerns, by the value of a field.
#pragma once
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "runtime/abi/kernel.h"

namespace mut::runtime {

// Immutable once made; shared by all shards of a version.
class ReaderIndex {
 public:
  // A text, or an integer as its 64 bits.
  using Value = std::variant<int64_t, std::string>;
  struct Entry {
    Value value;
    uint32_t reader = 0;
  };
  // `sites`: of the stages of readers that let an event go when it is kept from them.
  ReaderIndex(const std::vector<Entry>& entries, std::vector<size_t> sites);

  // Readers in their order, ended by MUT_READERS_END.
  const MutReaders* find(std::string_view text) const;
  const MutReaders* find(int64_t number) const;

  const std::vector<size_t>& sites() const { return sites_; }

 private:
  struct TextHash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  const MutReaders* at(size_t first) const { return readers_.data() + first; }

  std::unordered_map<std::string, size_t, TextHash, std::equal_to<>> by_text_;  // first of readers_
  std::unordered_map<int64_t, size_t> by_number_;
  std::vector<MutReaders> readers_;  // the first ends: nobody asks for the value
  std::vector<size_t> sites_;
};

}  // namespace mut::runtime
