#include "compiler/reference/text_functions.h"

#include <clocale>
#include <cmath>
#include <cstring>
#include <cwctype>

namespace mut::reference {

using typed::Builtin;
using typed::Kind;

namespace {

bool starts_code_point(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

std::vector<uint32_t> decode(std::string_view text) {
  std::vector<uint32_t> out;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (!starts_code_point(c)) {
      out.back() = out.back() << 6U | (byte & 0x3FU);
    } else {
      out.push_back(byte < 0x80    ? byte
                    : byte >= 0xF0 ? byte & 0x07U
                    : byte >= 0xE0 ? byte & 0x0FU
                                   : byte & 0x1FU);
    }
  }
  return out;
}

std::string encode(const std::vector<uint32_t>& points) {
  std::string out;
  for (uint32_t point : points) {
    int tail = point < 0x80 ? 0 : point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    constexpr uint32_t leads[] = {0, 0xC0, 0xE0, 0xF0};
    out += static_cast<char>(leads[tail] | point >> (6U * static_cast<unsigned>(tail)));
    for (; tail-- > 0;)
      out += static_cast<char>(0x80U | (point >> (6U * static_cast<unsigned>(tail)) & 0x3FU));
  }
  return out;
}

// The C library's tables of Unicode, independent of the locale of the process.
std::string map_case(std::string_view text, bool upper) {
  static const locale_t unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  std::vector<uint32_t> points = decode(text);
  for (uint32_t& point : points) {
    auto wide = static_cast<wint_t>(point);
    point = static_cast<uint32_t>(upper ? towupper_l(wide, unicode) : towlower_l(wide, unicode));
  }
  return encode(points);
}

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string trim(std::string text) {
  while (!text.empty() && is_blank(text.back())) text.pop_back();
  size_t begin = 0;
  while (begin < text.size() && is_blank(text[begin])) ++begin;
  return text.substr(begin);
}

std::vector<std::string> split(const std::string& text, const std::string& separator) {
  std::vector<std::string> out;
  size_t at = 0;
  size_t found = 0;
  while (!separator.empty() && (found = text.find(separator, at)) != std::string::npos) {
    out.push_back(text.substr(at, found - at));
    at = found + separator.size();
  }
  out.push_back(text.substr(at));
  return out;
}

std::string join(const std::vector<std::string>& parts, const std::string& separator) {
  std::string out;
  for (size_t i = 0; i < parts.size(); ++i) out += (i == 0 ? "" : separator) + parts[i];
  return out;
}

std::string slice(const std::string& text, int64_t from, int64_t to) {
  std::vector<uint32_t> points = decode(text);
  auto size = static_cast<int64_t>(points.size());
  from = std::max<int64_t>(from, 0);
  to = std::min(to, size);
  if (from >= to) return "";
  return encode({points.begin() + from, points.begin() + to});
}

// The value of `hash` is part of the language: 64×64→128 bit products folded, as in wyhash (Wang Yi,
// public domain), over one word or over the bytes of a text.
constexpr uint64_t hash_seed = 0x2545F4914F6CDD1DULL;

uint64_t fold(uint64_t a, uint64_t b) {
  unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

uint64_t hash_bytes(const std::string& text) {
  uint64_t hash = hash_seed ^ 0x9E3779B97F4A7C15ULL ^ text.size();
  for (size_t at = 0; at < text.size(); at += 8) {
    uint64_t word = 0;
    memcpy(&word, text.data() + at, std::min<size_t>(8, text.size() - at));
    hash = fold(hash ^ word, 0xE7037ED1A0B428DBULL);
  }
  return fold(hash ^ 0x8EBC6AF09C88C6E3ULL, hash_seed | 1);
}

int64_t hash(const Value& value) {
  uint64_t word = 0;
  if (value.is_decimal()) {
    auto units = static_cast<unsigned __int128>(units_of(value.as_decimal()));
    uint64_t out = hash_seed;
    for (uint64_t half : {static_cast<uint64_t>(units), static_cast<uint64_t>(units >> 64)}) {
      out = fold(out ^ half, 0xA0761D6478BD642FULL);
      out ^= out >> 32;
    }
    return static_cast<int64_t>((out | 1) >> 1);
  }
  if (value.is_text()) {
    word = hash_bytes(value.as_text());
  } else if (value.is_float()) {
    double number = value.as_float() == 0 ? 0.0 : value.as_float();
    if (std::isnan(number)) number = std::numeric_limits<double>::quiet_NaN();
    memcpy(&word, &number, 8);
  } else {
    word = value.is_bool()       ? static_cast<uint64_t>(value.as_bool())
           : value.is_unsigned() ? value.as_uint()
                                 : static_cast<uint64_t>(value.as_int());
  }
  uint64_t mixed = fold(hash_seed ^ word, 0xA0761D6478BD642FULL);
  return static_cast<int64_t>(((mixed ^ mixed >> 32) | 1) >> 1);
}

}  // namespace

uint64_t spread_hash(const Value& value) {
  auto out = static_cast<uint64_t>(hash(value));
  for (uint64_t factor : {0xFF51AFD7ED558CCDULL, 0xC4CEB9FE1A85EC53ULL}) out = (out ^ out >> 33) * factor;
  out ^= out >> 33;
  return out == 0 ? 1 : out;
}

int64_t code_points(std::string_view text) {
  int64_t count = 0;
  for (char c : text) count += starts_code_point(c) ? 1 : 0;
  return count;
}

Value text_function(Builtin builtin, const std::vector<Value>& args, typed::TypeRef first) {
  if (builtin == Builtin::Hash) return hash(args[0]);
  if (builtin == Builtin::Contains && first->kind == Kind::List) {
    for (const Value& item : args[0].parts()) {
      if (equal(item, args[1])) return true;
    }
    return false;
  }
  if (builtin == Builtin::Len && first->kind == Kind::List)
    return static_cast<int64_t>(args[0].parts().size());
  if (builtin == Builtin::Join) {
    std::vector<std::string> parts;
    for (const Value& part : args[0].parts()) parts.push_back(part.as_text());
    return join(parts, args[1].as_text());
  }
  const std::string& text = args[0].as_text();
  switch (builtin) {
    case Builtin::Len:
      return first->kind == Kind::Bytes ? static_cast<int64_t>(text.size()) : code_points(text);
    case Builtin::Lower:
    case Builtin::Upper:
      return map_case(text, builtin == Builtin::Upper);
    case Builtin::Trim:
      return trim(text);
    case Builtin::Replace:
      return args[1].as_text().empty() ? text : join(split(text, args[1].as_text()), args[2].as_text());
    case Builtin::Contains:
      return text.find(args[1].as_text()) != std::string::npos;
    case Builtin::StartsWith:
      return text.starts_with(args[1].as_text());
    case Builtin::EndsWith:
      return text.ends_with(args[1].as_text());
    case Builtin::Slice:
      return slice(text, args[1].as_int(), args[2].as_int());
    default: {  // split
      Value::Parts parts;
      for (std::string& part : split(text, args[1].as_text())) parts.emplace_back(std::move(part));
      return parts;
    }
  }
}

}  // namespace mut::reference
