#include "runtime/swap/key_conversion.h"

#include <cstring>

#include "runtime/codec/encoder.h"
#include "runtime/state/cells.h"
#include "runtime/state/own_cells.h"

namespace mut::runtime {
namespace {

// The program keeps nothing.
constexpr size_t no_state_bytes = 0;

abi::TypeDescRef old_record(const KeyConversion& conversion) {
  return conversion.plan->sources[0].record->fields[0].type;
}

abi::TypeDescRef record_of_keys(const state::StoreDesc& desc) {
  std::vector<abi::FieldDesc> fields;
  for (const state::KeyDesc& key : desc.keys) fields.push_back(abi::made_field(key.name, key.type));
  return abi::make_record(std::move(fields));
}

void write_key(const state::KeyDesc& desc, const uint64_t* key, char* out) {
  state::CellResult value;
  uint32_t words = state::word_count(desc.kind);
  memcpy(value.words, key + desc.word, words * sizeof(uint64_t));
  if (desc.optional) value.present = key[desc.word + words] != 0;
  state::write_result(value, *desc.type, out);
}

std::vector<char> key_value(const state::StoreDesc& desc, const abi::TypeDesc& record, const uint64_t* key) {
  std::vector<char> out(record.size);
  for (size_t i = 0; i < desc.keys.size(); ++i)
    write_key(desc.keys[i], key, out.data() + record.fields[i].offset);
  return out;
}

}  // namespace

std::string as_json(const abi::TypeDescRef& record, const char* value) {
  text::Buffer out;
  codec::make_encoder(codec::Format::Json, record)->append(value, out);
  std::string text(out.view());
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::string key_text(const state::StoreDesc& of, const uint64_t* key) {
  abi::TypeDescRef record = record_of_keys(of);
  return as_json(record, key_value(of, *record, key).data());
}

KeyConverter::KeyConverter(std::shared_ptr<const KeyConversion> conversion, const Instance& next, Room room)
    : kept_(std::move(conversion)),
      conversion_(*kept_),
      room_(room),
      budget_(no_state_bytes),
      instance_(conversion_.plan, conversion_.kernels, {}, budget_, errors_),
      record_(conversion_.plan->sources[0].record->size) {
  // Both declare the same params in the same order.
  for (size_t i = 0; i < conversion_.plan->params.size(); ++i)
    instance_.set_param(i, next.params() + next.plan().param_record->fields[i].offset);
}

KeyConverter::~KeyConverter() = default;

void KeyConverter::apply(const state::StoreDesc& old, const state::StoreDesc& next, uint64_t* key) {
  from_.assign(key, key + old.key_words);
  std::fill(key, key + next.key_words, 0);
  // With one key that cannot go over none does: the rest is not looked at.
  made_ = problem_.empty() ? run(old, from_.data()) : nullptr;
  if (made_ == nullptr) return;
  for (size_t i = 0; i < next.keys.size(); ++i) {
    const state::KeyDesc& mine = next.keys[i];
    const KeyConversion::Part& part = conversion_.parts[i];
    uint32_t words = state::word_count(mine.kind);
    if (part.old >= 0) {
      const state::KeyDesc& theirs = old.keys[static_cast<size_t>(part.old)];
      std::copy_n(from_.begin() + theirs.word, words + (mine.optional ? 1 : 0), key + mine.word);
      continue;
    }
    const abi::FieldDesc& field = conversion_.plan->emits[0].record->fields[static_cast<size_t>(part.made)];
    bool present = state::read_words(*field.type, made_ + field.offset, key + mine.word);
    if (mine.optional) key[mine.word + words] = present ? 1 : 0;
  }
  if (!conversion_.merges) check_alone(old, from_.data(), next, key);
}

void KeyConverter::begin_row(const state::KeyedTable& old, const char* row) {
  if (conversion_.values.empty() && conversion_.read.empty()) return;
  arena_.reset();
  const abi::TypeDesc& source = *conversion_.plan->sources[0].record;
  const abi::TypeDesc& record = *source.fields[0].type;
  auto is_set = [&](int cell) {
    int64_t set;
    memcpy(&set, row + old.desc().cells[static_cast<size_t>(cell)].offset, sizeof(set));
    return set != 0;
  };
  for (size_t i = 0; i < conversion_.inputs.size(); ++i) {
    const KeyConversion::Input& input = conversion_.inputs[i];
    if (input.from == KeyConversion::Input::From::Key) continue;
    char* out = record_.data() + source.fields[0].offset + record.fields[i].offset;
    memset(out, 0, record.fields[i].type->size);
    if (!is_set(input.index)) continue;
    const state::CellDesc& cell = old.desc().cells[static_cast<size_t>(input.index)];
    std::vector<char> words(cell.result->size);
    state::write_own(row + cell.offset, *cell.result, const_cast<state::KeyedTable&>(old).heap(), arena_,
                     words.data());
    memcpy(out, words.data() + cell.result->fields[1].offset, record.fields[i].type->size);
  }
  const abi::TypeDesc& flags = *source.fields[1].type;
  for (size_t i = 0; i < conversion_.read.size(); ++i) {
    char* out = record_.data() + source.fields[1].offset + flags.fields[i].offset;
    *out = is_set(conversion_.read[i]) ? 1 : 0;
  }
}

void KeyConverter::end_row(state::KeyedTable& next, char* row) {
  if (made_ == nullptr) return;
  for (const KeyConversion::Value& value : conversion_.values) {
    const abi::FieldDesc& field = conversion_.plan->emits[0].record->fields[static_cast<size_t>(value.made)];
    const state::CellDesc& cell = next.desc().cells[static_cast<size_t>(value.cell)];
    std::vector<uint64_t> words(cell.size / sizeof(uint64_t));
    words[0] = 1;
    const abi::TypeDesc& type = *cell.result->fields[1].type;
    const char* from = made_ + field.offset;
    if (state::is_packed(type)) {
      memcpy(words.data() + 2, &from, sizeof(from));
    } else {
      bool present = state::read_words(type, from, words.data() + 1);
      if (type.kind == abi::TypeKind::Optional) words.back() = present ? 1 : 0;
    }
    uint64_t growth =
        room_ == Room::OfBudget ? state::own_growth(cell, nullptr, &next.heap(), words.data()) : 0;
    if (growth > 0 && !next.heap().fits(growth)) {
      if (problem_.empty()) problem_ = conversion_.path + ": " + state::no_memory;
      return;
    }
    state::store_own(cell, row + cell.offset, next.heap(), words.data());
  }
}

const char* KeyConverter::run(const state::StoreDesc& old, const uint64_t* key) {
  abi::TypeDescRef record = old_record(conversion_);
  uint32_t offset = conversion_.plan->sources[0].record->fields[0].offset;
  for (size_t i = 0; i < conversion_.inputs.size(); ++i) {
    const KeyConversion::Input& input = conversion_.inputs[i];
    if (input.from == KeyConversion::Input::From::Variable) continue;
    write_key(old.keys[static_cast<size_t>(input.index)], key,
              record_.data() + offset + record->fields[i].offset);
  }
  const std::vector<abi::FieldDesc>& columns = conversion_.plan->sources[0].record->fields;
  MutColumn both[] = {{record_.data() + columns[0].offset, nullptr},
                      {record_.data() + columns[1].offset, nullptr}};
  int64_t time = 0;
  MutBatch batch{};
  batch.abi = abi::abi_number;
  batch.row_count = 1;
  batch.columns = both;
  batch.times = &time;
  instance_.clear_output();
  instance_.batch = &batch;
  MutCursor cursor{0, 1, no_watermark};
  conversion_.kernels.sources[0](&instance_.context(), &batch, &cursor);
  instance_.batch = nullptr;
  if (instance_.sinks()[0].count == 1) return instance_.sinks()[0].rows + sizeof(MutOutHead);
  note(old, key, errors_.kept().empty() ? "no value" : errors_.kept().back().message);
  return nullptr;
}

void KeyConverter::note(const state::StoreDesc& old, const uint64_t* key, const std::string& why) {
  if (problem_.empty()) problem_ = conversion_.path + ": key " + key_text(old, key) + ": " + why;
}

void KeyConverter::check_alone(const state::StoreDesc& old, const uint64_t* from,
                               const state::StoreDesc& next, const uint64_t* to) {
  std::string before = key_text(old, from);
  auto [known, fresh] = taken_.try_emplace(key_text(next, to), before);
  if (fresh || known->second == before) return;
  note(old, from,
       "becomes " + known->first + " as " + known->second +
           " does, and what is kept of the two cannot be merged");
}

}  // namespace mut::runtime
