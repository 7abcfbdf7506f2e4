// Taps: a version with a further stream and sink, which the user does not see as one.
#include "compiler/session/taps.h"

#include <algorithm>

#include "compiler/change/compare.h"
#include "compiler/session/engine_state.h"
#include "compiler/session/params.h"
#include "compiler/session/shards.h"
#include "compiler/syntax/parse.h"
#include "runtime/codec/json/writer.h"

namespace mut {
namespace session {

TapRows LiveTap::take() {
  TapRows out;
  std::lock_guard lock(mutex_);
  out.rows.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(waiting_.end()));
  waiting_.clear();
  waiting_bytes_ = 0;
  out.lost = lost_;
  if (ended_.empty()) return out;
  out.life = TapRows::Life::Ended;
  out.reason = ended_;
  return out;
}

bool LiveTap::ended() const {
  std::lock_guard lock(mutex_);
  return !ended_.empty();
}

void LiveTap::receive(const abi::TypeDesc& record, const char* rows, uint64_t count, uint64_t stride,
                      uint64_t version) {
  json::RowWriter writer(record);
  bool over = false;
  bool fresh = false;
  {
    std::lock_guard lock(mutex_);
    if (!ended_.empty()) return;
    fresh = waiting_.empty();
    for (uint64_t i = 0; i < count && !over; ++i) {
      if (waiting_bytes_ >= request_.queue_bytes) {  // nothing is written that nobody will read
        lost_ += count - i;
        break;
      }
      text_.clear();
      writer.append(rows + i * stride, text_);
      waiting_bytes_ += text_.size() + sizeof(TapRow);
      waiting_.push_back({version, std::string(text_.view())});
      ++given_;
      over = request_.limit != 0 && given_ == request_.limit;
    }
    if (over) ended_ = "limit reached";
  }
  if (fresh || over) ring();
}

void LiveTap::end(std::string reason) {
  {
    std::lock_guard lock(mutex_);
    if (!ended_.empty()) return;
    ended_ = std::move(reason);
  }
  ring();
}

void LiveTap::ring() {
  std::lock_guard lock(ready_mutex_);
  if (ready_) ready_();
}

void LiveTap::silence() {
  std::lock_guard lock(ready_mutex_);
  ready_ = nullptr;
}

// Built from two pieces of text, each of which must be just what it is asked to be.
Result<std::string> tap_text(const TapRequest& request) {
  std::string text = "stream t = " + request.stream;
  if (!request.where.empty()) text += " | where " + request.where;
  source::SourceSet sources;
  diag::Engine diags;
  ast::Program tree = syntax::parse(sources, sources.add("tap", text), diags);
  if (diags.has_errors()) return Error{diag::render_text(diags, sources, diag::Color::Never)};
  const auto* stream =
      tree.declarations.size() == 1 ? std::get_if<ast::StreamDecl>(&tree.declarations[0].node) : nullptr;
  size_t stages = request.where.empty() ? 0 : 1;
  bool fits = stream != nullptr && stream->pipeline.stages.size() == stages &&
              std::holds_alternative<ast::StreamHead>(stream->pipeline.head) &&
              (stages == 0 || std::holds_alternative<ast::WhereStage>(stream->pipeline.stages[0].node));
  if (!fits) return Error{"a tap is of one stream, `where` one condition: `" + text.substr(11) + "`"};
  return text;
}

}  // namespace session

std::shared_ptr<session::Program> Engine::State::with_taps_of(
    const session::Program& base, const std::shared_ptr<session::Program>& made) const {
  if (made->asked_taps == base.taps) return made;
  auto sources = std::make_shared<source::SourceSet>();
  diag::Engine diags;
  auto tapped = make_version(made->text, made->name(), sources, diags, base.taps);
  if (!tapped) return nullptr;
  // An import that came out otherwise may bring other params.
  return tapped->params.size() == made->params.size() ? session::with_params_from(*made, tapped) : tapped;
}

Outcome<bool> Engine::State::offer_same(const Base& base, const std::shared_ptr<session::Program>& edited) {
  change::CompareOptions compare;
  compare.policy = change::Policy::Live;  // what was there for a tap alone may go
  change::SwapPlan plan = change::compare(*base.program->graph, *edited->graph, compare);
  if (plan.outcome == change::SwapPlan::Outcome::Refused)
    return Failure{Failure::Kind::Refused, "the program as it runs cannot be tapped"};
  session::name_kept_keys(plan);
  // Of a tap that keeps state: what it reads might have to be in one shard.
  std::string stays = session::stays_in_shards(plan.migration, *base.program, *edited,
                                               [](const runtime::ParkId&) { return nullptr; });
  if (!stays.empty()) return Failure{Failure::Kind::Refused, "cannot be tapped: " + stays};
  auto made = session::with_params_of(*base.program, edited, plan.migration.params);
  Prepared ready;
  ready.origin = Prepared::Origin::Same;
  ready.report.version = base.version;
  auto kernels = kernels_for(*made, ready.report, &ready.optimised, notes);
  if (!kernels) return kernels.failure();
  ready.swap.version = base.version;
  ready.swap.migration = plan.migration;
  ready.swap.beside = runtime::PreparedSwap::Beside::Stays;
  ready.swap.migration.parks.clear();  // nobody will ask for it back
  ready.swap.sources.redeclared = plan.sources_redeclared;
  ready.swap.next = runner->make_instances(made->plan, kernels.value());
  auto opened = open_added(*base.program, *made, plan, ready.swap, ready.report.warnings);
  if (!opened) return opened.failure();
  ready.program = made;
  ready.kernels = std::move(kernels).value();
  ready.base = base.program;
  std::lock_guard lock(mutex);
  if (auto held = held_by_canary({})) return std::move(*held);
  if (base_after(prepared.size()).program != base.program) return false;
  prepared.push_back(std::move(ready));
  wake->notify();
  return true;
}

Outcome<Done> Engine::State::change_taps(
    const std::function<void(std::vector<session::TapStream>&)>& change) {
  let_waiting_shadow_go();
  while (true) {
    Base base;
    {
      std::lock_guard lock(mutex);
      if (auto held = held_by_canary({})) return *held;
      base = base_after(prepared.size());
    }
    std::vector<session::TapStream> wanted = base.program->taps;
    change(wanted);
    if (wanted == base.program->taps) return Done{};
    auto sources = std::make_shared<source::SourceSet>();
    diag::Engine diags;
    auto made = make_version(base.program->text, base.program->name(), sources, diags, wanted);
    if (!made)
      return Failure{Failure::Kind::Io, "what the script imports has changed: " + render(diags, *sources)};
    if (!made->lost_taps.empty()) return Failure{Failure::Kind::Script, made->lost_taps.back().second};
    auto offered = offer_same(base, made);
    if (!offered) return offered.failure();
    if (offered.value()) return Done{};
  }
}

void Engine::State::end_lost_taps() {
  std::vector<std::pair<std::shared_ptr<session::LiveTap>, std::string>> gone;
  {
    std::lock_guard lock(mutex);
    std::erase_if(taps, [&](const std::shared_ptr<session::LiveTap>& tap) {
      for (const auto& [lost, reason] : program->lost_taps) {
        if (lost != tap->stream().name) continue;
        gone.emplace_back(tap, "v" + std::to_string(program_version) + " has no such rows: " + reason);
        return true;
      }
      return false;
    });
  }
  for (auto& [tap, reason] : gone) tap->end(std::move(reason));
}

void Engine::State::end_taps(const std::string& reason) {
  std::vector<std::shared_ptr<session::LiveTap>> all;
  {
    std::lock_guard lock(mutex);
    all = taps;
  }
  for (const auto& tap : all) tap->end(reason);
}

Outcome<std::shared_ptr<Tap>> Engine::tap(TapRequest request) {
  State& s = *state_;
  if (!s.started) return Failure{Failure::Kind::Usage, "the engine was not started"};
  auto text = session::tap_text(request);
  if (!text) return Failure{Failure::Kind::Script, text.error().message};
  std::shared_ptr<session::LiveTap> made;
  {
    std::lock_guard lock(s.mutex);
    session::TapStream stream{"tap:" + std::to_string(++s.taps_made), std::move(text).value()};
    made = std::make_shared<session::LiveTap>(std::move(stream), std::move(request));
    s.taps.push_back(made);
  }
  auto added = s.change_taps([&](std::vector<session::TapStream>& all) { all.push_back(made->stream()); });
  if (added) return std::shared_ptr<Tap>(std::move(made));
  std::lock_guard lock(s.mutex);
  std::erase(s.taps, made);
  return added.failure();
}

Outcome<Done> Engine::untap(const std::shared_ptr<Tap>& tap) {
  State& s = *state_;
  auto live = std::dynamic_pointer_cast<session::LiveTap>(tap);
  if (!live) return Failure{Failure::Kind::Usage, "no tap of an engine"};
  live->end("taken off");
  live->silence();
  auto changed =
      s.change_taps([&](std::vector<session::TapStream>& all) { std::erase(all, live->stream()); });
  std::lock_guard lock(s.mutex);
  std::erase(s.taps, live);
  return changed;
}

}  // namespace mut
