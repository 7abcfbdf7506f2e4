#include "compiler/session/shards.h"

#include "runtime/state/store.h"

namespace mut::session {
namespace {

std::string place_text(const runtime::StorePlan& store) {
  switch (store.home) {
    case state::Home::Everywhere:
      return "in every shard";
    case state::Home::First:
      return "in the first shard";
    case state::Home::ByKey:
      return "by `" + store.desc.keys[static_cast<size_t>(store.home_key)].name + "`";
  }
  return "";
}

}  // namespace

void name_kept_keys(change::SwapPlan& plan) {
  auto name = [&](runtime::StorePart& part) {
    if (part.conversion < 0) return;
    part.keys.clear();
    for (const change::KeyPart& key : plan.conversions[static_cast<size_t>(part.conversion)].rule->parts)
      part.keys.push_back(key.old);  // narrower or not
  };
  for (runtime::StoreMigration& store : plan.migration.stores) {
    name(store);
    for (runtime::StorePart& part : store.joined) name(part);
  }
}

std::string stays_in_shards(const runtime::Migration& migration, const Program& before, const Program& after,
                            const std::function<const runtime::StorePlan*(const runtime::ParkId&)>& parked) {
  std::string out;
  for (size_t i = 0; i < migration.stores.size(); ++i) {
    for (const runtime::ReturnPart& part : migration.stores[i].returned) {
      const runtime::StorePlan* kept = parked(part.parked);
      const runtime::StorePlan& now = after.plan->stores[i];
      bool same = kept == nullptr || (kept->home == now.home && kept->home_key == now.home_key);
      if (!same) {
        out += "what `" + now.desc.path + "` lost at v" + std::to_string(part.parked.version) + " is " +
               place_text(*kept) + " and would be " + place_text(now) +
               ": it cannot come back, accept its reset instead of restore-gap\n";
      }
    }
    if (!runtime::changes_shards(migration, i, *before.plan, *after.plan)) continue;
    const runtime::StorePlan& to = after.plan->stores[i];
    // Of rows that get one key the later counts: what two shards number cannot be compared.
    bool rekeys_rows = to.desc.kind == state::StoreKind::Table && migration.stores[i].conversion >= 0;
    if (state::moves_between_shards(to.desc) && !rekeys_rows) continue;
    const runtime::StorePlan& from = before.plan->stores[static_cast<size_t>(migration.stores[i].old_store)];
    out += "state of `" + to.desc.path + "` is " + place_text(from) + " and would be " + place_text(to) +
           ", and state of this kind does not move between shards: write `fresh 1` behind its label to begin "
           "anew, or run with one shard\n";
  }
  return out;
}

}  // namespace mut::session
