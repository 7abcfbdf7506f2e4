// What brings messages from a broker: the part of a source that differs from one to the other.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/abi/result.h"
#include "runtime/batch/batch.h"
#include "runtime/connector/source_reader.h"

namespace mut::connector {

// Messages that came together. Each holds whole records: mostly one.
class MessageGroup {
 public:
  // What they have in common: "kafka payments/3 from 1200"; numbers of messages count from there.
  void begin(std::string from);
  // Copies it.
  void add(std::string_view payload);
  // One that cannot be decoded, and why; `raw` is what is shown of it.
  void add_bad(std::string_view raw, std::string why);
  // Empty: it is to be decoded.
  std::string_view bad(size_t index) const;
  bool full() const { return text_bytes_ >= bytes_max || ends_.size() >= messages_max; }

  const std::string& from() const { return from_; }
  size_t size() const { return ends_.size(); }
  size_t text_bytes() const { return text_bytes_; }
  // Rows may point into it.
  const std::shared_ptr<batch::ReadBuffer>& buffer() const { return buffer_; }
  std::string_view message(size_t index) const;
  // With a line end behind it.
  std::string_view line(size_t index) const;

 private:
  static constexpr size_t bytes_max = 256 * 1024;
  static constexpr size_t messages_max = 1024;
  std::string from_;
  std::shared_ptr<batch::ReadBuffer> buffer_;
  size_t text_bytes_ = 0;
  std::map<size_t, std::string> bad_;  // by index: why
  std::vector<size_t> ends_;           // of each message with its line end, in the buffer
};

// Threads: that of the rows, stop() any. Threads of a client's library put messages into a queue of the
// subscription, bounded, and ring the bell.
class Subscription {
 public:
  virtual ~Subscription() = default;
  // Hands over what has come, until `to` is full. Ready: at least one message was added. Wait: nothing is
  // there; the bell is rung when something comes. Never blocks for the world. A connection that is lost is
  // made again, which Notices tell.
  virtual Poll take(MessageGroup& to) = 0;
  virtual const Error& error() const = 0;  // after Failed
  // What has been received is still given, then End.
  virtual void stop() = 0;
  virtual size_t waiting_bytes() const { return 0; }
  // After Wait: nanoseconds; negative when only the bell matters.
  virtual int64_t retry_after_ns() const { return -1; }
  // Messages that were let go of, because the script wants that.
  virtual uint64_t dropped() const { return 0; }

  // ---- one whose messages can be had again
  virtual bool replays() const { return false; }
  // Where the group begins that was taken last; where the next one will, when there is none or take() has
  // waited since. Another run that goes to that place takes the same messages in the same order from there,
  // at least as many as the group had.
  virtual std::string cursor() const { return ""; }
  // Before the first take(): goes to such a place. Fails where these messages are not there any more.
  virtual Status resume(const std::string& cursor) {
    (void)cursor;
    return Error{"its messages cannot be had again"};
  }

  // ---- one that tells its world what need not be kept
  // The first so many messages that take() has handed over need not be given again: what came of them is
  // durable, or they have run and nothing is kept durable.
  virtual void acknowledge(uint64_t messages) { (void)messages; }
  // Whether whoever reads its input next is given what was not acknowledged: then nothing is that may still
  // get lost in this run.
  virtual bool is_given_again() const { return false; }
  // Whether somebody outside waits for acknowledge().
  virtual bool is_waited_for() const { return false; }
};

}  // namespace mut::connector
