#include "compiler/session/arrow/output.h"

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/abi/value.h"
#include "runtime/decimal/decimal.h"

namespace mut::session {

using abi::TypeDesc;
using abi::TypeKind;

namespace {

constexpr int64_t nullable = 2;  // ARROW_FLAG_NULLABLE

std::string format_of(const TypeDesc& type) {
  switch (type.kind) {
    case TypeKind::Bool:
      return "b";
    case TypeKind::I8:
      return "c";
    case TypeKind::U8:
      return "C";
    case TypeKind::I16:
      return "s";
    case TypeKind::U16:
      return "S";
    case TypeKind::I32:
      return "i";
    case TypeKind::U32:
      return "I";
    case TypeKind::I64:
      return "l";
    case TypeKind::U64:
      return "L";
    case TypeKind::F32:
      return "f";
    case TypeKind::F64:
      return "g";
    case TypeKind::Decimal:
      return "d:" + std::to_string(decimal::digits_max) + "," + std::to_string(type.scale);
    case TypeKind::Bytes:
      return "Z";
    case TypeKind::Time:
      return "tsn:UTC";
    case TypeKind::Duration:
      return "tDn";
    case TypeKind::List:
      return "+L";
    case TypeKind::Map:
      return "+m";
    case TypeKind::Record:
      return "+s";
    default:
      return "U";  // string, json, enum
  }
}

bool has_offsets(TypeKind kind) {
  return kind == TypeKind::String || kind == TypeKind::Bytes || kind == TypeKind::Json ||
         kind == TypeKind::Enum || kind == TypeKind::List;
}

bool is_nested(TypeKind kind) {
  return kind == TypeKind::List || kind == TypeKind::Map || kind == TypeKind::Record;
}

void set_bit(std::vector<uint8_t>& bits, size_t at, bool value) {
  if (at / 8 >= bits.size()) bits.push_back(0);
  if (value) bits[at / 8] = static_cast<uint8_t>(bits[at / 8] | 1U << (at % 8));
}

// One array while it grows, and what it owns once it is handed out.
class Column {
 public:
  explicit Column(const TypeDesc& declared)
      : optional_(declared.kind == TypeKind::Optional), present_(declared.present_offset) {
    type_ = optional_ ? declared.element.get() : &declared;
    if (has_offsets(type_->kind)) offsets_.push_back(0);
    if (type_->kind == TypeKind::Map) map_offsets_.push_back(0);
    if (type_->element) children_.push_back(std::make_unique<Column>(*type_->element));
    for (const abi::FieldDesc& field : type_->fields)
      children_.push_back(std::make_unique<Column>(*field.type));
  }

  void append(const char* at) {
    if (optional_ && at[present_] == 0) return append_none();
    set_bit(valid_, length_++, true);
    switch (type_->kind) {
      case TypeKind::Bool:
        set_bit(bits_, length_ - 1, *at != 0);
        break;
      case TypeKind::String:
      case TypeKind::Bytes:
      case TypeKind::Json: {
        MutStr text;
        memcpy(&text, at, sizeof(text));
        append_text(abi::view(text));
        break;
      }
      case TypeKind::Enum: {
        int32_t index = 0;
        memcpy(&index, at, 4);
        append_text(type_->values[static_cast<size_t>(index)]);
        break;
      }
      case TypeKind::List:
      case TypeKind::Map: {
        MutList list;
        memcpy(&list, at, sizeof(list));
        for (uint64_t i = 0; i < list.count; ++i)
          children_[0]->append(static_cast<const char*>(list.data) + i * type_->element->size);
        close_list();
        break;
      }
      case TypeKind::Record:
        for (size_t i = 0; i < type_->fields.size(); ++i) children_[i]->append(at + type_->fields[i].offset);
        break;
      default:
        values_.insert(values_.end(), at, at + type_->size);
    }
  }

  // `column` owns itself from here on, through `out`.
  static void hand_out(std::unique_ptr<Column> column, ArrowArray& out) {
    Column& self = *column;
    memset(&out, 0, sizeof(out));
    out.length = static_cast<int64_t>(self.length_);
    out.null_count = static_cast<int64_t>(self.null_count_);
    self.buffers_.push_back(self.null_count_ > 0 ? self.valid_.data() : nullptr);
    if (has_offsets(self.type_->kind)) self.buffers_.push_back(self.offsets_.data());
    if (self.type_->kind == TypeKind::Map) self.buffers_.push_back(self.map_offsets_.data());
    if (self.type_->kind == TypeKind::Bool) {
      self.buffers_.push_back(self.bits_.data());
    } else if (!is_nested(self.type_->kind)) {
      self.values_.reserve(1);  // a buffer, even if nothing is in it
      self.buffers_.push_back(self.values_.data());
    }
    out.n_buffers = static_cast<int64_t>(self.buffers_.size());
    out.buffers = self.buffers_.data();
    self.arrays_.resize(self.children_.size());
    for (size_t i = 0; i < self.children_.size(); ++i) {
      hand_out(std::move(self.children_[i]), self.arrays_[i]);
      self.pointers_.push_back(&self.arrays_[i]);
    }
    out.n_children = static_cast<int64_t>(self.pointers_.size());
    out.children = self.pointers_.data();
    out.release = [](ArrowArray* array) {
      std::unique_ptr<Column> owned(static_cast<Column*>(array->private_data));
      for (ArrowArray& child : owned->arrays_) {
        if (child.release != nullptr) child.release(&child);  // one may have been moved away
      }
      array->release = nullptr;
    };
    out.private_data = column.release();
  }

 private:
  // Null; in an absent record, where nobody may look, a field that is not optional is nothing of its kind.
  void append_none() {
    set_bit(valid_, length_++, !optional_);
    null_count_ += optional_ ? 1 : 0;
    if (type_->kind == TypeKind::Bool) {
      set_bit(bits_, length_ - 1, false);
    } else if (has_offsets(type_->kind)) {
      offsets_.push_back(offsets_.back());
    } else if (type_->kind == TypeKind::Map) {
      map_offsets_.push_back(map_offsets_.back());
    } else if (type_->kind == TypeKind::Record) {
      for (const auto& child : children_) child->append_none();
    } else {
      values_.insert(values_.end(), type_->size, 0);
    }
  }
  void close_list() {
    auto end = static_cast<int64_t>(children_[0]->length_);
    if (type_->kind == TypeKind::Map) {
      map_offsets_.push_back(static_cast<int32_t>(end));
    } else {
      offsets_.push_back(end);
    }
  }
  void append_text(std::string_view text) {
    values_.insert(values_.end(), text.begin(), text.end());
    offsets_.push_back(static_cast<int64_t>(values_.size()));
  }

  const TypeDesc* type_;
  bool optional_;
  uint32_t present_;  // offset of the flag of a `T?`
  size_t length_ = 0;
  size_t null_count_ = 0;
  std::vector<uint8_t> valid_;
  std::vector<uint8_t> bits_;
  std::vector<int64_t> offsets_;
  std::vector<int32_t> map_offsets_;  // Arrow has maps with 32 bits only
  std::vector<char> values_;
  std::vector<std::unique_ptr<Column>> children_;
  std::vector<const void*> buffers_;
  std::vector<ArrowArray> arrays_;
  std::vector<ArrowArray*> pointers_;
};

struct Schema {
  std::string name;
  std::string format;
  std::vector<ArrowSchema> schemas;
  std::vector<ArrowSchema*> pointers;
};

void hand_out_schema(const std::string& name, const TypeDesc& declared, ArrowSchema& out) {
  bool optional = declared.kind == TypeKind::Optional;
  const TypeDesc& type = optional ? *declared.element : declared;
  auto owned = std::make_unique<Schema>();
  owned->name = name;
  memset(&out, 0, sizeof(out));
  owned->format = format_of(type);
  out.format = owned->format.c_str();
  out.name = owned->name.c_str();
  out.flags = optional ? nullable : 0;
  if (type.element) {
    owned->schemas.resize(1);
    hand_out_schema(type.kind == TypeKind::Map ? "entries" : "item", *type.element, owned->schemas[0]);
  } else {
    owned->schemas.resize(type.fields.size());
    for (size_t i = 0; i < type.fields.size(); ++i)
      hand_out_schema(type.fields[i].name, *type.fields[i].type, owned->schemas[i]);
  }
  for (ArrowSchema& child : owned->schemas) owned->pointers.push_back(&child);
  out.n_children = static_cast<int64_t>(owned->pointers.size());
  out.children = owned->pointers.data();
  out.release = [](ArrowSchema* schema) {
    std::unique_ptr<Schema> held(static_cast<Schema*>(schema->private_data));
    for (ArrowSchema& child : held->schemas) {
      if (child.release != nullptr) child.release(&child);
    }
    schema->release = nullptr;
  };
  out.private_data = owned.release();
}

}  // namespace

void write_arrow(const TypeDesc& record, const char* rows, uint64_t row_count, uint64_t stride,
                 ArrowArray& array, ArrowSchema& schema) {
  auto whole = std::make_unique<Column>(record);
  for (uint64_t i = 0; i < row_count; ++i) whole->append(rows + i * stride);
  Column::hand_out(std::move(whole), array);
  hand_out_schema("", record, schema);
}

}  // namespace mut::session
