// Reports as text for people and as JSON lines for editors.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/diagnostics/diagnostics.h"
#include "compiler/diagnostics/display_text.h"
#include "mutstream/json.h"

namespace mut::diag {
namespace {

using source::LineColumn;
using source::SourceFile;
using source::SourceSet;
using source::Span;

// Columns of a source line that are shown; of a longer one, a part around the place.
constexpr uint32_t shown_columns_max = 160;

struct Paint {
  std::string_view error, warning, note, mark, plain;
};
Paint paint(Color color) {
  if (color == Color::Never) return {};
  return {"\x1b[1;31m", "\x1b[1;35m", "\x1b[1;36m", "\x1b[1;32m", "\x1b[0m"};
}

std::string_view severity_word(Severity severity) {
  switch (severity) {
    case Severity::Note:
      return "note";
    case Severity::Warning:
      return "warning";
    case Severity::Error:
      return "error";
  }
  return "";
}

// Reports about the run as a whole may carry a file that was never read.
bool has_place(const SourceSet& sources, Span span) { return span.file.index < sources.file_count(); }

std::string place(const SourceSet& sources, Span span) {
  if (!has_place(sources, span)) return "";
  LineColumn at = sources.locate(span);
  return fmt::format("{}:{}:{}: ", display_text(sources.file(span.file).name()), at.line, at.column);
}

std::string_view severity_paint(const Paint& colors, Severity severity) {
  return severity == Severity::Error ? colors.error
                                     : (severity == Severity::Warning ? colors.warning : colors.note);
}

bool covers(Span span, uint32_t offset) { return offset >= span.begin && offset < span.end; }

// What may be a password: no line shows it.
std::vector<Span> hidden_spans(const std::vector<Diagnostic>& diagnostics) {
  std::vector<Span> out;
  for (const Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.code == Code::SecretInScript) out.push_back(diagnostic.span);
  }
  return out;
}

// The line of `diagnostic.span` and below it the marks: `^` its first character, `~` the rest.
std::string marked_line(const Diagnostic& diagnostic, const std::vector<Span>& hidden,
                        const SourceSet& sources, const Paint& colors) {
  const SourceFile& file = sources.file(diagnostic.span.file);
  uint32_t line_number = sources.locate(diagnostic.span).line;
  uint32_t line_begin = file.line_begin(line_number);
  std::string_view line = file.line(line_number);

  auto is_hidden = [&](uint32_t offset) {
    return std::any_of(hidden.begin(), hidden.end(),
                       [&](Span span) { return span.file == diagnostic.span.file && covers(span, offset); });
  };
  auto mark_at = [&](uint32_t offset) {
    if (offset == diagnostic.span.begin) return '^';
    if (covers(diagnostic.span, offset)) return '~';
    for (Span span : diagnostic.marks) {
      if (span.file == diagnostic.span.file && covers(span, offset)) return '~';
    }
    return ' ';
  };

  // Long lines: skip what stands more than half a screen before the place.
  uint32_t caret = std::min<uint32_t>(diagnostic.span.begin - std::min(diagnostic.span.begin, line_begin),
                                      static_cast<uint32_t>(line.size()));
  uint32_t first =
      caret > shown_columns_max / 2 && line.size() > shown_columns_max ? caret - shown_columns_max / 2 : 0;
  while (first > 0 && (static_cast<unsigned char>(line[first]) & 0xC0U) == 0x80U) --first;

  std::string shown = first > 0 ? "…" : "";
  std::string marks = first > 0 ? " " : "";
  bool caret_shown = false;
  uint32_t column = 0;
  for (uint32_t i = first; i < line.size();) {
    DisplayCharacter character = next_display_character(line.substr(i));
    if (column + character.column_count > shown_columns_max) {
      shown += "…";
      break;
    }
    char mark = mark_at(line_begin + i);
    shown += is_hidden(line_begin + i) ? "*" : character.shown;
    if (character.column_count > 0) {
      marks += mark;
      marks.append(character.column_count - 1, mark == '^' ? '~' : mark);
      caret_shown |= mark == '^';
    }
    column += character.column_count;
    i += character.byte_count;
  }
  // A place after the last character, as the end of the file.
  if (!caret_shown) marks += '^';
  marks.erase(marks.find_last_not_of(' ') + 1);

  std::string number = std::to_string(line_number);
  std::string gutter(number.size(), ' ');
  return fmt::format("  {} | {}\n  {} | {}{}{}\n", number, shown, gutter, colors.mark, marks, colors.plain);
}

void render_one(std::string& out, const Diagnostic& diagnostic, const std::vector<Span>& hidden,
                const SourceSet& sources, const Paint& colors) {
  out += fmt::format("{}{}{}[{}]{}: {}\n", place(sources, diagnostic.span),
                     severity_paint(colors, diagnostic.severity), severity_word(diagnostic.severity),
                     code_text(diagnostic.code), colors.plain, display_text(diagnostic.message()));
  if (has_place(sources, diagnostic.span)) out += marked_line(diagnostic, hidden, sources, colors);
  for (const FixIt& fix : diagnostic.fixes) {
    if (!has_place(sources, fix.span)) continue;
    const SourceFile& file = sources.file(fix.span.file);
    LineColumn from = file.locate(fix.span.begin);
    LineColumn to = file.locate(fix.span.end);
    out += fmt::format("  fix-it: {}:{}-{}:{} \"{}\"\n", from.line, from.column, to.line, to.column,
                       json_text(fix.replacement));
  }
  for (const Note& note : diagnostic.notes) {
    out += fmt::format("{}{}note{}: {}\n", note.span ? place(sources, *note.span) : std::string("  "),
                       colors.note, colors.plain, display_text(note.text));
  }
}

std::string counted(size_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

size_t warning_count(const std::vector<Diagnostic>& diagnostics) {
  return static_cast<size_t>(
      std::count_if(diagnostics.begin(), diagnostics.end(),
                    [](const Diagnostic& diagnostic) { return diagnostic.severity == Severity::Warning; }));
}

// `"file":…,"line":…,…` of a span, without braces.
std::string json_place(const SourceSet& sources, Span span) {
  if (!has_place(sources, span)) return "\"file\":null";
  const SourceFile& file = sources.file(span.file);
  LineColumn from = file.locate(span.begin);
  LineColumn to = file.locate(span.end);
  return fmt::format(R"("file":"{}","line":{},"column":{},"end_line":{},"end_column":{},"begin":{},"end":{})",
                     json_text(file.name()), from.line, from.column, to.line, to.column, span.begin,
                     span.end);
}

}  // namespace

std::string render_text(const Engine& engine, const SourceSet& sources, Color color) {
  Paint colors = paint(color);
  std::vector<Diagnostic> diagnostics = engine.sorted();
  std::string out;
  std::vector<Span> hidden = hidden_spans(diagnostics);
  for (const Diagnostic& diagnostic : diagnostics) render_one(out, diagnostic, hidden, sources, colors);

  size_t errors = engine.error_count();
  size_t warnings = warning_count(diagnostics);
  std::string total;
  if (errors > 0) total += counted(errors, "error");
  if (errors > 0 && warnings > 0) total += ", ";
  if (warnings > 0) total += counted(warnings, "warning");
  if (errors > Engine::error_count_max)
    total += fmt::format(" (the first {} errors shown)", Engine::error_count_max);
  if (!total.empty()) out += total + "\n";
  return out;
}

std::string render_json(const Engine& engine, const SourceSet& sources) {
  std::string out;
  for (const Diagnostic& diagnostic : engine.sorted()) {
    out += fmt::format(R"({{"schema":1,"code":"{}","name":"{}","severity":"{}","message":"{}",{})",
                       code_text(diagnostic.code), info(diagnostic.code).name,
                       severity_word(diagnostic.severity), json_text(diagnostic.message()),
                       json_place(sources, diagnostic.span));
    out += ",\"arguments\":" + json_list(diagnostic.arguments, [](const std::string& text) {
             return "\"" + json_text(text) + "\"";
           });
    out += ",\"marks\":" +
           json_list(diagnostic.marks, [&](Span span) { return "{" + json_place(sources, span) + "}"; });
    out += ",\"notes\":" + json_list(diagnostic.notes, [&](const Note& note) {
             std::string at = note.span ? "," + json_place(sources, *note.span) : "";
             return fmt::format(R"({{"message":"{}"{}}})", json_text(note.text), at);
           });
    out += ",\"fixes\":" + json_list(diagnostic.fixes, [&](const FixIt& fix) {
             return fmt::format(R"({{"replacement":"{}",{}}})", json_text(fix.replacement),
                                json_place(sources, fix.span));
           });
    out += "}\n";
  }
  return out;
}

}  // namespace mut::diag
