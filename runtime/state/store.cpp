#include "runtime/state/store.h"

#include <algorithm>

#include "runtime/abi/check.h"
#include "runtime/inline/hash.h"
#include "runtime/state/apart_counts.h"
#include "runtime/state/counts.h"
#include "runtime/state/followed.h"
#include "runtime/state/groups.h"
#include "runtime/state/held_windows.h"
#include "runtime/state/joins.h"
#include "runtime/state/overlaps.h"
#include "runtime/state/paned_counts.h"
#include "runtime/state/panes.h"
#include "runtime/state/patterns.h"
#include "runtime/state/processes.h"
#include "runtime/state/rings.h"
#include "runtime/state/sessions.h"
#include "runtime/state/tables.h"
#include "runtime/state/ticking.h"

namespace mut::state {

void Store::join_from(const Store&, const std::vector<int>&, int64_t) {
  MUT_CHECK(false, "only histories and groups are filled from several old stores");
}

void Store::retune(const StoreDesc&, const std::vector<int>&, int64_t) {
  MUT_CHECK(false, "the comparison retunes rings, panes and joins only");
}

size_t Store::bytes_to_take(const Store& old) const {
  // As many segments, as full. What texts and lists take is in the old bytes, and grows at most as rows do.
  uint64_t wider = std::max<uint64_t>(desc_.row_size, old.desc().row_size);
  return static_cast<size_t>(old.bytes() * wider / std::max<uint64_t>(old.desc().row_size, 1));
}

void Store::take_over(std::shared_ptr<Store>, const std::vector<int>&, int64_t, std::shared_ptr<KeyChange>) {
  MUT_CHECK(false, "a store that cannot take over is converted at the cut");
}

std::unique_ptr<Store> Store::branch() const {
  MUT_CHECK(false, "the comparison branches rings only");
  return nullptr;
}

bool moves_between_shards(const StoreDesc& desc) {
  switch (desc.kind) {
    case StoreKind::Groups:
    case StoreKind::Whole:
    case StoreKind::Counts:
    case StoreKind::Process:
    case StoreKind::Panes:
    case StoreKind::Overlaps:
    case StoreKind::Sessions:
    case StoreKind::Table:
      return true;
    case StoreKind::Ring:
    case StoreKind::Dedupe:
    case StoreKind::Held:
    case StoreKind::Match:
    case StoreKind::Join:
    case StoreKind::Follow:
      return false;
  }
  return false;
}

bool Store::place_key(const StoreDesc& old, uint64_t* key) const {
  auto is_ours = [&] {
    if (!share_) return true;
    const KeyDesc& by = desc_.keys[static_cast<size_t>(share_->key)];
    uint64_t hash =
        inl::hash_key(key + by.word, word_count(by.kind), by.kind == WordKind::Text ? 1 : 0, share_->seed);
    uint32_t shard = inl::shard_of(hash, share_->shards);
    return shard >= share_->shard && shard - share_->shard < share_->count;
  };
  if (key_change_ != nullptr) {
    key_change_->apply(old, desc_, key);
    return is_ours();
  }
  if (key_places_.empty()) return is_ours();
  std::vector<uint64_t> from(key, key + old.key_words);
  for (size_t i = 0; i < desc_.keys.size(); ++i) {
    const KeyDesc& mine = desc_.keys[i];
    const KeyDesc& theirs = old.keys[static_cast<size_t>(key_places_[i])];
    uint32_t words = word_count(mine.kind) + (mine.optional ? 1 : 0);
    std::copy_n(from.begin() + theirs.word, words, key + mine.word);
  }
  return is_ours();
}

void Store::return_from(const Store&, const std::vector<int>&) {
  MUT_CHECK(false, "the comparison asks can_return()");
}

namespace {

std::unique_ptr<Store> make(StoreDesc desc, uint64_t seed, Budget& budget) {
  switch (desc.kind) {
    case StoreKind::Groups:
      if (desc.gives == Gives::AtTicks)
        return std::make_unique<TickingGroupStore>(std::move(desc), seed, budget);
      [[fallthrough]];
    case StoreKind::Whole:
      return std::make_unique<GroupStore>(std::move(desc), seed, budget);
    case StoreKind::Counts:
      if (slides(desc) && keeps_windows_apart(desc))
        return std::make_unique<ApartCountStore>(std::move(desc), seed, budget);
      if (slides(desc)) return std::make_unique<PanedCountStore>(std::move(desc), seed, budget);
      return std::make_unique<CountStore>(std::move(desc), seed, budget);
    case StoreKind::Process:
      return std::make_unique<ProcessStore>(std::move(desc), seed, budget);
    case StoreKind::Panes:
      return std::make_unique<PaneStore>(std::move(desc), seed, budget);
    case StoreKind::Overlaps:
      return std::make_unique<OverlapStore>(std::move(desc), seed, budget);
    case StoreKind::Sessions:
      return std::make_unique<SessionStore>(std::move(desc), seed, budget);
    case StoreKind::Ring:
    case StoreKind::Dedupe:
      return std::make_unique<RingStore>(std::move(desc), seed, budget);
    case StoreKind::Held:
      if (desc.hold.window == HoldWindow::Session)
        return std::make_unique<HeldSessionStore>(std::move(desc), seed, budget);
      if (desc.hold.window == HoldWindow::Count)
        return std::make_unique<HeldCountStore>(std::move(desc), seed, budget);
      return std::make_unique<HeldStore>(std::move(desc), seed, budget);
    case StoreKind::Match:
      return std::make_unique<PatternStore>(std::move(desc), seed, budget);
    case StoreKind::Join:
      return std::make_unique<JoinStore>(std::move(desc), seed, budget);
    case StoreKind::Follow:
      return std::make_unique<FollowStore>(std::move(desc), seed, budget);
    case StoreKind::Table:
      return std::make_unique<TableStore>(std::move(desc), seed, budget);
  }
  return nullptr;
}

}  // namespace

std::unique_ptr<Store> make_windows(StoreDesc desc, uint64_t seed, Budget& budget) {
  MUT_CHECK(desc.kind == StoreKind::Panes || desc.kind == StoreKind::Sessions,
            "other kinds of windows hand over to none");
  return make(std::move(desc), seed, budget);
}

std::unique_ptr<Store> make_store(StoreDesc desc, uint64_t seed, Budget& budget) {
  auto bytes = std::make_unique<Budget>(&budget.engine());
  std::unique_ptr<Store> out = make(std::move(desc), seed, *bytes);
  out->count_in(std::move(bytes));
  return out;
}

}  // namespace mut::state
