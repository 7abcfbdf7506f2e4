// A start from a checkpoint, and checkpoints while an engine runs.
#include <algorithm>

#include "compiler/session/checkpoint/guarantees.h"
#include "compiler/session/checkpoint/run.h"
#include "compiler/session/engine_state.h"
#include "compiler/session/params.h"
#include "compiler/session/report.h"
#include "runtime/connector/file/file_sink.h"

namespace mut {
namespace {

// Between two looks at sinks that still send.
constexpr int64_t sink_look_ns = 2'000'000;

// Whether one of them delivers by checkpoints.
bool commits(const std::vector<session::KnownSink>& sinks) {
  return std::any_of(sinks.begin(), sinks.end(), [](const session::KnownSink& sink) {
    return sink.writer->after_crash() == connector::SinkWriter::AfterCrash::Commits;
  });
}

Failure io(const Error& error) { return {Failure::Kind::Io, error.message}; }

}  // namespace

// The program becomes the one that the checkpoint was taken of.
Outcome<Done> Engine::State::open_checkpoints() {
  if (options.clock == EngineOptions::Clock::Virtual || closed())
    return Failure{Failure::Kind::Usage, "state_dir: not with a virtual clock or a closed world"};
  auto opened = session::CheckpointRun::open(*env, options.state_dir, options.checkpoint_every_ns, wake.get(),
                                             *messages, spill);
  if (!opened) return io(opened.error());
  checkpoints = std::move(opened).value();
  given_text = program->text;
  if (!checkpoints->goes_on()) return Done{};
  const std::string of = options.state_dir + ": checkpoint " + std::to_string(checkpoints->found_number());
  auto recorded = checkpoints->script();
  if (!recorded) return io(recorded.error().within(of));
  const session::RecordedScript& script = recorded.value();
  if (script.shards != options.shards) {
    return Failure{Failure::Kind::Usage, of + " was taken with " + std::to_string(script.shards) +
                                             " shards, and state does not go over to " +
                                             std::to_string(options.shards) + ": run it with --shards " +
                                             std::to_string(script.shards)};
  }
  auto sources = std::make_shared<source::SourceSet>();
  diag::Engine diags;
  auto made = make_version(script.text, script.name, sources, diags);
  if (!made)
    return Failure{Failure::Kind::Script,
                   of + " was taken of a script that is not accepted any more:\n" + render(diags, *sources),
                   session::error_codes(diags)};
  if (session::imports_of(*made) != script.imports) {
    return Failure{
        Failure::Kind::Usage,
        of + ": a file that its script imports is not what it was; put it back, start, and edit the "
             "script then"};
  }
  for (const auto& [param, value] : script.params) {
    auto known = std::find_if(made->params.begin(), made->params.end(),
                              [&](const auto& other) { return other.first == param; });
    if (known == made->params.end() || known->second == value) continue;
    auto changed = session::with_param(*made, param, value);
    if (!changed) return Failure{Failure::Kind::Io, of + ": " + changed.failure().text};
    made = std::move(changed).value();
  }
  // What the run is started with is an edit, unless it is what that run was started with, or what ran.
  if (given_text != script.given && given_text != script.text) edit_at_start = {given_text, name};
  program = std::move(made);
  // A file of versions goes on with its own numbers.
  if (!history.has_file()) versions = program_version = script.version;
  restored_seed = script.seed;
  return Done{};
}

// Outputs go on where they were, as far as the checkpoint knows; nothing is cut off yet.
Outcome<Done> Engine::State::resume_sinks() {
  auto places = checkpoints->sinks();
  if (!places) return io(places.error());
  std::lock_guard lock(sinks_mutex);
  known_sinks.clear();
  for (const connector::SinkPlace& place : places.value()) {
    if (!place.undelivered.empty() || !place.name.empty()) {
      resume_delivery(place);
      continue;
    }
    bool used = std::any_of(
        program->typed->emits.begin(), program->typed->emits.end(),
        [&](const auto& emit) { return session::sink_target(emit, bindings).ends_with(":" + place.path); });
    std::shared_ptr<connector::SinkWriter> writer = connector::make_file_sink(*env, place.path, messages);
    Status resumed = writer->resume(place);
    if (!resumed && used) return io(resumed.error());
    // An earlier version wrote it; what became of it since is not ours to say.
    if (!resumed) continue;
    known_sinks.push_back({place.path, std::move(writer)});
  }
  return Done{};
}

// The script is the one that ran: it has the sink, but for one that an edit had just let go.
void Engine::State::resume_delivery(const connector::SinkPlace& place) {
  for (const typed::Emit& emit : program->typed->emits) {
    auto writer = session::make_network_sink(surroundings(), emit, bindings, place);
    if (!writer) continue;
    known_sinks.push_back({place.path, std::move(writer)});
    return;
  }
  size_t bytes = 0;
  for (const connector::Undelivered& each : place.undelivered) bytes += each.rows.size();
  if (bytes == 0) return;
  messages->say(std::to_string(bytes) + " bytes of rows that " + place.path.substr(0, place.path.find('\n')) +
                " had not taken are given up: the script that ran has no such sink");
}

Outcome<Done> Engine::State::restore() {
  Status loaded = runner->load(checkpoints->found());
  const std::string of = "checkpoint " + std::to_string(checkpoints->found_number());
  if (!loaded) return io(loaded.error().within(options.state_dir + ": " + of));
  (void)env->fail_points().at("checkpoint.state_restored");
  {
    std::lock_guard lock(sinks_mutex);
    for (const session::KnownSink& sink : known_sinks) {
      Status cut = sink.writer->cut_back();
      if (!cut) return io(cut.error());
      (void)env->fail_points().at("checkpoint.cut_back");
    }
  }
  std::string at;
  for (const runtime::SourceCount& count : runner->feeds().positions())
    at += " " + count.source + ":" + std::to_string(count.records);
  messages->say("v" + std::to_string(runner->version()) + " goes on from " + of + " at" + at);
  checkpoints->forget_found();
  checkpoints->note_progress(*runner);
  (void)env->fail_points().at("checkpoint.restored");
  return Done{};
}

Outcome<Done> Engine::State::tell_guarantees(const std::vector<connector::SourceReader::AfterCrash>& sources,
                                             const std::vector<runtime::OutletBinding>& outlets) {
  std::vector<connector::SinkWriter::AfterCrash> sinks;
  for (const runtime::OutletBinding& outlet : outlets) {
    sinks.push_back(outlet.writer ? outlet.writer->after_crash() : connector::SinkWriter::AfterCrash::Stays);
  }
  std::vector<session::PathGuarantee> paths = session::guarantees_of(*program, sources, sinks);
  std::string broken = session::broken_demand(*program, paths);
  if (!broken.empty()) return Failure{Failure::Kind::Usage, broken};
  std::string told = session::guarantees_text(paths);
  if (!told.empty()) messages->say(std::move(told));
  return Done{};
}

Outcome<Done> Engine::State::check_demands(const session::Program& made) const {
  if (checkpoints || closed()) return Done{};
  std::string asked = session::demand_of_checkpoints(made);
  if (asked.empty()) return Done{};
  return Failure{Failure::Kind::Usage, asked};
}

bool Engine::State::take_checkpoint() {
  session::RecordedScript script;
  {
    std::lock_guard lock(mutex);
    script = {given_text,      program->text,   program->name(), session::imports_of(*program),
              program->params, program_version, options.shards,  runner->seed()};
  }
  std::lock_guard lock(sinks_mutex);
  Status taken = checkpoints->take(*runner, script, known_sinks);
  if (taken) return true;
  failure = io(taken.error());
  return false;
}

Outcome<Done> Engine::State::make_edit_at_start(Engine& engine) {
  auto edited = engine.swap({edit_at_start->text, edit_at_start->name, {}, options.state_accept});
  if (edited)
    messages->say("the script is an edit of the one that the checkpoint was taken of:\n" +
                  edited.value().plan);
  if (edited || edited.failure().kind == Failure::Kind::NoChange) return Done{};
  started = false;
  Failure why = edited.failure();
  if (why.kind != Failure::Kind::Script)
    why.text = "the script is an edit of the one that the checkpoint was taken of, and cannot be taken so\n" +
               why.text;
  return why;
}

Outcome<Done> Engine::State::begin_checkpoints() {
  if (!take_checkpoint()) return failure;
  checkpoints->wait();
  hear_of_checkpoint();
  if (checkpoints->has_one()) return Done{};
  return Failure{Failure::Kind::Io,
                 options.state_dir + ": no checkpoint can be written there: " + checkpoints->why_abandoned()};
}

void Engine::State::hear_of_checkpoint() {
  auto durable = checkpoints->tell_outcome();
  if (!durable) return;
  runner->acknowledge_saved();
  std::lock_guard lock(sinks_mutex);
  for (const session::KnownSink& sink : known_sinks) sink.writer->commit(*durable);
}

bool Engine::State::care_for_checkpoints() {
  hear_of_checkpoint();
  bool output = false;
  {
    std::lock_guard lock(sinks_mutex);
    bool full = std::any_of(known_sinks.begin(), known_sinks.end(),
                            [](const auto& sink) { return sink.writer->wants_checkpoint(); });
    // What waits for a disk is in no output that a checkpoint could name.
    if (std::any_of(known_sinks.begin(), known_sinks.end(),
                    [](const auto& sink) { return sink.writer->is_out_of_space(); }))
      return true;
    if (full) checkpoints->hurry();
    if (checkpoints->is_over() && !runner->was_stopped()) {
      bool waits = full || runner->feeds().is_waited_for() || commits(known_sinks);
      if (waits) {
        failure = io(
            {"no further checkpoint can be taken, and rows wait for one: " + checkpoints->why_abandoned()});
        return false;
      }
    }
    if (runner->feeds().is_waited_for()) checkpoints->hurry();
    output = checkpoints->wants_output(known_sinks);
  }
  if (!output || !runner->at_boundary()) return !checkpoints->is_due(*runner) || take_checkpoint();
  // The exchange was a turn of its own: no row has been written there.
  checkpoints->wait();
  hear_of_checkpoint();
  if (!take_checkpoint()) return false;
  checkpoints->wait();
  hear_of_checkpoint();
  return true;
}

bool Engine::State::delivers_by_number() {
  std::lock_guard lock(sinks_mutex);
  return commits(known_sinks);
}

Status Engine::State::close_sinks() {
  using End = connector::RunEnd;
  // Of a run that fails another one makes again what no checkpoint has.
  bool whole = came_to_end && (!checkpoints || checkpoints->is_settled());
  std::vector<session::KnownSink> all;
  {
    std::lock_guard lock(sinks_mutex);
    all = known_sinks;
  }
  for (const session::KnownSink& sink : all) sink.writer->end_run(whole ? End::Whole : End::Broken);
  Status out = runner->close();
  if (out && came_to_end && !whole && commits(all)) {
    out = Error{"the last checkpoint could not be taken (" + checkpoints->why_abandoned() +
                "): rows that waited for it have not gone out; the next run makes them again"};
  }
  for (const session::KnownSink& sink : all) {
    Status closed = sink.writer->close();
    if (out) out = std::move(closed);
  }
  return out;
}

// What is on its way arrives before the last checkpoint, which would have it sent again.
Status Engine::State::wait_for_sinks() {
  size_t before = 0;
  int64_t since_ns = env->monotonic_ns();
  while (true) {
    size_t bytes = 0;
    Status flushed = runner->flush();
    {
      std::lock_guard lock(sinks_mutex);
      for (const session::KnownSink& sink : known_sinks) {
        // One that an edit has closed is flushed by nobody else.
        if (flushed && sink.writer->is_out_of_space()) flushed = sink.writer->flush();
        bytes += sink.writer->waiting_bytes();
      }
    }
    if (!flushed) return flushed;
    if (bytes == 0) return Unit{};
    int64_t now_ns = env->monotonic_ns();
    if (bytes != before) since_ns = now_ns;
    if (now_ns - since_ns >= connector::drain_wait_ns) return Unit{};
    before = bytes;
    env->sleep(sink_look_ns);
  }
}

// All sources have ended, or the run is stopped: what another run goes on from is before what the end brings
// about, so that it comes once, at the end that lasts.
bool Engine::State::end_input() {
  bool fine = true;
  if (checkpoints) {
    checkpoints->wait();
    hear_of_checkpoint();
    Status arrived = wait_for_sinks();
    if (!arrived) {
      failure = io(arrived.error());
      return false;
    }
    // Where nothing has happened since the last one, what the end brings about is known by that.
    bool needed = checkpoints->has_news(*runner) || !delivers_by_number();
    if (runner->at_boundary() && needed) fine = take_checkpoint();
    // What came since the last one is in no checkpoint.
    if (!runner->at_boundary() && runner->was_stopped())
      messages->say("no checkpoint is taken at the end: a canary runs; the one before stays");
    checkpoints->end();
  }
  came_to_end = fine;
  runner->end_input(runner->was_stopped() ? runtime::Runner::End::Leave : runtime::Runner::End::Finish);
  return fine;
}

}  // namespace mut
