// The stages of a version as an edit sees them: what each of their cells is called and means.
#pragma once
#include <string>
#include <vector>

#include "compiler/reference/flow.h"

namespace mut::reference {

// A cell of a stage: how it is called, what it does, and by which key.
struct Cell {
  std::string name;
  std::string function;
  std::string meaning;
  std::vector<std::string> keys;  // histories only
};

struct StageView {
  StagePlace place;
  const typed::Stream* stream = nullptr;
  const typed::Stage* stage = nullptr;
  std::vector<Cell> cells;
  std::vector<std::string> keys;
  std::string path() const { return stream->name + "/" + stage->name + "/"; }
};

// Every stage that keeps something. `renames`: fields go by the names they had, where `was` tells.
std::vector<StageView> views_of(Flow& flow, bool renames);

}  // namespace mut::reference
