// Windows as bytes: tables by window, and what is known of times.
#include "runtime/state/overlaps.h"
#include "runtime/state/panes.h"
#include "runtime/state/saved_desc.h"
#include "runtime/state/sessions.h"

namespace mut::state {
namespace {

using Tables = std::map<int64_t, std::unique_ptr<KeyedTable>>;

void save_tables(const Tables& tables, Saver& to) {
  to.value(static_cast<uint64_t>(tables.size()));
  for (const auto& [start, table] : tables) {
    to.value(start);
    table->save(to);
  }
}

template <typename Make>
void load_tables(Tables& tables, Loader& from, const Make& make) {
  uint64_t count = from.count(sizeof(int64_t));
  for (uint64_t i = 0; i < count && from.fine(); ++i) {
    int64_t start = 0;
    from.value(start);
    auto& table = tables[start];
    if (table) return from.fail();
    table = make();
    table->load(from);
  }
}

}  // namespace

template <typename Io, typename Self>
void WindowStore::pass(Io& io, Self& self) {
  pass_values(io, self.closed_, self.sealed_, self.tick_, self.from_);
}

void WindowStore::save(Saver& to) const {
  pass(to, *this);
  to.value(static_cast<uint8_t>(earlier_ ? 1 : 0));
  if (earlier_) {
    save_windows(earlier_->desc_, to);
    earlier_->save_common(to);
    earlier_->save(to);
  }
  save_entries(to);
}

void WindowStore::load(Loader& from) {
  pass(from, *this);
  uint8_t has_earlier = 0;
  from.value(has_earlier);
  if (has_earlier != 0) {
    StoreDesc desc = load_windows(from);
    if (!from.fine()) return;
    std::unique_ptr<Store> made = make_windows(std::move(desc), seed_, budget_);
    earlier_.reset(static_cast<WindowStore*>(made.release()));
    earlier_->load_common(from);
    earlier_->load(from);
  }
  load_entries(from);
}

// The panes that the last window held are added up anew by the next.
template <typename Io, typename Self>
void PaneStore::pass(Io& io, Self& self) {
  pass_plain(io, self.rules_);
  pass_values(io, self.width_, self.passed_over_, self.rows_usual_, self.closed_at_);
  io.text(self.passed_by_);
}

void PaneStore::save_entries(Saver& to) const {
  pass(to, *this);
  save_tables(panes_, to);
}

void PaneStore::load_entries(Loader& from) {
  pass(from, *this);
  if (rules_.empty() || width_ <= 0) from.fail();
  if (rules_.empty()) rules_.push_back(rule_of(desc_));
  load_tables(panes_, from, [&] { return std::make_unique<KeyedTable>(desc_, seed_, budget_); });
}

template <typename Io, typename Self>
void OverlapStore::pass(Io& io, Self& self) {
  pass_values(io, self.tick_, self.closed_, self.sealed_);
}

void OverlapStore::save(Saver& to) const {
  pass(to, *this);
  save_tables(windows_, to);
}

void OverlapStore::load(Loader& from) {
  pass(from, *this);
  load_tables(windows_, from, [&] { return std::make_unique<KeyedTable>(desc_, seed_, budget_); });
}

void SessionRows::save(Saver& to) const {
  to.value(static_cast<uint64_t>(layers_.size()));
  for (const Layer& layer : layers_) {
    layer.rows->save(to);
    if (layer.sessions) layer.sessions->save(to);
  }
  keys_.save(to);
  pass_map(to, above_, [](Saver& of, const std::vector<Above>& all) { pass_plain(of, all); });
  pass_map(to, layer_of_, [](Saver& of, const size_t& layer) { of.value(layer); });
  pass_values(to, next_key_, next_number_);
}

void SessionRows::load(Loader& from) {
  uint64_t layers = from.count(1);
  for (uint64_t i = 0; i < layers && from.fine(); ++i) {
    if (i == layers_.size()) add_layer();
    layers_[i].rows->load(from);
    if (layers_[i].sessions) layers_[i].sessions->load(from);
  }
  keys_.load(from);
  pass_map(from, above_, [](Loader& of, std::vector<Above>& all) { pass_plain(of, all); });
  pass_map(from, layer_of_, [](Loader& of, size_t& layer) { of.value(layer); });
  pass_values(from, next_key_, next_number_);
}

void SessionStore::save_entries(Saver& to) const {
  rows_.save(to);
  open_.save(to);
  given_.save(to);
  pass_values(to, last_, counted_late_);
}

void SessionStore::load_entries(Loader& from) {
  rows_.load(from);
  open_.load(from);
  given_.load(from);
  pass_values(from, last_, counted_late_);
  view_.from = from_;
}

}  // namespace mut::state
