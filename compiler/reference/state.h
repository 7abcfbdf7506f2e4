// What stages remember: for each cell the list of what it admitted, never a running result.
#pragma once
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compiler/reference/aggregates.h"
#include "compiler/reference/value.h"
#include "compiler/typed/program.h"

namespace mut::reference {

// Below and beyond every event time.
constexpr int64_t no_time = std::numeric_limits<int64_t>::min();
constexpr int64_t end_of_time = std::numeric_limits<int64_t>::max();

// Stay within what a time can be.
int64_t plus(int64_t time, int64_t duration);
int64_t minus(int64_t time, int64_t duration);

// One event that reached a stage, with what each cell admitted of it; a cell that did not, or that is
// younger than the event, has nothing.
struct Entry {
  int64_t time = 0;
  std::vector<std::optional<Admitted>> cells;
  // By cell: starts of windows that have let it go while other windows still have it.
  std::map<size_t, std::set<int64_t>> gone;
  bool session_over = false;  // its session has fired
  bool told = false;          // `trigger every`: a tick has given it
  // A group that had no `ttl` gets one by an edit: it begins then, whenever the last event was.
  int64_t alive_at = no_time;
  // An edit to a smaller gap found it in an open session that reaches to this time: it stays one.
  int64_t kept_to = no_time;
};

// Events of each key, in order of arrival.
using Log = std::map<Key, std::vector<Entry>, KeyLess>;

// A window definition and the stretch of starts it rules: [from, to) (live-change.md 2.6).
struct WindowRule {
  typed::Window window;
  int64_t from = no_time;
  int64_t to = end_of_time;
};

// A row that one side of a join keeps.
struct JoinRow {
  int64_t time = 0;
  uint64_t arrival = 0;
  Key key;
  Value::Parts fields;
  bool matched = false;
  bool silent = false;  // gives no row without partner
};

struct Stretch {
  int64_t start = 0;
  int64_t end = 0;
  friend auto operator<=>(const Stretch&, const Stretch&) = default;
};

// A row that waits as a whole.
struct HeldRow {
  Key key;
  std::vector<Value> order;
  Value::Parts fields;
  int64_t time = 0;
  uint64_t arrival = 0;
  int64_t due = 0;           // delay, debounce
  int64_t number = 0;        // of its key, from 1 on: windows of a number of events
  std::set<Stretch> let_go;  // windows that it came too late for, or in which an earlier version had no room
};

// An event that a `match` keeps: what each name's condition says of it, as far as it does not look back, and
// what each measure admits.
struct MatchEvent {
  Value::Parts fields;
  int64_t time = 0;
  std::vector<bool> holds;
  std::vector<std::optional<Admitted>> cells;
};
struct MatchGroup {
  std::vector<MatchEvent> events;  // in order of (time, arrival)
  std::vector<size_t> starts;      // events of which it is open whether a match begins there
};

// What a `process` keeps of a key.
struct ProcessGroup {
  std::vector<Value> states;
  std::map<std::string, int64_t> timers;  // those that are set: by name, when they are due
  int64_t newest = no_time;               // event or timer
};

// What a row of a table has given to a group of an aggregate that follows it.
struct Given {
  Key group;
  Entry entry;
  uint64_t arrival = 0;
};
struct FollowedRow {
  int64_t time = 0;
  std::vector<Given> given;
};

struct StageState {
  std::vector<Log> histories;  // one cell each
  Log log;                     // dedupe: no cells; aggregate: its calls
  std::vector<WindowRule> rules;
  int64_t closed = no_time;    // windows that end here or before have fired
  int64_t sealed = no_time;    // windows that end by then were over at a cut, whatever `late update` says now
  bool settled = false;        // `window all`: its results are out
  int64_t tick = end_of_time;  // `trigger every`: the next one, when something changed
  uint64_t late = 0;
  uint64_t dropped = 0;
  std::vector<JoinRow> sides[2];  // join: left, right; in order of (time, arrival)
  // Table: rows of each key, in the order in which they replace each other.
  std::map<Key, std::vector<JoinRow>, KeyLess> rows;
  // What an earlier version had let go: rows before the one time, versions replaced up to the other.
  int64_t gone_before = no_time;
  int64_t over_upto = no_time;
  std::vector<HeldRow> held;
  std::map<Key, MatchGroup, KeyLess> matches;
  std::map<std::pair<int64_t, uint64_t>, std::pair<Key, MatchEvent>> waiting;  // match: by time and arrival
  uint64_t arrivals = 0;
  std::map<Key, ProcessGroup, KeyLess> processes;
  std::map<Key, FollowedRow, KeyLess> followed;  // by key of the table
  std::vector<Given> arriving;                   // of the row that is changing
};

// Windows of fixed length that hold an event of that time, by end.
std::set<std::pair<int64_t, int64_t>> fixed_windows(const std::vector<WindowRule>& rules, int64_t time);
// Sessions of one key, by start. `end` is last event + gap. `late update` keeps those that have fired, and an
// event may join them.
enum class Fired : uint8_t { Without, With };
std::vector<Stretch> sessions(const std::vector<WindowRule>& rules, const std::vector<Entry>& entries,
                              Fired fired = Fired::Without);
// Whether an event of that time is in a session.
bool in_session(const std::vector<WindowRule>& rules, int64_t time);
// Whether it is in that one: events of another rule are not, however far it reaches.
bool in_session(const std::vector<WindowRule>& rules, const Stretch& session, int64_t time);
// The least instant from `time` on that both grids have as a boundary; `time` for sessions.
int64_t common_boundary(const typed::Window& a, const typed::Window& b, int64_t time);

// The next window definition takes over (live-change.md 2.6): windows that start before an instant H go
// by the old rule, from H on by the new one. `old_state` says which old windows are open.
void hand_over(std::vector<WindowRule>& rules, const typed::Window& next, const StageState& old_state,
               int64_t watermark);

// A smaller gap applies to open sessions as they are: none is split (row 20).
void keep_sessions(const std::vector<WindowRule>& old_rules, std::vector<Entry>& entries);

// What one cell admitted among `entries`.
std::vector<Admitted> list_of(const std::vector<Entry>& entries, size_t cell);
// The same with the events that it did not admit, which join sessions all the same.
std::vector<SessionEvent> session_events(const std::vector<Entry>& entries, size_t cell);

}  // namespace mut::reference
