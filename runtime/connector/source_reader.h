// What every source offers to the shard that polls it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "runtime/abi/result.h"
#include "runtime/batch/batch.h"
#include "runtime/codec/decoder.h"

namespace mut::connector {

enum class Poll : uint8_t {
  Ready,   // rows were appended; poll again at once
  Wait,    // nothing now: sleep until the bell of the shard rings, at most retry_after_ns()
  End,     // no row will come any more
  Failed,  // as error() says; ends the source
};

// Where a source stands in its input: what another run goes on from.
struct SourcePlace {
  std::string input;    // the file; empty: what has no name
  uint64_t offset = 0;  // bytes of its text
  uint32_t line = 1;
  uint64_t record = 0;   // number of the record there, in the source
  uint64_t skip = 0;     // records behind it that have been handed over already
  uint64_t first = 0;    // number of the first record of the file
  std::string cursor{};  // of what is no file: as its connector writes it
  // Which file that is, whatever has its name by now; of this run alone. 0: nothing is known.
  uint64_t device = 0;
  uint64_t inode = 0;
};

// One thread at a time, but stop() from any.
class SourceReader {
 public:
  virtual ~SourceReader() = default;

  // Fills the empty `batch` with the next rows. Sets its first position (the number of the record in the
  // source, undecodable ones included) and input name: the rows of one batch come from one file.
  virtual Poll poll(batch::Batch& batch) = 0;
  // Valid after Failed.
  virtual const Error& error() const = 0;
  // After Wait: nanoseconds; negative when only the bell matters.
  virtual int64_t retry_after_ns() const { return -1; }
  // The next poll() fills batches of another record type. Fails, and changes nothing, when the source
  // cannot do that or its input does not fit.
  virtual Status redeclare(abi::TypeDescRef record, std::optional<size_t> time_field) {
    (void)record;
    (void)time_field;
    return Error{"its rows are not decoded here"};
  }
  // Text that was read and is not decoded yet.
  virtual size_t waiting_bytes() const { return 0; }
  // Let go of because they came faster than they were run, and the script wants that.
  virtual uint64_t dropped_records() const { return 0; }
  // Of the rows that were handed over last; null: they were not decoded from text. Valid until the next call.
  virtual codec::Decoder* decoder() { return nullptr; }
  // The next poll() hands over what is decoded already, then says End.
  virtual void stop() = 0;

  // Before the first poll(): acknowledge() will be called. Else a record counts as taken when poll() is
  // called behind it.
  virtual void take_until_durable() {}
  // The first so many records that it has handed over are in a durable checkpoint, and what came of them.
  virtual void acknowledge(uint64_t records) { (void)records; }
  // Whether somebody outside waits for acknowledge().
  virtual bool is_waited_for() const { return false; }
  // Whether it wants acknowledge() also where no checkpoints are taken, of what has left the sinks.
  virtual bool waits_for_sinks() const { return false; }

  // Whether its records can be read again by another run.
  virtual bool replays() const { return false; }
  // What the end of the process, at any moment, does to records that no checkpoint has.
  enum class AfterCrash : uint8_t {
    Lost,        // nobody has them any more
    SentAgain,   // who sent them has not been told that they were taken, and is to send them again
    GivenAgain,  // whoever reads its input next is given them, this run or another
    ReadAgain    // replays()
  };
  virtual AfterCrash after_crash() const { return replays() ? AfterCrash::ReadAgain : AfterCrash::Lost; }
  // Of one that replays. Behind Ready: where the first row lies that was handed over; behind Wait, where the
  // next one will; before either, where it begins.
  virtual SourcePlace place() const { return {}; }
  // Before the first poll() of one that replays: goes to such a place. The first `skip` records that come
  // then have been handed over; who polls leaves them out. Fails where the input is not what it was.
  virtual Status resume(const SourcePlace& place) {
    (void)place;
    return Error{"it cannot be read again"};
  }
};

}  // namespace mut::connector
