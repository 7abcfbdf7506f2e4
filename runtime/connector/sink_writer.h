// What every sink of text offers to the shard that writes to it.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/abi/result.h"

namespace mut::connector {

// Text waits at most this long in the sink while it is written to; an idle shard calls flush().
constexpr int64_t flush_interval_ns = 100'000'000;

// How long close() waits for a world that takes nothing, nanoseconds.
constexpr int64_t drain_wait_ns = 10'000'000'000;

enum class SinkStart : uint8_t {
  Replace,  // what an earlier run left goes
  Append,
};

// Rows that a sink has taken and the world may not have.
struct Undelivered {
  uint64_t number = 0;  // of the checkpoint behind which they go out, together; 0: as they come
  std::string header;   // that they belong below
  std::string rows;
};

// How far the output of a sink goes at a checkpoint: what comes behind it is cut off at a start from there,
// what is undelivered is sent.
struct SinkPlace {
  std::string path;
  std::string name;  // by which the world knows its deliveries; empty: by none
  uint64_t bytes = 0;
  std::vector<Undelivered> undelivered;
};

// A run that takes checkpoints, as a sink has to know it.
struct CheckpointedRun {
  std::string name;         // no other run has it, and it stays when the run goes on from a checkpoint
  uint64_t checkpoint = 0;  // the newest that is durable; 0: none
  // Start: nothing was delivered behind that one. Running: this run may have.
  enum class Phase : uint8_t { Start, Running } phase = Phase::Start;
};

// How a run ends. Whole: what it has made is what its input makes. Broken: another run makes again what no
// checkpoint has.
enum class RunEnd : uint8_t { Whole, Broken };

// Lives as long as the run: an edit may close it and a later one write on. hold() and release() from any
// thread, the rest from one at a time.
class SinkWriter {
 public:
  virtual ~SinkWriter() = default;
  // Opens what is not open and changes nothing of it: an edit that may never run has tried its sinks.
  // Until release(), close() keeps the output open.
  virtual Status hold() { return Unit{}; }
  virtual void release() {}
  // From here on it is written to. What this run has written stays, whatever `start` says.
  virtual Status begin(SinkStart) { return Unit{}; }
  // Takes whole lines. After an error the sink is only closed.
  virtual Status write(std::string_view text) = 0;
  // Whether it has more than the world takes for now: nothing should be written until the bell of the shard
  // rings. What is written all the same is kept.
  virtual bool full() const { return false; }
  // Whether it is full because a disk is: what it has taken is in no output, so no checkpoint can name one.
  virtual bool is_out_of_space() const { return false; }
  // Of rows that the world has not taken yet, as far as that is known.
  virtual size_t waiting_bytes() const { return 0; }
  // The run ends: from here on the world is waited for at most drain_wait_ns in which it takes nothing.
  virtual void hurry() {}
  // Hands everything to the world, or to a thread that does.
  virtual Status flush() = 0;
  // The run ends, close() follows: for good. Without it, an edit has closed the sink, and waits for nobody.
  virtual void end_run(RunEnd how) { (void)how; }
  // Flushes and says whether the last bytes arrived. Only begin() may follow. At an edit a sink whose world
  // takes nothing, or whose rows wait for a checkpoint, stays at work until flush() or commit() have brought
  // them out.
  virtual Status close() = 0;
  // Between two writes of a sink whose output can be cut back: hands everything to the system and says how
  // far it goes, as long as the run has begun it. Nothing: it cannot, or has not begun.
  virtual Result<std::optional<SinkPlace>> place() { return std::optional<SinkPlace>(); }
  // What the end of the process, at any moment, does to what was written, where checkpoints are taken.
  enum class AfterCrash : uint8_t {
    CutsBack,  // it can be taken away again: place() says how far it goes
    Commits,   // it goes out behind the checkpoint that has it, once
    Stays,     // what flush() has handed over stays, and cannot be taken back
    Loses,     // what was taken may wait in memory, flushed or not
  };
  virtual AfterCrash after_crash() const { return AfterCrash::Stays; }
  // Before begin(): the output that an earlier run has left goes on behind that place, once it is cut back.
  // Fails, and nothing was changed, where it is shorter.
  virtual Status resume(const SinkPlace& place) {
    (void)place;
    return Error{"its output cannot be cut back"};
  }
  // After resume() and begin(): takes away what lies behind the place; what was undelivered is sent.
  virtual Status cut_back() { return Unit{}; }

  // ---- one whose rows wait for the world
  // Before begin(), in a run that takes checkpoints.
  virtual void deliver_by_checkpoints(const CheckpointedRun& run) { (void)run; }
  // By which the world knows its deliveries; empty: by none.
  virtual std::string deliveries_name() const { return ""; }
  // At checkpoint `number`, behind flush(): what it holds, and from here on belongs to that checkpoint.
  virtual std::vector<Undelivered> undelivered(uint64_t number) {
    (void)number;
    return {};
  }
  // The checkpoint of that number is durable.
  virtual void commit(uint64_t number) { (void)number; }
  // Whether it holds so much that a checkpoint should be taken soon.
  virtual bool wants_checkpoint() const { return false; }

  // Whether the output is new, so that a header belongs on top. Known after begin().
  virtual bool wants_header() const { return true; }
  // What stands before the first row of the format: for one that begins again and again, and writes it by
  // itself. Known before the first row, again after each edit.
  virtual void set_header(std::string_view) {}
  // What begin() with Replace takes away ("replaces out.jsonl, 1024 bytes"); may be empty.
  virtual std::string notice() const { return ""; }
};

// hold() now, release() when the last copy goes.
inline Result<std::shared_ptr<void>> hold_sink(const std::shared_ptr<SinkWriter>& sink) {
  Status held = sink->hold();
  if (!held) return held.error();
  return std::shared_ptr<void>(sink.get(), [sink](void*) { sink->release(); });
}

}  // namespace mut::connector
