// reference_run SCRIPT: runs a script by the reference interpreter; its sources and sinks are files in
// the current folder, as the script names them.
#include <cstdio>
#include <fstream>
#include <iterator>

#include "compiler/reference/interpreter.h"
#include "compiler/sema/check.h"
#include "compiler/syntax/parse.h"

namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string path_of(const mut::typed::Connector& connector) {
  const mut::typed::Option* path = connector.positional(0);
  return path == nullptr ? "" : path->value.as_text();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "reference_run SCRIPT\n");
    return 2;
  }
  mut::source::SourceSet sources;
  mut::diag::Engine diags;
  mut::source::FileId file = sources.add(argv[1], read_file(argv[1]));
  auto tree = mut::syntax::parse(sources, file, diags);
  auto program = diags.has_errors() ? std::nullopt : mut::sema::check(tree, diags);
  if (!program) {
    fputs(mut::diag::render_text(diags, sources, mut::diag::Color::Never).c_str(), stderr);
    return 3;
  }
  auto shared = std::make_shared<const mut::typed::Program>(std::move(*program));
  auto line = [&](mut::source::Span span) { return static_cast<int>(sources.locate(span).line); };
  mut::reference::Interpreter interpreter(shared, {line});
  for (const auto& source : shared->sources) {
    std::string path = path_of(source.connector);
    if (!path.empty()) interpreter.bind(source.name, {read_file(path), path, std::nullopt});
  }
  interpreter.run_to_end();
  for (const auto& emit : shared->emits) {
    std::string path = path_of(emit.connector);
    if (path.empty()) continue;
    std::ofstream out(path, std::ios::binary);
    for (const auto& row : interpreter.output(emit.name)) out << row.text << '\n';
  }
  return 0;
}
