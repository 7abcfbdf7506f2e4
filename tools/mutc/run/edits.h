// Edits of the command line: which there are, at which records, and what becomes of them.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mutstream/engine.h"
#include "tools/mutc/console.h"
#include "tools/mutc/run/run_log.h"
#include "tools/mutc/run/run_options.h"

namespace mut::tools {

struct ScheduledEdit {
  RunOptions::Edit edit = RunOptions::Edit::Swap;
  SwapRequest request;  // of those without a script of their own: cut and consents
  std::optional<Expectation> expect{};
  CanaryPart part{};
  std::string label{};  // "--swap v2.mut@s:100"
};

// Each of these says on stderr what is wrong.
// "payments:100,refunds:5", of the option `label`.
std::optional<std::vector<SourceCut>> parse_cuts(std::string_view text, const std::string& label);
std::optional<ScheduledEdit> parse_edit(RunOptions::Edit edit, const std::string& text);
// All, in the order of the command line.
std::optional<std::vector<ScheduledEdit>> parse_edits(const RunOptions& options);
// Cuts of one source come in their order: a later one that lies before an earlier one has no meaning.
bool in_order(const std::vector<ScheduledEdit>& edits);
// Whether all of these records have been run before `positions`.
bool lies_behind(const std::vector<SourceCut>& cuts, const std::vector<SourceCut>& positions);
// Every `--accept` goes to the edit it stands behind.
bool place_accepts(const RunOptions& options, const std::vector<SwapRequest*>& edits);

// Those that stand behind no edit: with `--state` they are of the edit that the start is, if it is one.
std::optional<std::vector<Consent>> consents_at_start(const RunOptions& options);
// "500ms", "10s", "1m", "2h" as nanoseconds; nothing, and nothing is said, where it is none of these.
std::optional<int64_t> parse_duration(std::string_view text);

// Its number and plan; a shadow has no number.
struct Offered {
  uint64_t version = 0;
  std::string plan;
};
Outcome<Offered> offer(const ScheduledEdit& edit, Engine& engine);
// At the end of the run. Whether all is as expected.
bool tell_shadow(const Engine& engine, const RunOptions& options, const RunLog& log);
void tell_canary(const Engine& engine, const RunLog& log);

}  // namespace mut::tools
