// The reader of a source: its input, those that stand in for it, and what becomes of what comes too fast.
#include <utility>

#include "compiler/session/connect.h"
#include "compiler/session/network/kind.h"
#include "runtime/connector/failover/failover.h"
#include "runtime/connector/file/file_source.h"
#include "runtime/connector/overflow/overflow.h"
#include "runtime/connector/stdio/stdio.h"

namespace mut::session {
namespace {

using Opened = Result<std::unique_ptr<connector::SourceReader>>;

// One input of a source.
struct Input {
  std::string name;  // of the source, or what stands in for it
  typed::Connector connector;
  Target target;
  abi::TypeDescRef record;
  codec::DecodeOptions decode;
  std::shared_ptr<connector::DecodeThreads> threads;  // may be null
  typed::OnFull on_full = typed::OnFull::Block;
};

Opened open_text(const Surroundings& around, Input input, codec::Format format) {
  if (input.target.path == "-") {
    return connector::open_stdin_source(around.env, format, input.decode, input.record, around.wake,
                                        std::move(input.threads));
  }
  if (input.target.network != nullptr) {
    typed::Source source;
    source.name = input.name;
    source.connector = std::move(input.connector);
    return input.target.network->open_source(
        around, {source, format, std::move(input.decode), std::move(input.record), std::move(input.threads)});
  }
  connector::FileSourceOptions options;
  options.path = input.target.path;
  options.format = format;
  options.decode = std::move(input.decode);
  options.threads = std::move(input.threads);
  if (const typed::Option* follow = input.connector.find("follow")) options.follow = follow->value.as_bool();
  return connector::open_file_source(around.env, options, input.record);
}

connector::OverflowPolicy policy_of(typed::OnFull on_full) {
  if (on_full == typed::OnFull::DropOldest) return connector::OverflowPolicy::DropOldest;
  return on_full == typed::OnFull::Spill ? connector::OverflowPolicy::Spill
                                         : connector::OverflowPolicy::DropNewest;
}

// Records that come too fast do not wait outside.
Opened open_overflowing(const Surroundings& around, Input input, codec::Format format) {
  connector::OverflowOptions options{"source `" + input.name + "`", policy_of(input.on_full), format,
                                     input.decode, around.env.variable("TMPDIR")};
  if (options.spill_folder.empty()) options.spill_folder = "/tmp";
  std::shared_ptr<env::EventCount> bell = around.env.make_event_count();
  Surroundings inside = around;
  inside.wake = bell.get();
  abi::TypeDescRef record = std::exchange(input.record, connector::overflow_line());
  input.decode = {};
  input.threads = nullptr;
  auto lines = open_text(inside, std::move(input), codec::Format::Lines);
  if (!lines) return lines;
  return connector::make_overflow_source(around.env, std::move(options), std::move(lines).value(),
                                         std::move(bell), std::move(record), around.wake, around.notices);
}

Opened open_input(const Surroundings& around, Input input) {
  codec::Format format = format_of(input.connector, input.target);
  if (format == codec::Format::Tsv) input.decode.separator = '\t';
  const auto& fields = input.record->fields;
  if (format == codec::Format::Lines &&
      (fields.size() != 1 || fields[0].type->kind != abi::TypeKind::String)) {
    return Error{"format `lines` gives `{ line: string }`"};
  }
  if (input.on_full != typed::OnFull::Block) return open_overflowing(around, std::move(input), format);
  return open_text(around, std::move(input), format);
}

// "tcp connect db:5432", "file old.jsonl"
std::string about_text(const typed::Connector& connector, const Target& target) {
  return target.network != nullptr ? target.path : connector.name + " " + target.path;
}

Opened open_with_standbys(const Surroundings& around, const typed::Source& source, Input first,
                          const runtime::SourcePlan& plan) {
  std::vector<connector::FailoverInput> inputs;
  auto add = [&](Input input, int64_t after_ns) {
    std::string about = about_text(input.connector, input.target);
    std::string name = input.name;
    inputs.push_back({std::move(name), std::move(about),
                      [around, input = std::move(input)] { return open_input(around, input); }, after_ns});
  };
  add(first, 0);
  for (const typed::Standby& standby : source.standbys) {
    Input input = first;
    input.name = source.name + " (" + std::to_string(inputs.size() + 1) + ")";
    input.connector = standby.connector;
    input.target = target_of(standby.connector);
    input.decode = decode_options(standby.connector, plan);
    add(std::move(input), standby.after);
  }
  return connector::make_failover_source(around.env, "source `" + source.name + "`", std::move(inputs),
                                         around.wake, around.notices);
}

}  // namespace

Opened open_source(const Surroundings& around, const typed::Source& source, const runtime::SourcePlan& plan,
                   const Bindings& bindings, std::shared_ptr<connector::DecodeThreads> threads) {
  const Target* bound = find_binding(bindings, "source", source.name);
  if (bound == nullptr && source.connector.name == "host") {
    return Error{"source `" + source.name + "` is fed by a host program; bind it to a file to run it here"};
  }
  Input input{source.name,
              source.connector,
              bound != nullptr ? *bound : target_of(source.connector),
              plan.record,
              decode_options(source.connector, plan),
              std::move(threads)};
  if (bound == nullptr) input.on_full = source.on_full;
  auto opened = bound == nullptr && !source.standbys.empty()
                    ? open_with_standbys(around, source, std::move(input), plan)
                    : open_input(around, std::move(input));
  if (!opened) return opened.error().within("source `" + source.name + "`");
  return opened;
}

}  // namespace mut::session
