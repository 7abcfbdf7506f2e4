// Records of versions as JSON: what the file of a history and `mutc history --json` hold.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "mutstream/engine.h"
#include "runtime/abi/result.h"

namespace mut::session {

// One thing that happened, as one line of the file without its chain.
std::string version_event(const VersionRecord& record);
// What became of a version that is there already: outcome, cut, pause, reason.
std::string outcome_event(const VersionRecord& record, int64_t time_ns);
// A run begins or ends: versions of the one before run no more.
std::string run_event(std::string_view name, std::string_view compiler, int64_t time_ns);
std::string end_event(int64_t time_ns);
// So many lines could not be written and are lost; `version`: the highest number that was given by then.
std::string lost_event(uint64_t lines, uint64_t version, int64_t time_ns);

struct Event {
  enum class Kind : uint8_t { Version, Outcome, Run, End, Lost } kind = Kind::Version;
  VersionRecord record;  // Version: all of it; Outcome: the fields named there; Lost: a version
};
Result<Event> read_event(std::string_view text);

}  // namespace mut::session
