// What a store keeps of one key, as JSON.
#pragma once
#include <string>

#include "runtime/abi/result.h"
#include "runtime/state/store.h"

namespace mut::session {

// `key`: as a person writes it, several with commas between. `null` where the store has no such key. Fails
// where the text is no such key.
Result<std::string> key_state(state::Store& store, const std::string& key);

}  // namespace mut::session
