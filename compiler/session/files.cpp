#include "compiler/session/files.h"

#include <filesystem>
#include <set>

#include "compiler/session/network/addresses.h"

namespace mut::session {
namespace {

std::string absolute(const std::string& path) {
  std::error_code code;
  auto found = std::filesystem::weakly_canonical(std::filesystem::absolute(path, code), code);
  return code ? path : found.string();
}

struct Named {
  std::string name;  // of the source or sink
  std::string path;
  bool follow = false;
  bool bound = false;  // by the command line
};

std::vector<Named> sources_of(const typed::Program& program, const Bindings& bindings) {
  std::vector<Named> out;
  for (const typed::Source& source : program.sources) {
    const Target* bound = find_binding(bindings, "source", source.name);
    if (bound == nullptr && source.connector.name != "file") continue;
    Named named{source.name, bound != nullptr ? bound->path : target_of(source.connector).path, false,
                bound != nullptr};
    if (const typed::Option* follow = source.connector.find("follow")) named.follow = follow->value.as_bool();
    if (named.path != "-") out.push_back(std::move(named));
  }
  return out;
}

std::vector<Named> sinks_of(const typed::Program& program, const Bindings& bindings) {
  std::vector<Named> out;
  for (const typed::Emit& emit : program.emits) {
    const Target* bound = find_binding(bindings, "sink", emit.name);
    if (bound == nullptr && emit.connector.name != "file") continue;
    Named named{emit.name, bound != nullptr ? bound->path : target_of(emit.connector).path, false,
                bound != nullptr};
    if (named.path != "-") out.push_back(std::move(named));
  }
  return out;
}

bool reads(env::Env& env, const Named& source, const std::string& sink) {
  std::vector<std::string> paths{source.path};
  if (env.is_directory(source.path)) {
    std::string folder = std::filesystem::path(absolute(sink)).parent_path().string();
    if (source.follow && folder == absolute(source.path)) return true;
    if (auto listed = env.list_directory(source.path)) paths = std::move(listed).value();
  } else if (!env.identify(source.path).ok()) {
    if (auto found = env.glob(source.path); found && !found.value().empty()) paths = std::move(found).value();
  }
  for (const std::string& path : paths) {
    if (same_file(env, path, sink)) return true;
  }
  return false;
}

http::Url url_of(const typed::Connector& connector) {
  return connector.name == "http" ? http_url(connector) : websocket_url(connector);
}

// The same of HTTP and WebSocket.
Status check_urls(const typed::Program& program, const Bindings& bindings) {
  for (const typed::Emit& emit : program.emits) {
    const std::string& name = emit.connector.name;
    if ((name != "http" && name != "websocket") || find_binding(bindings, "sink", emit.name) != nullptr)
      continue;
    http::Url to = url_of(emit.connector);
    for (const typed::Source& source : program.sources) {
      if (source.connector.name != name || find_binding(bindings, "source", source.name) != nullptr) continue;
      bool sink_listens = emit.connector.find("listen") != nullptr;
      bool source_listens = source.connector.find("listen") != nullptr;
      if (sink_listens == source_listens || to.place() != url_of(source.connector).place()) continue;
      return Error{"sink `" + emit.name + "` would send to " + to.text() + ", where source `" + source.name +
                   (source_listens ? "` listens" : "` reads")};
    }
  }
  return Unit{};
}

// A program that writes to where it listens would feed itself.
Status check_addresses(const typed::Program& program, const Bindings& bindings) {
  for (const typed::Emit& emit : program.emits) {
    if (emit.connector.name != "tcp" || find_binding(bindings, "sink", emit.name) != nullptr) continue;
    TcpTarget to = tcp_target(emit.connector);
    for (const typed::Source& source : program.sources) {
      if (source.connector.name != "tcp" || find_binding(bindings, "source", source.name) != nullptr)
        continue;
      TcpTarget from = tcp_target(source.connector);
      if (to.side == from.side || !(to.address == from.address)) continue;
      return Error{"sink `" + emit.name + "` would write to " + to.address.text() + ", where source `" +
                   source.name + "` " + (from.side == connector::TcpSide::Listen ? "listens" : "reads")};
    }
  }
  return check_urls(program, bindings);
}

using Pairs = std::set<std::pair<std::string, std::string>>;

}  // namespace

bool same_file(env::Env& env, const std::string& one, const std::string& other) {
  auto first = env.identify(one);
  auto second = env.identify(other);
  if (first && second) return first.value().regular && first.value().same_file(second.value());
  return !first && !second && absolute(one) == absolute(other);
}

Status check_files(env::Env& env, const typed::Program& program, const Bindings& bindings,
                   const typed::Program* before) {
  Pairs running;
  if (before != nullptr) {
    for (const Named& source : sources_of(*before, bindings)) {
      for (const Named& sink : sinks_of(*before, bindings)) running.emplace(source.path, sink.path);
    }
  }
  std::vector<Named> sinks = sinks_of(program, bindings);
  for (const Named& source : sources_of(program, bindings)) {
    for (const Named& sink : sinks) {
      if (running.contains({source.path, sink.path}) || !reads(env, source, sink.path)) continue;
      return Error{"sink `" + sink.name + "` would write into " + sink.path + ", which source `" +
                   source.name + "` reads"};
    }
  }
  for (size_t i = 0; i < sinks.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      // The command line may send several sinks to one file: their rows are merged.
      if (sinks[i].bound || sinks[j].bound || !same_file(env, sinks[j].path, sinks[i].path)) continue;
      return Error{"sinks `" + sinks[j].name + "` and `" + sinks[i].name + "` would write one file, " +
                   sinks[j].path + " and " + sinks[i].path};
    }
  }
  return check_addresses(program, bindings);
}

}  // namespace mut::session
