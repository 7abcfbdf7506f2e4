// The checkpoints of one run: when the next is due, what it holds, and what became of it.
#pragma once
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "compiler/session/connect.h"
#include "mutstream/engine.h"
#include "runtime/checkpoint/writer.h"
#include "runtime/graph/runner.h"

namespace mut::session {

// What a checkpoint says of the script that ran.
struct RecordedScript {
  std::string given;  // what the run was started with: an edit may have taken its place
  std::string text;
  std::string name;
  std::vector<std::pair<std::string, std::string>> imports;  // name, SHA-256 of the text
  std::vector<std::pair<std::string, std::string>> params;   // name, value as a script writes it
  uint64_t version = 1;
  uint32_t shards = 1;
  uint64_t seed = 0;  // of the hashes of keys
};

// Of what that program imports, but for the library.
std::vector<std::pair<std::string, std::string>> imports_of(const Program& program);

// Threads: that of the rows.
class CheckpointRun {
 public:
  // Locks the directory and reads its newest checkpoint. `notices`: those that are damaged. `wake` is rung
  // when one is durable or abandoned. In `spill`, which may be null, they are put together.
  static Result<std::unique_ptr<CheckpointRun>> open(env::Env& env, const std::string& path, int64_t every_ns,
                                                     env::EventCount* wake, connector::Notices& notices,
                                                     std::shared_ptr<state::Spill> spill);

  // ---- of the checkpoint that was found
  bool goes_on() const { return found_ != nullptr; }
  uint64_t found_number() const { return found_->number(); }
  Result<RecordedScript> script() const;
  // Outputs that it knows, whether the script has them or not.
  Result<std::vector<connector::SinkPlace>> sinks() const;
  const checkpoint::Loaded& found() const { return *found_; }
  // It was taken over.
  void forget_found() { found_.reset(); }

  // ---- of those to come
  // The next is due as soon as it can be: a version was taken.
  void want() { wanted_ = true; }
  // Somebody waits for the next: it is due when they have not become too dear.
  void hurry();
  // How long until one that was hurried is due, nanoseconds; negative: none was, or one is being written.
  int64_t retry_after_ns() const;
  // Whether that version writes to a file which no checkpoint knows yet: its length has to be durable before
  // its rows.
  bool wants_output(const std::vector<KnownSink>& known_sinks) const;
  // What comes now is brought about by the end of the input: none is taken any more.
  void end() { ended_ = true; }
  // Whether one is to be taken now; asks the runner whether it can be.
  bool is_due(const runtime::Runner& runner);
  // What the last one has come to is told, once. The number of one that is durable now, when it was not at
  // the last call.
  std::optional<uint64_t> tell_outcome();
  // Takes one. The writer is not busy; the runner stands at a boundary. Fails where a sink does.
  Status take(runtime::Runner& runner, const RecordedScript& script,
              const std::vector<KnownSink>& known_sinks);
  // Until the one that is being written is written.
  void wait();
  // What has happened is in the checkpoint that was loaded.
  void note_progress(const runtime::Runner& runner) { last_ = progress_of(runner); }
  // Whether anything has happened since the last one.
  bool has_news(const runtime::Runner& runner) const {
    return wanted_ || undelivered_ || last_ != progress_of(runner);
  }
  // Whether the last one that was begun is durable, as far as was heard.
  bool is_settled() const { return settled_; }
  // None can be taken any more: an output cannot be trusted.
  bool is_over() const { return over_; }
  // Whether another run could go on from here; else what the last outcome said.
  bool has_one() const { return figures_.number != 0; }
  const std::string& why_abandoned() const { return why_abandoned_; }
  struct Figures {
    uint64_t taken = 0;
    uint64_t abandoned = 0;
    uint64_t durable = 0;
    uint64_t number = 0;   // of the newest that is durable
    int64_t pause_ns = 0;  // processor time of the thread of the rows, all together
    int64_t pause_most_ns = 0;
    int64_t write_ns = 0;        // of the last one
    uint64_t written_bytes = 0;  // all together
    uint64_t state_bytes = 0;    // of the last one
    size_t memory_bytes = 0;     // that they are put together in
  };
  const Figures& figures() const { return figures_; }

 private:
  CheckpointRun(env::Env& env, int64_t every_ns, connector::Notices& notices,
                std::shared_ptr<state::Spill> spill)
      : env_(env), every_ns_(every_ns), notices_(notices), memory_(std::move(spill)) {}
  // What of the run changes when something happened.
  struct Progressed {
    uint64_t records = 0;
    uint64_t rows = 0;
    uint64_t version = 0;
    uint64_t inputs = 0;
    friend bool operator==(const Progressed&, const Progressed&) = default;
  };
  Status give_up(const Error& why);
  int64_t hurry_from_ns() const;  // by the steady clock
  static Progressed progress_of(const runtime::Runner& runner);

  env::Env& env_;
  int64_t every_ns_;
  connector::Notices& notices_;
  state::SavedMemory memory_;
  std::unique_ptr<checkpoint::Loaded> found_;
  std::unique_ptr<checkpoint::Writer> writer_;
  int64_t begun_ns_ = 0;  // by the steady clock
  bool wanted_ = false;
  std::set<std::string> outputs_;  // that the last one has, by their paths
  bool hurried_ = false;           // somebody waits for the next
  bool undelivered_ = false;       // the last one has rows that were on their way
  bool ended_ = false;
  bool over_ = false;
  bool settled_ = true;
  std::string why_abandoned_;
  std::optional<int64_t> waits_since_ns_;  // for what is left to be taken over
  std::optional<Progressed> last_;
  Figures figures_;
};

}  // namespace mut::session
