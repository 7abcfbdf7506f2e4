#include "compiler/graph/best_rows.h"

#include <algorithm>

#include "runtime/state/best_rows.h"

namespace mut::graph {
namespace {

using typed::ExprKind;

// Keys, results and edges as they are: nothing else can fail for a group.
bool gives_results_only(const typed::Stage& aggregate) {
  return std::all_of(aggregate.outputs.begin(), aggregate.outputs.end(), [](const typed::Output& output) {
    ExprKind kind = output.value->kind;
    return kind == ExprKind::Key || kind == ExprKind::Aggregate || kind == ExprKind::WindowStart ||
           kind == ExprKind::WindowEnd;
  });
}

// All rows of a window have one time, so each of them is in the same window of `top`, and is let go of once.
bool takes_windows_whole(const typed::Stage& top) {
  return top.keys.empty() &&
         (top.window.kind == typed::WindowKind::Tumbling || top.window.kind == typed::WindowKind::All);
}

}  // namespace

std::optional<state::BestRows> best_rows(const typed::Stage& aggregate, const state::StoreDesc& desc,
                                         const typed::Stage& behind, const std::string& path) {
  if (!behind.hold || behind.hold->kind != typed::HoldKind::Top || behind.hold->order.size() != 1) return {};
  bool closes_once = desc.gives == state::Gives::AtClose && desc.late_within == 0;
  if (!closes_once || !takes_windows_whole(behind) || !gives_results_only(aggregate)) return {};
  if (!std::all_of(desc.cells.begin(), desc.cells.end(), state::is_seen_in_row)) return {};
  const typed::OrderKey& order = behind.hold->order[0];
  if (order.value->kind != ExprKind::Field) return {};
  const typed::Expr& result = *aggregate.outputs[static_cast<size_t>(order.value->index)].value;
  if (result.kind != ExprKind::Aggregate) return {};
  const state::CellDesc& cell = desc.cells[static_cast<size_t>(result.index)];
  bool counts = cell.fn == state::CellFn::Count || cell.fn == state::CellFn::IntSum;
  bool whole_number = cell.kind == state::WordKind::Signed && cell.result->kind != abi::TypeKind::Optional;
  if (!counts && !whole_number) return {};
  return state::BestRows{static_cast<uint32_t>(result.index), static_cast<uint64_t>(behind.hold->count),
                         order.descending, path};
}

}  // namespace mut::graph
