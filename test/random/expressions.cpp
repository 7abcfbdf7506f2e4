#include "test/random/random_program.h"

namespace mut::random_test {

std::string ExpressionWriter::field(Type type) {
  std::vector<std::string> names;
  for (const Field& each : fields_) {
    if (each.type == type && !each.fuzzy) names.push_back(each.name);
  }
  return names.empty() ? "" : dice_.pick(names);
}

std::string ExpressionWriter::key_field() {
  std::vector<std::string> names;
  for (const Field& each : fields_) {
    bool key = each.type == Type::Text || each.type == Type::Bool || each.type == Type::Level ||
               each.type == Type::Int || each.type == Type::MaybeText || each.type == Type::Small ||
               each.type == Type::Float || each.type == Type::Money;
    // Texts twice: they make groups of a useful size.
    if (key && !each.fuzzy) names.push_back(each.name);
    if (key && each.type == Type::Text) names.push_back(each.name);
  }
  return names.empty() ? "" : dice_.pick(names);
}

std::string ExpressionWriter::of(Type type, int depth) {
  std::string known = field(type);
  if (!known.empty() && (depth <= 0 || dice_.one_in(3))) return known;
  switch (type) {
    case Type::Int:
      return whole(depth);
    case Type::Float:
      return real(depth);
    case Type::Bool:
      return condition(depth);
    case Type::Text:
      return text(depth);
    case Type::Time:
      return depth > 0 && !known.empty() ? "(" + known + " + " + of(Type::Duration, depth - 1) + ")"
                                         : "event_time()";
    case Type::Duration:
      switch (dice_.between(0, depth > 0 ? 2 : 0)) {
        case 1:
          return "(" + of(Type::Time, depth - 1) + " - " + of(Type::Time, depth - 1) + ")";
        case 2:
          return "(" + of(Type::Duration, depth - 1) + " * " + std::to_string(dice_.between(-2, 3)) + ")";
        default:
          return dice_.pick<std::string>({"1s", "250ms", "1m30s", "2h", "0s"});
      }
    case Type::MaybeInt:
      return maybe_whole(depth);
    case Type::MaybeFloat:
      return "(if " + condition(0) + " then " + of(Type::Float, depth - 1) + " else none)";
    case Type::MaybeText:
      return "(if " + condition(0) + " then none else " + of(Type::Text, depth - 1) + ")";
    case Type::Ints:
      return list(depth);
    case Type::Level:
      return dice_.pick<std::string>({"Level.low", "Level.mid", "Level.high"});
    case Type::Money:
      return money(depth);
    case Type::Counts:
      return counts(depth);
    case Type::Small:
      return "((" + whole(0) + " % 100) as i32)";
  }
  return "0";
}

std::string ExpressionWriter::whole(int depth) {
  auto inner = [&](Type type = Type::Int) { return of(type, depth - 1); };
  if (depth <= 0) {
    if (dice_.one_in(12)) return "9_000_000_000_000_000_000";
    return std::to_string(dice_.between(0, 9));
  }
  switch (dice_.between(0, 23)) {
    case 23:
      return "(" + inner(Type::Counts) + ".get(" + inner(Type::Text) + ") ?? " + inner() + ")";
    case 22:
      return dice_.one_in(2) ? "len(" + inner(Type::Counts) + ")"
                             : inner(Type::Counts) + "[" + inner(Type::Text) + "]";
    case 21:
      return "int(" + dice_.pick<std::string>({"round", "trunc", "floor", "ceil"}) + "(" +
             inner(Type::Money) + "))";
    case 20: {
      std::string name = "e" + std::to_string(bound_++);
      return inner(Type::Ints) + ".reduce(" + std::to_string(dice_.between(0, 3)) + ", (s" + name + ", " +
             name + ") => s" + name + dice_.pick<std::string>({" + ", " - ", " * "}) + name + ")";
    }
    case 0:
    case 1:
      return "(" + inner() + " + " + inner() + ")";
    case 2:
      return "(" + inner() + " - " + inner() + ")";
    case 3:
      return "(" + inner() + " * " + inner() + ")";
    case 4:
      return "(" + inner() + " / " + inner() + ")";
    case 5:
      return "(" + inner() + " % " + inner() + ")";
    case 6:
      return "(if " + inner(Type::Bool) + " then " + inner() + " else " + inner() + ")";
    case 7:
      return "(" + inner(Type::MaybeInt) + " ?? " + inner() + ")";
    case 8:
      return "len(" + inner(Type::Text) + ")";
    case 9:
      return inner(Type::Ints) + "[" + std::to_string(dice_.between(0, 2)) + "]";
    case 10:
      return "(try " + inner() + " / " + inner() + " else " + inner() + ")";
    case 11:
      return "abs(" + inner() + ")";
    case 12:
      return dice_.pick<std::string>({"min", "max", "mod", "bit_and", "bit_xor"}) + "(" + inner() + ", " +
             inner() + ")";
    case 13:
      return dice_.pick<std::string>({"hour", "minute", "second", "weekday"}) + "(" + inner(Type::Time) + ")";
    case 14:
      return "(match " + inner(Type::Level) + " { low -> " + inner() + ", mid or high -> " + inner() + " })";
    case 15: {
      std::string name = "q" + std::to_string(bound_++);
      return "{ let " + name + " = " + inner() + "; " + name + " + " + name + " % 7 }";
    }
    case 16:
      return "(-" + inner() + ")";
    case 17:
      return "int(" + inner(Type::Float) + ")";
    case 18:
      return "clamp(" + inner() + ", 0, " + std::to_string(dice_.between(1, 50)) + ")";
    default:
      // A literal alone would take the narrow type, and may not fit it.
      return "(int(" + inner() + ") + " + inner(Type::Small) + ")";
  }
}

std::string ExpressionWriter::real(int depth) {
  auto inner = [&](Type type = Type::Float) { return of(type, depth - 1); };
  if (depth <= 0) return dice_.pick<std::string>({"0.0", "0.25", "1.5", "3.0", "100.75"});
  switch (dice_.between(0, 10)) {
    case 0:
      return "(" + inner() + " + " + inner() + ")";
    case 1:
      return "(" + inner() + " - " + inner() + ")";
    case 2:
      return "(" + inner() + " * " + inner() + ")";
    case 3:
      return "(" + inner() + " / " + inner() + ")";
    case 10:
      return "float(" + inner(Type::Money) + ")";
    case 4:
      return "float(" + inner(Type::Int) + ")";
    case 5:
      return dice_.pick<std::string>({"round", "floor", "ceil", "trunc", "abs", "sqrt"}) + "(" + inner() +
             ")";
    case 6:
      return "(" + inner(Type::MaybeFloat) + " ?? " + inner() + ")";
    case 7:
      return "(if " + inner(Type::Bool) + " then " + inner() + " else " + inner() + ")";
    case 8:
      return dice_.pick<std::string>({"min", "max"}) + "(" + inner() + ", " + inner() + ")";
    default:
      return "logistic(" + inner() + ")";
  }
}

// Each of them a decimal(2).
std::string ExpressionWriter::money(int depth) {
  auto inner = [&](Type type = Type::Money) { return of(type, depth - 1); };
  auto literal = [&] { return dice_.pick<std::string>({"0", "0.05", "1.5", "-2.25", "12.34", "100"}); };
  if (depth <= 0) return "decimal(" + literal() + ", 2)";
  switch (dice_.between(0, 16)) {
    case 0:
    case 1:
      return "(" + inner() + dice_.pick<std::string>({" + ", " - ", " % "}) + inner() + ")";
    case 2:
      return "round(" + inner() + " * " + inner() + ", 2)";
    case 3:
      return "round(" + inner() + " / " + inner() + ", 2)";
    case 4:
      return "(" + inner() + " * " + inner(Type::Int) + ")";
    case 5:
      return "(" + inner() + dice_.pick<std::string>({" + ", " - "}) + literal() + ")";
    case 6:
      return dice_.pick<std::string>({"abs", "sign"}) + "(" + inner() + ")";
    case 7:
      return dice_.pick<std::string>({"min", "max"}) + "(" + inner() + ", " + inner() + ", " + literal() +
             ")";
    case 8:
      return "(if " + inner(Type::Bool) + " then " + inner() + " else " + literal() + ")";
    case 9:
      return "round(" + inner() + " * 1.195, 2)";
    case 10:
      return "decimal(" +
             dice_.pick<std::string>({"round(" + inner() + ", 1)", "trunc(" + inner() + ")",
                                      "floor(" + inner() + ")", "ceil(" + inner() + ")"}) +
             ", 2)";
    case 11:
      return "decimal(" + inner(Type::Int) + ", 2)";
    case 12:
      return "(try decimal(" + inner(Type::Float) + ", 2) else " + inner() + ")";
    case 13:
      return "(" + inner(Type::Text) + " as decimal(2)? ?? " + inner() + ")";
    case 14:
      return "(try (" + inner() + " / " + inner() + ") as decimal(2) else " + inner() + ")";
    case 15:
      return "clamp(" + inner() + ", -0.5, 99.99)";
    default:
      return "(-" + inner() + ")";
  }
}

std::string ExpressionWriter::condition(int depth) {
  auto inner = [&](Type type) { return of(type, depth - 1); };
  auto compare = [&](bool all) {
    return all ? dice_.pick<std::string>({" < ", " <= ", " > ", " >= ", " == ", " != "})
               : dice_.pick<std::string>({" == ", " != "});
  };
  if (depth <= 0) {
    std::string known = field(Type::Bool);
    if (!known.empty()) return known;
    known = field(Type::Int);
    return known.empty() ? "true" : "(" + known + compare(true) + std::to_string(dice_.between(0, 9)) + ")";
  }
  switch (dice_.between(0, 18)) {
    case 17:
      return "(" + inner(Type::Text) + dice_.pick<std::string>({" in ", " not in "}) + inner(Type::Counts) +
             ")";
    case 18:
      return "(" + inner(Type::Counts) + compare(false) + inner(Type::Counts) + ")";
    case 15:
      return "(" + inner(Type::Money) + compare(true) + inner(dice_.pick<Type>({Type::Money, Type::Int})) +
             ")";
    case 16:
      return "(" + inner(Type::Money) + dice_.pick<std::string>({" * 0.125", " + 0.001", " - 0.005"}) +
             compare(true) + inner(Type::Money) + ")";
    case 13: {
      std::string name = "e" + std::to_string(bound_++);
      return inner(Type::Ints) + dice_.pick<std::string>({".any(", ".all("}) + name + " => " + name +
             compare(true) + inner(Type::Int) + ")";
    }
    case 14:
      return "(" + inner(Type::Text) + " ~ re\"" +
             dice_.pick<std::string>({"^a", "[a-c]+$", "(?i)X", "\\d"}) + "\")";
    case 0:
      return "(" + inner(Type::Bool) + " and " + inner(Type::Bool) + ")";
    case 1:
      return "(" + inner(Type::Bool) + " or " + inner(Type::Bool) + ")";
    case 2:
      return "(not " + inner(Type::Bool) + ")";
    case 3:
      return "(" + inner(Type::Float) + compare(true) + inner(Type::Float) + ")";
    case 4:
      return "(" + inner(Type::Int) + compare(true) + inner(Type::Float) + ")";
    case 5:
      return "(" + inner(Type::Text) + compare(true) + inner(Type::Text) + ")";
    case 6:
      return "(" + inner(Type::Level) + compare(true) + "Level.mid)";
    case 7:
      return "(" + inner(Type::Int) + " in " + std::to_string(dice_.between(-5, 2)) + ".." +
             std::to_string(dice_.between(3, 20)) + ")";
    case 8:
      return "(" + inner(Type::Text) + " in [\"a\", \"b\", \"\"])";
    case 9:
      return "(" + inner(Type::MaybeInt) + dice_.pick<std::string>({" is none)", " is not none)"});
    case 10: {
      std::string name = "v" + std::to_string(bound_++);
      return "(" + inner(Type::MaybeInt) + " is some " + name + " and " + name + compare(true) +
             inner(Type::Int) + ")";
    }
    case 11:
      return dice_.pick<std::string>({"contains", "starts_with", "ends_with"}) + "(" + inner(Type::Text) +
             ", \"a\")";
    default:
      return "(" + inner(Type::Int) + compare(true) + inner(Type::Int) + ")";
  }
}

std::string ExpressionWriter::text(int depth) {
  auto inner = [&](Type type = Type::Text) { return of(type, depth - 1); };
  if (depth <= 0)
    return dice_.pick<std::string>({"\"\"", "\"a\"", "\"b\"", "\"Straße\"", "\"12\"", "\"x y\""});
  switch (dice_.between(0, 12)) {
    case 11:
      return "string(" + inner(Type::Money) + ")";
    case 12: {
      std::string amount = field(Type::Money);
      if (amount.empty()) return "string(" + inner(Type::Bool) + ")";
      return "\"{" + amount + ":,.1} {" + amount + ":>9} {" + amount + ":.0%}\"";
    }
    case 10:
      return "replace(" + inner() + ", re\"[a-c]+\", " + inner() + ")";
    case 0:
      return "(" + inner() + " + " + inner() + ")";
    case 1:
      return dice_.pick<std::string>({"lower", "upper", "trim"}) + "(" + inner() + ")";
    case 2:
      return "slice(" + inner() + ", " + std::to_string(dice_.between(0, 2)) + ", " +
             std::to_string(dice_.between(1, 5)) + ")";
    case 3:
      return "string(" + inner(Type::Int) + ")";
    case 4:
      return "(" + inner(Type::MaybeText) + " ?? " + inner() + ")";
    case 5:
      return "(if " + inner(Type::Bool) + " then " + inner() + " else " + inner() + ")";
    case 6:
      return "replace(" + inner() + ", \"a\", \"bb\")";
    case 7: {
      std::string number = field(Type::Int);
      std::string float_number = field(Type::Float);
      std::string out = "\"<";
      if (!number.empty()) out += "{" + number + ":>4} {" + number + ":,}";
      if (!float_number.empty()) out += " {" + float_number + ":.2}";
      return out + ">\"";
    }
    case 8:
      return "string(" + inner(Type::Level) + ")";
    default:
      return "string(" + inner(Type::Time) + ")";
  }
}

std::string ExpressionWriter::maybe_whole(int depth) {
  switch (dice_.between(0, depth > 0 ? 2 : 0)) {
    case 1:
      return "get(" + of(Type::Ints, depth - 1) + ", " + std::to_string(dice_.between(0, 3)) + ")";
    case 2:
      return "(" + of(Type::Text, depth - 1) + " as int?)";
    default:
      return "(if " + condition(0) + " then " + whole(0) + " else none)";
  }
}

std::string ExpressionWriter::counts(int depth) {
  std::string key = depth > 0 && dice_.one_in(2) ? of(Type::Text, depth - 1) : "\"a\"";
  return "map { \"q\": " + of(Type::Int, 0) + ", " + key + ": " + of(Type::Int, depth - 1) + " }";
}

std::string ExpressionWriter::list(int depth) {
  if (depth > 0 && dice_.one_in(8)) return "values(" + of(Type::Counts, depth - 1) + ")";
  if (depth > 0 && dice_.one_in(3)) {
    std::string from = of(Type::Ints, depth - 1);
    std::string name = "e" + std::to_string(bound_++);
    switch (dice_.between(0, 4)) {
      case 0:
        return from + ".map(" + name + " => " + name + " + " + of(Type::Int, depth - 1) + ")";
      case 1:
        return from + ".filter(" + name + " => " + name + " % 2 == " + of(Type::Int, depth - 1) + ")";
      case 2:
        return from + ".sort(" + name + " => -" + name + ")";
      case 3:
        return from + ".sort()";
      default:
        return from + ".reverse()";
    }
  }
  if (depth > 0 && dice_.one_in(2))
    return "append(" + of(Type::Ints, depth - 1) + ", " + of(Type::Int, depth - 1) + ")";
  return "[" + of(Type::Int, depth - 1) + ", " + of(Type::Int, 0) + "]";
}

}  // namespace mut::random_test
