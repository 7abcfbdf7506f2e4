#include "compiler/syntax/parse.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/syntax/attempt.h"
#include "compiler/syntax/decode.h"
#include "compiler/syntax/recover.h"
#include "compiler/syntax/token_reader.h"
#include "compiler/syntax/tree_builder.h"

namespace mut::syntax {
namespace {

using diag::Code;

// `///` that documents nothing is kept as a comment: the formatter loses no text.
void keep_stray_docs(TokenList& list, const source::SourceSet& sources, ast::Program& program) {
  for (const auto& [token, lines] : list.docs) {
    for (const DocLine& line : lines) {
      list.comments.push_back({line.span, std::string(sources.text(line.span))});
    }
  }
  std::sort(list.comments.begin(), list.comments.end(),
            [](const ast::Comment& a, const ast::Comment& b) { return a.span.begin < b.span.begin; });
  program.comments = std::move(list.comments);
}

void parse_text(const source::SourceSet& sources, source::FileId file, diag::Engine& diags,
                ast::Program& program) {
  const std::string& bytes = sources.file(file).text();
  if (bytes.size() > source_bytes_max) {
    diags.report(Code::SourceTooLarge, {file, 0, 0}, fmt::format("{} bytes", bytes.size()),
                 std::to_string(source_bytes_max));
    return;
  }
  DecodedText text = decode(bytes);
  if (text.bad_byte) {
    diags.report(Code::BadUtf8, {file, *text.bad_byte, *text.bad_byte + 1}, std::to_string(*text.bad_byte));
    return;
  }
  Places places(sources, file, text);
  TokenReader reader(text, places, diags);
  TokenList list = reader.read();
  TreeBuilder builder(places, list.docs, diags);

  std::vector<antlr4::Token*> tokens;
  tokens.reserve(list.tokens.size());
  for (auto& token : list.tokens) tokens.push_back(token.get());
  Attempt whole(tokens, reader.source());
  bool understood = list.damaged.empty() && !whole.run(Start::Script).has_value();
  if (understood) {
    if (auto* edition = whole.script()->edition()) builder.edition(edition, program);
    for (auto* declaration : whole.script()->declaration()) {
      program.declarations.push_back(builder.declaration(declaration));
    }
  } else {
    parse_by_declaration(list, reader.source(), places, builder, program, diags);
  }
  keep_stray_docs(list, sources, program);
}

}  // namespace

ast::Program parse(const source::SourceSet& sources, source::FileId file, diag::Engine& diags) {
  ast::Program program;
  program.file = file;
  try {
    parse_text(sources, file, diags, program);
  } catch (const std::exception& error) {
    // ANTLR's own; what the script can cause was caught where it happens.
    diags.report(Code::Internal, {file, 0, 0}, fmt::format("parser: {}", error.what()));
  }
  return program;
}

}  // namespace mut::syntax
