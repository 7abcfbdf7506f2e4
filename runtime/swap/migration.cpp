#include "runtime/swap/migration.h"

#include <algorithm>
#include <functional>
#include <optional>

#include "runtime/abi/deliberate.h"
#include "runtime/graph/instance.h"
#include "runtime/state/panes.h"
#include "runtime/swap/key_conversion.h"

namespace mut::runtime {

namespace {

// A store that moves to a renamed stage is shown under its new name.
void take_names(const state::StoreDesc& from, state::StoreDesc& to) {
  to.path = from.path;
  for (size_t i = 0; i < to.keys.size(); ++i) to.keys[i].name = from.keys[i].name;
  for (size_t i = 0; i < to.cells.size(); ++i) to.cells[i].name = from.cells[i].name;
}

// After the store at `index` has what goes over to it.
void bring_back(Instance& next, size_t index, const StoreMigration& store, Parked& parked) {
  for (size_t i = 0; i < store.returned.size(); ++i) {
    const ReturnPart& part = store.returned[i];
    auto known = parked.find(part.parked);
    if (known == parked.end()) continue;  // it was empty when it was dropped
    if (store.transfer == StoreTransfer::Fresh && store.returns_whole) {
      next.store_slot(index) = std::move(known->second);
      take_names(next.plan().stores[index].desc, next.store(index).desc());
      parked.erase(known);
      continue;
    }
    if (store.transfer == StoreTransfer::Fresh && i == 0) {
      next.store(index).set_key_places({});
      next.store(index).convert_from(*known->second, part.cells,
                                     next.watermark_of(next.plan().stores[index].clock));
    } else {
      next.store(index).set_key_places({});
      next.store(index).return_from(*known->second, part.cells);
    }
  }
  if (!store.returned.empty()) next.refresh_store(index);
}

}  // namespace

namespace {

// Watermarks of sources go by name; a watermark never goes back.
void take_watermarks(const ShardMigration& shard, const Migration& migration) {
  Instance& old = *shard.old;
  Instance& next = *shard.next;
  for (size_t i = 0; i < next.plan().sources.size(); ++i) {
    std::string before = next.plan().sources[i].name;
    for (const auto& [from, to] : migration.renamed_sources) {
      if (to == before) before = from;
    }
    for (size_t j = 0; j < old.plan().sources.size(); ++j) {
      if (old.plan().sources[j].name != before || MUT_DELIBERATE_FAULT(swap_loses_watermark)) continue;
      bool idle = (old.idle >> std::min<size_t>(j, 63) & 1U) != 0;
      if (idle && next.plan().sources[i].idle >= 0) next.idle |= uint64_t{1} << i;
      if (idle && next.plan().sources[i].idle < 0) old.wake(j);
      next.watermarks[i] = old.watermarks[j];
    }
  }
  next.reach_all();
}

void take_params(const ShardMigration& shard, const Migration& migration) {
  const Instance& old = *shard.old;
  for (size_t i = 0; i < migration.params.size(); ++i) {
    if (migration.params[i] < 0) continue;
    const abi::FieldDesc& field = old.plan().param_record->fields[static_cast<size_t>(migration.params[i])];
    shard.next->set_param(i, old.params() + field.offset);
  }
}

// Where a join above gives its rows sooner from now on, those that are overdue are still to come.
int64_t watermark_between(const Instance& old, const Instance& next, size_t index, const StorePart& from) {
  return std::min(old.watermark_of(old.plan().stores[static_cast<size_t>(from.old_store)].clock),
                  next.watermark_of(next.plan().stores[index].clock));
}

// `fill` takes entries of the part's old stores into `store`, with the keys that the edit gives them. Says
// which cannot go over.
std::string with_keys(const StorePart& part, const Migration& migration, const Instance& next,
                      state::Store& store, const std::function<void()>& fill) {
  store.set_key_places(part.keys);
  std::optional<KeyConverter> keys;
  if (part.conversion >= 0) keys.emplace(*migration.conversions[static_cast<size_t>(part.conversion)], next);
  store.set_key_change(keys ? &*keys : nullptr);
  fill();
  store.set_key_change(nullptr);
  if (keys && !keys->problem().empty()) return keys->problem();
  const auto& misfit = store.misfit();
  if (!misfit) return "";
  return store.desc().path + ": key " + key_text(store.desc(), misfit->key.data()) + ": " + misfit->what;
}

// Whether its entries go to other shards than those that they were in.
bool is_dealt(const ShardMigration& shard, const Migration& migration, size_t index) {
  return shard.next->context().shards > 1 &&
         changes_shards(migration, index, shard.old->plan(), shard.next->plan());
}

std::string convert_shard(const ShardMigration& shard, const Migration& migration) {
  Instance& old = *shard.old;
  Instance& next = *shard.next;
  for (size_t i = 0; i < migration.stores.size(); ++i) {
    const StoreMigration& store = migration.stores[i];
    if (store.transfer != StoreTransfer::Convert || is_dealt(shard, migration, i)) continue;
    state::Store& made = next.store(i);
    std::string problem = with_keys(store, migration, next, made, [&] {
      made.convert_from(*old.store_slot(static_cast<size_t>(store.old_store)), store.cells,
                        watermark_between(old, next, i, store));
    });
    for (const StorePart& part : store.joined) {
      if (!problem.empty()) break;
      problem = with_keys(part, migration, next, made, [&] {
        made.join_from(*old.store_slot(static_cast<size_t>(part.old_store)), part.cells,
                       watermark_between(old, next, i, part));
      });
    }
    if (!problem.empty()) return problem;
  }
  return "";
}

MigrationCount migrate_shard(const ShardMigration& shard, const Migration& migration) {
  Instance& old = *shard.old;
  Instance& next = *shard.next;
  Parked& parked = *shard.parked;
  MigrationCount out;
  for (size_t i = 0; i < next.plan().sets.size(); ++i) {
    for (size_t j = 0; j < old.plan().sets.size(); ++j) next.take_pending_set(i, old, j);
  }
  for (size_t i = 0; i < migration.stores.size(); ++i) {
    const StoreMigration& store = migration.stores[i];
    if (store.transfer == StoreTransfer::Fresh) {
      bring_back(next, i, store, parked);
      continue;
    }
    if (is_dealt(shard, migration, i)) continue;
    auto& from = old.store_slot(static_cast<size_t>(store.old_store));
    if (store.transfer == StoreTransfer::Move) {
      next.store_slot(i) = std::move(from);
      take_names(next.plan().stores[i].desc, next.store(i).desc());
      next.refresh_store(i);
      continue;
    }
    if (store.transfer != StoreTransfer::Convert) {
      std::unique_ptr<state::Store> taken =
          store.transfer == StoreTransfer::Branch ? from->branch() : std::move(from);
      taken->retune(next.plan().stores[i].desc, store.cells, watermark_between(old, next, i, store));
      next.store_slot(i) = std::move(taken);
      for (const StorePart& part : store.joined) {
        next.store(i).set_key_places(part.keys);
        next.store(i).join_from(*old.store_slot(static_cast<size_t>(part.old_store)), part.cells,
                                watermark_between(old, next, i, part));
      }
    }
    next.refresh_store(i);
    bring_back(next, i, store, parked);
    if (store.transfer == StoreTransfer::Retune) continue;
    out.entries += next.store(i).entry_count();
    out.cells += static_cast<uint64_t>(
        std::count_if(store.cells.begin(), store.cells.end(), [](int cell) { return cell >= 0; }));
  }
  for (const ParkId& id : migration.parks) {
    auto& left = old.store_slot(static_cast<size_t>(id.store));
    if (left && left->entry_count() > 0) parked.insert_or_assign(id, std::move(left));
  }
  for (size_t i = 0; i < next.plan().sites.size(); ++i) {
    for (size_t j = 0; j < old.plan().sites.size(); ++j) {
      if (next.plan().sites[i].counter == old.plan().sites[j].counter) next.dropped()[i] = old.dropped()[j];
    }
  }
  return out;
}

// The windows of an edit begin in all shards at one time: where no shard has an open one any more.
void share_open_windows(const std::vector<ShardMigration>& shards, const Migration& migration) {
  for (size_t i = 0; i < migration.stores.size(); ++i) {
    if (migration.stores[i].transfer == StoreTransfer::Fresh) continue;
    auto index = static_cast<size_t>(migration.stores[i].old_store);
    if (shards[0].next->plan().stores[i].desc.kind != state::StoreKind::Panes) continue;
    auto panes = [&](const ShardMigration& shard) -> state::PaneStore& {
      return static_cast<state::PaneStore&>(*shard.old->store_slot(index));
    };
    std::optional<int64_t> last;
    for (const ShardMigration& shard : shards) {
      std::optional<int64_t> own = panes(shard).open_boundary();
      if (own) last = std::max(last.value_or(*own), *own);
    }
    for (const ShardMigration& shard : shards) {
      panes(shard).know_open_boundary(last);
      static_cast<state::PaneStore&>(shard.next->store(i)).know_open_boundary(last);
    }
  }
}

// Cells that a dealt out store takes, by cell of the new one.
std::vector<int> dealt_cells(const StoreMigration& store, const state::StoreDesc& to) {
  std::vector<int> cells = store.cells;
  for (size_t i = cells.size(); store.transfer == StoreTransfer::Move && i < to.cells.size(); ++i)
    cells.push_back(static_cast<int>(i));
  return cells;
}

// The entries of a store, each into the shard that has it now.
std::string deal_out(const std::vector<ShardMigration>& shards, const Migration& migration, size_t index) {
  const StoreMigration& store = migration.stores[index];
  const StorePlan& to = shards[0].next->plan().stores[index];
  const StorePlan& from = shards[0].old->plan().stores[static_cast<size_t>(store.old_store)];
  std::vector<int> cells = dealt_cells(store, to.desc);
  uint64_t late = 0;
  for (size_t i = 0; i < (from.home == state::Home::Everywhere ? 1 : shards.size()); ++i)
    late += shards[i].old->store(static_cast<size_t>(store.old_store)).late_count();
  for (size_t i = 0; i < shards.size(); ++i) {
    state::Store& made = shards[i].next->store(index);
    if (to.home == state::Home::First && i > 0) continue;
    if (to.home == state::Home::ByKey) {
      const MutContext& context = shards[i].next->context();
      made.set_share(state::Share{context.shard, context.shards, context.shard_seed, to.home_key});
    }
    std::string problem = with_keys(store, migration, *shards[i].next, made, [&] {
      for (size_t k = 0; k < shards.size(); ++k) {
        // What every shard has is taken once.
        if (from.home == state::Home::Everywhere && k != i) continue;
        if (from.home == state::Home::First && k != 0) continue;
        int64_t watermark =
            std::min(shards[k].old->watermark_of(from.clock), shards[i].next->watermark_of(to.clock));
        made.convert_from(shards[k].old->store(static_cast<size_t>(store.old_store)), cells, watermark);
      }
    });
    made.set_share({});
    made.set_late_count(i == 0 ? late : 0);
    if (!problem.empty()) return problem;
  }
  return "";
}

// After deal_out(): what comes back beside it.
void finish_dealt(const std::vector<ShardMigration>& shards, const Migration& migration, size_t index,
                  MigrationCount& out) {
  const StoreMigration& store = migration.stores[index];
  const StorePlan& to = shards[0].next->plan().stores[index];
  for (size_t i = 0; i < shards.size(); ++i) {
    if (to.home == state::Home::First && i > 0) continue;
    shards[i].next->refresh_store(index);
    bring_back(*shards[i].next, index, store, *shards[i].parked);
    out.entries += shards[i].next->store(index).entry_count();
  }
  std::vector<int> cells = dealt_cells(store, to.desc);
  out.cells +=
      static_cast<uint64_t>(std::count_if(cells.begin(), cells.end(), [](int cell) { return cell >= 0; }));
}

}  // namespace

bool changes_shards(const Migration& migration, size_t index, const Plan& old, const Plan& next) {
  const StoreMigration& store = migration.stores[index];
  if (store.transfer == StoreTransfer::Fresh) return false;
  const StorePlan& to = next.stores[index];
  const StorePlan& from = old.stores[static_cast<size_t>(store.old_store)];
  if (from.home != to.home) return true;
  bool alike = std::all_of(store.joined.begin(), store.joined.end(), [&](const StorePart& part) {
    return part.conversion < 0 && old.stores[static_cast<size_t>(part.old_store)].home == to.home &&
           old.stores[static_cast<size_t>(part.old_store)].home_key == from.home_key;
  });
  if (to.home != state::Home::ByKey) return false;
  if (store.conversion >= 0 || !alike) return true;
  int before = store.keys.empty() ? to.home_key : store.keys[static_cast<size_t>(to.home_key)];
  return before != from.home_key;
}

std::string convert(const std::vector<ShardMigration>& shards, const Migration& migration) {
  for (const ShardMigration& shard : shards) {
    take_watermarks(shard, migration);
    take_params(shard, migration);
  }
  if (shards.size() > 1) share_open_windows(shards, migration);
  for (size_t i = 0; i < migration.stores.size(); ++i) {
    std::string problem;
    if (is_dealt(shards[0], migration, i)) problem = deal_out(shards, migration, i);
    if (!problem.empty()) return problem;
  }
  for (const ShardMigration& shard : shards) {
    if (std::string problem = convert_shard(shard, migration); !problem.empty()) return problem;
  }
  return "";
}

MigrationCount migrate(const std::vector<ShardMigration>& shards, const Migration& migration) {
  const Plan& before = shards[0].old->plan();
  // What shards have dropped is counted in the first: another version may count it in other shards.
  for (size_t i = 0; i < before.sites.size(); ++i) {
    for (size_t k = 1; k < shards.size(); ++k) {
      uint64_t own = std::exchange(shards[k].old->dropped()[i], 0);
      if (!before.sites[i].everywhere) shards[0].old->dropped()[i] += own;
    }
  }
  MigrationCount out;
  // Before anything else goes: stores of which cells go nowhere are kept aside then.
  for (size_t i = 0; i < migration.stores.size(); ++i) {
    if (is_dealt(shards[0], migration, i)) finish_dealt(shards, migration, i, out);
  }
  for (const ShardMigration& shard : shards) {
    MigrationCount moved = migrate_shard(shard, migration);
    out.entries += moved.entries;
    out.cells += moved.cells;
  }
  return out;
}

}  // namespace mut::runtime
