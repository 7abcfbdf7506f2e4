#include "compiler/reference/source.h"

#include "compiler/reference/decode.h"

namespace mut::reference {

namespace {

// As docs/language.md gives them.
constexpr int64_t generate_start_ns = 1'767'225'600'000'000'000;  // 2026-01-01T00:00:00Z
constexpr int64_t generate_step_ns = 1'000'000;

text::TimeUnit unit_of(const typed::Source& source) {
  const typed::Option* option = source.connector.find("time_unit");
  std::string unit = option == nullptr ? "ms" : option->value.as_text();
  return unit == "s"    ? text::TimeUnit::Second
         : unit == "us" ? text::TimeUnit::Micro
         : unit == "ns" ? text::TimeUnit::Nano
                        : text::TimeUnit::Milli;
}

bool only_blanks(std::string_view text) { return text.find_first_not_of(" \t\r") == std::string_view::npos; }

template <typename Get>
auto option_or(const typed::Source& source, const char* name, Get get,
               decltype(get(typed::Const())) otherwise) {
  const typed::Option* option = source.connector.find(name);
  return option == nullptr ? otherwise : get(option->value);
}
int64_t int_option(const typed::Source& source, const char* name, int64_t otherwise) {
  return option_or(source, name, [](const typed::Const& value) { return value.as_int(); }, otherwise);
}

}  // namespace

Format SourceReader::format_of(const typed::Source& source) const {
  if (feed_.format) return *feed_.format;
  std::string word;
  if (const typed::Option* option = source.connector.find("format")) {
    word = option->value.as_text();
  } else if (const typed::Option* path = source.connector.positional(0)) {
    const std::string& text = path->value.as_text();
    word = text.substr(std::min(text.size(), text.rfind('.') + 1));
  }
  if (word == "csv") return Format::Csv;
  if (word == "tsv") return Format::Tsv;
  if (word == "lines" || word == "log" || word == "txt") return Format::Lines;
  return Format::Json;
}

std::optional<Record> SourceReader::peek(const typed::Source& source, const std::vector<Value>& params) {
  next_ = at_;
  next_line_ = line_;
  if (source.connector.name == "generate" && feed_.text.empty()) return next_generated(source, params);
  if (at_ == 0 && feed_.text.starts_with("\xEF\xBB\xBF")) next_ = 3;
  Format format = format_of(source);
  auto record =
      format == Format::Csv || format == Format::Tsv ? next_csv_record(source) : next_line_record(source);
  if (record && record->fields) compute_time(source, params, *record);
  return record;
}

void SourceReader::compute_time(const typed::Source& source, const std::vector<Value>& params,
                                Record& record) const {
  if (!source.time) return;
  Scope scope;
  scope.fields = &*record.fields;
  scope.params = &params;
  scope.arrival = scope.time = arrival_;
  try {
    record.time = evaluate(*source.time, scope).as_int();
  } catch (const EventFailure&) {
    record.fields.reset();  // rule 6.23
  }
}

std::optional<Record> SourceReader::next_line_record(const typed::Source& source) {
  bool lines = format_of(source) == Format::Lines;
  while (!at_end()) {
    size_t end = std::min(feed_.text.find('\n', next_), feed_.text.size());
    std::string line = feed_.text.substr(next_, end - next_);
    next_ = std::min(end + 1, feed_.text.size());
    uint64_t number = next_line_++;
    if (line.ends_with('\r')) line.pop_back();
    if (!lines && only_blanks(line)) {
      at_ = next_;
      line_ = next_line_;
      continue;
    }
    Record record;
    record.raw = line;
    record.has_raw = true;
    record.position = position_;
    if (!feed_.name.empty()) record.input = feed_.name + ":" + std::to_string(number);
    if (lines) {
      if (is_utf8(line)) record.fields = Value::Parts{Value(line)};
    } else if (auto json = parse_json(line); json && json->kind == Json::Kind::Record) {
      if (auto value = value_of(*json, source.type, unit_of(source))) record.fields = value->parts();
    }
    return record;
  }
  return std::nullopt;
}

SourceReader::Cells SourceReader::cut_csv(char separator) {
  Cells out;
  std::string cell;
  bool quoted = false;
  bool inside = false;
  auto finish = [&] {
    out.cells.emplace_back(cell, quoted);
    cell.clear();
    quoted = false;
  };
  while (!at_end()) {
    char c = feed_.text[next_++];
    if (c == '\n') ++next_line_;
    if (inside) {
      if (c != '"') {
        cell += c;
      } else if (!at_end() && feed_.text[next_] == '"') {
        cell += feed_.text[next_++];
      } else {
        inside = false;
        char after = at_end() ? '\n' : feed_.text[next_];
        out.malformed = out.malformed || (after != separator && after != '\n' && after != '\r');
      }
    } else if (c == '"' && cell.empty() && !quoted) {
      inside = quoted = true;
    } else if (c == separator) {
      finish();
    } else if (c == '\n') {
      finish();
      return out;
    } else if (c != '\r' || at_end() || feed_.text[next_] != '\n') {
      cell += c;
    }
  }
  out.malformed = out.malformed || inside;
  finish();
  return out;
}

std::optional<Value::Parts> SourceReader::decode_cells(const typed::Source& source, const Cells& cells) {
  std::vector<std::string> nones;
  if (const typed::Option* option = source.connector.find("none")) {
    for (const typed::Const& none : option->value.parts()) nones.push_back(none.as_text());
  }
  Value::Parts parts;
  for (size_t i = 0; i < source.type->fields.size(); ++i) {
    const typed::Field& field = source.type->fields[i];
    size_t column = i;
    if (header_) {
      const std::string& name = field.input_name.empty() ? field.name : field.input_name;
      column = static_cast<size_t>(std::find(header_->begin(), header_->end(), name) - header_->begin());
    }
    bool missing = column >= cells.cells.size();
    if (!missing) {
      const auto& [text, quoted] = cells.cells[column];
      missing = !quoted && (text.empty() || std::find(nones.begin(), nones.end(), text) != nones.end());
    }
    auto value = missing ? value_of_nothing(field)
                         : value_of_cell(cells.cells[column].first, field.type, unit_of(source));
    if (!value) return std::nullopt;
    parts.push_back(std::move(*value));
  }
  return parts;
}

std::optional<Record> SourceReader::next_csv_record(const typed::Source& source) {
  char separator = format_of(source) == Format::Tsv ? '\t' : ',';
  if (const typed::Option* option = source.connector.find("separator"))
    separator = option->value.as_text()[0];
  bool has_header =
      option_or(source, "header", [](const typed::Const& value) { return value.as_bool(); }, true);
  if (has_header && !header_ && !at_end()) {
    std::vector<std::string> names;
    for (auto& [text, quoted] : cut_csv(separator).cells) names.push_back(text);
    header_ = names;
    at_ = next_;
    line_ = next_line_;
  }
  if (header_) {
    for (const typed::Field& field : source.type->fields) {
      const std::string& name = field.input_name.empty() ? field.name : field.input_name;
      bool known = std::find(header_->begin(), header_->end(), name) != header_->end();
      if (known || value_of_nothing(field)) continue;
      problem_ = "no column `" + name + "` in the header";
      return std::nullopt;
    }
  }
  size_t columns = header_ ? header_->size() : source.type->fields.size();
  while (!at_end()) {
    size_t begin = next_;
    uint64_t number = next_line_;
    Cells cells = cut_csv(separator);
    bool blank = cells.cells.size() == 1 && cells.cells[0].first.empty() && !cells.cells[0].second;
    if (blank && columns > 1) {
      at_ = next_;
      line_ = next_line_;
      continue;
    }
    Record record;
    record.raw = feed_.text.substr(begin, next_ - begin);
    while (record.raw.ends_with('\n') || record.raw.ends_with('\r')) record.raw.pop_back();
    record.has_raw = true;
    record.position = position_;
    if (!feed_.name.empty()) record.input = feed_.name + ":" + std::to_string(number);
    if (!cells.malformed && cells.cells.size() == columns && is_utf8(record.raw))
      record.fields = decode_cells(source, cells);
    return record;
  }
  return std::nullopt;
}

std::optional<Record> SourceReader::next_generated(const typed::Source& source,
                                                   const std::vector<Value>& params) {
  int64_t count = int_option(source, "count", 0);
  if (static_cast<int64_t>(position_) >= count) return std::nullopt;
  Record record;
  record.position = position_;
  record.time = int_option(source, "start", generate_start_ns) +
                static_cast<int64_t>(position_) * int_option(source, "step", generate_step_ns);
  Draws draws;
  draws.seed = static_cast<uint64_t>(int_option(source, "seed", 1));
  draws.number = position_;
  draws.places = number_draws(source.generated);
  Value::Parts counter{Value(static_cast<int64_t>(position_))};
  Scope scope;
  scope.fields = &counter;
  scope.params = &params;
  scope.time = record.time;
  scope.arrival = arrival_;
  scope.draws = &draws;
  try {
    Value::Parts fields;
    for (const typed::Output& output : source.generated) fields.push_back(evaluate(*output.value, scope));
    record.fields = std::move(fields);
    compute_time(source, params, record);
  } catch (const EventFailure&) {
    record.fields.reset();
  }
  return record;
}

}  // namespace mut::reference
