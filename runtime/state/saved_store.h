// Stores in a checkpoint: which format each kind has, and what is refused.
#pragma once
#include "runtime/abi/result.h"
#include "runtime/state/saved.h"
#include "runtime/state/store.h"

namespace mut::state {

// Raised when the bytes of a kind change their meaning.
uint32_t saved_format(StoreKind kind);

// What an edit left to be taken over is taken first: it costs as much as there is left.
void save_store(Store& store, Saver& to);
// Into an empty store. Fails, and the store is of no use, where the bytes are of another kind, format or
// layout, or are no state.
Status load_store(Loader& from, Store& store);

}  // namespace mut::state
