#include <algorithm>

#include "test/random/kinds.h"
#include "test/random/program_writer.h"

namespace mut::random_test {

namespace {

bool has(const Stream& stream, Type type) {
  return std::any_of(stream.fields.begin(), stream.fields.end(),
                     [&](const Field& field) { return field.type == type && !field.fuzzy; });
}

bool needs_key(const std::string& kind) {
  return is_join(kind) || kind.ends_with("lookup") || kind == "as of" || kind == "table" ||
         kind == "dedupe" || kind == "latest" || kind == "debounce" || kind == "match" || kind == "without" ||
         kind == "rename" || kind == "select";
}

}  // namespace

std::string ProgramWriter::write_stage(Stream& stream, std::vector<Stream>& late) {
  static const std::vector<std::string> kinds = {
      "where",     "where",      "select",    "flatten",     "dedupe",    "tumbling",  "sliding",
      "session",   "all",        "count",     "running",     "updates",   "join",      "left join",
      "left join", "right join", "full join", "semi join",   "anti join", "asof join", "left asof join",
      "operator",  "operator",   "lookup",    "left lookup", "as of",     "with",      "with",
      "with",      "history",    "history",   "without",     "rename",    "limit",     "latest",
      "throttle",  "sample",     "delay",     "debounce",    "sort",      "top",       "match",
      "ranking",   "process",    "process"};
  std::string kind = dice_.pick(kinds);
  if (stream.follows_one() && dice_.one_in(3)) kind = dice_.one_in(4) ? "all" : "running";
  bool follows = (kind == "running" || kind == "all") && stream.follows_one();
  bool refused = (is_aggregate(kind) && !stream.follows.empty() && !follows) ||
                 (stream.repeats && (is_aggregate(kind) || is_join(kind) || kind == "match")) ||
                 (is_join(kind) && joins_left_ <= 0) || (kind == "limit" && !dice_.one_in(3));
  return write_kind(refused ? "with" : kind, stream, late);
}

std::string ProgramWriter::write_kind(const std::string& kind, Stream& stream, std::vector<Stream>& late) {
  // An operator, a join and a look-up come with stages of their own behind them.
  Stream before = stream;
  std::string text;
  if (kind == "where") {
    text = write_where(stream);
  } else if (kind == "select") {
    text = write_select(stream);
  } else if (kind == "with") {
    text = write_with(stream);
  } else if (kind == "without") {
    text = write_without(stream);
  } else if (kind == "rename") {
    text = write_rename(stream);
  } else if (kind == "flatten") {
    text = write_flatten(stream);
  } else if (kind == "operator") {
    text = write_use(stream);
  } else if (kind == "history") {
    text = write_history_with(stream);
  } else if (kind == "match") {
    text = write_match(stream);
  } else if (kind == "process") {
    text = write_process(stream);
  } else if (is_aggregate(kind)) {
    text = write_aggregate(kind, stream, late);
  } else if (is_join(kind)) {
    return write_join(kind, stream);  // notes itself, with what the other side came through
  } else if (kind == "as of" || kind.ends_with("lookup")) {
    return write_lookup(kind, stream);
  } else if (kind == "delay" || kind == "debounce" || kind == "sort" || kind == "top" || kind == "ranking") {
    text = write_held(kind, stream);
  } else {
    text = write_choosing(kind, stream);
  }
  static const std::vector<std::string> makes_facts = {"match", "process", "delay",  "debounce",
                                                       "sort",  "top",     "ranking"};
  bool facts = std::find(makes_facts.begin(), makes_facts.end(), kind) != makes_facts.end();
  if (!text.empty() && (facts || is_aggregate(kind))) stream.follows.clear();
  if (!text.empty()) note(stream, kind);
  return text;
}

std::string ProgramWriter::write_preparation(const std::string& kind, Stream& stream) {
  std::string out;
  auto add = [&](const char* prefix, Type type) {
    ExpressionWriter expr(dice_, stream.fields);
    Field made{fresh(prefix), type};
    out += "  | with " + made.name + " = " + expr.of(type, 1) + "\n";
    stream.fields.push_back(made);
  };
  if (kind == "sample") {
    for (Type type : {Type::Int, Type::Text, Type::Bool})
      if (!has(stream, type)) add("w", type);
  }
  if (kind == "flatten" && !has(stream, Type::Ints)) add("w", Type::Ints);
  if (needs_key(kind) && !has(stream, Type::Text)) add("w", Type::Text);
  if (kind == "select" || kind == "without")
    while (stream.fields.size() < 3) add("w", Type::Int);
  if (is_aggregate(kind) && !stream.follows.empty()) {
    bool follows = (kind == "running" || kind == "all") && stream.follows_one();
    if (follows && dice_.one_in(2)) return out;
    if (!has(stream, Type::Text)) add("w", Type::Text);
    out += write_join("left join", stream);
    stream.follows.clear();
  }
  return out;
}

std::string ProgramWriter::write_where(Stream& stream) {
  ExpressionWriter expr(dice_, stream.fields);
  if (dice_.one_in(5)) {
    AggregateText history = write_history(stream.fields);
    if (history.field.type == Type::Int)
      return "  | where " + history.text + " % 3 != " + std::to_string(dice_.between(0, 2)) + "\n";
  }
  // A field that was shown to be some is no `T?` any more, which later stages would have to know.
  std::string condition = expr.of(Type::Bool, 2);
  bool narrows =
      condition.find("is not none") != std::string::npos || condition.find("is some") != std::string::npos;
  return "  | where " + condition + (narrows || dice_.one_in(4) ? " or bar > 3\n" : "\n");
}

// The use of an operator.
std::string ProgramWriter::write_use(Stream& stream) {
  ExpressionWriter expr(dice_, stream.fields);
  std::string head = "  | @" + fresh("o") + " ";
  auto add = [&](const char* name) {
    std::erase_if(stream.fields, [&](const Field& field) { return field.name == name; });
    stream.fields.push_back({name, Type::Int});
  };
  std::string key = expr.key_field();
  switch (dice_.between(0, key.empty() ? 1 : 2)) {
    case 0:
      return head + "kept(" + expr.of(Type::Int, 2) + ", " + dice_.pick<std::string>({"bar", "2", "low: 0"}) +
             ")\n";
    case 1: {
      std::string value = expr.of(Type::Int, 2);
      add("was_x");
      return head + "shifted(" + value + ")\n";
    }
    default:
      add("seen");
      return head + "counted(" + key + ")\n";
  }
}

std::string ProgramWriter::write_with(Stream& stream) {
  std::string out = "  | @" + fresh("w") + " with ";
  std::vector<Field> before = stream.fields;
  ExpressionWriter expr(dice_, before);
  for (int64_t count = dice_.between(1, 3), i = 0; i < count; ++i) {
    Field field{fresh("w"), dice_.pick<Type>(types_)};
    std::string value;
    if (dice_.one_in(2)) {
      AggregateText history = write_history(before);
      value = history.text;
      field.type = history.field.type;
      field.fuzzy = history.field.fuzzy;
    } else {
      value = expr.of(field.type, 3);
    }
    field.name = prefix_of(field.type, "w") + field.name.substr(1);
    out += (i == 0 ? "" : ",\n         ") + field.name + " = " + value;
    stream.fields.push_back(field);
  }
  return out + "\n";
}

std::string ProgramWriter::write_select(Stream& stream) {
  std::vector<Field> kept;
  std::string out;
  for (const Field& field : stream.fields) {
    if (dice_.one_in(3) && kept.size() + 2 < stream.fields.size()) continue;
    out += (kept.empty() ? "" : ", ") + field.name;
    kept.push_back(field);
  }
  if (kept.empty()) return "";
  stream.fields = kept;
  return "  | select " + out + "\n";
}

std::string ProgramWriter::write_flatten(Stream& stream) {
  ExpressionWriter expr(dice_, stream.fields);
  std::string list = expr.field(Type::Ints);
  if (list.empty()) return "";
  if (dice_.one_in(2)) {
    for (Field& field : stream.fields) {
      if (field.name == list) field.type = Type::Int;
    }
    return "  | flatten " + list + "\n";
  }
  std::string name = fresh("e");
  auto at = std::find_if(stream.fields.begin(), stream.fields.end(),
                         [&](const Field& field) { return field.name == list; });
  stream.fields.insert(at, {name, Type::Int});
  return "  | flatten " + name + " = " + list + "\n";
}

std::string ProgramWriter::write_history_with(Stream& stream) {
  AggregateText history = write_history(stream.fields);
  Field made = history.field;
  made.name = fresh("w");
  stream.fields.push_back(made);
  return "  | @" + fresh("w") + " with " + made.name + " = " + history.text + "\n";
}

std::string ProgramWriter::write_without(Stream& stream) {
  if (stream.fields.size() < 3) return "";
  size_t at = static_cast<size_t>(dice_.between(0, static_cast<int64_t>(stream.fields.size()) - 1));
  std::string name = stream.fields[at].name;
  stream.fields.erase(stream.fields.begin() + static_cast<std::ptrdiff_t>(at));
  return "  | without " + name + "\n";
}

std::string ProgramWriter::write_rename(Stream& stream) {
  size_t at = static_cast<size_t>(dice_.between(0, static_cast<int64_t>(stream.fields.size()) - 1));
  std::string name = stream.fields[at].name;
  stream.fields[at].name = fresh(prefix_of(stream.fields[at].type, "w"));
  return "  | rename " + name + " to " + stream.fields[at].name + "\n";
}

std::string ProgramWriter::write_choosing(const std::string& kind, Stream& stream) {
  ExpressionWriter expr(dice_, stream.fields);
  std::string key = expr.key_field();
  std::string by = key.empty() || dice_.one_in(2) ? "" : " by " + key;
  std::string span = dice_.pick<std::string>({"1s", "5s", "30s"});
  std::string head = "  | @" + fresh("d") + " " + kind + " ";
  if (kind == "limit") return head + std::to_string(dice_.between(1, 40)) + by + "\n";
  if (kind == "throttle") return head + std::to_string(dice_.between(1, 4)) + " per " + span + by + "\n";
  if (kind == "sample") {
    key = expr.field(dice_.pick<Type>({Type::Int, Type::Text, Type::Bool}));
    // What the end of the input gives has no place in a source: the manual says to sample it by a key.
    if (stream.waited && key.empty()) return "";
    return head + dice_.pick<std::string>({"50%", "80%", "12.5%"}) +
           (!key.empty() && (stream.waited || dice_.one_in(2)) ? " by " + key : "") + "\n";
  }
  if (key.empty()) return "";
  if (kind == "latest") return head + "by " + key + "\n";
  std::string more = dice_.one_in(2) ? expr.key_field() : key;
  return head + "by " + (more == key ? key : key + ", " + more) + " within " + span + "\n";
}

std::string ProgramWriter::write_held(const std::string& kind, Stream& stream) {
  ExpressionWriter expr(dice_, stream.fields);
  std::string key = expr.key_field();
  std::string span = dice_.pick<std::string>({"500ms", "2s", "7s"});
  std::string head = "  | @" + fresh("h") + " " + (kind == "ranking" ? "top" : kind) + " ";
  if (kind == "delay") return head + span + "\n";
  if (kind == "debounce") return key.empty() ? "" : head + span + " by " + key + "\n";
  std::string window = dice_.pick<std::string>(
      {" window tumbling 5s", " window tumbling 20s", " window sliding 6s every 2s", " window all",
       " window session 3s", " window count 4", " window count 5 every 2"});
  std::string order =
      expr.of(dice_.pick<Type>({Type::Int, Type::Text, Type::Time, Type::MaybeInt, Type::Money}), 1);
  bool down = dice_.one_in(2);
  if (kind == "ranking") window = "";
  if (kind == "sort")
    return head + "by (" + order + (down ? " desc, " : ", ") + expr.of(Type::Int, 1) + ")" + window + "\n";
  std::string out;
  for (Field& field : stream.fields) {
    if (field.name != "rank") continue;
    field.name = fresh("w");
    out += "  | rename rank to " + field.name + "\n";
  }
  ExpressionWriter renamed(dice_, stream.fields);
  key = renamed.key_field();
  order = renamed.of(dice_.pick<Type>({Type::Int, Type::Text, Type::MaybeInt, Type::Money}), 1);
  bool ties = !window.empty() && dice_.one_in(3);
  out += head + std::to_string(dice_.between(1, 3)) + (ties ? " with ties by " : " by ") + order +
         (down ? " asc" : "") + (key.empty() || dice_.one_in(3) ? "" : " by " + key) + window + "\n";
  stream.fields.push_back({"rank", Type::Int});
  stream.repeats = stream.repeats || window.empty();
  for (const char* edge : {"window_start", "window_end"}) {
    bool known = std::any_of(stream.fields.begin(), stream.fields.end(),
                             [&](const Field& field) { return field.name == edge; });
    if (!known && window != " window all" && !window.empty()) stream.fields.push_back({edge, Type::Time});
  }
  return out;
}

// The rest of a `match` without `select`, and a stage that takes its events apart.
std::string ProgramWriter::write_whole_match(const std::string& pattern, const std::string& key,
                                             const std::string& number, Stream& stream) {
  std::vector<Field> made;
  for (const Field& field : stream.fields) {
    if (field.name == key) made.push_back(field);
  }
  auto add = [&](const std::string& value, Type type) {
    made.push_back({fresh("w"), type});
    return ", " + made.back().name + " = " + value;
  };
  std::string out = dice_.one_in(3) ? " after skip to next\n" : "\n";
  out += "  | select " + key;
  if (pattern == "x+ y") {
    out += add("len(x)", Type::Int) + add("x[len(x) - 1]." + number, Type::Int);
  } else if (pattern == "(x or y) then z") {
    out += add("x?." + number, Type::MaybeInt) + add("z." + number, Type::Int);
  } else {
    out += add("x." + number, Type::Int);
    if (pattern == "x y?") out += add("y?." + number, Type::MaybeInt);
  }
  stream.fields = made;
  return out + "\n";
}

// Patterns of every shape are the matter of test/patterns; these stand among other stages.
std::string ProgramWriter::write_match(Stream& stream) {
  ExpressionWriter expr(dice_, stream.fields);
  std::string key = expr.key_field();
  if (key.empty()) return "";
  std::string pattern = dice_.pick<std::string>({"x y", "x then y", "x then y", "x+ y", "x y?",
                                                 "x then not z then y", "x then not z", "(x or y) then z"});
  bool absent = pattern == "x then not z";
  std::string out = "  | @" + fresh("m") + " match by " + key + " within " +
                    dice_.pick<std::string>({"2s", "10s", "1m"}) + " pattern " + pattern +
                    "\n      define x = " + expr.of(Type::Bool, 1) +
                    (absent ? "" : ", y = " + expr.of(Type::Bool, 1)) +
                    (pattern.find('z') == std::string::npos ? "" : ", z = " + expr.of(Type::Bool, 1));
  std::string number = expr.field(Type::Int);
  // A key and a step of one name would be two fields of one name.
  bool named_as_step = key == "x" || key == "y" || key == "z";
  if (!number.empty() && !stream.nested && !named_as_step && dice_.one_in(3))
    return out + write_whole_match(pattern, key, number, stream);
  out += "\n      select " + key;
  std::vector<Field> made;
  for (const Field& field : stream.fields) {
    if (field.name == key) made.push_back(field);
  }
  out += ", ";
  std::string times = fresh("w");
  out += times + " = count(x)";
  made.push_back({times, Type::Int});
  std::string whole = expr.field(Type::Int);
  if (!whole.empty()) {
    made.push_back({fresh("w"), Type::MaybeInt});
    out += ", " + made.back().name + " = last(x." + whole + ")";
    // Of what is bound in every match the value is there.
    bool always = pattern.find("or") == std::string::npos;
    if (always) made.back().type = Type::Int;
  }
  std::string amount = expr.field(Type::Money);
  if (!amount.empty() && dice_.one_in(2)) {
    made.push_back({fresh("y"), Type::Money});
    out += ", " + made.back().name + " = sum(x." + amount + ")";
  }
  std::string list = expr.field(Type::Ints);
  // Lists of the events that are bound, and those of them that count.
  if (!list.empty() && dice_.one_in(2)) {
    made.push_back({fresh("w"), Type::Ints});
    std::string lists = "collect(x." + list + ")";
    if (pattern.find("or") != std::string::npos) lists = "(" + lists + " ?? [])";
    out += ", " + made.back().name + " = " + lists + ".map(l => len(l))";
  }
  if (!whole.empty() && dice_.one_in(3)) {
    made.push_back({fresh("w"), Type::Int});
    out += ", " + made.back().name + " = count(x where x." + whole + " > 2)";
    made.push_back({fresh("w"), Type::MaybeInt});
    out +=
        ", " + made.back().name + " = arg_min(x." + whole + ", x." + whole + " where x." + whole + " != 1)";
  }
  out += dice_.one_in(3) ? " after skip to next\n" : "\n";
  stream.fields = made;
  return out;
}

}  // namespace mut::random_test
