#include "runtime/graph/reader_index.h"

#include <map>
#include <set>

namespace mut::runtime {

ReaderIndex::ReaderIndex(const std::vector<Entry>& entries, std::vector<size_t> sites)
    : readers_{{MUT_READERS_END, 0}}, sites_(std::move(sites)) {
  std::map<Value, std::set<uint32_t>> readers_of;
  for (const Entry& entry : entries) readers_of[entry.value].insert(entry.reader);
  for (const auto& [value, readers] : readers_of) {
    size_t first = readers_.size();
    for (uint32_t reader : readers) {
      uint32_t group = reader / MUT_READERS_OF_GROUP;
      if (readers_.size() == first || readers_.back().group != group) readers_.push_back({group, 0});
      readers_.back().wanted |= uint32_t{1} << reader % MUT_READERS_OF_GROUP;
    }
    readers_.push_back({MUT_READERS_END, 0});
    if (const auto* text = std::get_if<std::string>(&value)) {
      by_text_.emplace(*text, first);
    } else {
      by_number_.emplace(std::get<int64_t>(value), first);
    }
  }
}

const MutReaders* ReaderIndex::find(std::string_view text) const {
  auto known = by_text_.find(text);
  return at(known == by_text_.end() ? 0 : known->second);
}

const MutReaders* ReaderIndex::find(int64_t number) const {
  auto known = by_number_.find(number);
  return at(known == by_number_.end() ? 0 : known->second);
}

}  // namespace mut::runtime
