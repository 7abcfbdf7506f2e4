// How the keys of a join or a table are made anew of the rows that it keeps: these are whole, so that any key
// can be computed whose fields they have.
#pragma once
#include <optional>
#include <vector>

#include "compiler/change/key_rule.h"

namespace mut::change {

// A cell and the one that it continues; both null where it continues none.
struct RowCells {
  const Cell* before = nullptr;
  const Cell* after = nullptr;
};

// Whether stores of that kind keep rows whole, under a key that can be made of them.
bool keeps_rows(state::StoreKind kind);

// `cells`: by cell of the new store. Nothing: the keys are those that they were, in another order or wider,
// or the new ones can be had for no side. Owns what it makes; refers to the types of both programs, which it
// keeps alive.
std::optional<KeyRule> row_key_rule(const std::vector<RowCells>& cells, const KeyRuleSources& sources);

}  // namespace mut::change
