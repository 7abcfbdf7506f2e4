// Commands by name, and what is common to all of them.
#include "tools/mutc/live/shell.h"

#include <algorithm>
#include <cstdio>

#include "tools/mutc/console.h"
#include "tools/mutc/live/words.h"

namespace mut::tools {
namespace {

int exit_of(std::string_view kind) {
  if (kind == "script") return exit_script;
  if (kind == "usage") return exit_usage;
  if (kind == "io") return exit_io;
  if (kind == "needs_decision") return exit_decision;
  if (kind == "no_change") return exit_no_change;
  if (kind == "internal") return exit_internal;
  return exit_refused;
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
      {"shadow", "[DECLARATION | FILE.mut | end]", "run an edit beside and compare its rows; what it found",
       &Shell::shadow},
      {"bench", "[DECLARATION | FILE.mut]", "what an event costs, and would cost", &Shell::bench},
      {"promote", "[adopt] [VERDICT:CELL …]", "swap to the shadow; adopt: with its state", &Shell::promote},
      {"canary", "[PART% by FIELD DECLARATION | … FILE.mut | complete | end]",
       "make an edit for some of the keys; what came of it", &Shell::canary},
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
