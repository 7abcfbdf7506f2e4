// Sources and sinks of a script, tried without a run.
#include <utility>

#include "compiler/session/connect.h"
#include "compiler/session/program.h"
#include "mutstream/tooling.h"
#include "runtime/env/real_env.h"

namespace mut {
namespace {

bool of_host(const typed::Connector& connector) { return connector.name == "host"; }

// "file readings.csv", "tcp connect db:5432", "stdin"
std::string target_text(const typed::Connector& connector) {
  session::Target target = session::target_of(connector);
  if (connector.name == "file") return connector.name + " " + target.path;
  return target.path == "-" ? connector.name : target.path;
}

}  // namespace

Outcome<std::vector<Endpoint>> try_endpoints(std::string_view text, std::string name,
                                             const CheckOptions& options) {
  auto sources = std::make_shared<source::SourceSet>();
  diag::Engine diags;
  auto program = session::make_program(text, std::move(name), sources, diags);
  if (!program) {
    auto color = options.color == EngineOptions::Color::Yes ? diag::Color::Always : diag::Color::Never;
    return Failure{Failure::Kind::Script, options.diagnostics == EngineOptions::Diagnostics::Json
                                              ? diag::render_json(diags, *sources)
                                              : diag::render_text(diags, *sources, color)};
  }
  auto env = env::make_real_env();
  if (!env) return Failure{Failure::Kind::Usage, env.error().message};
  auto wake = env.value()->make_event_count();
  const session::Surroundings around{*env.value(), wake.get(), std::make_shared<connector::Notices>()};
  std::vector<Endpoint> out;
  for (size_t i = 0; i < program->typed->sources.size(); ++i) {
    const typed::Source& source = program->typed->sources[i];
    const runtime::SourcePlan& plan = program->plan->sources[i];
    Endpoint& found = out.emplace_back(Endpoint{
        Endpoint::Side::Source, source.name, target_text(source.connector), Endpoint::State::Fine, "", ""});
    // Standard input is there, and may be meant for another; what a host or a generator gives needs no world.
    if (of_host(source.connector) || source.connector.name == "stdin" || plan.generates || plan.own_metrics) {
      found.state = Endpoint::State::NotTried;
      continue;
    }
    auto opened = session::open_source(around, source, plan, {}, nullptr);
    if (opened) continue;
    found.state = Endpoint::State::Broken;
    found.problem = opened.error().message;
  }
  std::vector<session::KnownSink> known;
  for (const typed::Emit& emit : program->typed->emits) {
    Endpoint& found = out.emplace_back(Endpoint{Endpoint::Side::Sink, emit.name, target_text(emit.connector),
                                                Endpoint::State::Fine, "", ""});
    if (of_host(emit.connector) || emit.connector.name == "stdout") {
      found.state = Endpoint::State::NotTried;
      continue;
    }
    auto opened = session::open_sink(around, emit, {}, known, found.notice);
    if (found.notice.ends_with('\n')) found.notice.pop_back();
    if (opened) continue;
    found.state = Endpoint::State::Broken;
    found.problem = opened.error().message;
  }
  return out;
}

}  // namespace mut
