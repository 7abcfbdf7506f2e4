#include "runtime/state/saved_store.h"

#include "runtime/state/saved_desc.h"

namespace mut::state {

uint32_t saved_format(StoreKind kind) {
  // No default: a new kind does not compile without a number.
  switch (kind) {
    case StoreKind::Groups:
    case StoreKind::Panes:
    case StoreKind::Sessions:
    case StoreKind::Whole:
    case StoreKind::Ring:
    case StoreKind::Dedupe:
    case StoreKind::Join:
    case StoreKind::Overlaps:
    case StoreKind::Held:
    case StoreKind::Match:
    case StoreKind::Table:
    case StoreKind::Counts:
    case StoreKind::Process:
    case StoreKind::Follow:
      return 1;
  }
  return 0;
}

namespace {

template <typename Io, typename Cell>
void pass_since(Io& io, Cell& cell) {
  io.value(cell.since);
  pass_plain(io, cell.forgotten);
}

}  // namespace

void Store::save_common(Saver& to) const {
  to.value(late_);
  for (const CellDesc& cell : desc_.cells) pass_since(to, cell);
}

void Store::load_common(Loader& from) {
  from.value(late_);
  for (CellDesc& cell : desc_.cells) pass_since(from, cell);
}

void save_store(Store& store, Saver& to) {
  store.take_rest();
  pass_values(to, store.desc().kind, saved_format(store.desc().kind));
  to.text(layout_bytes(store.desc()));
  store.save_common(to);
  store.save(to);
}

Status load_store(Loader& from, Store& store) {
  const std::string of = "state of `" + store.desc().path + "`";
  StoreKind kind{};
  uint32_t format = 0;
  std::string layout;
  pass_values(from, kind, format);
  from.text(layout);
  if (!from.fine()) return Error{of + ": it is cut off"};
  if (kind != store.desc().kind) return Error{of + ": it is of another kind"};
  if (format != saved_format(kind)) {
    return Error{of + ": it has format " + std::to_string(format) + ", this mutc reads format " +
                 std::to_string(saved_format(kind))};
  }
  if (layout != layout_bytes(store.desc())) return Error{of + ": this mutc lays it out in another way"};
  store.load_common(from);
  store.load(from);
  if (!from.fine() || from.left() != 0) return Error{of + ": it is no whole state"};
  return Unit{};
}

}  // namespace mut::state
