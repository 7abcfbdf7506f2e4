#include "tools/mutc/run/edits.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <map>

namespace mut::tools {
namespace {

using Edit = RunOptions::Edit;

// "payments:100": exactly digits behind the last colon.
std::optional<SourceCut> parse_cut(std::string_view text) {
  size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  SourceCut out{std::string(text.substr(0, colon)), 0};
  const char* end = text.data() + text.size();
  auto parsed = std::from_chars(text.data() + colon + 1, end, out.records);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return out;
}

std::string_view option_of(Edit edit) {
  constexpr std::string_view names[] = {"--swap ",  "--undo ",   "--shadow ",   "--promote ",
                                        "--adopt ", "--canary ", "--complete ", "--end-canary "};
  return names[static_cast<size_t>(edit)];
}

bool has_script(Edit edit) { return edit == Edit::Swap || edit == Edit::Shadow || edit == Edit::Canary; }

// What --part says; where it is wrong, or there is one without a canary, that is said.
std::optional<CanaryPart> parse_part(const RunOptions& options) {
  if (options.part.empty() && options.canaries.empty()) return CanaryPart{};
  std::string problem = "there is no --canary";
  std::optional<CanaryPart> out;
  if (options.part.empty()) {
    problem = "write --part \"5% by FIELD\" beside it";
  } else if (!options.canaries.empty()) {
    out = CanaryPart::parse(options.part, problem);
  }
  std::string told = options.part.empty() ? "--canary" : "--part " + options.part;
  if (!out) std::fprintf(stderr, "mutc: %s: %s\n", told.c_str(), problem.c_str());
  return out;
}

}  // namespace

std::optional<std::vector<SourceCut>> parse_cuts(std::string_view text, const std::string& label) {
  std::vector<SourceCut> out;
  for (size_t begin = 0; begin <= text.size();) {
    size_t comma = std::min(text.find(',', begin), text.size());
    std::string part(text.substr(begin, comma - begin));
    auto cut = parse_cut(part);
    if (!cut) {
      std::fprintf(stderr, "mutc: %s: `%s` is no SOURCE:N\n", label.c_str(), part.c_str());
      return std::nullopt;
    }
    out.push_back(std::move(*cut));
    begin = comma + 1;
  }
  return out;
}

// "v2.mut@payments:100,refunds:5": split at the last `@`.
std::optional<ScheduledEdit> parse_edit(Edit edit, const std::string& text) {
  ScheduledEdit out;
  out.edit = edit;
  out.label = std::string(option_of(edit)) + text;
  std::string_view cuts = text;
  if (has_script(edit)) {
    size_t at = text.rfind('@');
    if (at == std::string::npos && edit == Edit::Swap) {
      std::fprintf(stderr, "mutc: --swap %s: write FILE@SOURCE:N\n", text.c_str());
      return std::nullopt;
    }
    out.request.name = text.substr(0, at);
    cuts = at == std::string::npos ? std::string_view() : std::string_view(text).substr(at + 1);
    auto script = read_script(out.request.name);
    if (!script) return std::nullopt;
    out.request.text = std::move(*script);
    if (at == std::string::npos) return out;
  }
  auto parsed = parse_cuts(cuts, out.label);
  if (!parsed) return std::nullopt;
  out.request.at = std::move(*parsed);
  return out;
}

std::optional<std::vector<ScheduledEdit>> parse_edits(const RunOptions& options) {
  std::optional<Expectation> expect;
  if (!options.expect.empty()) {
    std::string problem;
    expect = Expectation::parse(options.expect, problem);
    if (!expect || options.shadows.empty()) {
      std::fprintf(stderr, "mutc: --expect %s: %s\n", options.expect.c_str(),
                   expect ? "there is no --shadow" : problem.c_str());
      return std::nullopt;
    }
  }
  auto part = parse_part(options);
  if (!part) return std::nullopt;
  std::map<Edit, size_t> seen;
  std::vector<ScheduledEdit> out;
  for (Edit edit : options.edits) {
    const std::vector<std::string>* all[] = {&options.swaps,     &options.undos,  &options.shadows,
                                             &options.promotes,  &options.adopts, &options.canaries,
                                             &options.completes, &options.ends};
    auto parsed = parse_edit(edit, (*all[static_cast<size_t>(edit)])[seen[edit]++]);
    if (!parsed) return std::nullopt;
    if (edit == Edit::Shadow) parsed->expect = expect;
    parsed->part = *part;
    out.push_back(std::move(*parsed));
  }
  return out;
}

bool in_order(const std::vector<ScheduledEdit>& edits) {
  std::map<std::string, uint64_t> last;
  for (const ScheduledEdit& edit : edits) {
    for (const SourceCut& cut : edit.request.at) {
      auto [known, fresh] = last.emplace(cut.source, cut.records);
      if (cut.records < known->second) {
        std::fprintf(stderr, "mutc: %s: an earlier edit cuts `%s` at %llu; give them in order\n",
                     edit.label.c_str(), cut.source.c_str(), static_cast<unsigned long long>(known->second));
        return false;
      }
      known->second = cut.records;
    }
  }
  return true;
}

bool lies_behind(const std::vector<SourceCut>& cuts, const std::vector<SourceCut>& positions) {
  auto is_past = [&](const SourceCut& cut) {
    return std::any_of(positions.begin(), positions.end(), [&](const SourceCut& position) {
      return position.source == cut.source && position.records > cut.records;
    });
  };
  return !cuts.empty() && std::all_of(cuts.begin(), cuts.end(), is_past);
}

std::optional<std::vector<Consent>> consents_at_start(const RunOptions& options) {
  std::vector<Consent> out;
  for (size_t i = 0; i < options.accepts.size(); ++i) {
    if (options.accept_of[i] >= 0) continue;
    auto consent = parse_accept(options.accepts[i]);
    if (!consent) return std::nullopt;
    out.push_back(std::move(*consent));
  }
  return out;
}

std::optional<int64_t> parse_duration(std::string_view text) {
  constexpr std::pair<std::string_view, int64_t> units[] = {
      {"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000}};
  int64_t count = 0;
  auto parsed = std::from_chars(text.data(), text.data() + text.size(), count);
  std::string_view unit(parsed.ptr, static_cast<size_t>(text.data() + text.size() - parsed.ptr));
  for (const auto& [name, each_ns] : units) {
    int64_t out = 0;
    bool fits = parsed.ec == std::errc() && count >= 0 && !__builtin_mul_overflow(count, each_ns, &out);
    if (unit == name && fits) return out;
  }
  return std::nullopt;
}

bool place_accepts(const RunOptions& options, const std::vector<SwapRequest*>& edits) {
  for (size_t i = 0; i < options.accepts.size(); ++i) {
    auto consent = parse_accept(options.accepts[i]);
    if (!consent) return false;
    int of = options.accept_of[i];
    if (of < 0 && !options.state.empty()) continue;  // of the edit that a start from a checkpoint is
    if (of < 0 || static_cast<size_t>(of) >= edits.size()) {
      std::fprintf(stderr, "mutc: --accept stands behind the edit it belongs to\n");
      return false;
    }
    edits[static_cast<size_t>(of)]->accept.push_back(std::move(*consent));
  }
  return true;
}

Outcome<Offered> offer(const ScheduledEdit& edit, Engine& engine) {
  const SwapRequest& asked = edit.request;
  auto told = [](Outcome<SwapReport> report) -> Outcome<Offered> {
    if (!report) return report.failure();
    return Offered{report.value().version, report.value().plan};
  };
  switch (edit.edit) {
    case Edit::Swap:
      return told(engine.swap(asked));
    case Edit::Undo:
      return told(engine.undo({asked.accept, asked.at}));
    case Edit::Promote:
      return told(engine.promote({PromoteRequest::State::Migrate, asked.at, asked.accept}));
    case Edit::Adopt:
      return told(engine.promote({PromoteRequest::State::Adopt, asked.at, asked.accept}));
    case Edit::Complete:
      return told(engine.complete_canary({asked.at}));
    case Edit::End:
      return told(engine.end_canary({asked.at}));
    case Edit::Canary: {
      auto begun = engine.canary({asked.text, asked.name, edit.part, asked.at, asked.accept});
      if (!begun) return begun.failure();
      return Offered{begun.value().version, begun.value().plan};
    }
    case Edit::Shadow:
      break;
  }
  auto report = engine.shadow({asked.text, asked.name, asked.at, asked.accept, edit.expect});
  if (!report) return report.failure();
  return Offered{0, report.value().plan};
}

void tell_canary(const Engine& engine, const RunLog& log) {
  auto report = engine.canary_report();
  if (report) log.say(RunLog::Level::Info, "canary", canary_text(report.value()));
}

bool tell_shadow(const Engine& engine, const RunOptions& options, const RunLog& log) {
  auto report = engine.shadow_report();
  if (!report) return true;  // it was not applied, as was said
  log.say(RunLog::Level::Info, "shadow", shadow_text(report.value()));
  if (!options.expect.empty() && report.value().from.empty()) {
    log.say(RunLog::Level::Error, "shadow", "mutc: --expect: the shadow never ran\n");
    return false;
  }
  return report.value().unexpected.empty();
}

}  // namespace mut::tools
