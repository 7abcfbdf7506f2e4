// SHA-256 as 64 hex digits.
#pragma once
#include <string>
#include <string_view>

#include "mutstream/engine.h"

namespace mut::session {

std::string digest(std::string_view bytes);
// What a version is and where it comes from: number, hash of its parent, name, script, params.
std::string version_hash(const VersionRecord& record);

}  // namespace mut::session
