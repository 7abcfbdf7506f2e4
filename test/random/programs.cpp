#include <algorithm>

#include "test/random/random_program.h"

namespace mut::random_test {
namespace {

struct Stream {
  std::string name;
  std::vector<Field> fields;
  bool repeats = false;  // an update stream: may not be aggregated
  bool source = false;
};

struct AggregateText {
  std::string text;
  Field field;
};

class ProgramWriter {
 public:
  explicit ProgramWriter(const ProgramOptions& options)
      : options_(options), dice_(options.seed), record_dice_(~options.seed) {}

  GeneratedProgram write() {
    out_ =
        "enum Level = { low, mid, high }\n"
        "type R = { i: int, f: float, k: string, b: bool, at: time, oi: int?, ot: string?, xs: [int] = [],\n"
        "           sm: i32, lv: Level }\n"
        "param bar: int = " +
        std::to_string(dice_.between(0, 6)) +
        "\n"
        "aggregate folded(x: int) -> int {\n"
        "  state  sum: int = 0, n: int = 0\n"
        "  add    sum = (sum * 3 + x) % 1000, n = n + 1\n"
        "  merge  sum = (sum * 7 + other.sum) % 1000, n = n + other.n\n"
        "  result sum + n\n}\n"
        "aggregate best_of(x: int, y: int) -> int {\n"
        "  state  best: int? = none\n"
        "  add    best = if best is some b then max(b, x / y) else x / y\n"
        "  merge  best = if best is some b then max(b, other.best ?? b) else other.best\n"
        "  result best ?? -1\n}\n"
        "aggregate joined(s: string) -> string {\n"
        "  state  all: string = \"\", last: string? = none\n"
        "  add    all = if last is some before and before == s then all else slice(all + s, 0, 12), last = "
        "s\n"
        "  merge  all = slice(all + \"/\" + other.all, 0, 20), last = other.last\n"
        "  result all\n}\n"
        "operator kept(x, low: int) = | where x > low\n"
        "operator shifted(x) = | with was_x = x | with was_x = was_x + x % 5\n"
        "operator counted(k) = | with seen = count() over last 4 events by k\n";
    GeneratedProgram program;
    int64_t sources = dice_.one_in(3) ? 2 : 1;
    for (int64_t i = 0; i < sources; ++i) {
      std::string name = "s" + std::to_string(i);
      out_ += "source " + name + ": R = file(\"" + name + ".jsonl\") time at, lateness " +
              dice_.pick<std::string>({"0s", "0s", "500ms", "3s", "10s"}) + "\n";
      streams_.push_back({name,
                          {{"i", Type::Int},
                           {"f", Type::Float},
                           {"k", Type::Text},
                           {"b", Type::Bool},
                           {"at", Type::Time},
                           {"oi", Type::MaybeInt},
                           {"ot", Type::MaybeText},
                           {"xs", Type::Ints},
                           {"sm", Type::Small},
                           {"lv", Type::Level}},
                          false,
                          true});
      program.inputs.emplace_back(name + ".jsonl", random_records(record_dice_, options_.rows));
    }
    for (int64_t count = dice_.between(1, 4); count > 0; --count) {
      if (dice_.one_in(4)) {
        write_route();
      } else if (dice_.one_in(5)) {
        write_table();
      } else {
        write_stream();
      }
    }
    for (const Stream& stream : streams_) {
      if (!stream.source || dice_.one_in(6))
        out_ += "emit " + stream.name + " to file(\"" + stream.name + ".out.jsonl\")\n";
      if (!is_branch(stream.name) && dice_.one_in(2))
        out_ += "emit " + stream.name + ".errors to file(\"" + stream.name + ".errors.jsonl\")\n";
    }
    for (const Table& table : tables_) {
      out_ += "emit " + table.rows.name + " to file(\"" + table.rows.name + ".out.jsonl\")\n";
      if (dice_.one_in(2))
        out_ += "emit " + table.rows.name + ".errors to file(\"" + table.rows.name + ".errors.jsonl\")\n";
    }
    program.script = out_;
    return program;
  }

 private:
  bool is_branch(const std::string& name) const { return name[0] == 'r' || name[0] == 'l'; }
  std::string fresh(const char* prefix) { return prefix + std::to_string(next_name_++); }

  void write_route() {
    Stream from = dice_.pick(streams_);
    ExpressionWriter expr(dice_, from.fields);
    bool all = dice_.one_in(3);
    out_ += std::string("route ") + (all ? "all " : "") + from.name + " {\n";
    for (int64_t count = dice_.between(1, 2); count > 0; --count) {
      Stream branch = from;
      branch.name = fresh("r");
      branch.source = false;
      out_ += "  " + expr.of(Type::Bool, 2) + " -> " + branch.name + ",\n";
      streams_.push_back(branch);
    }
    Stream branch = from;
    branch.name = fresh("r");
    branch.source = false;
    out_ += "  else -> " + branch.name + ",\n}\n";
    streams_.push_back(branch);
  }

  void write_stream() {
    Stream made = dice_.pick(streams_);
    std::string head = made.name;
    std::vector<std::string> alike;  // of one record type: may be merged
    for (const Stream& other : streams_) {
      bool same = other.fields.size() == made.fields.size() && !other.repeats;
      for (size_t i = 0; same && i < made.fields.size(); ++i) {
        const Field& field = other.fields[i];
        same = field.name == made.fields[i].name && field.type == made.fields[i].type && !field.fuzzy;
      }
      if (same && !made.repeats) alike.push_back(other.name);
    }
    if (alike.size() > 1 && dice_.one_in(2)) {
      head = "merge(" + dice_.pick(alike) + ", " + dice_.pick(alike) + ")";
      // Reading one stream twice is legal, but says less.
    }
    made.name = fresh("p");
    made.source = false;
    std::string text = "stream " + made.name + " = " + head + "\n";
    std::vector<Stream> late;
    for (int64_t count = dice_.between(1, 4); count > 0; --count) text += write_stage(made, late);
    out_ += text;
    for (Stream& stream : late) streams_.push_back(std::move(stream));
    streams_.push_back(std::move(made));
  }

  std::string write_stage(Stream& stream, std::vector<Stream>& late) {
    ExpressionWriter expr(dice_, stream.fields);
    switch (dice_.between(0, 14)) {
      case 0:
      case 1:
        if (dice_.one_in(3)) {
          AggregateText history = write_history(stream.fields);
          if (history.field.type == Type::Int)
            return "  | where " + history.text + " % 3 != " + std::to_string(dice_.between(0, 2)) + "\n";
        }
        return write_where(expr.of(Type::Bool, 2));
      case 2:
        return write_select(stream);
      case 3:
        return write_flatten(stream);
      case 4: {
        std::string key = expr.key_field();
        if (key.empty()) return "";
        return "  | @" + fresh("d") + " dedupe by " + key + " within " +
               dice_.pick<std::string>({"1s", "5s", "30s"}) + "\n";
      }
      case 5:
      case 6:
        if (!stream.repeats) return write_aggregate(stream, late);
        return write_with(stream);
      case 7:
      case 8:
        if (!stream.repeats && joins_left_ > 0) return write_join(stream);
        return write_with(stream);
      case 9:
        return write_use(stream);
      case 10:
      case 11:
        if (!tables_.empty()) return write_lookup(stream);
        [[fallthrough]];
      default:
        return write_with(stream);
    }
  }

  // A field that was shown to be some is no `T?` any more, which later stages would have to know.
  std::string write_where(const std::string& condition) {
    bool narrows =
        condition.find("is not none") != std::string::npos || condition.find("is some") != std::string::npos;
    return "  | where " + condition + (narrows || dice_.one_in(4) ? " or bar > 3\n" : "\n");
  }

  // The use of an operator.
  std::string write_use(Stream& stream) {
    ExpressionWriter expr(dice_, stream.fields);
    std::string head = "  | @" + fresh("o") + " ";
    auto add = [&](const char* name) {
      std::erase_if(stream.fields, [&](const Field& field) { return field.name == name; });
      stream.fields.push_back({name, Type::Int});
    };
    std::string key = expr.key_field();
    switch (dice_.between(0, key.empty() ? 1 : 2)) {
      case 0:
        return head + "kept(" + expr.of(Type::Int, 2) + ", " +
               dice_.pick<std::string>({"bar", "2", "low: 0"}) + ")\n";
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

  std::string write_with(Stream& stream) {
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
      out += (i == 0 ? "" : ",\n         ") + field.name + " = " + value;
      stream.fields.push_back(field);
    }
    return out + "\n";
  }

  std::string write_select(Stream& stream) {
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

  std::string write_flatten(Stream& stream) {
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

  // A call of an aggregate and the type that it gives, with `??` where it may be none.
  AggregateText write_call(const std::vector<Field>& fields, const std::string& over, bool may_be_empty,
                           bool with_order) {
    ExpressionWriter expr(dice_, fields);
    std::string filter = dice_.one_in(5) ? " where " + expr.of(Type::Bool, 1) : "";
    bool empty = may_be_empty || !filter.empty();
    auto finish = [&](const std::string& call, Type type, bool fuzzy, const std::string& otherwise) {
      return AggregateText{otherwise.empty() ? call : "(" + call + " ?? " + otherwise + ")",
                           {"", type, fuzzy}};
    };
    auto call = [&](const std::string& fn, const std::string& args) {
      return fn + "(" + args + filter + ")" + over;
    };
    if (dice_.one_in(6)) {
      used_own_ = true;
      if (dice_.one_in(3)) return finish(call("joined", expr.of(Type::Text, 1)), Type::Text, false, "");
      return dice_.one_in(2) ? finish(call("folded", expr.of(Type::Int, 1)), Type::Int, false, "")
                             : finish(call("best_of", expr.of(Type::Int, 1) + ", " + expr.of(Type::Int, 1)),
                                      Type::Int, false, "");
    }
    if (dice_.one_in(3)) {
      AggregateText kept = write_kept_values(expr, call);
      std::string otherwise = kept.field.type == Type::Ints    ? "[]"
                              : kept.field.type == Type::Text  ? "\"none\""
                              : kept.field.type == Type::Float ? "0.0"
                                                               : "";
      return finish(kept.text, kept.field.type, false, empty ? otherwise : "");
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
        return finish(call(dice_.pick<std::string>({"any", "all"}), expr.of(Type::Bool, 1)), Type::Bool,
                      false, empty ? "false" : "");
      case 8:
        return finish(call(dice_.pick<std::string>({"stddev", "variance"}), expr.of(Type::Int, 0)),
                      Type::Float, true, empty ? "0.0" : "");
      case 9:
        return finish(call("count", expr.of(Type::MaybeInt, 0)), Type::Int, false, "");
      default:
        return finish(call(dice_.pick<std::string>({"arg_min", "arg_max"}),
                           expr.of(Type::Text, 0) + ", " + expr.of(Type::Int, 0)),
                      Type::Text, false, empty ? "\"none\"" : "");
    }
  }

  // One of those that keep values; what it gives of none is not made plain yet.
  template <typename Call>
  AggregateText write_kept_values(ExpressionWriter& expr, Call call) {
    std::string most = std::to_string(dice_.between(1, 4));
    switch (dice_.between(0, 6)) {
      case 0:
        return {call("median", expr.of(dice_.pick<Type>({Type::Int, Type::Float}), 1)), {"", Type::Float}};
      case 1:
        return {call("quantile", expr.of(Type::Float, 1) + ", " +
                                     dice_.pick<std::string>({"0.0", "0.1", "0.25", "0.9", "1.0"})),
                {"", Type::Float}};
      case 2:
        return {call("collect", expr.of(Type::Int, 1) + ", " + most), {"", Type::Ints}};
      case 3:
        if (window_closes_) return {call("collect", expr.of(Type::Int, 1)), {"", Type::Ints}};
        [[fallthrough]];
      case 4:
        return {call("top", expr.of(Type::Int, 1) + ", " + most), {"", Type::Ints}};
      case 5:
        return {call("string_agg", expr.of(Type::Text, 1) + ", " +
                                       dice_.pick<std::string>({"\"\"", "\"-\""}) + ", " + most),
                {"", Type::Text}};
      default:
        return {call("approx_distinct", expr.of(dice_.pick<Type>({Type::Int, Type::Text, Type::Float}), 1)),
                {"", Type::Int}};
    }
  }

  std::string age() { return dice_.pick<std::string>({"", " ttl none", " ttl 1s", " ttl 4s", " ttl 20s"}); }

  AggregateText write_history(const std::vector<Field>& fields) {
    ExpressionWriter expr(dice_, fields);
    std::string key = expr.key_field();
    std::string by = key.empty() || dice_.one_in(4) ? "" : " by " + key;
    std::string ttl = by.empty() ? "" : age();
    if (dice_.one_in(4)) {
      by += ttl;
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
    return write_call(fields, over + by + (excluding ? " excluding current" : "") + ttl, excluding, false);
  }

  std::string write_aggregate(Stream& stream, std::vector<Stream>& late) {
    ExpressionWriter expr(dice_, stream.fields);
    std::vector<Field> made;
    std::string by;
    for (int64_t count = dice_.between(0, 2); count > 0; --count) {
      std::string key = expr.key_field();
      bool taken =
          std::any_of(made.begin(), made.end(), [&](const Field& field) { return field.name == key; });
      if (key.empty() || taken) continue;
      for (const Field& field : stream.fields) {
        if (field.name == key) made.push_back(field);
      }
      by += (by.empty() ? " by " : ", ") + key;
    }
    std::string window = dice_.pick<std::string>(
        {"", " window tumbling 1s", " window tumbling 10s", " window tumbling 10s offset 3s",
         " window sliding 10s every 2s", " window sliding 5s every 3s", " window session 2s",
         " window session 10s", " window count 3", " window count 8", " window all"});
    bool counts = window.find("count") != std::string::npos;
    std::string out = "  | @" + fresh("g") + " aggregate ";
    window_closes_ = !window.empty();
    used_own_ = false;
    for (int64_t count = dice_.between(1, 3), i = 0; i < count; ++i) {
      AggregateText item = write_call(stream.fields, "", false, true);
      item.field.name = fresh("a");
      out += (i == 0 ? "" : ", ") + item.field.name + " = " + item.text;
      made.push_back(item.field);
    }
    window_closes_ = false;
    if ((window.empty() || counts) && !by.empty()) by += age();
    out += by + window;
    if (!window.empty() && window != " window all") {
      made.push_back({"window_start", Type::Time});
      made.push_back({"window_end", Type::Time});
      bool fixed = window.find("session") == std::string::npos && !counts;
      if (used_own_ && window.find("sliding") != std::string::npos) fixed = false;  // gives its results once
      if (fixed && dice_.one_in(3)) {
        out += dice_.pick<std::string>(
            {" trigger on update", " trigger every 2s", " trigger every 3s and on close"});
        stream.repeats = true;
      }
      if (fixed && dice_.one_in(4)) {
        out += dice_.pick<std::string>({" late update 1s", " late update 20s"});
        stream.repeats = true;
      } else if (!counts && dice_.one_in(3)) {
        Stream dropped = stream;
        dropped.name = fresh("l");
        dropped.source = false;
        out += " late to " + dropped.name;
        late.push_back(std::move(dropped));
      }
    }
    stream.repeats = stream.repeats || window.empty();
    stream.fields = made;
    return out + "\n";
  }

  // What may be none is made plain, so that later stages know its type.
  static std::string plain(const std::string& path, Type type) {
    switch (type) {
      case Type::Int:
        return path + " ?? 0";
      case Type::Float:
        return path + " ?? 0.0";
      case Type::Text:
        return path + " ?? \"none\"";
      case Type::Bool:
        return path + " ?? false";
      default:
        return "";
    }
  }

  // A pair of fields of one type, as a condition on both sides; empty when there is none.
  std::string write_pair(const Stream& left, const Stream& right, const std::string& name) {
    ExpressionWriter expr(dice_, left.fields);
    std::string key = expr.key_field();
    for (const Field& mine : left.fields) {
      if (mine.name != key) continue;
      std::vector<std::string> partners;
      for (const Field& theirs : right.fields) {
        if (theirs.type == mine.type && !theirs.fuzzy) partners.push_back(theirs.name);
      }
      if (!partners.empty()) return key + " == " + name + "." + dice_.pick(partners);
    }
    return "";
  }

  struct Table {
    Stream rows;
    std::vector<Field> keys;
    bool versioned = false;
  };

  void write_table() {
    Stream from = dice_.pick(streams_);
    ExpressionWriter expr(dice_, from.fields);
    Table table;
    std::string keys;
    for (int64_t count = dice_.between(1, 2); count > 0; --count) {
      std::string key = expr.key_field();
      for (const Field& field : from.fields) {
        bool taken = std::any_of(table.keys.begin(), table.keys.end(),
                                 [&](const Field& known) { return known.name == field.name; });
        if (field.name != key || taken) continue;
        table.keys.push_back(field);
        keys += (keys.empty() ? "" : ", ") + key;
      }
    }
    if (table.keys.empty()) return;
    table.rows = from;
    table.rows.name = fresh("t");
    table.versioned = !from.repeats && dice_.one_in(3);
    out_ += "table " + table.rows.name + " key " + keys +
            dice_.pick<std::string>({" ttl none", " ttl 5s", " ttl 30s"}) +
            (table.versioned ? dice_.pick<std::string>({" versioned 2s", " versioned 1h"}) : "") + " = " +
            from.name + "\n";
    tables_.push_back(table);
  }

  std::string write_lookup(Stream& stream) {
    const Table table = dice_.pick(tables_);
    std::string name = fresh("u");
    std::string on;
    for (const Field& key : table.keys) {
      std::vector<std::string> partners;
      for (const Field& mine : stream.fields) {
        if (mine.type == key.type && !mine.fuzzy) partners.push_back(mine.name);
      }
      if (partners.empty()) return "";
      on += (on.empty() ? "" : " and ") + dice_.pick(partners) + " == " + name + "." + key.name;
    }
    bool left = dice_.one_in(2);
    std::string as_of;
    if (table.versioned && dice_.one_in(2))
      as_of = " as of event_time() - " + dice_.pick<std::string>({"1s", "4s", "1m"});
    std::string out = "  | " + std::string(left ? "left " : "") + "lookup " + table.rows.name + " as " +
                      name + as_of + " on " + on + "\n";
    std::string with;
    for (const Field& field : table.rows.fields) {
      if (!with.empty() && dice_.one_in(2)) continue;
      std::string path = name + (left ? "?." : ".") + field.name;
      std::string value = left ? plain(path, field.type) : path;
      if (value.empty()) continue;
      Field made = field;
      made.name = fresh("w");
      with += (with.empty() ? "" : ", ") + made.name + " = " + value;
      stream.fields.push_back(made);
    }
    if (!with.empty()) out += "  | with " + with + "\n";
    return out + "  | without " + name + "\n";
  }

  std::string write_join(Stream& stream) {
    std::vector<Stream> others;
    for (const Stream& other : streams_) {
      if (!other.repeats) others.push_back(other);
    }
    const Stream right = dice_.pick(others);
    std::string name = fresh("j");
    std::string on = write_pair(stream, right, name);
    if (on.empty() && !dice_.one_in(3)) return "";
    if (on.empty()) on = "true";
    if (dice_.one_in(3)) {
      std::string more = write_pair(stream, right, name);
      if (!more.empty()) on += " and " + more;
    }
    auto whole = std::find_if(right.fields.begin(), right.fields.end(),
                              [](const Field& field) { return field.type == Type::Int && !field.fuzzy; });
    ExpressionWriter expr(dice_, stream.fields);
    if (whole != right.fields.end() && dice_.one_in(2))
      on += " and " + expr.of(Type::Int, 1) + dice_.pick<std::string>({" <= ", " != "}) + name + "." +
            whole->name;
    --joins_left_;
    std::string kind = dice_.pick<std::string>({"", "", "left ", "left ", "right ", "full ", "semi ", "anti ",
                                                "anti ", "asof ", "asof ", "left asof "});
    bool asof = kind.find("asof") != std::string::npos;
    std::string within = asof ? dice_.pick<std::string>({"", " within 2s", " within 5s"})
                              : " within " + dice_.pick<std::string>({"0s", "500ms", "2s", "2s", "5s",
                                                                      "-1s..3s", "1s..4s", "-4s..-1s"});
    std::string out = "  | @" + fresh("j") + " " + kind + "join " + right.name + " as " + name + within +
                      "\n      on " + on + "\n";
    if (kind == "semi " || kind == "anti ") return out;
    bool left_may_lack = kind == "right " || kind == "full ";
    bool right_may_lack = kind == "left " || kind == "full " || kind == "left asof ";
    if (left_may_lack) {
      std::string select;
      std::vector<Field> kept;
      for (const Field& field : stream.fields) {
        std::string value = plain(field.name, field.type);
        if (value.empty()) continue;
        select += (select.empty() ? "" : ", ") + field.name + " = " + value;
        kept.push_back(field);
      }
      out += "  | select " + select + (select.empty() ? "" : ", ") + name + "\n";
      stream.fields = kept;
    }
    std::string with;
    for (const Field& field : right.fields) {
      if (with.empty() ? false : dice_.one_in(2)) continue;
      std::string path = name + (right_may_lack ? "?." : ".") + field.name;
      std::string value = right_may_lack ? plain(path, field.type) : path;
      if (value.empty()) continue;
      Field made = field;
      made.name = fresh("w");
      with += (with.empty() ? "" : ", ") + made.name + " = " + value;
      stream.fields.push_back(made);
    }
    if (with.empty()) {
      stream.fields.push_back({fresh("w"), Type::Int});
      with = stream.fields.back().name + " = 1";
    }
    out += "  | with " + with + "\n";
    if (dice_.one_in(2)) out += "  | without " + name + "\n";
    return out;
  }

  ProgramOptions options_;
  Dice dice_;
  Dice record_dice_;  // its own, so that the script does not hang on the number of rows
  std::string out_;
  std::vector<Stream> streams_;
  std::vector<Table> tables_;
  std::vector<Type> types_ = {Type::Int,      Type::Int,  Type::Float,    Type::Bool,       Type::Text,
                              Type::MaybeInt, Type::Ints, Type::Duration, Type::MaybeFloat, Type::Time};
  int next_name_ = 0;
  bool used_own_ = false;  // aggregates of the script, in this stage
  bool window_closes_ = false;
  int joins_left_ = 2;  // pairs multiply
};

}  // namespace

GeneratedProgram random_program(const ProgramOptions& options) { return ProgramWriter(options).write(); }

}  // namespace mut::random_test
