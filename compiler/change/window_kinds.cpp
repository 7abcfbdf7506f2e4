#include "compiler/change/window_kinds.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/graph/bounds.h"

namespace mut::change {
namespace {

using state::StoreKind;

bool lies_on_time(const state::StoreDesc& desc) {
  return desc.kind == StoreKind::Panes || desc.kind == StoreKind::Sessions ||
         desc.kind == StoreKind::Overlaps;
}

// Kernels alone can merge what aggregates of the script keep.
bool keeps_own(const state::StoreDesc& desc) {
  return std::any_of(desc.cells.begin(), desc.cells.end(),
                     [](const state::CellDesc& cell) { return cell.fn == state::CellFn::Own; });
}

std::string text_of(const typed::Stage& stage) {
  const typed::Window& window = stage.window;
  std::string size = graph::duration_text(window.size);
  switch (window.kind) {
    case typed::WindowKind::Running:
      return "none";
    case typed::WindowKind::Tumbling:
      return "tumbling " + size;
    case typed::WindowKind::Sliding:
      return "sliding " + size + " every " + graph::duration_text(window.every);
    case typed::WindowKind::Session:
      return "session " + size;
    case typed::WindowKind::Count:
      return fmt::format("{} events", window.size);
    case typed::WindowKind::All:
      return "all";
  }
  return "";
}

}  // namespace

Difference window_kind_difference(const Cell& before, const Cell& after) {
  const state::StoreDesc& was = before.node->desc;
  const state::StoreDesc& is = after.node->desc;
  if (!lies_on_time(was) || !lies_on_time(is)) return Difference::WindowKindOther;
  return keeps_own(was) || keeps_own(is) ? Difference::OwnWindow : Difference::WindowKind;
}

std::string window_kinds_text(const Cell& before, const Cell& after) {
  return text_of(*before.of) + " → " + text_of(*after.of);
}

}  // namespace mut::change
