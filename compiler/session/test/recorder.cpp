#include "compiler/session/test/recorder.h"

#include <algorithm>

#include "compiler/session/test/literal.h"

namespace mut::session {
namespace {

// Blanks at the begin of the line in which `at` lies.
std::string indentation(std::string_view text, size_t at) {
  size_t line = text.rfind('\n', at) == std::string_view::npos ? 0 : text.rfind('\n', at) + 1;
  size_t end = text.find_first_not_of(' ', line);
  return std::string(std::min(end, at) - line, ' ');
}

}  // namespace

bool Recorder::record(const ast::ExpectRowsStep& node, const sema::TestStep& step,
                      const std::vector<std::string>& rows) {
  std::vector<const sema::TestValue*> named;
  if (node.mode != ast::ExpectMode::Exactly) {
    for (const sema::TestValue& row : step.rows) named.push_back(&row);
  }
  source::Span span = node.rows->span;
  std::string indent = indentation(sources_.file(span.file).text(), span.begin);
  std::string text;
  for (const std::string& row : rows) {
    auto json = reference::parse_json(row);
    auto literal = json ? literal_of(*json, step.type, named) : std::nullopt;
    if (!literal) return false;
    text += indent + "  " + *literal + ",\n";
  }
  changes_.push_back({span, rows.empty() ? "[]" : "[\n" + text + indent + "]"});
  return true;
}

void Recorder::record_file(const std::string& path, const std::string& before,
                           const std::vector<std::string>& rows) {
  std::string text;
  for (std::string_view rest = before; rest.starts_with("//");) {
    size_t end = std::min(rest.find('\n'), rest.size());
    text += std::string(rest.substr(0, end)) + "\n";
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  for (const std::string& row : rows) text += row + "\n";
  files_[path] = std::move(text);
}

std::string Recorder::script(source::FileId file) const {
  std::string text(sources_.file(file).text());
  std::vector<const Change*> backwards;
  for (const Change& change : changes_) backwards.push_back(&change);
  std::sort(backwards.begin(), backwards.end(),
            [](const Change* a, const Change* b) { return a->span.begin > b->span.begin; });
  for (const Change* change : backwards)
    text.replace(change->span.begin, change->span.end - change->span.begin, change->text);
  return text;
}

}  // namespace mut::session
