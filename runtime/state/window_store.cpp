#include "runtime/state/window_store.h"

#include <algorithm>
#include <utility>

#include "runtime/abi/check.h"
#include "runtime/abi/deliberate.h"

namespace mut::state {
namespace {

// The windows of `old` with the cells, keys and terms of `next`: their rows have one layout.
StoreDesc earlier_windows(const StoreDesc& old, const StoreDesc& next) {
  StoreDesc out = next;
  out.kind = old.kind;
  out.size = old.size;
  out.every = old.every;
  out.offset = old.offset;
  out.zone = old.zone;
  out.best.reset();  // what it leaves out would count nowhere
  return out;
}

bool has_own_cells(const StoreDesc& desc) {
  return std::any_of(desc.cells.begin(), desc.cells.end(),
                     [](const CellDesc& cell) { return cell.fn == CellFn::Own; });
}

}  // namespace

int64_t WindowStore::close_before() const {
  return earlier_ ? std::min(earlier_->close_before(), earlier_->next_close()) : never;
}

int64_t WindowStore::due() const { return std::min({next_close(), close_before(), tick_}); }

void WindowStore::fire(ResultRows& out) {
  int64_t mine = next_close();
  int64_t earlier = close_before();
  if (tick_ < std::min(mine, earlier)) return fire_tick(out);
  // Of windows that end together the one that began first: earlier ones began before any of mine.
  if (earlier <= mine && earlier != never) return earlier_->fire(out);
  fire_close(out);
}

// One tick tells of both, as if they were of one kind: `tick_` of what is before is never used.
void WindowStore::fire_tick(ResultRows& out) {
  struct Ticking {
    Extent time;
    Extent window;
    WindowStore* of;
  };
  std::vector<Ticking> all;
  for (WindowStore* store = this; store != nullptr; store = store->earlier_.get()) {
    for (Extent window : store->ticking()) all.push_back({store->in_time(window), window, store});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Ticking& a, const Ticking& b) { return a.time < b.time; });
  for (const Ticking& each : all) each.of->add_changed(each.window, out);
  for (WindowStore* store = this; store != nullptr; store = store->earlier_.get()) store->all_told();
  tick_ = never;
}

void WindowStore::release() {
  if (earlier_) earlier_->release();
  release_rows();
  forget_before();
}

void WindowStore::advance(int64_t watermark) {
  if (earlier_) earlier_->advance(watermark);
  reach(watermark);
  forget_before();
}

void WindowStore::forget_before() {
  if (earlier_ && !earlier_->earlier_ && earlier_->is_spent(from_)) earlier_.reset();
}

uint64_t WindowStore::entry_count() const { return own_entries() + (earlier_ ? earlier_->entry_count() : 0); }

MutTable* WindowStore::table_of(const uint64_t* key, int64_t time) {
  if (!is_earlier(time)) return own_table(key, time);
  if (!earlier_) {
    ++late_;
    return nullptr;
  }
  MutTable* out = earlier_->table_of(key, time);
  late_ += std::exchange(earlier_->late_, 0);
  return out;
}

const ResultRows& WindowStore::update(const uint64_t* key, int64_t time, int64_t now, batch::Arena& texts) {
  if (is_earlier(time) && earlier_) return earlier_->update(key, time, now, texts);
  if (!updates_ || update_texts_ != &texts) updates_.emplace(desc_, texts);
  update_texts_ = &texts;
  updates_->clear();
  return own_update(key, time, now, *updates_);
}

void WindowStore::mark_changed(char* row, int64_t time, int64_t now) {
  WindowStore* of = this;
  while (of->is_earlier(time) && of->earlier_) of = of->earlier_.get();
  of->mark_row(row);
  tick_ = next_tick(tick_, now, time, desc_.tick_every);
}

bool WindowStore::has_room_for(const uint64_t* key, int64_t time, uint64_t text_bytes) {
  if (is_earlier(time)) return !earlier_ || earlier_->has_room_for(key, time, text_bytes);
  return own_room(key, time, text_bytes);
}

void WindowStore::seal(int64_t watermark, int64_t late_within) {
  int64_t closed = std::max(closed_, watermark);
  if (closed != std::numeric_limits<int64_t>::min()) sealed_ = std::max(sealed_, closed - late_within);
}

void WindowStore::take_terms(const StoreDesc& next) {
  desc_ = next;
  clear_updates();  // they name the description before
  if (earlier_) earlier_->take_terms(earlier_windows(earlier_->desc_, next));
}

void WindowStore::take_before(const WindowStore& of, const std::vector<int>& cells, int64_t watermark) {
  if (!earlier_) {
    std::unique_ptr<Store> made = make_windows(earlier_windows(of.desc_, desc_), seed_, budget_);
    earlier_.reset(static_cast<WindowStore*>(made.release()));
  }
  earlier_->key_places_ = key_places_;
  earlier_->share_ = share_;
  earlier_->key_change_ = key_change_;
  earlier_->convert_from(of, cells, watermark);
  earlier_->key_change_ = nullptr;
  earlier_->late_ = 0;  // counted in this one
  earlier_->tick_ = never;
  if (earlier_->misfit_ && !misfit_) misfit_ = earlier_->misfit_;
  if (has_own_cells(desc_) && earlier_->entry_count() > 0 && !misfit_) {
    std::vector<uint64_t> none(desc_.key_words + 1);
    misfit_ = {std::move(none),
               "windows of another kind are open still, which hold no aggregate of the script"};
  }
}

void WindowStore::take_times(const WindowStore& old) {
  late_ = old.late_;
  closed_ = std::max(closed_, old.closed_);
  sealed_ = std::max(sealed_, old.sealed_);
  if (desc_.gives == Gives::AtTicks && old.desc_.gives == Gives::AtTicks) tick_ = std::min(tick_, old.tick_);
  if (old.desc_.kind == desc_.kind) from_ = std::max(from_, old.from_);
}

void WindowStore::convert_from(const Store& old_store, const std::vector<int>& cells, int64_t watermark) {
  const auto& old = static_cast<const WindowStore&>(old_store);
  take_times(old);
  if (old.desc_.kind == desc_.kind) {
    if (old.earlier_) take_before(*old.earlier_, cells, watermark);
    return take_entries(old, cells, watermark);
  }
  seal(watermark, old.desc_.late_within);
  std::optional<int64_t> edge = old.next_end_of_all(open_now(old), watermark);
  if (!edge) return;
  from_ = edge_from(*edge);
  begin_at(from_);
  take_before(old, cells, watermark);
  earlier_->end_at(from_);
}

void WindowStore::return_from(const Store& parked, const std::vector<int>& cells) {
  const auto& old = static_cast<const WindowStore&>(parked);
  if (earlier_ && old.earlier_) earlier_->return_from(*old.earlier_, cells);
  if (old.desc_.kind == desc_.kind) give_back(old, cells);
}

}  // namespace mut::state
