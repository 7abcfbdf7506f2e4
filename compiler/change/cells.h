// The state of a program as a list of cells with what each was made from.
#pragma once
#include <string>
#include <vector>

#include "compiler/change/lineage.h"

namespace mut::change {

// The same lineage twice: with params by name, and with their declared values too.
struct Sets {
  HashSet named;
  HashSet valued;
  friend bool operator==(const Sets&, const Sets&) = default;
};

struct Cell {
  std::string path;  // "stream/stage/total/sum"
  std::string name;  // "total/sum"; "seen" of a dedupe; "left" and "right" of a join
  int store = -1;
  int index = -1;  // in the store; -1: the store has no cells (dedupe)
  int stream = -1;
  int stage = -1;
  const graph::StoreNode* node = nullptr;
  const typed::Stage* of = nullptr;
  const typed::AggregateCall* call = nullptr;  // null: dedupe, join
  const typed::History* history = nullptr;     // null: not history
  source::Span span;
  Sets value;
  Sets filter;
  Sets admission;
  std::vector<Sets> keys;
  std::vector<typed::TypeRef> key_types;
  std::vector<Sets> row;       // join: each field of the rows that it keeps; match: its conditions
  std::vector<Sets> measures;  // match
  Sets statements;             // process: all of them; over a table: aggregates of the script
  Sets initial;                // process: of a variable
  typed::TypeRef type = nullptr;
  HashSet time;
  HashSet watermark;

  // The part of the name that the script gives: "total" of "total/sum"; empty in `where`.
  std::string column() const;
  bool by_event_time() const;
};

struct StatefulStage {
  int stream = -1;
  int stage = -1;
  const typed::Stage* of = nullptr;
  std::vector<int> cells;  // indices into State::cells
  Hash fingerprint;        // all but names
  Hash keys;
};

struct State {
  std::vector<Cell> cells;
  std::vector<StatefulStage> stages;
};

State describe_state(const graph::Graph& graph, const FormerNames& names);

}  // namespace mut::change
