// What a store looks like, as bytes.
#pragma once
#include "runtime/state/saved.h"
#include "runtime/state/store_desc.h"

namespace mut::state {

// Keys, cells, columns, records and windows as they lie in memory: equal bytes, equal layouts. Names are left
// out, and so are rules that change no entry: they come with the script.
std::string layout_bytes(const StoreDesc& desc);

// Of windows of time, whole: an edit may have left some of another kind open.
void save_windows(const StoreDesc& desc, Saver& to);
StoreDesc load_windows(Loader& from);

}  // namespace mut::state
