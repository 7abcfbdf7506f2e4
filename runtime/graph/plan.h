// A program as the runtime sees it: records, stores, sources and sinks as data, kernels as pointers.
// Made by the compiler's session; immutable once a version runs.
#pragma once
#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/abi/kernel.h"
#include "runtime/abi/type_desc.h"
#include "runtime/calendar/zone.h"
#include "runtime/graph/reader_index.h"
#include "runtime/regex/regex.h"
#include "runtime/state/home.h"
#include "runtime/state/patterns.h"
#include "runtime/state/store_desc.h"

namespace mut::runtime {

struct GenerateSpec {
  uint64_t seed = 1;
  int64_t count = -1;    // rows; -1: without end
  int64_t step_ns = 0;   // event time between rows
  int64_t start_ns = 0;  // event time of row 0
  double rate = 0;       // rows per second of wall time; 0: as fast as they are taken
};

struct SourcePlan {
  std::string name;
  std::string was;
  abi::TypeDescRef record;      // as declared; of `generate`: one int field `n`
  std::vector<char> needed;     // columns that kernels read
  int time_column = -1;         // field that is the event time; -1: arrival, or computed
  bool computes_times = false;  // the times kernel fills them
  int64_t lateness = 0;
  int64_t idle = -1;   // nanoseconds of silence after which it holds no watermark back; -1: it always does
  int64_t ahead = -1;  // nanoseconds: what is further ahead of its arrival is not taken; -1: all is
  bool generates = false;
  bool own_metrics = false;  // rows about the program: they come before all others
  GenerateSpec generate;
  bool live = true;      // some sink depends on it
  bool preload = false;  // of a table: read to its end before any event
  bool parted = false;   // several shards: each row is one's, any
  int place = -1;        // in the script, for a profile: graph/places.h of the compiler
};

// The watermark at a stage: the least of those above it, some of them seen later than they are.
struct Clock {
  // Sources by index, and behind them each `window all` above, whose rows come at the end of the input only.
  uint64_t mask = 0;
  // By bit: nanoseconds that it is behind, because a join gives rows that late (8.5). Empty: nowhere.
  std::vector<int64_t> delays;

  int64_t delay(size_t bit) const { return bit < delays.size() ? delays[bit] : 0; }
  int64_t delay_max() const {
    int64_t out = 0;
    for (int64_t delay : delays) out = std::max(out, delay);
    return out;
  }
};

struct StorePlan {
  state::StoreDesc desc;
  state::Home home = state::Home::Everywhere;
  int home_key = -1;    // ByKey: index into desc.keys
  bool parted = false;  // First, `kind` Panes: the others have a part of it until Fleet::gather()
  Clock clock;
  int watermark_bit = -1;    // of a `window all`: the bit that stages below it wait for
  bool has_results = false;  // a result kernel reads what it gives
  bool waits_above = false;  // some of its events come out of what waits for the watermark
  int place = -1;            // as of a source
};

struct EmitPlan {
  std::string name;  // of the sink
  std::string was;
  std::string stream;
  abi::TypeDescRef record;
  int place = -1;  // as of a source
};

struct ErrorSite {
  std::string stream;
  std::string stage;        // keyword, or "decode", "route"
  int line = 0;             // of the script
  abi::TypeDescRef record;  // what mut_fail gets; null at the head of a source
  bool read = false;        // `.errors` of the stream has readers
  bool everywhere = false;  // with several shards each comes by with the same event; the first tells it
  bool hides_raw = false;   // of a source with a secret: nobody can tell which part of a broken record it is
  std::string counter;      // "stream/stage" of what a choosing stage drops, which no other of those has
};

struct SetPlan {
  int param = -1;
  int64_t every = 0;
  Clock clock;
  std::string stream;
  bool has_range = false;
};

struct ParamPlan {
  std::string name;
  abi::TypeDescRef type;
  std::function<bool(const void* value)> accepts;  // range; null: any
};

struct Plan {
  std::vector<SourcePlan> sources;
  std::vector<StorePlan> stores;
  std::vector<EmitPlan> emits;
  std::vector<ErrorSite> sites;
  std::unordered_map<std::string, size_t> site_of_counter;
  std::vector<ParamPlan> params;
  abi::TypeDescRef param_record;
  std::vector<char> param_values;  // in memory layout; texts point into `texts`
  std::vector<SetPlan> sets;
  std::vector<char> literals;  // 16 bytes each
  std::vector<std::shared_ptr<std::string>> texts;
  std::vector<std::shared_ptr<const regex::Regex>> regexes;  // that kernels name by index
  std::vector<std::shared_ptr<const calendar::Zone>> zones;  // the same
  std::vector<abi::TypeDescRef> types;                       // that casts and formats name by index
  std::vector<ReaderIndex> reader_indexes;                   // the same
};

// Machine code of a plan. `owner` keeps it loaded.
struct Kernels {
  std::vector<MutSourceKernel> sources;  // null where not live
  std::vector<void (*)(MutContext*, const MutBatch*, uint8_t*)> times;
  std::vector<MutResultKernel> results;             // by store, null where it has none
  std::vector<state::PatternCondition> conditions;  // by store, null where none looks back
  std::shared_ptr<void> owner;
  uint64_t version = 0;  // of the script that runs on it; 0: of none
};

}  // namespace mut::runtime
