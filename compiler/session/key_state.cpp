#include "compiler/session/key_state.h"

#include <fast_float/fast_float.h>

#include <charconv>
#include <cstring>
#include <optional>
#include <vector>

#include "runtime/abi/value.h"
#include "runtime/codec/json/writer.h"
#include "runtime/codec/text/time.h"
#include "runtime/decimal/decimal.h"
#include "runtime/state/cells.h"
#include "runtime/state/groups.h"
#include "runtime/state/panes.h"

namespace mut::session {
namespace {

using abi::TypeKind;

// `a,"b, c",d`: between the commas, without blanks around and quotes.
std::vector<std::string> split_key(std::string_view text) {
  std::vector<std::string> out(1);
  bool quoted = false;
  for (char c : text) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      out.emplace_back();
    } else if (quoted || c != ' ' || !out.back().empty()) {
      out.back() += c;
    }
  }
  for (std::string& part : out) {
    while (!part.empty() && part.back() == ' ') part.pop_back();
  }
  return out;
}

template <typename Number>
bool read_number(const std::string& text, uint64_t* words) {
  Number number{};
  auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return false;
  *words = static_cast<uint64_t>(number);
  return true;
}

bool read_time(const std::optional<int64_t>& time, uint64_t* words) {
  if (time) *words = static_cast<uint64_t>(*time);
  return time.has_value();
}

// Words of a scalar; texts point into `text`.
bool read_key(const abi::TypeDesc& type, const std::string& text, uint64_t* words) {
  switch (type.kind) {
    case TypeKind::String:
    case TypeKind::Bytes: {
      MutStr view = abi::make_str(text);
      memcpy(words, &view, sizeof(view));
      return true;
    }
    case TypeKind::Bool:
      *words = text == "true" ? 1 : 0;
      return text == "true" || text == "false";
    case TypeKind::Enum:
      for (size_t i = 0; i < type.values.size(); ++i) {
        *words = i;
        if (type.values[i] == text) return true;
      }
      return false;
    case TypeKind::Decimal: {
      auto units = decimal::parse(text, static_cast<int>(type.scale));
      if (units) memcpy(words, &*units, sizeof(*units));
      return units.has_value();
    }
    case TypeKind::F32:
    case TypeKind::F64: {
      double number = 0;
      auto parsed = fast_float::from_chars(text.data(), text.data() + text.size(), number);
      memcpy(words, &number, 8);
      return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
    }
    case TypeKind::Time:
      return read_time(text::parse_time(text), words);
    case TypeKind::Duration:
      return read_time(text::parse_duration(text), words);
    case TypeKind::U64:
      return read_number<uint64_t>(text, words);
    default:
      return read_number<int64_t>(text, words);
  }
}

// Key words, in the order of the description.
std::optional<std::vector<uint64_t>> read_keys(const state::StoreDesc& desc,
                                               const std::vector<std::string>& parts) {
  std::vector<uint64_t> out(desc.key_words + 1, 0);
  for (size_t i = 0; i < desc.keys.size(); ++i) {
    const state::KeyDesc& key = desc.keys[i];
    const abi::TypeDesc& type = key.optional ? *key.type->element : *key.type;
    if (key.optional && parts[i] == "none") continue;
    if (!read_key(type, parts[i], out.data() + key.word)) return std::nullopt;
    if (key.optional) out[key.word + state::word_count(key.kind)] = 1;
  }
  return out;
}

void add_cell(const state::CellDesc& cell, const char* row, const state::Heap& heap, text::Buffer& out) {
  const abi::TypeDesc& type = *cell.result;
  if (state::gives_list(cell.fn) || cell.fn == state::CellFn::Own) {
    json::append_string("not shown: a cell that keeps values", out);
    return;
  }
  state::CellResult result = state::cell_result(cell, row + cell.offset, heap);
  if (result.overflow || (!result.present && type.kind != TypeKind::Optional)) {
    out.append(result.overflow ? "\"overflow\"" : "null");
    return;
  }
  alignas(16) char value[64] = {};
  if (type.size > sizeof(value)) {
    json::append_string("not shown: " + std::to_string(type.size) + " bytes", out);
    return;
  }
  state::write_result(result, type, value);
  json::append_value(value, type, out);
}

// The cells of the row of a key; `null`: it has none.
void add_row(const state::StoreDesc& desc, state::KeyedTable& table, const uint64_t* key, text::Buffer& out) {
  const char* row = table.find_or_take(key);
  if (row == nullptr) {
    out.append("null");
    return;
  }
  out.append('{');
  for (size_t i = 0; i < desc.cells.size(); ++i) {
    if (i > 0) out.append(',');
    json::append_string(desc.cells[i].name, out);
    out.append(':');
    add_cell(desc.cells[i], row, table.heap(), out);
  }
  out.append('}');
}

}  // namespace

Result<std::string> key_state(state::Store& store, const std::string& key) {
  const state::StoreDesc& desc = store.desc();
  std::vector<std::string> parts = split_key(key);
  bool none = desc.keys.empty();
  if (none && !key.empty()) return Error{"`" + desc.path + "` has no key: it keeps one group of all"};
  if (!none && parts.size() != desc.keys.size()) {
    std::string names;
    for (const state::KeyDesc& of : desc.keys) names += (names.empty() ? "" : ", ") + of.name;
    return Error{"`" + desc.path + "` is by " + names + ": write as many values, with commas between"};
  }
  auto words = read_keys(desc, parts);
  if (!words) return Error{"`" + key + "` is no key of `" + desc.path + "`"};
  text::Buffer out;
  switch (desc.kind) {
    case state::StoreKind::Groups:
    case state::StoreKind::Whole:
    case state::StoreKind::Counts:
      add_row(desc, static_cast<state::GroupStore&>(store).table(), words->data(), out);
      break;
    case state::StoreKind::Panes: {
      bool first = true;
      static_cast<state::PaneStore&>(store).for_each_pane([&](int64_t begin, state::KeyedTable& pane) {
        if (pane.find_or_take(words->data()) == nullptr) return;
        char time[text::time_bytes_max];
        out.append(first ? "{" : ",");
        json::append_string({time, static_cast<size_t>(text::format_time(begin, time) - time)}, out);
        out.append(':');
        add_row(desc, pane, words->data(), out);
        first = false;
      });
      out.append(first ? "null" : "}");
      break;
    }
    default:
      json::append_string("not shown: state of this kind", out);
  }
  return std::string(out.view());
}

}  // namespace mut::session
