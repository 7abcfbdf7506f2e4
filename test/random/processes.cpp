// Stages `process`: variables of every type, statements in branches, timers that set timers.
#include "test/random/program_writer.h"

namespace mut::random_test {
namespace {

struct Kept {
  Type type;
  const char* written;
  std::vector<std::string> initial;
};

const std::vector<Kept>& kept_types() {
  static const std::vector<Kept> types = {
      {Type::Int, "int", {"0", "3", "-7"}},
      {Type::Int, "int", {"0", "100"}},
      {Type::Text, "string", {"\"\"", "\"longer than the sixteen bytes of a view\""}},
      {Type::MaybeInt, "int?", {"none", "5"}},
      {Type::MaybeText, "string?", {"none", "\"first\""}},
      {Type::Float, "float", {"0.0", "2.5"}},
      {Type::MaybeFloat, "float?", {"none", "0.25"}},
      {Type::Bool, "bool", {"true", "false"}},
      {Type::Time, "time", {"@2023-11-14T22:14:00Z", "@1970-01-01"}},
      {Type::Duration, "duration", {"0s", "2s"}},
      {Type::Level, "Level", {"Level.mid"}},
      {Type::Small, "i32", {"0", "-5"}},
      {Type::Ints, "[int]", {"[]", "[4, 1]"}},
      {Type::Ints, "[int]", {"[]"}},
      {Type::Counts, "map<string, int>", {"map {}", "map { \"first\": 2 }"}},
  };
  return types;
}

// One stage while it is written.
class ProcessText {
 public:
  ProcessText(Dice& dice, std::vector<Field> states, std::vector<Field> row, std::vector<std::string> timers)
      : dice_(dice), states_(std::move(states)), row_(std::move(row)), timers_(std::move(timers)) {}

  // Statements that read `fields`, lines of that indent. `depth`: how many branches may still lie inside.
  std::string body(std::vector<Field> fields, const std::string& indent, int depth) {
    std::string out;
    for (int64_t count = dice_.between(1, 3); count > 0; --count) out += statement(fields, indent, depth);
    return out;
  }
  std::string emit(const std::vector<Field>& fields, const std::string& indent) {
    ExpressionWriter expr(dice_, fields);
    std::string out = indent + "emit { ";
    for (size_t i = 0; i < row_.size(); ++i)
      out += (i == 0 ? "" : ", ") + row_[i].name + ": " +
             expr.of(row_[i].type, static_cast<int>(dice_.between(0, 1)));
    return out + " }\n";
  }
  void begin_timer() { by_timer_ = true; }

 private:
  std::string statement(std::vector<Field>& fields, const std::string& indent, int depth) {
    ExpressionWriter expr(dice_, fields);
    switch (dice_.between(0, timers_.empty() ? 6 : 9)) {
      case 0:
        if (depth > 0) {
          std::string out =
              indent + "if " + expr.of(Type::Bool, 1) + " {\n" + body(fields, indent + "  ", depth - 1);
          if (dice_.one_in(2)) return out + indent + "}\n";
          return out + indent + "} else {\n" + body(fields, indent + "  ", depth - 1) + indent + "}\n";
        }
        [[fallthrough]];
      case 1: {
        std::string maybe = expr.field(Type::MaybeInt);
        if (depth > 0 && !maybe.empty()) {
          std::vector<Field> inside = fields;
          inside.push_back({"v" + std::to_string(next_++), Type::Int});
          return indent + "if " + maybe + " is some " + inside.back().name + " {\n" +
                 body(inside, indent + "  ", depth - 1) + indent + "}\n";
        }
        return emit(fields, indent);
      }
      case 2: {
        Field made{"let" + std::to_string(next_++), dice_.pick<Type>({Type::Int, Type::Text, Type::Ints})};
        std::string out = indent + "let " + made.name + " = " + expr.of(made.type, 2) + ";\n";
        fields.push_back(made);
        return out;
      }
      case 3:
        return emit(fields, indent);
      case 7:
      case 8: {
        // A timer that sets one to its own time or before is an error of its event.
        std::string wait = by_timer_ ? dice_.pick<std::string>({"4s", "20s", "20s", "0s"})
                                     : dice_.pick<std::string>({"500ms", "3s", "20s", "0s", "-5s"});
        std::string at = dice_.one_in(6) ? expr.of(Type::Time, 1) : "event_time() + " + wait;
        return indent + "timer " + dice_.pick(timers_) + " at " + at + "\n";
      }
      case 9:
        return indent + "cancel " + dice_.pick(timers_) + "\n";
      default: {
        const Field& state = dice_.pick(states_);
        std::string value = expr.of(state.type, 2);
        if (state.type == Type::Ints && dice_.one_in(2))
          value = "append(" + state.name + ", " + expr.of(Type::Int, 1) + ")";
        if (state.type == Type::Text) value = "slice(" + value + " + " + state.name + ", 0, 24)";
        return indent + state.name + " = " + value + "\n";
      }
    }
  }

  Dice& dice_;
  std::vector<Field> states_;
  std::vector<Field> row_;
  std::vector<std::string> timers_;
  bool by_timer_ = false;
  int next_ = 0;
};

}  // namespace

std::string ProgramWriter::write_process(Stream& stream) {
  ExpressionWriter of_stream(dice_, stream.fields);
  std::string key = dice_.one_in(5) ? "" : of_stream.key_field();
  std::string out = "  | @" + fresh("z") + " process" + (key.empty() ? "" : " by " + key) + age() + " {\n";
  std::vector<Field> states;
  for (int64_t count = dice_.between(1, 4), i = 0; i < count; ++i) {
    const Kept& kept = dice_.pick(kept_types());
    Field made{fresh("z"), kept.type};
    out += (i == 0 ? "      state " : ",\n            ") + made.name + ": " + kept.written + " = " +
           dice_.pick(kept.initial);
    states.push_back(made);
  }
  out += "\n";
  std::vector<std::string> timers;
  for (int64_t count = dice_.between(0, 2); count > 0; --count) timers.push_back(fresh("t"));
  std::vector<Field> row = {{fresh("w"), Type::Int}, {fresh("w"), Type::Text}};
  static const std::vector<Type> row_types = {Type::Int,       Type::Bool, Type::Time, Type::MaybeInt,
                                              Type::MaybeText, Type::Ints, Type::Float};
  for (int64_t count = dice_.between(0, 2); count > 0; --count)
    row.push_back({fresh("w"), dice_.pick(row_types)});
  std::vector<Field> of_timer = states;
  for (const Field& field : stream.fields) {
    if (field.name == key) of_timer.push_back(field);
  }
  std::vector<Field> of_event = stream.fields;
  of_event.insert(of_event.end(), states.begin(), states.end());
  ProcessText text(dice_, states, row, timers);
  const std::string indent = "          ";
  out += "      on event {\n" + text.body(of_event, indent, 2);
  if (!timers.empty())
    out += indent + "timer " + dice_.pick(timers) + " at event_time() + " +
           dice_.pick<std::string>({"2s", "9s"}) + "\n";
  out += text.emit(of_event, indent) + "      }\n";
  text.begin_timer();
  for (const std::string& timer : timers) {
    out += "      on timer " + timer + " {\n" + text.body(of_timer, indent, 1);
    out += text.emit(of_timer, indent) + "      }\n";
  }
  stream.fields = row;
  return out + "    }\n";
}

}  // namespace mut::random_test
