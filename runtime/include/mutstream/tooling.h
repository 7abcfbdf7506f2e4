// What tools do with scripts without running them.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mutstream/engine.h"

namespace mut {

// A report for people, some lines.
std::string shadow_text(const ShadowReport& report);
std::string canary_text(const CanaryReport& report);

struct CheckOptions {
  EngineOptions::Color color = EngineOptions::Color::No;
  EngineOptions::Diagnostics diagnostics = EngineOptions::Diagnostics::Text;
};

// `text`: rendered diagnostics, warnings included; may be empty.
struct CheckResult {
  bool fine = false;
  std::string text;
};
CheckResult check_script(std::string_view text, std::string name, const CheckOptions& options);

// What a script reads from and writes to, each opened as a run would and closed again: nothing is read, and
// nothing of a sink is changed. A port to listen on is bound for a moment.
struct Endpoint {
  enum class Side : uint8_t { Source, Sink } side = Side::Source;
  std::string name;
  std::string target;  // "file readings.csv", "tcp connect db:5432", "stdin"
  enum class State : uint8_t {
    Fine,
    Broken,    // `problem` says why
    NotTried,  // of the process itself, or a generator's
  } state = State::Fine;
  std::string problem;
  std::string notice;  // what a run would do that may surprise: "replaces out.jsonl, 1024 bytes"
};
// Fails where the script does not check.
Outcome<std::vector<Endpoint>> try_endpoints(std::string_view text, std::string name,
                                             const CheckOptions& options);

// Paths of the files that a script imports and that those import, whether they are there or not; as far as
// the script can be read. Nothing: it does not parse.
std::optional<std::vector<std::string>> imported_files(std::string_view text, std::string name);

// The canonical style; fails when the script does not parse.
Outcome<std::string> format_script(std::string_view text, std::string name, const CheckOptions& options);

// A reference as Markdown, of what the script declares: heads, comments, examples. The script must check.
Outcome<std::string> document_script(std::string_view text, std::string name, const CheckOptions& options);
// Of a module of the library: "std.stats". Without a value: there is no such module.
std::optional<std::string> document_module(std::string_view name);
// "std.alerts", "std.geo", …, by name.
std::vector<std::string> library_modules();

enum class Emit : uint8_t { Ast, Typed, Graph, Pipelines, Shards, Llvm, Asm };
Outcome<std::string> explain_script(std::string_view text, std::string name, Emit emit, TierChoice tier,
                                    const CheckOptions& options);

// Declarations put into a script: each takes the place of the one of its name, which keeps its comments, or
// comes at the end.
struct EditedScript {
  std::string text;
  std::vector<std::string> replaced;  // names
  std::vector<std::string> added;
  std::vector<std::string> removed;
};
// `remove`: names of declarations that go. Fails where one text does not parse or no declaration has a name.
Outcome<EditedScript> edit_script(std::string_view text, std::string_view declarations,
                                  const std::vector<std::string>& remove, const CheckOptions& options);

// Whether what was typed so far can stand for itself.
enum class Typed : uint8_t {
  Nothing,  // blanks and comments
  Open,     // a bracket, a text or an expression goes on
  Closed,   // whole, and nothing can follow
  MayGoOn,  // whole, but a stage may follow in the next line
};
Typed judge_typed(std::string_view text);

struct PlanOptions {
  SwapPolicy policy = SwapPolicy::Ask;
  std::vector<Consent> accept;
  enum class Format : uint8_t { Text, Json } format = Format::Text;
  EngineOptions::Color color = EngineOptions::Color::No;
  enum class Bounds : uint8_t { No, Show } bounds = Bounds::No;  // Text: what bounds the state of each stage
};
struct PlanResult {
  int exit_code = 0;  // 0 applicable, 1 does not compile, 10 a decision is needed, 11 no change, 20 refused
  std::string text;
};
PlanResult plan_change(std::string_view before, std::string before_name, std::string_view after,
                       std::string after_name, const PlanOptions& options);

// A file that EngineOptions::history_path named. It is read and verified, never changed.
struct HistoryFile {
  std::vector<VersionRecord> versions;
  uint64_t lines = 0;
  std::string last_hash;    // of the last line: who notes it elsewhere can tell that lines were cut off
  uint64_t torn_bytes = 0;  // behind the last whole line: a write that did not end
};
// Fails where the chain is broken, with the number of the line.
Outcome<HistoryFile> read_history(const std::string& path);
// One JSON object, as in that file.
std::string version_json(const VersionRecord& record);
// What one version changes in the script and the params of another, as a unified diff; empty: nothing.
std::string diff_versions(const VersionRecord& before, const VersionRecord& after);

// The reference interpreter: slow, obvious, the meaning of a script. Reads all inputs at once and writes
// all outputs at the end.
struct ReferenceRun {
  std::vector<std::pair<std::string, std::string>> binds;  // name, target
  std::vector<SwapRequest> swaps;                          // in order, each at its first cut
  EngineOptions::Stamp stamp = EngineOptions::Stamp::No;
  SwapPolicy policy = SwapPolicy::Ask;
};
Outcome<Done> run_reference(std::string_view text, std::string name, const ReferenceRun& run,
                            const CheckOptions& options);

std::string_view version_text();

}  // namespace mut
