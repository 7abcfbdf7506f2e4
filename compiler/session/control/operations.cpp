#include "compiler/session/control/operations.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <future>

#include "compiler/diagnostics/diagnostics.h"
#include "compiler/session/control/replies.h"
#include "mutstream/tooling.h"

namespace mut::session {
namespace {

constexpr size_t taps_max = 16;  // of one client
// How long a reply to `swap` waits for the cut, unless the request says otherwise.
constexpr uint64_t wait_ms_default = 5'000;
constexpr uint64_t wait_ms_max = 60'000;
constexpr uint64_t look_again_ms = 20;

Failure wrong(std::string text) { return {Failure::Kind::Usage, std::move(text)}; }

std::string head(const std::string& id) {
  return fmt::format(R"({{"v":{}{})", control_version, id.empty() ? "" : ",\"id\":" + id);
}

std::string failed(const std::string& id, const Failure& failure) {
  return head(id) + ",\"ok\":false,\"error\":" + failure_json(failure) + "}";
}

// A text that a request must have.
Outcome<std::string> text_of(const JsonValue& request, std::string_view name) {
  const JsonValue* value = request.find(name);
  if (value == nullptr) return wrong(fmt::format("`{}` is missing", name));
  auto text = value->as_text();
  if (!text) return wrong(fmt::format("`{}` is no text", name));
  return *text;
}

// The same where it may be absent.
Outcome<std::string> text_or(const JsonValue& request, std::string_view name, std::string otherwise) {
  return request.find(name) == nullptr ? Outcome<std::string>(std::move(otherwise)) : text_of(request, name);
}

Outcome<uint64_t> count_or(const JsonValue& request, std::string_view name, uint64_t otherwise) {
  const JsonValue* value = request.find(name);
  if (value == nullptr) return otherwise;
  auto count = value->as_count();
  if (!count) return wrong(fmt::format("`{}` is no count", name));
  return *count;
}

}  // namespace

Outcome<std::vector<Consent>> read_consents(const JsonValue& request) {
  std::vector<Consent> out;
  const JsonValue* list = request.find("accept");
  if (list == nullptr) return out;
  if (list->kind != JsonValue::Kind::List) return wrong("`accept` is no list");
  for (const JsonValue& item : list->items) {
    std::string text = item.as_text().value_or("");
    size_t colon = text.find(':');
    if (colon == std::string::npos || colon == 0 || colon + 1 == text.size())
      return wrong("`accept` is a list of texts \"VERDICT:CELL\"");
    out.push_back({text.substr(0, colon), text.substr(colon + 1)});
  }
  return out;
}

Outcome<std::vector<SourceCut>> read_cuts(const JsonValue& request) {
  std::vector<SourceCut> out;
  const JsonValue* list = request.find("at");
  if (list == nullptr) return out;
  if (list->kind != JsonValue::Kind::List) return wrong("`at` is no list");
  for (const JsonValue& item : list->items) {
    auto source = text_of(item, "source");
    const JsonValue* records = item.find("records");
    auto count = records == nullptr ? std::nullopt : records->as_count();
    if (!source || !count) return wrong("`at` is a list of {\"source\":…,\"records\":…}");
    out.push_back({source.value(), *count});
  }
  return out;
}

ControlOperations::~ControlOperations() {
  for (auto& [number, open] : taps_) (void)engine_.untap(open.tap);
  if (profile_ != 0) (void)engine_.end_profile(profile_);
}

std::string ControlOperations::refuse(std::string_view why) { return failed("", wrong(std::string(why))); }

std::string ControlOperations::answer(std::string_view line) {
  std::string problem;
  auto request = parse_json(line, problem);
  if (!request) return failed("", wrong("no JSON: " + problem));
  if (request->kind != JsonValue::Kind::Object) return failed("", wrong("a request is an object"));
  std::string id;
  if (const JsonValue* given = request->find("id")) {
    bool plain = given->kind == JsonValue::Kind::Text || given->kind == JsonValue::Kind::Number;
    if (!plain) return failed("", wrong("`id` is no text and no number"));
    id = to_json(*given);
  }
  const JsonValue* version = request->find("v");
  if (version == nullptr || version->as_int() != control_version)
    return failed(
        id, wrong(fmt::format("this speaks version {}: write \"v\":{}", control_version, control_version)));
  auto op = text_of(*request, "op");
  if (!op) return failed(id, op.failure());
  Reply reply = run(op.value(), *request);
  if (!reply) return failed(id, reply.failure());
  return head(id) + ",\"ok\":true" + reply.value() + "}";
}

ControlOperations::Reply ControlOperations::run(const std::string& op, const JsonValue& request) {
  if (op == "hello") return hello();
  if (op == "list") return list();
  if (op == "script") return script();
  if (op == "plan") return plan(request);
  if (op == "swap") return swap(request);
  if (op == "undo") return step(request, &Engine::undo);
  if (op == "redo") return step(request, &Engine::redo);
  if (op == "history") return history(request);
  if (op == "shadow") return shadow(request);
  if (op == "shadow_report") return shadow_report();
  if (op == "shadow_end") return end_shadow();
  if (op == "promote") return promote(request);
  if (op == "canary") return canary(request);
  if (op == "canary_report") return canary_report();
  if (op == "canary_complete") return close_canary(request, &Engine::complete_canary);
  if (op == "canary_end") return close_canary(request, &Engine::end_canary);
  if (op == "profile") return begin_profile();
  if (op == "profile_report") return profile_report();
  if (op == "profile_end") return end_profile();
  if (op == "set") return set(request);
  if (op == "tap") return tap(request);
  if (op == "untap") return untap(request);
  if (op == "state") return state(request);
  if (op == "why") return why(request);
  if (op == "stats") return stats();
  return wrong("no operation `" + op + "`");
}

ControlOperations::Reply ControlOperations::hello() const {
  Script script = engine_.script();
  return fmt::format(R"(,"mutc":{},"script":{},"version":{})", json_quoted(version_text()),
                     json_quoted(script.name), script.version);
}

ControlOperations::Reply ControlOperations::list() const { return "," + figures_json(engine_.inspect()); }

ControlOperations::Reply ControlOperations::stats() const { return list(); }

ControlOperations::Reply ControlOperations::script() const {
  Script script = engine_.script();
  return fmt::format(R"(,"text":{},"name":{},"version":{})", json_quoted(script.text),
                     json_quoted(script.name), script.version);
}

Outcome<SwapRequest> ControlOperations::read_edit(const JsonValue& request) const {
  Script runs = engine_.script();
  SwapRequest out;
  auto base = count_or(request, "base", runs.version);
  if (!base) return base.failure();
  if (base.value() != runs.version) {
    return Failure{Failure::Kind::Refused, fmt::format("v{} is newer than v{}, which this was made from",
                                                       runs.version, base.value())};
  }
  auto name = text_or(request, "name", runs.name);
  auto accept = read_consents(request);
  auto at = read_cuts(request);
  if (!name) return name.failure();
  if (!accept) return accept.failure();
  if (!at) return at.failure();
  out.name = name.value();
  out.accept = accept.value();
  out.at = at.value();
  bool whole = request.find("text") != nullptr;
  bool parts = request.find("define") != nullptr || request.find("remove") != nullptr;
  if (whole == parts) return wrong("write either `text`, or `define` and `remove`");
  if (whole) {
    auto text = text_of(request, "text");
    if (!text) return text.failure();
    out.text = text.value();
    return out;
  }
  auto define = text_or(request, "define", "");
  if (!define) return define.failure();
  std::vector<std::string> remove;
  if (const JsonValue* names = request.find("remove")) {
    for (const JsonValue& item : names->items) {
      if (!item.as_text()) return wrong("`remove` is a list of names");
      remove.push_back(*item.as_text());
    }
  }
  auto edited = edit_script(runs.text, define.value(), remove, {});
  if (!edited) return edited.failure();
  out.text = std::move(edited.value().text);
  return out;
}

ControlOperations::Reply ControlOperations::plan(const JsonValue& request) {
  uint64_t base = engine_.script().version;
  auto edit = read_edit(request);
  if (!edit) return edit.failure();
  auto planned = engine_.plan(edit.value());
  if (!planned) return planned.failure();
  constexpr std::string_view judged[] = {"applicable", "no_change", "needs_decision", "refused"};
  const PlanReport& report = planned.value();
  return fmt::format(R"(,"base":{},"judged":"{}","plan":{},"cells":{},"codes":{},"warnings":{})", base,
                     judged[static_cast<size_t>(report.judged)], json_quoted(report.plan),
                     cells_json(report.cells), texts_json(report.codes), json_quoted(report.warnings));
}

ControlOperations::Reply ControlOperations::settle(const JsonValue& request,
                                                   const std::function<Outcome<SwapReport>(Settled)>& offer) {
  auto wait_ms = count_or(request, "wait_ms", wait_ms_default);
  if (!wait_ms) return wait_ms.failure();
  // Shared with the engine: the report may come when nobody waits any more.
  auto settled = std::make_shared<std::promise<SwapReport>>();
  std::future<SwapReport> report = settled->get_future();
  Outcome<SwapReport> offered = offer([settled](const SwapReport& done) { settled->set_value(done); });
  if (!offered) return offered.failure();
  bool taken = false;
  for (uint64_t waited = 0; !taken && !over_() && waited < std::min(wait_ms.value(), wait_ms_max);
       waited += look_again_ms)
    taken = report.wait_for(std::chrono::milliseconds(look_again_ms)) == std::future_status::ready;
  SwapReport done = taken ? report.get() : offered.value();
  if (!done.refused.empty())
    return Failure{
        Failure::Kind::Refused, done.refused + "\n", {diag::code_text(diag::Code::MigrateFails)}, done.cells};
  return report_json(done, taken && done.superseded_by == 0 ? Taken::Yes : Taken::NotYet);
}

ControlOperations::Reply ControlOperations::swap(const JsonValue& request) {
  auto edit = read_edit(request);
  if (!edit) return edit.failure();
  return settle(request, [&](std::function<void(const SwapReport&)> settled) {
    edit.value().settled = std::move(settled);
    return engine_.swap(edit.value());
  });
}

ControlOperations::Reply ControlOperations::step(const JsonValue& request,
                                                 Outcome<SwapReport> (Engine::*back)(const UndoRequest&)) {
  auto accept = read_consents(request);
  auto at = read_cuts(request);
  if (!accept) return accept.failure();
  if (!at) return at.failure();
  return settle(request, [&](std::function<void(const SwapReport&)> settled) {
    UndoRequest undo;
    undo.accept = accept.value();
    undo.at = at.value();
    undo.settled = std::move(settled);
    return (engine_.*back)(undo);
  });
}

ControlOperations::Reply ControlOperations::history(const JsonValue& request) const {
  std::vector<VersionRecord> records = engine_.history();
  const JsonValue* version = request.find("version");
  if (version == nullptr) return ",\"versions\":" + records_json(records, RecordText::Without);
  auto number = version->as_count();
  std::erase_if(records, [&](const VersionRecord& record) { return record.version != number; });
  if (records.empty()) return wrong("no such `version` is known");
  return ",\"versions\":" + records_json(records, RecordText::With);
}

ControlOperations::Reply ControlOperations::set(const JsonValue& request) {
  auto param = text_of(request, "param");
  auto value = text_of(request, "value");
  auto at = read_cuts(request);
  if (!param) return param.failure();
  if (!value) return value.failure();
  if (!at) return at.failure();
  return settle(request, [&](std::function<void(const SwapReport&)> settled) -> Outcome<SwapReport> {
    auto done = engine_.set_param(param.value(), value.value(), at.value(), std::move(settled));
    if (!done) return done.failure();
    return SwapReport{};
  });
}

ControlOperations::Reply ControlOperations::tap(const JsonValue& request) {
  auto stream = text_of(request, "stream");
  auto where = text_or(request, "where", "");
  auto limit = count_or(request, "limit", 0);
  if (!stream) return stream.failure();
  if (!where) return where.failure();
  if (!limit) return limit.failure();
  if (taps_.size() >= taps_max) return wrong(fmt::format("a client has {} taps at most", taps_max));
  TapRequest asked;
  asked.stream = stream.value();
  asked.where = where.value();
  asked.limit = limit.value();
  asked.ready = ring_;
  auto made = engine_.tap(std::move(asked));
  if (!made) return made.failure();
  taps_[++taps_made_] = {std::move(made).value()};
  return fmt::format(R"(,"tap":{})", taps_made_);
}

ControlOperations::Reply ControlOperations::untap(const JsonValue& request) {
  const JsonValue* number = request.find("tap");
  auto count = number == nullptr ? std::nullopt : number->as_count();
  auto known = taps_.find(count.value_or(0));
  if (known == taps_.end()) return wrong("`tap` is no number of a tap that lives");
  auto done = engine_.untap(known->second.tap);
  taps_.erase(known);
  if (!done) return done.failure();
  return std::string();
}

ControlOperations::Reply ControlOperations::state(const JsonValue& request) const {
  auto stream = text_of(request, "stream");
  auto key = text_or(request, "key", "");
  if (!stream) return stream.failure();
  if (!key) return key.failure();
  auto cells = engine_.state(stream.value(), key.value());
  if (!cells) return cells.failure();
  return ",\"state\":" + cells.value();
}

ControlOperations::Reply ControlOperations::why(const JsonValue& request) const {
  auto stream = text_of(request, "stream");
  if (!stream) return stream.failure();
  auto text = engine_.why(stream.value());
  if (!text) return text.failure();
  return ",\"text\":" + json_quoted(text.value());
}

std::string ControlOperations::take_events(size_t bytes) {
  for (auto open = taps_.begin(); open != taps_.end() && events_.size() < bytes;) {
    TapRows rows = open->second.tap->take();
    for (const TapRow& row : rows.rows) {
      events_ += fmt::format("{{\"v\":{},\"event\":\"row\",\"tap\":{},\"version\":{},\"row\":{}}}\n",
                             control_version, open->first, row.version, row.json);
    }
    if (rows.lost > open->second.lost_told) {
      events_ += fmt::format("{{\"v\":{},\"event\":\"lost\",\"tap\":{},\"rows\":{}}}\n", control_version,
                             open->first, rows.lost - open->second.lost_told);
      open->second.lost_told = rows.lost;
    }
    if (rows.life == TapRows::Life::Lives) {
      ++open;
      continue;
    }
    events_ += fmt::format("{{\"v\":{},\"event\":\"end\",\"tap\":{},\"reason\":{}}}\n", control_version,
                           open->first, json_quoted(rows.reason));
    (void)engine_.untap(open->second.tap);
    open = taps_.erase(open);
  }
  // Whole lines, as many as there is room for; one at least.
  size_t end = events_.size() <= bytes ? events_.size() : events_.rfind('\n', bytes) + 1;
  if (end == 0) end = events_.find('\n') + 1;
  std::string out = events_.substr(0, end);
  events_.erase(0, end);
  return out;
}

}  // namespace mut::session
