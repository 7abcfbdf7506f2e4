// Which events come to a stage: what tells two stages apart that do the same of what passes through both.
#include "compiler/reference/meaning.h"

namespace mut::reference {

using typed::Expr;
using typed::ExprKind;
using typed::Stage;
using typed::StageKind;
using typed::StreamKind;

// Parts of a condition of which each has to hold.
void Meaning::add_conditions(const Expr& condition, int stream, size_t stage, Ways& out) {
  if (condition.kind == ExprKind::Binary && condition.op == typed::Op::And) {
    for (const typed::ExprPtr& part : condition.args) add_conditions(*part, stream, stage, out);
    return;
  }
  out.insert(text(condition, stream, stage));
}

// What a stage lets go on. A field that is computed is none of it.
void Meaning::add_passed(int stream, size_t index, Ways& out) {
  const Stage& stage = program_.streams[static_cast<size_t>(stream)].stages[index];
  std::string kind = "passed " + std::to_string(static_cast<int>(stage.kind)) + " ";
  switch (stage.kind) {
    case StageKind::Project:
      return;
    case StageKind::Where:
      add_conditions(*stage.condition, stream, index, out);
      return;
    case StageKind::Flatten:
      out.insert(kind + text(*stage.list, stream, index));
      return;
    case StageKind::Process:
      out.insert(kind + text(stage, stream, index));
      return;
    case StageKind::Hold:
      out.insert(kind + std::to_string(static_cast<int>(stage.hold->kind)) + " " +
                 std::to_string(stage.hold->count) + " " +
                 std::to_string(static_cast<int>(stage.hold->ties)) + " " +
                 std::to_string(stage.window.size));
      return;
    case StageKind::Dedupe:
      out.insert(kind + group_of(stage, stream, index) + std::to_string(stage.within) + " " +
                 std::to_string(stage.most));
      return;
    case StageKind::Join:
    case StageKind::Lookup: {
      const typed::Join& join = *stage.join;
      add_arriving(join.right, program_.streams[static_cast<size_t>(join.right)].stages.size(), out);
      kind += std::to_string(static_cast<int>(join.kind)) + " " + std::to_string(join.low) + " " +
              std::to_string(join.high) + partner_of({stream, index});
      if (join.condition) kind += text(*join.condition, stream, index + 1);
      out.insert(kind);
      return;
    }
    case StageKind::Aggregate:
    case StageKind::Match:
    case StageKind::Table:
      out.insert(kind + group_of(stage, stream, index));
      return;
  }
}

void Meaning::add_arriving(int stream, size_t stage, Ways& out) {
  const typed::Stream& of = program_.streams[static_cast<size_t>(stream)];
  for (size_t k = 0; k < stage; ++k) add_passed(stream, k, out);
  switch (of.kind) {
    case StreamKind::Source: {
      const typed::Source& source = program_.sources[static_cast<size_t>(of.source)];
      out.insert("source " + name_of(source.name, source.was));
      return;
    }
    case StreamKind::Errors:
      out.insert("errors " + of.name);
      return;
    case StreamKind::Late: {
      int late_for = of.inputs[0].stream;
      const typed::Stream& from = program_.streams[static_cast<size_t>(late_for)];
      for (size_t k = 0; k < from.stages.size(); ++k) {
        if (from.stages[k].late_stream != stream) continue;
        out.insert("late for " + group_of(from.stages[k], late_for, k));
        add_arriving(late_for, k, out);
        return;
      }
      return;
    }
    default: {
      const typed::Input& input = input_of(stream);
      if (input.stream < 0) return;
      add_arriving(input.stream, program_.streams[static_cast<size_t>(input.stream)].stages.size(), out);
      return;
    }
  }
}

Ways Meaning::arriving(int stream, size_t stage) {
  return each_way(stream, stage, [&] {
    Ways conditions;
    add_arriving(stream, stage, conditions);
    return text_of(conditions);
  });
}

}  // namespace mut::reference
