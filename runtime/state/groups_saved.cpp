// Stores of one row per key, as bytes.
#include "runtime/state/apart_counts.h"
#include "runtime/state/counts.h"
#include "runtime/state/paned_counts.h"
#include "runtime/state/processes.h"
#include "runtime/state/saved.h"
#include "runtime/state/ticking.h"

namespace mut::state {

void GroupStore::save(Saver& to) const {
  table_.save(to);
  to.value(sweep_);
}
void GroupStore::load(Loader& from) {
  table_.load(from);
  from.value(sweep_);
}

void TickingGroupStore::save(Saver& to) const {
  GroupStore::save(to);
  to.value(tick_);
}
void TickingGroupStore::load(Loader& from) {
  GroupStore::load(from);
  from.value(tick_);
}

void CountStore::save(Saver& to) const {
  TickingGroupStore::save(to);
  to.value(watermark_);
}
void CountStore::load(Loader& from) {
  TickingGroupStore::load(from);
  from.value(watermark_);
}

// Panes lie in the heap of the table.
void PanedCountStore::save(Saver& to) const {
  CountStore::save(to);
  to.value(pane_count_);
}
void PanedCountStore::load(Loader& from) {
  CountStore::load(from);
  from.value(pane_count_);
}

void ApartCountStore::save(Saver& to) const {
  CountStore::save(to);
  parts_.save(to);
  to.value(last_id_);
}
void ApartCountStore::load(Loader& from) {
  CountStore::load(from);
  parts_.load(from);
  from.value(last_id_);
}

// Timers stand in the rows; the queue is made of them.
void ProcessStore::save(Saver& to) const {
  GroupStore::save(to);
  to.value(let_go_);
}
void ProcessStore::load(Loader& from) {
  GroupStore::load(from);
  from.value(let_go_);
  if (from.fine()) queue_timers();
}

}  // namespace mut::state
