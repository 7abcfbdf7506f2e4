// State as bytes, both ways: what a checkpoint keeps of a store, and makes it of again.
//
// A store says once what it is made of, by a function over either class; so what is read is what was written.
// Bytes are those of this machine: a checkpoint is read by the engine that wrote it, or by one with the same
// layouts, which the description of each store tells (save_desc()).
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtime/state/spill.h"

namespace mut::state {

// Memory that saved bytes lie in, kept from one checkpoint to the next: fresh pages cost more than copying.
// One thread at a time.
class SavedMemory {
 public:
  static constexpr size_t chunk_bytes = size_t{1} << 20;
  SavedMemory() = default;
  // In the file of a Spill, where it has room; it may be null.
  explicit SavedMemory(std::shared_ptr<Spill> spill) : spill_(std::move(spill)) {}
  ~SavedMemory();
  SavedMemory(const SavedMemory&) = delete;
  SavedMemory& operator=(const SavedMemory&) = delete;

  char* take();
  // All that was taken is free again.
  void reset() { used_ = 0; }
  // Gives back what the last use had no need of.
  void trim();
  size_t bytes() const { return chunks_.size() * chunk_bytes; }

 private:
  void give_back(char* chunk);
  std::shared_ptr<Spill> spill_;  // may be null
  std::vector<char*> chunks_;
  size_t used_ = 0;
};

// Writes. What it has written is good until the memory is reset.
class Saver {
 public:
  static constexpr bool loads = false;
  // Blocks are no longer than that; they are what a checkpoint writes or leaves out as a whole.
  static constexpr size_t block_bytes_max = SavedMemory::chunk_bytes;

  explicit Saver(SavedMemory& memory) : memory_(memory) {}

  void bytes(const void* from, size_t count);
  template <typename T>
  void value(const T& from) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes(&from, sizeof(from));
  }
  void text(std::string_view from) {
    value(static_cast<uint64_t>(from.size()));
    bytes(from.data(), from.size());
  }
  // Before and behind a large piece that is as it was as a rule: it is a block of its own then.
  void next_block();
  // What was written since it was begun or finished last.
  std::vector<std::string_view> finish();

 private:
  void end_block();
  SavedMemory& memory_;
  std::vector<std::string_view> blocks_;
  char* begin_ = nullptr;
  char* at_ = nullptr;
  char* end_ = nullptr;
};

// Reads what a Saver has written. Past the end, and of lengths that cannot be, it gives zeros and is not fine
// any more: whoever reads may go on to the end and ask then.
class Loader {
 public:
  static constexpr bool loads = true;
  explicit Loader(std::vector<std::string_view> blocks);

  void bytes(void* to, size_t count);
  template <typename T>
  void value(T& to) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes(&to, sizeof(to));
  }
  void text(std::string& to);
  void next_block() {}
  // How many things of at least so many bytes follow; 0 where there cannot be so many.
  uint64_t count(size_t bytes_each);
  // Bytes that are not read yet.
  uint64_t left() const { return left_; }
  bool fine() const { return fine_; }
  // What was read cannot be.
  void fail() { fine_ = false; }

 private:
  std::vector<std::string_view> blocks_;
  size_t block_ = 0;
  size_t place_ = 0;  // in it
  uint64_t left_ = 0;
  bool fine_ = true;
};

// ---- what standard containers have, both ways

template <typename Io, typename... Values>
void pass_values(Io& io, Values&&... values) {
  (io.value(values), ...);
}

// `each(io, element)`; elements take at least `bytes_each` bytes.
template <typename Io, typename Vector, typename Each>
void pass_each(Io& io, Vector& all, size_t bytes_each, const Each& each) {
  if constexpr (Io::loads) {
    uint64_t count = io.count(bytes_each);
    all.clear();
    for (uint64_t i = 0; i < count && io.fine(); ++i) each(io, all.emplace_back());
  } else {
    io.value(static_cast<uint64_t>(all.size()));
    for (auto& element : all) each(io, element);
  }
}
// A vector of elements that are bytes.
template <typename Io, typename Vector>
void pass_plain(Io& io, Vector& all) {
  using Element = std::remove_cvref_t<decltype(all[0])>;
  static_assert(std::is_trivially_copyable_v<Element>);
  if constexpr (Io::loads) {
    all.resize(io.count(sizeof(Element)));
  } else {
    io.value(static_cast<uint64_t>(all.size()));
  }
  if (!all.empty()) io.bytes(all.data(), all.size() * sizeof(Element));
}
// A key of a container: bytes, or a pair of such.
template <typename Io, typename Key>
void pass_key(Io& io, Key& key) {
  io.value(key);
}
template <typename Io, typename First, typename Second>
void pass_key(Io& io, std::pair<First, Second>& key) {
  pass_values(io, key.first, key.second);
}
template <typename Io, typename First, typename Second>
void pass_key(Io& io, const std::pair<First, Second>& key) {
  pass_values(io, key.first, key.second);
}
// `make(key)` of each key that is there.
template <typename Key, typename Io, typename Make>
void load_keys(Io& io, const Make& make) {
  uint64_t count = io.count(sizeof(Key));
  for (uint64_t i = 0; i < count && io.fine(); ++i) {
    Key key{};
    pass_key(io, key);
    make(key);
  }
}
// A map; `each(io, value)`.
template <typename Io, typename Map, typename Each>
void pass_map(Io& io, Map& all, const Each& each) {
  using Key = typename std::remove_cvref_t<Map>::key_type;
  if constexpr (Io::loads) {
    all.clear();
    load_keys<Key>(io, [&](const Key& key) { each(io, all[key]); });
  } else {
    io.value(static_cast<uint64_t>(all.size()));
    for (auto& [key, value] : all) {
      pass_key(io, key);
      each(io, value);
    }
  }
}
// A set, in its order where it has one.
template <typename Io, typename Set>
void pass_set(Io& io, Set& all) {
  using Key = typename std::remove_cvref_t<Set>::key_type;
  if constexpr (Io::loads) {
    all.clear();
    load_keys<Key>(io, [&](const Key& key) { all.insert(all.end(), key); });
  } else {
    io.value(static_cast<uint64_t>(all.size()));
    for (const Key& key : all) pass_key(io, key);
  }
}

}  // namespace mut::state
