#include "runtime/graph/text_forms.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <ctime>

#include "runtime/codec/json/value.h"
#include "runtime/codec/text/number.h"
#include "runtime/codec/text/time.h"
#include "runtime/decimal/decimal.h"

namespace mut::runtime {

using abi::TypeDesc;
using abi::TypeKind;

namespace {

bool starts_code_point(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

template <typename T>
T load(const void* value) {
  T out;
  memcpy(&out, value, sizeof(out));
  return out;
}

struct Number {
  bool floating = false;
  bool is_unsigned = false;
  int64_t whole = 0;  // u64 by its bits
  double real = 0;
};

bool read_number(const TypeDesc& type, const void* value, Number& out) {
  switch (type.kind) {
    case TypeKind::I8:
      out.whole = load<int8_t>(value);
      return true;
    case TypeKind::I16:
      out.whole = load<int16_t>(value);
      return true;
    case TypeKind::I32:
      out.whole = load<int32_t>(value);
      return true;
    case TypeKind::I64:
      out.whole = load<int64_t>(value);
      return true;
    case TypeKind::U8:
      out.whole = load<uint8_t>(value);
      return true;
    case TypeKind::U16:
      out.whole = load<uint16_t>(value);
      return true;
    case TypeKind::U32:
      out.whole = load<uint32_t>(value);
      return true;
    case TypeKind::U64:
      out.whole = load<int64_t>(value);
      out.is_unsigned = true;
      return true;
    case TypeKind::F32:
      out.floating = true;
      out.real = load<float>(value);
      return true;
    case TypeKind::F64:
      out.floating = true;
      out.real = load<double>(value);
      return true;
    default:
      return false;
  }
}

// A whole number into an integer type; false when it does not fit.
bool write_whole(const TypeDesc& type, int64_t whole, bool is_unsigned, void* out) {
  bool negative = !is_unsigned && whole < 0;
  auto magnitude = static_cast<uint64_t>(whole);
  auto put = [&](auto sample, int64_t least, uint64_t most) {
    if (negative ? whole < least : magnitude > most) return false;
    sample = static_cast<decltype(sample)>(whole);
    memcpy(out, &sample, sizeof(sample));
    return true;
  };
  switch (type.kind) {
    case TypeKind::I8:
      return put(int8_t{}, INT8_MIN, INT8_MAX);
    case TypeKind::I16:
      return put(int16_t{}, INT16_MIN, INT16_MAX);
    case TypeKind::I32:
      return put(int32_t{}, INT32_MIN, INT32_MAX);
    case TypeKind::I64:
      return put(int64_t{}, INT64_MIN, INT64_MAX);
    case TypeKind::U8:
      return put(uint8_t{}, 0, UINT8_MAX);
    case TypeKind::U16:
      return put(uint16_t{}, 0, UINT16_MAX);
    case TypeKind::U32:
      return put(uint32_t{}, 0, UINT32_MAX);
    case TypeKind::U64:
      return put(uint64_t{}, 0, UINT64_MAX);
    default:
      return false;
  }
}

bool cast_number(const Number& number, const TypeDesc& to, void* out) {
  if (to.kind == TypeKind::F64) {
    double real = number.floating      ? number.real
                  : number.is_unsigned ? static_cast<double>(static_cast<uint64_t>(number.whole))
                                       : static_cast<double>(number.whole);
    memcpy(out, &real, 8);
    return true;
  }
  if (to.kind == TypeKind::F32) {
    // Not by way of a double, which would round a whole number before anyone could see the loss.
    long double exact = number.floating      ? static_cast<long double>(number.real)
                        : number.is_unsigned ? static_cast<long double>(static_cast<uint64_t>(number.whole))
                                             : static_cast<long double>(number.whole);
    auto narrow = static_cast<float>(exact);
    memcpy(out, &narrow, 4);
    return std::isnan(exact) || static_cast<long double>(narrow) == exact;
  }
  if (!number.floating) return write_whole(to, number.whole, number.is_unsigned, out);
  if (!(number.real == std::trunc(number.real))) return false;  // NaN too
  if (to.kind == TypeKind::U64 && number.real >= 0 && number.real < 18446744073709551616.0) {
    return write_whole(to, static_cast<int64_t>(static_cast<uint64_t>(number.real)), true, out);
  }
  if (!(number.real >= -9223372036854775808.0 && number.real < 9223372036854775808.0)) return false;
  return write_whole(to, static_cast<int64_t>(number.real), false, out);
}

bool write_units(std::optional<decimal::Units> units, void* out) {
  if (units) memcpy(out, &*units, sizeof(*units));
  return units.has_value();
}

int scale_of(const TypeDesc& type) { return static_cast<int>(type.scale); }

// Without loss only (rule 3.7). A float is what it is printed as.
bool cast_to_decimal(const Number& number, const TypeDesc& to, void* out) {
  if (number.floating) return write_units(decimal::from_double(number.real, scale_of(to)), out);
  decimal::Units whole =
      number.is_unsigned ? decimal::Units{static_cast<uint64_t>(number.whole)} : number.whole;
  return write_units(decimal::rescale(whole, 0, scale_of(to), decimal::Rounding::Exact), out);
}

bool cast_decimal(const TypeDesc& from, decimal::Units units, const TypeDesc& to, void* out) {
  if (to.kind == TypeKind::Decimal) {
    return write_units(decimal::rescale(units, scale_of(from), scale_of(to), decimal::Rounding::Exact), out);
  }
  if (to.kind == TypeKind::F64 || to.kind == TypeKind::F32) {
    double real = decimal::to_double(units, scale_of(from));
    auto narrow = static_cast<float>(real);
    if (to.kind == TypeKind::F32) real = narrow;
    if (decimal::from_double(real, scale_of(from)) != units) return false;
    if (to.kind == TypeKind::F32) {
      memcpy(out, &narrow, 4);
    } else {
      memcpy(out, &real, 8);
    }
    return true;
  }
  auto whole = decimal::rescale(units, scale_of(from), 0, decimal::Rounding::Exact);
  if (!whole || *whole > UINT64_MAX || *whole < INT64_MIN) return false;
  return write_whole(to, static_cast<int64_t>(*whole), *whole > 0, out);
}

bool cast_text(std::string_view text, const TypeDesc& to, void* out) {
  switch (to.kind) {
    case TypeKind::Bool:
      if (text != "true" && text != "false") return false;
      *static_cast<uint8_t*>(out) = text == "true" ? 1 : 0;
      return true;
    case TypeKind::Time:
    case TypeKind::Duration: {
      auto value = to.kind == TypeKind::Time ? text::parse_time(text) : text::parse_duration(text);
      if (value) memcpy(out, &*value, 8);
      return value.has_value();
    }
    case TypeKind::Enum:
      for (size_t i = 0; i < to.values.size(); ++i) {
        if (to.values[i] != text) continue;
        auto index = static_cast<int32_t>(i);
        memcpy(out, &index, 4);
        return true;
      }
      return false;
    case TypeKind::F64:
    case TypeKind::F32: {
      if (to.kind == TypeKind::F32) {
        auto value = text::parse_float32(text);
        if (value) memcpy(out, &*value, 4);
        return value.has_value();
      }
      auto value = text::parse_float(text);
      if (value) memcpy(out, &*value, 8);
      return value.has_value();
    }
    case TypeKind::Decimal:
      return write_units(decimal::parse(text, scale_of(to)), out);
    case TypeKind::U64: {
      auto value = text::parse_uint(text);
      if (value) memcpy(out, &*value, 8);
      return value.has_value();
    }
    default: {
      auto value = text::parse_int(text);
      return value && write_whole(to, *value, false, out);
    }
  }
}

void append_plain(const TypeDesc& type, const void* value, std::string& out) {
  char buffer[64];
  Number number;
  if (read_number(type, value, number)) {
    char* end = type.kind == TypeKind::F32 ? text::format_float32(load<float>(value), buffer)
                : number.floating          ? text::format_float(number.real, buffer)
                : number.is_unsigned       ? text::format_uint(static_cast<uint64_t>(number.whole), buffer)
                                           : text::format_int(number.whole, buffer);
    out.append(buffer, end);
    return;
  }
  switch (type.kind) {
    case TypeKind::Bool:
      out += load<uint8_t>(value) != 0 ? "true" : "false";
      return;
    case TypeKind::Time:
      out.append(buffer, text::format_time(load<int64_t>(value), buffer));
      return;
    case TypeKind::Duration:
      out.append(buffer, text::format_duration(load<int64_t>(value), buffer));
      return;
    case TypeKind::Decimal:
      out.append(buffer, decimal::format(load<decimal::Units>(value), scale_of(type), buffer));
      return;
    case TypeKind::Enum:
      out += type.values[static_cast<size_t>(load<int32_t>(value))];
      return;
    default:
      out += abi::view(load<MutStr>(value));
  }
}

struct Spec {
  char align = 0;
  size_t width = 0;
  bool commas = false;
  int digits = -1;
  char kind = 0;
};

Spec parse_spec(std::string_view text) {
  Spec out;
  size_t at = 0;
  if (at < text.size() && (text[at] == '<' || text[at] == '>' || text[at] == '^')) out.align = text[at++];
  while (at < text.size() && text[at] >= '0' && text[at] <= '9' && out.width < 1000)
    out.width = out.width * 10 + static_cast<size_t>(text[at++] - '0');
  if (at < text.size() && text[at] == ',') {
    out.commas = true;
    ++at;
  }
  if (at < text.size() && text[at] == '.') {
    out.digits = 0;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9' && out.digits < 100; ++at)
      out.digits = out.digits * 10 + (text[at] - '0');
  }
  if (at < text.size()) out.kind = text[at];
  return out;
}

void add_commas(std::string& digits) {
  size_t begin = !digits.empty() && digits[0] == '-' ? 1 : 0;
  size_t end = digits.find_first_of(".e", begin);
  if (end == std::string::npos) end = digits.size();
  for (size_t at = end; at > begin + 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
}

// With that many digits behind the point, halves to even.
void append_decimal(decimal::Units units, int scale, int digits, std::string& out) {
  char buffer[decimal::bytes_max + 2];
  int kept = std::min(digits, scale);
  // Fewer digits: there is one that rounds to it.
  units = decimal::rescale(units, scale, kept, decimal::Rounding::HalfEven).value_or(units);
  out.append(buffer, decimal::format(units, kept, buffer));
  if (digits > 0 && kept == 0) out += '.';
  out.append(static_cast<size_t>(digits - kept), '0');
}

std::string format_decimal(decimal::Units units, int scale, const Spec& spec) {
  std::string out;
  if (spec.kind == 'e') {
    double real = decimal::to_double(units, scale);
    return spec.digits < 0 ? fmt::format("{:e}", real) : fmt::format("{:.{}e}", real, spec.digits);
  }
  if (spec.kind == '%') {  // the point two places on
    int digits = std::max(spec.digits, 0);
    if (scale >= 2) {
      append_decimal(units, scale - 2, digits, out);
    } else {
      append_decimal(units, 0, 0, out);
      if (units != 0) out.append(static_cast<size_t>(2 - scale), '0');
      if (digits > 0) out.append(1, '.').append(static_cast<size_t>(digits), '0');
    }
    return out + '%';
  }
  append_decimal(units, scale, spec.digits < 0 ? scale : spec.digits, out);
  return out;
}

}  // namespace

int64_t code_points(std::string_view text) {
  int64_t count = 0;
  for (char c : text) count += starts_code_point(c) ? 1 : 0;
  return count;
}

std::string_view slice_text(std::string_view text, int64_t from, int64_t to) {
  if (from < 0) from = 0;
  if (to <= from) return {};
  size_t begin = text.size();
  size_t end = text.size();
  int64_t index = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!starts_code_point(text[i])) continue;
    if (index == from) begin = i;
    if (index == to) {
      end = i;
      break;
    }
    ++index;
  }
  return text.substr(begin, end - begin);
}

void map_case(std::string_view text, bool upper, std::string& out) {
  for (size_t i = 0; i < text.size();) {
    auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      char c = text[i++];
      if (upper && c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
      if (!upper && c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
      out += c;
      continue;
    }
    size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (length != 2 || i + 1 >= text.size()) {
      out.append(text.substr(i, length));
      i += length;
      continue;
    }
    uint32_t point = (lead & 0x1FU) << 6U | (static_cast<unsigned char>(text[i + 1]) & 0x3FU);
    auto in = [&](uint32_t low, uint32_t high) { return point >= low && point <= high; };
    if (upper) {
      if ((in(0xE0, 0xFE) && point != 0xF7) || in(0x3B1, 0x3C1) || in(0x3C3, 0x3CB) || in(0x430, 0x44F))
        point -= 32;
      else if (in(0x450, 0x45F))
        point -= 80;
      else if (point == 0xFF)
        point = 0x178;
      else if ((in(0x100, 0x137) || in(0x14A, 0x177) || in(0x460, 0x481)) && (point & 1U) != 0 &&
               point != 0x131)
        --point;
      else if ((in(0x139, 0x148) || in(0x179, 0x17E)) && (point & 1U) == 0)
        --point;
    } else {
      if ((in(0xC0, 0xDE) && point != 0xD7) || in(0x391, 0x3A1) || in(0x3A3, 0x3AB) || in(0x410, 0x42F))
        point += 32;
      else if (in(0x400, 0x40F))
        point += 80;
      else if (point == 0x178)
        point = 0xFF;
      else if ((in(0x100, 0x137) || in(0x14A, 0x177) || in(0x460, 0x481)) && (point & 1U) == 0 &&
               point != 0x130)
        ++point;
      else if ((in(0x139, 0x148) || in(0x179, 0x17E)) && (point & 1U) != 0)
        ++point;
    }
    out += static_cast<char>(0xC0U | (point >> 6U));
    out += static_cast<char>(0x80U | (point & 0x3FU));
    i += 2;
  }
}

void format_value(const TypeDesc& type, const void* value, std::string_view spec_text, std::string& out) {
  if (spec_text.empty()) {
    append_plain(type, value, out);
    return;
  }
  if (type.kind == TypeKind::Time && spec_text.find('%') != std::string_view::npos) {
    auto time = load<int64_t>(value);
    int64_t seconds = time / 1'000'000'000 - (time % 1'000'000'000 < 0 ? 1 : 0);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char buffer[256];
    size_t size = std::strftime(buffer, sizeof(buffer), std::string(spec_text).c_str(), &parts);
    out.append(buffer, size);
    return;
  }
  Spec spec = parse_spec(spec_text);
  std::string body;
  Number number;
  if (read_number(type, value, number)) {
    double real = number.floating ? number.real : static_cast<double>(number.whole);
    if (spec.kind == 'x' && !number.floating) {
      body = fmt::format("{:x}", number.whole);
    } else if (spec.kind == 'e') {
      body = spec.digits < 0 ? fmt::format("{:e}", real) : fmt::format("{:.{}e}", real, spec.digits);
    } else if (spec.kind == '%') {
      body = fmt::format("{:.{}f}%", real * 100, spec.digits < 0 ? 0 : spec.digits);
    } else if (spec.digits >= 0 && number.floating) {
      body = fmt::format("{:.{}f}", real, spec.digits);
    } else {
      append_plain(type, value, body);
      if (spec.digits > 0) body += "." + std::string(static_cast<size_t>(spec.digits), '0');
    }
    if (spec.commas) add_commas(body);
  } else if (type.kind == TypeKind::Decimal) {
    body = format_decimal(load<decimal::Units>(value), scale_of(type), spec);
    if (spec.commas) add_commas(body);
  } else {
    append_plain(type, value, body);
  }
  auto width = static_cast<size_t>(code_points(body));
  size_t fill = spec.width > width ? spec.width - width : 0;
  char align = spec.align != 0 ? spec.align : type.kind == TypeKind::String ? '<' : '>';
  size_t left = align == '<' ? 0 : align == '>' ? fill : fill / 2;
  out.append(left, ' ');
  out += body;
  out.append(fill - left, ' ');
}

bool cast_value(const TypeDesc& from, const void* value, const TypeDesc& to, void* out, batch::Arena& arena) {
  if (from.kind == TypeKind::Json) {
    std::string_view json = abi::view(load<MutStr>(value));
    return !json::read_value(json, to, text::TimeUnit::Milli, arena, out);
  }
  if (to.kind == TypeKind::String) {
    std::string text;
    append_plain(from, value, text);
    MutStr copied = arena.copy(text);
    memcpy(out, &copied, sizeof(copied));
    return true;
  }
  if (from.kind == TypeKind::String) return cast_text(abi::view(load<MutStr>(value)), to, out);
  if (from.kind == TypeKind::Decimal) return cast_decimal(from, load<decimal::Units>(value), to, out);
  Number number;
  if (read_number(from, value, number))
    return to.kind == TypeKind::Decimal ? cast_to_decimal(number, to, out) : cast_number(number, to, out);
  if (from.kind != to.kind) return false;
  memcpy(out, value, to.size);
  return true;
}

}  // namespace mut::runtime
