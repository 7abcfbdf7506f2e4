// Built-in functions and the seeded draws of `generate`.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>

#include "compiler/reference/aggregates.h"
#include "compiler/reference/evaluate.h"
#include "compiler/reference/json.h"
#include "compiler/reference/text_functions.h"
#include "compiler/reference/zones.h"
#include "runtime/regex/regex.h"

namespace mut::reference {

using typed::Builtin;
using typed::EventError;
using typed::Expr;

namespace {

double round_digits(double value, int64_t digits) {
  if (!std::isfinite(value) || digits > 300) return value;
  if (digits < -300) return 0.0;
  double scale = std::pow(10.0, static_cast<double>(std::abs(digits)));
  if (digits < 0) return std::rint(value / scale) * scale;
  return std::isfinite(value * scale) ? std::rint(value * scale) / scale : value;
}

Value time_part(Builtin part, int64_t time) {
  using namespace std::chrono;
  sys_time<nanoseconds> at{nanoseconds(time)};
  auto day = floor<days>(at);
  year_month_day date{day};
  auto rest = floor<seconds>(at - day).count();
  switch (part) {
    case Builtin::Year:
      return static_cast<int64_t>(static_cast<int>(date.year()));
    case Builtin::Month:
      return static_cast<int64_t>(static_cast<unsigned>(date.month()));
    case Builtin::Day:
      return static_cast<int64_t>(static_cast<unsigned>(date.day()));
    case Builtin::Hour:
      return static_cast<int64_t>(rest / 3600);
    case Builtin::Minute:
      return static_cast<int64_t>(rest / 60 % 60);
    case Builtin::Second:
      return static_cast<int64_t>(rest % 60);
    default:
      return static_cast<int64_t>(weekday(day).iso_encoding());  // Monday is 1
  }
}

Value float_function(Builtin builtin, const std::vector<Value>& args) {
  double x = args[0].as_float();
  switch (builtin) {
    case Builtin::Round:
      return args.size() == 2 ? round_digits(x, args[1].as_int()) : std::rint(x);
    case Builtin::Trunc:
      return std::trunc(x);
    case Builtin::Floor:
      return std::floor(x);
    case Builtin::Ceil:
      return std::ceil(x);
    case Builtin::Sqrt:
      return std::sqrt(x);
    case Builtin::Exp:
      return std::exp(x);
    case Builtin::Log:
      return std::log(x);
    case Builtin::Log2:
      return std::log2(x);
    case Builtin::Log10:
      return std::log10(x);
    case Builtin::Pow:
      return std::pow(x, args[1].as_float());
    case Builtin::Sin:
      return std::sin(x);
    case Builtin::Cos:
      return std::cos(x);
    case Builtin::Tan:
      return std::tan(x);
    case Builtin::Atan2:
      return std::atan2(x, args[1].as_float());
    case Builtin::Erf:
      return std::erf(x);
    case Builtin::Erfc:
      return std::erfc(x);
    default:
      return 1.0 / (1.0 + std::exp(-x));
  }
}

Value number_function(Builtin builtin, const std::vector<Value>& args) {
  const Value& x = args[0];
  switch (builtin) {
    case Builtin::Abs:
      if (x.is_float()) return std::fabs(x.as_float());
      if (x.is_unsigned()) return x;
      if (x.is_decimal()) return x.as_decimal().negative ? negated(x.as_decimal()) : x.as_decimal();
      if (x.as_int() == INT64_MIN) fail(EventError::Overflow);
      return std::abs(x.as_int());
    case Builtin::Sign:
      if (x.is_float()) return x.as_float() > 0 ? 1.0 : x.as_float() < 0 ? -1.0 : x.as_float();
      if (x.is_unsigned()) return static_cast<uint64_t>(x.as_uint() != 0);
      if (x.is_decimal()) {
        int sign = compare(x.as_decimal(), Decimal());
        return rounded(Decimal::of_int(sign), x.as_decimal().scale, Nearest::Down);
      }
      return static_cast<int64_t>(x.as_int() > 0) - static_cast<int64_t>(x.as_int() < 0);
    case Builtin::Min:
    case Builtin::Max: {
      Value best = x;
      for (const Value& arg : args) {
        int order = total_order(arg, best);
        if (builtin == Builtin::Min ? order < 0 : order > 0) best = arg;
      }
      return best;
    }
    case Builtin::Clamp: {
      Value low = total_order(x, args[1]) < 0 ? args[1] : x;
      return total_order(args[2], low) < 0 ? args[2] : low;
    }
    case Builtin::Mod: {
      int64_t a = x.as_int();
      int64_t b = args[1].as_int();
      if (b == 0) fail(EventError::DivisionByZero);
      if (b == -1) return int64_t{0};
      int64_t rest = a % b;
      return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
    }
    case Builtin::BitAnd:
      return x.as_int() & args[1].as_int();
    case Builtin::BitOr:
      return x.as_int() | args[1].as_int();
    case Builtin::BitXor:
      return x.as_int() ^ args[1].as_int();
    case Builtin::BitNot:
      return ~x.as_int();
    default: {  // shifts
      int64_t by = args[1].as_int();
      if (by < 0 || by > 63) fail(EventError::Overflow);
      if (builtin == Builtin::ShiftRight) return x.as_int() >> by;
      return static_cast<int64_t>(static_cast<uint64_t>(x.as_int()) << by);
    }
  }
}

Value round_decimal(Builtin builtin, const Decimal& value, int scale) {
  Nearest nearest = builtin == Builtin::Trunc   ? Nearest::Down
                    : builtin == Builtin::Floor ? Nearest::Floor
                    : builtin == Builtin::Ceil  ? Nearest::Ceiling
                                                : Nearest::HalfEven;
  return fitting(rounded(value, scale, nearest));
}

// The C library's strptime, piece by piece: it knows no fractions, and takes blanks anywhere.
Value parse_time(const std::string& pattern, const std::string& text, int64_t year) {
  std::tm parts{};
  parts.tm_year = static_cast<int>(year - 1900);
  parts.tm_mday = 1;
  int64_t nanoseconds = 0;
  std::optional<int> day_of_year;
  bool twelve = false;
  bool afternoon = false;
  const char* at = text.c_str();
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '%' && pattern[i + 1] == 'f') {
      ++i;
      std::string digits;
      while (*at >= '0' && *at <= '9') digits += *at++;
      if (digits.empty()) fail(EventError::Cast);
      digits.resize(9, '0');
      nanoseconds = std::stoll(digits);
      continue;
    }
    std::string piece(1, pattern[i]);
    if (pattern[i] == '%') piece += pattern[++i];
    twelve = twelve || piece == "%I";
    if (piece == "%p") {
      afternoon = *at == 'p' || *at == 'P';
      if ((!afternoon && *at != 'a' && *at != 'A') || (at[1] != 'm' && at[1] != 'M')) fail(EventError::Cast);
      at += 2;
      continue;
    }
    if (piece == "%z" && *at == 'Z') {
      ++at;
      continue;
    }
    at = strptime(at, piece.c_str(), &parts);
    if (at == nullptr) fail(EventError::Cast);
    if (piece == "%j") day_of_year = parts.tm_yday;
  }
  if (*at != '\0') fail(EventError::Cast);
  if (twelve && afternoon) parts.tm_hour += 12;
  std::tm asked = parts;
  if (day_of_year) {
    asked.tm_mon = 0;
    asked.tm_mday = *day_of_year + 1;
  }
  std::tm made = asked;
  int64_t seconds = timegm(&made) - parts.tm_gmtoff;
  bool moved = day_of_year ? made.tm_year != asked.tm_year : made.tm_mday != asked.tm_mday;  // no such day
  __int128 time = static_cast<__int128>(seconds) * 1'000'000'000 + nanoseconds;
  if (moved || time > INT64_MAX || time < INT64_MIN || parts.tm_sec > 59) fail(EventError::Cast);
  return static_cast<int64_t>(time);
}

// A step into a value; what is not there, and null, is none.
Value json_step(const Value& json, const Value& which) {
  if (json.is_none()) return {};
  auto tree = parse_json(json.as_text());
  const Json* found = nullptr;
  if (tree && which.is_text() && tree->kind == Json::Kind::Record) found = tree->find(which.as_text());
  if (tree && which.is_int() && tree->kind == Json::Kind::List) {
    auto index = static_cast<uint64_t>(which.as_int());
    if (index < tree->items.size()) found = &tree->items[index];
  }
  return found == nullptr || found->kind == Json::Kind::Null ? Value() : Value(found->raw);
}

Value json_function(const Expr& expr, const std::vector<Value>& args) {
  switch (expr.builtin) {
    case Builtin::ToJson:
      return to_json(args[0], expr.args[0]->type);
    case Builtin::JsonText:
      return args[0];
    default:
      return json_step(args[0], args[1]);
  }
}

// RE2 is the definition; only what is made of its answer is ours.
Value regex_function(const Expr& expr, const std::vector<Value>& args) {
  std::string problem;
  auto compiled = regex::Regex::compile(expr.spec, problem);
  const std::string& text = args[0].as_text();
  if (expr.builtin == Builtin::Matches) return compiled->found_in(text);
  if (expr.builtin == Builtin::ReplaceRegex) return compiled->replace_all(text, args[1].as_text());
  std::vector<std::optional<std::string_view>> groups;
  if (!compiled->capture(text, groups)) return {};
  Value::Parts out;
  for (const auto& group : groups) out.push_back(group ? Value(std::string(*group)) : Value());
  for (size_t i = 0; i < out.size(); ++i) {
    bool must = expr.type->element->fields[i].type->kind != typed::Kind::Optional;
    if (must && out[i].is_none()) out[i] = Value(std::string());
  }
  return out;
}

Value map_function(const Expr& expr, const std::vector<Value>& args) {
  const Value& map = args[0];
  const Value* found = args.size() > 1 ? find_in_map(map, args[1]) : nullptr;
  switch (expr.builtin) {
    case Builtin::Len:
      return static_cast<int64_t>(map.entries().size());
    case Builtin::Contains:
      return found != nullptr;
    case Builtin::Get:
      return found == nullptr ? Value() : *found;
    case Builtin::MapPut: {
      Value::Parts entries = map.entries();
      entries.emplace_back(Value::Parts{args[1], args[2]});
      return map_of(entries);
    }
    case Builtin::MapRemove: {
      Value::Entries out;
      for (const Value& entry : map.entries()) {
        if (total_order(entry.parts()[0], args[1]) != 0) out.entries.push_back(entry);
      }
      return out;
    }
    default: {
      Value::Parts out;
      for (const Value& entry : map.entries())
        out.push_back(entry.parts()[expr.builtin == Builtin::MapKeys ? 0 : 1]);
      return out;
    }
  }
}

Value list_function(const Expr& expr, const std::vector<Value>& args) {
  const Value::Parts& list = args[0].parts();
  switch (expr.builtin) {
    case Builtin::Get: {
      int64_t index = args[1].as_int();
      return index >= 0 && static_cast<uint64_t>(index) < list.size() ? list[static_cast<size_t>(index)]
                                                                      : Value();
    }
    case Builtin::ListSum:
      return sum_of(list, expr.type);
    case Builtin::ListFirst:
      return list.empty() ? Value() : list.front();
    case Builtin::ListLast:
      return list.empty() ? Value() : list.back();
    case Builtin::ListMin:
    case Builtin::ListMax: {
      if (list.empty()) return {};
      return number_function(expr.builtin == Builtin::ListMin ? Builtin::Min : Builtin::Max, list);
    }
    case Builtin::Reverse:
      return Value::Parts(list.rbegin(), list.rend());
    case Builtin::ListSort: {
      const Value::Parts& keys = args.back().parts();
      std::vector<size_t> order(list.size());
      for (size_t i = 0; i < order.size(); ++i) order[i] = i;
      std::stable_sort(order.begin(), order.end(),
                       [&](size_t a, size_t b) { return total_order(keys[a], keys[b]) < 0; });
      Value::Parts out;
      for (size_t i : order) out.push_back(list[i]);
      return out;
    }
    default: {  // append, concat
      Value::Parts out = list;
      if (expr.builtin == Builtin::Append) {
        out.push_back(args[1]);
      } else {
        out.insert(out.end(), args[1].parts().begin(), args[1].parts().end());
      }
      return out;
    }
  }
}

// SplitMix64 of a state that differs for every row and place (Steele, Lea, Flood 2014).
uint64_t draw_bits(uint64_t seed, uint64_t number, uint64_t place) {
  uint64_t z = seed + (number * 64 + place + 1) * 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}
double draw_unit(uint64_t seed, uint64_t number, uint64_t place) {
  return static_cast<double>(draw_bits(seed, number, place) >> 11) * 0x1.0p-53;
}

}  // namespace

Value call_builtin(const Expr& expr, const std::vector<Value>& args, const Scope&) {
  Builtin builtin = expr.builtin;
  if (builtin == Builtin::Reveal) return args[0];
  if (!args.empty() && args[0].is_map() && builtin != Builtin::ToJson) return map_function(expr, args);
  if (builtin == Builtin::ToLocal) return local_in_zone(expr.spec, args[0].as_int());
  if (builtin == Builtin::FromLocal) return time_in_zone(expr.spec, args[0].as_int());
  if (builtin == Builtin::ParseTime) return parse_time(expr.spec, args[0].as_text(), args[1].as_int());
  if (builtin >= Builtin::JsonMember && builtin <= Builtin::ToJson) return json_function(expr, args);
  if (builtin >= Builtin::Matches && builtin <= Builtin::Capture) return regex_function(expr, args);
  if (builtin == Builtin::DecimalToFloat) return to_float(args[0].as_decimal());
  if (builtin >= Builtin::Round && builtin <= Builtin::Ceil && args[0].is_decimal())
    return round_decimal(builtin, args[0].as_decimal(), expr.type->scale);
  if (builtin == Builtin::IsNan) return std::isnan(args[0].as_float());
  if (builtin >= Builtin::Round && builtin <= Builtin::Logistic) return float_function(builtin, args);
  if (builtin < Builtin::Hash) return number_function(builtin, args);
  if (builtin >= Builtin::Year && builtin <= Builtin::Weekday) return time_part(builtin, args[0].as_int());
  if (builtin >= Builtin::Get && builtin <= Builtin::Reverse) return list_function(expr, args);
  return text_function(builtin, args, expr.args.empty() ? nullptr : expr.args[0]->type);
}

Value draw(const Expr& expr, const std::vector<Value>& args, const Draws& draws) {
  uint64_t place = draws.places.at(&expr);
  auto pick = [&](int64_t low, int64_t high) {
    if (high <= low) return low;
    uint64_t span = static_cast<uint64_t>(high) - static_cast<uint64_t>(low) + 1;
    uint64_t drawn = draw_bits(draws.seed, draws.number, place);
    if (span == 0) return static_cast<int64_t>(drawn);
    auto scaled = static_cast<uint64_t>((static_cast<unsigned __int128>(drawn) * span) >> 64);
    return static_cast<int64_t>(static_cast<uint64_t>(low) + scaled);
  };
  double unit = draw_unit(draws.seed, draws.number, place);
  switch (expr.builtin) {
    case Builtin::Pick:
      if (args.size() == 2) return pick(args[0].as_int(), args[1].as_int());
      return args[0].parts()[static_cast<size_t>(pick(0, static_cast<int64_t>(args[0].parts().size()) - 1))];
    case Builtin::Chance:
      return unit < args[0].as_float();
    case Builtin::Uniform:
      return args[0].as_float() + (args[1].as_float() - args[0].as_float()) * unit;
    default: {
      // Box and Muller (1958).
      double v = draw_unit(draws.seed ^ 0xD1342543DE82EF95ULL, draws.number, place);
      double normal = args[0].as_float() + args[1].as_float() * std::sqrt(-2.0 * std::log(1.0 - unit)) *
                                               std::cos(6.283185307179586 * v);
      return expr.builtin == Builtin::Lognormal ? std::exp(normal) : normal;
    }
  }
}

}  // namespace mut::reference
