#include "tools/mutc/doctor/doctor_command.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "mutstream/json.h"
#include "tools/mutc/doctor/finding.h"

namespace mut::tools {
namespace {

struct DoctorOptions {
  std::vector<std::string> files;
  enum class Form { Text, Json } form = Form::Text;
};

std::string_view word_of(Verdict verdict) {
  constexpr std::string_view words[] = {"ok", "note", "problem"};
  return words[static_cast<size_t>(verdict)];
}

// Rows of one look: a verdict, what it is about, what was found; below it what to do.
void print_text(const std::vector<Finding>& findings) {
  size_t width = 0;
  for (const Finding& found : findings) width = std::max(width, found.about.size());
  for (const Finding& found : findings) {
    std::printf(
        "%s\n",
        fmt::format("{:<9}{:<{}}  {}", word_of(found.verdict), found.about, width, found.text).c_str());
    if (!found.fix.empty())
      std::printf("%s\n", fmt::format("{:<9}{:<{}}  → {}", "", "", width, found.fix).c_str());
  }
}

void print_json(const std::vector<Finding>& findings) {
  std::string out = "{\"v\":1,\"findings\":[";
  for (const Finding& found : findings) {
    if (out.back() == '}') out += ",";
    out += "{\"verdict\":" + json_quoted(word_of(found.verdict)) + ",\"about\":" + json_quoted(found.about) +
           ",\"text\":" + json_quoted(found.text) + ",\"fix\":" + json_quoted(found.fix) + "}";
  }
  std::printf("%s]}\n", out.c_str());
}

Finding finding_of(const std::string& file, const Endpoint& endpoint) {
  Finding out;
  out.about = (endpoint.side == Endpoint::Side::Source ? "source `" : "sink `") + endpoint.name + "`";
  out.text = endpoint.target;
  switch (endpoint.state) {
    case Endpoint::State::NotTried:
      out.text += ", not tried";
      break;
    case Endpoint::State::Broken:
      out.verdict = Verdict::Problem;
      out.text = endpoint.problem;
      if (out.text.starts_with(out.about + ": ")) out.text.erase(0, out.about.size() + 2);
      out.fix = "`mutc run " + file + "` would end with code 3";
      break;
    case Endpoint::State::Fine:
      if (!endpoint.notice.empty()) out.verdict = Verdict::Note;
      if (!endpoint.notice.empty()) out.fix = "a run " + endpoint.notice;
      break;
  }
  return out;
}

int examine(const DoctorOptions& options, const ConsoleOptions& console) {
  std::vector<Finding> findings = examine_machine();
  int exit_code = 0;
  for (const std::string& file : options.files) {
    auto text = read_script(file);
    if (!text) {
      findings.push_back({Verdict::Problem, file, "cannot be read", ""});
      continue;
    }
    auto endpoints = try_endpoints(*text, file, check_options(console));
    if (!endpoints) {
      print_error(endpoints.failure().text);
      exit_code = exit_code_of(endpoints.failure().kind);
      findings.push_back({Verdict::Problem, file, "does not check", ""});
      continue;
    }
    findings.push_back({Verdict::Fine, file, "checks", ""});
    for (const Endpoint& endpoint : endpoints.value()) findings.push_back(finding_of(file, endpoint));
  }
  options.form == DoctorOptions::Form::Json ? print_json(findings) : print_text(findings);
  for (const Finding& found : findings) {
    if (found.verdict == Verdict::Problem && exit_code == 0) exit_code = exit_io;
  }
  return exit_code;
}

}  // namespace

void add_doctor(CLI::App& app, const ConsoleOptions& console, int& exit_code) {
  auto options = std::make_shared<DoctorOptions>();
  CLI::App* command =
      app.add_subcommand("doctor", "Whether this machine, and what scripts read and write, is fit for a run");
  command->add_option("FILE", options->files, "Scripts whose sources and sinks are tried");
  command->add_flag_callback(
      "--json", [options] { options->form = DoctorOptions::Form::Json; }, "One object on one line");
  command->callback([&console, &exit_code, options] { exit_code = examine(*options, console); });
}

}  // namespace mut::tools
