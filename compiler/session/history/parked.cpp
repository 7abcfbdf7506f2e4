// State that edits dropped, kept for an undo: how long, and how much of it.
//
// The shards own the stores; here stands which version dropped which cells. `mutex` is held in all of it.
#include <algorithm>

#include "compiler/session/engine_state.h"

namespace mut {

std::vector<Engine::State::ParkedState> Engine::State::parked_before(size_t kept) const {
  std::vector<ParkedState> out = parked;
  // What waits brings some back, and will leave others.
  auto add = [&](const Prepared& version) {
    for (const runtime::ParkId& id : version.returns)
      std::erase_if(out, [&](const ParkedState& known) { return known.id == id; });
    out.insert(out.end(), version.parks.begin(), version.parks.end());
  };
  if (waiting) add(*waiting);
  for (size_t i = 0; i < kept; ++i) add(prepared[i]);
  return out;
}

bool Engine::State::can_return(const std::vector<runtime::ParkId>& ids, size_t kept) const {
  if (ids.empty()) return true;
  std::vector<ParkedState> known = parked_before(kept);
  return std::all_of(ids.begin(), ids.end(), [&](const runtime::ParkId& id) {
    return std::any_of(known.begin(), known.end(), [&](const ParkedState& state) { return state.id == id; });
  });
}

bool Engine::State::is_awaited(const runtime::ParkId& id) const {
  auto brings_back = [&](const Prepared& version) {
    return std::find(version.returns.begin(), version.returns.end(), id) != version.returns.end();
  };
  return (waiting && brings_back(*waiting)) || std::any_of(prepared.begin(), prepared.end(), brings_back);
}

void Engine::State::let_parked_go(size_t index) {
  runner->let_go(parked[index].id);
  parked.erase(parked.begin() + static_cast<ptrdiff_t>(index));
}

void Engine::State::settle_parked(const Prepared& taken, uint64_t version) {
  for (const ParkedState& left : taken.parks) {
    uint64_t entries = runner->parked_entries(left.id);
    if (entries == 0) continue;  // an empty store is not kept
    parked.push_back(left);
    parked.back().entries = entries;
  }
  for (size_t i = 0; i < parked.size();) {
    bool came_back =
        std::find(taken.returns.begin(), taken.returns.end(), parked[i].id) != taken.returns.end();
    bool old = parked[i].id.version + change::parked_versions <= version;
    if (came_back || (old && !is_awaited(parked[i].id))) {
      let_parked_go(i);
    } else {
      ++i;
    }
  }
}

void Engine::State::free_parked() {
  const state::Budget& budget = runner->budget();
  for (size_t i = 0; i < parked.size() && budget.used() > budget.limit() + budget.leaving();) {
    if (is_awaited(parked[i].id)) {
      ++i;
    } else {
      let_parked_go(i);
    }
  }
}

}  // namespace mut
