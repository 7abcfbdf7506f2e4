// Places where a test can make the world go wrong: `MUT_FAULT=point:action[@n][,…]`.
//
// Actions: error (the place fails), hold (it waits until released or for ever), delay (it waits a second),
// drop, duplicate (of a row, message or write), crash (the process ends at once, nothing is flushed). `@n`
// fires at the n-th passage only (from 1); without it at every passage. Builds without MUT_FAIL_POINTS
// contain none of it. The table belongs to an Env: two engines in one process do not meet.
//
// `MUT_CRASH_AT=step[@n]` is `MUT_FAULT=swap.step:crash[@n]` for the steps of a swap, and
// `MUT_FAULT=checkpoint.step:crash[@n]` for those of a checkpoint.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "runtime/abi/result.h"

#ifdef MUT_FAIL_POINTS
#include <map>
#include <mutex>
#include <string>
#endif

namespace mut::env {

enum class Fault : uint8_t { None, Error, Drop, Duplicate };

// The steps of a swap, each passed when it is done; the point of each is `swap.` and its name. What stands
// behind `cut` is done between two events.
constexpr std::array<std::string_view, 10> swap_steps = {
    "saved", "typed", "planned", "built", "prepared", "recorded", "cut", "migrating", "voted", "committed"};

// The same of a checkpoint, and of a start from one; the point of each is `checkpoint.` and its name.
constexpr std::array<std::string_view, 11> checkpoint_steps = {
    "captured", "data_written", "data_synced", "sinks_synced",   "manifest_written", "renamed",
    "removed",  "found",        "cut_back",    "state_restored", "restored"};

#ifdef MUT_FAIL_POINTS

// Threads: any, all methods.
class FailPoints {
 public:
  // Adds the points of `text`. On error nothing was added.
  Status configure(std::string_view text);
  // A crash at a step of a swap or of a checkpoint, `step[@n]`; empty: none. On error nothing was added.
  Status crash_at(std::string_view step);
  // What is to happen here now. Does not return for crash; returns late for hold and delay.
  Fault at(std::string_view point);
  // Lets everyone go who is held at `point`, now and later.
  void release(std::string_view point);
  // How often `point` was passed while it was configured.
  uint64_t passages(std::string_view point);

 private:
  enum class Action : uint8_t { Error, Hold, Delay, Drop, Duplicate, Crash };
  struct Point {
    Action action = Action::Error;
    uint64_t only_at = 0;  // 0: every passage
    uint64_t passages = 0;
    bool released = false;
  };
  static Result<Action> action_of(std::string_view name);
  bool is_released(const std::string& point);

  std::mutex mutex_;
  std::map<std::string, Point, std::less<>> points_;
};

#else

class FailPoints {
 public:
  Status configure(std::string_view text) {
    if (text.empty()) return Unit{};
    return Error{"MUT_FAULT is set, but this build has no fail points"};
  }
  Status crash_at(std::string_view step) {
    if (step.empty()) return Unit{};
    return Error{"MUT_CRASH_AT is set, but this build has no fail points"};
  }
  static constexpr Fault at(std::string_view) { return Fault::None; }
  void release(std::string_view) {}
  static constexpr uint64_t passages(std::string_view) { return 0; }
};

#endif

}  // namespace mut::env
