#include "runtime/state/row_change.h"

#include <algorithm>
#include <cstring>

#include "runtime/abi/value.h"
#include "runtime/state/cells.h"
#include "runtime/state/narrowing.h"

namespace mut::state {
namespace {

using abi::TypeDesc;
using abi::TypeKind;

bool is_int(TypeKind kind) { return kind >= TypeKind::I8 && kind <= TypeKind::U64; }

// Whether values of `from` are values of `to`.
enum class Converts : uint8_t { Never, Perhaps, Always };
Converts converts(const TypeDesc& from, const TypeDesc& to) {
  if (abi::same_layout(from, to)) return Converts::Always;
  bool optional = from.kind == TypeKind::Optional;
  if (to.kind == TypeKind::Optional) return converts(optional ? *from.element : from, *to.element);
  if (optional) return converts(*from.element, to) == Converts::Never ? Converts::Never : Converts::Perhaps;
  if (is_int(from.kind) && is_int(to.kind))
    return is_narrower(from, to) ? Converts::Perhaps : Converts::Always;
  if (from.kind == TypeKind::F32 && to.kind == TypeKind::F64) return Converts::Always;
  if (from.kind != TypeKind::Enum || to.kind != TypeKind::Enum) return Converts::Never;
  bool all = std::all_of(from.values.begin(), from.values.end(), [&](const std::string& value) {
    return std::find(to.values.begin(), to.values.end(), value) != to.values.end();
  });
  return all ? Converts::Always : Converts::Perhaps;
}

// What does not fit, as text; empty: it was written.
std::string convert(const TypeDesc& from, const char* value, const TypeDesc& to, char* out) {
  if (abi::same_layout(from, to)) {
    memcpy(out, value, to.size);
    return "";
  }
  bool optional = from.kind == TypeKind::Optional;
  if (to.kind == TypeKind::Optional) {
    if (optional && value[from.present_offset] == 0) return "";
    std::string misfit = convert(optional ? *from.element : from, value, *to.element, out);
    out[to.present_offset] = 1;
    return misfit;
  }
  if (optional) {
    if (value[from.present_offset] == 0) return "none";
    return convert(*from.element, value, to, out);
  }
  if (from.kind == TypeKind::F32) {
    float narrow;
    memcpy(&narrow, value, sizeof(narrow));
    double wide = narrow;
    memcpy(out, &wide, sizeof(wide));
    return "";
  }
  if (from.kind == TypeKind::Enum) {
    int32_t index;
    memcpy(&index, value, sizeof(index));
    const std::string& name = from.values[static_cast<size_t>(index)];
    index = static_cast<int32_t>(std::find(to.values.begin(), to.values.end(), name) - to.values.begin());
    if (static_cast<size_t>(index) == to.values.size()) return name;
    memcpy(out, &index, sizeof(index));
    return "";
  }
  uint64_t word = 0;
  read_words(from, value, &word);
  if (!fits(from, word, to)) return number_text(from, word);
  memcpy(out, &word, to.size);  // little-endian: the low bytes lie first
  return "";
}

}  // namespace

std::optional<RowChange> RowChange::between(const abi::TypeDescRef& from, const abi::TypeDescRef& to) {
  RowChange out(from, to);
  auto worse = [&](RowFit fit) { out.fit_ = std::max(out.fit_, fit); };
  if (!abi::same_layout(*from, *to)) worse(RowFit::Fewer);
  for (const abi::FieldDesc& field : to->fields) {
    auto known = std::find_if(from->fields.begin(), from->fields.end(), [&](const abi::FieldDesc& old) {
      return old.name == field.name || (!field.was.empty() && old.name == field.was);
    });
    Part part;
    if (known != from->fields.end()) {
      Converts how = converts(*known->type, *field.type);
      if (how == Converts::Never) return std::nullopt;
      if (how == Converts::Perhaps) worse(RowFit::Narrowed);
      if (!abi::same_layout(*known->type, *field.type)) worse(RowFit::Widened);
      part.from = static_cast<int>(known - from->fields.begin());
    } else if (field.default_value) {
      part.filler = field.default_value;
      worse(RowFit::Filled);
    } else if (field.type->kind == TypeKind::Optional) {
      worse(RowFit::Filled);
    } else {
      return std::nullopt;
    }
    out.parts_.push_back(std::move(part));
  }
  return out;
}

std::string RowChange::misfit(const char* row) const {
  if (fit_ != RowFit::Narrowed) return "";
  std::vector<char> scratch(to_->size);
  for (size_t i = 0; i < parts_.size(); ++i) {
    if (parts_[i].from < 0) continue;
    const abi::FieldDesc& field = to_->fields[i];
    const abi::FieldDesc& known = from_->fields[static_cast<size_t>(parts_[i].from)];
    std::string what = convert(*known.type, row + known.offset, *field.type, scratch.data() + field.offset);
    if (!what.empty()) return "field `" + field.name + "` is " + what + ", which its new type does not hold";
  }
  return "";
}

std::vector<char> RowChange::apply(const char* row) const {
  std::vector<char> out(to_->size);
  if (fit_ == RowFit::Alike) {
    memcpy(out.data(), row, to_->size);
    return out;
  }
  for (size_t i = 0; i < parts_.size(); ++i) {
    const abi::FieldDesc& field = to_->fields[i];
    char* target = out.data() + field.offset;
    const Part& part = parts_[i];
    if (part.from >= 0) {
      const abi::FieldDesc& known = from_->fields[static_cast<size_t>(part.from)];
      (void)convert(*known.type, row + known.offset, *field.type, target);  // misfit() was asked
      continue;
    }
    if (part.filler) memcpy(target, part.filler->bytes.data(), field.type->size);
  }
  return out;
}

}  // namespace mut::state
