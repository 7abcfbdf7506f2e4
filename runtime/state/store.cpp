#include "runtime/state/store.h"

#include "runtime/state/groups.h"
#include "runtime/state/panes.h"
#include "runtime/state/rings.h"
#include "runtime/state/sessions.h"

namespace mut::state {

std::unique_ptr<Store> make_store(StoreDesc desc, uint64_t seed, Budget& budget) {
  switch (desc.kind) {
    case StoreKind::Groups:
    case StoreKind::Whole:
      return std::make_unique<GroupStore>(std::move(desc), seed, budget);
    case StoreKind::Panes:
      return std::make_unique<PaneStore>(std::move(desc), seed, budget);
    case StoreKind::Sessions:
      return std::make_unique<SessionStore>(std::move(desc), seed, budget);
    case StoreKind::Ring:
    case StoreKind::Dedupe:
      return std::make_unique<RingStore>(std::move(desc), seed, budget);
  }
  return nullptr;
}

}  // namespace mut::state
