#include "runtime/env/fail_points.h"

#ifdef MUT_FAIL_POINTS
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <utility>
#include <vector>

namespace mut::env {

Result<FailPoints::Action> FailPoints::action_of(std::string_view name) {
  if (name == "error") return Action::Error;
  if (name == "hold") return Action::Hold;
  if (name == "delay") return Action::Delay;
  if (name == "drop") return Action::Drop;
  if (name == "duplicate") return Action::Duplicate;
  if (name == "crash") return Action::Crash;
  return Error{"no action `" + std::string(name) + "`; there are error, hold, delay, drop, duplicate, crash"};
}

Status FailPoints::configure(std::string_view text) {
  std::vector<std::pair<std::string, Point>> added;
  while (!text.empty()) {
    std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    size_t colon = item.find(':');
    if (colon == std::string_view::npos || colon == 0) {
      return Error{"MUT_FAULT: expected point:action[@n], found `" + std::string(item) + "`"};
    }
    Point point;
    std::string_view action = item.substr(colon + 1);
    if (size_t sign = action.find('@'); sign != std::string_view::npos) {
      std::string_view count = action.substr(sign + 1);
      auto [end, code] = std::from_chars(count.data(), count.data() + count.size(), point.only_at);
      if (code != std::errc() || end != count.data() + count.size() || point.only_at == 0) {
        return Error{"MUT_FAULT: expected a number from 1 after `@`, found `" + std::string(count) + "`"};
      }
      action = action.substr(0, sign);
    }
    Result<Action> parsed = action_of(action);
    if (!parsed) return parsed.error().within("MUT_FAULT");
    point.action = parsed.value();
    added.emplace_back(std::string(item.substr(0, colon)), point);
  }
  std::lock_guard lock(mutex_);
  for (auto& [name, point] : added) points_[name] = point;
  return Unit{};
}

Status FailPoints::crash_at(std::string_view step) {
  if (step.empty()) return Unit{};
  std::string_view name = step.substr(0, step.find('@'));
  auto is_of = [&](const auto& steps) { return std::find(steps.begin(), steps.end(), name) != steps.end(); };
  if (!is_of(swap_steps) && !is_of(checkpoint_steps)) {
    std::string known;
    for (std::string_view each : swap_steps) known += (known.empty() ? "" : ", ") + std::string(each);
    std::string of_checkpoints;
    for (std::string_view each : checkpoint_steps) of_checkpoints += ", " + std::string(each);
    return Error{"MUT_CRASH_AT: a swap has no step `" + std::string(name) + "`; there are " + known +
                 "; of a checkpoint" + of_checkpoints.substr(1)};
  }
  std::string point = is_of(swap_steps) ? "swap." : "checkpoint.";
  return configure(point + std::string(name) + ":crash" + std::string(step.substr(name.size())));
}

Fault FailPoints::at(std::string_view point) {
  Action action;
  {
    std::lock_guard lock(mutex_);
    auto found = points_.find(point);
    if (found == points_.end()) return Fault::None;
    ++found->second.passages;
    if (found->second.only_at != 0 && found->second.only_at != found->second.passages) return Fault::None;
    action = found->second.action;
  }
  switch (action) {
    case Action::Error:
      return Fault::Error;
    case Action::Drop:
      return Fault::Drop;
    case Action::Duplicate:
      return Fault::Duplicate;
    case Action::Crash:
      std::_Exit(137);  // what a killed process returns; no buffers are flushed, no destructors run
    case Action::Delay:
      std::this_thread::sleep_for(std::chrono::seconds(1));
      return Fault::None;
    case Action::Hold:
      for (std::string name(point); !is_released(name);) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      return Fault::None;
  }
  return Fault::None;
}

bool FailPoints::is_released(const std::string& point) {
  std::lock_guard lock(mutex_);
  return points_[point].released;
}

void FailPoints::release(std::string_view point) {
  std::lock_guard lock(mutex_);
  if (auto found = points_.find(point); found != points_.end()) found->second.released = true;
}

uint64_t FailPoints::passages(std::string_view point) {
  std::lock_guard lock(mutex_);
  auto found = points_.find(point);
  return found == points_.end() ? 0 : found->second.passages;
}

}  // namespace mut::env
#endif
