#include "compiler/session/checkpoint/run.h"

#include <algorithm>

#include "compiler/session/history/digest.h"

namespace mut::session {
namespace {

// So long what an edit left to be converted is waited for; then it is converted at once.
constexpr int64_t taking_wait_ns = 3'000'000'000;

// Between two that are taken because somebody waits: at least so long, and so many times what the last took
// to write.
constexpr int64_t hurry_least_ns = 20'000'000;
constexpr int64_t hurry_share = 4;

template <typename Io, typename Pairs>
void pass_pairs(Io& io, Pairs& pairs) {
  state::pass_each(io, pairs, 16, [](Io& of, auto& pair) {
    of.text(pair.first);
    of.text(pair.second);
  });
}

template <typename Io, typename Script>
void pass_script(Io& io, Script& script) {
  io.text(script.given);
  io.text(script.text);
  io.text(script.name);
  pass_pairs(io, script.imports);
  pass_pairs(io, script.params);
  state::pass_values(io, script.version, script.shards, script.seed);
}

template <typename Io, typename Sink>
void pass_sink(Io& io, Sink& sink) {
  io.text(sink.path);
  io.text(sink.name);
  io.value(sink.bytes);
  state::pass_each(io, sink.undelivered, 24, [](Io& of, auto& each) {
    of.value(each.number);
    of.text(each.header);
    of.text(each.rows);
  });
}

}  // namespace

std::vector<std::pair<std::string, std::string>> imports_of(const Program& program) {
  std::vector<std::pair<std::string, std::string>> out;
  for (uint32_t i = 1; i < program.sources->file_count(); ++i) {
    const source::SourceFile& file = program.sources->file({i});
    if (!file.name().starts_with("std/")) out.emplace_back(file.name(), digest(file.text()));
  }
  std::sort(out.begin(), out.end());
  return out;
}

Result<std::unique_ptr<CheckpointRun>> CheckpointRun::open(env::Env& env, const std::string& path,
                                                           int64_t every_ns, env::EventCount* wake,
                                                           connector::Notices& notices,
                                                           std::shared_ptr<state::Spill> spill) {
  auto opened = spill ? checkpoint::StateDir::open(env, path, spill->resident_bytes_max() / 2)
                      : checkpoint::StateDir::open(env, path);
  if (!opened) return opened.error();
  auto newest = opened.value()->load_newest(spill);
  if (!newest) return newest.error();
  for (const std::string& refused : newest.value().refused)
    notices.say("a checkpoint is not used: " + refused);
  std::unique_ptr<CheckpointRun> out(new CheckpointRun(env, every_ns, notices, std::move(spill)));
  out->found_ = std::move(newest.value().checkpoint);
  if (out->found_) out->figures_.number = out->found_->number();
  out->writer_ = std::make_unique<checkpoint::Writer>(env, std::move(opened).value(), wake);
  out->begun_ns_ = env.monotonic_ns();
  (void)env.fail_points().at("checkpoint.found");
  return out;
}

Result<RecordedScript> CheckpointRun::script() const {
  state::Loader loader(found_->blocks("script"));
  RecordedScript out;
  pass_script(loader, out);
  if (!loader.fine() || loader.left() != 0) return Error{"its script cannot be read"};
  return out;
}

Result<std::vector<connector::SinkPlace>> CheckpointRun::sinks() const {
  state::Loader loader(found_->blocks("sinks"));
  std::vector<connector::SinkPlace> out;
  state::pass_each(loader, out, 24,
                   [](state::Loader& of, connector::SinkPlace& sink) { pass_sink(of, sink); });
  if (!loader.fine() || loader.left() != 0) return Error{"its outputs cannot be read"};
  return out;
}

CheckpointRun::Progressed CheckpointRun::progress_of(const runtime::Runner& runner) {
  return {runner.stats().records_in, runner.stats().rows_out, runner.version(),
          runner.feeds().inputs_begun()};
}

bool CheckpointRun::is_due(const runtime::Runner& runner) {
  if (ended_ || !writer_ || writer_->busy()) return false;
  int64_t now = env_.monotonic_ns();
  if (!wanted_ && now - begun_ns_ < every_ns_) return false;
  if (!wanted_ && !undelivered_ && last_ == progress_of(runner)) {
    begun_ns_ = now;
    return false;
  }
  if (!runner.at_boundary()) return false;
  if (!runner.is_taking()) return true;
  if (!waits_since_ns_) waits_since_ns_ = now;
  return now - *waits_since_ns_ > taking_wait_ns;
}

void CheckpointRun::hurry() {
  hurried_ = true;
  if (env_.monotonic_ns() >= hurry_from_ns()) wanted_ = true;
}

int64_t CheckpointRun::hurry_from_ns() const {
  return begun_ns_ + std::max(hurry_least_ns, hurry_share * figures_.write_ns);
}

int64_t CheckpointRun::retry_after_ns() const {
  if (!hurried_ || ended_ || !writer_ || writer_->busy()) return -1;
  return std::max<int64_t>(hurry_from_ns() - env_.monotonic_ns(), 0);
}

bool CheckpointRun::wants_output(const std::vector<KnownSink>& known_sinks) const {
  return wanted_ && !ended_ &&
         std::any_of(known_sinks.begin(), known_sinks.end(), [&](const KnownSink& sink) {
           if (outputs_.contains(sink.path)) return false;
           auto place = sink.writer->place();  // none of what is no file, or is only held
           return place && place.value();
         });
}

std::optional<uint64_t> CheckpointRun::tell_outcome() {
  if (!writer_) return std::nullopt;
  auto outcome = writer_->take_outcome();
  if (!outcome) return std::nullopt;
  if (outcome->done) {
    ++figures_.durable;
    figures_.number = outcome->number;
    figures_.written_bytes += outcome->written_bytes;
    figures_.state_bytes = outcome->named_bytes;
    figures_.write_ns = outcome->took_ns;
    settled_ = true;
    return outcome->number;
  }
  ++figures_.abandoned;
  why_abandoned_ = outcome->done.error().message;
  last_.reset();
  std::string stays = figures_.number == 0 ? "there is none before it"
                                           : "checkpoint " + std::to_string(figures_.number) + " stays";
  notices_.say_seldom("checkpoint",
                      "a checkpoint is abandoned: " + outcome->done.error().message + "; " + stays,
                      env_.monotonic_ns());
  // The directory stays ours as long as the run writes its outputs.
  if (outcome->is_last) ended_ = over_ = true;
  return std::nullopt;
}

Status CheckpointRun::take(runtime::Runner& runner, const RecordedScript& script,
                           const std::vector<KnownSink>& known_sinks) {
  if (ended_) return Unit{};
  int64_t begin = env_.thread_cpu_ns();
  begun_ns_ = env_.monotonic_ns();
  wanted_ = hurried_ = false;
  waits_since_ns_.reset();
  last_ = progress_of(runner);
  memory_.reset();
  state::Saver saver(memory_);
  checkpoint::Contents contents;
  contents.number = writer_->next_number();
  pass_script(saver, script);
  contents.sections.push_back({"script", saver.finish()});
  runner.save(saver, contents);
  if (!runner.error().message.empty()) return runner.error();
  // What cannot be cut back has to be out before the checkpoint counts.
  Status flushed = runner.flush();
  if (!flushed) return flushed;
  outputs_.clear();
  undelivered_ = false;
  std::vector<connector::SinkPlace> places;
  for (const KnownSink& sink : known_sinks) {
    auto place = sink.writer->place();
    if (!place && place.error().cause == Error::Cause::NoSpace) return give_up(place.error());
    if (!place) return place.error();
    if (place.value()) {
      outputs_.insert(sink.path);
      contents.sinks.push_back(*place.value());
      places.push_back(std::move(*place.value()));
      continue;
    }
    auto undelivered = sink.writer->undelivered(contents.number);
    std::string name = sink.writer->deliveries_name();
    if (undelivered.empty() && name.empty()) continue;
    undelivered_ = undelivered_ || !undelivered.empty();
    places.push_back({sink.path, std::move(name), 0, std::move(undelivered)});
  }
  state::pass_each(saver, places, 24,
                   [](state::Saver& of, const connector::SinkPlace& sink) { pass_sink(of, sink); });
  contents.sections.push_back({"sinks", saver.finish()});
  memory_.trim();
  (void)env_.fail_points().at("checkpoint.captured");
  settled_ = false;
  writer_->begin(std::move(contents));
  if (every_ns_ == 0) writer_->wait();
  int64_t pause = env_.thread_cpu_ns() - begin;
  ++figures_.taken;
  figures_.pause_ns += pause;
  figures_.pause_most_ns = std::max(figures_.pause_most_ns, pause);
  figures_.memory_bytes = memory_.bytes();
  return Unit{};
}

// Rows wait for a disk: there is none until they have gone.
Status CheckpointRun::give_up(const Error& why) {
  ++figures_.abandoned;
  why_abandoned_ = why.message;
  last_.reset();
  settled_ = false;
  return Unit{};
}

void CheckpointRun::wait() {
  if (writer_) writer_->wait();
}

}  // namespace mut::session
