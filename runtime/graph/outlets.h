// Where rows of sinks go: text through an encoder, or a host's function.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/connector/sink_writer.h"
#include "runtime/env/env.h"
#include "runtime/graph/instance.h"

namespace mut::runtime {

// Rows of one sink: `row_count` records in memory layout, `stride` bytes apart, each behind a MutOutHead.
using HostSink =
    std::function<void(const abi::TypeDesc& record, const char* rows, uint64_t row_count, uint64_t stride)>;

struct OutletBinding {
  std::string sink;                               // name
  std::string target;                             // equal targets share the writer: "stdout", a path
  std::shared_ptr<connector::SinkWriter> writer;  // or null
  std::shared_ptr<void> hold;                     // on the writer, until it begins
  connector::SinkStart start = connector::SinkStart::Append;
  codec::Format format = codec::Format::Json;
  HostSink host;                                            // or null
  uint64_t rows = 0;                                        // written so far
  enum class Use : uint8_t { Sink, Look } use = Use::Sink;  // Look: of a tap, no output of the program
  // How long no rows were run because this one was full, nanoseconds; and since when it is, by the steady
  // clock.
  int64_t held_up_ns = 0;
  std::optional<int64_t> full_since_ns{};
};

// Rows by emit that one of two versions has made.
struct OutletPart {
  const Plan* plan = nullptr;
  std::span<const MutSink> sinks;
  uint64_t version = 0;
};

class Outlets {
 public:
  explicit Outlets(bool stamp) : stamp_(stamp) {}
  Status add(OutletBinding binding);
  // The new writer begins. It takes the place of the sink of that name, whose writer is closed unless another
  // sink uses it.
  Status replace(OutletBinding binding);
  const OutletBinding* find(const std::string& sink) const;
  // Sinks the plan no longer has are flushed, closed and forgotten; renamed ones keep their writer.
  Status retain(const Plan& plan, const std::vector<std::pair<std::string, std::string>>& renamed);
  // Connects the sinks of a plan; call after start and after each exchange.
  void connect(const Plan& plan);
  // Writes rows by emit; those that share a writer in the order they were made.
  Status write(const Plan& plan, std::span<const MutSink> sinks, uint64_t version);
  // A second version writes to the same sinks: those of its plan that are there.
  void connect_beside(const Plan& plan) { connect(plan, beside_); }
  void disconnect_beside() { beside_.clear(); }
  // The rows of both, by the events that brought them about; of one event those of `main` come first.
  enum class Order : uint8_t { ByEvent, MainFirst };
  Status write_both(const OutletPart& main, const OutletPart& beside, Order order);
  // Whether one of them has more than the world takes: then no rows are run. Notes how long.
  bool hold_up(env::Env& env);
  void hurry();
  Status flush();
  Status close();
  uint64_t looked_rows() const { return looked_rows_; }
  void set_stamp(bool stamp) { stamp_ = stamp; }

 private:
  struct Connected {
    OutletBinding* binding = nullptr;
    std::unique_ptr<codec::Encoder> encoder;
    bool header_written = false;
    std::vector<size_t> sharing;  // other sinks with the same writer, itself included; empty: alone
    abi::TypeDescRef stamped;
  };
  struct PartRow {
    Connected* to = nullptr;
    const OutletPart* part = nullptr;
    uint32_t emit = 0;
    const char* row = nullptr;
  };
  OutletBinding* find(const std::string& sink);
  void connect(const Plan& plan, std::vector<Connected>& connected);
  static std::vector<PartRow> rows_of(const OutletPart& part, std::vector<Connected>& connected);
  // Of one writer, or of one sink of the host.
  Status write_rows(std::span<const PartRow> rows);
  void append_row(Connected& to, const Plan& plan, size_t sink, const char* row, uint64_t version);
  std::vector<OutletBinding> bindings_;
  std::vector<Connected> connected_;                            // by emit
  std::vector<Connected> beside_;                               // of a second version; empty: there is none
  std::vector<std::pair<std::string, codec::Format>> headers_;  // targets that have one
  text::Buffer text_;
  uint64_t looked_rows_ = 0;  // that went to taps
  bool stamp_;
};

}  // namespace mut::runtime
