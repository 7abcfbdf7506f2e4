#include "runtime/state/sketch.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <memory>

#include "runtime/inline/hash.h"

namespace mut::state {
namespace {

constexpr uint32_t exact_max = 256;
constexpr uint32_t set_slots_first = 4;
constexpr uint32_t registers_kept = ~0U;
constexpr int register_bits = 12;
constexpr uint32_t register_count = 1U << register_bits;
constexpr int rank_max = 64 - register_bits + 1;
constexpr uint64_t hash_seed = 0x2545F4914F6CDD1DULL;  // of hash()

// The rank of each register in six bits, and how many have each rank, so that the estimate need not look at
// all of them.
struct Registers {
  std::array<uint16_t, rank_max + 1> with_rank;
  std::array<uint8_t, register_count * 6 / 8 + 1> bits;

  uint8_t rank(uint32_t index) const { return two_bytes(index) >> (index * 6 % 8) & 63U; }
  void set_rank(uint32_t index, uint8_t rank) {
    uint32_t shift = index * 6 % 8;
    auto changed =
        static_cast<uint16_t>((two_bytes(index) & ~(63U << shift)) | static_cast<uint32_t>(rank) << shift);
    memcpy(&bits[index * 6 / 8], &changed, sizeof(changed));
  }

 private:
  uint16_t two_bytes(uint32_t index) const {
    uint16_t out;
    memcpy(&out, &bits[index * 6 / 8], sizeof(out));
    return out;
  }
};

SketchCell& as_cell(char* cell) { return *reinterpret_cast<SketchCell*>(cell); }
const SketchCell& as_cell(const char* cell) { return *reinterpret_cast<const SketchCell*>(cell); }

uint64_t* slots(const SketchCell& cell, const Heap& heap) {
  return reinterpret_cast<uint64_t*>(heap.at(cell.offset));
}
Registers& registers(const SketchCell& cell, const Heap& heap) {
  return *reinterpret_cast<Registers*>(heap.at(cell.offset));
}

struct Register {
  uint32_t index;
  uint8_t rank;
};
// The first bits choose the register, the rank is the place of the first one among the others.
Register register_of(uint64_t hash) {
  uint64_t rest = hash << register_bits | uint64_t{1} << (register_bits - 1);
  return {static_cast<uint32_t>(hash >> (64 - register_bits)),
          static_cast<uint8_t>(std::countl_zero(rest) + 1)};
}

void raise(Registers& registers, Register to) {
  uint8_t rank = registers.rank(to.index);
  if (rank >= to.rank) return;
  --registers.with_rank[rank];
  ++registers.with_rank[to.rank];
  registers.set_rank(to.index, to.rank);
}

// Ertl 2017, algorithm 6.
int64_t estimate(const std::array<uint16_t, rank_max + 1>& with_rank) {
  constexpr double count = register_count;
  auto tau = [](double x) {
    if (x == 0 || x == 1) return 0.0;
    double y = 1;
    double z = 1 - x;
    double before = -1;
    while (z != before) {
      x = std::sqrt(x);
      before = z;
      y *= 0.5;
      z -= (1 - x) * (1 - x) * y;
    }
    return z / 3;
  };
  auto sigma = [](double x) {
    if (x == 1) return HUGE_VAL;
    double y = 1;
    double z = x;
    double before = -1;
    while (z != before) {
      x *= x;
      before = z;
      z += x * y;
      y += y;
    }
    return z;
  };
  double z = count * tau(1 - with_rank[rank_max] / count);
  for (int rank = rank_max - 1; rank >= 1; --rank) z = 0.5 * (z + with_rank[static_cast<size_t>(rank)]);
  z += count * sigma(with_rank[0] / count);
  constexpr double at_infinity = 0.5 / 0.6931471805599453;  // 1 / (2 ln 2)
  return std::llround(at_infinity * count * count / z);
}

// The slot of a hash, or the free one where it would go.
uint64_t* find_slot(uint64_t* first, uint32_t capacity, uint64_t hash) {
  for (uint64_t at = hash;; ++at) {
    uint64_t& slot = first[at & (capacity - 1)];
    if (slot == hash || slot == 0) return &slot;
  }
}

void resize_set(SketchCell& cell, Heap& heap, uint32_t capacity) {
  SketchCell made{heap.allocate(uint64_t{capacity} * 8), capacity, cell.count};
  memset(slots(made, heap), 0, uint64_t{capacity} * 8);
  for (uint32_t i = 0; i < cell.capacity; ++i) {
    uint64_t hash = slots(cell, heap)[i];
    if (hash != 0) *find_slot(slots(made, heap), capacity, hash) = hash;
  }
  if (cell.capacity > 0) heap.free(cell.offset, uint64_t{cell.capacity} * 8);
  cell = made;
}

void become_registers(SketchCell& cell, Heap& heap) {
  SketchCell made{heap.allocate(sizeof(Registers)), registers_kept, 0};
  memset(heap.at(made.offset), 0, sizeof(Registers));
  registers(made, heap).with_rank[0] = register_count;
  for (uint32_t i = 0; i < cell.capacity; ++i) {
    if (uint64_t hash = slots(cell, heap)[i]; hash != 0) raise(registers(made, heap), register_of(hash));
  }
  if (cell.capacity > 0) heap.free(cell.offset, uint64_t{cell.capacity} * 8);
  cell = made;
}

}  // namespace

uint64_t sketch_hash(const uint64_t* value, WordKind kind) {
  bool text = kind == WordKind::Text;
  uint64_t hash = inl::hash_key(value, word_count(kind), text ? 1 : 0, hash_seed) >> 1;  // hash()
  // Its bits are spread once more (the last steps of MurmurHash3): neighbours must not share registers.
  hash ^= hash >> 33;
  hash *= 0xFF51AFD7ED558CCDULL;
  hash ^= hash >> 33;
  hash *= 0xC4CEB9FE1A85EC53ULL;
  hash ^= hash >> 33;
  return hash == 0 ? 1 : hash;
}

uint64_t sketch_growth(const char* at) {
  const SketchCell& cell = as_cell(at);
  if (cell.capacity == registers_kept) return 0;
  return uint64_t{std::max(cell.capacity * 2, set_slots_first)} * 8;
}

uint64_t sketch_bytes(const char* at) {
  const SketchCell& cell = as_cell(at);
  return cell.capacity == registers_kept ? sizeof(Registers) : uint64_t{cell.capacity} * 8;
}

void add_hash(char* at, Heap& heap, uint64_t hash) {
  SketchCell& cell = as_cell(at);
  if (cell.capacity == registers_kept) return raise(registers(cell, heap), register_of(hash));
  if (cell.capacity > 0 && *find_slot(slots(cell, heap), cell.capacity, hash) == hash) return;
  if (cell.count == exact_max) {
    become_registers(cell, heap);
    return raise(registers(cell, heap), register_of(hash));
  }
  if (cell.count * 2 >= cell.capacity) resize_set(cell, heap, std::max(cell.capacity * 2, set_slots_first));
  *find_slot(slots(cell, heap), cell.capacity, hash) = hash;
  ++cell.count;
}

void merge_sketch(char* at, Heap& heap, const char* other, const Heap& other_heap) {
  const SketchCell& from = as_cell(other);
  if (from.capacity != registers_kept) {
    for (uint32_t i = 0; i < from.capacity; ++i) {
      if (uint64_t hash = slots(from, other_heap)[i]; hash != 0) add_hash(at, heap, hash);
    }
    return;
  }
  SketchCell& cell = as_cell(at);
  if (cell.capacity != registers_kept) become_registers(cell, heap);
  for (uint32_t i = 0; i < register_count; ++i)
    raise(registers(cell, heap), {i, registers(from, other_heap).rank(i)});
}

void free_sketch(char* at, Heap& heap) {
  SketchCell& cell = as_cell(at);
  if (cell.capacity > 0) heap.free(cell.offset, sketch_bytes(at));
  cell = {};
}

int64_t sketch_count(const char* at, const Heap& heap) {
  const SketchCell& cell = as_cell(at);
  return cell.capacity == registers_kept ? estimate(registers(cell, heap).with_rank) : cell.count;
}

int64_t peek_sketch(const char* at, const Heap& heap, uint64_t hash) {
  const SketchCell& cell = as_cell(at);
  if (cell.capacity == registers_kept) {
    const Registers& kept = registers(cell, heap);
    Register raised = register_of(hash);
    uint8_t rank = kept.rank(raised.index);
    if (rank >= raised.rank) return estimate(kept.with_rank);
    std::array<uint16_t, rank_max + 1> with_rank = kept.with_rank;
    --with_rank[rank];
    ++with_rank[raised.rank];
    return estimate(with_rank);
  }
  bool known = cell.capacity > 0 && *find_slot(slots(cell, heap), cell.capacity, hash) == hash;
  if (known || cell.count < exact_max) return cell.count + (known ? 0 : 1);
  auto kept = std::make_unique<Registers>();
  kept->with_rank[0] = register_count;
  for (uint32_t i = 0; i < cell.capacity; ++i) {
    if (uint64_t each = slots(cell, heap)[i]; each != 0) raise(*kept, register_of(each));
  }
  raise(*kept, register_of(hash));
  return estimate(kept->with_rank);
}

int64_t count_of_hashes(std::vector<uint64_t>& hashes) {
  std::sort(hashes.begin(), hashes.end());
  hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
  if (hashes.size() <= exact_max) return static_cast<int64_t>(hashes.size());
  auto kept = std::make_unique<Registers>();
  kept->with_rank[0] = register_count;
  for (uint64_t hash : hashes) raise(*kept, register_of(hash));
  return estimate(kept->with_rank);
}

}  // namespace mut::state
