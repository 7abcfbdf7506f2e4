// What all commands share towards the terminal: colours, exit codes, reading files.
#pragma once
#include <optional>
#include <string>

#include "mutstream/tooling.h"

namespace mut::tools {

// ecosystem conventions: the same for every command.
constexpr int exit_script = 1;
constexpr int exit_usage = 2;
constexpr int exit_io = 3;
constexpr int exit_decision = 10;
constexpr int exit_no_change = 11;
constexpr int exit_refused = 20;
constexpr int exit_internal = 70;

struct ConsoleOptions {
  std::string color = "auto";
  std::string diagnostics = "text";
  bool quiet = false;
};

// NO_COLOR, CLICOLOR_FORCE, TERM=dumb and whether stderr is a terminal.
EngineOptions::Color use_color(const ConsoleOptions& options);
EngineOptions::Diagnostics use_diagnostics(const ConsoleOptions& options);
CheckOptions check_options(const ConsoleOptions& options);
int exit_code_of(Failure::Kind kind);

// Where compiled code is kept: MUT_KERNEL_CACHE, unless that is `off`, else the folder for caches. Empty:
// nowhere.
std::string kernel_cache_folder();

// `-` is standard input. Empty after a message on stderr.
std::optional<std::string> read_script(const std::string& path);
// Whether a script says nothing: only blanks and comments.
bool is_blank_script(const std::string& text);
// `--accept VERDICT:CELL`. Empty after a message on stderr.
std::optional<Consent> parse_accept(const std::string& text);
// Everything that was printed has arrived, or exit_io after a message.
int finish_output(int exit_code);
void print_error(const std::string& text);

}  // namespace mut::tools
