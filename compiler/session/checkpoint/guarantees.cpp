#include "compiler/session/checkpoint/run.h"

namespace mut::session {
namespace {

using SourceCrash = connector::SourceReader::AfterCrash;

// "at most once: source `a` cannot be read again"
std::string promise_of(const PathGuarantee& path) {
  return path.promise + (path.reason.empty() ? "" : ": " + path.reason);
}

}  // namespace

std::vector<PathGuarantee> guarantees_of(const Program& program, const std::vector<SourceCrash>& sources,
                                         const std::vector<connector::SinkWriter::AfterCrash>& sinks) {
  using AfterCrash = connector::SinkWriter::AfterCrash;
  std::vector<PathGuarantee> out;
  const typed::Program& typed = *program.typed;
  for (size_t i = 0; i < typed.emits.size(); ++i) {
    if (typed.emits[i].name.starts_with("tap:")) continue;
    uint64_t mask = program.graph->source_mask[static_cast<size_t>(typed.emits[i].stream)];
    for (size_t j = 0; j < typed.sources.size(); ++j) {
      if ((mask >> j & 1U) == 0) continue;
      PathGuarantee path{typed.sources[j].name, typed.emits[i].name, "exactly once", ""};
      if (sinks[i] == AfterCrash::Loses) {
        bool lost = sources[j] == SourceCrash::Lost;
        path.promise = lost ? "at most once" : "no promise";
        path.reason = "rows that wait for sink `" + path.sink + "` are lost";
        if (!lost) path.reason += ", and others come again";
      } else if (sources[j] == SourceCrash::Lost) {
        path.promise = "at most once";
        path.reason = "source `" + path.source + "` cannot be read again";
      } else if (sinks[i] == AfterCrash::Stays) {
        path.promise = "at least once";
        path.reason = "what sink `" + path.sink + "` has written cannot be taken back";
      } else if (sources[j] == SourceCrash::SentAgain) {
        path.promise = "at least once";
        path.reason = "who sends to source `" + path.source + "` sends again what was not answered";
      }
      out.push_back(std::move(path));
    }
  }
  return out;
}

std::string guarantees_text(const std::vector<PathGuarantee>& paths) {
  std::string out;
  for (const PathGuarantee& path : paths)
    out += "\n  " + path.source + " → " + path.sink + "  " + promise_of(path);
  return out.empty() ? "" : "what a crash does to a record:" + out;
}

}  // namespace mut::session
