// State described by data: what a stage keeps, made by the compiler, read by stores, migration and
// inspection. Names are those of the script; nothing here knows an operator.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/abi/type_desc.h"
#include "runtime/calendar/zone_line.h"
#include "runtime/state/pattern_rule.h"

namespace mut::state {

enum class CellFn : uint8_t {
  Count,
  IntSum,
  DecimalSum,
  DecimalAvg,
  FloatSum,
  Avg,
  Min,
  Max,
  First,
  Last,
  Variance,
  VarianceSample,
  Stddev,
  StddevSample,
  Distinct,
  Any,
  All,
  ArgMin,
  ArgMax,
  Previous,
  // Those that keep values in the heap of their store: state/values.
  Quantile,
  Collect,
  Top,
  StringAgg,
  Rank,            // all values; the result is that of a value
  ApproxDistinct,  // state/sketch
  Own,             // words: how many events (below 0: an error's code), then the state: state/own_cells
};

// Whether two of its cells make one whatever the order in which their events came.
bool merges_in_any_order(CellFn fn);

// How values lie in cells, keys and samples: one 8-byte word (integers widened, bool, enum, time,
// duration; u64 by its bits; floats by theirs), or two: a text, or a decimal, its low half first.
enum class WordKind : uint8_t { Signed, Unsigned, Float, Text, Decimal };
WordKind word_kind(const abi::TypeDesc& scalar);
inline uint32_t word_count(WordKind kind) {
  return kind == WordKind::Text || kind == WordKind::Decimal ? 2 : 1;
}

struct KeyDesc {
  std::string name;
  abi::TypeDescRef type;  // may be optional
  WordKind kind = WordKind::Signed;
  bool optional = false;  // a further word: 1 when present
  uint32_t word = 0;      // index of its first word in the key
};

// Samples that a shorter history let go: they do not come back when it is made longer again.
struct Forgotten {
  int64_t time = 0;     // up to this event time …
  int64_t arrival = 0;  // … and among those that had arrived by then
};

struct CellDesc {
  std::string name;  // "total/sum"
  CellFn fn = CellFn::Count;
  WordKind kind = WordKind::Signed;        // of the value
  WordKind order_kind = WordKind::Signed;  // ArgMin, ArgMax
  abi::TypeDescRef result;                 // type of the result, optional included
  double share = 0;                        // Quantile: 0 to 1
  bool ranked = false;    // Quantile: kept so that the result is at hand after each value; by lay_out()
  uint64_t most = 0;      // Collect, Top, StringAgg: values of the result; 0: all
  std::string separator;  // StringAgg
  uint32_t offset = 0;    // bytes from the start of the row
  uint32_t size = 0;
  uint32_t column = 0;               // Ring, Match, Follow: which value of a sample, or the first of them
  uint32_t columns = 1;              // Ring: how many
  int64_t since = 0;                 // Ring: first arrival number that counts (a cell added by an edit)
  std::vector<Forgotten> forgotten;  // Ring by time
};

// Whether the order in which values are added shows nowhere, not in the last bit: they may be added to
// several cells that are merged.
bool adds_in_any_order(const CellDesc& desc);

enum class StoreKind : uint8_t {
  Groups,  // running aggregates, `over all`, prev: one row per key
  Panes,   // tumbling and sliding windows
  Sessions,
  Whole,     // `window all`
  Ring,      // `over last …`: samples per key in order of time
  Dedupe,    // times of passed events per key
  Join,      // rows of both sides per key
  Overlaps,  // sliding windows that keep rows of their own each
  Held,      // whole rows that wait
  Match,     // events of a pattern per key, and the starts that are open
  Table,     // the newest row per key, and perhaps those before it
  Counts,    // windows of a number of events: one row per key, and what state/sliding_counts adds
  Process,   // variables of the script and timers: one row per key
  Follow,    // aggregates over the current rows of a table
};

enum class JoinKind : uint8_t { Inner, Left, Right, Full, Semi, Anti, Asof, LeftAsof };
enum class JoinSide : uint8_t { Left, Right };

// Which rows of two sides make a pair, and what is given of those that make none.
struct JoinRule {
  JoinKind kind = JoinKind::Inner;
  int64_t low = 0;  // right time minus left time, nanoseconds, both ends included
  int64_t high = 0;
  abi::TypeDescRef left;  // records, whole
  abi::TypeDescRef right;
  bool conditional = false;  // equal keys and time are not enough
};
// What a table keeps of a key.
struct TableRule {
  abi::TypeDescRef record;
  bool by_arrival = false;  // the newest is the last that came, not the one of the latest time
  int64_t versioned = 0;    // nanoseconds for which replaced rows are kept; 0: not at all
};

// The table that a store follows; how long its rows are kept is StoreDesc::ttl.
struct FollowRule {
  std::vector<KeyDesc> keys;  // of the table
  bool at_end = false;        // gives its groups at the end of the input, not at each change
};

// Whether a row of that side leaves by itself when it found no partner.
bool gives_unmatched(JoinKind kind, JoinSide side);
// Whether left rows wait until no better partner can come.
bool is_asof(JoinKind kind);
// Whether rows of that side come out when their time has come.
bool waits(JoinKind kind, JoinSide side);
// How far behind its input the watermark is that a join passes on (8.5): what comes late by design.
int64_t delay_of(const JoinRule& rule);

enum class HoldKind : uint8_t { Delay, Debounce, Sort, Top, Ranking };

// Sort, Top: windows on the line of time, or as the events of a key come.
enum class HoldWindow : uint8_t { Time, Session, Count };

// Of rows that are equal in the order to the last that is asked for the earlier ones come, or all, and equal
// rows have one rank.
enum class Ties : uint8_t { Cut, Shared };

// Which rows wait for what.
struct HoldRule {
  HoldKind kind = HoldKind::Delay;
  HoldWindow window = HoldWindow::Time;
  int64_t span = 0;              // Delay, Debounce: nanoseconds
  int64_t count = 0;             // Top, Ranking: rows of each key
  Ties ties = Ties::Cut;         // Top
  bool whole = false;            // Sort, Top: over all, at the end of the input
  abi::TypeDescRef record;       // a record of the order keys, then the row
  std::vector<char> descending;  // by order key
};

// Groups of a window that a `top` behind the aggregate, without keys and over windows that take whole windows
// of it, may give.
struct BestRows {
  uint32_t cell = 0;   // the order: is_seen_in_row()
  uint64_t count = 0;  // and all that equal the last
  bool largest = true;
  std::string path;  // of the stage that lets go of the others
  friend bool operator==(const BestRows&, const BestRows&) = default;
};

struct ColumnDesc {  // of a ring's samples
  WordKind kind = WordKind::Signed;
  uint32_t word = 0;  // of the sample: 0 time, 1 arrival, 2 mask of present values, then values
};

// When a window gives its results.
enum class Gives : uint8_t { AtClose, AtUpdate, AtTicks };

struct StoreDesc {
  StoreKind kind = StoreKind::Groups;
  std::string path;  // "profiled/with"
  std::vector<KeyDesc> keys;
  uint32_t key_words = 0;
  uint64_t text_mask = 0;  // words of the key at which a text begins
  std::vector<CellDesc> cells;
  uint32_t row_size = 0;      // bytes: hash, key, group number if needed, cells
  uint32_t group_offset = 0;  // of the group number, when a cell is Distinct; else 0
  bool has_distinct = false;
  // Windows, nanoseconds.
  int64_t size = 0;
  int64_t every = 0;
  int64_t offset = 0;
  std::string zone;         // whose days windows follow; empty: UTC
  int64_t late_within = 0;  // `late update`: closed windows are kept that much longer
  Gives gives = Gives::AtClose;
  std::optional<BestRows> best;  // Panes: the others are not given; nothing: all are
  int64_t tick_every = 0;        // of the watermark; AtTicks
  uint32_t changed_offset = 0;   // AtTicks: of a word that says whether a group changed since the last tick
  uint32_t session_offset = 0;   // Sessions: of the MutSession of a row; 0: it lies elsewhere
  // Ring and Dedupe.
  int64_t span = 0;    // nanoseconds kept; 0: by count
  uint64_t count = 0;  // samples kept; 0: by time
  std::vector<ColumnDesc> columns;
  uint32_t sample_words = 0;
  int64_t ttl = 0;  // nanoseconds; 0: none
  JoinRule join;
  TableRule table;
  PatternRule pattern;
  HoldRule hold;
  FollowRule follow;
  std::vector<CellDesc> measures;   // Match: what is asked of bound events; Follow: of the rows of a group
  std::vector<std::string> timers;  // Process: names; the last cells say when each is due
};

// Whether kernels let go of events by a MutTopGate: one list of the best at a time, first by a plain number.
bool has_top_gate(const StoreDesc& desc);

// The line that windows lie on, and where the first one begins on it.
calendar::ZoneLine line_of(const StoreDesc& desc);
int64_t offset_on_line(const StoreDesc& desc);

// The same of any store: rows of a match are as old as the event that ended it when they come.
int64_t delay_of(const StoreDesc& desc);
// Whether it gives its rows at the end of the input only.
bool waits_for_end(const StoreDesc& desc);
// Whether something of it fires: a kernel takes rows that it gives.
bool has_results(const StoreDesc& desc);

// Whether rows end with the time of their newest event.
inline bool is_aged(const StoreDesc& desc) {
  return desc.kind == StoreKind::Whole || desc.kind == StoreKind::Counts || desc.kind == StoreKind::Process ||
         (desc.kind == StoreKind::Groups && desc.ttl != 0);
}

// Whether its windows have a number of events: they are given as these come, and what is not full at the end.
inline bool counts_events(const StoreDesc& desc) {
  return desc.kind == StoreKind::Counts ||
         (desc.kind == StoreKind::Held && desc.hold.window == HoldWindow::Count);
}

// Windows of a number of events that overlap (rule 8.13).
inline bool slides(const StoreDesc& desc) { return desc.kind == StoreKind::Counts && desc.every < desc.size; }
// Of those: whether each open window has a row of its own, for a cell cannot be made of those of its parts.
bool keeps_windows_apart(const StoreDesc& desc);

// Whether cells of such a store can come back beside others that went on; a whole store always can, but for
// one that follows a table.
bool can_return(const StoreDesc& desc);

// Fills words, masks, offsets and sizes from kinds. Deterministic: equal input, equal layout.
void lay_out(StoreDesc& desc);
uint32_t cell_size(CellFn fn, WordKind kind);
// Whether cells of this kind keep values, as many as come: their memory grows with them.
bool keeps_values(CellFn fn);
// Whether the result is made of values: a list, or a text of several.
bool gives_list(CellFn fn);
// Whether they lie one after the other in an order.
bool keeps_list(CellFn fn);
// Whether cells of this kind own memory in the heap.
bool owns_memory(const CellDesc& cell);

}  // namespace mut::state
