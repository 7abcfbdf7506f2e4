#include "tools/mutc/console.h"

#include <sys/stat.h>
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

std::string kernel_cache_folder() {
  auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  std::string named = variable("MUT_KERNEL_CACHE");
  if (named == "off") return "";
  if (!named.empty()) return named;
  // A relative one is to be ignored, as its rules say.
  if (std::string caches = variable("XDG_CACHE_HOME"); caches.starts_with('/'))
    return caches + "/mutstream/kernels";
  // Who works for a while as somebody else leaves nothing in a home that is not theirs.
  std::string home = variable("HOME");
  struct stat found{};
  bool own = home.starts_with('/') && ::stat(home.c_str(), &found) == 0 && found.st_uid == ::geteuid();
  return own ? home + "/.cache/mutstream/kernels" : "";
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
  struct stat info{};
  if (stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
    std::fprintf(stderr, "mutc: %s: %s\n", path.c_str(), std::strerror(EISDIR));
    return std::nullopt;
  }
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

bool is_blank_script(const std::string& text) {
  int depth = 0;  // block comments nest
  for (size_t i = 0; i < text.size(); ++i) {
    std::string_view here = std::string_view(text).substr(i, 2);
    if (depth == 0 && here == "//") {
      i = text.find('\n', i);
      if (i == std::string::npos) return true;
    } else if (here == "/*" || (depth > 0 && here == "*/")) {
      depth += here == "/*" ? 1 : -1;
      ++i;
    } else if (depth == 0 && std::strchr(" \t\r\n", text[i]) == nullptr) {
      return false;
    }
  }
  return depth == 0;
}

std::optional<Consent> parse_accept(const std::string& text) {
  size_t colon = text.find(':');
  if (colon == std::string::npos || colon + 1 == text.size()) {
    std::fprintf(stderr, "mutc: --accept %s: write VERDICT:CELL\n", text.c_str());
    return std::nullopt;
  }
  std::string verdict = text.substr(0, colon);
  if (verdict != "drop" && verdict != "reset" && verdict != "carry" && verdict != "restore-gap") {
    std::fprintf(stderr,
                 "mutc: --accept %s: `%s` is no verdict to accept; write drop, reset, carry or restore-gap\n",
                 text.c_str(), verdict.c_str());
    return std::nullopt;
  }
  return Consent{std::move(verdict), text.substr(colon + 1)};
}

int finish_output(int exit_code) {
  errno = 0;
  bool flushed = std::fflush(stdout) == 0;
  if (flushed && std::ferror(stdout) == 0) return exit_code;
  std::fprintf(stderr, "mutc: stdout: %s\n", errno != 0 ? std::strerror(errno) : "cannot be written");
  return exit_code == 0 ? exit_io : exit_code;
}

void print_error(const std::string& text) {
  std::fputs(text.c_str(), stderr);
  if (!text.empty() && text.back() != '\n') std::fputc('\n', stderr);
}

}  // namespace mut::tools
