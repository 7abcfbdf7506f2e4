// Whatever the bytes: the parser ends, and what it understands survives formatting.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "compiler/printer/printer.h"
#include "compiler/syntax/parse.h"

namespace {

struct Result {
  std::string tree, text, messages;
  bool clean = false;
  bool internal_error = false;
};

Result read(const std::string& script) {
  mut::source::SourceSet sources;
  mut::diag::Engine diags;
  auto file = sources.add("fuzz.mut", script);
  auto program = mut::syntax::parse(sources, file, diags);
  Result out;
  out.messages = mut::diag::render_text(diags, sources, mut::diag::Color::Never);
  out.messages += mut::diag::render_json(diags, sources);
  out.clean = !diags.has_errors();
  for (const auto& one : diags.sorted()) out.internal_error |= one.code == mut::diag::Code::Internal;
  out.tree = mut::printer::dump(program);
  out.text = mut::printer::format(program, sources);
  return out;
}

void require(bool holds, const char* law, const std::string& a, const std::string& b) {
  if (holds) return;
  std::fprintf(stderr, "broken law: %s\n---\n%s\n---\n%s\n", law, a.c_str(), b.c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Result first = read(std::string(reinterpret_cast<const char*>(data), size));
  require(!first.internal_error, "no internal error", first.messages, "");
  if (!first.clean) return 0;
  Result second = read(first.text);
  require(second.clean, "formatted text parses", first.text, second.messages);
  require(first.tree == second.tree, "formatting keeps the tree", first.tree, second.tree);
  require(first.text == second.text, "formatting twice changes nothing", first.text, second.text);
  return 0;
}
