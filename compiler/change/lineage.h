// Where every value and every event of a program comes from, down to the fields of its sources.
//
// Stages that only compute (`with`, `select`, `rename`, functions) disappear here: moving or renaming
// them changes no lineage, changing what they compute does.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "compiler/change/expr_hash.h"
#include "compiler/graph/graph.h"

namespace mut::change {

// Hashes of one expression, one per way its events arrive; sorted, each once.
using HashSet = std::vector<Hash>;

// Names that a version gives to what the version before it called otherwise: new to old.
struct FormerNames {
  // Back: an undo. Then the version before says with its `was` what the one that follows calls otherwise.
  enum class Direction : uint8_t { Forward, Back } direction = Direction::Forward;
  std::map<std::string, std::string> sources;
  std::map<std::string, std::string> streams;
  std::map<std::string, std::string> fields;  // "source/field" by new names → old field
};

// One way in which events arrive at a place.
struct Arrival {
  std::vector<Value> fields;
  std::vector<Hash> admission;  // sources and conditions passed, sorted
  Hash time;                    // what the event time is
  Hash watermark;               // lateness and idle time of the source
};
using Place = std::vector<Arrival>;

class Lineage {
 public:
  Lineage(const graph::Graph& graph, Detail detail, const FormerNames& names);

  // What enters a stage; past the last stage: what leaves the stream.
  const Place& at(int stream, int stage) const {
    return places_[static_cast<size_t>(stream)][static_cast<size_t>(stage)];
  }
  HashSet of(const typed::Expr& expr, int stream, int stage) const;
  HashSet of_call(const typed::AggregateCall& call, int stream, int stage) const;
  // All conjuncts of a condition together, per arrival.
  HashSet of_condition(const typed::Expr& condition, int stream, int stage) const;
  // Of all that a `process` does with events and timers.
  HashSet of_statements(int stream, int stage) const;
  // Of a key of the right side of a join, over what leaves that stream.
  HashSet of_right(const typed::Expr& expr, int right) const;
  // Of what must hold of a pair.
  HashSet of_pair(const typed::Expr& condition, int stream, int stage) const;
  // Of each field of the record.
  std::vector<HashSet> of_fields(int stream, int stage) const;
  HashSet admission(int stream, int stage) const;
  HashSet time(int stream, int stage) const;
  HashSet watermark(int stream, int stage) const;
  const ExprHasher& hasher() const { return hasher_; }

 private:
  Place enter(int stream) const;
  Place enter_source(int stream) const;
  Place enter_branch(int stream) const;
  Place pass(const typed::Stage& stage, const Place& in) const;
  Place pass_join(const typed::Stage& stage, const Place& in) const;
  std::string stream_name(const std::string& name) const;

  const typed::Program& program_;
  const FormerNames& names_;
  ExprHasher hasher_;
  std::vector<std::vector<Place>> places_;
};

// A scope for the expressions of a stage over one arrival; keys and aggregates included.
Scope scope_of(const ExprHasher& hasher, const typed::Stage& stage, const Arrival& arrival);

}  // namespace mut::change
