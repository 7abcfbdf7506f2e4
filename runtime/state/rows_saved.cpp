// Stores of rows by key that lie in the heap of their table, as bytes.
#include "runtime/state/joins.h"
#include "runtime/state/rings.h"
#include "runtime/state/saved.h"
#include "runtime/state/tables.h"

namespace mut::state {

// What is carried along is made anew of the samples. Rows name it by numbers that mean nothing then.
template <typename Io, typename Self>
void RingStore::pass(Io& io, Self& self) {
  pass_values(io, self.arrivals_, self.sample_count_, self.watermark_, self.shortened_, self.sweep_);
}

void RingStore::save(Saver& to) const {
  table_.save(to);
  pass(to, *this);
  to.value(running_.last_number());
}

void RingStore::load(Loader& from) {
  table_.load(from);
  pass(from, *this);
  uint32_t last_number = 0;
  from.value(last_number);
  running_.begin_after(last_number);
}

template <typename Io, typename Self>
void JoinStore::pass(Io& io, Self& self) {
  pass_values(io, self.arrivals_, self.sample_count_, self.watermark_);
  for (auto& side : self.sides_) io.value(side.exempt);
}

void JoinStore::save(Saver& to) const {
  table_.save(to);
  pass(to, *this);
  for (const Side& side : sides_) {
    side.leaving.save(to);
    side.waiting.save(to);
  }
}

void JoinStore::load(Loader& from) {
  table_.load(from);
  pass(from, *this);
  for (Side& side : sides_) {
    side.leaving.load(from);
    side.waiting.load(from);
  }
}

template <typename Io, typename Self>
void TableStore::pass(Io& io, Self& self) {
  pass_values(io, self.row_count_, self.arrivals_, self.watermark_, self.gone_before_, self.over_upto_,
              self.sweep_);
}

void TableStore::save(Saver& to) const {
  table_.save(to);
  pass(to, *this);
}

void TableStore::load(Loader& from) {
  table_.load(from);
  pass(from, *this);
}

}  // namespace mut::state
