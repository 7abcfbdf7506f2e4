// What the requests of the control protocol do.
#pragma once
#include <map>
#include <memory>
#include <string>

#include "mutstream/engine.h"
#include "mutstream/json.h"
#include "runtime/control/line_server.h"

namespace mut::session {

// Of a request: what is absent is empty, what is wrong a failure.
Outcome<std::vector<Consent>> read_consents(const JsonValue& request);
Outcome<std::vector<SourceCut>> read_cuts(const JsonValue& request);

constexpr int control_version = 1;

class ControlOperations : public control::Dialog {
 public:
  // `over`: whether who talks is about to go, so that nothing is waited for.
  ControlOperations(Engine& engine, std::function<void()> ring, std::function<bool()> over)
      : engine_(engine), ring_(std::move(ring)), over_(std::move(over)) {}
  ~ControlOperations() override;
  std::string answer(std::string_view line) override;
  std::string refuse(std::string_view why) override;
  std::string take_events(size_t bytes) override;

 private:
  // Members of a reply after `"ok":true`, each with its comma before; or what is wrong.
  using Reply = Outcome<std::string>;
  Reply run(const std::string& op, const JsonValue& request);
  Reply hello() const;
  Reply list() const;
  Reply script() const;
  Reply plan(const JsonValue& request);
  Reply swap(const JsonValue& request);
  Reply set(const JsonValue& request);
  Reply tap(const JsonValue& request);
  Reply untap(const JsonValue& request);
  Reply state(const JsonValue& request) const;
  Reply why(const JsonValue& request) const;
  Reply stats() const;
  Reply step(const JsonValue& request, Outcome<SwapReport> (Engine::*back)(const UndoRequest&));
  Reply history(const JsonValue& request) const;
  Reply shadow(const JsonValue& request);
  Reply shadow_report() const;
  Reply end_shadow();
  Reply promote(const JsonValue& request);
  Reply canary(const JsonValue& request);
  Reply canary_report() const;
  Reply close_canary(const JsonValue& request, Outcome<SwapReport> (Engine::*how)(const CanaryClose&));
  Reply begin_profile();
  Reply profile_report() const;
  Reply end_profile();
  // Waits until the edit is taken, or as long as the request says.
  using Settled = std::function<void(const SwapReport&)>;
  Reply settle(const JsonValue& request, const std::function<Outcome<SwapReport>(Settled)>& offer);
  // What is to run: `text`, or `define` and `remove` applied to what runs.
  Outcome<SwapRequest> read_edit(const JsonValue& request) const;

  struct OpenTap {
    std::shared_ptr<Tap> tap;
    uint64_t lost_told = 0;
  };
  Engine& engine_;
  std::function<void()> ring_;
  std::function<bool()> over_;
  std::map<uint64_t, OpenTap> taps_;
  uint64_t taps_made_ = 0;
  uint64_t profile_ = 0;  // that this client has begun, which ends with it; 0: none
  std::string events_;    // that take_events() has not given yet
};

}  // namespace mut::session
