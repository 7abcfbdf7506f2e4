// The reference interpreter: what a script means. Small, obvious and slow; the engine is compared with
// it. It shares the checked program and the texts of numbers and times with the engine, nothing else.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler/reference/flow.h"
#include "compiler/reference/source.h"
#include "compiler/reference/swap.h"

namespace mut::reference {

struct OutputLine {
  std::string text;    // JSON, or CSV where the sink says so
  std::string source;  // of the record that caused it
  uint64_t position = 0;
  uint64_t version = 1;
};

struct Options {
  std::function<int(source::Span)> line{};  // script line of a span, for `.errors`
  // Adds `$source`, `$position`, `$version` to JSON rows, for the ledger.
  bool stamp = false;
};

// One thread. Give every source its input by bind(), then run.
class Interpreter {
 public:
  Interpreter(std::shared_ptr<const typed::Program> program, Options options = {});

  // Before the source is read. A `generate` source needs none.
  void bind(const std::string& source, Feed feed);
  // After a swap: the source reads `feed`, called `now`, from its beginning, or from where it was when it was
  // left; what it has read so far is called `was`.
  void replace(const std::string& source, const std::string& was, const std::string& now, Feed feed);
  // Records since the start, by source.
  using Stops = std::map<std::string, uint64_t>;
  // Until each of those sources has given that many, and no more, or nothing is left.
  void run_until(const Stops& stops);
  // Reads all, then fires all.
  void run_to_end();
  // For tests and hosts, in the place of bind() and run_…(): reads all of `feed` as further records of the
  // source, which does not end. Lines count on over feeds of one name. What keeps it from being read, or "".
  std::string feed(const std::string& source, Feed feed);
  // Time of arrival of records whose source has no `time`.
  void set_time(int64_t time_ns) {
    now_ = time_ns;
    flow_->set_clock(time_ns);
  }
  // Raises every watermark, whatever the lateness.
  void raise_watermarks(int64_t time_ns) { flow_->raise_watermarks(time_ns); }
  // All sources end and everything fires.
  void end();

  // Exchanges the program between two events. Returns what needs a decision; when that is not empty
  // nothing has changed.
  std::vector<std::string> swap(std::shared_ptr<const typed::Program> program, const Consents& consents,
                                std::function<int(source::Span)> line = {});

  // Rows of a sink so far, in order; also of one that an edit has removed.
  const std::vector<OutputLine>& output(const std::string& sink) const;
  // Of all sinks together, in the order in which rows came.
  const std::vector<std::pair<std::string, OutputLine>>& outputs() const { return all_; }
  uint64_t version() const { return version_; }
  const Flow& flow() const { return *flow_; }
  // What kept a source from being read; empty when nothing did.
  std::string problem() const;

 private:
  std::unique_ptr<Flow> make_flow(std::shared_ptr<const typed::Program> program,
                                  std::function<int(source::Span)> line);
  void take_row(const typed::Program& program, size_t emit, const Event& row);
  void judge_arrival(const typed::Source& source, Record& record) const;
  // One record of the source that is next; false when nothing is left.
  bool step(const Stops& stops);

  Options options_;
  std::unique_ptr<Flow> flow_;
  uint64_t version_ = 1;
  uint64_t position(const std::string& source);
  std::map<std::string, SourceReader> readers_;
  std::map<std::string, SourceReader> left_;     // by what it is called
  std::map<std::string, uint64_t> read_before_;  // records that the source had when it began what it reads
  struct Fed {                                   // of a source: records so far, and lines of the newest input
    uint64_t records = 0;
    std::string input;
    uint64_t lines = 0;
  };
  std::map<std::string, Fed> fed_;
  int64_t now_ = 0;
  std::map<std::string, std::vector<OutputLine>> rows_;
  std::vector<std::pair<std::string, OutputLine>> all_;
};

}  // namespace mut::reference
