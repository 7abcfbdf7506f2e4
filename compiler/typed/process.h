// `process`: state of the script's own by key, and the statements that events and timers run.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "compiler/typed/type.h"

namespace mut::typed {

struct Expr;
struct Stage;

struct Statement {
  enum class Kind : uint8_t { Let, Assign, If, Emit, SetTimer, CancelTimer };
  Kind kind = Kind::Let;
  // Let: the local; Assign: of Process::states; SetTimer, CancelTimer: of Process::timers.
  int index = -1;
  std::unique_ptr<Expr> value;       // If: the condition; Emit: the row; SetTimer: when; CancelTimer: null
  std::vector<Statement> then_body;  // If
  std::vector<Statement> else_body;
};

struct ProcessState {
  std::string name;
  std::string was;
  TypeRef type = nullptr;
  std::unique_ptr<Expr> initial;  // reads nothing
  int local = -1;                 // by which statements read it
};

struct ProcessTimer {
  std::string name;
  std::vector<Statement> body;  // reads keys and states
};

struct Process {
  std::vector<ProcessState> states;
  std::vector<int> key_locals;      // by key
  std::vector<Statement> on_event;  // reads the event, keys and states
  std::vector<ProcessTimer> timers;

  bool keeps_state() const { return !states.empty() || !timers.empty(); }
};

// The expressions of a body, in order.
void for_each_expr(const std::vector<Statement>& body, const std::function<void(const Expr&)>& visit);
// Of all of a stage: initial values, `on event`, then each timer.
void for_each_expr(const Process& process, const std::function<void(const Expr&)>& visit);
// The key of the stage that the field has in each row it emits, whatever the statements are; -1: none.
int key_of_field(const Stage& stage, size_t field);
// What is done to what, without the expressions.
std::string outline(const std::vector<Statement>& body);

}  // namespace mut::typed
