// What the author of a script is told. Every report has a code that never changes its meaning.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/source/source_set.h"

namespace mut::diag {

enum class Severity : uint8_t { Note, Warning, Error };

enum class Code : uint16_t {
#define MUT_DIAGNOSTIC(number, name, severity, message) name = number,
#include "compiler/diagnostics/codes.def"
#undef MUT_DIAGNOSTIC
};

struct CodeInfo {
  Code code;
  std::string_view name;  // as in codes.def
  Severity severity;
  std::string_view message;  // with {0}, {1}, … for the arguments
};

const CodeInfo& info(Code code);
const std::vector<CodeInfo>& all_codes();
std::string code_text(Code code);  // "MUT2103"

struct Note {
  std::optional<source::Span> span;
  std::string text;
};

// A replacement for a span of text, offered only when it is almost surely what was meant.
struct FixIt {
  source::Span span;
  std::string replacement;
};

struct Diagnostic {
  Code code{};
  Severity severity = Severity::Error;
  source::Span span;  // the narrowest wrong piece
  std::vector<std::string> arguments;
  std::vector<source::Span> marks;  // underlined beside the span
  std::vector<Note> notes;
  std::vector<FixIt> fixes;
  std::vector<Note> within;     // what was being looked into, innermost first: told after the notes
  std::string message() const;  // the code's message with the arguments in place
};

class Engine;

// Completes a report: `diags.report(Code::X, span, a, b).note(other, "declared here")`.
class Report {
 public:
  Report(Engine& engine, size_t index) : engine_(engine), index_(index) {}
  Report& mark(source::Span span);
  Report& note(source::Span span, std::string text);
  Report& note(std::string text);
  Report& fix(source::Span span, std::string replacement);

 private:
  Diagnostic* target();
  Engine& engine_;
  size_t index_;
};

// Collects reports. After `error_count_max` errors further ones are counted but not kept.
class Engine {
 public:
  static constexpr size_t error_count_max = 20;

  template <typename... Args>
  Report report(Code code, source::Span span, Args&&... args) {
    std::vector<std::string> texts;
    (texts.push_back(std::string(std::forward<Args>(args))), ...);
    return add(code, span, std::move(texts));
  }

  // Takes over what another engine found.
  void add(const Diagnostic& diagnostic);

  // While it lives, reports are about something that stands elsewhere too: the use of an operator, say.
  class Within {
   public:
    Within(Engine& engine, source::Span span, std::string text) : engine_(engine) {
      engine_.within_.push_back({span, std::move(text)});
    }
    ~Within() { engine_.within_.pop_back(); }
    Within(const Within&) = delete;
    Within& operator=(const Within&) = delete;

   private:
    Engine& engine_;
  };

  bool has_errors() const { return error_count_ != 0; }
  size_t error_count() const { return error_count_; }
  // In order of place (file, offset), errors and warnings mixed.
  std::vector<Diagnostic> sorted() const;

 private:
  friend class Report;
  Report add(Code code, source::Span span, std::vector<std::string> arguments);
  std::vector<Diagnostic> diagnostics_;
  std::vector<Note> within_;  // outermost first
  size_t error_count_ = 0;
};

// What `word` of another language is called here, if that is among the candidates.
std::optional<std::string> translated(std::string_view word, const std::vector<std::string>& candidates);

// That, or the candidate nearest to `word` by edit distance, when near enough to be a likely typo.
std::optional<std::string> did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

enum class Color : uint8_t { Never, Always };

// As on a terminal: place, code, message, the marked source line, notes, fix-its; then a line that
// counts errors and warnings when there were any.
std::string render_text(const Engine& engine, const source::SourceSet& sources, Color color);
// One JSON object a line: {"schema":1,"code":…,"severity":…,"message":…,"file":…,"line":…,"column":…,…}.
std::string render_json(const Engine& engine, const source::SourceSet& sources);

}  // namespace mut::diag
