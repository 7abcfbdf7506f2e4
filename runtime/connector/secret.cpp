#include "runtime/connector/secret.h"

#include <utility>

namespace mut::connector {
namespace {

Result<std::string> read_file(env::Env& env, const std::string& path) {
  auto what = env.identify(path);
  if (!what) return what.error();
  // A pipe would be waited for.
  if (!what.value().regular) return Error{path + ": it is no plain file"};
  auto file = env.open_input(path);
  if (!file) return file.error();
  std::string out(secret_bytes_max + 1, '\0');
  size_t size = 0;
  while (size < out.size()) {
    auto got = file.value()->read(out.data() + size, out.size() - size);
    if (!got) return got.error();
    if (got.value() == 0) break;
    size += got.value();
  }
  if (size > secret_bytes_max) return Error{path + ": longer than a secret can be, 64 KiB"};
  out.resize(size);
  if (out.ends_with('\n')) out.pop_back();
  if (out.ends_with('\r')) out.pop_back();
  return out;
}

}  // namespace

std::string Secret::text() const {
  return (from == From::Variable ? "env(\"" : "secret_file(\"") + name + "\")";
}

Result<std::string> Secret::read(env::Env& env) const {
  auto out = from == From::File ? read_file(env, name) : Result<std::string>(env.variable(name.c_str()));
  if (!out) return out.error().within(text());
  if (out.value().empty()) {
    const char* what = from == From::File ? "the file is empty" : "the variable is not set, or empty";
    return Error{what}.within(text());
  }
  if (out.value().find('\0') != std::string::npos) return Error{"it holds a zero byte"}.within(text());
  return out;
}

}  // namespace mut::connector
