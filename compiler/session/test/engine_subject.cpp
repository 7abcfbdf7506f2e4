#include <map>

#include "compiler/session/test/subject.h"

namespace mut::session {
namespace {

Status status_of(const Outcome<Done>& done) {
  if (done) return Unit{};
  return Error{done.failure().text};
}

class EngineSubject final : public Subject {
 public:
  EngineSubject(std::unique_ptr<Engine> engine, const std::vector<std::string>& streams)
      : engine_(std::move(engine)), streams_(streams) {}

  Status start() {
    bind_taps();
    return status_of(engine_->start());
  }

  Status give(const std::string& source, TextRows rows) override {
    Status pushed = status_of(engine_->push_text(source, std::move(rows)));
    return pushed ? run_until(RunState::Idle) : pushed;
  }
  Status advance(int64_t time_ns) override { return status_of(engine_->advance(time_ns)); }
  Status end() override {
    engine_->stop();
    return run_until(RunState::Done);
  }

  Result<SwapOutcome> swap(const std::string& text, const std::vector<Consent>& accept) override {
    auto planned = engine_->swap({text, "", {}, accept});
    SwapOutcome out;
    if (!planned) {
      const Failure& failure = planned.failure();
      switch (failure.kind) {
        case Failure::Kind::Script:
          out.kind = SwapOutcome::Kind::Broken;
          break;
        case Failure::Kind::NoChange:
          out.kind = SwapOutcome::Kind::Unchanged;
          break;
        case Failure::Kind::NeedsDecision:
          out.kind = SwapOutcome::Kind::Undecided;
          break;
        case Failure::Kind::Refused:
          out.kind = SwapOutcome::Kind::Refused;
          break;
        default:
          return Error{failure.text};
      }
      out.text = failure.text;
      out.codes = failure.codes;
      out.cells = failure.cells;
      return out;
    }
    out.text = planned.value().plan;
    out.cells = planned.value().cells;
    std::optional<SwapReport> done;
    while (!(done = engine_->swap_done())) {
      RunState state = engine_->run();
      if (state == RunState::Failed) return Error{engine_->failure().text};
      if (state != RunState::Done) continue;
      done = engine_->swap_done();
      if (!done) return Error{"nothing reads a source: the program has ended before the swap"};
      break;
    }
    if (!done->refused.empty()) {
      out.kind = SwapOutcome::Kind::Refused;
      out.text = done->refused + "\n";
      out.codes = {diag::code_text(diag::Code::MigrateFails)};
    }
    Status settled = run_until(RunState::Idle);
    if (!settled) return settled.error();
    return out;
  }

  std::vector<std::string> take(const std::string& stream) override {
    return std::exchange(rows_[stream], {});
  }

 private:
  void bind_taps() {
    for (const std::string& stream : streams_) {
      (void)engine_->bind_text_sink("tap:" + stream, [this, stream](std::string_view lines) {
        while (!lines.empty()) {
          size_t end = lines.find('\n');
          rows_[stream].emplace_back(lines.substr(0, end));
          lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
        }
      });
    }
  }

  Status run_until(RunState wanted) {
    while (true) {
      RunState state = engine_->run();
      if (state == RunState::Failed) return Error{engine_->failure().text};
      if (state == wanted || state == RunState::Done) return Unit{};
    }
  }

  std::unique_ptr<Engine> engine_;
  std::vector<std::string> streams_;
  std::map<std::string, std::vector<std::string>> rows_;
};

}  // namespace

Result<std::unique_ptr<Subject>> make_engine_subject(const std::string& text, const std::string& name,
                                                     const std::vector<std::string>& streams) {
  EngineOptions options;
  options.tier = TierChoice::Quick;
  options.world = EngineOptions::World::Closed;
  options.clock = EngineOptions::Clock::Virtual;
  options.taps = streams;
  auto loaded = Engine::load(text, name, options);
  if (!loaded) return Error{loaded.failure().text};
  auto out = std::make_unique<EngineSubject>(std::move(loaded).value(), streams);
  Status started = out->start();
  if (!started) return started.error();
  return std::unique_ptr<Subject>(std::move(out));
}

}  // namespace mut::session
