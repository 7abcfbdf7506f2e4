#include "compiler/change/print.h"

#include <fmt/format.h>

#include <algorithm>

namespace mut::change {
namespace {

using Outcome = SwapPlan::Outcome;

std::string grouped(uint64_t number) {
  std::string digits = std::to_string(number);
  for (size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::string upper(std::string_view text) {
  std::string out;
  for (char c : text) out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

std::string accept_line(const CellPlan& cell) {
  std::string out;
  for (const std::string& choice : cell.choices)
    out += fmt::format("{}{}:{}", out.empty() ? "--accept " : " | ", choice, cell.path);
  return out;
}

void quote(std::string_view text, std::string& out) {
  out += '"';
  for (char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

std::string quoted(std::string_view text) {
  std::string out;
  quote(text, out);
  return out;
}

std::string quoted_list(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) {
    if (out.size() > 1) out += ',';
    quote(text, out);
  }
  return out + "]";
}

std::string_view outcome_name(Outcome outcome) {
  constexpr std::string_view names[] = {"no_change", "applicable", "needs_decision", "refused"};
  return names[static_cast<size_t>(outcome)];
}

std::string last_line(const SwapPlan& plan) {
  switch (plan.outcome) {
    case Outcome::NoChange:
      return "no semantic change";
    case Outcome::Applicable:
      return "applicable";
    case Outcome::Refused:
      return "refused";
    case Outcome::NeedsDecision:
      break;
  }
  std::string list;
  for (const CellPlan& cell : plan.cells) {
    if (cell.needs_consent) list += (list.empty() ? "" : ", ") + cell.path;
  }
  return "needs a decision: " + list;
}

}  // namespace

std::string print_text(const SwapPlan& plan, const std::string& old_name, const std::string& new_name) {
  std::string out = fmt::format("{} → {}   {} stream{} changed, {}\n", old_name, new_name,
                                plan.streams_changed, plan.streams_changed == 1 ? "" : "s",
                                plan.recompiles ? "kernels recompiled" : "no kernel recompiled");
  size_t verdict_width = 4;
  size_t path_width = 0;
  size_t entries_width = 0;
  size_t same = 0;
  std::vector<std::string> entries;
  for (const CellPlan& cell : plan.cells) {
    entries.push_back(cell.entries ? grouped(*cell.entries) + (*cell.entries == 1 ? " entry" : " entries")
                                   : "");
    if (cell.verdict == Verdict::Same) {
      ++same;
      continue;
    }
    verdict_width = std::max(verdict_width, verdict_name(cell.verdict).size());
    path_width = std::max(path_width, cell.path.size());
    entries_width = std::max(entries_width, entries.back().size());
  }
  for (size_t i = 0; i < plan.cells.size(); ++i) {
    const CellPlan& cell = plan.cells[i];
    if (cell.verdict == Verdict::Same) continue;
    std::string line = fmt::format("  {:<{}}  {:<{}}  ", upper(verdict_name(cell.verdict)), verdict_width,
                                   cell.path, path_width);
    if (entries_width > 0) line += fmt::format("{:<{}}  ", entries[i], entries_width);
    size_t indent = 6 + verdict_width + path_width + (entries_width > 0 ? entries_width + 2 : 0);
    line += cell.reason;
    if (!cell.decision.empty()) line += " (" + cell.decision + ")";
    out += line + "\n";
    if (cell.needs_consent) out += std::string(indent, ' ') + accept_line(cell) + "\n";
    if (!cell.hint.empty()) out += std::string(indent, ' ') + cell.hint + "\n";
  }
  if (same > 0) {
    bool more = same < plan.cells.size();
    out += fmt::format("  {:<{}}  {}{} cell{}\n", "SAME", verdict_width, same, more ? " more" : "",
                       same == 1 ? "" : "s");
  }
  for (const std::string& note : plan.notes) out += "note: " + note + "\n";
  for (const std::string& refusal : plan.refusals) out += refusal + "\n";
  return out + fmt::format("{:<48}  exit {}\n", last_line(plan), exit_code(plan.outcome));
}

std::string print_json(const SwapPlan& plan, const std::string& old_name, const std::string& new_name) {
  std::string out = fmt::format(
      R"({{"schema":1,"from":{},"to":{},"outcome":"{}","exit":{},"streams_changed":{},"recompiles":{},"cells":[)",
      quoted(old_name), quoted(new_name), outcome_name(plan.outcome), exit_code(plan.outcome),
      plan.streams_changed, plan.recompiles);
  bool first = true;
  for (const CellPlan& cell : plan.cells) {
    if (!first) out += ',';
    first = false;
    out += fmt::format(
        R"({{"cell":{},"before":{},"verdict":"{}","reason":{},"needs_consent":{},"choices":{})",
        quoted(cell.path), cell.old_path.empty() ? "null" : quoted(cell.old_path), verdict_name(cell.verdict),
        quoted(cell.reason), cell.needs_consent, quoted_list(cell.choices));
    out += ",\"decision\":" + (cell.decision.empty() ? "null" : quoted(cell.decision));
    out += ",\"hint\":" + (cell.hint.empty() ? "null" : quoted(cell.hint));
    out += ",\"entries\":" + (cell.entries ? std::to_string(*cell.entries) : "null") + "}";
  }
  out += "],\"notes\":" + quoted_list(plan.notes) + ",\"refusals\":[";
  for (size_t i = 0; i < plan.refusals.size(); ++i) {
    out += fmt::format("{}{{\"code\":\"{}\",\"text\":{}}}", i > 0 ? "," : "",
                       diag::code_text(plan.refusal_codes[i]), quoted(plan.refusals[i]));
  }
  return out + "],\"sources_redeclared\":" + quoted_list(plan.sources_redeclared) + "}\n";
}

}  // namespace mut::change
