#include "compiler/session/perf/name_code.h"

#include <fmt/format.h>

#include "compiler/graph/places.h"

namespace mut::session {
namespace {

// Without folders and ending; blanks would end a name.
std::string stem(const std::string& script) {
  std::string out = script.substr(script.rfind('/') + 1);
  if (out.ends_with(".mut")) out.resize(out.size() - 4);
  for (char& letter : out) {
    if (static_cast<unsigned char>(letter) <= ' ') letter = '_';
  }
  return out;
}

}  // namespace

std::vector<NamedCode> name_code(const Program& program, uint64_t version,
                                 const std::vector<jit::CodePiece>& pieces) {
  std::vector<NamedCode> out;
  std::string head = fmt::format("mut:{}:v{}:", stem(program.name()), version);
  for (const jit::CodePiece& piece : pieces) {
    graph::Place place = graph::describe_place(*program.graph, piece.place);
    const std::string& file = program.sources->file(place.span.file).name();
    uint32_t line = program.sources->locate(place.span).line;
    std::string of = file == program.name() ? "" : stem(file) + ":";
    std::string state = piece.kind == jit::CodeKind::State ? "+state" : "";
    out.push_back(
        {piece.begin, piece.end, fmt::format("{}{}@{}{}{}", head, place.label, of, line, state), file, line});
  }
  return out;
}

}  // namespace mut::session
