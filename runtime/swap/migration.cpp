#include "runtime/swap/migration.h"

#include <algorithm>
#include <functional>

#include "runtime/abi/deliberate.h"
#include "runtime/graph/instance.h"
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

int64_t watermark_between(const Instance& old, const Instance& next, size_t index, const StorePart& from) {
  // Where a join above gives its rows sooner from now on, those that are overdue are still to come.
  return std::min(old.watermark_of(old.plan().stores[static_cast<size_t>(from.old_store)].clock),
                  next.watermark_of(next.plan().stores[index].clock));
}

// `fill` takes entries of the part's old store into `store`, with the keys that the edit gives them.
void with_keys(const StorePart& part, const Migration& migration, const Instance& next, state::Store& store,
               std::string& problem, const std::function<void()>& fill) {
  store.set_key_places(part.keys);
  if (part.conversion < 0) return fill();
  KeyConverter keys(*migration.conversions[static_cast<size_t>(part.conversion)], next);
  store.set_key_change(&keys);
  fill();
  store.set_key_change(nullptr);
  if (problem.empty()) problem = keys.problem();
}

}  // namespace

std::string convert(Instance& old, Instance& next, const Migration& migration) {
  // Watermarks of sources go by name; a watermark never goes back.
  for (size_t i = 0; i < next.plan().sources.size(); ++i) {
    std::string before = next.plan().sources[i].name;
    for (const auto& [from, to] : migration.renamed_sources) {
      if (to == before) before = from;
    }
    for (size_t j = 0; j < old.plan().sources.size(); ++j) {
      if (old.plan().sources[j].name == before && !MUT_DELIBERATE_FAULT(swap_loses_watermark))
        next.watermarks[i] = old.watermarks[j];
    }
  }
  next.reach_all();
  for (size_t i = 0; i < migration.params.size(); ++i) {
    if (migration.params[i] < 0) continue;
    const abi::FieldDesc& field = old.plan().param_record->fields[static_cast<size_t>(migration.params[i])];
    next.set_param(i, old.context().params + field.offset);
  }
  for (size_t i = 0; i < migration.stores.size(); ++i) {
    const StoreMigration& store = migration.stores[i];
    if (store.transfer != StoreTransfer::Convert) continue;
    std::string problem;
    with_keys(store, migration, next, next.store(i), problem, [&] {
      next.store(i).convert_from(*old.store_slot(static_cast<size_t>(store.old_store)), store.cells,
                                 watermark_between(old, next, i, store));
    });
    for (const StorePart& part : store.joined) {
      with_keys(part, migration, next, next.store(i), problem, [&] {
        next.store(i).join_from(*old.store_slot(static_cast<size_t>(part.old_store)), part.cells,
                                watermark_between(old, next, i, part));
      });
    }
    if (!problem.empty()) return problem;
    if (const auto& misfit = next.store(i).misfit())
      return next.store(i).desc().path + ": key " + key_text(next.store(i).desc(), misfit->key.data()) +
             ": " + misfit->what;
  }
  return "";
}

MigrationCount migrate(Instance& old, Instance& next, const Migration& migration, Parked& parked) {
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

}  // namespace mut::runtime
