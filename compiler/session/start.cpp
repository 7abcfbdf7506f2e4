// From a program to its first turn: code, sources, sinks, and the state of a checkpoint.
#include <algorithm>
#include <utility>

#include "compiler/session/engine_state.h"
#include "compiler/session/files.h"
#include "mutstream/tooling.h"

namespace mut {
namespace {

Failure io(const mut::Error& error) { return {Failure::Kind::Io, error.message}; }

}  // namespace

Outcome<Done> Engine::State::check_files(const session::Program& made, const session::Program* before) {
  if (closed()) return Done{};
  Status apart = session::check_files(*env, *made.typed, bindings, before ? before->typed.get() : nullptr);
  if (!apart) return io(apart.error());
  return Done{};
}

Outcome<runtime::Kernels> Engine::State::compile(const session::Program& made, jit::Reuse reuse,
                                                 int64_t* spent_ns, bool* compiled, jit::Notes of_code) {
  if (!jit) {
    jit = std::make_unique<jit::Jit>(options.kernel_cache);
    bool tells = options.diagnostics == EngineOptions::Diagnostics::Text;
    if (tells && !jit->folder_problem().empty()) warnings += "note: " + jit->folder_problem() + "\n";
  }
  jit::CompileTimes times;
  int64_t begin = env->monotonic_ns();
  jit::Tier tier = options.tier == TierChoice::Optimised ? jit::Tier::Optimised : jit::Tier::Quick;
  auto kernels = jit->compile(*made.graph, tier, codegen::Literals::Table, reuse, &times, nullptr, of_code);
  if (!kernels) return Failure{Failure::Kind::Internal, kernels.error().message};
  *spent_ns = env->monotonic_ns() - begin;
  *compiled = times.compiled;
  ++(times.compiled ? kernels_compiled : kernels_reused);
  compile_ns += *spent_ns;
  return std::move(kernels).value();
}

Outcome<Done> Engine::start() {
  State& s = *state_;
  if (s.started) return Failure{Failure::Kind::Usage, "the engine was started already"};
  if (s.options.shards == 0 || s.options.shards > EngineOptions::shards_max)
    return Failure{Failure::Kind::Usage, "shards: 1 to " + std::to_string(EngineOptions::shards_max)};
  if (s.options.decode_threads > EngineOptions::decode_threads_max)
    return Failure{Failure::Kind::Usage,
                   "decode_threads: at most " + std::to_string(EngineOptions::decode_threads_max)};
  bool stays = s.options.at_end == EngineOptions::AtEnd::Stay;
  if (s.program->typed->emits.empty() && !s.closed() && !stays)
    return Failure{Failure::Kind::Script, s.name + ": nothing to run: no `emit`"};
  if (!s.options.history_path.empty() && !s.history.has_file()) {
    Status opened = s.history.open(*s.env, s.options.history_path, s.warnings);
    if (!opened) return io(opened.error());
    s.versions = s.program_version = s.history.last_version() + 1;
  }
  // Its checkpoint may have been taken over by a start that failed later.
  if (s.checkpoints)
    return Failure{Failure::Kind::Usage,
                   "with a directory of state an engine is started once; load the script anew"};
  if (!s.options.spill_dir.empty()) {
    auto opened =
        state::Spill::open(*s.env, {s.options.spill_dir, s.options.spill_bytes, s.options.memory_bytes / 8});
    if (!opened) return io(opened.error());
    s.spill = std::move(opened).value();
  }
  if (!s.options.state_dir.empty()) {
    auto opened = s.open_checkpoints();
    if (!opened) return opened;
  }
  const bool goes_on = s.checkpoints && s.checkpoints->goes_on();
  int64_t spent = 0;
  bool compiled = false;
  if (s.options.perf != EngineOptions::Perf::No && !s.perf) {
    auto file = s.options.perf == EngineOptions::Perf::Map ? session::open_perf_map()
                                                           : session::open_jitdump(s.options.perf_folder);
    if (!file) return io(file.error());
    s.perf = std::move(file).value();
  }
  if (!s.profile_run) s.notes = s.usual_notes();
  auto kernels = s.compile(*s.program, jit::Reuse::OnDisk, &spent, &compiled, s.notes);
  if (!kernels) return kernels.failure();
  kernels.value().version = s.program_version;
  runtime::RunnerOptions options;
  options.shards = s.options.shards;
  if (s.options.batch_rows != 0) {
    options.batch_rows = s.options.batch_rows;
    options.batch_rows_most = s.options.batch_rows;
  } else {
    options.batch_rows_most = 8 * options.batch_rows;
  }
  options.memory_bytes = s.options.memory_bytes;
  options.spill = s.spill;
  if (stays) options.at_end = runtime::RunnerOptions::AtEnd::Stay;
  if (s.checkpoints) options.at_last = runtime::RunnerOptions::AtLast::Tell;
  options.seed = s.restored_seed;
  if (s.options.clock == EngineOptions::Clock::Virtual)
    options.now_ns = [state = &s] { return state->virtual_now.load(); };
  if (s.options.decode_threads > 0)
    s.decode_threads = std::make_shared<connector::DecodeThreads>(*s.env, s.options.decode_threads);
  s.runner = std::make_unique<runtime::Runner>(*s.env, options, s.retired);
  s.librarian = std::make_unique<session::Librarian>(*s.env, s.retired);
  auto apart = s.check_files(*s.program, nullptr);
  if (apart) apart = s.check_demands(*s.program);
  if (!apart) return apart;
  if (goes_on) {
    auto resumed = s.resume_sinks();
    if (!resumed) return resumed;
  }
  using SourceCrash = connector::SourceReader::AfterCrash;
  std::vector<SourceCrash> after_crash(s.program->typed->sources.size(), SourceCrash::Lost);
  std::vector<std::pair<std::string, std::unique_ptr<connector::SourceReader>>> readers;
  for (size_t i = 0; i < s.program->typed->sources.size(); ++i) {
    if (!s.program->plan->sources[i].live) continue;
    auto reader = s.open_source(*s.program, i);
    if (!reader) return reader.failure();
    if (s.checkpoints) reader.value()->take_until_durable();
    after_crash[i] = reader.value()->after_crash();
    readers.emplace_back(s.program->typed->sources[i].name, std::move(reader).value());
  }
  std::vector<runtime::OutletBinding> outlets;
  for (size_t i = 0; i < s.program->typed->emits.size(); ++i) {
    auto outlet = s.open_sink(*s.program, i, s.warnings);
    if (!outlet) return outlet.failure();
    outlets.push_back(std::move(outlet).value());
  }
  if (s.checkpoints) {
    auto told = s.tell_guarantees(after_crash, outlets);
    if (!told) return told;
  }
  s.running_kernels = kernels.value();
  s.running_graph = s.program->graph;
  s.running_optimised = s.options.tier == TierChoice::Optimised;
  runtime::Instances instances = s.runner->make_instances(s.program->plan, kernels.value());
  s.runner->set_stamp(s.options.stamp == EngineOptions::Stamp::Yes);
  VersionRecord first = s.begin_record(s.program_version, s.name, s.program->text);
  first.parent = s.history.last_ran();
  if (first.parent != 0) {
    first.plan = "v" + std::to_string(first.version) + " follows v" + std::to_string(first.parent) +
                 " of a run that is over: " +
                 (goes_on ? "it goes on from checkpoint " + std::to_string(s.checkpoints->found_number())
                          : "its state begins empty") +
                 "\n";
  }
  first.params = s.program->params;
  first.outcome = VersionRecord::Outcome::Running;
  first.compile_ns = spent;
  Status recorded = s.history.add(std::move(first));
  if (!recorded) return io(recorded.error());
  s.history.keep(s.program_version, 0, session::StepKind::Edit, s.program);
  s.runner->start(std::move(instances), s.program_version, std::move(readers), std::move(outlets));
  if (goes_on) {
    auto restored = s.restore();
    if (!restored) return restored;
  }
  if (s.checkpoints && !goes_on) {
    auto begun = s.begin_checkpoints();
    if (!begun) return begun;
  }
  if (!s.checkpoints && !s.closed()) s.confirmation.emplace(*s.env);
  s.started = true;
  s.life.phase.store(Health::Phase::Running);
  if (s.options.tier != TierChoice::Quick) {
    s.optimiser = std::make_unique<session::Optimiser>(*s.env, *s.jit);
    s.optimiser->want(s.program, s.exchanges, s.optimiser_start(), s.notes);
  }
  s.code_runs(s.running_kernels);
  return s.edit_at_start ? s.make_edit_at_start(*this) : Done{};
}

}  // namespace mut
