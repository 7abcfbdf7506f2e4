// Looks at what runs: history, taps, figures, state.
#include <poll.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>

#include "tools/mutc/live/shell.h"
#include "tools/mutc/live/tables.h"
#include "tools/mutc/live/text_diff.h"
#include "tools/mutc/live/words.h"

namespace mut::tools {

Shell::Then Shell::history(const std::string&) {
  JsonValue reply = link_.ask("history");
  if (fine(reply)) print(history_table(reply));
  return Then::GoOn;
}

Shell::Then Shell::diff(const std::string& versions) {
  std::vector<std::string> names = words_of(versions);
  auto text_of = [&](std::string name) -> std::optional<std::string> {
    if (name.starts_with("v")) name.erase(0, 1);
    if (name.empty() || name.find_first_not_of("0123456789") != std::string::npos) {
      wrong("mutc: :diff V W, with numbers of versions");
      return std::nullopt;
    }
    JsonValue reply = link_.ask("history", {{"version", name}});
    if (!fine(reply)) return std::nullopt;
    return text_in(list_in(reply, "versions")[0], "text");
  };
  std::optional<std::string> to;
  if (names.size() > 1) {
    to = text_of(names[1]);
  } else {
    JsonValue runs = link_.ask("script");
    if (fine(runs)) to = text_in(runs, "text");
  }
  if (names.empty()) {
    JsonValue known = link_.ask("history");
    int64_t parent = 0;
    for (const JsonValue& record : list_in(known, "versions")) {
      if (text_in(record, "outcome") == "running") parent = int_in(record, "parent");
    }
    if (parent == 0) {
      wrong("mutc: nothing ran before");
      return Then::GoOn;
    }
    names.push_back(std::to_string(parent));
  }
  auto from = text_of(names[0]);
  if (from && to) print(text_diff(*from, *to));
  return Then::GoOn;
}

Shell::Then Shell::tap(const std::string& what) {
  auto [stream, rest] = split_word(what);
  ShownTap shown{stream};
  Link::Members members{{"stream", json_quoted(stream)}};
  size_t limit = rest.rfind("limit ");
  if (limit != std::string::npos && (limit == 0 || rest[limit - 1] == ' ')) {
    std::string count = trimmed(std::string_view(rest).substr(limit + 6));
    if (!count.empty() && count.find_first_not_of("0123456789") == std::string::npos) {
      members.emplace_back("limit", count);
      shown.limited = count.find_first_not_of('0') != std::string::npos;
      rest = trimmed(std::string_view(rest).substr(0, limit));
    }
  }
  if (rest.starts_with("where ")) {
    members.emplace_back("where", json_quoted(rest.substr(6)));
  } else if (!rest.empty() || stream.empty()) {
    wrong("mutc: :tap STREAM [where CONDITION] [limit N]");
    return Then::GoOn;
  }
  JsonValue reply = link_.ask("tap", members);
  if (!fine(reply)) return Then::GoOn;
  taps_[int_in(reply, "tap")] = shown;
  if (!shown.limited) print("tap " + std::to_string(int_in(reply, "tap")) + "; `:untap` ends it");
  return Then::GoOn;
}

Shell::Then Shell::untap(const std::string& number) {
  show_events();
  std::vector<int64_t> ended;
  for (const auto& [tap, shown] : taps_) {
    if (number.empty() || number == std::to_string(tap)) ended.push_back(tap);
  }
  if (ended.empty()) wrong(number.empty() ? "mutc: no tap is open" : "mutc: no tap " + number + " is open");
  for (int64_t tap : ended) {
    fine(link_.ask("untap", {{"tap", std::to_string(tap)}}));
    taps_.erase(tap);
  }
  return Then::GoOn;
}

void Shell::show_events() {
  for (const JsonValue& event : link_.take_events()) {
    std::string kind = text_in(event, "event");
    auto known = taps_.find(int_in(event, "tap"));
    if (known == taps_.end()) continue;  // it was taken off meanwhile
    ShownTap& tap = known->second;
    if (kind == "row") {
      if (tap.version != 0 && tap.version != int_in(event, "version"))
        print(tap.stream + "  — v" + std::to_string(int_in(event, "version")) + " from here on");
      tap.version = int_in(event, "version");
      const JsonValue* row = event.find("row");
      print(tap.stream + "  " + (row == nullptr ? "" : to_json(*row)));
    } else if (kind == "lost") {
      print(tap.stream + "  … " + std::to_string(int_in(event, "rows")) +
            " rows not shown: they came too fast");
    } else if (kind == "end") {
      print(tap.stream + "  — end: " + text_in(event, "reason"));
      taps_.erase(known);
    }
  }
  std::fflush(stdout);
}

size_t Shell::limited_taps() const {
  return static_cast<size_t>(
      std::count_if(taps_.begin(), taps_.end(), [](const auto& tap) { return tap.second.limited; }));
}

Shell::Then Shell::why(const std::string& stream) {
  JsonValue reply = link_.ask("why", {{"stream", json_quoted(stream)}});
  if (fine(reply)) print(text_in(reply, "text"));
  return Then::GoOn;
}

Shell::Then Shell::state(const std::string& what) {
  auto [stream, key] = split_word(what);
  JsonValue reply = link_.ask("state", {{"stream", json_quoted(stream)}, {"key", json_quoted(key)}});
  const JsonValue* state = reply.find("state");
  if (!fine(reply) || state == nullptr) return Then::GoOn;
  for (const auto& [path, cells] : state->members) print(path + "  " + to_json(cells));
  return Then::GoOn;
}

Shell::Then Shell::stats(const std::string&) {
  JsonValue figures = link_.ask("stats");
  if (fine(figures)) print(figures_table(figures, nullptr));
  return Then::GoOn;
}

Shell::Then Shell::streams(const std::string&) {
  JsonValue figures = link_.ask("list");
  if (fine(figures)) print(streams_table(figures));
  return Then::GoOn;
}

Shell::Then Shell::script(const std::string&) {
  JsonValue reply = link_.ask("script");
  if (fine(reply)) print(text_in(reply, "text"));
  return Then::GoOn;
}

Shell::Then Shell::warnings(const std::string&) {
  print(warnings_);
  return Then::GoOn;
}

Shell::Then Shell::wait(const std::string& duration) {
  double number = 0;
  const char* end = duration.data() + duration.size();
  auto parsed = std::from_chars(duration.data(), end, number);
  std::string unit(parsed.ptr, end);
  if (parsed.ec != std::errc() || (unit != "ms" && unit != "s") || number < 0 || number > 1e6) {
    wrong("mutc: :wait DURATION, as 500ms or 2s");
    return Then::GoOn;
  }
  auto until =
      std::chrono::steady_clock::now() + std::chrono::duration<double>(unit == "s" ? number : number / 1e3);
  while (true) {
    show_events();
    auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0 || link_.gone()) return Then::GoOn;
    pollfd polled{link_.descriptor(), POLLIN, 0};
    (void)::poll(&polled, 1, static_cast<int>(left.count()));
  }
}

Shell::Then Shell::quit(const std::string&) { return Then::Quit; }

}  // namespace mut::tools
