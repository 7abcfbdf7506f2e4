// What a crash can do to a record on its way from a source to a sink: what is promised, and what a script
// asks for.
#pragma once
#include <string>
#include <vector>

#include "compiler/diagnostics/diagnostics.h"
#include "compiler/session/program.h"
#include "runtime/connector/sink_writer.h"
#include "runtime/connector/source_reader.h"

namespace mut::session {

// Better ones are greater.
enum class Promise : uint8_t { None, AtMostOnce, AtLeastOnce, ExactlyOnce };

struct PathGuarantee {
  std::string source;
  std::string sink;
  Promise promise = Promise::ExactlyOnce;
  std::string reason;  // what holds more back; empty: nothing does
};

using SourceCrash = connector::SourceReader::AfterCrash;
using SinkCrash = connector::SinkWriter::AfterCrash;

// Paths of a program, but for taps. Both by index.
std::vector<PathGuarantee> guarantees_of(const Program& program, const std::vector<SourceCrash>& sources,
                                         const std::vector<SinkCrash>& sinks);
// The best that its connectors can promise, with checkpoints.
std::vector<PathGuarantee> best_guarantees(const Program& program);
// A line for each path.
std::string guarantees_text(const std::vector<PathGuarantee>& paths);

// What is asked for by `guarantee` of a sink and not promised by a path to it; the first. Empty: all is.
std::string broken_demand(const Program& program, const std::vector<PathGuarantee>& paths);
// The first sink that asks for more than a run without checkpoints keeps; empty: none does.
std::string demand_of_checkpoints(const Program& program);
// What of a program stands still without checkpoints, in a run that takes them: "sink `a`"; empty: nothing
// does.
std::string waits_for_checkpoints(const Program& program);
// Reports what no run could keep. False when it did.
bool check_demands(const Program& program, diag::Engine& diags);

}  // namespace mut::session
