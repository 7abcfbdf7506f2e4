#include "runtime/codec/csv/cell_value.h"

#include <cstring>

#include "runtime/codec/json/validate.h"
#include "runtime/codec/json/value.h"
#include "runtime/codec/scalar_text.h"
#include "runtime/codec/text/base64.h"

namespace mut::csv {
namespace {

template <typename T>
std::string_view store(T value, char* to) {
  memcpy(to, &value, sizeof value);
  return {};
}

// Up to 15 digits and nothing else, the usual case.
bool read_short_int(std::string_view text, char* to) {
  if (text.empty() || text.size() > 15) return false;
  int64_t value = 0;
  for (char c : text) {
    auto digit = static_cast<unsigned char>(c - '0');
    if (digit > 9) return false;
    value = value * 10 + digit;
  }
  store(value, to);
  return true;
}

std::string_view read_bytes(const json::Node& node, std::string_view text, batch::Arena& arena, char* to) {
  char* room = static_cast<char*>(arena.allocate(text::base64_bytes_max(text.size())));
  auto size = text::parse_base64(text, room);
  if (!size) return "expected base64 text";
  return store(node.store ? abi::make_str(room, static_cast<uint32_t>(*size)) : MutStr{0, 0, ""}, to);
}

}  // namespace

std::string_view read_cell(const json::Node& node, const abi::TypeDesc& type, std::string_view text,
                           text::TimeUnit unit, batch::Arena& arena, char* to) {
  using abi::TypeKind;
  switch (node.kind) {
    case TypeKind::I64:
      return read_short_int(text, to) ? std::string_view() : codec::read_scalar(node, text, unit, to);
    case TypeKind::String:
      return store(abi::make_str(text), to);
    case TypeKind::Bytes:
      return read_bytes(node, text, arena, to);
    case TypeKind::Json:
      return json::is_json(text) ? store(abi::make_str(text), to) : "expected JSON text";
    case TypeKind::List:
    case TypeKind::Map:
    case TypeKind::Record:
      return json::read_value(text, type, unit, arena, to) ? "expected JSON text of its type"
                                                           : std::string_view();
    default:
      return codec::read_scalar(node, text, unit, to);
  }
}

}  // namespace mut::csv
