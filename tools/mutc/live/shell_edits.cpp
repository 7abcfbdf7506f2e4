// Edits: planned, decided, taken, and taken back.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tools/mutc/console.h"
#include "tools/mutc/live/shell.h"
#include "tools/mutc/live/words.h"

namespace mut::tools {
namespace {

std::string milliseconds(int64_t ns) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2f ms", static_cast<double>(ns) / 1e6);
  return text;
}

std::optional<std::string> read_file(const std::string& path) {
  std::error_code failed;
  if (std::filesystem::is_directory(path, failed)) return std::nullopt;
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::ostringstream text;
  text << in.rdbuf();
  if (in.bad()) return std::nullopt;
  return text.str();
}

}  // namespace

Link::Members Shell::members_of(const Edit& edit) {
  Link::Members out = edit.members;
  if (!edit.accepted.empty()) out.emplace_back("accept", quoted_list(edit.accepted));
  if (edit.base != 0) out.emplace_back("base", std::to_string(edit.base));
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
  // What is decided is decided of this plan: where somebody else has edited meanwhile, it is to be seen anew.
  if (judged == "needs_decision") edit.base = int_in(plan, "base");
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

std::optional<Link::Members> Shell::script_or_declaration(const std::string& what) {
  if (!what.ends_with(".mut") || what.find('\n') != std::string::npos)
    return Link::Members{{"define", json_quoted(what)}};
  auto text = read_file(what);
  if (text) return Link::Members{{"text", json_quoted(*text)}, {"name", json_quoted(what)}};
  wrong("mutc: " + what + ": cannot be read");
  return std::nullopt;
}

Shell::Then Shell::plan(const std::string& what) {
  if (what.empty()) {
    wrong("mutc: :plan DECLARATION or FILE.mut");
    return Then::GoOn;
  }
  auto members = script_or_declaration(what);
  if (!members) return Then::GoOn;
  JsonValue reply = link_.ask("plan", *members);
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
  std::vector<std::string> what;
  for (std::string& word : words_of(names)) {
    if (!what.empty() && what.back() == "emit") {
      what.back() += " " + word;
    } else {
      what.push_back(std::move(word));
    }
  }
  offer({{{"remove", quoted_list(what)}}, {}});
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

Shell::Then Shell::shadow(const std::string& what) {
  if (what.empty() || what == "end") {
    JsonValue reply = link_.ask(what.empty() ? "shadow_report" : "shadow_end", {});
    if (fine(reply)) print(plan_text(text_in(reply, "report")));
    return Then::GoOn;
  }
  auto members = script_or_declaration(what);
  if (!members) return Then::GoOn;
  JsonValue reply = link_.ask("shadow", *members);
  if (!fine(reply)) return Then::GoOn;
  if (!text_in(reply, "warnings").empty()) warnings_ = text_in(reply, "warnings");
  print(plan_text(text_in(reply, "plan")));
  print("`:shadow` tells what it finds, `:promote` swaps to it, `:shadow end` ends it");
  return Then::GoOn;
}

// "5% by card FILE.mut": the part, then the edit.
Shell::Then Shell::canary(const std::string& what) {
  if (what.empty()) {
    JsonValue reply = link_.ask("canary_report", {});
    if (fine(reply)) print(plan_text(text_in(reply, "report")));
    return Then::GoOn;
  }
  if (what == "complete" || what == "end") {
    JsonValue reply = link_.ask(what == "end" ? "canary_end" : "canary_complete", {});
    if (!fine(reply)) return Then::GoOn;
    if (what == "complete") told_taken(reply);
    return what == "end" ? canary("") : Then::GoOn;
  }
  size_t by = what.find("% by ");
  size_t end = by == std::string::npos ? by : what.find_first_of(" \t\n", by + 5);
  if (end == std::string::npos) {
    wrong("mutc: :canary 5% by FIELD, then a declaration or FILE.mut");
    return Then::GoOn;
  }
  auto members = script_or_declaration(trimmed(std::string_view(what).substr(end)));
  if (!members) return Then::GoOn;
  members->emplace_back("part", json_quoted(what.substr(0, end)));
  JsonValue reply = link_.ask("canary", *members);
  if (!fine(reply)) return Then::GoOn;
  if (!text_in(reply, "warnings").empty()) warnings_ = text_in(reply, "warnings");
  print(plan_text(text_in(reply, "plan")));
  print("`:canary` tells what came of it, `:canary complete` takes all keys, `:canary end` gives them back");
  return Then::GoOn;
}

Shell::Then Shell::promote(const std::string& what) {
  std::vector<std::string> words = words_of(what);
  Link::Members members;
  if (!words.empty() && words[0] == "adopt") {
    members.emplace_back("state", json_quoted("adopt"));
    words.erase(words.begin());
  }
  if (!words.empty()) members.emplace_back("accept", quoted_list(words));
  JsonValue reply = link_.ask("promote", members);
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

}  // namespace mut::tools
