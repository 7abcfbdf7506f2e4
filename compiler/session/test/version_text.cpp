#include "compiler/session/test/version_text.h"

#include <algorithm>

namespace mut::session {

std::string version_text(const sema::Declarations& version, const source::SourceSet& sources) {
  std::string out;
  size_t line = 1;      // of the end of `out`
  uint32_t behind = 0;  // end of the last declaration that stood in its own place
  for (const ast::Declaration* declaration : version) {
    std::string_view text = sources.text(declaration->span);
    bool in_order = declaration->span.file == version.front()->span.file && declaration->span.begin >= behind;
    source::LineColumn place = sources.locate(declaration->span);
    if (in_order && place.line >= line) {
      if (place.line > line) {
        out.append(place.line - line, '\n');
        out.append(place.column - 1, ' ');
      }
      behind = declaration->span.end;
    } else if (!out.empty()) {
      out += '\n';
    }
    if (!out.empty() && out.back() != '\n' && out.back() != ' ') out += ' ';
    out += text;
    line = 1 + static_cast<size_t>(std::count(out.begin(), out.end(), '\n'));
  }
  return out + "\n";
}

}  // namespace mut::session
