#include "compiler/graph/bounds.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/codec/text/time.h"
#include "runtime/state/own_cells.h"

namespace mut::graph {
namespace {

using state::CellFn;
using state::StoreDesc;
using state::StoreKind;

std::string each_key(const StoreDesc& desc) {
  std::string out;
  for (const state::KeyDesc& key : desc.keys) out += (out.empty() ? " of each " : ", ") + key.name;
  return out;
}

// How long `what`, one for each key, is there.
std::string kept_by_key(const StoreDesc& desc, const std::string& what) {
  if (desc.keys.empty()) return what;
  std::string until =
      desc.ttl != 0 ? " until " + duration_text(desc.ttl) + " after its newest event" : ", for ever";
  return what + each_key(desc) + until;
}

// Cells whose size grows with the values they see.
std::string with_values(const StoreDesc& desc) {
  bool all = std::any_of(desc.cells.begin(), desc.cells.end(), [](const state::CellDesc& cell) {
    bool list = state::keeps_list(cell.fn);
    return cell.fn == CellFn::Distinct || cell.fn == CellFn::Quantile || (list && cell.most == 0);
  });
  return all ? ", with the values they saw" : "";
}

// Variables of the script that are as long as it makes them.
std::string with_lists(const StoreDesc& desc) {
  bool lists = false;
  for (const state::CellDesc& cell : desc.cells) {
    if (cell.fn != CellFn::Own) continue;
    state::for_each_own_piece(*cell.result, [&](const state::OwnPiece& piece) {
      lists = lists || (piece.packed != nullptr && abi::has_references(*piece.packed));
    });
  }
  return lists ? "; lists in them are as long as the script makes them" : "";
}

std::string of_windows(const StoreDesc& desc) {
  std::string late = desc.late_within != 0 ? " and " + duration_text(desc.late_within) + " longer" : "";
  return fmt::format("totals{} in windows of {} until these close{}{}", each_key(desc),
                     duration_text(desc.size), late, with_values(desc) + with_lists(desc));
}

std::string of_held(const StoreDesc& desc) {
  switch (desc.hold.kind) {
    case state::HoldKind::Delay:
      return "rows for " + duration_text(desc.hold.span);
    case state::HoldKind::Debounce:
      return "a row" + each_key(desc) + " for " + duration_text(desc.hold.span);
    case state::HoldKind::Ranking:
      return fmt::format("{} rows{}, for ever", desc.hold.count, each_key(desc));
    default:
      break;
  }
  if (desc.hold.window == state::HoldWindow::Count)
    return fmt::format("the last {} rows{}, for ever", desc.size, each_key(desc));
  std::string rows =
      desc.hold.kind == state::HoldKind::Top
          ? fmt::format("{} rows{}{}", desc.hold.count,
                        desc.hold.ties == state::Ties::Shared ? " and their equals" : "", each_key(desc))
          : "rows";
  return rows + (desc.hold.whole ? " until the end of the input"
                 : desc.hold.window == state::HoldWindow::Session
                     ? " of sessions until these close"
                     : " of windows of " + duration_text(desc.size) + " until these close");
}

std::string of_join(const StoreDesc& desc) {
  return fmt::format("rows that may still find a partner: {}..{} away, by event time",
                     duration_text(desc.join.low), duration_text(desc.join.high));
}

std::string of_match(const StoreDesc& desc) {
  std::string until =
      desc.pattern.within != 0 ? " for " + duration_text(desc.pattern.within) : " until they are decided";
  return fmt::format("events from where a match may have begun{}, {} starts{} at most", until,
                     desc.pattern.limit, desc.keys.empty() ? "" : each_key(desc));
}

std::string of_table(const StoreDesc& desc) {
  std::string out = "the newest row" + each_key(desc) +
                    (desc.ttl != 0 ? " until " + duration_text(desc.ttl) + " after its time" : ", for ever");
  if (desc.table.versioned != 0) out += "; what it replaced for " + duration_text(desc.table.versioned);
  return out;
}

}  // namespace

std::string duration_text(int64_t nanoseconds) {
  char buffer[text::duration_bytes_max];
  return std::string(buffer, text::format_duration(nanoseconds, buffer));
}

std::string bound_of(const StoreDesc& desc) {
  switch (desc.kind) {
    case StoreKind::Groups:
      return kept_by_key(desc, "totals") + with_values(desc) + with_lists(desc);
    case StoreKind::Panes:
    case StoreKind::Overlaps:
      return of_windows(desc);
    case StoreKind::Sessions:
      return fmt::format("totals{} in sessions until {} after their newest event{}", each_key(desc),
                         duration_text(desc.size + desc.late_within), with_values(desc) + with_lists(desc));
    case StoreKind::Whole:
      return "totals" + each_key(desc) + " until the end of the input" + with_values(desc) + with_lists(desc);
    case StoreKind::Ring:
      if (desc.span != 0) return "events of the last " + duration_text(desc.span) + each_key(desc);
      return kept_by_key(desc, fmt::format("the last {} events", desc.count));
    case StoreKind::Dedupe:
      return "times of events of the last " + duration_text(desc.span) + each_key(desc);
    case StoreKind::Join:
      return of_join(desc);
    case StoreKind::Held:
      return of_held(desc);
    case StoreKind::Match:
      return of_match(desc);
    case StoreKind::Table:
      return of_table(desc);
    case StoreKind::Counts:
      if (desc.every != 0 && desc.every < desc.size) {
        return kept_by_key(desc, fmt::format("totals of windows of {} events that begin every {}", desc.size,
                                             desc.every)) +
               with_values(desc) + with_lists(desc);
      }
      return kept_by_key(desc, fmt::format("totals of {} events", desc.size)) + with_values(desc) +
             with_lists(desc);
    case StoreKind::Process:
      return kept_by_key(desc, "variables and timers") + with_lists(desc);
    case StoreKind::Follow:
      return "what each row of its table has given, as long as the row is there";
  }
  return "";
}

std::string print_bounds(const Graph& graph) {
  size_t width = 0;
  for (const StoreNode& node : graph.stores) width = std::max(width, node.desc.path.size());
  std::string out;
  for (const StoreNode& node : graph.stores)
    out += fmt::format("  {:<{}}  {}\n", node.desc.path, width, bound_of(node.desc));
  return out;
}

}  // namespace mut::graph
