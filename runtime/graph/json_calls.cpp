// What kernels ask of `json`: to go into it, and to make it. Parts of a value are parts of its text.
#include <cstring>

#include "runtime/codec/json/walk.h"
#include "runtime/codec/json/writer.h"
#include "runtime/graph/instance.h"

namespace {

int32_t give(std::optional<std::string_view> found, MutStr* out) {
  *out = mut::abi::make_str(found.value_or(std::string_view()));
  return found ? 1 : 0;
}

}  // namespace

extern "C" {

int32_t mut_json_member(const MutStr* json, const MutStr* name, MutStr* out) {
  return give(mut::json::member_of(mut::abi::view(*json), mut::abi::view(*name)), out);
}

int32_t mut_json_element(const MutStr* json, int64_t index, MutStr* out) {
  return give(mut::json::element_of(mut::abi::view(*json), index), out);
}

void mut_json_of(MutContext* ctx, uint32_t type, const void* value, MutStr* out) {
  auto& instance = *static_cast<mut::runtime::Instance*>(ctx->runtime);
  mut::text::Buffer text;
  mut::json::append_value(value, *instance.plan().types[type], text);
  *out = instance.arena().copy(text.view());
}

}  // extern "C"
