#include "compiler/reference/state.h"

#include <algorithm>

#include "compiler/reference/zones.h"

namespace mut::reference {

using typed::WindowKind;

namespace {

int64_t clamp(__int128 time) {
  return time < no_time ? no_time : time > end_of_time ? end_of_time : static_cast<int64_t>(time);
}

// Greatest boundary of a grid at or before `time`.
int64_t boundary_before(const typed::Window& window, int64_t time) {
  if (!window.zone.empty()) return zone_boundary(window, time);
  __int128 shifted = __int128{time} - window.offset;
  __int128 rest = shifted % window.every;
  if (rest < 0) rest += window.every;
  return clamp(time - rest);
}

int64_t boundary_after(const typed::Window& window, int64_t boundary) {
  return window.zone.empty() ? plus(boundary, window.every) : next_zone_boundary(window, boundary);
}

bool is_fixed(const typed::Window& window) {
  return window.kind == WindowKind::Tumbling || window.kind == WindowKind::Sliding;
}

}  // namespace

int64_t plus(int64_t time, int64_t duration) { return clamp(__int128{time} + duration); }
int64_t minus(int64_t time, int64_t duration) { return clamp(__int128{time} - duration); }

std::set<std::pair<int64_t, int64_t>> fixed_windows(const std::vector<WindowRule>& rules, int64_t time) {
  std::set<std::pair<int64_t, int64_t>> out;
  for (const WindowRule& rule : rules) {
    if (!is_fixed(rule.window)) continue;
    if (!rule.window.zone.empty()) {
      for (auto [end, start] : zone_windows(rule.window, time)) {
        if (start >= rule.from && start < rule.to) out.insert({end, start});
      }
      continue;
    }
    int64_t first_excluded = minus(time, rule.window.size);
    for (int64_t start = boundary_before(rule.window, time); start > first_excluded;
         start = minus(start, rule.window.every)) {
      if (start >= rule.from && start < rule.to) out.insert({plus(start, rule.window.size), start});
    }
  }
  return out;
}

std::vector<Stretch> sessions(const std::vector<WindowRule>& rules, const std::vector<Entry>& entries,
                              Fired fired) {
  std::vector<Stretch> out;
  for (const WindowRule& rule : rules) {
    if (rule.window.kind != WindowKind::Session) continue;
    std::vector<std::pair<int64_t, int64_t>> times;  // and how far a session kept by an edit reaches
    for (const Entry& entry : entries) {
      if ((fired == Fired::With || !entry.session_over) && entry.time >= rule.from && entry.time < rule.to)
        times.emplace_back(entry.time, entry.kept_to);
    }
    std::sort(times.begin(), times.end());
    size_t first_of_rule = out.size();
    int64_t kept_to = no_time;
    for (auto [time, kept] : times) {
      int64_t end = plus(time, rule.window.size);
      if (out.size() > first_of_rule && (time < out.back().end || time <= kept_to)) {
        out.back().end = end;
      } else {
        out.push_back({time, end});
      }
      kept_to = std::max(kept_to, kept);
    }
  }
  return out;
}

bool in_session(const std::vector<WindowRule>& rules, int64_t time) {
  return std::any_of(rules.begin(), rules.end(), [&](const WindowRule& rule) {
    return rule.window.kind == WindowKind::Session && time >= rule.from && time < rule.to;
  });
}

bool in_session(const std::vector<WindowRule>& rules, const Stretch& session, int64_t time) {
  bool reached = time >= session.start && time < session.end;
  return reached && std::any_of(rules.begin(), rules.end(), [&](const WindowRule& rule) {
           return rule.window.kind == WindowKind::Session && session.start >= rule.from && time < rule.to &&
                  session.start < rule.to;
         });
}

int64_t common_boundary(const typed::Window& a, const typed::Window& b, int64_t time) {
  auto is_boundary = [](const typed::Window& window, int64_t at) {
    return !is_fixed(window) || boundary_before(window, at) == at;
  };
  const typed::Window& grid = is_fixed(a) ? a : b;
  if (!is_fixed(grid)) return time;
  int64_t at = boundary_before(grid, time);
  if (at < time) at = boundary_after(grid, at);
  // Two grids with a common boundary meet again within the product of their steps; those that never
  // meet go over at the first boundary of the old one.
  int64_t first = at;
  for (int64_t tries = 0; tries < 1'000'000; ++tries) {
    if (is_boundary(a, at) && is_boundary(b, at)) return at;
    at = boundary_after(grid, at);
  }
  return first;
}

namespace {

// From windows of a length to sessions: those that are open take all events up to the end of the last of
// them, and none begins that would end later (live-change.md 2.5, row 19).
void end_with_open(std::vector<WindowRule>& rules, const typed::Window& next, const StageState& old_state,
                   int64_t watermark) {
  int64_t base = watermark;
  auto ends_of = [](const WindowRule& rule, int64_t time) { return fixed_windows({rule}, time); };
  for (const auto& [key, entries] : old_state.log) {
    for (const Entry& entry : entries) {
      for (auto [end, start] : fixed_windows(rules, entry.time)) {
        if (end > old_state.closed) base = std::max(base, end);
      }
    }
    for (const Stretch& session : sessions(rules, entries)) base = std::max(base, session.end);
  }
  for (const WindowRule& rule : rules) {
    if (rule.to == end_of_time || !is_fixed(rule.window)) continue;
    base = std::max(base, ends_of(rule, minus(rule.to, 1)).rbegin()->first);
  }
  WindowRule last = rules.back();
  if (last.from != no_time) base = std::max(base, ends_of(last, last.from).begin()->first);
  if (base == no_time) {
    rules = {{next}};
    return;
  }
  WindowRule always{last.window};
  int64_t at = ends_of(always, minus(base, 1)).begin()->first;
  for (WindowRule& rule : rules) {
    if (!is_fixed(rule.window)) continue;
    // The first start of which the window ends later.
    for (auto [end, start] : ends_of({rule.window}, at)) {
      if (end > at) rule.to = std::min(rule.to, start);
    }
  }
  rules.push_back({next, at});
  std::erase_if(rules, [](const WindowRule& rule) { return rule.from >= rule.to; });
}

}  // namespace

void hand_over(std::vector<WindowRule>& rules, const typed::Window& next, const StageState& old_state,
               int64_t watermark) {
  WindowRule& last = rules.back();
  const typed::Window& then = last.window;
  bool was_session = then.kind == WindowKind::Session;
  bool is_session = next.kind == WindowKind::Session;
  if (was_session && is_session) {
    last.window = next;  // a larger gap joins open sessions, a smaller one applies to them as they are
    return;
  }
  if (!was_session && is_session) return end_with_open(rules, next, old_state, watermark);
  bool grids_agree = then.size == next.size && then.every == next.every && then.offset == next.offset;
  if (grids_agree && was_session == is_session) return;
  // The greatest start of an open window plus the old step, of whichever rule; of sessions the end of the
  // last. When the newest rule has none, then not before the watermark, nor before that rule itself holds.
  int64_t base = no_time;
  bool newest_open = false;
  for (const auto& [key, entries] : old_state.log) {
    for (const WindowRule& rule : rules) {
      auto take = [&](int64_t boundary) {
        base = std::max(base, boundary);
        newest_open = newest_open || &rule == &last;
      };
      for (const Entry& entry : entries) {
        for (auto [end, start] : fixed_windows({rule}, entry.time)) {
          if (end > old_state.closed) take(boundary_after(rule.window, start));
        }
      }
      for (const Stretch& session : sessions({rule}, entries)) take(session.end);
    }
  }
  if (!newest_open) base = std::max({base, last.from, watermark});
  if (base == no_time) {
    rules = {{next}};
    return;
  }
  int64_t at = common_boundary(then, next, base);
  last.to = at;
  rules.push_back({next, at});
  std::erase_if(rules, [](const WindowRule& rule) { return rule.from >= rule.to; });
}

void keep_sessions(const std::vector<WindowRule>& old_rules, std::vector<Entry>& entries) {
  for (const Stretch& session : sessions(old_rules, entries)) {
    int64_t last = no_time;
    auto inside = [&](const Entry& entry) {
      return !entry.session_over && in_session(old_rules, session, entry.time);
    };
    for (const Entry& entry : entries) {
      if (inside(entry)) last = std::max(last, entry.time);
    }
    for (Entry& entry : entries) {
      if (inside(entry)) entry.kept_to = std::max(entry.kept_to, last);
    }
  }
}

std::vector<SessionEvent> session_events(const std::vector<Entry>& entries, size_t cell) {
  std::vector<SessionEvent> out;
  for (const Entry& entry : entries) {
    out.push_back({entry.time, entry.kept_to, std::nullopt});
    if (cell < entry.cells.size()) out.back().admitted = entry.cells[cell];
  }
  return out;
}

std::vector<Admitted> list_of(const std::vector<Entry>& entries, size_t cell) {
  std::vector<Admitted> out;
  for (const Entry& entry : entries) {
    if (cell < entry.cells.size() && entry.cells[cell]) out.push_back(*entry.cells[cell]);
  }
  return out;
}

}  // namespace mut::reference
