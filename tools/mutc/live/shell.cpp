#include "tools/mutc/live/shell.h"

#include <poll.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "tools/mutc/console.h"
#include "tools/mutc/live/tables.h"
#include "tools/mutc/live/text_diff.h"

namespace mut::tools {
namespace {

std::string trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n' || text.back() == '\t'))
    text.remove_suffix(1);
  while (!text.empty() && (text.front() == ' ' || text.front() == '\n' || text.front() == '\t'))
    text.remove_prefix(1);
  return std::string(text);
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

// The first word, and what is behind it.
std::pair<std::string, std::string> split_word(const std::string& text) {
  size_t end = text.find_first_of(" \t\n");
  if (end == std::string::npos) return {text, ""};
  return {text.substr(0, end), trimmed(std::string_view(text).substr(end))};
}

void print(const std::string& text) {
  if (text.empty()) return;
  std::fputs(text.c_str(), stdout);
  if (text.back() != '\n') std::fputc('\n', stdout);
}

std::string quoted_list(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) out += (out.size() > 1 ? "," : "") + json_quoted(text);
  return out + "]";
}

// A plan without the exit code of `mutc plan`, which is nothing here.
std::string plan_text(const std::string& plan) {
  std::string out = plan;
  size_t exit = out.rfind("  exit ");
  if (exit != std::string::npos && out.find('\n', exit) + 1 >= out.size()) out.erase(exit);
  out = trimmed(out);
  size_t last = out.rfind('\n');
  if (last != std::string::npos && out.substr(last + 1) == "applicable") out.erase(last);
  return out;
}

std::string milliseconds(int64_t ns) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2f ms", static_cast<double>(ns) / 1e6);
  return text;
}

int exit_of(std::string_view kind) {
  if (kind == "script") return exit_script;
  if (kind == "usage") return exit_usage;
  if (kind == "io") return exit_io;
  if (kind == "needs_decision") return exit_decision;
  if (kind == "no_change") return exit_no_change;
  if (kind == "internal") return exit_internal;
  return exit_refused;
}

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

const std::vector<Shell::Command>& Shell::commands() {
  static const std::vector<Command> all = {
      {"plan", "DECLARATION or FILE.mut", "what it would do to what runs; nothing happens", &Shell::plan},
      {"accept", "VERDICT:CELL …", "consent to what the last plan asks", &Shell::accept},
      {"refuse", "", "forget the edit that needs a decision", &Shell::refuse},
      {"swap", "FILE.mut", "run that script from here on", &Shell::swap},
      {"drop", "NAME …", "take declarations out", &Shell::drop},
      {"set", "PARAM VALUE", "give a param another value", &Shell::set},
      {"undo", "[VERDICT:CELL …]", "back to the version before", &Shell::undo},
      {"redo", "[VERDICT:CELL …]", "take an undo back", &Shell::redo},
      {"history", "", "the versions and what became of them", &Shell::history},
      {"diff", "[V [W]]", "lines that differ: of V and W, or of V and what runs", &Shell::diff},
      {"tap", "STREAM [where CONDITION] [limit N]", "live rows of a stream", &Shell::tap},
      {"untap", "[N]", "end that tap, or all", &Shell::untap},
      {"why", "STREAM", "where its rows are, or what holds them back", &Shell::why},
      {"state", "STREAM [KEY]", "what its stages keep of a key", &Shell::state},
      {"stats", "", "figures of sources, streams and state", &Shell::stats},
      {"streams", "", "streams, their fields and params", &Shell::streams},
      {"script", "", "the text that runs", &Shell::script},
      {"warnings", "", "of the last edit", &Shell::warnings},
      {"wait", "DURATION", "show rows of taps for so long: 500ms, 2s", &Shell::wait},
      {"help", "", "this", &Shell::help},
      {"quit", "", "leave; Ctrl-D does too", &Shell::quit},
  };
  return all;
}

Shell::Shell(Link& link, AskPerson ask_person) : link_(link), ask_person_(std::move(ask_person)) {
  look_again();
}

void Shell::wrong(const std::string& text) {
  std::fflush(stdout);
  print_error(text);
  if (exit_code_ == 0) exit_code_ = exit_usage;
}

bool Shell::fine(const JsonValue& reply) {
  if (is_ok(reply)) return true;
  const JsonValue* error = reply.find("error");
  std::string kind = error == nullptr ? "internal" : text_in(*error, "kind");
  std::fflush(stdout);
  print_error(error == nullptr ? "no reply" : plan_text(text_in(*error, "text")));
  if (exit_code_ == 0) exit_code_ = exit_of(kind);
  return false;
}

void Shell::look_again() {
  JsonValue figures = link_.ask("list");
  if (!is_ok(figures)) return;
  version_ = static_cast<uint64_t>(int_in(figures, "version"));
  names_.clear();
  names_are_ = Names::Known;
  for (const JsonValue& param : list_in(figures, "params"))
    names_[text_in(param, "name")] = "param " + text_in(param, "type");
  for (const JsonValue& stream : list_in(figures, "streams")) {
    for (const JsonValue& field : list_in(stream, "fields"))
      names_.emplace(text_in(field, "name"), text_in(field, "type"));
  }
  for (const JsonValue& stream : list_in(figures, "streams")) names_[text_in(stream, "name")] = "stream";
}

Shell::Then Shell::enter(const std::string& text) {
  std::string line = trimmed(text);
  if (line.empty()) return Then::GoOn;
  if (line[0] != ':') {
    offer({{{"define", json_quoted(text)}}, {}});
    std::fflush(stdout);
    return Then::GoOn;
  }
  auto [name, arguments] = split_word(line.substr(1));
  std::vector<const Command*> meant;
  for (const Command& command : commands()) {
    if (command.name == name) {
      meant = {&command};
      break;
    }
    if (!name.empty() && command.name.starts_with(name)) meant.push_back(&command);
  }
  Then then = Then::GoOn;
  if (meant.size() == 1) {
    then = (this->*meant[0]->run)(arguments);
  } else {
    wrong("mutc: no command `:" + name + "`; `:help` has them all");
  }
  std::fflush(stdout);
  return then;
}

Shell::Then Shell::help(const std::string&) {
  for (const Command& command : commands()) {
    std::string head = ":" + std::string(command.name) + " " + std::string(command.arguments);
    std::printf("  %-46s%s\n", head.c_str(), std::string(command.summary).c_str());
  }
  std::printf("  %-46s%s\n", "anything else", "a declaration: it takes the place of the one of its name");
  return Then::GoOn;
}

Link::Members Shell::members_of(const Edit& edit) {
  Link::Members out = edit.members;
  if (!edit.accepted.empty()) out.emplace_back("accept", quoted_list(edit.accepted));
  return out;
}

void Shell::offer(Edit edit) {
  undecided_.reset();
  JsonValue plan = link_.ask("plan", members_of(edit));
  if (!fine(plan)) return;
  warnings_ = text_in(plan, "warnings");
  std::string judged = text_in(plan, "judged");
  if (judged != "no_change") print(plan_text(text_in(plan, "plan")));
  if (judged == "refused") {
    if (exit_code_ == 0) exit_code_ = exit_refused;
    return;
  }
  if (judged == "needs_decision" && !decide(edit, plan)) {
    undecided_ = std::move(edit);
    if (exit_code_ == 0) exit_code_ = exit_decision;
    print("`:accept VERDICT:CELL` takes it, `:refuse` forgets it");
    return;
  }
  take(edit);
}

bool Shell::decide(Edit& edit, const JsonValue& plan) {
  for (const JsonValue& cell : list_in(plan, "cells")) {
    const JsonValue* open = cell.find("undecided");
    if (open == nullptr || !open->is_true()) continue;
    std::string choices;
    for (const JsonValue& choice : list_in(cell, "choices")) choices += choice.text + ", ";
    std::string path = text_in(cell, "cell");
    auto answer = ask_person_(path + ": " + choices + "or no? ");
    if (!answer) return false;
    bool known = false;
    for (const JsonValue& choice : list_in(cell, "choices")) {
      if (answer->empty() || !choice.text.starts_with(*answer)) continue;
      known = true;
      edit.accepted.push_back(choice.text + ":" + path);
      break;
    }
    if (!known) return false;
  }
  return true;
}

void Shell::take(const Edit& edit) {
  JsonValue reply = link_.ask("swap", members_of(edit));
  const JsonValue* error = reply.find("error");
  if (error != nullptr && text_in(*error, "kind") == "no_change") {
    print("noted; nothing that runs changes");
    names_are_ = Names::Old;
    return;
  }
  if (fine(reply)) told_taken(reply);
}

void Shell::told_taken(const JsonValue& reply) {
  if (!text_in(reply, "warnings").empty()) warnings_ = text_in(reply, "warnings");
  std::string version = "v" + std::to_string(int_in(reply, "version"));
  const JsonValue* taken = reply.find("taken");
  if (int_in(reply, "superseded_by") != 0) {
    print(version + " is superseded by v" + std::to_string(int_in(reply, "superseded_by")));
  } else if (taken == nullptr || !taken->is_true()) {
    print(version + " is ready and waits for its cut");
  } else {
    std::string cut;
    for (const JsonValue& source : list_in(reply, "cut"))
      cut += " " + text_in(source, "source") + ":" + std::to_string(int_in(source, "records"));
    print(version + " runs from" + (cut.empty() ? " here" : cut) + " on; check " +
          milliseconds(int_in(reply, "check_ns")) + ", compile " + milliseconds(int_in(reply, "compile_ns")) +
          ", pause " + milliseconds(int_in(reply, "pause_ns")));
  }
  look_again();
}

Shell::Then Shell::plan(const std::string& what) {
  if (what.empty()) {
    wrong("mutc: :plan DECLARATION or FILE.mut");
    return Then::GoOn;
  }
  Link::Members members{{"define", json_quoted(what)}};
  if (what.ends_with(".mut") && what.find('\n') == std::string::npos) {
    auto text = read_file(what);
    if (!text) {
      wrong("mutc: " + what + ": cannot be read");
      return Then::GoOn;
    }
    members = {{"text", json_quoted(*text)}};
  }
  JsonValue reply = link_.ask("plan", members);
  if (!fine(reply)) return Then::GoOn;
  warnings_ = text_in(reply, "warnings");
  print(plan_text(text_in(reply, "plan")));
  return Then::GoOn;
}

Shell::Then Shell::swap(const std::string& file) {
  auto text = read_file(file);
  if (text) {
    offer({{{"text", json_quoted(*text)}}, {}});
  } else {
    wrong("mutc: " + file + ": cannot be read");
  }
  return Then::GoOn;
}

Shell::Then Shell::accept(const std::string& consents) {
  if (!undecided_) {
    wrong("mutc: nothing needs a decision");
    return Then::GoOn;
  }
  Edit edit = *undecided_;
  for (const std::string& consent : words_of(consents)) edit.accepted.push_back(consent);
  if (edit.accepted.size() == undecided_->accepted.size()) {
    wrong("mutc: :accept VERDICT:CELL, as the plan offers them");
    return Then::GoOn;
  }
  // It is decided now or stays open: what went wrong before does not count.
  if (exit_code_ == exit_decision) exit_code_ = 0;
  offer(std::move(edit));
  return Then::GoOn;
}

Shell::Then Shell::refuse(const std::string&) {
  undecided_.reset();
  return Then::GoOn;
}

Shell::Then Shell::drop(const std::string& names) {
  offer({{{"remove", quoted_list(words_of(names))}}, {}});
  return Then::GoOn;
}

Shell::Then Shell::set(const std::string& what) {
  size_t end = what.find_first_of(" \t=");
  if (end == std::string::npos) {
    wrong("mutc: :set PARAM VALUE");
    return Then::GoOn;
  }
  std::string value = trimmed(std::string_view(what).substr(end + 1));
  if (value.starts_with("=")) value = trimmed(std::string_view(value).substr(1));
  JsonValue reply =
      link_.ask("set", {{"param", json_quoted(what.substr(0, end))}, {"value", json_quoted(value)}});
  if (!fine(reply)) return Then::GoOn;
  print(plan_text(text_in(reply, "plan")));
  told_taken(reply);
  return Then::GoOn;
}

void Shell::step(std::string_view op, const std::string& consents) {
  Link::Members members;
  if (!consents.empty()) members.emplace_back("accept", quoted_list(words_of(consents)));
  JsonValue reply = link_.ask(op, members);
  if (!fine(reply)) return;
  print(plan_text(text_in(reply, "plan")));
  told_taken(reply);
}

Shell::Then Shell::undo(const std::string& consents) {
  step("undo", consents);
  return Then::GoOn;
}

Shell::Then Shell::redo(const std::string& consents) {
  step("redo", consents);
  return Then::GoOn;
}

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

std::vector<std::pair<std::string, std::string>> Shell::complete(std::string_view text) {
  if (names_are_ == Names::Old) look_again();
  static const std::vector<std::string> words = {
      "aggregate", "asof",     "by",     "debounce", "dedupe", "define", "delay",    "emit",
      "enum",      "flatten",  "float",  "fn",       "import", "int",    "join",     "last",
      "latest",    "left",     "limit",  "lookup",   "match",  "merge",  "over",     "param",
      "pattern",   "process",  "rename", "route",    "sample", "select", "session",  "set",
      "sliding",   "sort",     "source", "stream",   "string", "table",  "throttle", "time",
      "top",       "tumbling", "type",   "where",    "window", "with",   "within",   "without"};
  size_t begin = text.size();
  auto part = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  while (begin > 0 && part(text[begin - 1])) --begin;
  std::string_view word = text.substr(begin);
  std::vector<std::pair<std::string, std::string>> out;
  if (begin > 0 && text[begin - 1] == ':' && trimmed(text.substr(0, begin)) == ":") {
    for (const Command& command : commands()) {
      if (command.name.starts_with(word)) out.emplace_back(command.name, command.summary);
    }
    return out;
  }
  for (const auto& [name, what] : names_) {
    if (name.starts_with(word)) out.emplace_back(name, what);
  }
  bool command = !text.empty() && text[0] == ':';
  for (const std::string& known : words) {
    if (!command && !word.empty() && known.starts_with(word) && !names_.contains(known))
      out.emplace_back(known, "");
  }
  return out;
}

}  // namespace mut::tools
