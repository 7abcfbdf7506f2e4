// Rows from a host program.
#include <cstring>
#include <optional>

#include "compiler/session/arrow/input.h"
#include "compiler/session/engine_state.h"
#include "runtime/codec/utf8_window.h"
#include "runtime/decimal/decimal.h"

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
    case abi::TypeKind::Decimal: {  // as its text, or a whole number
      std::optional<decimal::Units> units;
      if (const auto* text = std::get_if<std::string>(&value)) {
        units = decimal::parse(*text, static_cast<int>(type.scale));
      } else if (const auto* whole = std::get_if<int64_t>(&value)) {
        units = decimal::rescale(*whole, 0, static_cast<int>(type.scale), decimal::Rounding::Exact);
      }
      if (units) memcpy(out, &*units, sizeof(*units));
      return units.has_value();
    }
    case abi::TypeKind::String:
    case abi::TypeKind::Bytes: {
      const auto* text = std::get_if<std::string>(&value);
      if (text == nullptr || (type.kind == abi::TypeKind::String && !codec::is_utf8(*text))) return false;
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
    case abi::TypeKind::Map:
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

std::optional<Engine::State::HostSource> Engine::State::host_source(const std::string& source_name) const {
  std::lock_guard lock(host_mutex);
  auto host = host_sources.find(source_name);
  if (host == host_sources.end()) return std::nullopt;
  return HostSource(host->second);
}

Outcome<Done> Engine::State::push_rows(const std::string& source, connector::RowQueue& queue,
                                       const char* rows, size_t row_count) {
  const abi::TypeDesc& record = queue.record();
  std::vector<int64_t> times(row_count, now());
  std::shared_ptr<session::Program> current = running_program();
  for (const typed::Source& declared : current->typed->sources) {
    if (declared.name != source || !declared.time || declared.time->kind != typed::ExprKind::Field) continue;
    uint32_t offset = record.fields[static_cast<size_t>(declared.time->index)].offset;
    for (size_t i = 0; i < row_count; ++i) memcpy(&times[i], rows + i * record.size + offset, 8);
  }
  queue.push(rows, times.data(), row_count);
  return Done{};
}

Outcome<Done> Engine::push_row(const std::string& source, const std::vector<FieldValue>& fields) {
  auto host = state_->host_source(source);
  if (!host) return usage("`" + source + "` is no host source");
  if (!host->rows) return usage("source `" + source + "` takes no rows, or the engine was not started");
  const abi::TypeDesc& record = host->rows->record();
  if (fields.size() != record.fields.size()) {
    return usage("source `" + source + "` has " + std::to_string(record.fields.size()) + " fields, " +
                 std::to_string(fields.size()) + " given");
  }
  std::vector<char> row(record.size, 0);
  for (size_t i = 0; i < fields.size(); ++i) {
    const abi::FieldDesc& field = record.fields[i];
    if (!write_field(*field.type, fields[i], row.data() + field.offset))
      return usage("field `" + field.name + "` of `" + source + "`: the value does not fit");
  }
  return state_->push_rows(source, *host->rows, row.data(), 1);
}

Outcome<Done> Engine::push_text(const std::string& source, std::string_view lines) {
  TextRows rows;
  rows.text = std::string(lines);
  return push_text(source, std::move(rows));
}

Outcome<Done> Engine::push_text(const std::string& source, TextRows rows) {
  State& s = *state_;
  auto format = codec::format_of_name(rows.format);
  if (!format) return usage("no format `" + rows.format + "`");
  std::shared_ptr<connector::PieceQueue> queue;
  {
    std::shared_ptr<session::Program> running = s.running_program();
    std::lock_guard lock(s.host_mutex);
    auto host = s.host_sources.find(source);
    // In a closed world every source is the host's, also one that nothing reads.
    if (host == s.host_sources.end() && s.closed() && State::find_source(*running, source) != nullptr)
      host = s.host_sources.try_emplace(source).first;
    if (host == s.host_sources.end()) return usage("`" + source + "` is no host source");
    if (host->second.rows || host->second.columns || host->second.borrowed_text)
      return usage("source `" + source + "` takes rows");
    if (!host->second.text) {
      if (s.started && !s.closed())
        return usage("source `" + source + "` takes rows; push the first text before start()");
      host->second.text = std::make_shared<connector::PieceQueue>(s.wake.get());
    }
    queue = host->second.text;
  }
  queue->push({*format, std::move(rows.text), rows.name.empty() ? source : std::move(rows.name)});
  return Done{};
}

Outcome<Done> Engine::finish(const std::string& source) {
  auto host = state_->host_source(source);
  if (!host) return usage("`" + source + "` is no host source");
  if (!host->rows && !host->text && !state_->started)
    return usage("nothing was pushed to `" + source + "` yet: finish it after start()");
  if (host->rows) host->rows->finish();
  if (host->text) host->text->finish();
  return Done{};
}

Outcome<Done> Engine::push_arrow(const std::string& source, ArrowArray* array, const ArrowSchema* schema) {
  struct Release {
    ArrowArray* array;
    ~Release() {
      if (array->release != nullptr) array->release(array);
    }
  } release{array};
  auto host = state_->host_source(source);
  if (!host) return usage("`" + source + "` is no host source");
  if (!host->rows) return usage("source `" + source + "` takes no rows, or the engine was not started");
  auto rows = session::read_arrow(*array, *schema, host->rows->record());
  if (!rows) return usage("source `" + source + "`: " + rows.error().message);
  return state_->push_rows(source, *host->rows, rows.value().rows.data(), rows.value().row_count);
}

}  // namespace mut
