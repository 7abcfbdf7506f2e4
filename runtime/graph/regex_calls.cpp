// What kernels ask of regular expressions. Parts of a text are given as parts: nothing is copied.
#include <cstring>

#include "runtime/graph/instance.h"

using mut::runtime::Instance;

namespace {

const mut::regex::Regex& regex_at(MutContext* ctx, uint32_t index) {
  return *static_cast<Instance*>(ctx->runtime)->plan().regexes[index];
}

}  // namespace

extern "C" {

int32_t mut_regex_found(MutContext* ctx, uint32_t index, const MutStr* text) {
  return regex_at(ctx, index).found_in(mut::abi::view(*text)) ? 1 : 0;
}

void mut_regex_replace(MutContext* ctx, uint32_t index, const MutStr* text, const MutStr* by, MutStr* out) {
  std::string made = regex_at(ctx, index).replace_all(mut::abi::view(*text), mut::abi::view(*by));
  *out = static_cast<Instance*>(ctx->runtime)->arena().copy(made);
}

// `out`: for each named group a text and a word that is 1 where it took part.
int32_t mut_regex_capture(MutContext* ctx, uint32_t index, const MutStr* text, uint64_t* out) {
  std::vector<std::optional<std::string_view>> groups;
  if (!regex_at(ctx, index).capture(mut::abi::view(*text), groups)) return 0;
  for (const auto& group : groups) {
    MutStr piece = mut::abi::make_str(group.value_or(std::string_view()));
    memcpy(out, &piece, sizeof(piece));
    out[2] = group ? 1 : 0;
    out += 3;
  }
  return 1;
}

}  // extern "C"
