#include "compiler/session/checkpoint/guarantees.h"

#include <algorithm>

#include "compiler/session/network/kind.h"

namespace mut::session {
namespace {

std::string_view name_of(Promise promise) {
  switch (promise) {
    case Promise::ExactlyOnce:
      return "exactly once";
    case Promise::AtLeastOnce:
      return "at least once";
    case Promise::AtMostOnce:
      return "at most once";
    case Promise::None:
      break;
  }
  return "no promise";
}

// "at most once: source `a` cannot be read again"
std::string text_of(const PathGuarantee& path) {
  return std::string(name_of(path.promise)) + (path.reason.empty() ? "" : ": " + path.reason);
}

PathGuarantee guarantee_of(const std::string& source, SourceCrash in, const std::string& sink,
                           SinkCrash out) {
  PathGuarantee path{source, sink};
  if (out == SinkCrash::Loses) {
    bool lost = in == SourceCrash::Lost;
    path.promise = lost ? Promise::AtMostOnce : Promise::None;
    path.reason = "rows that wait for sink `" + sink + "` are lost";
    if (!lost) path.reason += ", and others come again";
  } else if (in == SourceCrash::Lost) {
    path.promise = Promise::AtMostOnce;
    path.reason = "source `" + source + "` cannot be read again";
  } else if (out == SinkCrash::Stays) {
    path.promise = Promise::AtLeastOnce;
    path.reason = "what sink `" + sink + "` has written cannot be taken back";
  } else if (in == SourceCrash::SentAgain) {
    path.promise = Promise::AtLeastOnce;
    path.reason = "who sends to source `" + source + "` sends again what was not answered";
  } else if (in == SourceCrash::GivenAgain) {
    path.promise = Promise::AtLeastOnce;
    path.reason = "what source `" + source + "` has not confirmed is given to another member of its group";
  }
  return path;
}

// Nothing: the sink asks for nothing.
std::optional<Promise> demand_of(const typed::Emit& emit) {
  const typed::Option* option = emit.connector.find("guarantee");
  if (option == nullptr) return std::nullopt;
  const std::string& asked = option->value.as_text();
  return asked == "exactly_once"    ? Promise::ExactlyOnce
         : asked == "at_least_once" ? Promise::AtLeastOnce
                                    : Promise::AtMostOnce;
}

const typed::Emit* emit_of(const Program& program, const std::string& sink) {
  for (const typed::Emit& emit : program.typed->emits) {
    if (emit.name == sink) return &emit;
  }
  return nullptr;
}

// The first path that promises less than its sink asks for.
const PathGuarantee* first_broken(const Program& program, const std::vector<PathGuarantee>& paths) {
  for (const PathGuarantee& path : paths) {
    const typed::Emit* emit = emit_of(program, path.sink);
    auto asked = emit != nullptr ? demand_of(*emit) : std::nullopt;
    if (asked && path.promise < *asked) return &path;
  }
  return nullptr;
}

SourceCrash best_of(const typed::Source& source) {
  const NetworkKind* kind = find_network_kind(source.connector.name);
  if (!source.standbys.empty() || source.on_full != typed::OnFull::Block) return SourceCrash::Lost;
  if (kind != nullptr)
    return kind->source_crash != nullptr ? kind->source_crash(source.connector) : SourceCrash::Lost;
  bool again = source.connector.name == "file" || source.connector.name == "generate";
  return again ? SourceCrash::ReadAgain : SourceCrash::Lost;
}

SinkCrash best_of(const typed::Emit& emit) {
  const NetworkKind* kind = find_network_kind(emit.connector.name);
  if (kind != nullptr)
    return kind->sink_crash != nullptr ? kind->sink_crash(emit.connector) : SinkCrash::Stays;
  return emit.connector.name == "file" ? SinkCrash::CutsBack : SinkCrash::Stays;
}

}  // namespace

std::vector<PathGuarantee> guarantees_of(const Program& program, const std::vector<SourceCrash>& sources,
                                         const std::vector<SinkCrash>& sinks) {
  std::vector<PathGuarantee> out;
  const typed::Program& typed = *program.typed;
  for (size_t i = 0; i < typed.emits.size(); ++i) {
    if (typed.emits[i].name.starts_with("tap:")) continue;
    uint64_t mask = program.graph->source_mask[static_cast<size_t>(typed.emits[i].stream)];
    for (size_t j = 0; j < typed.sources.size(); ++j) {
      if ((mask >> j & 1U) != 0)
        out.push_back(guarantee_of(typed.sources[j].name, sources[j], typed.emits[i].name, sinks[i]));
    }
  }
  return out;
}

std::vector<PathGuarantee> best_guarantees(const Program& program) {
  std::vector<SourceCrash> sources;
  std::vector<SinkCrash> sinks;
  for (const typed::Source& source : program.typed->sources) sources.push_back(best_of(source));
  for (const typed::Emit& emit : program.typed->emits) sinks.push_back(best_of(emit));
  return guarantees_of(program, sources, sinks);
}

std::string guarantees_text(const std::vector<PathGuarantee>& paths) {
  std::string out;
  for (const PathGuarantee& path : paths)
    out += "\n  " + path.source + " → " + path.sink + "  " + text_of(path);
  return out.empty() ? "" : "what a crash does to a record:" + out;
}

std::string broken_demand(const Program& program, const std::vector<PathGuarantee>& paths) {
  const PathGuarantee* path = first_broken(program, paths);
  if (path == nullptr) return "";
  return "sink `" + path->sink + "` asks for `guarantee: " +
         emit_of(program, path->sink)->connector.find("guarantee")->value.as_text() + "`, and from source `" +
         path->source + "` it is " + text_of(*path);
}

std::string demand_of_checkpoints(const Program& program) {
  for (const typed::Emit& emit : program.typed->emits) {
    auto asked = demand_of(emit);
    if (asked && *asked > Promise::AtMostOnce) {
      return "sink `" + emit.name +
             "` asks for `guarantee: " + emit.connector.find("guarantee")->value.as_text() +
             "`, which a run keeps with checkpoints alone: write --state DIR";
    }
  }
  return "";
}

std::string waits_for_checkpoints(const Program& program) {
  for (const typed::Emit& emit : program.typed->emits) {
    if (best_of(emit) == SinkCrash::Commits) return "sink `" + emit.name + "`";
  }
  for (const typed::Source& source : program.typed->sources) {
    SourceCrash best = best_of(source);
    if (best == SourceCrash::SentAgain || best == SourceCrash::GivenAgain)
      return "source `" + source.name + "`";
  }
  return "";
}

bool check_demands(const Program& program, diag::Engine& diags) {
  std::vector<PathGuarantee> paths = best_guarantees(program);
  const PathGuarantee* path = first_broken(program, paths);
  if (path == nullptr) return true;
  const typed::Option* option = emit_of(program, path->sink)->connector.find("guarantee");
  diags.report(diag::Code::BadOption, option->span, option->name,
               "from source `" + path->source + "` it is " + text_of(*path));
  return false;
}

}  // namespace mut::session
