#include "runtime/state/saved_desc.h"

namespace mut::state {
namespace {

// Types nest less deep; what says more was not written by a Saver.
constexpr int depth_max = 200;

// Bytes of a layout alone: names that an edit may change are left out.
class LayoutSaver {
 public:
  static constexpr bool loads = false;
  explicit LayoutSaver(Saver& to) : to_(to) {}
  template <typename T>
  void value(const T& from) {
    to_.value(from);
  }
  void text(std::string_view text) { to_.text(text); }

 private:
  Saver& to_;
};

void pass_text(Saver& io, const std::string& text) { io.text(text); }
void pass_text(LayoutSaver& io, const std::string& text) { io.text(text); }
void pass_text(Loader& io, std::string& text) { io.text(text); }
void pass_name(Saver& io, const std::string& name) { io.text(name); }
void pass_name(LayoutSaver&, const std::string&) {}
void pass_name(Loader& io, std::string& name) { io.text(name); }

template <typename Io, typename Type>
void pass_fields(Io& io, Type& type, int depth);

template <typename Io>
void pass_type(Io& io, const abi::TypeDescRef& type, int depth) {
  io.value(static_cast<uint8_t>(type ? 1 : 0));
  if (type) pass_fields(io, *type, depth + 1);
}
void pass_type(Loader& io, abi::TypeDescRef& type, int depth) {
  uint8_t is_there = 0;
  io.value(is_there);
  if (is_there == 0) return;
  if (depth > depth_max) return io.fail();
  auto made = std::make_shared<abi::TypeDesc>();
  pass_fields(io, *made, depth + 1);
  type = std::move(made);
}

template <typename Io, typename Type>
void pass_fields(Io& io, Type& type, int depth) {
  pass_values(io, type.kind, type.size, type.align, type.present_offset, type.scale, type.secret);
  pass_type(io, type.element, depth);
  pass_each(io, type.fields, 1, [&](Io& of, auto& field) {
    pass_name(of, field.name);
    pass_name(of, field.input_name);
    of.value(field.offset);
    pass_type(of, field.type, depth);
  });
  pass_each(io, type.values, 1, [](Io& of, auto& value) { pass_text(of, value); });
}

template <typename Io, typename Cell>
void pass_cell(Io& io, Cell& cell) {
  pass_name(io, cell.name);
  pass_values(io, cell.fn, cell.kind, cell.order_kind, cell.share, cell.ranked, cell.most, cell.offset,
              cell.size, cell.column, cell.columns);
  pass_text(io, cell.separator);
  pass_type(io, cell.result, 0);
}

template <typename Io, typename Desc>
void pass_desc(Io& io, Desc& desc) {
  pass_values(io, desc.kind, desc.key_words, desc.text_mask, desc.row_size, desc.group_offset,
              desc.has_distinct, desc.size, desc.every, desc.offset, desc.late_within, desc.gives,
              desc.tick_every, desc.changed_offset, desc.session_offset, desc.sample_words, desc.ttl);
  pass_text(io, desc.zone);
  pass_each(io, desc.keys, 1, [](Io& of, auto& key) {
    pass_name(of, key.name);
    pass_values(of, key.kind, key.optional, key.word);
    pass_type(of, key.type, 0);
  });
  pass_each(io, desc.cells, 1, [](Io& of, auto& cell) { pass_cell(of, cell); });
  pass_each(io, desc.columns, 1, [](Io& of, auto& column) { pass_values(of, column.kind, column.word); });
}

}  // namespace

void save_windows(const StoreDesc& desc, Saver& to) { pass_desc(to, desc); }

StoreDesc load_windows(Loader& from) {
  StoreDesc out;
  pass_desc(from, out);
  if (out.kind != StoreKind::Panes && out.kind != StoreKind::Sessions) from.fail();
  return out;
}

std::string layout_bytes(const StoreDesc& desc) {
  SavedMemory memory;
  Saver saver(memory);
  LayoutSaver to(saver);
  pass_desc(to, desc);
  for (const abi::TypeDescRef* record :
       {&desc.join.left, &desc.join.right, &desc.table.record, &desc.hold.record})
    pass_type(to, *record, 0);
  pass_each(to, desc.measures, 1, [](LayoutSaver& of, const CellDesc& cell) { pass_cell(of, cell); });
  pass_each(to, desc.timers, 1, [](LayoutSaver& of, const std::string& timer) { of.text(timer); });
  pass_each(to, desc.follow.keys, 1, [](LayoutSaver& of, const KeyDesc& key) {
    pass_values(of, key.kind, key.optional, key.word);
    pass_type(of, key.type, 0);
  });
  pass_values(to, desc.hold.kind, desc.hold.window, desc.join.kind, desc.pattern.loop_count);
  to.value(static_cast<uint64_t>(desc.pattern.steps.size()));
  std::string out;
  for (std::string_view block : saver.finish()) out += block;
  return out;
}

}  // namespace mut::state
