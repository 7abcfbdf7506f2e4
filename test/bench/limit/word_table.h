// An open-addressing table of numbers by number: what the hand-written windows count in.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mut::bench {

// A value of 0 means that the key is not there, so no value may be left 0.
class WordTable {
 public:
  explicit WordTable(size_t slots) : slots_(slots), shift_(shift_for(slots)) {}  // a power of two

  size_t size() const { return used_; }

  // The value of `key`, 0 when it is new: to be set at once. Valid until the next call.
  int64_t& at(int64_t key) {
    const size_t mask = slots_.size() - 1;
    for (size_t at = slot_of(key);; at = (at + 1) & mask) {
      Slot& slot = slots_[at];
      if (slot.value != 0 && slot.key == key) return slot.value;
      if (slot.value != 0) continue;
      if ((used_ + 1) * 2 > slots_.size()) {
        grow();
        return this->at(key);
      }
      ++used_;
      slot.key = key;
      return slot.value;
    }
  }

  // 0 when it is not there.
  int64_t find(int64_t key) const {
    const size_t mask = slots_.size() - 1;
    for (size_t at = slot_of(key);; at = (at + 1) & mask) {
      const Slot& slot = slots_[at];
      if (slot.value == 0 || slot.key == key) return slot.value;
    }
  }

  // Takes away from the value; at 0 the key goes. It must be there.
  void subtract(int64_t key, int64_t amount) {
    const size_t mask = slots_.size() - 1;
    size_t at = slot_of(key);
    while (slots_[at].key != key || slots_[at].value == 0) at = (at + 1) & mask;
    slots_[at].value -= amount;
    if (slots_[at].value != 0) return;
    --used_;
    // What stands behind it moves up, as far as its own slot allows.
    for (size_t next = (at + 1) & mask; slots_[next].value != 0; next = (next + 1) & mask) {
      const size_t home = slot_of(slots_[next].key);
      if (((next - home) & mask) < ((next - at) & mask)) continue;
      slots_[at] = slots_[next];
      slots_[next].value = 0;
      at = next;
    }
  }

  template <typename Visit>
  void for_each(Visit visit) const {
    for (const Slot& slot : slots_)
      if (slot.value != 0) visit(slot.key, slot.value);
  }

  void clear() {
    for (Slot& slot : slots_) slot = {};
    used_ = 0;
  }

 private:
  struct Slot {
    int64_t key = 0, value = 0;
  };
  static unsigned shift_for(size_t slots) { return 64U - static_cast<unsigned>(std::countr_zero(slots)); }
  size_t slot_of(int64_t key) const {
    return static_cast<size_t>((static_cast<uint64_t>(key) * 0x9E3779B97F4A7C15) >> shift_);
  }
  void grow() {
    WordTable larger(slots_.size() * 2);
    for_each([&](int64_t key, int64_t value) { larger.at(key) = value; });
    *this = std::move(larger);
  }

  std::vector<Slot> slots_;
  unsigned shift_;
  size_t used_ = 0;
};

}  // namespace mut::bench
