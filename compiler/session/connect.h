// Opens what sources and sinks name, or what the command line says in their place.
#pragma once
#include <map>
#include <memory>
#include <string>

#include "compiler/session/program.h"
#include "runtime/connector/ahead/decode_threads.h"
#include "runtime/connector/notices.h"
#include "runtime/connector/source_reader.h"
#include "runtime/env/env.h"
#include "runtime/graph/outlets.h"

namespace mut::session {

// `--bind NAME=TARGET`: a path, `-`, or `format:…` before either.
struct NetworkKind;
struct Target {
  std::optional<codec::Format> format;
  std::string path;                      // "-": standard input or output; of what is live its text
  const NetworkKind* network = nullptr;  // another program, as the script says; null: none
};
Result<Target> parse_target(const std::string& text);
using Bindings = std::map<std::string, Target>;
// `side`: "source" or "sink". Null where the command line says nothing.
const Target* find_binding(const Bindings& bindings, const std::string& side, const std::string& name);
// What a connector names itself.
Target target_of(const typed::Connector& connector);

// What a connector reads: equal texts, equal inputs.
std::string input_text(const typed::Connector& connector);

// How the text of a source is decoded, whoever brings it.
codec::DecodeOptions decode_options(const typed::Connector& connector, const runtime::SourcePlan& plan);
// Of the text at a target: as that says, else as the connector does, else by its name.
codec::Format format_of(const typed::Connector& connector, const Target& target);
// The format of a source's own text.
codec::Format source_format(const typed::Source& source);

// What sources and sinks get beside what the script says of them.
struct Surroundings {
  env::Env& env;
  env::EventCount* wake;  // rung when a live source has something, or a full sink has room
  std::shared_ptr<connector::Notices> notices;
  std::optional<connector::CheckpointedRun> run{};  // one that takes checkpoints
};

// `threads` decode its text; may be null.
Result<std::unique_ptr<connector::SourceReader>> open_source(
    const Surroundings& around, const typed::Source& source, const runtime::SourcePlan& plan,
    const Bindings& bindings, std::shared_ptr<connector::DecodeThreads> threads);

// What this run writes or has written, as long as it lasts.
struct KnownSink {
  std::string path;  // of what reaches another program: that with all that its writer was made of
  std::shared_ptr<connector::SinkWriter> writer;
};
// Held, not begun. A target of `known` shares its writer; a new one is added there.
Result<runtime::OutletBinding> open_sink(const Surroundings& around, const typed::Emit& emit,
                                         const Bindings& bindings, std::vector<KnownSink>& known,
                                         std::string& notices);
// The writer of a sink that reaches another program, as it stood at a checkpoint, where it is that sink's;
// else null.
std::shared_ptr<connector::SinkWriter> make_network_sink(const Surroundings& around, const typed::Emit& emit,
                                                         const Bindings& bindings,
                                                         const connector::SinkPlace& place);
// What open_sink would write to: equal texts, equal targets.
std::string sink_target(const typed::Emit& emit, const Bindings& bindings);

}  // namespace mut::session
