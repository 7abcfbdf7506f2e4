#include "compiler/reference/value.h"

#include <cmath>
#include <compare>
#include <map>

namespace mut::reference {

using typed::Kind;

Value from_const(const typed::Const& value, typed::TypeRef type) {
  if (value.is_none()) return {};
  switch (type->kind) {
    case Kind::Optional:
    case Kind::Secret:
      return from_const(value, type->element);
    case Kind::Map: {
      Value::Parts entries;
      for (const typed::Const& entry : value.parts()) entries.push_back(from_const(entry, type->element));
      return map_of(entries);
    }
    case Kind::Bool:
      return value.as_bool();
    case Kind::Float:
    case Kind::F32:
      return value.as_float();
    case Kind::U64:
      return static_cast<uint64_t>(value.as_int());
    case Kind::Decimal:
      return Decimal::of_units(value.as_decimal(), type->scale);
    case Kind::String:
    case Kind::Bytes:
    case Kind::Json:
      return value.as_text();
    case Kind::List:
    case Kind::Record: {
      Value::Parts parts;
      for (size_t i = 0; i < value.parts().size(); ++i) {
        parts.push_back(
            from_const(value.parts()[i], type->kind == Kind::List ? type->element : type->fields[i].type));
      }
      return parts;
    }
    default:
      return value.as_int();
  }
}

namespace {

template <typename T>
int order(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

int order_floats(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return order(std::isnan(a), std::isnan(b));
  return order(a, b);
}

}  // namespace

int total_order(const Value& a, const Value& b) {
  if (a.is_none() || b.is_none()) return order(a.is_none(), b.is_none());
  switch (a.kind()) {
    case 1:
      return order(a.as_bool(), b.as_bool());
    case 2:
      return order(a.as_int(), b.as_int());
    case 3:
      return order(a.as_uint(), b.as_uint());
    case 4:
      return order_floats(a.as_float(), b.as_float());
    case 5:
      return order(a.as_text().compare(b.as_text()), 0);
    case 7:
      return compare(a.as_decimal(), b.as_decimal());
    default:
      for (size_t i = 0; i < a.parts().size() && i < b.parts().size(); ++i) {
        if (int part = total_order(a.parts()[i], b.parts()[i]); part != 0) return part;
      }
      return order(a.parts().size(), b.parts().size());
  }
}

Value map_of(const Value::Parts& entries) {
  Value::Parts out;
  std::map<Key, size_t, KeyLess> places;
  for (const Value& entry : entries) {
    auto [place, fresh] = places.emplace(Key{entry.parts()[0]}, out.size());
    if (fresh) {
      out.push_back(entry);
    } else {
      out[place->second] = Value::Parts{out[place->second].parts()[0], entry.parts()[1]};
    }
  }
  return Value::Entries{std::move(out)};
}

const Value* find_in_map(const Value& map, const Value& key) {
  for (const Value& entry : map.entries()) {
    if (total_order(entry.parts()[0], key) == 0) return &entry.parts()[1];
  }
  return nullptr;
}

bool equal(const Value& a, const Value& b) {
  if (a.is_none() || b.is_none()) return a.is_none() && b.is_none();
  if (a.is_int() && b.is_float()) return compare_exact(a.as_int(), b.as_float()) == 0;
  if (a.is_float() && b.is_int()) return compare_exact(b.as_int(), a.as_float()) == 0;
  if (a.is_float()) return a.as_float() == b.as_float();
  if (a.is_map()) {
    if (a.entries().size() != b.entries().size()) return false;
    std::map<Key, Value, KeyLess> other;
    for (const Value& entry : b.entries()) other.emplace(Key{entry.parts()[0]}, entry.parts()[1]);
    for (const Value& entry : a.entries()) {
      auto found = other.find(Key{entry.parts()[0]});
      if (found == other.end() || !equal(entry.parts()[1], found->second)) return false;
    }
    return true;
  }
  if (a.kind() != 6) return total_order(a, b) == 0;
  if (a.parts().size() != b.parts().size()) return false;
  for (size_t i = 0; i < a.parts().size(); ++i) {
    if (!equal(a.parts()[i], b.parts()[i])) return false;
  }
  return true;
}

std::partial_ordering compare_exact(int64_t a, double b) {
  if (std::isnan(b)) return std::partial_ordering::unordered;
  // 64 bits of mantissa hold every int64 and every double of that size exactly.
  static_assert(sizeof(long double) >= 10, "the reference needs x87 or wider long doubles");
  return static_cast<long double>(a) <=> static_cast<long double>(b);
}

bool KeyLess::operator()(const std::vector<Value>& a, const std::vector<Value>& b) const {
  for (size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (int part = total_order(a[i], b[i]); part != 0) return part < 0;
  }
  return a.size() < b.size();
}

}  // namespace mut::reference
