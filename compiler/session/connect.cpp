#include "compiler/session/connect.h"

#include <algorithm>

#include "compiler/session/files.h"
#include "compiler/session/history/digest.h"
#include "compiler/session/network/kind.h"
#include "runtime/connector/file/file_sink.h"
#include "runtime/connector/stdio/stdio.h"

namespace mut::session {

const Target* find_binding(const Bindings& bindings, const std::string& side, const std::string& name) {
  if (auto found = bindings.find(side + ":" + name); found != bindings.end()) return &found->second;
  if (auto found = bindings.find(name); found != bindings.end()) return &found->second;
  return nullptr;
}

std::string input_text(const typed::Connector& connector) {
  std::string out = connector.name;
  for (const typed::Option& option : connector.options) {
    if (option.name == "follow" || option.name == "start") continue;
    out += "\n" + option.name + "=";
    if (option.value.value.index() == 4) out += option.value.as_text();
    if (option.value.value.index() == 1) out += option.value.as_bool() ? "true" : "false";
    if (option.value.value.index() == 2) out += std::to_string(option.value.as_int());
    if (option.value.value.index() != 5) continue;
    for (const typed::Const& part : option.value.parts()) out += part.as_text() + ",";
  }
  return out;
}

codec::DecodeOptions decode_options(const typed::Connector& connector, const runtime::SourcePlan& plan) {
  codec::DecodeOptions out;
  if (plan.time_column >= 0) out.time_field = static_cast<size_t>(plan.time_column);
  if (const typed::Option* unit = connector.find("time_unit")) {
    const std::string& name = unit->value.as_text();
    out.time_unit = name == "s"    ? text::TimeUnit::Second
                    : name == "us" ? text::TimeUnit::Micro
                    : name == "ns" ? text::TimeUnit::Nano
                                   : text::TimeUnit::Milli;
  }
  if (const typed::Option* separator = connector.find("separator"))
    out.separator = separator->value.as_text()[0];
  if (const typed::Option* header = connector.find("header")) out.header = header->value.as_bool();
  if (const typed::Option* none = connector.find("none")) {
    for (const typed::Const& text : none->value.parts()) out.none.push_back(text.as_text());
  }
  return out;
}

namespace {

codec::Format sink_format(const typed::Emit& emit, const Target& target) {
  if (target.network != nullptr && target.network->sink_format) return *target.network->sink_format;
  return format_of(emit.connector, target);
}

std::string plain_text(const typed::Const& value) {
  switch (value.value.index()) {
    case 1:
      return value.as_bool() ? "true" : "false";
    case 2:
      return std::to_string(value.as_int());
    case 3:
      return std::to_string(value.as_float());
    case 4:
      return value.as_text();
    case 5: {
      std::string out;
      for (const typed::Const& part : value.parts()) out += plain_text(part) + ",";
      return out;
    }
    default:
      return "";
  }
}

// What a writer of a sink that reaches another program is made of: equal texts, one writer.
std::string writer_text(const typed::Emit& emit, const Target& target) {
  std::string out = target.path;
  for (const typed::Option& option : emit.connector.options) {
    // The format of lines of text is none of the writer's.
    bool of_others = option.name == "guarantee" || (option.name == "format" && emit.connector.name == "tcp");
    if (of_others) continue;
    out += "\n" + option.name + "=" + plain_text(option.value);
  }
  return out;
}

std::shared_ptr<connector::SinkWriter> make_writer(const Surroundings& around, const typed::Emit& emit,
                                                   const Target& target) {
  if (target.path == "-") return connector::make_stdout_sink(around.env);
  if (target.network == nullptr) return connector::make_file_sink(around.env, target.path, around.notices);
  auto writer = target.network->make_writer(around, {emit, sink_format(emit, target)});
  if (around.run) {
    // Two writers of one sink, before and behind an edit, have numbers of their own.
    connector::CheckpointedRun run = *around.run;
    run.name += "/" + digest(writer_text(emit, target)).substr(0, 16);
    writer->deliver_by_checkpoints(run);
  }
  return writer;
}

}  // namespace

Target target_of(const typed::Connector& connector) {
  Target out;
  out.network = find_network_kind(connector.name);
  if (out.network != nullptr) {
    out.path = out.network->target_text(connector);
  } else {
    out.path = connector.name == "file" ? connector.positional(0)->value.as_text() : "-";
  }
  return out;
}

codec::Format format_of(const typed::Connector& connector, const Target& target) {
  if (target.format) return *target.format;
  if (const typed::Option* option = connector.find("format")) {
    if (auto format = codec::format_of_name(option->value.as_text())) return *format;
  }
  if (target.network != nullptr) return codec::Format::Json;
  return codec::format_of_path(target.path).value_or(codec::Format::Json);
}

codec::Format source_format(const typed::Source& source) {
  return format_of(source.connector, target_of(source.connector));
}

Result<Target> parse_target(const std::string& text) {
  Target out;
  out.path = text;
  size_t colon = text.find(':');
  if (colon != std::string::npos) {
    if (auto format = codec::format_of_name(text.substr(0, colon))) {
      out.format = format;
      out.path = text.substr(colon + 1);
    } else if (text.starts_with("file:")) {
      out.path = text.substr(5);
    }
  }
  if (out.path.empty()) return Error{"`" + text + "` names no file; write a path, `-`, or `csv:path`"};
  return out;
}

std::shared_ptr<connector::SinkWriter> make_network_sink(const Surroundings& around, const typed::Emit& emit,
                                                         const Bindings& bindings,
                                                         const connector::SinkPlace& place) {
  if (find_binding(bindings, "sink", emit.name) != nullptr) return nullptr;
  Target target = target_of(emit.connector);
  if (target.network == nullptr || writer_text(emit, target) != place.path) return nullptr;
  auto writer = make_writer(around, emit, target);
  (void)writer->resume(place);
  return writer;
}

std::string sink_target(const typed::Emit& emit, const Bindings& bindings) {
  const Target* bound = find_binding(bindings, "sink", emit.name);
  Target target = bound != nullptr ? *bound : target_of(emit.connector);
  std::string out = std::to_string(static_cast<int>(sink_format(emit, target))) + ":";
  return out + (target.network != nullptr ? writer_text(emit, target) : target.path);
}

Result<runtime::OutletBinding> open_sink(const Surroundings& around, const typed::Emit& emit,
                                         const Bindings& bindings, std::vector<KnownSink>& known,
                                         std::string& notices) {
  const Target* bound = find_binding(bindings, "sink", emit.name);
  if (bound == nullptr && emit.connector.name == "host") {
    return Error{"sink `" + emit.name + "` belongs to a host program; bind it to a file to run it here"};
  }
  Target target = bound != nullptr ? *bound : target_of(emit.connector);
  runtime::OutletBinding out;
  out.sink = emit.name;
  out.format = sink_format(emit, target);
  const typed::Option* append = emit.connector.find("append");
  const bool live = target.network != nullptr;
  bool keeps = target.path == "-" || live || (append != nullptr && append->value.as_bool());
  out.start = keeps ? connector::SinkStart::Append : connector::SinkStart::Replace;
  const std::string path = live ? writer_text(emit, target) : target.path;
  auto entry = std::find_if(known.begin(), known.end(), [&](const KnownSink& other) {
    if (path == "-" || other.path == "-" || live) return path == other.path;
    return path == other.path || same_file(around.env, path, other.path);
  });
  bool fresh = entry == known.end();
  if (fresh) {
    known.push_back({path, make_writer(around, emit, target)});
    entry = known.end() - 1;
  }
  out.target = entry->path;
  out.writer = entry->writer;
  auto held = connector::hold_sink(out.writer);
  if (!held) {
    if (fresh) known.pop_back();
    return held.error().within("sink `" + emit.name + "`");
  }
  out.hold = std::move(held).value();
  std::string notice = keeps ? "" : out.writer->notice();
  if (!notice.empty() && notices.find(notice) == std::string::npos) notices += notice + "\n";
  return out;
}

}  // namespace mut::session
