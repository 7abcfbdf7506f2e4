#include <algorithm>

#include "test/random/kinds.h"
#include "test/random/program_writer.h"

namespace mut::random_test {

void ProgramWriter::write_declarations() {
  out_ =
      "enum Level = { low, mid, high }\n"
      "type R = { i: int, f: float, k: string, b: bool, at: time, oi: int?, ot: string?, xs: [int] = [],\n"
      "           sm: i32, lv: Level, y: decimal(2), m: map<string, int> = map {} }\n"
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
      "aggregate paid(x: decimal(2)) -> decimal(2) {\n"
      "  state  total: decimal(2) = 0, least: decimal(2)? = none\n"
      "  add    total = total + x, least = if least is some l then min(l, x) else x\n"
      "  merge  total = total + other.total, least = if least is some l then min(l, other.least ?? l) else "
      "other.least\n"
      "  result total + (least ?? 0)\n}\n"
      "aggregate joined(s: string) -> string {\n"
      "  state  all: string = \"\", last: string? = none\n"
      "  add    all = if last is some before and before == s then all else slice(all + s, 0, 12), last = "
      "s\n"
      "  merge  all = slice(all + \"/\" + other.all, 0, 20), last = other.last\n"
      "  result all\n}\n"
      "aggregate gathered(x: int) -> [int] {\n"
      "  state  all: [int] = [], ends: { least: int?, note: string } = { least: none, note: \"n\" }\n"
      "  add    all = append(if len(all) < 5 then all else filter(all, e => e > x), x), ends = { least: "
      "if ends.least is some l then min(l, x) else x, note: slice(ends.note + \"{x}\", 0, 9) }\n"
      "  merge  all = concat(all, other.all), ends = { least: other.ends.least, note: ends.note }\n"
      "  result append(append(all, ends.least ?? 0), len(ends.note))\n}\n"
      "operator kept(x, low: int) = | where x > low\n"
      "operator shifted(x) = | with was_x = x | with was_x = was_x + x % 5\n"
      "operator counted(k) = | with seen = count() over last 4 events by k\n";
}

void ProgramWriter::write_sources(GeneratedProgram& program) {
  // Both for seeds in a row and for those with the same pair all three come in turn.
  size_t pairs = possible_pairs().size();
  program.disorder = static_cast<Disorder>((options_.seed % pairs + options_.seed / pairs) % 3);
  int64_t sources = dice_.one_in(3) ? 2 : 1;
  for (int64_t i = 0; i < sources; ++i) {
    std::string name = "s" + std::to_string(i);
    bool in_time = program.disorder == Disorder::InTime;
    int64_t lateness =
        in_time ? dice_.pick<int64_t>({500, 3000, 10'000}) : dice_.pick<int64_t>({0, 0, 500, 3000, 10'000});
    out_ += "source " + name + ": R = file(\"" + name + ".jsonl\") time at, lateness " +
            std::to_string(lateness) + "ms\n";
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
                         {"lv", Type::Level},
                         {"y", Type::Money},
                         {"m", Type::Counts}},
                        false,
                        true});
    int64_t back_max = program.disorder == Disorder::None ? 0 : in_time ? lateness : 60'000;
    program.inputs.emplace_back(name + ".jsonl", random_records(record_dice_, options_.rows, back_max));
  }
}

void ProgramWriter::write_sinks() {
  for (const Stream& stream : streams_) {
    if (!stream.source || dice_.one_in(6))
      out_ += "emit " + stream.name + " to file(\"" + stream.name + ".out.jsonl\")\n";
    if (!is_branch(stream.name) && dice_.one_in(2))
      out_ += "emit " + stream.name + ".errors to file(\"" + stream.name + ".errors.jsonl\")\n";
  }
}

void ProgramWriter::write_at_random() {
  const Stream from = dice_.pick(streams_);
  if (dice_.one_in(4)) {
    write_route(from, dice_.one_in(3));
  } else if (dice_.one_in(5)) {
    write_table(from, !from.repeats && dice_.one_in(3));
  } else {
    write_stream();
  }
}

GeneratedProgram ProgramWriter::write() {
  GeneratedProgram program;
  write_declarations();
  write_sources(program);
  auto [first, second] = pair_of_seed(options_.seed);
  joins_left_ -= (is_join(first) ? 1 : 0) + (is_join(second) ? 1 : 0);
  write_target(first, second);
  for (int64_t count = dice_.between(0, 3); count > 0; --count) write_at_random();
  write_sinks();
  program.script = out_;
  program.pairs.assign(seen_.begin(), seen_.end());
  return program;
}

void ProgramWriter::note(Stream& stream, const std::string& kind) {
  for (const auto* before : {&stream.kinds, &stream.kinds_fed}) {
    for (const std::string& first : *before) seen_.insert({first, kind, stream.name});
  }
  stream.kinds.push_back(kind);
  stream.waited = stream.waited || gives_later(kind);
}

void ProgramWriter::write_target(const std::string& first, const std::string& second) {
  Stream from = streams_[0];
  if (is_head(first)) {
    from = write_head(first, from);
    if (is_head(second)) {
      write_head(second, from);
    } else {
      write_forced(from, {second});
    }
    return;
  }
  if (is_head(second)) {
    write_head(second, write_forced(from, {first}));
  } else if (dice_.one_in(3)) {
    write_forced(write_forced(from, {first}), {second});
  } else {
    write_forced(from, {first, second});
  }
}

Stream ProgramWriter::write_head(const std::string& kind, const Stream& from) {
  if (kind == "table") return write_table(from, !from.repeats && dice_.one_in(3));
  if (kind == "merge") return write_merge(from, true);
  if (kind == "union") return write_merge(from, false);
  return write_route(from, kind == "route all");
}

Stream ProgramWriter::write_forced(const Stream& from, const std::vector<std::string>& kinds) {
  // What a look-up reads stands before the stream.
  for (const std::string& kind : kinds) {
    if (kind == "as of" || kind.ends_with("lookup")) {
      if (find_table(kind) == nullptr) write_table(streams_[0], kind == "as of");
    }
  }
  Stream made = from;
  made.name = fresh("p");
  made.source = false;
  made.kinds_fed = from.kinds;
  made.kinds.clear();
  std::string text = "stream " + made.name + " = " + from.name + "\n";
  std::vector<Stream> late;
  for (const std::string& kind : kinds) {
    text += write_preparation(kind, made);
    text += write_kind(kind, made, late);
  }
  out_ += text;
  for (Stream& stream : late) streams_.push_back(std::move(stream));
  streams_.push_back(made);
  return made;
}

Stream ProgramWriter::write_route(const Stream& from, bool all) {
  ExpressionWriter expr(dice_, from.fields);
  out_ += std::string("route ") + (all ? "all " : "") + from.name + " {\n";
  Stream branch = from;
  branch.kinds_fed = from.kinds;
  branch.source = false;
  int64_t count = dice_.between(1, 2);
  for (int64_t i = 0; i <= count; ++i) {
    branch.name = fresh("r");
    branch.kinds.clear();
    note(branch, all ? "route all" : "route");
    out_ += "  " + (i == count ? "else" : expr.of(Type::Bool, 2)) + " -> " + branch.name + ",\n";
    streams_.push_back(branch);
  }
  out_ += "}\n";
  return branch;
}

// The stream with a part of itself that has the same fields, or one more.
Stream ProgramWriter::write_merge(const Stream& from, bool alike) {
  std::vector<std::string> other = {alike ? "where" : "with"};
  Stream part = write_forced(from, other);
  Stream made = from;
  made.name = fresh("p");
  made.source = false;
  made.kinds_fed = from.kinds;
  made.kinds_fed.insert(made.kinds_fed.end(), part.kinds.begin(), part.kinds.end());
  made.kinds.clear();
  note(made, alike ? "merge" : "union");
  if (!alike) {
    for (const Field& field : part.fields) {
      bool known = std::any_of(made.fields.begin(), made.fields.end(),
                               [&](const Field& mine) { return mine.name == field.name; });
      Field maybe = field;
      maybe.type = field.type == Type::Int     ? Type::MaybeInt
                   : field.type == Type::Float ? Type::MaybeFloat
                   : field.type == Type::Text  ? Type::MaybeText
                                               : field.type;
      bool optional =
          maybe.type == Type::MaybeInt || maybe.type == Type::MaybeFloat || maybe.type == Type::MaybeText;
      if (!known && optional) made.fields.push_back(maybe);
    }
  }
  out_ += "stream " + made.name + " = merge(" + from.name + ", " + part.name + ")\n";
  streams_.push_back(made);
  return made;
}

void ProgramWriter::write_stream() {
  Stream made = dice_.pick(streams_);
  std::string head = made.name;
  std::vector<Stream> alike;  // of one record type: may be merged
  for (const Stream& other : streams_) {
    bool same = other.fields.size() == made.fields.size() && !other.repeats;
    for (size_t i = 0; same && i < made.fields.size(); ++i) {
      const Field& field = other.fields[i];
      same = field.name == made.fields[i].name && field.type == made.fields[i].type && !field.fuzzy;
    }
    if (same && !made.repeats) alike.push_back(other);
  }
  made.name = fresh("p");
  made.source = false;
  made.kinds_fed = made.kinds;
  made.kinds.clear();
  if (alike.size() > 1 && dice_.one_in(2)) {
    // Reading one stream twice is legal, but says less.
    made.kinds_fed.clear();
    head = "merge(";
    for (int i = 0; i < 2; ++i) {
      const Stream& part = dice_.pick(alike);
      if (i > 0 && made.follows != part.follows) made.follows = "*";
      if (i == 0) made.follows = part.follows;
      made.waited = made.waited || part.waited;
      made.nested = made.nested || part.nested;
      made.kinds_fed.insert(made.kinds_fed.end(), part.kinds.begin(), part.kinds.end());
      head += part.name + (i == 0 ? ", " : ")");
    }
    note(made, "merge");
  }
  std::string text = "stream " + made.name + " = " + head + "\n";
  std::vector<Stream> late;
  for (int64_t count = dice_.between(1, 4); count > 0; --count) text += write_stage(made, late);
  out_ += text;
  for (Stream& stream : late) streams_.push_back(std::move(stream));
  streams_.push_back(std::move(made));
}

GeneratedProgram random_program(const ProgramOptions& options) { return ProgramWriter(options).write(); }

}  // namespace mut::random_test
