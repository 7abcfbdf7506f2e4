#include "runtime/graph/canary.h"

#include <cstring>
#include <utility>

#include "runtime/abi/check.h"
#include "runtime/inline/hash.h"

namespace mut::runtime {
namespace {

template <typename T>
uint64_t word_at(const void* values, uint32_t row) {
  T value;
  memcpy(&value, static_cast<const char*>(values) + row * sizeof(T), sizeof(T));
  return static_cast<uint64_t>(static_cast<int64_t>(value));
}

// As keys have it (state::WordKind): whole numbers widened, by their own sign.
uint64_t number_at(abi::TypeKind kind, const void* values, uint32_t row) {
  switch (kind) {
    case abi::TypeKind::I8:
      return word_at<int8_t>(values, row);
    case abi::TypeKind::I16:
      return word_at<int16_t>(values, row);
    case abi::TypeKind::I32:
    case abi::TypeKind::Enum:
      return word_at<int32_t>(values, row);
    case abi::TypeKind::I64:
      return word_at<int64_t>(values, row);
    case abi::TypeKind::U8:
      return word_at<uint8_t>(values, row);
    case abi::TypeKind::U16:
      return word_at<uint16_t>(values, row);
    case abi::TypeKind::U32:
      return word_at<uint32_t>(values, row);
    case abi::TypeKind::U64:
      return word_at<uint64_t>(values, row);
    default:
      MUT_CHECK(false, "a canary goes by a text, a whole number or an enum");
      return 0;
  }
}

}  // namespace

void EventCounts::add(const EventCounts& other) {
  records += other.records;
  errors += other.errors;
  for (const auto& [stream, count] : other.errors_of) errors_of[stream] += count;
}

// Of one sink they are in the order of their events.
std::span<const MutSink> RowsAhead::take(std::span<const MutSink> sinks, uint64_t last_position) {
  taken_.resize(sinks.size());
  out_.assign(sinks.begin(), sinks.end());
  for (size_t i = 0; i < sinks.size(); ++i) {
    const MutSink& sink = sinks[i];
    uint64_t begin = taken_[i];
    while (taken_[i] < sink.count) {
      MutOutHead head;
      memcpy(&head, sink.rows + taken_[i] * sink.row_size, sizeof(head));
      if (head.position > last_position) break;
      ++taken_[i];
    }
    out_[i].rows = sink.rows + begin * sink.row_size;
    out_[i].count = taken_[i] - begin;
  }
  return out_;
}

bool RowsAhead::take_emptied(std::span<const MutSink> sinks) {
  for (size_t i = 0; i < sinks.size(); ++i) {
    if (taken_[i] < sinks[i].count) return false;
  }
  taken_.clear();
  return true;
}

Canary::Canary(Crew& crew, Fleet::Makeup makeup, Division division, uint64_t version,
               std::function<bool(Shard&)> full)
    : division_(std::move(division)), version_(version), fleet_(crew, std::move(makeup), std::move(full)) {}

bool Canary::is_inside(const abi::TypeDesc& type, const void* values, uint32_t row) const {
  uint64_t words[2];
  bool text = type.kind == abi::TypeKind::String;
  if (text) {
    memcpy(words, static_cast<const char*>(values) + row * sizeof(MutStr), sizeof(MutStr));
  } else {
    words[0] = number_at(type.kind, values, row);
  }
  uint64_t hash = inl::hash_key(words, text ? 2 : 1, text ? 1 : 0, Division::seed);
  return inl::shard_of(hash, Division::parts) < division_.inside;
}

void Canary::divide(size_t source, const MutBatch& rows, uint32_t row, uint32_t row_end) {
  outside_ = rows;
  inside_ = rows;
  int field = division_.fields[source];
  if (field < 0) return;  // neither runs them
  outside_bad_.resize(rows.row_count);
  inside_bad_.resize(rows.row_count);
  const abi::TypeDesc& type = *fleet_.plan().sources[source].record->fields[static_cast<size_t>(field)].type;
  const void* values = rows.columns[field].values;
  for (uint32_t i = row; i < row_end; ++i) {
    uint8_t bad = rows.bad == nullptr ? uint8_t{MUT_ROW_FINE} : rows.bad[i];
    bool inside = bad != MUT_ROW_BROKEN && is_inside(type, values, i);
    uint8_t other = bad == MUT_ROW_FINE ? MUT_ROW_ELSEWHERE : MUT_ROW_SKIPPED;
    outside_bad_[i] = inside ? other : bad;
    inside_bad_[i] = inside ? bad : other;
    divided_ += inside ? 1 : 0;
  }
  outside_.bad = outside_bad_.data();
  inside_.bad = inside_bad_.data();
}

void Canary::tell(ErrorLog& log) {
  ErrorLog& own = fleet_.gather_errors();
  counts_.add({0, own.total(), own.counts()});
  log.take(own);
}

}  // namespace mut::runtime
