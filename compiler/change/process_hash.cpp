#include "compiler/change/process_hash.h"

#include <algorithm>

#include "compiler/graph/graph.h"

namespace mut::change {

using typed::Statement;

namespace {

struct BodyHasher {
  const ExprHasher& hasher;
  const typed::Process& process;
  Scope& scope;

  Hash hash(const std::vector<Statement>& body) const {
    Hasher out("body");
    for (const Statement& statement : body) {
      out.add(static_cast<uint64_t>(statement.kind));
      switch (statement.kind) {
        case Statement::Kind::Let:
          // A name for a value: what it stands for is seen where it is used, and may fail here.
          scope.locals[statement.index] = hasher.value(*statement.value, scope);
          if (graph::can_fail(*statement.value)) out.add(scope.locals[statement.index].hash);
          break;
        case Statement::Kind::If:
          out.add(hasher.hash(*statement.value, scope));
          out.add(hash(statement.then_body)).add(hash(statement.else_body));
          break;
        case Statement::Kind::SetTimer:
        case Statement::Kind::CancelTimer:
          out.add(process.timers[static_cast<size_t>(statement.index)].name);
          if (statement.value) out.add(hasher.hash(*statement.value, scope));
          break;
        default:
          out.add(static_cast<uint64_t>(statement.index + 1)).add(hasher.hash(*statement.value, scope));
      }
    }
    return out.done();
  }
};

}  // namespace

Hash statements_hash(const ExprHasher& hasher, const typed::Stage& stage, Scope scope) {
  const typed::Process& process = *stage.process;
  for (size_t i = 0; i < stage.keys.size(); ++i)
    scope.locals[process.key_locals[i]] = hasher.value(*stage.keys[i], scope);
  for (size_t i = 0; i < process.states.size(); ++i) {
    Hasher variable("variable");
    variable.add(static_cast<uint64_t>(i));
    scope.locals[process.states[i].local] = {variable.done(), std::nullopt};
  }
  BodyHasher body{hasher, process, scope};
  Hasher out("statements");
  out.add(body.hash(process.on_event));
  for (const typed::ProcessTimer& timer : process.timers) out.add(timer.name).add(body.hash(timer.body));
  return out.done();
}

Hash process_hash(const ExprHasher& hasher, const typed::Stage& stage, Scope scope) {
  Hasher out("process");
  std::vector<Hash> keys;  // in any order, and one that is given twice is one
  for (const typed::ExprPtr& key : stage.keys) keys.push_back(hasher.hash(*key, scope));
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  out.add(keys);
  for (const typed::ProcessState& state : stage.process->states)
    out.add(state.type->text).add(hasher.hash(*state.initial, scope));
  return out.add(statements_hash(hasher, stage, scope)).done();
}

}  // namespace mut::change
