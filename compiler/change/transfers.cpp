#include "compiler/change/transfers.h"

#include <algorithm>
#include <set>

#include "compiler/change/differences.h"

namespace mut::change {
namespace {

using runtime::StoreMigration;
using runtime::StoreTransfer;

// What is asked of each is the same for all events.
bool same_numbers(const state::CellDesc& a, const state::CellDesc& b) {
  return a.share == b.share && a.most == b.most && a.separator == b.separator;
}

bool same_rules(const state::StoreDesc& a, const state::StoreDesc& b) {
  return a.kind == b.kind && a.size == b.size && a.every == b.every && a.offset == b.offset &&
         a.zone == b.zone && a.late_within == b.late_within && a.gives == b.gives &&
         a.tick_every == b.tick_every && a.best == b.best && a.span == b.span && a.count == b.count &&
         a.ttl == b.ttl && a.join.kind == b.join.kind && a.join.low == b.join.low &&
         a.join.high == b.join.high && a.join.conditional == b.join.conditional &&
         a.table.by_arrival == b.table.by_arrival && a.table.versioned == b.table.versioned &&
         a.follow.at_end == b.follow.at_end && a.hold.span == b.hold.span && a.hold.count == b.hold.count &&
         a.hold.ties == b.hold.ties && a.pattern.within == b.pattern.within &&
         a.pattern.limit == b.pattern.limit && a.pattern.next_event == b.pattern.next_event &&
         std::equal(a.measures.begin(), a.measures.end(), b.measures.begin(), b.measures.end(), same_numbers);
}

// Whether entries of one description are entries of the other; names are not looked at.
bool same_keys(const state::StoreDesc& a, const state::StoreDesc& b) {
  auto same_key = [](const state::KeyDesc& x, const state::KeyDesc& y) {
    return abi::same_layout(*x.type, *y.type) && x.kind == y.kind;
  };
  if (a.kind == state::StoreKind::Join && b.kind == state::StoreKind::Join) {
    bool alike =
        abi::same_layout(*a.join.left, *b.join.left) && abi::same_layout(*a.join.right, *b.join.right);
    if (!alike) return false;
  }
  if (a.kind == state::StoreKind::Table && b.kind == state::StoreKind::Table &&
      !abi::same_layout(*a.table.record, *b.table.record))
    return false;
  return a.row_size == b.row_size &&
         std::equal(a.keys.begin(), a.keys.end(), b.keys.begin(), b.keys.end(), same_key);
}

bool same_cells(const state::StoreDesc& a, const state::StoreDesc& b) {
  auto same_cell = [](const state::CellDesc& x, const state::CellDesc& y) {
    return x.fn == y.fn && x.kind == y.kind && x.order_kind == y.order_kind && x.offset == y.offset &&
           x.column == y.column && same_numbers(x, y) && abi::same_layout(*x.result, *y.result);
  };
  return a.columns.size() == b.columns.size() &&
         std::equal(a.cells.begin(), a.cells.end(), b.cells.begin(), b.cells.end(), same_cell);
}

bool same_columns(const state::StoreDesc& a, const state::StoreDesc& b) {
  auto same_column = [](const state::ColumnDesc& x, const state::ColumnDesc& y) {
    return x.kind == y.kind && x.word == y.word;
  };
  return a.sample_words == b.sample_words &&
         std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), b.columns.end(), same_column);
}

// Whether a store can go on under other rules without a look at its entries. `in_place`: each cell
// continues the one at its place.
enum class Cells : uint8_t { InPlace, Other };
bool retunes(const state::StoreDesc& from, const state::StoreDesc& to, Cells cells) {
  if (from.kind != to.kind || !same_keys(from, to)) return false;
  switch (to.kind) {
    case state::StoreKind::Ring:
    case state::StoreKind::Dedupe:
      // Fewer events, another `ttl` or `dedupe`: what goes has to be let go, and its memory too.
      if (from.ttl != to.ttl) return false;
      if (to.kind == state::StoreKind::Dedupe && to.span != from.span) return false;
      return same_columns(from, to) && (from.span == 0) == (to.span == 0) && to.count >= from.count;
    case state::StoreKind::Join:
    case state::StoreKind::Table:
    case state::StoreKind::Match:
    case state::StoreKind::Follow:
    case state::StoreKind::Held:
      return cells == Cells::InPlace;
    case state::StoreKind::Panes:
      return cells == Cells::InPlace && same_cells(from, to);
    default:
      return false;
  }
}

void add_cell(const Cell& from, const Cell& to, const CellSource& source,
              std::vector<runtime::StorePart>& parts) {
  auto part = std::find_if(parts.begin(), parts.end(),
                           [&](const runtime::StorePart& known) { return known.old_store == from.store; });
  if (part == parts.end()) {
    runtime::StorePart made;
    made.old_store = from.store;
    made.cells.assign(to.node->desc.cells.size(), -1);
    made.conversion = source.conversion;
    if (source.conversion < 0) made.keys = key_places(from, to);
    bool all = from.keys.size() == to.keys.size();
    if (all && std::is_sorted(made.keys.begin(), made.keys.end())) made.keys.clear();
    part = parts.insert(parts.end(), std::move(made));
  }
  if (to.index >= 0 && source.gives == CellSource::Gives::Value)
    part->cells[static_cast<size_t>(to.index)] = from.index;
}

}  // namespace

std::vector<StoreMigration> plan_transfers(const graph::Graph& before, const State& old_state,
                                           const graph::Graph& after, const State& new_state,
                                           const std::vector<CellSources>& sources, bool force_convert) {
  std::vector<StoreMigration> out(after.stores.size());
  std::vector<std::set<int>> readers(before.stores.size());  // by old store: new stores it fills
  for (size_t n = 0; n < new_state.cells.size(); ++n) {
    for (const CellSource& source : sources[n]) {
      int old_store = old_state.cells[static_cast<size_t>(source.old_cell)].store;
      readers[static_cast<size_t>(old_store)].insert(new_state.cells[n].store);
    }
  }
  for (size_t store = 0; store < out.size(); ++store) {
    const state::StoreDesc& desc = after.stores[store].desc;
    std::vector<runtime::StorePart> parts;
    for (size_t n = 0; n < new_state.cells.size(); ++n) {
      const Cell& cell = new_state.cells[n];
      if (cell.store != static_cast<int>(store)) continue;
      for (const CellSource& source : sources[n])
        add_cell(old_state.cells[static_cast<size_t>(source.old_cell)], cell, source, parts);
    }
    if (parts.empty()) continue;
    // The one that holds most comes first: by count, the others hold some of its events.
    auto old_desc = [&](const runtime::StorePart& part) -> const state::StoreDesc& {
      return before.stores[static_cast<size_t>(part.old_store)].desc;
    };
    std::stable_sort(parts.begin(), parts.end(), [&](const auto& a, const auto& b) {
      return std::pair(old_desc(a).span, old_desc(a).count) > std::pair(old_desc(b).span, old_desc(b).count);
    });
    StoreMigration& made = out[store];
    static_cast<runtime::StorePart&>(made) = std::move(parts[0]);
    made.joined.assign(parts.begin() + 1, parts.end());
    const state::StoreDesc& from = old_desc(made);
    bool in_place = made.joined.empty() && made.keys.empty() && made.conversion < 0 &&
                    from.cells.size() == desc.cells.size();
    for (size_t i = 0; i < made.cells.size(); ++i)
      in_place = in_place && made.cells[i] == static_cast<int>(i);
    const std::set<int>& all = readers[static_cast<size_t>(made.old_store)];
    if (force_convert || !made.keys.empty() || made.conversion >= 0) {
      made.transfer = StoreTransfer::Convert;
    } else if (all.size() == 1 && in_place && same_rules(from, desc) && same_keys(from, desc) &&
               same_cells(from, desc)) {
      made.transfer = StoreTransfer::Move;
    } else if (retunes(from, desc, in_place ? Cells::InPlace : Cells::Other)) {
      // The last that reads a store may have it.
      bool ring = desc.kind == state::StoreKind::Ring || desc.kind == state::StoreKind::Dedupe;
      bool last = *all.rbegin() == static_cast<int>(store);
      made.transfer = last ? StoreTransfer::Retune : ring ? StoreTransfer::Branch : StoreTransfer::Convert;
    } else {
      made.transfer = StoreTransfer::Convert;
    }
  }
  return out;
}

}  // namespace mut::change
