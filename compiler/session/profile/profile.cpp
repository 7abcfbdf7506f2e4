// Profiles of an engine: begin, report, end.
#include "compiler/graph/places.h"
#include "compiler/session/engine_state.h"
#include "compiler/session/perf/name_code.h"
#include "runtime/env/sampler.h"

namespace mut {
namespace {

Failure usage(std::string text) { return {Failure::Kind::Usage, std::move(text)}; }

}  // namespace

std::vector<session::RowCount> Engine::State::count_rows() const {
  std::vector<session::RowCount> out;
  if (!runner || !program) return out;
  const graph::Graph& graph = *program->graph;
  const typed::Program& typed = *program->typed;
  for (const runtime::SourceCount& count : runner->feeds().positions()) {
    const typed::Source* source = find_source(*program, count.source);
    if (source == nullptr) continue;
    out.push_back({"source " + count.source, graph::head_place(graph, source->stream),
                   ProfileCount::Of::RowsIn, count.records});
  }
  const runtime::Fleet& fleet = runner->fleet();
  for (size_t i = 0; i < fleet.plan().sites.size(); ++i) {
    if (uint64_t dropped = fleet.dropped(i); dropped > 0) {
      out.push_back({"dropped " + fleet.plan().sites[i].counter, static_cast<int>(i),
                     ProfileCount::Of::Dropped, dropped});
    }
  }
  for (size_t i = 0; i < typed.emits.size(); ++i) {
    const runtime::OutletBinding* binding = runner->outlets().find(typed.emits[i].name);
    if (binding == nullptr) continue;
    out.push_back({"sink " + typed.emits[i].name, graph::emit_place(graph, static_cast<int>(i)),
                   ProfileCount::Of::RowsOut, binding->rows});
  }
  return out;
}

void Engine::State::ask_optimiser() {
  if (!optimiser) return;
  jit::Notes wanted = notes;
  bool other = jit->loaded().notes_of(running_kernels.owner.get()) != wanted;
  if (options.tier == TierChoice::Quick && !other) return;
  optimiser->want(program, exchanges, other ? session::Optimiser::Start::Quick : optimiser_start(), wanted);
}

void Engine::State::code_runs(const runtime::Kernels& kernels) {
  const void* code = kernels.owner.get();
  bool named = !named_code.owner_before(kernels.owner) && !kernels.owner.owner_before(named_code);
  if (perf && !named) {
    named_code = kernels.owner;
    if (options.perf == EngineOptions::Perf::Map) named_for_ever.push_back(kernels.owner);
    perf->add(session::name_code(*program, program_version, jit->loaded().pieces(code)));
  }
  if (!profile_run || profile_run->life() == ProfileReport::Life::Ended) return;
  bool begins = profile_run->life() == ProfileReport::Life::Waits;
  if (begins && jit->loaded().notes_of(code) != jit::Notes::PlacesAndCalls) return;
  profile_run->runs(program_version, program, code, jit->loaded(),
                    begins ? count_rows() : std::vector<session::RowCount>{});
}

Outcome<uint64_t> Engine::begin_profile() {
  State& s = *state_;
  Outcome<uint64_t> out = uint64_t{0};
  s.turn.ask([&] {
    std::lock_guard lock(s.mutex);
    if (s.profile_run && s.profile_run->life() != ProfileReport::Life::Ended) {
      out = usage("a profile is being made already");
      return;
    }
    if (s.closed_already) {
      out = usage("the program has ended");
      return;
    }
    auto sampler = s.env->start_sampler();
    if (!sampler) {
      out = usage("no profile can be made: " + sampler.error().message);
      return;
    }
    s.profile_run.reset();
    s.profile_run =
        std::make_shared<session::ProfileRun>(*s.env, std::move(sampler).value(), s.options.shards);
    s.notes = jit::Notes::PlacesAndCalls;
    out = ++s.profiles_made;
    if (!s.started) return;  // start() compiles with notes
    if (!s.optimiser) s.optimiser = std::make_unique<session::Optimiser>(*s.env, *s.jit, jit::Tier::Quick);
    s.ask_optimiser();
  });
  s.wake->notify();
  return out;
}

Outcome<ProfileReport> Engine::profile() const {
  const State& s = *state_;
  Outcome<ProfileReport> out = usage("no profile has been made");
  s.turn.ask([&] {
    std::lock_guard lock(s.mutex);
    if (s.profile_run) out = s.profile_run->report(s.count_rows());
  });
  return out;
}

void Engine::State::let_profile_end() {
  if (!profile_run || profile_run->life() == ProfileReport::Life::Ended) return;
  profile_run->end(count_rows());
  notes = usual_notes();
  if (jit) jit->loaded().forget_unlinked();
}

Outcome<ProfileReport> Engine::end_profile(uint64_t number) {
  State& s = *state_;
  Outcome<ProfileReport> out = usage("no profile is being made");
  s.turn.ask([&] {
    std::lock_guard lock(s.mutex);
    if (!s.profile_run || s.profile_run->life() == ProfileReport::Life::Ended) return;
    if (number != 0 && number != s.profiles_made) return;
    s.let_profile_end();
    out = s.profile_run->report({});
    if (s.started) s.ask_optimiser();
  });
  return out;
}

}  // namespace mut
