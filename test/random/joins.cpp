#include <algorithm>

#include "test/random/program_writer.h"

namespace mut::random_test {

namespace {

// What may be none is made plain, so that later stages know its type.
std::string plain(const std::string& path, Type type) {
  switch (type) {
    case Type::Int:
      return path + " ?? 0";
    case Type::Money:
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

}  // namespace

// A pair of fields of one type, as a condition on both sides; empty when there is none.
std::string ProgramWriter::write_pair(const Stream& left, const Stream& right, const std::string& name) {
  ExpressionWriter expr(dice_, left.fields);
  std::string key = expr.key_field();
  for (const Field& mine : left.fields) {
    if (mine.name != key) continue;
    std::vector<std::string> partners;
    for (const Field& theirs : right.fields) {
      if (theirs.type != mine.type || theirs.fuzzy) continue;
      // Fields of one name agree more often than others.
      partners.insert(partners.end(), theirs.name == mine.name ? 4 : 1, theirs.name);
    }
    if (!partners.empty()) return key + " == " + name + "." + dice_.pick(partners);
  }
  return "";
}

const Table* ProgramWriter::find_table(const std::string& kind) {
  std::vector<size_t> fit;
  for (size_t i = 0; i < tables_.size(); ++i) {
    if (kind != "as of" || tables_[i].versioned) fit.push_back(i);
  }
  return fit.empty() ? nullptr : &tables_[dice_.pick(fit)];
}

Stream ProgramWriter::write_table(const Stream& from, bool versioned) {
  Stream head = from;
  if (ExpressionWriter(dice_, head.fields).key_field().empty()) {
    head = write_forced(from, {"with"});
    // One more field that can be a key.
    head.fields.push_back({fresh("w"), Type::Text});
    Stream with_key = head;
    with_key.name = fresh("p");
    out_ +=
        "stream " + with_key.name + " = " + head.name + " | with " + head.fields.back().name + " = \"a\"\n";
    with_key.kinds_fed = head.kinds;
    with_key.kinds.clear();
    note(with_key, "with");
    streams_.push_back(with_key);
    head = with_key;
  }
  ExpressionWriter expr(dice_, head.fields);
  Table table;
  std::string keys;
  for (int64_t count = dice_.between(1, 2); count > 0; --count) {
    std::string key = expr.key_field();
    for (const Field& field : head.fields) {
      bool taken = std::any_of(table.keys.begin(), table.keys.end(),
                               [&](const Field& known) { return known.name == field.name; });
      if (field.name != key || taken) continue;
      table.keys.push_back(field);
      keys += (keys.empty() ? "" : ", ") + key;
    }
  }
  table.rows = head;
  table.rows.name = fresh("t");
  table.rows.source = false;
  table.rows.repeats = false;
  table.rows.follows = table.rows.name;
  table.rows.kinds_fed = head.kinds;
  table.rows.kinds.clear();
  note(table.rows, "table");
  table.versioned = versioned;
  out_ += "table " + table.rows.name + " key " + keys +
          dice_.pick<std::string>({" ttl none", " ttl 5s", " ttl 30s"}) +
          (versioned ? dice_.pick<std::string>({" versioned 2s", " versioned 1h"}) : "") + " = " + head.name +
          "\n";
  tables_.push_back(table);
  streams_.push_back(table.rows);
  return table.rows;
}

std::string ProgramWriter::write_lookup(const std::string& kind, Stream& stream) {
  const Table* known = find_table(kind);
  if (known == nullptr) return "";
  const Table table = *known;
  std::string name = fresh("u");
  std::string on;
  std::string before;
  for (const Field& key : table.keys) {
    std::vector<std::string> partners;
    for (const Field& mine : stream.fields) {
      if (mine.type != key.type || mine.fuzzy) continue;
      partners.insert(partners.end(), key.name == mine.name ? 4 : 1, mine.name);
    }
    // Without a field of that type: one value for all.
    if (partners.empty()) {
      Field made{fresh("w"), key.type};
      ExpressionWriter expr(dice_, stream.fields);
      before += "  | with " + made.name + " = " + expr.of(key.type, 1) + "\n";
      stream.fields.push_back(made);
      partners.push_back(made.name);
    }
    on += (on.empty() ? "" : " and ") + dice_.pick(partners) + " == " + name + "." + key.name;
  }
  bool left = kind == "left lookup" || (kind == "as of" && dice_.one_in(2));
  std::string as_of;
  if (kind == "as of") as_of = " as of event_time() - " + dice_.pick<std::string>({"1s", "4s", "1m"});
  for (const std::string& fed : table.rows.kinds) seen_.insert({fed, kind, stream.name});
  note(stream, kind);
  std::string out = before + "  | " + std::string(left ? "left " : "") + "lookup " + table.rows.name +
                    " as " + name + as_of + " on " + on + "\n";
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

std::string ProgramWriter::write_join(const std::string& join, Stream& stream) {
  std::vector<Stream> others;
  for (const Stream& other : streams_) {
    bool table = std::any_of(tables_.begin(), tables_.end(),
                             [&](const Table& known) { return known.rows.name == other.name; });
    if (!other.repeats && !table) others.push_back(other);
  }
  const Stream right = dice_.pick(others);
  std::string name = fresh("j");
  std::string on = write_pair(stream, right, name);
  // All pairs: of pairs of pairs the reference would never see the end.
  if (on.empty() || (joins_left_ == 2 && dice_.one_in(6))) {
    on = "true";
    joins_left_ = 0;
  }
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
  std::string kind = join.substr(0, join.size() - 4);  // "left ", or nothing
  for (const std::string& fed : right.kinds) seen_.insert({fed, join, stream.name});
  note(stream, join);
  stream.follows.clear();
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
  if (dice_.one_in(2)) {
    out += "  | without " + name + "\n";
  } else {
    stream.nested = true;
  }
  return out;
}

}  // namespace mut::random_test
