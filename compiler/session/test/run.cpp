#include "compiler/session/test/run.h"

#include <fmt/format.h>

#include <deque>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>

#include "compiler/modules/reader.h"
#include "compiler/sema/test_checker.h"
#include "compiler/session/test/given_file.h"
#include "compiler/session/test/rows.h"
#include "compiler/session/test/subject.h"
#include "compiler/session/test/version_text.h"
#include "compiler/syntax/parse.h"

namespace mut::session {
namespace {

constexpr uint64_t all_records = std::numeric_limits<uint64_t>::max();

std::string_view format_name(codec::Format format) {
  switch (format) {
    case codec::Format::Csv:
      return "csv";
    case codec::Format::Tsv:
      return "tsv";
    case codec::Format::Lines:
      return "lines";
    default:
      return "json";
  }
}

std::string one_line(std::string_view text) {
  std::string out;
  for (char c : text) {
    bool blank = c == '\n' || c == ' ' || c == '\t' || c == '\r';
    if (!blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  return out;
}

std::string indented(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    out += "  " + std::string(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

// Rows of a file of JSON lines; blank lines and comments are left out. Empty: `problem` says why, and where.
std::optional<std::vector<Pattern>> patterns_in(std::string_view text, const std::string& file,
                                                typed::TypeRef record, std::string& problem) {
  std::vector<Pattern> out;
  for (size_t number = 1; !text.empty(); ++number) {
    std::string line(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.find_first_not_of(" \t\r") == std::string::npos || line.starts_with("//")) continue;
    std::string place = fmt::format("{}:{}: ", file, number);
    auto pattern = pattern_of_json(line, record, problem);
    if (!pattern) {
      problem = place + problem;
      return std::nullopt;
    }
    pattern->text = place + line;
    out.push_back(std::move(*pattern));
  }
  return out;
}

class TestRun {
 public:
  TestRun(const TestScript& script, const ast::TestDecl& test, TestOptions::Runner runner, Recorder* recorder)
      : script_(script), modules_(*script.sources), test_(test), runner_(runner), recorder_(recorder) {
    for (const ast::Declaration* declaration : script.declarations) {
      if (!std::holds_alternative<ast::TestDecl>(declaration->node)) version_.push_back(declaration);
    }
  }

  TestResult run() {
    sema::TestProgress progress;
    while (true) {
      diag::Engine diags;
      auto part = sema::check_test_part(version_, test_, at_, progress, diags, &modules_);
      if (!part || diags.has_errors()) {
        stop(diag::render_text(diags, *script_.sources, diag::Color::Never));
        break;
      }
      if (!subject_ && !start()) break;
      for (const sema::TestStep& step : part->steps) {
        if (!stopped_) run_step(step);
        ++at_;
      }
      if (stopped_ || part->swap == nullptr) break;
    }
    return {test_.name, text_.empty() && !stopped_, text_};
  }

 private:
  // What a test cannot go on from.
  void stop(std::string text) {
    text_ += text.ends_with('\n') || text.empty() ? text : text + "\n";
    stopped_ = true;
  }
  bool done(const Status& status, source::Span place) {
    if (status) return true;
    stop(at(place) + status.error().message);
    return false;
  }
  std::string at(source::Span place) const {
    source::LineColumn where = script_.sources->locate(place);
    return fmt::format("{}:{}:{}: ", script_.sources->file(place.file).name(), where.line, where.column);
  }
  void differ(source::Span place, const std::string& what, const std::string& rest) {
    text_ += at(place) + what + "\n" + rest;
  }

  bool start() {
    std::vector<std::string> streams;
    auto add = [&](const std::string& name) {
      if (std::find(streams.begin(), streams.end(), name) == streams.end()) streams.push_back(name);
    };
    for (const ast::TestStep& step : test_.steps) {
      if (const auto* rows = std::get_if<ast::ExpectRowsStep>(&step.node)) add(sema::path_text(rows->stream));
      const auto* plan = std::get_if<ast::ExpectPlanStep>(&step.node);
      if (plan == nullptr) continue;
      for (const auto& [cell, verdict] : plan->verdicts) add(cell.substr(0, cell.find('/')));
    }
    std::string text = version_text(version_, *script_.sources);
    auto made = runner_ == TestOptions::Runner::Engine ? make_engine_subject(text, script_.name, streams)
                                                       : make_reference_subject(text, script_.name, streams);
    if (!made) {
      stop(made.error().message);
      return false;
    }
    subject_ = std::move(made).value();
    return true;
  }

  void run_step(const sema::TestStep& step) {
    const auto& node = step.syntax->node;
    if (const auto* given = std::get_if<ast::GivenStep>(&node)) {
      give(*given, step);
    } else if (std::holds_alternative<ast::AtStep>(node)) {
      done(subject_->advance(step.time), step.syntax->span);
    } else if (std::holds_alternative<ast::EndStep>(node)) {
      end(step.syntax->span);
    } else if (const auto* rows = std::get_if<ast::ExpectRowsStep>(&node)) {
      expect(*rows, step);
    } else if (const auto* change = std::get_if<ast::SwapStep>(&node)) {
      swap(*change, step.syntax->span);
    } else {
      judge(*step.syntax);
    }
  }

  std::string path_of(const std::string& file) const {
    return file.starts_with('/') ? file : script_.folder + file;
  }
  std::optional<std::string> read(const std::string& file, source::Span place) {
    std::string path = path_of(file);
    std::ifstream in(path, std::ios::binary);
    if (in) return std::string(std::istreambuf_iterator<char>(in), {});
    stop(at(place) + path + ": cannot be read");
    return std::nullopt;
  }

  void give(const ast::GivenStep& node, const sema::TestStep& step) {
    TextRows rows;
    if (node.file) {
      auto text = read(*node.file, step.syntax->span);
      if (!text) return;
      codec::Format format = codec::format_of_path(*node.file).value_or(codec::Format::Json);
      rows.format = format_name(format);
      rows.name = *node.file;
      rows.text = std::move(*text);
      uint64_t& taken = taken_[{step.name, *node.file}];
      if (node.first || node.rest) {
        auto cut = records_of(rows.text, format, node.rest ? taken : 0, node.first.value_or(all_records));
        if (!cut) return stop(at(step.syntax->span) + *node.file + ": " + cut.error().message);
        taken = node.first.value_or(all_records);
        rows.text = std::move(cut).value();
      }
    } else if (node.text) {
      rows.text = *node.text;
      rows.format = own_format(step.name);
    } else {
      for (const sema::TestValue& row : step.rows) rows.text += json_line(row) + "\n";
    }
    done(subject_->give(step.name, std::move(rows)), step.syntax->span);
  }

  // Format of the source's own text, as its connector has it.
  std::string own_format(const std::string& source) const {
    for (const ast::Declaration* declaration : version_) {
      const auto* found = std::get_if<ast::SourceDecl>(&declaration->node);
      if (found == nullptr || found->name.text != source) continue;
      std::string path;
      for (const ast::Argument& argument : found->connector.args) {
        const auto* text = argument.value ? std::get_if<ast::StringLit>(&argument.value->node) : nullptr;
        const auto* word = argument.value ? std::get_if<ast::NameRef>(&argument.value->node) : nullptr;
        if (argument.name && argument.name->text == "format")
          return text != nullptr ? text->value : word != nullptr ? word->name.text : "json";
        if (!argument.name && text != nullptr) path = text->value;
      }
      return std::string(format_name(codec::format_of_path(path).value_or(codec::Format::Json)));
    }
    return "json";
  }

  void end(source::Span place) {
    if (!ended_) done(subject_->end(), place);
    ended_ = true;
  }

  // Rule 12.3: where nothing that moves the input follows the last `given`, it ends before what is expected.
  bool ends_here() const {
    for (size_t i = at_ + 1; i < test_.steps.size(); ++i) {
      const auto& node = test_.steps[i].node;
      bool moves = std::holds_alternative<ast::GivenStep>(node) ||
                   std::holds_alternative<ast::AtStep>(node) || std::holds_alternative<ast::EndStep>(node) ||
                   std::holds_alternative<ast::SwapStep>(node);
      if (moves) return false;
    }
    for (size_t i = at_; i-- > 0;) {
      const auto& node = test_.steps[i].node;
      if (std::holds_alternative<ast::GivenStep>(node)) return true;
      if (std::holds_alternative<ast::AtStep>(node) || std::holds_alternative<ast::EndStep>(node))
        return false;
    }
    return true;
  }

  void expect(const ast::ExpectRowsStep& node, const sema::TestStep& step) {
    if (ends_here()) end(step.syntax->span);
    if (stopped_) return;
    if (recorder_ != nullptr && node.file) return record_file(*node.file, step);
    std::vector<Pattern> expected;
    if (node.file) {
      auto text = read(*node.file, step.syntax->span);
      if (!text) return;
      std::string problem;
      auto rows = patterns_in(*text, *node.file, step.type, problem);
      if (!rows) return stop(at(step.syntax->span) + problem);
      expected = std::move(*rows);
    }
    for (const sema::TestValue& row : step.rows) {
      expected.push_back(pattern_of(row));
      expected.back().text = at(row.span) + one_line(script_.sources->text(row.span));
    }
    std::vector<std::string> came = subject_->take(step.name);
    std::string differences = compare_rows(expected, came, {node.mode, step.type});
    if (differences.empty()) return;
    if (recorder_ != nullptr && recorder_->record(node, step, came)) return;
    differ(step.syntax->span, "`" + step.name + "` is not as expected", differences);
  }

  // A file that is not there yet is made. Rows that are as expected leave theirs as it is.
  void record_file(const std::string& file, const sema::TestStep& step) {
    std::ifstream in(path_of(file), std::ios::binary);
    std::string before(std::istreambuf_iterator<char>(in), {});
    std::vector<std::string> came = subject_->take(step.name);
    std::string problem;
    auto expected = in.is_open() ? patterns_in(before, file, step.type, problem) : std::nullopt;
    auto mode = std::get<ast::ExpectRowsStep>(step.syntax->node).mode;
    if (!expected || !compare_rows(*expected, came, {mode, step.type}).empty())
      recorder_->record_file(path_of(file), before, came);
  }

  void swap(const ast::SwapStep& node, source::Span place) {
    sema::Declarations next;
    std::string text;
    if (node.to_file) {
      auto read_text = read(*node.to_file, place);
      if (!read_text) return;
      text = *read_text;
      diag::Engine diags;
      source::FileId file = script_.sources->add(script_.folder + *node.to_file, text);
      trees_.push_back(syntax::parse(*script_.sources, file, diags));
      for (const ast::Declaration* declaration : sema::declarations_of(trees_.back())) {
        if (!std::holds_alternative<ast::TestDecl>(declaration->node)) next.push_back(declaration);
      }
      if (!diags.has_errors()) text = version_text(next, *script_.sources);
    } else {
      diag::Engine diags;
      auto made = sema::next_version(version_, node, diags);
      if (!made) return stop(diag::render_text(diags, *script_.sources, diag::Color::Never));
      next = std::move(*made);
      text = version_text(next, *script_.sources);
    }
    std::vector<Consent> consents;
    for (const ast::Consent& consent : node.accept) consents.push_back({consent.verdict.text, consent.cell});
    auto outcome = subject_->swap(text, consents);
    if (!outcome) return stop(at(place) + outcome.error().message);
    last_ = outcome.value();
    bool taken = last_.kind == SwapOutcome::Kind::Taken;
    if (sema::expects_swap(test_, at_)) {
      // Without a difference that shows, the version that runs is the next one already.
      if (taken || last_.kind == SwapOutcome::Kind::Unchanged) {
        version_ = std::move(next);
      } else {
        stop(at(place) + "the swap was not taken\n" + indented(last_.text));
      }
    } else if (taken) {
      stop(at(place) + "the swap was taken, which the test does not expect\n" + indented(last_.text));
    } else if (node.expect_refused) {
      judge_refusal(*node.expect_refused, place);
    }
  }

  void judge_refusal(const std::string& code, source::Span place) {
    bool undecided = last_.kind == SwapOutcome::Kind::Undecided;
    bool fine = code == "undecided"
                    ? undecided
                    : std::find(last_.codes.begin(), last_.codes.end(), code) != last_.codes.end();
    if (fine) return;
    std::string found = undecided                                    ? "undecided"
                        : last_.kind == SwapOutcome::Kind::Unchanged ? "unchanged"
                                                                     : "";
    for (const std::string& other : last_.codes) found += (found.empty() ? "" : ", ") + other;
    differ(place, "refused as " + found + ", not as " + code, indented(last_.text));
  }

  void judge(const ast::TestStep& step) {
    if (const auto* refused = std::get_if<ast::ExpectRefusedStep>(&step.node)) {
      judge_refusal(refused->code, step.span);
    } else if (std::holds_alternative<ast::ExpectUnchangedStep>(step.node)) {
      if (last_.kind != SwapOutcome::Kind::Unchanged)
        differ(step.span, "the swap changes something", indented(last_.text));
    } else if (const auto* plan = std::get_if<ast::ExpectPlanStep>(&step.node)) {
      for (const auto& [cell, verdict] : plan->verdicts) judge_cell(cell, verdict, step.span);
    }
  }

  // A path may leave out the function of the cell, as in consents.
  void judge_cell(const std::string& path, const std::string& verdict, source::Span place) {
    std::string found;
    for (const CellVerdict& cell : last_.cells) {
      if (cell.cell == path || cell.cell.starts_with(path + "/")) found = cell.verdict;
    }
    if (found.empty()) {
      differ(place, "the plan has no cell `" + path + "`", indented(last_.text));
    } else if (spelled(found) != spelled(verdict)) {
      differ(place, fmt::format("cell `{}`: expected {}, got {}", path, verdict, found),
             indented(last_.text));
    }
  }
  // `keep_mixed` is how a test can write `keep-mixed`.
  static std::string spelled(std::string verdict) {
    std::replace(verdict.begin(), verdict.end(), '_', '-');
    return verdict;
  }

  const TestScript& script_;
  modules::Reader modules_;
  const ast::TestDecl& test_;
  TestOptions::Runner runner_;
  Recorder* recorder_;
  sema::Declarations version_;
  std::deque<ast::Program> trees_;  // of versions in files
  std::unique_ptr<Subject> subject_;
  std::map<std::pair<std::string, std::string>, uint64_t> taken_;  // records by source and file
  SwapOutcome last_;
  size_t at_ = 0;  // step
  bool ended_ = false;
  bool stopped_ = false;
  std::string text_;
};

}  // namespace

TestResult run_test(const TestScript& script, const ast::TestDecl& test, TestOptions::Runner runner,
                    Recorder* recorder) {
  return TestRun(script, test, runner, recorder).run();
}

}  // namespace mut::session
