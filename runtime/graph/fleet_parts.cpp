// Rows that are dealt out to the shards by their place, and the state that they leave in parts.
// docs/design/0022-rows-in-parts.md.
#include <algorithm>
#include <atomic>

#include "runtime/abi/check.h"
#include "runtime/graph/fleet.h"
#include "runtime/state/panes.h"

namespace mut::runtime {
namespace {

// Some for each shard.
constexpr uint32_t parts_of_rows = 16;

}  // namespace

state::PaneStore& Fleet::panes(size_t shard, size_t store) const {
  return static_cast<state::PaneStore&>(instance(shard).store(store));
}

void Fleet::gather() {
  if (!parted_) return;
  parted_ = false;
  for (size_t i = 0; i < plan().stores.size(); ++i) {
    if (!plan().stores[i].parted) continue;
    for (size_t k = 1; k < shards_.size(); ++k) panes(0, i).gather(panes(k, i));
  }
}

// Whether each shard may have any row of the source.
bool Fleet::can_deal(size_t source) {
  for (size_t i = 0; i < plan().stores.size(); ++i) {
    const StorePlan& store = plan().stores[i];
    if (!store.parted || (store.clock.mask >> source & 1U) == 0) continue;
    for (size_t k = 0; k < shards_.size(); ++k) {
      if (k > 0) panes(k, i).follow(panes(0, i));
      if (!panes(k, i).can_share(panes(0, i))) return false;
    }
  }
  return true;
}

// The watermark of the source at which something may fire that the rows before it may change; no_watermark:
// that is not known. It lies above what the source has reached, so that nothing is due on the way to it.
int64_t Fleet::next_due(size_t source) {
  int64_t due = state::never;
  for (const auto& shard : shards_) due = std::min(due, shard->due_by(source));
  for (size_t i = 0; i < plan().stores.size(); ++i) {
    const StorePlan& store = plan().stores[i];
    if (!store.parted || (store.clock.mask >> source & 1U) == 0) continue;
    int64_t reached = instance(0).watermark_of(store.clock);
    if (reached == no_watermark || reached == state::never) return no_watermark;
    due = std::min(due, later(panes(0, i).next_boundary(reached), store.clock.delay(source)));
  }
  return due;
}

// Which parts of the rows are whose: as many for each. Who is done with its own takes others'.
class Fleet::PartsOfShards {
 public:
  PartsOfShards(size_t parts, size_t shards) : next_(shards) {
    for (size_t i = 0; i <= shards; ++i) first_.push_back(i * parts / shards);
    for (size_t i = 0; i < shards; ++i) next_[i] = first_[i];
  }
  size_t first(size_t shard) const { return first_[shard]; }
  size_t end(size_t shard) const { return first_[shard + 1]; }
  std::optional<size_t> take(size_t shard) {
    for (size_t i = 0; i < next_.size(); ++i) {
      size_t of = (shard + i) % next_.size();
      if (size_t part = next_[of].fetch_add(1); part < end(of)) return part;
    }
    return std::nullopt;
  }

 private:
  std::vector<size_t> first_;
  std::vector<std::atomic<size_t>> next_;
};

// Each shard looks at the times of the rows that it is to run first.
int64_t Fleet::watermark_behind(const MutBatch& rows, const Deal& deal, const MutCursor& at,
                                const PartsOfShards& parts) {
  std::vector<int64_t> seen(shards_.size(), at.watermark);
  auto row = [&](size_t part) {
    return static_cast<uint32_t>(std::min<uint64_t>(at.row_end, at.row + part * uint64_t{deal.part_rows}));
  };
  crew_.run([&](uint32_t i) {
    uint32_t begin = row(parts.first(i));
    uint32_t end = row(parts.end(i));
    if (begin < end) seen[i] = mut::runtime::watermark_behind(rows, begin, end, deal, at.watermark);
  });
  return *std::max_element(seen.begin(), seen.end());
}

void Fleet::run_dealt(size_t source, const MutBatch& rows, PartsOfShards& parts) {
  std::atomic<bool> stops{false};
  parted_ = true;
  crew_.run([&](uint32_t i) {
    Shard& shard = *shards_[i];
    while (std::optional<size_t> part = parts.take(i)) {
      const RowPart& of = dealt_.parts[*part];
      MutCursor cursor{of.row, of.row_end, of.watermark};
      shard.stand_behind(source, rows, of.row, of.watermark);
      if (shard.run(source, rows, cursor) != Shard::Ran::All) stops = true;
    }
  });
  MUT_CHECK(!stops, "nothing is due in rows that are dealt out, and their sinks take all of them");
}

// As far as nothing becomes due, if that is worth it. Gives up to where the first shard is to go on by itself
// then, which is nowhere where rows were run.
uint32_t Fleet::run_calm(size_t source, const MutBatch& rows, MutCursor& at) {
  uint32_t rows_left = at.row_end - at.row;
  uint32_t part_rows = std::max(makeup_.part_rows, rows_left / parts_of_rows);
  size_t count = (rows_left + part_rows - 1) / part_rows;
  if (count < 2 || at.watermark == no_watermark || !can_deal(source)) return at.row_end;
  Deal deal{part_rows, at.watermark, plan().sources[source].lateness, next_due(source)};
  if (deal.due <= at.watermark) return at.row_end;  // another source is behind
  PartsOfShards parts(count, shards_.size());
  int64_t behind = watermark_behind(rows, deal, at, parts);
  if (behind < deal.due) {
    // No window ends on the way, so that what is late at the first row is what is late at all of them.
    cut_rows(at, deal.part_rows, dealt_);
    dealt_.watermark = behind;
  } else {
    deal_rows(rows, at.row, at.row_end, deal, dealt_);
    if (dealt_.parts.size() < 2) return at.row + deal.part_rows;
    parts = PartsOfShards(dealt_.parts.size(), shards_.size());
  }
  at = {dealt_.row_end, at.row_end, dealt_.watermark};
  run_dealt(source, rows, parts);
  return at.row;
}

Fleet::Runs Fleet::run_in_parts(size_t source, const MutBatch& rows, std::vector<MutCursor>& cursors) {
  MutCursor at = cursors[0];
  const uint32_t begin = at.row;
  const int64_t begin_ns = crew_.monotonic_ns();
  Runs runs = Runs::Over;
  auto goes_on = [&](Shard::Ran ran) {
    if (ran == Shard::Ran::Stopped) runs = Runs::Failed;
    if (ran == Shard::Ran::Some) runs = Runs::Partly;
    return runs == Runs::Over;
  };
  bool more = !shards_[0]->is_firing() || goes_on(shards_[0]->fire_rest());
  while (more && at.row < at.row_end) {
    uint32_t alone_end = choice_.deals() ? run_calm(source, rows, at) : at.row_end;
    if (alone_end > at.row) {
      // With the row at which something is due, and with all the state that there is.
      gather();
      MutCursor alone{at.row, std::min(alone_end, at.row_end), at.watermark};
      more = goes_on(shards_[0]->run(source, rows, alone));
      at = {alone.row, at.row_end, alone.watermark};
    }
    for (const auto& shard : shards_) shard->stand_behind(source, rows, at.row, at.watermark);
  }
  choice_.note(at.row - begin, crew_.monotonic_ns() - begin_ns);
  std::fill(cursors.begin(), cursors.end(), at);
  return runs;
}

}  // namespace mut::runtime
