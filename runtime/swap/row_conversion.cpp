#include "runtime/swap/row_conversion.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "runtime/inline/cells.h"
#include "runtime/state/cells.h"

namespace mut::runtime {
namespace {

// The program keeps nothing.
constexpr size_t no_state_bytes = 0;

bool holds_secret(const abi::TypeDesc& type) {
  if (type.secret || (type.element && holds_secret(*type.element))) return true;
  for (const abi::FieldDesc& field : type.fields) {
    if (holds_secret(*field.type)) return true;
  }
  return false;
}

// As JSON, without what nobody is to see.
std::string row_text(const abi::TypeDesc& record, const char* row) {
  std::vector<abi::FieldDesc> fields;
  std::vector<uint32_t> from;
  for (const abi::FieldDesc& field : record.fields) {
    if (holds_secret(*field.type)) continue;
    fields.push_back(abi::made_field(field.name, field.type));
    from.push_back(field.offset);
  }
  abi::TypeDescRef shown = abi::make_record(std::move(fields));
  std::vector<char> value(shown->size);
  for (size_t i = 0; i < from.size(); ++i)
    memcpy(value.data() + shown->fields[i].offset, row + from[i], shown->fields[i].type->size);
  return as_json(shown, value.data());
}

bool is_nan(const state::KeyDesc& key, const uint64_t* words) {
  double number;
  memcpy(&number, words, sizeof(number));
  return key.kind == state::WordKind::Float && std::isnan(number);
}

}  // namespace

RowConverter::RowConverter(const KeyConversion& conversion, const Instance& next)
    : conversion_(conversion), budget_(no_state_bytes) {
  if (conversion.plan == nullptr) return;
  instance_ = std::make_unique<Instance>(conversion.plan, conversion.kernels, ShardPlace{}, budget_, errors_);
  // Both declare the same params in the same order.
  for (size_t i = 0; i < conversion.plan->params.size(); ++i)
    instance_->set_param(i, next.params() + next.plan().param_record->fields[i].offset);
}

RowConverter::~RowConverter() = default;

state::RowKeys::Made RowConverter::apply(const state::StoreDesc& old, const state::StoreDesc& next,
                                         size_t side, const char* row, uint64_t* key) {
  from_.assign(key, key + old.key_words);
  std::fill(key, key + next.key_words, 0);
  // With one row that cannot go over none does: the rest is not looked at.
  if (!problem_.empty()) return Made::Failed;
  const abi::TypeDesc& record = side == 1                              ? *next.join.right
                                : next.kind == state::StoreKind::Table ? *next.table.record
                                                                       : *next.join.left;
  int source = conversion_.sources[side];
  const char* made = nullptr;
  if (source >= 0) {
    made = run(source, row);
    if (made == nullptr) {
      refuse(record, row, errors_.kept().empty() ? "no value" : errors_.kept().back().message);
      return Made::Failed;
    }
  }
  Made out = Made::Key;
  for (size_t i = 0; i < next.keys.size(); ++i) {
    const state::KeyDesc& mine = next.keys[i];
    const KeyConversion::Part& part = conversion_.parts[i];
    uint32_t words = state::word_count(mine.kind);
    uint64_t* to = key + mine.word;
    bool present = true;
    if (part.old >= 0) {
      const state::KeyDesc& theirs = old.keys[static_cast<size_t>(part.old)];
      std::copy_n(from_.begin() + theirs.word, words + (mine.optional ? 1 : 0), to);
      present = !mine.optional || to[words] != 0;
    } else {
      const abi::FieldDesc& field =
          conversion_.plan->emits[static_cast<size_t>(source)].record->fields[static_cast<size_t>(part.made)];
      present = state::read_words(*field.type, made + field.offset, to);
      if (mine.optional) to[words] = present ? 1 : 0;
      if (present && mine.kind == state::WordKind::Float) {
        double number;
        memcpy(&number, to, sizeof(number));
        *to = inl::key_word(number);
      }
    }
    if (!present && next.kind == state::StoreKind::Table) {
      refuse(record, row, "the key `" + mine.name + "` is none");
      return Made::Failed;
    }
    if (!present || (next.kind == state::StoreKind::Join && is_nan(mine, to))) out = Made::Nothing;
  }
  return out;
}

void RowConverter::refuse(const abi::TypeDesc& record, const char* row, const std::string& why) {
  if (problem_.empty()) problem_ = conversion_.path + ": row " + row_text(record, row) + ": " + why;
}

const char* RowConverter::run(int source, const char* row) {
  MutColumn column{const_cast<char*>(row), nullptr};
  int64_t time = 0;
  MutBatch batch{};
  batch.abi = abi::abi_number;
  batch.row_count = 1;
  batch.columns = &column;
  batch.times = &time;
  instance_->clear_output();
  instance_->batch = &batch;
  MutCursor cursor{0, 1, no_watermark};
  auto index = static_cast<size_t>(source);
  conversion_.kernels.sources[index](&instance_->context(), &batch, &cursor);
  instance_->batch = nullptr;
  const MutSink& sink = instance_->sinks()[index];
  return sink.count == 1 ? sink.rows + sizeof(MutOutHead) : nullptr;
}

}  // namespace mut::runtime
