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

std::string stays_in_shards(const runtime::Migration& migration, const Program& before,
                            const Program& after) {
  std::string out;
  for (size_t i = 0; i < migration.stores.size(); ++i) {
    if (!runtime::changes_shards(migration, i, *before.plan, *after.plan)) continue;
    const runtime::StorePlan& to = after.plan->stores[i];
    if (state::moves_between_shards(to.desc) && migration.stores[i].joined.empty()) continue;
    const runtime::StorePlan& from = before.plan->stores[static_cast<size_t>(migration.stores[i].old_store)];
    out += "state of `" + to.desc.path + "` is " + place_text(from) + " and would be " + place_text(to) +
           ", and state of this kind does not move between shards: write `fresh 1` behind its label to begin "
           "anew, or run with one shard\n";
  }
  return out;
}

}  // namespace mut::session
