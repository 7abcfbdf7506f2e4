#include "runtime/state/running_cells.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "runtime/inline/cells.h"

namespace mut::state {
namespace {

// Up to there floats are all the whole numbers, and so is every sum on the way.
constexpr double whole_max = 9007199254740992.0;  // 2^53
constexpr __int128 exact_sum_max = __int128{1} << 53;

bool is_extreme(const CellDesc& cell) { return cell.fn == CellFn::Min || cell.fn == CellFn::Max; }

// -0.0 is one that is not: what a sum of them is depends on where it began.
bool is_whole(double value) {
  return std::fabs(value) <= whole_max && std::trunc(value) == value && !(value == 0 && std::signbit(value));
}

bool is_better(const CellDesc& cell, const uint64_t* a, const uint64_t* b) {
  int order = compare_words(a, b, cell.kind);
  return cell.fn == CellFn::Min ? order < 0 : order > 0;
}

// Units of 128 bits, of which the negative ones fill the rest.
void add_units(inl::DecimalSumCell& sum, const uint64_t* value, int64_t sign) {
  uint64_t low = value[0];
  uint64_t middle = value[1];
  auto high = static_cast<uint64_t>(static_cast<int64_t>(value[1]) >> 63);
  if (sign < 0) {
    low = ~low + 1;
    bool carry = low == 0;
    middle = ~middle + (carry ? 1 : 0);
    carry = carry && middle == 0;
    high = ~high + (carry ? 1 : 0);
  }
  sum.count += sign;
  inl::add_sum(sum, low, middle, static_cast<int64_t>(high));
}

}  // namespace

bool RunningCell::can_carry(const CellDesc& cell) {
  switch (cell.fn) {
    case CellFn::Count:
    case CellFn::IntSum:
    case CellFn::DecimalSum:
    case CellFn::DecimalAvg:
    case CellFn::FloatSum:
    case CellFn::Avg:
    case CellFn::Any:
    case CellFn::All:
      return true;
    case CellFn::Min:
    case CellFn::Max:
      return cell.kind != WordKind::Text;
    default:
      return false;
  }
}

void RunningCell::begin_at(uint64_t number) {
  candidates_.clear();
  std::vector<Candidate> room = std::move(candidates_);
  *this = {};
  candidates_ = std::move(room);
  valid_ = true;
  first_ = number;
  end_ = number;
}

void RunningCell::count(const CellDesc& cell, const uint64_t* value, Sign sign) {
  int64_t one = sign == Sign::Plus ? 1 : -1;
  counted_ += one;
  switch (cell.fn) {
    case CellFn::IntSum:
      sum_ += one * static_cast<__int128>(static_cast<int64_t>(value[0]));
      return;
    case CellFn::DecimalSum:
    case CellFn::DecimalAvg:
      add_units(units_, value, one);
      return;
    case CellFn::FloatSum:
    case CellFn::Avg: {
      double number = inl::as_double(value[0]);
      if (!is_whole(number)) {
        uneven_ += one;
        return;
      }
      auto whole = static_cast<int64_t>(number);
      sum_ += one * static_cast<__int128>(whole);
      magnitude_ += one * static_cast<__int128>(std::abs(whole));
      return;
    }
    case CellFn::Any:
    case CellFn::All:
      sum_ += value[0] != 0 ? one : 0;
      return;
    default:
      return;
  }
}

// Of values as good as each other the earliest is the result, so it stays before the others.
void RunningCell::enter(const CellDesc& cell, uint64_t number, const uint64_t* value) {
  Candidate made{number, {value[0], word_count(cell.kind) == 2 ? value[1] : 0}};
  while (candidates_.size() > best_ && is_better(cell, made.words, candidates_.back().words))
    candidates_.pop_back();
  if (best_ > candidates_.size() / 2) {
    candidates_.erase(candidates_.begin(), candidates_.begin() + static_cast<ptrdiff_t>(best_));
    best_ = 0;
  }
  candidates_.push_back(made);
}

void RunningCell::add(const CellDesc& cell, const uint64_t* value) {
  if (value != nullptr) {
    count(cell, value, Sign::Plus);
    if (is_extreme(cell)) enter(cell, end_, value);
  }
  ++end_;
}

void RunningCell::remove(const CellDesc& cell, const uint64_t* value) {
  if (value != nullptr) count(cell, value, Sign::Minus);
  if (best_ < candidates_.size() && candidates_[best_].number == first_) ++best_;
  ++first_;
}

void RunningCell::insert(const CellDesc& cell, uint64_t number, const uint64_t* value) {
  if (number >= end_) return;  // it is added with those behind it
  bool within = number > first_;
  if (!within) ++first_;
  ++end_;
  if (within && value != nullptr) count(cell, value, Sign::Plus);
  if (!is_extreme(cell)) return;
  auto next = candidates_.begin() + static_cast<ptrdiff_t>(best_);
  while (next != candidates_.end() && next->number < number) ++next;
  for (auto later = next; later != candidates_.end(); ++later) ++later->number;
  if (!within || value == nullptr) return;
  Candidate made{number, {value[0], word_count(cell.kind) == 2 ? value[1] : 0}};
  if (next != candidates_.end() && is_better(cell, next->words, made.words)) return;
  auto from = next;
  auto begin = candidates_.begin() + static_cast<ptrdiff_t>(best_);
  while (from != begin && is_better(cell, made.words, (from - 1)->words)) --from;
  candidates_.insert(candidates_.erase(from, next), made);
}

bool RunningCell::result(const CellDesc& cell, const uint64_t* self, const Heap& heap,
                         CellResult& out) const {
  int64_t counted = counted_ + (self != nullptr ? 1 : 0);
  switch (cell.fn) {
    case CellFn::Count:
      out.words[0] = static_cast<uint64_t>(counted);
      return true;
    case CellFn::IntSum: {
      __int128 sum = sum_ + (self != nullptr ? static_cast<int64_t>(self[0]) : 0);
      out.words[0] = static_cast<uint64_t>(sum);
      out.overflow = sum != static_cast<int64_t>(sum);
      return true;
    }
    case CellFn::DecimalSum:
    case CellFn::DecimalAvg: {
      inl::DecimalSumCell sum = units_;
      if (self != nullptr) add_units(sum, self, 1);
      out = cell_result(cell, reinterpret_cast<const char*>(&sum), heap);
      return true;
    }
    case CellFn::FloatSum:
    case CellFn::Avg: {
      double own = self != nullptr ? inl::as_double(self[0]) : 0;
      if (uneven_ != 0 || !is_whole(own)) return false;
      auto whole = static_cast<int64_t>(own);
      if (magnitude_ + std::abs(whole) > exact_sum_max) return false;
      auto sum = static_cast<double>(static_cast<int64_t>(sum_ + whole));
      out.present = cell.fn == CellFn::FloatSum || counted > 0;
      out.words[0] = inl::as_word(cell.fn == CellFn::Avg ? sum / static_cast<double>(counted) : sum);
      return true;
    }
    case CellFn::Any:
    case CellFn::All: {
      int64_t held = static_cast<int64_t>(sum_) + (self != nullptr && self[0] != 0 ? 1 : 0);
      out.words[0] = (cell.fn == CellFn::Any ? held > 0 : held == counted && counted > 0) ? 1 : 0;
      out.present = counted > 0;
      return true;
    }
    default:
      break;
  }
  out.present = best_ < candidates_.size();
  if (out.present) {
    out.words[0] = candidates_[best_].words[0];
    if (word_count(cell.kind) == 2) out.words[1] = candidates_[best_].words[1];
  }
  if (self == nullptr || (out.present && !is_better(cell, self, out.words))) return true;
  out.words[0] = self[0];
  if (word_count(cell.kind) == 2) out.words[1] = self[1];
  out.present = true;
  return true;
}

size_t RunningCells::bytes_of(const OfKey& key) {
  size_t out = sizeof(OfKey) + key.cells.size() * sizeof(RunningCell);
  for (const RunningCell& cell : key.cells) out += cell.bytes();
  return out;
}

void RunningCells::note_growth(size_t bytes) {
  bytes_ += bytes;
  leaving_ += bytes;
  budget_.add(bytes);
  budget_.engine().leave(bytes);
}

void RunningCells::note_shrinking(size_t bytes) {
  size_t left = std::min(leaving_, bytes);
  leaving_ -= left;
  budget_.engine().left(left);
  bytes_ -= bytes;
  budget_.remove(bytes);
}

void RunningCells::count_in_full() { budget_.engine().left(std::exchange(leaving_, 0)); }

void RunningCells::make_way() {
  if (bytes_ == 0 || budget_.fits(leaving_)) return;
  was_in_the_way_ = true;
  forget();
}

uint32_t RunningCells::make(size_t cells) {
  constexpr size_t room_to_spare = 16;
  constexpr size_t part_free = 4;  // of the budget
  size_t bytes = sizeof(OfKey) + cells * sizeof(RunningCell);
  size_t asked = was_in_the_way_ ? budget_.limit() / part_free : bytes * room_to_spare;
  if (!budget_.fits(leaving_ + asked)) return 0;
  was_in_the_way_ = false;
  if (free_.empty()) {
    if (keys_.size() >= UINT32_MAX - size_t{forgotten_} - 1) return 0;
    keys_.emplace_back();
    free_.push_back(forgotten_ + static_cast<uint32_t>(keys_.size()));
  }
  uint32_t number = free_.back();
  free_.pop_back();
  find(number)->cells.resize(cells);
  note_growth(bytes);
  return number;
}

void RunningCells::free(uint32_t number) {
  OfKey* of = find(number);
  if (of == nullptr) return;
  note_shrinking(bytes_of(*of));
  *of = {};
  free_.push_back(number);
}

void RunningCells::forget() {
  forgotten_ += static_cast<uint32_t>(keys_.size());
  keys_.clear();
  free_.clear();
  note_shrinking(bytes_);
}

}  // namespace mut::state
