#include <algorithm>

#include "test/random/program_writer.h"

namespace mut::random_test {

namespace {

// One of those that keep values; what it gives of none is not made plain yet.
template <typename Call>
AggregateText write_kept_values(Dice& dice, ExpressionWriter& expr, bool window_closes, Call call) {
  std::string most = std::to_string(dice.between(1, 4));
  switch (dice.between(0, 6)) {
    case 0:
      return {call("median", expr.of(dice.pick<Type>({Type::Int, Type::Float, Type::Money}), 1)),
              {"", Type::Float}};
    case 1:
      return {call("quantile", expr.of(Type::Float, 1) + ", " +
                                   dice.pick<std::string>({"0.0", "0.1", "0.25", "0.9", "1.0"})),
              {"", Type::Float}};
    case 2:
      return {call("collect", expr.of(Type::Int, 1) + ", " + most), {"", Type::Ints}};
    case 3:
      if (window_closes) return {call("collect", expr.of(Type::Int, 1)), {"", Type::Ints}};
      [[fallthrough]];
    case 4:
      return {call("top", expr.of(Type::Int, 1) + ", " + most), {"", Type::Ints}};
    case 5:
      return {call("string_agg",
                   expr.of(Type::Text, 1) + ", " + dice.pick<std::string>({"\"\"", "\"-\""}) + ", " + most),
              {"", Type::Text}};
    default:
      return {call("approx_distinct", expr.of(dice.pick<Type>({Type::Int, Type::Text, Type::Float}), 1)),
              {"", Type::Int}};
  }
}

}  // namespace

// A call of an aggregate and the type that it gives, with `??` where it may be none.
AggregateText ProgramWriter::write_call(const std::vector<Field>& fields, const std::string& over,
                                        bool may_be_empty, bool with_order) {
  ExpressionWriter expr(dice_, fields);
  std::string filter = dice_.one_in(5) ? " where " + expr.of(Type::Bool, 1) : "";
  bool empty = may_be_empty || !filter.empty();
  auto finish = [&](const std::string& call, Type type, bool fuzzy, const std::string& otherwise) {
    return AggregateText{otherwise.empty() ? call : "(" + call + " ?? " + otherwise + ")", {"", type, fuzzy}};
  };
  auto call = [&](const std::string& fn, const std::string& args) {
    return fn + "(" + args + filter + ")" + over;
  };
  if (own_fine_ && dice_.one_in(6)) {
    if (dice_.one_in(4)) return finish(call("paid", expr.of(Type::Money, 1)), Type::Money, false, "");
    if (dice_.one_in(4)) return finish(call("gathered", expr.of(Type::Int, 1)), Type::Ints, false, "");
    if (dice_.one_in(3)) return finish(call("joined", expr.of(Type::Text, 1)), Type::Text, false, "");
    return dice_.one_in(2) ? finish(call("folded", expr.of(Type::Int, 1)), Type::Int, false, "")
                           : finish(call("best_of", expr.of(Type::Int, 1) + ", " + expr.of(Type::Int, 1)),
                                    Type::Int, false, "");
  }
  if (dice_.one_in(3)) {
    AggregateText kept = write_kept_values(dice_, expr, window_closes_, call);
    std::string otherwise = kept.field.type == Type::Ints    ? "[]"
                            : kept.field.type == Type::Text  ? "\"none\""
                            : kept.field.type == Type::Float ? "0.0"
                                                             : "";
    return finish(kept.text, kept.field.type, false, empty ? otherwise : "");
  }
  if (dice_.one_in(4)) {
    std::string value = expr.of(Type::Money, 1);
    switch (dice_.between(0, 5)) {
      case 0:
      case 1:
        return finish(call("sum", value), Type::Money, false, "");
      case 2:
        return finish("round(" + call("avg", value) + (empty ? " ?? 0" : "") + ", 2)", Type::Money, false,
                      "");
      case 3:
        return finish(call(dice_.pick<std::string>({"distinct", "approx_distinct"}), value), Type::Int, false,
                      "");
      default:
        return finish(call(dice_.pick<std::string>({"min", "max", "first", "last"}), value), Type::Money,
                      false, empty ? "0" : "");
    }
  }
  switch (dice_.between(0, with_order ? 10 : 9)) {
    case 0:
      return finish(call("count", ""), Type::Int, false, "");
    case 1:
      return finish(call("sum", expr.of(Type::Int, 1)), Type::Int, false, "");
    case 2:
      return finish(call("sum", expr.of(Type::Float, 0)), Type::Float, true, "");
    case 3:
      return finish(call("avg", expr.of(Type::Int, 1)), Type::Float, true, empty ? "0.0" : "");
    case 4:
      return finish(call(dice_.pick<std::string>({"min", "max", "first", "last"}), expr.of(Type::Int, 1)),
                    Type::Int, false, empty ? "0" : "");
    case 5:
      return finish(call(dice_.pick<std::string>({"min", "max", "first", "last"}), expr.of(Type::Text, 1)),
                    Type::Text, false, empty ? "\"none\"" : "");
    case 6:
      return finish(call("distinct", expr.of(dice_.pick<Type>({Type::Int, Type::Text, Type::Float}), 1)),
                    Type::Int, false, "");
    case 7:
      return finish(call(dice_.pick<std::string>({"any", "all"}), expr.of(Type::Bool, 1)), Type::Bool, false,
                    empty ? "false" : "");
    case 8:
      return finish(call(dice_.pick<std::string>({"stddev", "variance"}),
                         expr.of(dice_.pick<Type>({Type::Int, Type::Money}), 0)),
                    Type::Float, true, empty ? "0.0" : "");
    case 9:
      return finish(call("count", expr.of(Type::MaybeInt, 0)), Type::Int, false, "");
    default:
      return finish(
          call(dice_.pick<std::string>({"arg_min", "arg_max"}),
               expr.of(Type::Text, 0) + ", " + expr.of(dice_.pick<Type>({Type::Int, Type::Money}), 0)),
          Type::Text, false, empty ? "\"none\"" : "");
  }
}

AggregateText ProgramWriter::write_history(const std::vector<Field>& fields) {
  ExpressionWriter expr(dice_, fields);
  std::string key = expr.key_field();
  std::string by = key.empty() || dice_.one_in(4) ? "" : " by " + key;
  std::string ttl = by.empty() ? "" : age();
  if (dice_.one_in(4)) {
    by += ttl;
    if (dice_.one_in(3)) {
      std::string amount = expr.of(Type::Money, 1);
      return {"(" + dice_.pick<std::string>({"prev", "delta"}) + "(" + amount + ")" + by + " ?? -1)",
              {"", Type::Money, false}};
    }
    std::string value = expr.of(Type::Int, 1);
    switch (dice_.between(0, 2)) {
      case 0:
        return {"(prev(" + value + ")" + by + " ?? -1)", {"", Type::Int, false}};
      case 1:
        return {"(delta(" + value + ")" + by + " ?? 0)", {"", Type::Int, false}};
      default:
        return {"changed(" + expr.of(Type::Text, 1) + ")" + by, {"", Type::Bool, false}};
    }
  }
  std::string over = dice_.pick<std::string>(
      {" over last 2s", " over last 10s", " over last 5 events", " over last 1 events", " over all"});
  bool excluding = dice_.one_in(4);
  if (dice_.one_in(8)) {
    std::string value = expr.of(dice_.pick<Type>({Type::Int, Type::Text, Type::Money}), 1);
    return {"rank(" + value + ")" + over + by + (excluding ? " excluding current" : "") + ttl,
            {"", Type::Int, false}};
  }
  return write_call(fields, over + by + (excluding ? " excluding current" : "") + ttl, excluding, false);
}

namespace {

std::vector<std::string> windows_of(const std::string& kind) {
  if (kind == "running") return {""};
  if (kind == "sliding") return {" window sliding 10s every 2s", " window sliding 5s every 3s"};
  if (kind == "session") return {" window session 2s", " window session 10s"};
  if (kind == "count")
    return {" window count 3", " window count 8", " window count 4 every 2", " window count 6 every 4",
            " window count 5 every 1"};
  if (kind == "all") return {" window all"};
  std::vector<std::string> out = {" window tumbling 1s", " window tumbling 10s",
                                  " window tumbling 10s offset 3s",
                                  " window tumbling 5s offset 1s zone \"America/St_Johns\""};
  if (kind == "updates") {
    for (const char* more : {" window sliding 10s every 5s", " window session 2s", " window session 5s", "",
                             " window all", " window count 4", " window count 5 every 2"})
      out.push_back(more);
  }
  return out;
}

}  // namespace

std::string ProgramWriter::write_aggregate(const std::string& kind, Stream& stream,
                                           std::vector<Stream>& late) {
  ExpressionWriter expr(dice_, stream.fields);
  std::vector<Field> made;
  std::string by;
  for (int64_t count = dice_.between(0, 2); count > 0; --count) {
    std::string key = expr.key_field();
    bool taken = std::any_of(made.begin(), made.end(), [&](const Field& field) { return field.name == key; });
    if (key.empty() || taken) continue;
    for (const Field& field : stream.fields) {
      if (field.name == key) made.push_back(field);
    }
    by += (by.empty() ? " by " : ", ") + key;
  }
  std::string window = dice_.pick(windows_of(kind));
  std::string out = "  | @" + fresh("g") + " aggregate ";
  own_fine_ = true;
  // Sums that windows take over from one to the next, and of them the best alone.
  bool ranked = (kind == "tumbling" || kind == "sliding") && dice_.one_in(4);
  bool whole = window.empty() || window == " window all";
  window_closes_ = !window.empty() && !(kind == "updates" && whole);
  for (int64_t count = dice_.between(1, 3), i = 0; i < count; ++i) {
    AggregateText item =
        ranked ? write_number(stream.fields)
               : write_call(stream.fields, "", !stream.follows.empty() && kind == "running", true);
    item.field.name = fresh(prefix_of(item.field.type, "a"));
    out += (i == 0 ? "" : ", ") + item.field.name + " = " + item.text;
    made.push_back(item.field);
  }
  own_fine_ = true;
  window_closes_ = false;
  bool ages = window.empty() || window.find("count") != std::string::npos;
  if (stream.follows.empty() && ages && !by.empty()) by += age();
  out += by + window;
  if (whole && kind == "updates") {
    out += dice_.pick<std::string>({" trigger every 2s", " trigger every 3s"});
    stream.repeats = true;
  }
  if (!whole) {
    made.push_back({"window_start", Type::Time});
    made.push_back({"window_end", Type::Time});
    bool counts = window.find("count") != std::string::npos;
    if (kind == "updates") {
      if (counts || dice_.one_in(2)) {
        out += dice_.pick<std::string>(
            {" trigger on update", " trigger every 2s", " trigger every 3s and on close"});
        if (!counts && dice_.one_in(4)) out += " late update 1s";
      } else {
        out += dice_.pick<std::string>({" late update 1s", " late update 20s"});
      }
      stream.repeats = true;
    } else if (kind != "count" && dice_.one_in(3)) {
      Stream dropped = stream;
      dropped.name = fresh("l");
      dropped.source = false;
      // A stream of its own, fed by what came before the window.
      dropped.kinds_fed = dropped.kinds;
      dropped.kinds.clear();
      out += " late to " + dropped.name;
      late.push_back(std::move(dropped));
    }
  }
  stream.repeats = stream.repeats || window.empty();
  stream.fields = made;
  out += "\n";
  if (ranked && dice_.one_in(2)) out += write_best(stream);
  return out;
}

AggregateText ProgramWriter::write_number(const std::vector<Field>& fields) {
  ExpressionWriter expr(dice_, fields);
  switch (dice_.between(0, 3)) {
    case 0:
      return {"sum(" + expr.of(Type::Int, 1) + ")", {"", Type::Int}};
    case 1:
      return {(dice_.one_in(2) ? "max(" : "min(") + expr.of(Type::Int, 1) + ")", {"", Type::Int}};
    default:
      return {"count(" + (dice_.one_in(3) ? "where " + expr.of(Type::Bool, 1) : std::string()) + ")",
              {"", Type::Int}};
  }
}

// A `top` by a result, right behind its aggregate.
std::string ProgramWriter::write_best(Stream& stream) {
  std::vector<std::string> numbers;
  for (const Field& field : stream.fields) {
    if (field.name == "rank") return "";
    if (field.type == Type::Int && field.name.starts_with("a")) numbers.push_back(field.name);
  }
  if (numbers.empty()) return "";
  std::string out = "  | @" + fresh("h") + " top " + std::to_string(dice_.between(1, 3));
  if (dice_.one_in(2)) out += " with ties";
  out += " by " + dice_.pick(numbers) + (dice_.one_in(3) ? " asc" : "");
  out += dice_.pick<std::string>(
      {" window tumbling 2s", " window tumbling 5s", " window sliding 6s every 2s", " window all"});
  stream.fields.push_back({"rank", Type::Int});
  return out + "\n";
}

}  // namespace mut::random_test
