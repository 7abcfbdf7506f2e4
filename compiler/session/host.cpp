// Rows from a host program.
#include <cstring>

#include "compiler/session/engine_state.h"

namespace mut {
namespace {

Failure usage(std::string text) { return {Failure::Kind::Usage, std::move(text)}; }

// A host's value into memory layout; false when it does not fit the type.
bool write_field(const abi::TypeDesc& type, const FieldValue& value, char* out) {
  if (type.kind == abi::TypeKind::Optional) {
    if (std::holds_alternative<std::monostate>(value)) return true;
    if (!write_field(*type.element, value, out)) return false;
    out[type.present_offset] = 1;
    return true;
  }
  switch (type.kind) {
    case abi::TypeKind::Bool:
      if (!std::holds_alternative<bool>(value)) return false;
      *out = std::get<bool>(value) ? 1 : 0;
      return true;
    case abi::TypeKind::F64: {
      double number = 0;
      if (const auto* real = std::get_if<double>(&value)) {
        number = *real;
      } else if (const auto* whole = std::get_if<int64_t>(&value)) {
        number = static_cast<double>(*whole);
      } else {
        return false;
      }
      memcpy(out, &number, 8);
      return true;
    }
    case abi::TypeKind::String:
    case abi::TypeKind::Bytes: {
      const auto* text = std::get_if<std::string>(&value);
      if (text == nullptr) return false;
      MutStr view = abi::make_str(*text);
      memcpy(out, &view, sizeof(view));
      return true;
    }
    case abi::TypeKind::Enum: {
      const auto* text = std::get_if<std::string>(&value);
      if (text == nullptr) return false;
      for (size_t i = 0; i < type.values.size(); ++i) {
        if (type.values[i] != *text) continue;
        auto index = static_cast<int32_t>(i);
        memcpy(out, &index, 4);
        return true;
      }
      return false;
    }
    case abi::TypeKind::List:
    case abi::TypeKind::Record:
    case abi::TypeKind::Json:
    case abi::TypeKind::F32:
      return false;
    default: {
      const auto* whole = std::get_if<int64_t>(&value);
      if (whole == nullptr) return false;
      if (type.size < 8) {
        int64_t shift = 64 - type.size * 8;
        bool is_unsigned = type.kind == abi::TypeKind::U8 || type.kind == abi::TypeKind::U16 ||
                           type.kind == abi::TypeKind::U32;
        int64_t back = is_unsigned ? static_cast<int64_t>(static_cast<uint64_t>(*whole) << shift >> shift)
                                   : static_cast<int64_t>(static_cast<uint64_t>(*whole) << shift) >> shift;
        if (back != *whole) return false;
      }
      memcpy(out, &*whole, type.size);
      return true;
    }
  }
}

}  // namespace

Outcome<Done> Engine::push_row(const std::string& source, const std::vector<FieldValue>& fields) {
  auto host = state_->host_sources.find(source);
  if (host == state_->host_sources.end()) return usage("`" + source + "` is no host source");
  if (!host->second.rows) return usage("source `" + source + "` takes text, or the engine was not started");
  connector::RowQueue& queue = *host->second.rows;
  const abi::TypeDesc& record = queue.record();
  if (fields.size() != record.fields.size()) {
    return usage("source `" + source + "` has " + std::to_string(record.fields.size()) + " fields, " +
                 std::to_string(fields.size()) + " given");
  }
  std::vector<char> row(record.size, 0);
  for (size_t i = 0; i < fields.size(); ++i) {
    const abi::FieldDesc& field = record.fields[i];
    if (!write_field(*field.type, fields[i], row.data() + field.offset))
      return usage("field `" + field.name + "` of `" + source + "`: wrong type");
  }
  int64_t time = state_->now();
  std::shared_ptr<session::Program> running = state_->running_program();
  const typed::Source* declared = State::find_source(*running, source);
  if (declared != nullptr && declared->time && declared->time->kind == typed::ExprKind::Field) {
    memcpy(&time, row.data() + record.fields[static_cast<size_t>(declared->time->index)].offset, 8);
  }
  queue.push(row.data(), time);
  return Done{};
}

Outcome<Done> Engine::push_text(const std::string& source, std::string_view lines) {
  TextRows rows;
  rows.text = std::string(lines);
  return push_text(source, std::move(rows));
}

Outcome<Done> Engine::push_text(const std::string& source, TextRows rows) {
  auto host = state_->host_sources.find(source);
  // In a closed world every source is the host's, also one that nothing reads.
  if (host == state_->host_sources.end() && state_->closed() &&
      State::find_source(*state_->running_program(), source) != nullptr)
    host = state_->host_sources.try_emplace(source).first;
  if (host == state_->host_sources.end()) return usage("`" + source + "` is no host source");
  if (host->second.rows) return usage("source `" + source + "` takes rows");
  if (!host->second.text) {
    if (state_->started && !state_->closed())
      return usage("source `" + source + "` takes rows; push the first text before start()");
    host->second.text = std::make_shared<connector::PieceQueue>(state_->wake.get());
  }
  auto format = codec::format_of_name(rows.format);
  if (!format) return usage("no format `" + rows.format + "`");
  host->second.text->push({*format, std::move(rows.text), rows.name.empty() ? source : std::move(rows.name)});
  return Done{};
}

Outcome<Done> Engine::finish(const std::string& source) {
  auto host = state_->host_sources.find(source);
  if (host == state_->host_sources.end()) return usage("`" + source + "` is no host source");
  if (host->second.rows) host->second.rows->finish();
  if (host->second.text) host->second.text->finish();
  return Done{};
}

// Numbers, booleans and texts; validity and offsets as the specification has them.
Outcome<Done> Engine::push_arrow(const std::string& source, ArrowArray* array, const ArrowSchema* schema) {
  struct Release {
    ArrowArray* array;
    ~Release() {
      if (array->release != nullptr) array->release(array);
    }
  } release{array};
  if (schema->format == nullptr || std::string_view(schema->format) != "+s")
    return usage("a struct array is needed");
  std::shared_ptr<session::Program> running = state_->running_program();
  const typed::Source* declared = State::find_source(*running, source);
  if (declared == nullptr) return usage("no source is called `" + source + "`");
  std::vector<int64_t> child_of;
  for (const typed::Field& field : declared->type->fields) {
    int64_t found = -1;
    for (int64_t i = 0; i < schema->n_children; ++i) {
      if (schema->children[i]->name != nullptr && field.name == schema->children[i]->name) found = i;
    }
    if (found < 0) return usage("column `" + field.name + "` is missing");
    child_of.push_back(found);
  }
  for (int64_t row = 0; row < array->length; ++row) {
    std::vector<FieldValue> fields;
    for (size_t f = 0; f < child_of.size(); ++f) {
      const ArrowArray& child = *array->children[child_of[f]];
      std::string_view format = schema->children[child_of[f]]->format;
      int64_t at = row + array->offset + child.offset;
      const auto* valid = static_cast<const uint8_t*>(child.buffers[0]);
      if (valid != nullptr && (valid[at / 8] >> (at % 8) & 1) == 0) {
        fields.emplace_back(std::monostate{});
        continue;
      }
      auto number = [&](auto sample) {
        memcpy(&sample, static_cast<const char*>(child.buffers[1]) + static_cast<size_t>(at) * sizeof(sample),
               sizeof(sample));
        return sample;
      };
      if (format == "l" || format == "L" || format.starts_with("tsn:") || format == "tDn") {
        fields.emplace_back(number(int64_t{}));
      } else if (format == "i") {
        fields.emplace_back(static_cast<int64_t>(number(int32_t{})));
      } else if (format == "I") {
        fields.emplace_back(static_cast<int64_t>(number(uint32_t{})));
      } else if (format == "g") {
        fields.emplace_back(number(double{}));
      } else if (format == "f") {
        fields.emplace_back(static_cast<double>(number(float{})));
      } else if (format == "b") {
        fields.emplace_back((static_cast<const uint8_t*>(child.buffers[1])[at / 8] >> (at % 8) & 1) != 0);
      } else if (format == "u" || format == "z") {
        const auto* offsets = static_cast<const int32_t*>(child.buffers[1]);
        const auto* data = static_cast<const char*>(child.buffers[2]);
        fields.emplace_back(
            std::string(data + offsets[at], static_cast<size_t>(offsets[at + 1] - offsets[at])));
      } else {
        return usage("column `" + declared->type->fields[f].name + "`: format `" + std::string(format) +
                     "` is not taken");
      }
    }
    auto pushed = push_row(source, fields);
    if (!pushed) return pushed;
  }
  return Done{};
}

}  // namespace mut
