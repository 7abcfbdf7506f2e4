#include "compiler/graph/reader_index.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "compiler/graph/graph.h"

namespace mut::graph {
namespace {

using typed::Expr;
using typed::ExprKind;
using typed::Kind;
using typed::Op;

// What a condition cannot hold without: that a field is one of these.
struct OneOf {
  int field = -1;
  std::vector<int> slots;
};

bool can_be_looked_up(Kind kind) {
  return kind == Kind::String || kind == Kind::Enum || kind == Kind::Time || kind == Kind::Duration ||
         typed::is_integer(kind);
}

class ConditionReader {
 public:
  explicit ConditionReader(const Graph& graph) : graph_(graph) {}

  std::optional<OneOf> read(const Expr& condition) {
    if (condition.kind == ExprKind::Let) {  // `x in [a, b]`, and what a function is passed
      if (can_fail(*condition.args[0])) return std::nullopt;
      bound_[condition.index] = condition.args[0].get();
      return read(*condition.args[1]);
    }
    if (condition.kind != ExprKind::Binary) return std::nullopt;
    switch (condition.op) {
      case Op::Equal:
        return read_equal(*condition.args[0], *condition.args[1]);
      case Op::And: {
        std::optional<OneOf> left = read(*condition.args[0]);
        // The right side is asked only where the left holds; an event that the left fails must be seen.
        return left || can_fail(*condition.args[0]) ? left : read(*condition.args[1]);
      }
      case Op::Or: {
        std::optional<OneOf> left = read(*condition.args[0]);
        std::optional<OneOf> right = read(*condition.args[1]);
        if (!left || !right || left->field != right->field) return std::nullopt;
        std::copy(right->slots.begin(), right->slots.end(), std::back_inserter(left->slots));
        return left;
      }
      default:
        return std::nullopt;
    }
  }

 private:
  std::optional<OneOf> read_equal(const Expr& a, const Expr& b) const {
    const Expr& left = plain(a);
    const Expr& right = plain(b);
    if (right.kind == ExprKind::Field) return read_field(right, left);
    return read_field(left, right);
  }

  std::optional<OneOf> read_field(const Expr& field, const Expr& constant) const {
    auto slot = graph_.literal_slots.find(&constant);
    bool known = field.kind == ExprKind::Field && can_be_looked_up(field.type->kind);
    if (!known || slot == graph_.literal_slots.end()) return std::nullopt;
    return OneOf{field.index, {slot->second}};
  }

  // What a local stands for, and an integer that was widened, which leaves its number as it is.
  const Expr& plain(const Expr& expr) const {
    if (expr.kind == ExprKind::Local) {
      auto value = bound_.find(expr.index);
      if (value != bound_.end()) return plain(*value->second);
    }
    bool widens = expr.kind == ExprKind::Convert && typed::is_integer(expr.type->kind) &&
                  typed::is_integer(expr.args[0]->type->kind);
    return widens ? plain(*expr.args[0]) : expr;
  }

  const Graph& graph_;
  std::map<int, const Expr*> bound_;  // locals
};

// Of a reader whose first stage lets an event go unless a field of it is one of some constants.
std::optional<OneOf> first_condition(const Graph& graph, const Consumer& consumer) {
  if (consumer.kind != Consumer::Kind::Stream) return std::nullopt;
  auto reader = static_cast<size_t>(consumer.index);
  auto input = static_cast<size_t>(consumer.input);
  const typed::Stream& stream = graph.program->streams[reader];
  if (!stream.inputs[input].conversion.empty() || stream.stages.empty()) return std::nullopt;
  const typed::Stage& stage = stream.stages.front();
  if (stage.kind != typed::StageKind::Where || !graph.stage_stores[reader].front().empty())
    return std::nullopt;
  if (graph.shards == Graph::Shards::Several && (graph.spread.inputs[reader][input] != Asks::Nothing ||
                                                 graph.spread.stages[reader].front().asks != Asks::Nothing))
    return std::nullopt;
  return ConditionReader(graph).read(*stage.condition);
}

}  // namespace

std::optional<ReaderIndex> index_readers(const Graph& graph, int stream) {
  const std::vector<Consumer>& consumers = graph.consumers[static_cast<size_t>(stream)];
  if (consumers.size() < indexed_readers_min) return std::nullopt;
  std::vector<std::optional<OneOf>> conditions;
  std::map<int, size_t> asked;  // by field
  for (const Consumer& consumer : consumers) {
    conditions.push_back(first_condition(graph, consumer));
    if (conditions.back()) ++asked[conditions.back()->field];
  }
  auto most = std::max_element(asked.begin(), asked.end(),
                               [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most == asked.end() || most->second < indexed_readers_min) return std::nullopt;
  ReaderIndex out{stream, most->first, {}};
  for (std::optional<OneOf>& condition : conditions) {
    bool by_field = condition && condition->field == out.field;
    out.slots.push_back(by_field ? std::move(condition->slots) : std::vector<int>{});
  }
  return out;
}

}  // namespace mut::graph
