// Built-in functions that are more than an instruction: text, lists, time parts.
#include <algorithm>
#include <cstring>
#include <ctime>
#include <vector>

#include "runtime/abi/map_value.h"
#include "runtime/codec/text/time_pattern.h"
#include "runtime/decimal/decimal.h"
#include "runtime/graph/instance.h"
#include "runtime/graph/text_forms.h"
#include "runtime/inline/cells.h"
#include "runtime/inline/hash.h"
#include "runtime/state/cells.h"

namespace mut::runtime {
namespace {

enum class Builtin : uint32_t {
#define MUT_BUILTIN(id, name) id,
#include "runtime/abi/builtins.def"
#undef MUT_BUILTIN
};

constexpr int32_t error_overflow = 1;
constexpr uint64_t hash_seed = 0x2545F4914F6CDD1DULL;  // of hash(): the same in every run

struct Call {
  Instance& instance;
  void* out;
  const void* const* args;
  const uint32_t* types;

  const abi::TypeDesc& type(size_t i) const { return *instance.plan().types[types[i]]; }
  std::string_view text(size_t i) const { return abi::view(*static_cast<const MutStr*>(args[i])); }
  int64_t number(size_t i) const {
    int64_t value;
    memcpy(&value, args[i], 8);
    return value;
  }
  const MutList& list(size_t i) const { return *static_cast<const MutList*>(args[i]); }
  const char* element(size_t i, uint64_t index) const {
    return static_cast<const char*>(list(i).data) + index * type(i).element->size;
  }
  void give(int64_t value) const { memcpy(out, &value, 8); }
  void give(bool value) const { *static_cast<uint8_t*>(out) = value ? 1 : 0; }
  void give(MutStr value) const { memcpy(out, &value, sizeof(value)); }
  void give_copy(std::string_view value) const { give(instance.arena().copy(value)); }
  // A T? result; of a T? it is one itself.
  void give_optional(const abi::TypeDesc& element, const void* value) const {
    if (element.kind == abi::TypeKind::Optional) {
      memset(out, 0, element.size);
      if (value != nullptr) memcpy(out, value, element.size);
      return;
    }
    uint32_t present = element.size;
    memset(out, 0, present + 1);
    if (value == nullptr) return;
    memcpy(out, value, element.size);
    static_cast<char*>(out)[present] = 1;
  }
};

bool values_equal(const abi::TypeDesc& type, const char* a, const char* b);

// The same keys with the same values, in any order.
bool maps_equal(const abi::TypeDesc& type, const MutList& a, const MutList& b) {
  if (a.count != b.count) return false;
  const abi::FieldDesc& value = abi::value_field(type);
  auto entries = [](const MutList& map) { return static_cast<const char*>(map.data); };
  std::vector<uint64_t> a_places = abi::places_by_key(type, entries(a), a.count);
  std::vector<uint64_t> b_places = abi::places_by_key(type, entries(b), b.count);
  for (uint64_t i = 0; i < a.count; ++i) {
    const char* x = abi::entry_at(type, a, a_places[i]);
    const char* y = abi::entry_at(type, b, b_places[i]);
    if (!abi::same_key(abi::key_type(type), x, y)) return false;
    if (!values_equal(*value.type, x + value.offset, y + value.offset)) return false;
  }
  return true;
}

bool values_equal(const abi::TypeDesc& type, const char* a, const char* b) {
  switch (type.kind) {
    case abi::TypeKind::String:
    case abi::TypeKind::Bytes:
    case abi::TypeKind::Json:
      return abi::equal(*reinterpret_cast<const MutStr*>(a), *reinterpret_cast<const MutStr*>(b));
    case abi::TypeKind::F64: {
      double x;
      double y;
      memcpy(&x, a, 8);
      memcpy(&y, b, 8);
      return x == y;
    }
    case abi::TypeKind::F32: {
      float x;
      float y;
      memcpy(&x, a, 4);
      memcpy(&y, b, 4);
      return x == y;
    }
    case abi::TypeKind::Optional:
      if (a[type.present_offset] != b[type.present_offset]) return false;
      return a[type.present_offset] == 0 || values_equal(*type.element, a, b);
    case abi::TypeKind::List: {
      const auto& x = *reinterpret_cast<const MutList*>(a);
      const auto& y = *reinterpret_cast<const MutList*>(b);
      if (x.count != y.count) return false;
      for (uint64_t i = 0; i < x.count; ++i) {
        if (!values_equal(*type.element, static_cast<const char*>(x.data) + i * type.element->size,
                          static_cast<const char*>(y.data) + i * type.element->size)) {
          return false;
        }
      }
      return true;
    }
    case abi::TypeKind::Map:
      return maps_equal(type, *reinterpret_cast<const MutList*>(a), *reinterpret_cast<const MutList*>(b));
    case abi::TypeKind::Record:
      return std::all_of(type.fields.begin(), type.fields.end(), [&](const abi::FieldDesc& field) {
        return values_equal(*field.type, a + field.offset, b + field.offset);
      });
    default:
      return memcmp(a, b, type.size) == 0;
  }
}

void replace_all(const Call& call) {
  std::string_view text = call.text(0);
  std::string_view from = call.text(1);
  std::string_view to = call.text(2);
  if (from.empty()) {
    call.give_copy(text);
    return;
  }
  std::string out;
  size_t at = 0;
  while (true) {
    size_t found = text.find(from, at);
    out.append(text.substr(at, found == std::string_view::npos ? found : found - at));
    if (found == std::string_view::npos) break;
    out.append(to);
    at = found + from.size();
  }
  call.give_copy(out);
}

void split(const Call& call) {
  std::string_view text = call.text(0);
  std::string_view separator = call.text(1);
  std::vector<MutStr> parts;
  size_t at = 0;
  while (!separator.empty()) {
    size_t found = text.find(separator, at);
    if (found == std::string_view::npos) break;
    parts.push_back(abi::make_str(text.substr(at, found - at)));
    at = found + separator.size();
  }
  parts.push_back(abi::make_str(text.substr(at)));
  auto* memory = static_cast<char*>(call.instance.arena().allocate(parts.size() * sizeof(MutStr)));
  memcpy(memory, parts.data(), parts.size() * sizeof(MutStr));
  MutList list{parts.size(), memory};
  memcpy(call.out, &list, sizeof(list));
}

void join(const Call& call) {
  std::string out;
  for (uint64_t i = 0; i < call.list(0).count; ++i) {
    if (i > 0) out += call.text(1);
    out += abi::view(*reinterpret_cast<const MutStr*>(call.element(0, i)));
  }
  call.give_copy(out);
}

int32_t list_sum(const Call& call) {
  const abi::TypeDesc& element = *call.type(0).element;
  if (element.kind == abi::TypeKind::F64) {
    inl::FloatSumCell sum{};
    for (uint64_t i = 0; i < call.list(0).count; ++i) {
      double value;
      memcpy(&value, call.element(0, i), 8);
      add(sum, value);
    }
    double total = value(sum);
    memcpy(call.out, &total, 8);
    return 0;
  }
  if (element.kind == abi::TypeKind::Decimal) {
    inl::DecimalSumCell sum{};
    for (uint64_t i = 0; i < call.list(0).count; ++i) {
      uint64_t words[2];
      state::read_words(element, call.element(0, i), words);
      add(sum, words[0], words[1]);
    }
    auto total = decimal::total({sum.low, sum.middle, sum.high});
    if (!total) return error_overflow;
    memcpy(call.out, &*total, sizeof(*total));
    return 0;
  }
  inl::IntSumCell sum{};
  for (uint64_t i = 0; i < call.list(0).count; ++i) {
    int64_t value;
    memcpy(&value, call.element(0, i), 8);
    add(sum, value);
  }
  if (!fits(sum)) return error_overflow;
  call.give(static_cast<int64_t>(sum.low));
  return 0;
}

void list_extreme(const Call& call, bool largest) {
  const abi::TypeDesc& element = *call.type(0).element;
  const char* best = nullptr;
  for (uint64_t i = 0; i < call.list(0).count; ++i) {
    const char* value = call.element(0, i);
    if (best == nullptr) {
      best = value;
      continue;
    }
    uint64_t a[2];
    uint64_t b[2];
    state::read_words(element, value, a);
    state::read_words(element, best, b);
    int order = state::compare_words(a, b, state::word_kind(element));
    if (largest ? order > 0 : order < 0) best = value;
  }
  call.give_optional(element, best);
}

// The elements of a list with room for more bytes behind them. In place where the list is the newest of the
// arena: what it has stays as it is for all that see it, and nobody sees what comes behind. Else as a copy.
char* grown(const Call& call, const MutList& list, uint64_t element_size, uint64_t more_bytes) {
  uint64_t bytes = list.count * element_size;
  auto* data = static_cast<char*>(const_cast<void*>(list.data));
  if (bytes > 0 && call.instance.arena().extend(data + bytes, more_bytes)) return data;
  auto* memory = static_cast<char*>(call.instance.arena().allocate_growing(bytes + more_bytes));
  if (bytes > 0) memcpy(memory, data, bytes);
  return memory;
}

void append_list(const Call& call, bool many) {
  const abi::TypeDesc& element = *call.type(0).element;
  uint64_t more = many ? call.list(1).count : 1;
  uint64_t bytes = call.list(0).count * element.size;
  char* memory = grown(call, call.list(0), element.size, more * element.size);
  if (more > 0) memcpy(memory + bytes, many ? call.list(1).data : call.args[1], more * element.size);
  MutList list{call.list(0).count + more, memory};
  memcpy(call.out, &list, sizeof(list));
}

// The first list, in the order that the total order gives to the last, which is as long; ties as they stand.
void sort_list(const Call& call, uint32_t count) {
  size_t keys = count - 1;
  const abi::TypeDesc& key = *call.type(keys).element;
  state::WordKind kind = state::word_kind(key);
  uint64_t size = call.type(0).element->size;
  struct Place {
    uint64_t words[2];
    uint64_t index;
  };
  std::vector<Place> places(call.list(0).count);
  for (uint64_t i = 0; i < places.size(); ++i) {
    places[i].index = i;
    state::read_words(key, call.element(keys, i), places[i].words);
  }
  std::stable_sort(places.begin(), places.end(), [&](const Place& a, const Place& b) {
    return state::compare_words(a.words, b.words, kind) < 0;
  });
  auto* memory = static_cast<char*>(call.instance.arena().allocate(places.size() * size));
  for (uint64_t i = 0; i < places.size(); ++i)
    memcpy(memory + i * size, call.element(0, places[i].index), size);
  MutList list{places.size(), memory};
  memcpy(call.out, &list, sizeof(list));
}

void reverse_list(const Call& call) {
  uint64_t size = call.type(0).element->size;
  uint64_t elements = call.list(0).count;
  auto* memory = static_cast<char*>(call.instance.arena().allocate(elements * size));
  for (uint64_t i = 0; i < elements; ++i) memcpy(memory + i * size, call.element(0, elements - 1 - i), size);
  MutList list{elements, memory};
  memcpy(call.out, &list, sizeof(list));
}

// One field of each entry: the keys, or the values.
void list_of_entries(const Call& call, const abi::FieldDesc& field) {
  uint64_t size = field.type->size;
  uint64_t entries = call.list(0).count;
  auto* memory = static_cast<char*>(call.instance.arena().allocate(entries * size));
  for (uint64_t i = 0; i < entries; ++i) memcpy(memory + i * size, call.element(0, i) + field.offset, size);
  MutList list{entries, memory};
  memcpy(call.out, &list, sizeof(list));
}

// A map with the value of one key put in its place, or behind all others.
void put_entry(const Call& call) {
  const abi::TypeDesc& map = call.type(0);
  const abi::FieldDesc& field = abi::value_field(map);
  const auto* key = static_cast<const char*>(call.args[1]);
  MutList list = call.list(0);
  const uint64_t size = map.element->size;
  const char* known = abi::find_value(map, list, key);
  char* place;  // of the value
  if (known != nullptr) {
    auto* memory = static_cast<char*>(call.instance.arena().allocate(list.count * size));
    memcpy(memory, list.data, list.count * size);
    place = memory + (known - static_cast<const char*>(list.data));
    list.data = memory;
  } else {
    char* memory = grown(call, list, size, size);
    char* entry = memory + list.count * size;
    memset(entry, 0, size);
    memcpy(entry + map.element->fields[0].offset, key, abi::key_type(map).size);
    place = entry + field.offset;
    list = {list.count + 1, memory};
  }
  memcpy(place, call.args[2], field.type->size);
  memcpy(call.out, &list, sizeof(list));
}

// A map without a key, which it need not have. Without its first or last entry it lies where it lay.
void remove_entry(const Call& call) {
  const abi::TypeDesc& map = call.type(0);
  MutList list = call.list(0);
  const uint64_t size = map.element->size;
  const auto* data = static_cast<const char*>(list.data);
  const char* value = abi::find_value(map, list, static_cast<const char*>(call.args[1]));
  if (value != nullptr) {
    auto index = static_cast<uint64_t>(value - data) / size;
    --list.count;
    if (index == 0) {
      list.data = data + size;
    } else if (index < list.count) {
      auto* memory = static_cast<char*>(call.instance.arena().allocate(list.count * size));
      memcpy(memory, data, index * size);
      memcpy(memory + index * size, data + (index + 1) * size, (list.count - index) * size);
      list.data = memory;
    }
  }
  memcpy(call.out, &list, sizeof(list));
}

int64_t time_part(Builtin part, int64_t time) {
  int64_t seconds = time / 1'000'000'000;
  if (time % 1'000'000'000 < 0) --seconds;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  switch (part) {
    case Builtin::Year:
      return parts.tm_year + 1900;
    case Builtin::Month:
      return parts.tm_mon + 1;
    case Builtin::Day:
      return parts.tm_mday;
    case Builtin::Hour:
      return parts.tm_hour;
    case Builtin::Minute:
      return parts.tm_min;
    case Builtin::Second:
      return parts.tm_sec;
    default:
      return parts.tm_wday == 0 ? 7 : parts.tm_wday;  // Monday is 1, as in ISO 8601
  }
}

int32_t run(Builtin builtin, const Call& call, uint32_t count) {
  switch (builtin) {
    case Builtin::Hash: {
      uint64_t words[2] = {0, 0};
      const abi::TypeDesc& type = call.type(0);
      state::read_words(type, static_cast<const char*>(call.args[0]), words);
      if (state::word_kind(type) == state::WordKind::Float)
        words[0] = inl::key_word(inl::as_double(words[0]));
      bool text = state::word_kind(type) == state::WordKind::Text;
      uint32_t count_of = state::word_count(state::word_kind(type));
      call.give(static_cast<int64_t>(inl::hash_key(words, count_of, text ? 1 : 0, hash_seed) >> 1));
      return 0;
    }
    case Builtin::Len:
      if (call.type(0).kind == abi::TypeKind::List || call.type(0).kind == abi::TypeKind::Map) {
        call.give(static_cast<int64_t>(call.list(0).count));
      } else if (call.type(0).kind == abi::TypeKind::Bytes) {
        call.give(static_cast<int64_t>(call.text(0).size()));
      } else {
        call.give(code_points(call.text(0)));
      }
      return 0;
    case Builtin::Lower:
    case Builtin::Upper: {
      std::string out;
      map_case(call.text(0), builtin == Builtin::Upper, out);
      call.give_copy(out);
      return 0;
    }
    case Builtin::Trim: {
      std::string_view text = call.text(0);
      while (!text.empty() && (text.front() == ' ' || (text.front() >= '\t' && text.front() <= '\r')))
        text.remove_prefix(1);
      while (!text.empty() && (text.back() == ' ' || (text.back() >= '\t' && text.back() <= '\r')))
        text.remove_suffix(1);
      call.give(abi::make_str(text));
      return 0;
    }
    case Builtin::Replace:
      replace_all(call);
      return 0;
    case Builtin::Contains:
      if (call.type(0).kind == abi::TypeKind::Map) {
        call.give(abi::find_value(call.type(0), call.list(0), static_cast<const char*>(call.args[1])) !=
                  nullptr);
      } else if (call.type(0).kind == abi::TypeKind::List) {
        bool found = false;
        for (uint64_t i = 0; i < call.list(0).count && !found; ++i) {
          found =
              values_equal(*call.type(0).element, call.element(0, i), static_cast<const char*>(call.args[1]));
        }
        call.give(found);
      } else {
        call.give(call.text(0).find(call.text(1)) != std::string_view::npos);
      }
      return 0;
    case Builtin::StartsWith:
      call.give(call.text(0).starts_with(call.text(1)));
      return 0;
    case Builtin::EndsWith:
      call.give(call.text(0).ends_with(call.text(1)));
      return 0;
    case Builtin::Slice:
      call.give(abi::make_str(slice_text(call.text(0), call.number(1), call.number(2))));
      return 0;
    case Builtin::Split:
      split(call);
      return 0;
    case Builtin::Join:
      join(call);
      return 0;
    case Builtin::Get: {
      if (call.type(0).kind == abi::TypeKind::Map) {
        call.give_optional(
            *abi::value_field(call.type(0)).type,
            abi::find_value(call.type(0), call.list(0), static_cast<const char*>(call.args[1])));
        return 0;
      }
      int64_t index = call.number(1);
      bool inside = index >= 0 && static_cast<uint64_t>(index) < call.list(0).count;
      call.give_optional(*call.type(0).element,
                         inside ? call.element(0, static_cast<uint64_t>(index)) : nullptr);
      return 0;
    }
    case Builtin::ListSum:
      return list_sum(call);
    case Builtin::ListFirst:
      call.give_optional(*call.type(0).element, call.list(0).count > 0 ? call.element(0, 0) : nullptr);
      return 0;
    case Builtin::ListLast:
      call.give_optional(*call.type(0).element,
                         call.list(0).count > 0 ? call.element(0, call.list(0).count - 1) : nullptr);
      return 0;
    case Builtin::ListMin:
    case Builtin::ListMax:
      list_extreme(call, builtin == Builtin::ListMax);
      return 0;
    case Builtin::Append:
    case Builtin::Concat:
      append_list(call, builtin == Builtin::Concat);
      return 0;
    case Builtin::ListSort:
      sort_list(call, count);
      return 0;
    case Builtin::Reverse:
      reverse_list(call);
      return 0;
    case Builtin::MapKeys:
    case Builtin::MapValues:
      list_of_entries(call, call.type(0).element->fields[builtin == Builtin::MapKeys ? 0 : 1]);
      return 0;
    case Builtin::MapPut:
      put_entry(call);
      return 0;
    case Builtin::MapRemove:
      remove_entry(call);
      return 0;
    default:
      call.give(time_part(builtin, call.number(0)));
      return 0;
  }
}

}  // namespace
}  // namespace mut::runtime

using mut::runtime::Instance;

extern "C" {

int32_t mut_call(MutContext* ctx, uint32_t builtin, void* out, const void* const* args, const uint32_t* types,
                 uint32_t count) {
  auto& instance = *static_cast<Instance*>(ctx->runtime);
  return mut::runtime::run(static_cast<mut::runtime::Builtin>(builtin), {instance, out, args, types}, count);
}

int32_t mut_list_equal(MutContext* ctx, uint32_t type, const void* a, const void* b) {
  auto& instance = *static_cast<Instance*>(ctx->runtime);
  return mut::runtime::values_equal(*instance.plan().types[type], static_cast<const char*>(a),
                                    static_cast<const char*>(b))
             ? 1
             : 0;
}

const void* mut_map_find(MutContext* ctx, uint32_t type, const MutList* map, const void* key) {
  auto& instance = *static_cast<Instance*>(ctx->runtime);
  return mut::abi::find_value(*instance.plan().types[type], *map, static_cast<const char*>(key));
}

uint64_t mut_map_unite(MutContext* ctx, uint32_t type, void* entries, uint64_t count) {
  auto& instance = *static_cast<Instance*>(ctx->runtime);
  return mut::abi::unite_keys(*instance.plan().types[type], static_cast<char*>(entries), count);
}

void mut_text_join(MutContext* ctx, uint64_t count, const MutStr* parts, MutStr* out) {
  auto& arena = static_cast<Instance*>(ctx->runtime)->arena();
  uint64_t size = 0;
  for (uint64_t i = 0; i < count; ++i) size += parts[i].size;
  auto* memory = static_cast<char*>(arena.allocate(size + 1));
  char* to = memory;
  for (uint64_t i = 0; i < count; ++i) {
    if (parts[i].size > 0) memcpy(to, parts[i].data, parts[i].size);
    to += parts[i].size;
  }
  *out = mut::abi::make_str(memory, static_cast<uint32_t>(size));
}

void mut_format(MutContext* ctx, uint32_t type, const char* spec, uint64_t spec_size, const void* value,
                MutStr* out) {
  auto& instance = *static_cast<Instance*>(ctx->runtime);
  std::string text;
  mut::runtime::format_value(*instance.plan().types[type], value, {spec, spec_size}, text);
  *out = instance.arena().copy(text);
}

int32_t mut_parse_time(const MutStr* text, const char* pattern, uint64_t pattern_bytes, int64_t year,
                       int64_t* out) {
  auto time = mut::text::parse_time_as(mut::abi::view(*text), {pattern, pattern_bytes}, year);
  *out = time.value_or(0);
  return time ? 1 : 0;
}

int64_t mut_to_local(MutContext* ctx, uint32_t zone, int64_t time) {
  return static_cast<Instance*>(ctx->runtime)->plan().zones[zone]->to_local(time);
}
int64_t mut_from_local(MutContext* ctx, uint32_t zone, int64_t local) {
  return static_cast<Instance*>(ctx->runtime)->plan().zones[zone]->from_local(local);
}

int32_t mut_cast(MutContext* ctx, uint32_t from, uint32_t to, const void* value, void* out) {
  auto& instance = *static_cast<Instance*>(ctx->runtime);
  return mut::runtime::cast_value(*instance.plan().types[from], value, *instance.plan().types[to], out,
                                  instance.arena())
             ? 1
             : 0;
}

}  // extern "C"
