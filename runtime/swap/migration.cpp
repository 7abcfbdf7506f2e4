#include "runtime/swap/migration.h"

#include <algorithm>
#include <functional>

#include "runtime/abi/deliberate.h"
#include "runtime/graph/instance.h"
#include "runtime/state/window_store.h"
#include "runtime/swap/key_conversion.h"
#include "runtime/swap/row_conversion.h"

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

int64_t watermark_between(const Instance& old, const Instance& next, size_t index, const StorePart& from) {
  // Where a join above gives its rows sooner from now on, those that are overdue are still to come.
  return std::min(old.watermark_of(old.plan().stores[static_cast<size_t>(from.old_store)].clock),
                  next.watermark_of(next.plan().stores[index].clock));
}

state::Store& old_store(const ShardMigration& shard, const StorePart& part) {
  return *shard.old->store_slot(static_cast<size_t>(part.old_store));
}

// `fill` takes entries of the part's old stores into `store`, with the keys that the edit gives them.
void with_keys(const StorePart& part, const Migration& migration, const Instance& next, state::Store& store,
               std::string& problem, const std::function<void()>& fill) {
  store.set_key_places(part.keys);
  if (part.conversion < 0) return fill();
  const KeyConversion& conversion = *migration.conversions[static_cast<size_t>(part.conversion)];
  if (conversion.of == KeyConversion::Of::Rows) {
    RowConverter rows(conversion, next);
    store.set_row_keys(&rows);
    fill();
    store.set_row_keys(nullptr);
    if (problem.empty()) problem = rows.problem();
    return;
  }
  KeyConverter keys(migration.conversions[static_cast<size_t>(part.conversion)], next,
                    KeyConverter::Room::OfBudget);
  store.set_key_change(&keys);
  fill();
  store.set_key_change(nullptr);
  if (problem.empty()) problem = keys.problem();
}

// Watermarks of sources go by name; a watermark never goes back. Then params, which conversions may read.
void begin(const ShardMigration& shard, const Migration& migration) {
  const Instance& old = *shard.old;
  Instance& next = *shard.next;
  for (size_t i = 0; i < next.plan().sources.size(); ++i) {
    std::string before = next.plan().sources[i].name;
    for (const auto& [from, to] : migration.renamed_sources) {
      if (to == before) before = from;
    }
    for (size_t j = 0; j < old.plan().sources.size(); ++j) {
      if (old.plan().sources[j].name != before || MUT_DELIBERATE_FAULT(swap_loses_watermark)) continue;
      bool idle = (old.idle >> std::min<size_t>(j, 63) & 1U) != 0;
      bool may_be_idle = next.plan().sources[i].idle >= 0;
      if (idle && may_be_idle) next.idle |= uint64_t{1} << i;
      next.watermarks[i] = idle && !may_be_idle ? old.woken(j) : old.watermarks[j];
    }
  }
  next.reach_all();
  for (size_t i = 0; i < migration.params.size(); ++i) {
    if (migration.params[i] < 0) continue;
    const abi::FieldDesc& field = old.plan().param_record->fields[static_cast<size_t>(migration.params[i])];
    next.set_param(i, old.params() + field.offset);
  }
}

bool has_windows(const state::Store& store) {
  return store.desc().kind == state::StoreKind::Panes || store.desc().kind == state::StoreKind::Sessions;
}

// What is open in any shard.
state::OpenWindows open_windows(const std::vector<ShardMigration>& shards, const StorePart& part) {
  state::OpenWindows all;
  for (const ShardMigration& shard : shards) {
    state::OpenWindows own = static_cast<const state::WindowStore&>(old_store(shard, part)).open_windows();
    if (own.boundary) all.boundary = std::max(all.boundary.value_or(*own.boundary), *own.boundary);
    if (own.end) all.end = std::max(all.end.value_or(*own.end), *own.end);
    all.of_newest = all.of_newest || own.of_newest;
  }
  return all;
}

// The windows of an edit begin in all shards at one time.
void know_open_windows(const std::vector<ShardMigration>& shards, const StorePart& part,
                       const std::function<state::Store&(const ShardMigration&)>& which) {
  if (shards.size() == 1 || !has_windows(which(shards[0]))) return;
  state::OpenWindows open = open_windows(shards, part);
  for (const ShardMigration& shard : shards)
    static_cast<state::WindowStore&>(which(shard)).know_open_windows(open);
}

// Why the store cannot be used; empty: it can.
std::string problem_of(const state::Store& store, std::string problem) {
  if (!problem.empty() || !store.misfit()) return problem;
  return store.desc().path + ": key " + key_text(store.desc(), store.misfit()->key.data()) + ": " +
         store.misfit()->what;
}

std::string convert_store(const ShardMigration& shard, const Migration& migration, size_t index) {
  const StoreMigration& store = migration.stores[index];
  state::Store& made = shard.next->store(index);
  std::string problem;
  with_keys(store, migration, *shard.next, made, problem, [&] {
    made.convert_from(old_store(shard, store), store.cells,
                      watermark_between(*shard.old, *shard.next, index, store));
  });
  for (const StorePart& part : store.joined) {
    with_keys(part, migration, *shard.next, made, problem, [&] {
      made.join_from(old_store(shard, part), part.cells,
                     watermark_between(*shard.old, *shard.next, index, part));
    });
  }
  return problem_of(made, std::move(problem));
}

// Shards whose entries one shard looks at: what each has is taken once.
bool gives(state::Home from, size_t giver, size_t taker) {
  if (from == state::Home::Everywhere) return giver == taker;
  return from == state::Home::ByKey || giver == 0;
}

// The entries of a store, each into the shard that has it now.
std::string deal_out(const std::vector<ShardMigration>& shards, const Migration& migration, size_t index) {
  const StoreMigration& store = migration.stores[index];
  const StorePlan& to = shards[0].next->plan().stores[index];
  auto home_of = [&](const StorePart& part) {
    return shards[0].old->plan().stores[static_cast<size_t>(part.old_store)].home;
  };
  std::vector<int> cells = store.cells;  // of one that would move as it is: all
  for (size_t i = cells.size(); store.transfer == StoreTransfer::Move && i < to.desc.cells.size(); ++i)
    cells.push_back(static_cast<int>(i));
  for (size_t i = 0; i < shards.size(); ++i) {
    if (to.home == state::Home::First && i > 0) continue;
    Instance& next = *shards[i].next;
    state::Store& made = next.store(index);
    if (to.home == state::Home::ByKey) {
      const MutContext& context = next.context();
      made.set_share(state::Share{context.shard, context.shards, context.shard_seed, to.home_key});
    }
    std::string problem;
    with_keys(store, migration, next, made, problem, [&] {
      for (size_t k = 0; k < shards.size(); ++k) {
        if (gives(home_of(store), k, i))
          made.convert_from(old_store(shards[k], store), cells,
                            watermark_between(*shards[k].old, next, index, store));
      }
    });
    for (const StorePart& part : store.joined) {
      with_keys(part, migration, next, made, problem, [&] {
        for (size_t k = 0; k < shards.size(); ++k) {
          if (gives(home_of(part), k, i))
            made.join_from(old_store(shards[k], part), part.cells,
                           watermark_between(*shards[k].old, next, index, part));
        }
      });
    }
    made.set_share({});
    problem = problem_of(made, std::move(problem));
    if (!problem.empty()) return problem;
  }
  uint64_t late = 0;
  for (size_t k = 0; k < shards.size(); ++k) {
    if (gives(home_of(store), k, 0)) late += old_store(shards[k], store).late_count();
  }
  for (size_t i = 0; i < shards.size(); ++i) shards[i].next->store(index).set_late_count(i == 0 ? late : 0);
  return "";
}

// Whether others ask for the entries of an old store too. For an undo it is kept as it is.
bool has_other_readers(const Migration& migration, size_t index) {
  int old_store = migration.stores[index].old_store;
  for (size_t i = 0; i < migration.stores.size(); ++i) {
    const StoreMigration& store = migration.stores[i];
    if (store.transfer == StoreTransfer::Fresh) continue;
    if (i != index && store.old_store == old_store) return true;
    for (const StorePart& part : store.joined) {
      if (part.old_store == old_store) return true;
    }
  }
  return false;
}

bool keeps_order(const std::vector<int>& keys) {
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i] != static_cast<int>(i)) return false;
  }
  return true;
}

// Whether the entries of that store are converted behind the cut: those that events need at once, the others
// bit by bit. `planned`: bytes that stores which are taken over will have taken; adds those of this one.
bool is_taken_over(const std::vector<ShardMigration>& shards, const Migration& migration, size_t index,
                   size_t& planned) {
  const StoreMigration& store = migration.stores[index];
  if (migration.old == Migration::Old::Stays) return false;
  bool apart = store.conversion < 0 || migration.conversions[static_cast<size_t>(store.conversion)]->apart;
  if (store.transfer != StoreTransfer::Convert || !apart || !store.joined.empty() ||
      !store.returned.empty() || !keeps_order(store.keys) || has_other_readers(migration, index) ||
      changes_shards(migration, index, shards[0].old->plan(), shards[0].next->plan()))
    return false;
  size_t bytes = planned;
  // How much memory texts and lists take that a conversion makes is known at the cut alone, where there may
  // be no room for it.
  auto owns = [&](const KeyConversion::Value& value) {
    const state::StoreDesc& desc = shards[0].next->plan().stores[index].desc;
    return state::owns_memory(desc.cells[static_cast<size_t>(value.cell)]);
  };
  if (store.conversion >= 0) {
    const auto& values = migration.conversions[static_cast<size_t>(store.conversion)]->values;
    if (std::any_of(values.begin(), values.end(), owns)) return false;
  }
  for (const ShardMigration& shard : shards) {
    state::Store& made = shard.next->store(index);
    const state::Store& old = old_store(shard, store);
    bytes += made.bytes_to_take(old);
    if (!made.can_take_over(old, store.cells) || !made.budget_fits(bytes)) return false;
  }
  planned = bytes;
  return true;
}

// What an edit before left to be taken over is taken over before it is read; a store that moves as it is
// takes that along.
void take_rest(const ShardMigration& shard, const Migration& migration) {
  auto finish = [&](int old_store) {
    auto& store = shard.old->store_slot(static_cast<size_t>(old_store));
    if (!store) return;
    store->take_rest();
    store->take_emptied();  // it may be kept for an undo: what it was made of is not
    store->take_idle_change();
  };
  for (size_t i = 0; i < migration.stores.size(); ++i) {
    const StoreMigration& store = migration.stores[i];
    if (store.transfer == StoreTransfer::Fresh) continue;
    bool moves = store.transfer == StoreTransfer::Move &&
                 !changes_shards(migration, i, shard.old->plan(), shard.next->plan());
    if (!moves) finish(store.old_store);
    for (const StorePart& part : store.joined) finish(part.old_store);
  }
  for (const ParkId& id : migration.parks) finish(id.store);
}

void take_over(const ShardMigration& shard, const Migration& migration, size_t index) {
  const StoreMigration& store = migration.stores[index];
  int64_t watermark = watermark_between(*shard.old, *shard.next, index, store);
  const auto& from = shard.old->store_slot(static_cast<size_t>(store.old_store));
  std::shared_ptr<KeyConverter> change;
  if (store.conversion >= 0)
    change = std::make_shared<KeyConverter>(migration.conversions[static_cast<size_t>(store.conversion)],
                                            *shard.next, KeyConverter::Room::Regardless);
  shard.next->store(index).take_over(from, store.cells, watermark, std::move(change));
}

void move_store(const ShardMigration& shard, size_t index, const StoreMigration& store) {
  Instance& next = *shard.next;
  auto& from = shard.old->store_slot(static_cast<size_t>(store.old_store));
  if (store.transfer == StoreTransfer::Move) {
    next.store_slot(index) = std::move(from);
    take_names(next.plan().stores[index].desc, next.store(index).desc());
    return;
  }
  std::shared_ptr<state::Store> taken =
      store.transfer == StoreTransfer::Branch ? from->branch() : std::move(from);
  taken->retune(next.plan().stores[index].desc, store.cells,
                watermark_between(*shard.old, next, index, store));
  next.store_slot(index) = std::move(taken);
  for (const StorePart& part : store.joined) {
    next.store(index).set_key_places(part.keys);
    next.store(index).join_from(old_store(shard, part), part.cells,
                                watermark_between(*shard.old, next, index, part));
  }
}

// Where entries of the part are, by the key of the new store that says so; other keys, other shards.
// A key of another type may have other words, by which it is in another shard.
bool has_other_words(const state::KeyDesc& from, const state::KeyDesc& to) {
  auto scale = [](const state::KeyDesc& of) { return (of.optional ? *of.type->element : *of.type).scale; };
  return from.kind != to.kind || (to.kind == state::WordKind::Decimal && scale(from) != scale(to));
}

bool is_elsewhere(const StorePart& part, const StorePlan& from, const StorePlan& to) {
  if (from.home != to.home) return true;
  if (to.home != state::Home::ByKey) return false;
  auto key = static_cast<size_t>(to.home_key);
  if ((part.keys.empty() ? to.home_key : part.keys[key]) != from.home_key) return true;
  return has_other_words(from.desc.keys[static_cast<size_t>(from.home_key)], to.desc.keys[key]);
}

}  // namespace

Migration copy_of(const Plan& plan) {
  Migration out;
  out.old = Migration::Old::Stays;
  for (size_t i = 0; i < plan.stores.size(); ++i) {
    StoreMigration store;
    store.transfer = StoreTransfer::Convert;
    store.old_store = static_cast<int>(i);
    for (size_t cell = 0; cell < plan.stores[i].desc.cells.size(); ++cell)
      store.cells.push_back(static_cast<int>(cell));
    out.stores.push_back(std::move(store));
  }
  for (size_t i = 0; i < plan.params.size(); ++i) out.params.push_back(static_cast<int>(i));
  return out;
}

bool changes_shards(const Migration& migration, size_t index, const Plan& old, const Plan& next) {
  const StoreMigration& store = migration.stores[index];
  if (store.transfer == StoreTransfer::Fresh) return false;
  auto elsewhere = [&](const StorePart& part) {
    return is_elsewhere(part, old.stores[static_cast<size_t>(part.old_store)], next.stores[index]);
  };
  return elsewhere(store) || std::any_of(store.joined.begin(), store.joined.end(), elsewhere);
}

Conversion convert(const std::vector<ShardMigration>& shards, const Migration& migration) {
  Conversion out;
  size_t planned = 0;
  out.taken_over.resize(migration.stores.size());
  for (const ShardMigration& shard : shards) {
    take_rest(shard, migration);
    begin(shard, migration);
  }
  const Plan& before = shards[0].old->plan();
  const Plan& after = shards[0].next->plan();
  for (size_t i = 0; i < migration.stores.size(); ++i) {
    bool deals = changes_shards(migration, i, before, after);
    if (!deals && migration.stores[i].transfer != StoreTransfer::Convert) continue;
    out.taken_over[i] = is_taken_over(shards, migration, i, planned);
    if (out.taken_over[i]) continue;
    know_open_windows(shards, migration.stores[i],
                      [&](const ShardMigration& shard) -> state::Store& { return shard.next->store(i); });
    if (deals) out.problem = deal_out(shards, migration, i);
    for (size_t k = 0; k < shards.size() && !deals && out.problem.empty(); ++k)
      out.problem = convert_store(shards[k], migration, i);
    if (!out.problem.empty()) return out;
  }
  return out;
}

MigrationCount migrate(const std::vector<ShardMigration>& shards, const Migration& migration,
                       const Conversion& conversion) {
  MigrationCount out;
  const Plan& before = shards[0].old->plan();
  const Plan& after = shards[0].next->plan();
  // What shards have dropped is counted in the first: another version may count it in other shards.
  for (size_t i = 0; i < before.sites.size(); ++i) {
    for (size_t k = 1; k < shards.size(); ++k) {
      uint64_t own = std::exchange(shards[k].old->dropped()[i], 0);
      if (!before.sites[i].everywhere) shards[0].old->dropped()[i] += own;
    }
  }
  for (size_t i = 0; i < migration.stores.size(); ++i) {
    const StoreMigration& store = migration.stores[i];
    bool fresh = store.transfer == StoreTransfer::Fresh;
    bool made = store.transfer == StoreTransfer::Convert || changes_shards(migration, i, before, after);
    bool taken_over = conversion.taken_over[i];
    if (taken_over) {
      know_open_windows(shards, store,
                        [&](const ShardMigration& shard) -> state::Store& { return shard.next->store(i); });
    }
    if (!fresh && !made) {
      know_open_windows(shards, store, [&](const ShardMigration& shard) -> state::Store& {
        return old_store(shard, store);
      });
    }
    for (const ShardMigration& shard : shards) {
      if (taken_over) take_over(shard, migration, i);
      if (!fresh && !made) move_store(shard, i, store);
      if (!fresh) shard.next->refresh_store(i);
      if (store.transfer != StoreTransfer::Move) bring_back(*shard.next, i, store, *shard.parked);
      if (made || store.transfer == StoreTransfer::Branch) out.entries += shard.next->store(i).entry_count();
    }
    if (made || store.transfer == StoreTransfer::Branch) {
      out.cells += static_cast<uint64_t>(
          std::count_if(store.cells.begin(), store.cells.end(), [](int cell) { return cell >= 0; }));
    }
  }
  for (const ShardMigration& shard : shards) {
    Instance& old = *shard.old;
    Instance& next = *shard.next;
    for (size_t i = 0; i < after.sets.size(); ++i) {
      for (size_t j = 0; j < before.sets.size(); ++j) next.take_pending_set(i, old, j);
    }
    for (const ParkId& id : migration.parks) {
      auto& left = old.store_slot(static_cast<size_t>(id.store));
      if (left && left->entry_count() > 0) shard.parked->insert_or_assign(id, std::move(left));
    }
    for (size_t i = 0; i < before.sites.size(); ++i) {
      uint64_t dropped = old.dropped()[i];
      if (dropped == 0) continue;
      auto same = after.site_of_counter.find(before.sites[i].counter);
      if (same != after.site_of_counter.end()) next.dropped()[same->second] = dropped;
    }
  }
  return out;
}

}  // namespace mut::runtime
