// Looking into a running engine: figures of its parts, and taps. Times are nanoseconds since the epoch, UTC.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mut {

// How long things took, counted by steps.
struct DurationHistogram {
  // Nanoseconds, of which each count says how many took no longer; the last count is of what took longer.
  static constexpr std::array<int64_t, 12> steps_ns{
      100'000,     250'000,     1'000'000,   2'500'000,     10'000'000,    25'000'000,
      100'000'000, 250'000'000, 500'000'000, 1'000'000'000, 2'500'000'000, 10'000'000'000};
  std::array<uint64_t, steps_ns.size() + 1> counts{};  // not of the steps before
  int64_t sum_ns = 0;

  void add(int64_t took_ns) {
    auto step = std::lower_bound(steps_ns.begin(), steps_ns.end(), took_ns);
    ++counts[static_cast<size_t>(step - steps_ns.begin())];
    sum_ns += took_ns;
  }
};

struct SourceFigures {
  std::string name;
  uint64_t records = 0;  // given to the program, undecodable ones included
  enum class Reads : uint8_t {
    Nothing,
    Waiting,
    Rows,
    Ended
  } reads = Reads::Nothing;             // Nothing: no sink needs it
  std::optional<int64_t> newest_ns;     // event time; unknown at first and after the end
  std::optional<int64_t> watermark_ns;  // the same
  size_t waiting_bytes = 0;             // that were read and are not decoded yet
};

struct StreamFigures {
  std::string name;
  bool live = false;  // a sink or a tap depends on it
  std::optional<int64_t> watermark_ns;
  std::string held_by;  // the source whose watermark is the least; empty: none
  uint64_t errors = 0;
  std::vector<std::pair<std::string, std::string>> fields;  // name, type
};

// State of one stage.
struct StoreFigures {
  std::string path;  // "stream/stage"
  std::string stream;
  std::string kind;  // "groups", "windows", …
  uint64_t entries = 0;
  uint64_t late = 0;
  std::optional<int64_t> due_ns;  // when the next thing fires
  // Of several shards whose keys say where an entry is: how many each has. Else empty.
  std::vector<uint64_t> entries_by_shard{};
};

struct SinkFigures {
  std::string name;
  std::string stream;
  uint64_t rows = 0;          // since it was opened
  size_t waiting_bytes = 0;   // that the world has not taken yet
  int64_t held_up_ns = 0;     // so long, in all, no rows were run because the world took nothing here
  bool out_of_space = false;  // rows wait for a disk that is full
};

struct ParamFigures {
  std::string name;
  std::string type;
  std::string value;  // JSON
};

struct EngineFigures {
  uint64_t version = 1;
  std::string script;  // name
  std::string tier;
  int64_t now_ns = 0;
  uint64_t records_in = 0;
  uint64_t rows_out = 0;
  uint64_t event_errors = 0;
  uint64_t late = 0;
  uint64_t swaps = 0;
  size_t state_bytes = 0;
  size_t state_bytes_max = 0;
  size_t spilled_bytes = 0;  // of state_bytes: what lies in the file of EngineOptions::spill_dir
  size_t taps = 0;
  // Of EngineOptions::state_dir.
  uint64_t checkpoints_durable = 0;
  uint64_t checkpoints_abandoned = 0;
  // Of several shards: how long each has run rows, nanoseconds. Far apart: few keys have most of the events.
  std::vector<int64_t> shards_worked_ns{};
  std::vector<SourceFigures> sources;
  std::vector<StreamFigures> streams;
  std::vector<StoreFigures> stores;
  std::vector<SinkFigures> sinks;
  std::vector<ParamFigures> params;
  std::vector<std::pair<std::string, uint64_t>> dropped;  // "stream/stage": by stages that choose
  size_t live_versions = 1;                               // as of EngineStats
  DurationHistogram batches;  // of turns of the thread that runs, which did something
  // Of edits that were taken.
  DurationHistogram edit_checks;
  DurationHistogram edit_compiles;
  DurationHistogram edit_pauses;
  std::vector<std::pair<std::string, uint64_t>> edits;  // what became of those that were offered: "taken", …
  std::optional<int64_t> edit_waits_ns;                 // since the oldest that waits for its cut was offered
};

// A connection that a source or sink makes, and makes again.
struct ConnectionFigures {
  std::string side;  // "source", "sink"
  std::string name;
  bool connected = true;
  std::string why;          // it is not
  uint64_t made_again = 0;  // how often
};

// What is known of an engine without asking the thread that runs it.
struct Health {
  // Starting: before start() has succeeded. Draining: stop() was called, or the input has ended. Ended: all
  // was written, or the run has failed.
  enum class Phase : uint8_t { Starting, Running, Draining, Ended } phase = Phase::Starting;
  int64_t busy_ns = 0;  // how long the turn of that thread which runs has taken so far; 0: none runs
  std::vector<ConnectionFigures> connections;
};

struct TapRequest {
  std::string stream;                     // or STREAM.errors
  std::string where{};                    // a condition over its fields; empty: every row
  uint64_t limit = 0;                     // ends by itself after that many rows; 0: never
  size_t queue_bytes = size_t{1} << 20U;  // that wait for take(); rows past it are lost to the tap
  // Rows wait, or it has ended. On the thread that runs, which it must not hold up.
  std::function<void()> ready{};
};

struct TapRow {
  uint64_t version = 0;  // that made it
  std::string json;
};

struct TapRows {
  std::vector<TapRow> rows;  // in order
  uint64_t lost = 0;         // since the tap began: nobody took them in time
  enum class Life : uint8_t { Lives, Ended } life = Life::Lives;
  std::string reason;  // why it ended: nothing comes after these rows
};

// Threads: any.
class Tap {
 public:
  virtual ~Tap() = default;
  // What waits; never blocks.
  virtual TapRows take() = 0;
};

}  // namespace mut
