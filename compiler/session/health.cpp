// What is told of an engine to those who may not wait for its rows.
#include <algorithm>

#include "compiler/session/engine_state.h"

namespace mut {

std::optional<EngineFigures> Engine::inspect_within(int64_t limit_ns) const {
  std::optional<EngineFigures> out;
  state_->turn.ask_within(limit_ns, [&] { fill_figures(out.emplace()); });
  return out;
}

Health Engine::health() const {
  const State& s = *state_;
  Health out;
  out.phase = s.life.phase.load();
  int64_t since_ns = s.life.busy_since_ns.load(std::memory_order_relaxed);
  if (since_ns != 0) out.busy_ns = std::max<int64_t>(s.env->monotonic_ns() - since_ns, 0);
  for (connector::Links::State& link : s.messages->links().states())
    out.connections.push_back(
        {std::move(link.side), std::move(link.name), link.connected, std::move(link.why), link.made_again});
  return out;
}

}  // namespace mut
