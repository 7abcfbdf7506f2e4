#include <algorithm>
#include <map>

#include "compiler/change/print.h"
#include "compiler/reference/interpreter.h"
#include "compiler/session/connect.h"
#include "compiler/session/conversions.h"
#include "compiler/session/program.h"
#include "compiler/session/report.h"
#include "compiler/session/test/subject.h"

namespace mut::session {
namespace {

std::optional<reference::Format> reference_format(const std::string& name) {
  if (name == "csv") return reference::Format::Csv;
  if (name == "tsv") return reference::Format::Tsv;
  if (name == "lines") return reference::Format::Lines;
  return reference::Format::Json;
}

struct Version {
  std::shared_ptr<source::SourceSet> sources = std::make_shared<source::SourceSet>();
  std::shared_ptr<Program> program;
  std::string problem;
  std::vector<std::string> codes;
};

class ReferenceSubject final : public Subject {
 public:
  ReferenceSubject(std::string name, const std::vector<std::string>& streams) : name_(std::move(name)) {
    check_.taps = streams;
    check_.rows = sema::CheckOptions::Rows::Given;
  }

  Status start(const std::string& text) {
    Version first = make(text);
    if (!first.program) return Error{first.problem};
    program_ = first.program;
    interpreter_ =
        std::make_unique<reference::Interpreter>(program_->typed, reference::Options{line_of(first), false});
    interpreter_->set_time(1'767'225'600'000'000'000);  // as the virtual clock of an engine
    return Unit{};
  }

  Status give(const std::string& source, TextRows rows) override {
    reference::Feed feed;
    feed.text = std::move(rows.text);
    feed.name = rows.name.empty() ? source : rows.name;
    feed.format = reference_format(rows.format);
    std::string problem = interpreter_->feed(source, std::move(feed));
    if (problem.empty()) return Unit{};
    return Error{problem};
  }
  Status advance(int64_t time_ns) override {
    interpreter_->raise_watermarks(time_ns);
    interpreter_->set_time(time_ns);
    return Unit{};
  }
  Status end() override {
    interpreter_->end();
    return Unit{};
  }

  Result<SwapOutcome> swap(const std::string& text, const std::vector<Consent>& accept) override {
    SwapOutcome out;
    Version next = make(text);
    if (!next.program) return SwapOutcome{SwapOutcome::Kind::Broken, next.problem, next.codes, {}};
    change::CompareOptions options;
    reference::Consents consents;
    for (const Consent& consent : accept) {
      options.consents.push_back({consent.verdict, consent.cell});
      consents.given.push_back(consent.verdict + ":" + consent.cell);
    }
    options.old_sources = program_->sources.get();
    options.new_sources = next.program->sources.get();
    options.migrate = migrate_checker(*program_, *next.program);
    change::SwapPlan plan = change::compare(*program_->graph, *next.program->graph, options);
    out.text = change::print_text(plan, "v1", "v2");
    out.cells = verdicts_of(plan);
    out.codes = refusals_of(plan);
    if (plan.outcome == change::SwapPlan::Outcome::NoChange) out.kind = SwapOutcome::Kind::Unchanged;
    if (plan.outcome == change::SwapPlan::Outcome::Refused) out.kind = SwapOutcome::Kind::Refused;
    if (out.kind != SwapOutcome::Kind::Taken) return out;
    consents.migrate = reference_migrate(options.migrate);
    // The plan does not know which cells are empty here; the interpreter does.
    std::vector<std::string> open = interpreter_->swap(next.program->typed, consents, line_of(next));
    if (!open.empty()) {
      bool refused = std::any_of(open.begin(), open.end(),
                                 [](const std::string& wish) { return wish.starts_with("refuse:"); });
      out.kind = refused ? SwapOutcome::Kind::Refused : SwapOutcome::Kind::Undecided;
      if (refused) out.codes = {diag::code_text(diag::Code::MigrateFails)};
      return out;
    }
    program_ = next.program;
    return out;
  }

  std::vector<std::string> take(const std::string& stream) override {
    const auto& rows = interpreter_->output("tap:" + stream);
    std::vector<std::string> out;
    for (size_t& at = taken_[stream]; at < rows.size(); ++at) out.push_back(rows[at].text);
    return out;
  }

 private:
  Version make(const std::string& text) {
    Version out;
    diag::Engine diags;
    out.program = make_program(text, name_, out.sources, diags, check_);
    out.problem = diag::render_text(diags, *out.sources, diag::Color::Never);
    out.codes = error_codes(diags);
    return out;
  }
  static std::function<int(source::Span)> line_of(const Version& of) {
    return [sources = of.sources](source::Span span) { return static_cast<int>(sources->locate(span).line); };
  }

  std::string name_;
  sema::CheckOptions check_;
  std::shared_ptr<Program> program_;
  std::unique_ptr<reference::Interpreter> interpreter_;
  std::map<std::string, size_t> taken_;
};

}  // namespace

Result<std::unique_ptr<Subject>> make_reference_subject(const std::string& text, const std::string& name,
                                                        const std::vector<std::string>& streams) {
  auto out = std::make_unique<ReferenceSubject>(name, streams);
  Status started = out->start(text);
  if (!started) return started.error();
  return std::unique_ptr<Subject>(std::move(out));
}

}  // namespace mut::session
