#include "tools/mutc/console.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>

namespace mut::tools {

EngineOptions::Color use_color(const ConsoleOptions& options) {
  if (options.color == "always") return EngineOptions::Color::Yes;
  if (options.color == "never") return EngineOptions::Color::No;
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != 0) return EngineOptions::Color::No;
  const char* force = std::getenv("CLICOLOR_FORCE");
  if (force != nullptr && *force != 0 && std::strcmp(force, "0") != 0) return EngineOptions::Color::Yes;
  const char* term = std::getenv("TERM");
  bool dumb = term == nullptr || std::strcmp(term, "dumb") == 0;
  return !dumb && isatty(STDERR_FILENO) != 0 ? EngineOptions::Color::Yes : EngineOptions::Color::No;
}

EngineOptions::Diagnostics use_diagnostics(const ConsoleOptions& options) {
  return options.diagnostics == "json" ? EngineOptions::Diagnostics::Json : EngineOptions::Diagnostics::Text;
}

CheckOptions check_options(const ConsoleOptions& options) {
  return {use_color(options), use_diagnostics(options)};
}

int exit_code_of(Failure::Kind kind) {
  switch (kind) {
    case Failure::Kind::Script:
      return exit_script;
    case Failure::Kind::Usage:
      return exit_usage;
    case Failure::Kind::Io:
      return exit_io;
    case Failure::Kind::NeedsDecision:
      return exit_decision;
    case Failure::Kind::NoChange:
    case Failure::Kind::Superseded:
      return exit_no_change;
    case Failure::Kind::Refused:
      return exit_refused;
    case Failure::Kind::Internal:
      return exit_internal;
  }
  return exit_internal;
}

std::optional<std::string> read_script(const std::string& path) {
  if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    std::fprintf(stderr, "mutc: %s: %s\n", path.c_str(), std::strerror(errno));
    return std::nullopt;
  }
  std::ostringstream text;
  text << in.rdbuf();
  if (in.bad()) {
    std::fprintf(stderr, "mutc: %s: cannot be read\n", path.c_str());
    return std::nullopt;
  }
  return text.str();
}

void print_error(const std::string& text) {
  std::fputs(text.c_str(), stderr);
  if (!text.empty() && text.back() != '\n') std::fputc('\n', stderr);
}

}  // namespace mut::tools
