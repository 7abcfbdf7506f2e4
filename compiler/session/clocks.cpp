#include "compiler/session/clocks.h"

#include <algorithm>

#include "runtime/graph/instance.h"

namespace mut::session {
namespace {

constexpr size_t bits = 64;  // of a mask; the last is shared when there are more

// The least of both at every instant.
void add(runtime::Clock& to, const runtime::Clock& from) {
  to.delays.resize(std::max(to.delays.size(), from.delays.size()), 0);
  for (size_t bit = 0; bit < from.delays.size(); ++bit)
    to.delays[bit] = std::max(to.delays[bit], from.delays[bit]);
  to.mask |= from.mask;
}

void delay(runtime::Clock& clock, int64_t by, size_t source_count) {
  if (by == 0) return;
  clock.delays.resize(source_count, 0);
  for (size_t bit = 0; bit < source_count; ++bit) {
    if ((clock.mask >> bit & 1U) != 0) clock.delays[bit] = runtime::later(clock.delays[bit], by);
  }
}

}  // namespace

Clocks clocks_of(const graph::Graph& graph) {
  const typed::Program& program = *graph.program;
  Clocks out;
  out.bit_of.assign(graph.stores.size(), -1);
  out.of_store.resize(graph.stores.size());
  size_t next = program.sources.size();
  for (size_t i = 0; i < graph.stores.size(); ++i) {
    // The watermark of what comes after a `window all` is held back until that has given its rows.
    if (state::waits_for_end(graph.stores[i].desc))
      out.bit_of[i] = static_cast<int>(std::min(next++, bits - 1));
  }
  // Inputs and right sides stand before their readers, branches after the routed stream: one pass is enough.
  for (size_t i = 0; i < program.streams.size(); ++i) {
    const typed::Stream& stream = program.streams[i];
    runtime::Clock clock;
    if (stream.kind == typed::StreamKind::Source) clock.mask = uint64_t{1} << stream.source;
    for (const typed::Input& input : stream.inputs) {
      if (input.stream >= 0) add(clock, out.after[static_cast<size_t>(input.stream)]);
    }
    for (size_t k = 0; k < stream.stages.size(); ++k) {
      if (stream.stages[k].join) add(clock, out.after[static_cast<size_t>(stream.stages[k].join->right)]);
      for (int store : graph.stage_stores[i][k]) {
        auto index = static_cast<size_t>(store);
        out.of_store[index] = clock;
        delay(clock, state::delay_of(graph.stores[index].desc), program.sources.size());
      }
      for (int store : graph.stage_stores[i][k]) {
        int bit = out.bit_of[static_cast<size_t>(store)];
        if (bit >= 0) clock.mask |= uint64_t{1} << bit;
      }
    }
    out.after.push_back(std::move(clock));
  }
  return out;
}

}  // namespace mut::session
