#include "compiler/session/test/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "compiler/reference/decode.h"
#include "compiler/reference/json.h"

namespace mut::session {

using reference::Json;
using reference::Value;
using sema::TestValue;
using typed::Kind;
using typed::TypeRef;

namespace {

// Rule 12.5, and 8.19 for `exactly`: relative.
constexpr double tolerance = 1e-9;
constexpr double tolerance_exactly = 1e-12;
constexpr size_t rows_shown_max = 10;

TypeRef plain(TypeRef type) { return type->kind == Kind::Optional ? type->element : type; }

std::string json_of(const TestValue& value) {
  switch (value.form) {
    case TestValue::Form::Record: {
      std::string out = "{";
      for (size_t i = 0; i < value.parts.size(); ++i) {
        if (value.parts[i].form == TestValue::Form::Unnamed) continue;
        const typed::Field& field = value.type->fields[i];
        out += (out.size() > 1 ? "," : "") +
               reference::quote_json(field.input_name.empty() ? field.name : field.input_name) + ":" +
               json_of(value.parts[i]);
      }
      return out + "}";
    }
    case TestValue::Form::List: {
      std::string out = "[";
      for (const TestValue& part : value.parts) out += (out.size() > 1 ? "," : "") + json_of(part);
      return out + "]";
    }
    default:
      return reference::to_json(reference::from_const(value.value, value.type), value.type);
  }
}

bool same_float(double a, double b, ast::ExpectMode mode) {
  double within = mode == ast::ExpectMode::Exactly ? tolerance_exactly : tolerance;
  if (a == b || (std::isnan(a) && std::isnan(b))) return true;
  return std::abs(a - b) <= within * std::max(std::abs(a), std::abs(b));
}

// `a`: as expected; what it does not name is not looked at.
bool same_json(const Json& a, const Json& b, ast::ExpectMode mode) {
  if (a.kind != b.kind) return false;
  bool complete = a.kind != Json::Kind::Record || mode == ast::ExpectMode::Exactly;
  if (complete && a.items.size() != b.items.size()) return false;
  switch (a.kind) {
    case Json::Kind::Null:
      return true;
    case Json::Kind::Bool:
      return a.truth == b.truth;
    case Json::Kind::Text:
      return a.text == b.text;
    case Json::Kind::Number:
      return a.text == b.text ||
             same_float(std::strtod(a.text.c_str(), nullptr), std::strtod(b.text.c_str(), nullptr), mode);
    case Json::Kind::List:
      for (size_t i = 0; i < a.items.size(); ++i) {
        if (!same_json(a.items[i], b.items[i], mode)) return false;
      }
      return true;
    case Json::Kind::Record:
      for (size_t i = 0; i < a.items.size(); ++i) {
        const Json* other = b.find(a.names[i]);
        if (other == nullptr || !same_json(a.items[i], *other, mode)) return false;
      }
      return true;
  }
  return false;
}

std::optional<std::string> difference(const Pattern& pattern, const Value& value, TypeRef type,
                                      ast::ExpectMode mode);

// In any order.
std::optional<std::string> map_difference(const Value& wanted, const Value& got, TypeRef map,
                                          ast::ExpectMode mode) {
  if (wanted.entries().size() != got.entries().size()) return "";
  for (const Value& entry : wanted.entries()) {
    const Value* other = reference::find_in_map(got, entry.parts()[0]);
    Pattern inside;
    inside.form = Pattern::Form::Value;
    inside.value = entry.parts()[1];
    if (other == nullptr || difference(inside, *other, map->value(), mode)) return "";
  }
  return std::nullopt;
}

// Where a value is not as the pattern says: a path of fields, "" for the value itself. Empty: it fits.
std::optional<std::string> difference(const Pattern& pattern, const Value& value, TypeRef type,
                                      ast::ExpectMode mode) {
  if (pattern.form == Pattern::Form::Anything) return std::nullopt;
  if (value.is_none()) {
    bool none = pattern.form == Pattern::Form::Value && pattern.value.is_none();
    return none ? std::nullopt : std::optional<std::string>("");
  }
  type = plain(type);
  auto unless = [](bool fits) { return fits ? std::nullopt : std::optional<std::string>(""); };
  switch (pattern.form) {
    case Pattern::Form::Record:
      for (size_t i = 0; i < pattern.parts.size(); ++i) {
        auto inside = difference(pattern.parts[i], value.parts()[i], type->fields[i].type, mode);
        if (inside) return type->fields[i].name + (inside->empty() ? "" : "." + *inside);
      }
      return std::nullopt;
    case Pattern::Form::List:
      if (pattern.parts.size() != value.parts().size()) return "";
      for (size_t i = 0; i < pattern.parts.size(); ++i) {
        auto inside = difference(pattern.parts[i], value.parts()[i], type->element, mode);
        if (inside) return "[" + std::to_string(i) + "]" + (inside->empty() ? "" : "." + *inside);
      }
      return std::nullopt;
    case Pattern::Form::Json: {
      auto wanted = reference::parse_json(pattern.value.as_text());
      auto got = reference::parse_json(value.as_text());
      return unless(wanted && got && same_json(*wanted, *got, mode));
    }
    default:
      break;
  }
  if (pattern.value.is_none()) return "";
  if (type->kind == Kind::Map) return map_difference(pattern.value, value, type, mode);
  if (type->kind == Kind::F32)
    return unless(same_float(static_cast<float>(pattern.value.as_float()), value.as_float(), mode));
  if (type->kind == Kind::Float) return unless(same_float(pattern.value.as_float(), value.as_float(), mode));
  return unless(reference::equal(pattern.value, value));
}

std::optional<Value> map_read_back(const Json& json, TypeRef map);

// A value that a sink printed. Unlike an input's, `json` may be null; and a row from before an edit may lack
// a field of the version that the test speaks of, which is then none.
std::optional<Value> read_back(const Json& json, TypeRef type) {
  TypeRef inner = plain(type);
  if (inner->kind == Kind::Json) return Value(json.raw);
  if (typed::has_secret(inner) && inner->kind != Kind::Record) return Value();  // shown to nobody
  if (inner->kind == Kind::Map && json.kind == Json::Kind::Record) return map_read_back(json, inner);
  bool nested = (inner->kind == Kind::Record && json.kind == Json::Kind::Record) ||
                (inner->kind == Kind::List && json.kind == Json::Kind::List);
  if (!nested) return reference::value_of(json, type, text::TimeUnit::Milli);
  Value::Parts parts;
  bool record = inner->kind == Kind::Record;
  size_t count = record ? inner->fields.size() : json.items.size();
  for (size_t i = 0; i < count; ++i) {
    const Json* item = record ? json.find(inner->fields[i].name) : &json.items[i];
    auto part = item == nullptr ? std::optional(Value())
                                : read_back(*item, record ? inner->fields[i].type : inner->element);
    if (!part) return std::nullopt;
    parts.push_back(std::move(*part));
  }
  return Value(std::move(parts));
}

std::optional<Value> map_read_back(const Json& json, TypeRef map) {
  Value::Parts entries;
  for (size_t i = 0; i < json.items.size(); ++i) {
    auto key = reference::value_of_cell(json.names[i], map->key(), text::TimeUnit::Milli);
    auto value = read_back(json.items[i], map->value());
    if (!key || !value) return std::nullopt;
    entries.emplace_back(Value::Parts{std::move(*key), std::move(*value)});
  }
  return Value(Value::Entries{std::move(entries)});
}

std::optional<Pattern> pattern_of_value(const Json& json, TypeRef type) {
  Pattern out;
  TypeRef inner = plain(type);
  if (inner->kind == Kind::Record && json.kind == Json::Kind::Record) {
    out.form = Pattern::Form::Record;
    out.parts.resize(inner->fields.size());
    for (size_t i = 0; i < json.items.size(); ++i) {
      int index = inner->field_index(json.names[i]);
      auto part = index < 0 ? std::nullopt
                            : pattern_of_value(json.items[i], inner->fields[static_cast<size_t>(index)].type);
      if (!part) return std::nullopt;
      out.parts[static_cast<size_t>(index)] = std::move(*part);
    }
    return out;
  }
  auto value = reference::value_of(json, type, text::TimeUnit::Milli);
  if (!value) return std::nullopt;
  out.form = inner->kind == Kind::Json && !value->is_none() ? Pattern::Form::Json : Pattern::Form::Value;
  out.value = std::move(*value);
  return out;
}

// Each expected row to an actual one of its own, as many as can be: augmenting paths, so that a row that
// names few fields does not take the only one that fits another.
class Pairing {
 public:
  Pairing(size_t expected, size_t got, std::function<bool(size_t, size_t)> fits)
      : fits_(std::move(fits)), of_expected(expected, none), of_got(got, none) {
    for (size_t i = 0; i < expected; ++i) {
      std::vector<char> seen(got, 0);
      if (!place(i, seen)) lost.push_back(i);
    }
  }

 private:
  static constexpr size_t none = static_cast<size_t>(-1);
  bool place(size_t row, std::vector<char>& seen) {
    for (size_t step = 0; step < of_got.size(); ++step) {
      size_t at = (row + step) % of_got.size();  // most rows come where they are expected
      if (seen[at] || !fits_(row, at)) continue;
      seen[at] = 1;
      if (of_got[at] != none && !place(of_got[at], seen)) continue;
      of_got[at] = row;
      of_expected[row] = at;
      return true;
    }
    return false;
  }
  std::function<bool(size_t, size_t)> fits_;

 public:
  std::vector<size_t> of_expected;
  std::vector<size_t> of_got;
  std::vector<size_t> lost;
  std::vector<size_t> left() const {
    std::vector<size_t> out;
    for (size_t i = 0; i < of_got.size(); ++i) {
      if (of_got[i] == none) out.push_back(i);
    }
    return out;
  }
};

std::string row_count(size_t count) { return std::to_string(count) + (count == 1 ? " row" : " rows"); }

}  // namespace

std::string json_line(const TestValue& row) { return json_of(row); }

Pattern pattern_of(const TestValue& row) {
  Pattern out;
  switch (row.form) {
    case TestValue::Form::Unnamed:
      break;
    case TestValue::Form::Scalar:
      out.form = Pattern::Form::Value;
      out.value = reference::from_const(row.value, row.type);
      break;
    case TestValue::Form::Json:
      out.form = Pattern::Form::Json;
      out.value = json_of(row);
      break;
    case TestValue::Form::List:
    case TestValue::Form::Record:
      out.form = row.form == TestValue::Form::List ? Pattern::Form::List : Pattern::Form::Record;
      for (const TestValue& part : row.parts) out.parts.push_back(pattern_of(part));
      break;
  }
  return out;
}

std::optional<Pattern> pattern_of_json(const std::string& line, TypeRef record, std::string& problem) {
  auto json = reference::parse_json(line);
  if (!json || json->kind != Json::Kind::Record) {
    problem = "no JSON object";
    return std::nullopt;
  }
  for (size_t i = 0; i < json->names.size(); ++i) {
    int index = record->field_index(json->names[i]);
    if (index < 0) {
      problem = "there is no field `" + json->names[i] + "`";
      return std::nullopt;
    }
    TypeRef type = record->fields[static_cast<size_t>(index)].type;
    if (!pattern_of_value(json->items[i], type)) {
      problem = "field `" + json->names[i] + "` is no `" + type->text + "`";
      return std::nullopt;
    }
  }
  return pattern_of_value(*json, record);
}

std::string compare_rows(const std::vector<Pattern>& expected, const std::vector<std::string>& got,
                         const ExpectedRows& how) {
  std::vector<Value> values;
  for (const std::string& row : got) {
    auto json = reference::parse_json(row);
    auto value = json ? read_back(*json, how.record) : std::nullopt;
    if (!value) return "  a row that cannot be read back: " + row + "\n";
    values.push_back(std::move(*value));
  }
  auto differs = [&](size_t row, size_t at) {
    return difference(expected[row], values[at], how.record, how.mode);
  };
  std::vector<size_t> lost;
  std::vector<size_t> left;
  if (how.mode == ast::ExpectMode::InOrder) {
    size_t same = 0;
    while (same < expected.size() && same < got.size() && !differs(same, same)) ++same;
    for (size_t i = same; i < expected.size(); ++i) lost.push_back(i);
    for (size_t i = same; i < got.size(); ++i) left.push_back(i);
  } else {
    Pairing pairs(expected.size(), got.size(),
                  [&](size_t row, size_t at) { return !differs(row, at).has_value(); });
    lost = pairs.lost;
    left = pairs.left();
  }
  if (lost.empty() && left.empty()) return "";
  std::string out =
      fmt::format("  {} expected, {} came\n", row_count(expected.size()), row_count(got.size()));
  if (how.mode == ast::ExpectMode::InOrder)
    out = fmt::format("  {} expected in order, {} came; from row {} on:\n", row_count(expected.size()),
                      row_count(got.size()), (lost.empty() ? left[0] : lost[0]) + 1);
  for (size_t i = 0; i < lost.size() && i < rows_shown_max; ++i)
    out += "  expected  " + expected[lost[i]].text + "\n";
  if (lost.size() > rows_shown_max) out += fmt::format("  … {} more\n", lost.size() - rows_shown_max);
  for (size_t i = 0; i < left.size() && i < rows_shown_max; ++i) out += "  got       " + got[left[i]] + "\n";
  if (left.size() > rows_shown_max) out += fmt::format("  … {} more\n", left.size() - rows_shown_max);
  bool one_each = !lost.empty() && !left.empty() &&
                  (how.mode == ast::ExpectMode::InOrder || (lost.size() == 1 && left.size() == 1));
  if (one_each) {
    auto path = differs(lost[0], left[0]);
    if (path && !path->empty()) out += "  differs in `" + *path + "`\n";
  }
  return out;
}

}  // namespace mut::session
