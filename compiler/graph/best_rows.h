#pragma once
#include <optional>
#include <string>

#include "compiler/typed/program.h"
#include "runtime/state/store_desc.h"

namespace mut::graph {

// Which groups of a window `behind`, the next stage of the stream, may give, where it is a `top` by a result
// of the aggregate; nothing: it needs all of them, or may need them. `path`: that of its own store.
std::optional<state::BestRows> best_rows(const typed::Stage& aggregate, const state::StoreDesc& desc,
                                         const typed::Stage& behind, const std::string& path);

}  // namespace mut::graph
