// What an expression means in terms of the sources' fields: equal texts, equal meaning. Follows fields
// through the stages above, so that moving code around changes nothing and editing a function does.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "compiler/typed/program.h"

namespace mut::reference {

// What something means, once for each way in which events come to it: a `merge` has several.
using Ways = std::set<std::string>;

class Meaning {
 public:
  // Whether a param means its name alone or the value that the script gives it, too.
  enum class Params : uint8_t { Names, Values };
  // `renames`: read `was` of sources and fields as their name, as the newer of two versions does.
  Meaning(const typed::Program& program, bool renames, Params params = Params::Names)
      : program_(program), renames_(renames), params_(params) {}

  // Of an expression over the record that enters the stage.
  Ways of(const typed::Expr& expr, int stream, size_t stage);
  // Of an aggregate's arguments, not of its filter.
  Ways of(const typed::AggregateCall& call, int stream, size_t stage);
  // Of keys, of which decimals of another number of digits are others.
  std::vector<Ways> of(const std::vector<typed::ExprPtr>& keys, int stream, size_t stage);
  Ways of_key(const typed::Expr& key, int stream, size_t stage);
  // Which events an aggregate takes.
  Ways admitted(const typed::AggregateCall& call, int stream, size_t stage);
  // Of each field of the record that enters the stage.
  std::vector<Ways> fields(int stream, size_t stage);
  // Of which events enter the stage.
  Ways arriving(int stream, size_t stage);
  // Of the event time of what enters the stage.
  Ways time(int stream, size_t stage);

 private:
  using Locals = std::map<int, std::string>;
  template <typename Make>
  Ways each_way(int stream, size_t stage, Make make);
  void merges_above(int stream, size_t stage, std::set<int>& out) const;

  std::string text(const typed::Expr& expr, int stream, size_t stage);
  std::string text(const typed::AggregateCall& call, int stream, size_t stage);
  std::vector<std::string> texts(const std::vector<typed::ExprPtr>& keys, int stream, size_t stage);
  // Of what statements make of events.
  std::string text(const typed::Stage& process, int stream, size_t stage);
  std::string text(const std::vector<typed::Statement>& body, const typed::Process& process, int stream,
                   size_t stage, Locals& locals);
  std::string text(const typed::Expr& expr, int stream, size_t stage, Locals& locals);
  std::string filter_of(const typed::AggregateCall& call, int stream, size_t stage);
  // Of which events of those it takes one result is made.
  std::string group_of(const typed::Stage& stage, int stream, size_t index);
  std::string field(int stream, size_t stage, int index);
  struct JoinPlace {
    int stream = -1;
    size_t stage = 0;
  };
  const typed::Stage& stage_of(JoinPlace join) const {
    return program_.streams[static_cast<size_t>(join.stream)].stages[join.stage];
  }
  JoinPlace joined(int stream, size_t stage, int index) const;
  std::string partner_of(JoinPlace join);
  std::string field_of_stage(int stream, size_t stage, int index);
  std::string field_of_input(int stream, int index);
  std::string time_of(int stream, size_t stage);
  void add_conditions(const typed::Expr& condition, int stream, size_t stage, Ways& out);
  void add_passed(int stream, size_t index, Ways& out);
  void add_arriving(int stream, size_t stage, Ways& out);
  const typed::Input& input_of(int stream) const;
  const std::string& name_of(const std::string& name, const std::string& was) const {
    return renames_ && !was.empty() ? was : name;
  }

  const typed::Program& program_;
  bool renames_;
  Params params_;
  std::map<int, size_t> way_;  // by stream with several inputs: the one that is looked at
  std::map<std::tuple<int, size_t, int>, std::string> known_;  // of that way
};

// Past so many ways all of them are looked at with the first input of the merges that are left.
template <typename Make>
Ways Meaning::each_way(int stream, size_t stage, Make make) {
  constexpr size_t merges_max = 6;
  std::set<int> all;
  merges_above(stream, stage, all);
  std::vector<int> merges(all.begin(), all.end());
  merges.resize(std::min(merges.size(), merges_max));
  Ways out;
  way_.clear();
  for (int merge : merges) way_[merge] = 0;
  while (true) {
    known_.clear();
    out.insert(make());
    size_t at = 0;
    while (at < merges.size()) {
      size_t& input = way_[merges[at]];
      if (++input < program_.streams[static_cast<size_t>(merges[at])].inputs.size()) break;
      input = 0;
      ++at;
    }
    if (at == merges.size()) break;
  }
  return out;
}

// Whether two meanings are one, but for inputs of a `merge` that came or went.
bool continues(const Ways& before, const Ways& now);
// All of them as one text, for what has to be the same in each.
std::string text_of(const Ways& ways);

}  // namespace mut::reference
