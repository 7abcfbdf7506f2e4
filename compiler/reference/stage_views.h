// The stages of a version as an edit sees them: what each of their cells is called and means.
#pragma once
#include <string>
#include <vector>

#include "compiler/reference/flow.h"
#include "compiler/reference/meaning.h"

namespace mut::reference {

// A cell of a stage: how it is called, what it does, of what, and by which key.
struct Cell {
  std::string name;
  std::string function;
  Ways meaning;
  Ways filter;
  std::vector<Ways> keys;  // histories, and what a join keeps
  Ways time;               // of the events that it takes
  bool by_time = false;    // what it keeps depends on that

  // What the script calls it: "total" of "total/sum#2"; empty in `where`.
  std::string column() const;
  // Without the number that tells it from others of one function in one field.
  std::string base() const { return name.substr(0, name.find('#')); }
  bool same_content(const Cell& other) const {
    return function == other.function && meaning == other.meaning && filter == other.filter;
  }
};

struct StageView {
  StagePlace place;
  const typed::Stream* stream = nullptr;
  const typed::Stage* stage = nullptr;
  std::vector<Cell> cells;
  std::vector<Ways> keys;
  Ways arriving;  // which events come to it
  std::string path() const { return stream->name + "/" + stage->name + "/"; }
};

// Every stage that keeps something. `renames`: fields go by the names they had, where `was` tells.
std::vector<StageView> views_of(Flow& flow, bool renames);

}  // namespace mut::reference
