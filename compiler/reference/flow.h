// One version of a program at work: its stages' state, its watermarks, and the order in which events
// and windows' results go through it. Rows come out through a function; no input is read here.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "compiler/reference/evaluate.h"
#include "compiler/reference/patterns.h"
#include "compiler/reference/source.h"
#include "compiler/reference/state.h"

namespace mut::reference {

// The record that is processed, or caused what is.
struct Origin {
  std::string source;
  uint64_t position = 0;
  std::string input;  // for `.errors`; empty for what a window gives
};

struct Event {
  Value::Parts fields;
  int64_t time = 0;
  Origin origin;
};

using StagePlace = std::pair<int, size_t>;  // stream, stage

void let_go_of_rest(const typed::Stage& stage, std::vector<HeldRow>& rows);

class Flow {
 public:
  // `line`: script line of a span. `emit`: a row reaches Program::emits[index].
  Flow(std::shared_ptr<const typed::Program> program, std::function<int(source::Span)> line,
       std::function<void(size_t emit, const Event& row)> emit);

  const typed::Program& program() const { return *program_; }
  const std::vector<Value>& params() const { return params_; }
  std::map<std::string, uint64_t> error_counts;
  // Events late for a stage, by "stream/stage".
  uint64_t late_count(const std::string& path) const;

  // One record: the watermark rises, what is due fires, then the event is processed (rule 8.2).
  void accept(size_t source, Record record);
  void finish_source(size_t source);
  void raise_watermarks(int64_t time);
  // The clock by which records arrive, and sources are silent.
  void set_clock(int64_t now_ns);
  // Everything fires, then `window all` gives its results. All sources are finished.
  void finish();
  // What an edit made due.
  void fire_due();

  // State by place, for a swap.
  StageState& state(StagePlace place) { return states_.at(place); }
  std::map<StagePlace, StageState>& states() { return states_; }
  int64_t watermark(int stream, size_t stage) const;
  // What a `process` holds of a key; without one what it begins with.
  ProcessGroup process_group(StagePlace place, const Key& key) const;
  // Takes over watermarks of sources and params' values of the version before.
  void continue_from(const Flow& old);
  // Drops what `over last` and `dedupe` have forgotten by now.
  void forget();

 private:
  struct Reader {
    enum class Kind : uint8_t { Stream, Route, Emit, Set, Join } kind = Kind::Stream;
    uint32_t declared = 0;
    size_t index = 0;
    size_t input = 0;
  };
  struct Step {  // what a stage made of an event
    std::vector<Event> rows;
    bool late = false;
  };
  struct Pending {
    std::optional<Value> value;
    int64_t time = no_time;  // of the newest value, applied or not
    int64_t tick = end_of_time;
  };

  void connect();
  void run(int stream, size_t stage, Event event);
  Step step(int stream, size_t stage, Event& event);
  Step flatten(const typed::Stage& stage, const Event& event);
  Step dedupe(StagePlace place, const Event& event);
  Step with_history(StagePlace place, const Event& event);
  Step running(StagePlace place, const Event& event);
  Step windowed(StagePlace place, const Event& event);
  Step counted(StagePlace place, const Event& event);
  void check_own_windows(StagePlace place, const Key& key, const Entry& entry);
  Step join(StagePlace place, size_t side, const Event& event);
  Step put(StagePlace place, const Event& event);
  Step look_up(StagePlace place, const Event& event);
  Step hold(StagePlace place, const Event& event);
  Step ranked(StagePlace place, HeldRow row);
  Event held_event(const typed::Stage& stage, const HeldRow& row, int64_t rank, const Stretch& window,
                   int64_t time) const;
  std::vector<Event> held_events(StagePlace place, std::vector<HeldRow> rows, const Stretch& window,
                                 int64_t time) const;
  Step count_held(StagePlace place, HeldRow row);
  std::vector<Event> counted_rows(StagePlace place, const Key& key, int64_t end) const;
  void finish_counted_rows(StagePlace place);
  int64_t next_held(StagePlace place) const;
  void give_held(StagePlace place, std::vector<HeldRow> rows, const Stretch& window, int64_t time);
  void fire_held(StagePlace place, int64_t due);
  void finish_held(StagePlace place);
  Step process(StagePlace place, const Event& event);
  int64_t next_timer(StagePlace place) const;
  void fire_timer(StagePlace place, int64_t due);
  Step follow(StagePlace place, const Event& event);
  const typed::Stage& table_of(StagePlace place) const;  // that an aggregate follows
  void settle_followers(int table, const Event& event);
  void give_followed(StagePlace place);
  int64_t next_forgotten(StagePlace place) const;
  void fire_forgotten(StagePlace place, int64_t due);
  Step match(StagePlace place, const Event& event);
  int64_t next_settled(StagePlace place) const;
  void settle(StagePlace place, int64_t now, std::vector<Event>& rows);
  void decide(StagePlace place, const Key& key, MatchGroup& group, int64_t now, std::vector<Event>& rows);
  bool holds(StagePlace place, const MatchGroup& group, int name, size_t event,
             const std::vector<BoundEvent>& bound);
  Value measure(StagePlace place, const MatchGroup& group, size_t index,
                const std::vector<BoundEvent>& bound) const;
  void select(StagePlace place, const Key& key, const MatchGroup& group, const std::vector<BoundEvent>& bound,
              std::vector<Event>& rows);
  void fire_match(StagePlace place, int64_t due);
  Step asof(StagePlace place, size_t side, const Event& event);
  std::vector<Event> decide_asof(StagePlace place, const JoinRow& left, int64_t now, const Event& cause);
  void join_right(StagePlace place, const Event& event);
  void fire_join(StagePlace place, int64_t due);
  void leave(int stream, const Event& event);
  void route(const typed::Route& route, const Event& event);
  void propose(size_t set, const Event& event);
  void send_error(int stream, const Event& event, std::string json, std::optional<std::string> raw,
                  const std::string& stage, source::Span span, const char* code);

  Scope scope_of(const Event& event) const;
  Key key_of(const std::vector<typed::ExprPtr>& keys, const Event& event) const;
  std::optional<Admitted> admit(const typed::AggregateCall& call, const Event& event) const;
  std::vector<Entry> visible(const typed::History& history, const std::vector<Entry>& stored,
                             const Entry& current) const;
  Value history_result(const typed::History& history, const std::vector<Entry>& stored,
                       const Entry& current) const;

  struct Result {
    Stretch window;
    Key key;
    std::vector<Entry> members;
    bool of_session = false;
  };
  int64_t next_close(StagePlace place) const;
  int64_t next_unmatched(StagePlace place) const;
  // What holds watermarks back: a source, or a stage that gives its rows at the end of the input.
  struct Brake {
    int source = -1;
    StagePlace end{-1, 0};
  };
  // By what holds back.
  struct Limits {
    std::vector<int64_t> sources;
    std::map<StagePlace, int64_t> ends;
  };
  bool waits_for_end(StagePlace place) const;
  // How far behind one of them the watermark at a stage is; nothing where it is not above it.
  std::optional<int64_t> held_back(int stream, size_t stage, const Brake& by) const;
  int64_t held_back(StagePlace place) const;
  Limits limits_while_firing(StagePlace place, int64_t due);
  void reach_all();
  int64_t watermark_of(size_t source) const;
  // Whether sources that are silent for longer than they may count.
  enum class Silent : uint8_t { LeftOut, Counted };
  int64_t least_above(int stream, size_t stage, Silent silent) const;
  // The watermark of a source that is not idle any more.
  int64_t woken(size_t source) const;
  bool fires(StagePlace place) const;
  int64_t due(StagePlace place) const;
  void plan_tick(StagePlace place, int64_t time);
  void fire_tick(StagePlace place, int64_t tick);
  void fire_counted_tick(StagePlace place, int64_t tick);
  static bool is_told(const std::vector<Entry>& entries);
  void fire(StagePlace place, int64_t end);
  void give(StagePlace place, const Result& result, int64_t time);
  void give_all(StagePlace place);
  static std::vector<Entry> counted_window(const typed::Stage& stage, const std::vector<Entry>& events,
                                           int64_t end);
  void give_counted(StagePlace place, const Key& key, const std::vector<Entry>& members);
  enum class Rest : uint8_t { OfSources, OfResults };  // where a count window has its events from
  void finish_counts(Rest rest, size_t ending);
  bool waits_above(int stream, size_t stage) const;
  std::vector<Result> results_of(StagePlace place, int64_t end);
  void drop_closed(StagePlace place);
  bool is_closed(StagePlace place, int64_t end, int64_t grace) const;
  const typed::Stage& stage_at(StagePlace place) const;

  std::shared_ptr<const typed::Program> program_;
  std::function<int(source::Span)> line_;
  std::function<void(size_t, const Event&)> emit_;
  std::vector<std::vector<Reader>> readers_;  // by stream
  std::map<StagePlace, StageState> states_;
  mutable std::map<StagePlace, int64_t> known_due_;
  std::vector<Value> params_;
  std::vector<Pending> pending_;
  std::vector<int64_t> newest_;      // by source: greatest event time
  std::vector<int64_t> watermarks_;  // by source: never falls
  Limits reached_;                   // the watermarks that what has flowed so far has seen
  std::vector<char> finished_;
  int64_t clock_ = no_time;
  std::vector<int64_t> silent_since_;  // by source; no_time: the clock has not begun
  std::vector<char> idle_;             // by source: it holds no watermark back
  // By source: what flows was caused by something that was due right behind this; empty: by an event.
  Limits firing_limits_;
  Origin cause_;
};

}  // namespace mut::reference
