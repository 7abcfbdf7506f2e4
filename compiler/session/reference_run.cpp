// `--engine reference`: inputs read whole, outputs written at the end.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <set>

#include "compiler/reference/interpreter.h"
#include "compiler/session/connect.h"
#include "compiler/session/conversions.h"
#include "compiler/session/files.h"
#include "mutstream/tooling.h"
#include "runtime/env/real_env.h"

namespace mut {
namespace {

std::optional<reference::Format> to_reference(std::optional<codec::Format> format) {
  if (!format) return std::nullopt;
  switch (*format) {
    case codec::Format::Json:
      return reference::Format::Json;
    case codec::Format::Csv:
      return reference::Format::Csv;
    case codec::Format::Tsv:
      return reference::Format::Tsv;
    case codec::Format::Lines:
      return reference::Format::Lines;
  }
  return std::nullopt;
}

Failure io(std::string text) { return {Failure::Kind::Io, std::move(text)}; }

struct Checked {
  std::shared_ptr<source::SourceSet> sources = std::make_shared<source::SourceSet>();
  std::shared_ptr<session::Program> program;
  std::string problem;
};

Checked check(std::string_view text, std::string name, const ReferenceRun& run, const CheckOptions& options) {
  Checked out;
  diag::Engine diags;
  sema::CheckOptions check;
  for (const auto& [bound, target] : run.binds) {
    if (!bound.starts_with("sink:"))
      check.bound.push_back(bound.substr(bound.starts_with("source:") ? 7 : 0));
  }
  out.program = session::make_program(text, std::move(name), out.sources, diags, check);
  if (!out.program) {
    out.problem = diag::render_text(
        diags, *out.sources,
        options.color == EngineOptions::Color::Yes ? diag::Color::Always : diag::Color::Never);
  }
  return out;
}

// A source that reads something else than the one of its name before; what that is called.
struct Replaced {
  const typed::Source* source;
  std::string was;
  std::string now;
};
std::vector<Replaced> replaced_inputs(const typed::Program& before, const typed::Program& after) {
  std::vector<Replaced> out;
  for (const typed::Source& source : after.sources) {
    for (const typed::Source& known : before.sources) {
      std::string was = session::input_text(known.connector);
      std::string now = session::input_text(source.connector);
      if (known.name == source.name && known.connector.name == "file" && was != now)
        out.push_back({&source, std::move(was), std::move(now)});
    }
  }
  return out;
}

// The interpreter reads inputs whole and writes outputs at the end: what is live it has not.
std::optional<Failure> live_border(const typed::Program& program, const session::Bindings& bindings) {
  auto refuse = [](const std::string& side, const std::string& name, const std::string& connector) {
    return Failure{Failure::Kind::Usage, side + " `" + name + "`: the interpreter knows no `" + connector +
                                             "`; write --bind " + name + "=FILE to run it by a file"};
  };
  for (const typed::Source& source : program.sources) {
    bool bound = session::find_binding(bindings, "source", source.name) != nullptr;
    if (source.connector.is_network() && !bound) return refuse("source", source.name, source.connector.name);
  }
  for (const typed::Emit& emit : program.emits) {
    bool bound = session::find_binding(bindings, "sink", emit.name) != nullptr;
    if (emit.connector.is_network() && !bound) return refuse("sink", emit.name, emit.connector.name);
  }
  return std::nullopt;
}

}  // namespace

Outcome<Done> run_reference(std::string_view text, std::string name, const ReferenceRun& run,
                            const CheckOptions& options) {
  Checked first = check(text, std::move(name), run, options);
  if (!first.program) return Failure{Failure::Kind::Script, first.problem};
  session::Bindings bindings;
  for (const auto& [bound, target] : run.binds) {
    auto parsed = session::parse_target(target);
    if (!parsed) return Failure{Failure::Kind::Usage, parsed.error().message};
    bindings[bound] = parsed.value();
  }
  if (auto live = live_border(*first.program->typed, bindings)) return *live;
  auto line_of = [](const Checked& of) {
    return [sources = of.sources](source::Span span) { return static_cast<int>(sources->locate(span).line); };
  };
  reference::Options reference_options;
  reference_options.line = line_of(first);
  reference_options.stamp = run.stamp == EngineOptions::Stamp::Yes;
  reference::Interpreter interpreter(first.program->typed, reference_options);
  auto feed_of = [&](const typed::Source& source) -> Outcome<reference::Feed> {
    session::Target target;
    auto found = bindings.find("source:" + source.name);
    if (found == bindings.end()) found = bindings.find(source.name);
    if (found != bindings.end()) {
      target = found->second;
    } else {
      target.path = source.connector.name == "file" ? source.connector.positional(0)->value.as_text() : "-";
    }
    std::optional<codec::Format> format = target.format;
    if (!format && source.connector.find("format") == nullptr)
      format = codec::format_of_path(target.path).value_or(codec::Format::Json);
    reference::Feed feed;
    feed.format = to_reference(format);
    if (target.path == "-") {
      feed.text.assign(std::istreambuf_iterator<char>(std::cin), {});
      feed.name = "stdin";
    } else {
      std::ifstream in(target.path, std::ios::binary);
      if (!in) return io("source `" + source.name + "`: " + target.path + ": cannot be read");
      feed.text.assign(std::istreambuf_iterator<char>(in), {});
      feed.name = target.path;
    }
    return feed;
  };
  auto machine = env::make_real_env();
  if (!machine) return Failure{Failure::Kind::Usage, machine.error().message};
  Status apart = session::check_files(*machine.value(), *first.program->typed, bindings, nullptr);
  if (!apart) return io(apart.error().message);
  interpreter.set_time(machine.value()->wall_ns());
  // `before`: the version that ran, whose sources go on; others are read from their beginning.
  auto bind_sources = [&](const session::Program& of, const session::Program* before) -> Outcome<Done> {
    std::set<std::string> known;
    for (size_t i = 0; before != nullptr && i < before->typed->sources.size(); ++i)
      known.insert(before->typed->sources[i].name);
    for (const typed::Source& source : of.typed->sources) {
      bool goes_on = known.contains(source.name) || known.contains(source.was);
      if (goes_on || !source.generated.empty()) continue;
      auto feed = feed_of(source);
      if (!feed) return feed.failure();
      interpreter.bind(source.name, std::move(feed).value());
    }
    return Done{};
  };
  auto bound = bind_sources(*first.program, nullptr);
  if (!bound) return bound.failure();
  std::map<std::pair<uint64_t, std::string>, std::string> targets;  // of the sinks of each version
  auto note_sinks = [&](const session::Program& of) {
    for (const typed::Emit& emit : of.typed->emits)
      targets[{interpreter.version(), emit.name}] = session::sink_target(emit, bindings);
  };
  note_sinks(*first.program);
  std::optional<Failure> problem;
  std::shared_ptr<session::Program> running = first.program;
  for (const SwapRequest& swap : run.swaps) {
    Checked next = check(swap.text, swap.name, run, options);
    if (!next.program) {
      problem = Failure{Failure::Kind::Script, next.problem};
      continue;
    }
    Status fits =
        session::check_files(*machine.value(), *next.program->typed, bindings, first.program->typed.get());
    if (!fits) {
      problem = io(fits.error().message);
      continue;
    }
    if (auto live = live_border(*next.program->typed, bindings)) {
      problem = *live;
      continue;
    }
    auto replaced = replaced_inputs(*running->typed, *next.program->typed);
    if (std::any_of(replaced.begin(), replaced.end(),
                    [](const Replaced& each) { return each.source->connector.find("start") == nullptr; })) {
      problem = Failure{Failure::Kind::Refused, "a source reads something else, without `start`\n"};
      continue;
    }
    reference::Interpreter::Stops stops;
    for (const SourceCut& cut : swap.at) stops[cut.source] = cut.records;
    interpreter.run_until(stops);
    reference::Consents consents;
    consents.live = run.policy == SwapPolicy::Live;
    for (const Consent& consent : swap.accept) consents.given.push_back(consent.verdict + ":" + consent.cell);
    consents.migrate = session::reference_migrate(session::migrate_checker(*running, *next.program));
    std::vector<std::string> open = interpreter.swap(next.program->typed, consents, line_of(next));
    if (open.empty()) {
      note_sinks(*next.program);
      if (auto added = bind_sources(*next.program, running.get()); !added) return added.failure();
      for (const auto& [source, was, now] : replaced_inputs(*running->typed, *next.program->typed)) {
        if (bindings.contains(source->name) || bindings.contains("source:" + source->name)) continue;
        auto feed = feed_of(*source);
        if (!feed) return feed.failure();
        interpreter.replace(source->name, was, now, std::move(feed).value());
      }
      running = next.program;
      continue;
    }
    bool refused = std::any_of(open.begin(), open.end(),
                               [](const std::string& wish) { return wish.starts_with("refuse:"); });
    std::string text_of = "needs a decision:";
    for (const std::string& wish : open) text_of += " " + wish;
    problem = Failure{refused ? Failure::Kind::Refused : Failure::Kind::NeedsDecision, text_of + "\n"};
  }
  interpreter.run_to_end();
  if (!interpreter.problem().empty()) return io(interpreter.problem());
  std::map<std::string, std::string> files;
  for (const auto& [sink, row] : interpreter.outputs())
    files[targets[{row.version, sink}].substr(2)] += row.text + "\n";
  for (const auto& [of, target] : targets) {
    std::string path = target.substr(2);
    if (path == "-") continue;
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << files[path];
    out.flush();
    if (!out) return io("sink `" + of.second + "`: " + path + ": cannot be written");
  }
  std::fwrite(files["-"].data(), 1, files["-"].size(), stdout);
  if (problem) return *problem;
  return Done{};
}

}  // namespace mut
