// Edits of a running engine. Everything that can fail happens here, before the cut: parse, check,
// compare, compile, open. What is left to do at the cut cannot fail.
#include <algorithm>
#include <cstring>

#include "compiler/change/print.h"
#include "compiler/sema/check.h"
#include "compiler/session/engine_state.h"
#include "compiler/session/report.h"
#include "compiler/syntax/parse.h"
#include "mutstream/tooling.h"

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

}  // namespace

// Kernels of a program that runs already, or new ones. A program of the same shape compiles nothing.
Outcome<runtime::Kernels> Engine::State::kernels_for(const session::Program& made, SwapReport& report,
                                                     bool* optimised) {
  {
    std::lock_guard lock(mutex);
    if (running_graph && running_graph->shape == made.graph->shape) {
      ++kernels_reused;
      *optimised = running_optimised;
      return runtime::Kernels(running_kernels);
    }
  }
  *optimised = options.tier == TierChoice::Optimised;
  return compile(made, &report.compile_ns, &report.compiled);
}

Outcome<SwapReport> Engine::swap(const SwapRequest& request) {
  State& s = *state_;
  if (!s.started) return Failure{Failure::Kind::Usage, "the engine was not started"};
  std::lock_guard one_at_a_time(s.edit_mutex);
  int64_t begin = s.env->monotonic_ns();
  SwapReport report;
  std::shared_ptr<session::Program> before;
  std::vector<uint64_t> entries;
  {
    std::lock_guard lock(s.mutex);
    report.version = ++s.versions;
    before = s.newest_version();
    if (before == s.program) entries = s.store_entries;
  }
  auto sources = std::make_shared<source::SourceSet>();
  diag::Engine diags;
  auto made = s.make_version(request.text, request.name.empty() ? s.name : request.name, sources, diags);
  if (!made) return Failure{Failure::Kind::Script, s.render(diags, *sources), session::error_codes(diags)};
  for (const SourceCut& cut : request.at) {
    auto known = std::find_if(before->typed->sources.begin(), before->typed->sources.end(),
                              [&](const auto& source) { return source.name == cut.source; });
    if (known == before->typed->sources.end())
      return Failure{Failure::Kind::Usage, "no source is called `" + cut.source + "`"};
  }
  change::CompareOptions options;
  options.policy = to_policy(s.options.policy);
  for (const Consent& consent : request.accept) options.consents.push_back({consent.verdict, consent.cell});
  options.old_sources = before->sources.get();
  options.new_sources = made->sources.get();
  if (entries.size() == before->graph->stores.size()) options.old_entries = std::move(entries);
  change::SwapPlan plan = change::compare(*before->graph, *made->graph, options);
  report.plan = change::print_text(plan, version_name(report.version - 1), version_name(report.version));
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
  if (!plan.sources_redeclared.empty() && before->typed->sources.size() > 1) {
    return refused(report.plan + "the record of source `" + plan.sources_redeclared[0] +
                   "` cannot change while several sources run\n");
  }
  for (const std::string& source : plan.sources_redeclared) {
    auto host = s.host_source(source);
    if (host && !host->text)
      return refused(report.plan + "source `" + source +
                     "` gets rows of the host, whose record cannot change\n");
  }
  report.warnings = s.render(diags, *sources);
  report.check_ns = s.env->monotonic_ns() - begin;
  bool optimised = false;
  auto kernels = s.kernels_for(*made, report, &optimised);
  if (!kernels) return kernels.failure();

  runtime::PreparedSwap swap;
  swap.version = report.version;
  swap.migration = plan.migration;
  swap.redeclared = plan.sources_redeclared;
  for (const SourceCut& cut : request.at) swap.at.push_back({cut.source, cut.records});
  swap.next = std::make_unique<runtime::Instance>(made->plan, kernels.value(), s.shard->seed(),
                                                  s.shard->budget(), s.shard->errors());
  auto opened = s.open_added(*before, *made, plan.migration, swap, report.warnings);
  if (!opened) return opened.failure();
  State::Waiting waiting{report, made, std::move(swap), std::move(kernels).value(), optimised};
  std::lock_guard lock(s.mutex);
  s.candidates.push_back(std::move(waiting));
  s.wake->notify();
  return report;
}

// New sources, and sinks that are new or go elsewhere. Opened before the cut: what fails here changes
// nothing.
Outcome<Done> Engine::State::open_added(const session::Program& before, const session::Program& made,
                                        const runtime::Migration& migration, runtime::PreparedSwap& swap,
                                        std::string& notices) {
  auto old_name = [](const auto& renamed, const std::string& now) {
    for (const auto& [from, to] : renamed) {
      if (to == now) return from;
    }
    return now;
  };
  for (const auto& [from, to] : migration.renamed_sources) {
    // What the host pushes under either name arrives.
    std::lock_guard lock(mutex);
    if (auto host = host_sources.find(from); host != host_sources.end())
      host_sources.insert_or_assign(to, HostSource(host->second));
  }
  for (size_t i = 0; i < made.typed->sources.size(); ++i) {
    const std::string& source = made.typed->sources[i].name;
    std::string was = old_name(migration.renamed_sources, source);
    auto known = std::find_if(before.plan->sources.begin(), before.plan->sources.end(),
                              [&](const auto& other) { return other.name == was && other.live; });
    if (known != before.plan->sources.end() || !made.plan->sources[i].live) continue;
    auto reader = open_source(made, i);
    if (!reader) return reader.failure();
    swap.new_sources.emplace_back(source, std::move(reader).value());
  }
  for (size_t i = 0; i < made.typed->emits.size(); ++i) {
    const typed::Emit& emit = made.typed->emits[i];
    std::string was = old_name(migration.renamed_sinks, emit.name);
    auto known = std::find_if(before.typed->emits.begin(), before.typed->emits.end(),
                              [&](const typed::Emit& other) { return other.name == was; });
    bool of_host = closed() || emit.name.starts_with("tap:");
    {
      std::lock_guard lock(mutex);
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

std::shared_ptr<session::Program> Engine::State::newest_version() const {
  if (!candidates.empty()) return candidates.back().program;
  return waiting ? waiting->program : program;
}

// On the running thread: a candidate becomes the edit that the shard waits for.
void Engine::State::take_candidate() {
  std::lock_guard lock(mutex);
  store_entries.resize(shard->instance().store_count());
  for (size_t i = 0; i < store_entries.size(); ++i)
    store_entries[i] = shard->instance().store(i).entry_count();
  if (candidates.empty() || waiting || shard->swap_waits()) return;
  waiting = std::move(candidates.front());
  candidates.pop_front();
  shard->schedule(std::move(waiting->swap));
}

Outcome<Done> Engine::set_param(const std::string& name, const std::string& value,
                                const std::vector<SourceCut>& at) {
  State& s = *state_;
  if (!s.started) return Failure{Failure::Kind::Usage, "the engine was not started"};
  std::lock_guard one_at_a_time(s.edit_mutex);
  std::shared_ptr<session::Program> before;
  {
    std::lock_guard lock(s.mutex);
    before = s.newest_version();
  }
  const auto& params = before->typed->params;
  auto param = std::find_if(params.begin(), params.end(),
                            [&](const typed::Param& other) { return other.name == name; });
  if (param == params.end()) return Failure{Failure::Kind::Usage, "no param is called `" + name + "`"};
  source::SourceSet sources;
  diag::Engine diags;
  source::FileId file = sources.add("value", "const value = " + value);
  ast::Program tree = syntax::parse(sources, file, diags);
  const auto* constant =
      tree.declarations.size() == 1 ? std::get_if<ast::ConstDecl>(&tree.declarations[0].node) : nullptr;
  std::optional<typed::Const> parsed;
  if (!diags.has_errors() && constant != nullptr && constant->value)
    parsed = sema::check_literal(*constant->value, param->type, diags);
  if (!parsed)
    return Failure{Failure::Kind::Usage,
                   "`" + value + "` is no value of param `" + name + ": " + param->type->text + "`"};
  auto index = static_cast<size_t>(param - params.begin());
  auto made = std::make_shared<session::Program>(*before);
  auto plan = std::make_shared<runtime::Plan>(*before->plan);
  const abi::FieldDesc& field = plan->param_record->fields[index];
  session::write_const(*parsed, param->type, *field.type, plan->param_values.data() + field.offset,
                       plan->texts);
  const runtime::ParamPlan& of = plan->params[index];
  if (of.accepts && !of.accepts(plan->param_values.data() + field.offset)) {
    return Failure{Failure::Kind::Usage, "`" + value + "` is outside the range of param `" + name + "`"};
  }
  made->plan = plan;
  runtime::PreparedSwap swap;
  {
    std::lock_guard lock(s.mutex);
    swap.version = ++s.versions;
  }
  for (const SourceCut& cut : at) swap.at.push_back({cut.source, cut.records});
  for (size_t i = 0; i < plan->stores.size(); ++i) {
    runtime::StoreMigration store;
    store.transfer = runtime::StoreTransfer::Move;
    store.old_store = static_cast<int>(i);
    swap.migration.stores.push_back(std::move(store));
  }
  for (size_t i = 0; i < params.size(); ++i)
    swap.migration.params.push_back(i == index ? -1 : static_cast<int>(i));
  SwapReport report;
  report.version = swap.version;
  bool optimised = false;
  auto kernels = s.kernels_for(*made, report, &optimised);
  if (!kernels) return kernels.failure();
  swap.next = std::make_unique<runtime::Instance>(plan, kernels.value(), s.shard->seed(), s.shard->budget(),
                                                  s.shard->errors());
  State::Waiting waiting{std::move(report), made, std::move(swap), std::move(kernels).value(), optimised};
  std::lock_guard lock(s.mutex);
  s.candidates.push_back(std::move(waiting));
  s.wake->notify();
  return Done{};
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
  change::SwapPlan plan = change::compare(*old_program->graph, *new_program->graph, compare);
  std::string text = options.format == PlanOptions::Format::Json ? change::print_json(plan, "v1", "v2")
                                                                 : change::print_text(plan, "v1", "v2");
  return {change::exit_code(plan.outcome), std::move(text)};
}

}  // namespace mut
