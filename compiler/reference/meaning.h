// What an expression means in terms of the sources' fields: equal texts, equal meaning. Follows fields
// through the stages above, so that moving code around changes nothing and editing a function does.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "compiler/typed/program.h"

namespace mut::reference {

class Meaning {
 public:
  // `renames`: read `was` of sources and fields as their name, as the newer of two versions does.
  Meaning(const typed::Program& program, bool renames) : program_(program), renames_(renames) {}

  // Of an expression over the record that enters the stage.
  std::string of(const typed::Expr& expr, int stream, size_t stage);
  // Of an aggregate's arguments, not of its filter.
  std::string of(const typed::AggregateCall& call, int stream, size_t stage);
  std::vector<std::string> of(const std::vector<typed::ExprPtr>& keys, int stream, size_t stage);
  // Of what statements make of events.
  std::string of(const typed::Process& process, int stream, size_t stage);

 private:
  using Locals = std::map<int, size_t>;
  std::string text(const std::vector<typed::Statement>& body, int stream, size_t stage, Locals& locals);
  std::string text(const typed::Expr& expr, int stream, size_t stage, Locals& locals);
  // Which events an aggregate takes, and of which of them one result is made.
  std::string admitted(const typed::AggregateCall& call, int stream, size_t stage);
  std::string group_of(const typed::Stage& stage, int stream, size_t index);
  std::string field(int stream, size_t stage, int index);
  int joined(int stream, size_t stage, int index) const;
  std::string field_of_stage(int stream, size_t stage, int index);
  std::string field_of_input(int stream, int index);
  const std::string& name_of(const std::string& name, const std::string& was) const {
    return renames_ && !was.empty() ? was : name;
  }

  const typed::Program& program_;
  bool renames_;
  std::map<std::tuple<int, size_t, int>, std::string> known_;
  std::map<int, std::string> lets_;  // of statements: what the name stands for
};

// Whether two meanings are one, but for inputs of a `merge` that came or went.
bool continues(const std::string& before, const std::string& now);

}  // namespace mut::reference
