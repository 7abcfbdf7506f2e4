#include "compiler/modules/reader.h"

#include "compiler/modules/std_texts.h"
#include "compiler/syntax/parse.h"
#include "runtime/env/real_env.h"

namespace mut::modules {
namespace {

using diag::Code;

// The path of a file that is named in another.
std::string beside(const std::string& importer, const std::string& file) {
  size_t slash = importer.rfind('/');
  if (file.starts_with('/') || slash == std::string::npos) return file;
  return importer.substr(0, slash + 1) + file;
}

// Without `.` and `..` in the middle, so that one file has one name.
std::string plain_path(const std::string& path) {
  std::vector<std::string> parts;
  for (size_t at = 0; at <= path.size();) {
    size_t end = std::min(path.find('/', at), path.size());
    std::string part = path.substr(at, end - at);
    at = end + 1;
    if (part == "." || (part.empty() && !parts.empty())) continue;
    if (part == ".." && !parts.empty() && parts.back() != ".." && !parts.back().empty()) {
      parts.pop_back();
    } else {
      parts.push_back(std::move(part));
    }
  }
  std::string out;
  for (size_t i = 0; i < parts.size(); ++i) out += (i == 0 ? "" : "/") + parts[i];
  return out;
}

Result<std::string> text_of(const std::string& path) {
  auto env = env::make_real_env();
  if (!env) return env.error();
  // A pipe would be waited for, for as long as nobody writes.
  auto known = env.value()->identify(path);
  if (known && !known.value().regular && !env.value()->is_directory(path))
    return Error{path + ": not a regular file"};
  auto file = env.value()->open_input(path);
  if (!file) return file.error();
  std::string out;
  std::string piece(size_t{1} << 16U, '\0');
  while (out.size() <= syntax::source_bytes_max) {
    auto count = file.value()->read(piece.data(), piece.size());
    if (!count) return count.error();
    if (count.value() == 0) return out;
    out.append(piece, 0, count.value());
  }
  return Error{path + ": larger than a script may be"};
}

}  // namespace

std::optional<sema::ModuleReader::Found> Reader::parse(const std::string& key, std::string text,
                                                       source::Span span, diag::Engine& diags) {
  diag::Engine::Within within(diags, span, "imported here");
  source::FileId file = sources_.add(key, std::move(text));
  size_t errors = diags.error_count();
  trees_.push_back(syntax::parse(sources_, file, diags));
  known_[key] = diags.error_count() == errors ? &trees_.back() : nullptr;
  return known_[key] != nullptr ? std::optional<Found>({key, known_[key]}) : std::nullopt;
}

std::optional<sema::ModuleReader::Found> Reader::read(const ast::ImportDecl& import, source::Span span,
                                                      diag::Engine& diags) {
  std::string key;
  if (import.module.parts.empty()) {
    key = plain_path(beside(sources_.file(span.file).name(), import.file));
  } else {
    for (const ast::Ident& part : import.module.parts) key += (key.empty() ? "" : ".") + part.text;
  }
  if (auto known = known_.find(key); known != known_.end()) {
    return known->second != nullptr ? std::optional<Found>({key, known->second}) : std::nullopt;
  }
  if (import.module.parts.empty()) {
    files_.push_back(key);
    auto text = text_of(key);
    if (text) return parse(key, std::move(text).value(), span, diags);
    diags.report(Code::UnknownModule, span, import.file).note(text.error().message);
    return std::nullopt;
  }
  std::vector<std::string> candidates;
  for (const StdText& module : std_texts()) {
    candidates.push_back("std." + std::string(module.name));
    if (key == candidates.back()) return parse(key, std::string(module.text), span, diags);
  }
  auto report = diags.report(Code::UnknownModule, import.module.span, key);
  if (auto near = diag::did_you_mean(key, candidates))
    report.note("did you mean `" + *near + "`?").fix(import.module.span, *near);
  return std::nullopt;
}

}  // namespace mut::modules
