// What the `window` of a stage says.
#include "compiler/sema/stage_checker.h"
#include "compiler/sema/zones.h"
#include "runtime/calendar/zone.h"
#include "runtime/calendar/zone_line.h"

namespace mut::sema {

using diag::Code;
using typed::Kind;
using typed::Stage;

bool StageChecker::check_window(const std::optional<ast::Window>& written, Stage& out) {
  if (!written) {
    out.window.kind = typed::WindowKind::Running;
    return true;
  }
  const ast::Window& window = *written;
  if (window.kind == ast::WindowKind::Count) return check_count(window, out);
  auto duration = [&](const ast::ExprPtr& expr, int64_t& target) {
    if (!expr) return true;
    auto value = exprs_.check_constant(*expr, exprs_.type(Kind::Duration));
    if (!value) return false;
    target = value->value.as_int();
    return true;
  };
  if (!duration(window.size, out.window.size) || !duration(window.every, out.window.every) ||
      !duration(window.offset, out.window.offset))
    return false;
  switch (window.kind) {
    case ast::WindowKind::Tumbling:
      out.window.kind = typed::WindowKind::Tumbling;
      out.window.every = out.window.size;
      break;
    case ast::WindowKind::Sliding:
      out.window.kind = typed::WindowKind::Sliding;
      if (!window.every) {
        diags_.report(Code::BadWindow, window.span, "a sliding window needs `every`");
        return false;
      }
      break;
    case ast::WindowKind::Session:
      out.window.kind = typed::WindowKind::Session;
      break;
    default:
      out.window.kind = typed::WindowKind::All;
  }
  if (out.window.kind != typed::WindowKind::All && out.window.size <= 0) {
    diags_.report(Code::BadWindow, window.span, "a window must be longer than nothing");
    return false;
  }
  if (out.window.kind == typed::WindowKind::Sliding) {
    if (out.window.every <= 0 || out.window.every > out.window.size) {
      diags_.report(Code::BadWindow, window.span,
                    "`every` must be between nothing and the size of the window");
      return false;
    }
    constexpr int64_t overlap_max = 100'000;
    if (out.window.size / out.window.every > overlap_max) {
      diags_.report(Code::TooMany, window.span,
                    "an event would be in " + std::to_string(out.window.size / out.window.every) + " windows",
                    std::to_string(overlap_max));
      return false;
    }
  }
  return !window.zone || check_zone(window, out);
}

// Rule 8.11: whole days as the calendar of the zone has them, or parts of a day counted from its begin.
bool StageChecker::check_zone(const ast::Window& window, Stage& out) {
  if (out.window.kind != typed::WindowKind::Tumbling && out.window.kind != typed::WindowKind::Sliding) {
    diags_.report(Code::BadWindow, window.span,
                  "only `tumbling` and `sliding` windows follow the days of a zone");
    return false;
  }
  if (!calendar::Zone::find(*window.zone)) {
    unknown_zone(diags_, window.span, *window.zone);
    return false;
  }
  constexpr int64_t second_ns = 1'000'000'000;
  int64_t size = out.window.size;
  bool days = size % calendar::day_ns == 0 && out.window.every % calendar::day_ns == 0;
  bool part_of_day =
      out.window.kind == typed::WindowKind::Tumbling && calendar::day_ns % size == 0 && size % second_ns == 0;
  if (!days && !part_of_day) {
    diags_.report(
        Code::BadWindow, window.size->span,
        "with a zone a window has whole days, or is `tumbling` with whole seconds of which a day has a whole "
        "number");
    return false;
  }
  out.window.zone = *window.zone;
  return true;
}

// A number of events of each key, as they arrive (rule 8.13).
bool StageChecker::check_count(const ast::Window& window, Stage& out) {
  out.window.kind = typed::WindowKind::Count;
  if (window.offset || window.zone) {
    diags_.report(Code::BadWindow, window.span, "a number of events has no `offset` and no `zone`");
    return false;
  }
  auto size = exprs_.check_constant(*window.size, exprs_.type(Kind::Int));
  auto every = window.every ? exprs_.check_constant(*window.every, exprs_.type(Kind::Int)) : size;
  if (!size || !every) return false;
  out.window.size = size->value.as_int();
  out.window.every = every->value.as_int();
  if (out.window.size <= 0) {
    diags_.report(Code::BadWindow, window.size->span, "a window needs one event at least");
    return false;
  }
  if (out.window.every > 0 && out.window.every <= out.window.size) return true;
  diags_.report(Code::BadWindow, window.every->span,
                "`every` must be between 1 and the number of events of the window");
  return false;
}

// What an aggregate needs of the window that it stands in.
bool StageChecker::check_window_of_calls(const ast::AggregateStage& node, const Stage& out) {
  // Rows of their own for each window: an event is added to each of those that hold it.
  auto few = [&](const typed::AggregateCall& call) {
    constexpr int64_t overlap_max = 1000;
    int64_t windows = out.window.size / out.window.every;
    if (windows <= overlap_max) return true;
    diags_.report(Code::TooMany, call.span,
                  "an event would be added to " + std::to_string(windows) + " windows",
                  std::to_string(overlap_max));
    return false;
  };
  for (const typed::AggregateCall& call : out.aggregates) {
    if (out.window.kind == typed::WindowKind::Count && typed::overlaps(call) && !few(call)) return false;
    if (call.own == nullptr || !out.follows.empty()) continue;
    if (out.window.kind == typed::WindowKind::Session && call.own->merge.empty()) {
      diags_.report(Code::MissingOption, call.span, call.own->name, "`merge` in a session window")
          .note(
              "an event between two sessions makes one of them: `merge value = max(value, other.value)` says "
              "how "
              "their states become one");
      return false;
    }
    if (out.window.kind != typed::WindowKind::Sliding) continue;
    bool closes =
        !out.on_update && out.trigger_every == 0 && (!node.late || node.late->kind != ast::LateKind::Update);
    if (!closes) {
      diags_.report(Code::NotExecutable, call.span,
                    "an `aggregate` of the script in a sliding window that repeats its results");
      return false;
    }
    if (!few(call)) return false;
  }
  return true;
}

}  // namespace mut::sema
