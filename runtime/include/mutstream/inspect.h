// Looking into a running engine: figures of its parts, and taps. Times are nanoseconds since the epoch, UTC.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mut {

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
  uint64_t rows = 0;  // since it was opened
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
  size_t taps = 0;
  // Of several shards: how long each has run rows, nanoseconds. Far apart: few keys have most of the events.
  std::vector<int64_t> shards_worked_ns{};
  std::vector<SourceFigures> sources;
  std::vector<StreamFigures> streams;
  std::vector<StoreFigures> stores;
  std::vector<SinkFigures> sinks;
  std::vector<ParamFigures> params;
  std::vector<std::pair<std::string, uint64_t>> dropped;  // "stream/stage": by stages that choose
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
