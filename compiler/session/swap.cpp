// Edits of a running engine. Everything that can fail happens here, before the cut: parse, check,
// compare, compile, open. What is left to do at the cut cannot fail.
#include <algorithm>
#include <cstring>

#include "compiler/change/print.h"
#include "compiler/graph/bounds.h"
#include "compiler/sema/check.h"
#include "compiler/session/conversions.h"
#include "compiler/session/engine_state.h"
#include "compiler/session/params.h"
#include "compiler/session/report.h"
#include "compiler/session/shards.h"
#include "compiler/syntax/parse.h"
#include "mutstream/tooling.h"
#include "runtime/abi/check.h"

namespace mut {
namespace {

change::Policy to_policy(SwapPolicy policy) {
  switch (policy) {
    case SwapPolicy::Strict:
      return change::Policy::Strict;
    case SwapPolicy::Ask:
      return change::Policy::Ask;
    case SwapPolicy::Live:
      return change::Policy::Live;
  }
  return change::Policy::Ask;
}

Failure refused(std::string text) { return {Failure::Kind::Refused, std::move(text)}; }

std::string version_name(uint64_t version) { return "v" + std::to_string(version); }

Failure superseded(uint64_t version, uint64_t by) {
  return {Failure::Kind::Superseded, version_name(version) + " is superseded by " + version_name(by)};
}

}  // namespace

std::optional<Failure> Engine::State::wrong_cut(const std::vector<SourceCut>& cuts,
                                                const session::Program& base) {
  for (const SourceCut& cut : cuts) {
    auto known = std::find_if(base.typed->sources.begin(), base.typed->sources.end(),
                              [&](const auto& source) { return source.name == cut.source; });
    if (known == base.typed->sources.end())
      return Failure{Failure::Kind::Usage, "no source is called `" + cut.source + "`"};
    auto index = static_cast<size_t>(known - base.typed->sources.begin());
    if (!base.plan->sources[index].live)
      return Failure{Failure::Kind::Usage, "no sink depends on source `" + cut.source +
                                               "`: it is not read, and nothing counts its records"};
  }
  return std::nullopt;
}

// Kernels of a program that runs already, or new ones. A program of the same shape compiles nothing.
Outcome<runtime::Kernels> Engine::State::kernels_for(const session::Program& made, SwapReport& report,
                                                     bool* optimised, jit::Notes of_code) {
  {
    std::lock_guard lock(mutex);
    if (running_graph && running_graph->shape == made.graph->shape) {
      ++kernels_reused;
      *optimised = running_optimised;
      runtime::Kernels same = running_kernels;
      same.version = report.version;
      return same;
    }
  }
  *optimised = options.tier == TierChoice::Optimised;
  auto kernels = compile(made, jit::Reuse::InProcess, &report.compile_ns, &report.compiled, of_code);
  if (kernels) kernels.value().version = report.version;
  return kernels;
}

Engine::State::Base Engine::State::base_after(size_t kept) const {
  std::vector<ParkedState> can_return = parked_before(kept);
  while (kept > 0 && prepared[kept - 1].is_beside()) --kept;
  if (kept > 0) return {prepared[kept - 1].program, prepared[kept - 1].report.version, std::move(can_return)};
  if (waiting && !waiting->is_beside())
    return {waiting->program, waiting->report.version, std::move(can_return)};
  return {program, program_version, std::move(can_return)};
}

size_t Engine::State::kept_by_edit(const std::vector<SourceCut>& at) const {
  size_t kept = prepared.size();
  if (!at.empty()) return kept;
  while (kept > 0 && prepared[kept - 1].origin == Prepared::Origin::Edit &&
         prepared[kept - 1].swap.at.empty())
    --kept;
  return kept;
}

Outcome<change::SwapPlan> Engine::State::plan_edit(const SwapRequest& request, const Base& before,
                                                   const session::Program& made, session::StepKind kind,
                                                   SwapReport& report) {
  const session::Program& base = *before.program;
  if (auto wrong = wrong_cut(request.at, base)) return *wrong;
  change::CompareOptions compare;
  compare.policy = to_policy(options.policy);
  for (const Consent& consent : request.accept) compare.consents.push_back({consent.verdict, consent.cell});
  compare.old_sources = base.sources.get();
  compare.new_sources = made.sources.get();
  compare.migrate = session::migrate_checker(base, made);
  for (const auto& param : base.params) compare.old_params.push_back(param.second);
  {
    std::lock_guard lock(mutex);
    if (&base == program.get() && store_entries.size() == base.graph->stores.size())
      compare.old_entries = store_entries;
  }
  compare.version = report.version;
  if (kind == session::StepKind::RollBack) compare.policy = change::Policy::Back;
  if (kind == session::StepKind::Shadow) compare.policy = change::Policy::Live;
  if (kind == session::StepKind::Undo || kind == session::StepKind::RollBack)
    compare.direction = change::FormerNames::Direction::Back;
  for (const ParkedState& known : before.parked)
    compare.parked.push_back({known.id, known.program->graph.get(), known.cells, known.entries});
  change::SwapPlan plan = change::compare(*base.graph, *made.graph, compare);
  std::string named = kind == session::StepKind::Shadow ? "shadow" : version_name(report.version);
  report.plan = change::print_text(plan, version_name(before.version), named);
  report.cells = session::verdicts_of(plan);
  switch (plan.outcome) {
    case change::SwapPlan::Outcome::NoChange:
      return Failure{Failure::Kind::NoChange, report.plan, {}, report.cells};
    case change::SwapPlan::Outcome::NeedsDecision:
      return Failure{Failure::Kind::NeedsDecision, report.plan, {}, report.cells};
    case change::SwapPlan::Outcome::Refused:
      return Failure{Failure::Kind::Refused, report.plan, session::refusals_of(plan), report.cells};
    case change::SwapPlan::Outcome::Applicable:
      break;
  }
  session::name_kept_keys(plan);
  std::string stays = session::stays_in_shards(
      plan.migration, base, made, [&](const runtime::ParkId& id) -> const runtime::StorePlan* {
        for (const ParkedState& known : before.parked) {
          if (known.id == id) return &known.program->plan->stores[static_cast<size_t>(id.store)];
        }
        return nullptr;
      });
  if (!stays.empty()) {
    // The comparison knows no shards: what it says last is not true here.
    if (size_t end = report.plan.rfind("applicable"); end != std::string::npos) report.plan.resize(end);
    return refused(report.plan + stays);
  }
  for (const std::string& source : plan.sources_redeclared) {
    auto host = host_source(source);
    if (host && !host->text)
      return refused(report.plan + "source `" + source +
                     "` gets rows of the host, whose record cannot change\n");
    Status fits = fits_input(made, source);
    if (!fits) return refused(report.plan + fits.error().message + "\n");
  }
  return plan;
}

Status Engine::State::fits_input(const session::Program& made, const std::string& source_name) {
  const typed::Source* source = find_source(made, source_name);
  if (source == nullptr || host_source(source_name)) return Unit{};
  const runtime::SourcePlan& plan =
      made.plan->sources[static_cast<size_t>(source - made.typed->sources.data())];
  if (plan.generates || plan.own_metrics) return Unit{};
  const session::Target* bound = session::find_binding(bindings, "source", source_name);
  session::Target target = bound != nullptr ? *bound : session::target_of(source->connector);
  if (target.path == "-" || target.network != nullptr) return Unit{};
  auto identity = env->identify(target.path);
  if (!identity || !identity.value().regular) return Unit{};
  auto opened = session::open_source(surroundings(), *source, plan, bindings, nullptr);
  if (!opened) return opened.error();
  return Unit{};
}

Outcome<std::vector<std::shared_ptr<const runtime::KeyConversion>>> Engine::State::compile_conversions(
    const change::SwapPlan& plan) {
  // Run once: not worth passes.
  return session::compile_conversions(plan.conversions, *jit, jit::Tier::Quick);
}

// Compares an edit with what will run right before it, compiles it and opens what it adds.
Outcome<Engine::State::Prepared> Engine::State::prepare_edit(const SwapRequest& request, const Base& base,
                                                             const std::shared_ptr<session::Program>& edited,
                                                             session::StepKind kind, SwapReport& report) {
  int64_t begin = env->monotonic_ns();
  auto plan = plan_edit(request, base, *edited, kind, report);
  report.check_ns += env->monotonic_ns() - begin;
  if (!plan) return plan.failure();
  (void)env->fail_points().at("swap.planned");
  auto made = session::with_params_of(*base.program, edited, plan.value().migration.params);
  auto newer = [&]() -> uint64_t {
    if (!request.at.empty()) return 0;
    std::lock_guard lock(mutex);
    newest_edit = std::max(newest_edit, report.version);
    return newest_edit > report.version ? newest_edit : 0;
  };
  if (uint64_t by = newer()) return superseded(report.version, by);
  if (env->fail_points().at("build") == env::Fault::Error)
    return Failure{Failure::Kind::Internal, "the build was made to fail"};
  bool optimised = false;
  auto kernels = kernels_for(*made, report, &optimised, notes);
  if (!kernels) return kernels.failure();
  auto conversions = compile_conversions(plan.value());
  if (!conversions) return conversions.failure();
  (void)env->fail_points().at("swap.built");
  if (uint64_t by = newer()) return superseded(report.version, by);  // before files are opened
  runtime::PreparedSwap swap;
  swap.version = report.version;
  swap.migration = plan.value().migration;
  swap.migration.conversions = std::move(conversions).value();
  swap.sources.redeclared = plan.value().sources_redeclared;
  for (const SourceCut& cut : request.at) swap.at.push_back({cut.source, cut.records});
  swap.next = runner->make_instances(made->plan, kernels.value());
  auto opened = open_added(*base.program, *made, plan.value(), swap, report.warnings);
  if (!opened) return opened.failure();
  (void)env->fail_points().at("swap.prepared");
  Prepared out{Prepared::Origin::Edit,     report,    made,        std::move(swap),
               std::move(kernels).value(), optimised, base.program};
  if (kind == session::StepKind::Edit) out.guards = session::guards_of(*made, request.guard, options.clock);
  for (size_t i = 0; i < plan.value().migration.parks.size(); ++i)
    out.parks.push_back({plan.value().migration.parks[i], base.program, plan.value().parked_cells[i]});
  for (const runtime::StoreMigration& store : plan.value().migration.stores) {
    for (const runtime::ReturnPart& part : store.returned) out.returns.push_back(part.parked);
  }
  out.settled = request.settled;
  return out;
}

Outcome<SwapReport> Engine::swap(const SwapRequest& request) {
  State& s = *state_;
  if (!s.started) return Failure{Failure::Kind::Usage, "the engine was not started"};
  int64_t begin = s.env->monotonic_ns();
  session::Optimiser::Hold hold(s.optimiser.get());
  const std::string& name = request.name.empty() ? s.name : request.name;
  SwapReport report;
  VersionRecord record;
  {
    std::lock_guard lock(s.mutex);
    report.version = ++s.versions;
    record = s.begin_record(report.version, name, request.text);
    record.parent = s.base_after(s.kept_by_edit(request.at)).version;
  }
  record.accepted = request.accept;
  (void)s.env->fail_points().at("swap.saved");
  auto sources = std::make_shared<source::SourceSet>();
  diag::Engine diags;
  auto made = s.make_version(request.text, name, sources, diags);
  report.check_ns = s.env->monotonic_ns() - begin;
  if (!made) {
    record.reason = diag::render_text(diags, *sources, diag::Color::Never);
    return s.record_failure(std::move(record), report,
                            {Failure::Kind::Script, s.render(diags, *sources), session::error_codes(diags)});
  }
  (void)s.env->fail_points().at("swap.typed");
  report.warnings = s.render(diags, *sources);
  return s.offer_edit(request, made, std::move(report), std::move(record));
}

std::vector<Engine::State::Prepared> Engine::State::supersede(size_t kept, uint64_t by) {
  std::vector<Prepared> gone;
  while (prepared.size() > kept) {
    SwapReport& report = prepared.back().report;
    report.superseded_by = by;
    history.settle(report.version, VersionRecord::Outcome::Superseded, superseded(report.version, by).text);
    done.push_back(report);
    gone.push_back(std::move(prepared.back()));
    prepared.pop_back();
  }
  return gone;
}

Outcome<SwapReport> Engine::State::offer_edit(const SwapRequest& request,
                                              const std::shared_ptr<session::Program>& edited,
                                              SwapReport offered, VersionRecord record,
                                              const std::shared_ptr<session::ShadowRun>& promotes) {
  if (request.at.empty()) let_waiting_shadow_go();
  std::unique_lock lock(mutex);
  while (true) {
    if (auto held = held_by_canary(request.at)) {
      lock.unlock();
      return record_failure(std::move(record), offered, std::move(*held));
    }
    Base base = base_after(kept_by_edit(request.at));
    lock.unlock();
    record.parent = base.version;
    SwapReport report = offered;
    // What somebody looks at, he sees in the next version too.
    auto made = with_taps_of(*base.program, edited);
    auto ready = made ? prepare_edit(request, base, made, session::StepKind::Edit, report)
                      : Outcome<Prepared>(Failure{Failure::Kind::Io, "what the script imports has changed"});
    // Back to what runs: nothing to take, but what was offered in between goes.
    bool back = !ready && ready.failure().kind == Failure::Kind::NoChange && request.at.empty();
    if (!ready && !back) return record_failure(std::move(record), report, ready.failure());
    if (ready) {
      fill_waiting(ready.value(), record);
      ready.value().promotes = promotes;
      if (auto untaken = record_waiting(record, report)) return *untaken;
      (void)env->fail_points().at("swap.recorded");
    }
    lock.lock();
    if (request.at.empty() && newest_edit > report.version) {
      Failure late = superseded(report.version, newest_edit);
      lock.unlock();
      return record_failure(std::move(record), report, std::move(late));
    }
    // Meanwhile another version may have come to run before it: then it is compared with that one.
    size_t kept = kept_by_edit(request.at);
    if (base_after(kept).program != base.program || held_by_canary(request.at)) continue;
    if (ready && !can_return(ready.value().returns, kept)) continue;
    std::vector<Prepared> gone = supersede(kept, report.version);
    if (back) {
      newest_edit = report.version;
    } else {
      history.keep(report.version, base.version, session::StepKind::Edit, ready.value().program);
      prepared.push_back(std::move(ready).value());
      wake->notify();
    }
    lock.unlock();
    for (const Prepared& other : gone) {
      if (other.settled) other.settled(other.report);
    }
    if (!back) return report;
    // It says the same in other words, or more that nothing reads yet: from now on edits are of these words.
    if (made->text != base.program->text) (void)offer_same(base, made);
    return record_failure(std::move(record), report, ready.failure());
  }
}

Outcome<PlanReport> Engine::plan(const SwapRequest& request) {
  State& s = *state_;
  if (!s.started) return Failure{Failure::Kind::Usage, "the engine was not started"};
  State::Base base;
  SwapReport report;
  {
    std::lock_guard lock(s.mutex);
    base = s.base_after(s.kept_by_edit(request.at));
    report.version = s.versions + 1;
  }
  auto sources = std::make_shared<source::SourceSet>();
  diag::Engine diags;
  auto made = s.make_version(request.text, request.name.empty() ? s.name : request.name, sources, diags,
                             base.program->taps);
  PlanReport out;
  out.warnings = s.render(diags, *sources);
  if (!made) return Failure{Failure::Kind::Script, std::move(out.warnings), session::error_codes(diags)};
  auto planned = s.plan_edit(request, base, *made, session::StepKind::Edit, report);
  out.plan = std::move(report.plan);
  out.cells = std::move(report.cells);
  if (planned) return out;
  out.codes = planned.failure().codes;
  switch (planned.failure().kind) {
    case Failure::Kind::NoChange:
      out.judged = PlanReport::Judged::NoChange;
      return out;
    case Failure::Kind::NeedsDecision:
      out.judged = PlanReport::Judged::NeedsDecision;
      return out;
    case Failure::Kind::Refused:
      out.judged = PlanReport::Judged::Refused;
      out.plan = planned.failure().text;
      return out;
    default:
      return planned.failure();
  }
}

Script Engine::script() const {
  State& s = *state_;
  std::lock_guard lock(s.mutex);
  State::Base newest = s.base_after(s.prepared.size());
  return {newest.program->text, newest.program->name(), newest.version};
}

// New sources, and sinks that are new or go elsewhere. Opened before the cut: what fails here changes
// nothing.
Outcome<Done> Engine::State::open_added(const session::Program& before, const session::Program& made,
                                        const change::SwapPlan& plan, runtime::PreparedSwap& swap,
                                        std::string& notices) {
  const runtime::Migration& migration = plan.migration;
  auto old_name = [](const auto& renamed, const std::string& now) {
    for (const auto& [from, to] : renamed) {
      if (to == now) return from;
    }
    return now;
  };
  auto apart = check_files(made, &before);
  if (apart) apart = check_demands(made);
  if (!apart) return apart;
  for (const auto& [from, to] : migration.renamed_sources) {
    // What the host pushes under either name arrives.
    std::lock_guard lock(host_mutex);
    if (auto host = host_sources.find(from); host != host_sources.end())
      host_sources.insert_or_assign(to, HostSource(host->second));
    if (auto rate = rates.find(from); rate != rates.end())
      rates.insert_or_assign(to, std::shared_ptr(rate->second));
  }
  for (size_t i = 0; i < made.typed->sources.size(); ++i) {
    const std::string& source = made.typed->sources[i].name;
    std::string was = old_name(migration.renamed_sources, source);
    auto known = std::find_if(before.plan->sources.begin(), before.plan->sources.end(),
                              [&](const auto& other) { return other.name == was && other.live; });
    if (!made.plan->sources[i].live) continue;
    bool replaced = std::find(plan.sources_replaced.begin(), plan.sources_replaced.end(), source) !=
                    plan.sources_replaced.end();
    // What the host or the command line gives in its place stays.
    if (closed() || host_source(source) || session::find_binding(bindings, "source", source) != nullptr)
      replaced = false;
    if (known != before.plan->sources.end() && !replaced) continue;
    auto reader = open_source(made, i);
    if (!reader) return reader.failure();
    if (known != before.plan->sources.end()) {
      const typed::Source* old_source = find_source(before, was);
      using Replaced = runtime::SourceChanges::Replaced;
      auto former =
          old_source->connector.name != "file" ? Replaced::Former::FollowedUp : Replaced::Former::Kept;
      swap.sources.replaced.push_back({source, session::input_text(old_source->connector),
                                       session::input_text(made.typed->sources[i].connector),
                                       std::move(reader).value(), former});
      continue;
    }
    swap.sources.added.emplace_back(source, std::move(reader).value());
  }
  for (size_t i = 0; i < made.typed->emits.size(); ++i) {
    const typed::Emit& emit = made.typed->emits[i];
    std::string was = old_name(migration.renamed_sinks, emit.name);
    auto known = std::find_if(before.typed->emits.begin(), before.typed->emits.end(),
                              [&](const typed::Emit& other) { return other.name == was; });
    bool of_host = closed() || emit.name.starts_with("tap:");
    {
      std::lock_guard lock(host_mutex);
      of_host = of_host || host_sinks.contains(emit.name) || host_sinks.contains(was);
    }
    bool kept = known != before.typed->emits.end() &&
                (of_host || session::sink_target(*known, bindings) == session::sink_target(emit, bindings));
    if (kept) continue;
    auto outlet = open_sink(made, i, notices);
    if (!outlet) return outlet.failure();
    swap.new_sinks.push_back(std::move(outlet).value());
  }
  return Done{};
}

// On the running thread: the next version becomes what the shard waits for.
void Engine::State::take_prepared() {
  std::lock_guard lock(mutex);
  store_entries.resize(runner->plan().stores.size());
  for (size_t i = 0; i < store_entries.size(); ++i) store_entries[i] = runner->fleet().entry_count(i);
  free_parked();
  if (prepared.empty() || waiting || runner->swap_waits()) return;
  MUT_CHECK(prepared.front().base == program, "a version is compared with the one that runs right before it");
  waiting = std::move(prepared.front());
  prepared.pop_front();
  runner->schedule(std::move(waiting->swap));
}

PlanResult plan_change(std::string_view before, std::string before_name, std::string_view after,
                       std::string after_name, const PlanOptions& options) {
  auto check = [&](std::string_view text, std::string name, std::string& problem) {
    auto sources = std::make_shared<source::SourceSet>();
    diag::Engine diags;
    auto made = session::make_program(text, std::move(name), sources, diags);
    if (!made) {
      problem += diag::render_text(
          diags, *sources,
          options.color == EngineOptions::Color::Yes ? diag::Color::Always : diag::Color::Never);
    }
    return made;
  };
  std::string problem;
  auto old_program = check(before, std::move(before_name), problem);
  auto new_program = check(after, std::move(after_name), problem);
  if (!old_program || !new_program) return {1, problem};
  change::CompareOptions compare;
  compare.policy = to_policy(options.policy);
  for (const Consent& consent : options.accept) compare.consents.push_back({consent.verdict, consent.cell});
  compare.old_sources = old_program->sources.get();
  compare.new_sources = new_program->sources.get();
  compare.migrate = session::migrate_checker(*old_program, *new_program);
  change::SwapPlan plan = change::compare(*old_program->graph, *new_program->graph, compare);
  std::string text = options.format == PlanOptions::Format::Json ? change::print_json(plan, "v1", "v2")
                                                                 : change::print_text(plan, "v1", "v2");
  bool bounds = options.bounds == PlanOptions::Bounds::Show && options.format == PlanOptions::Format::Text;
  if (bounds) text += "v2 keeps\n" + graph::print_bounds(*new_program->graph);
  return {change::exit_code(plan.outcome), std::move(text)};
}

}  // namespace mut
