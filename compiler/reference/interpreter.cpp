#include "compiler/reference/interpreter.h"

#include <algorithm>

#include "compiler/reference/json.h"

namespace mut::reference {

Interpreter::Interpreter(std::shared_ptr<const typed::Program> program, Options options)
    : options_(std::move(options)), flow_(make_flow(std::move(program), options_.line)) {}

std::unique_ptr<Flow> Interpreter::make_flow(std::shared_ptr<const typed::Program> program,
                                             std::function<int(source::Span)> line) {
  const typed::Program* of = program.get();
  return std::make_unique<Flow>(std::move(program), std::move(line),
                                [this, of](size_t emit, const Event& row) { take_row(*of, emit, row); });
}

void Interpreter::bind(const std::string& source, Feed feed) {
  readers_.insert_or_assign(source, SourceReader(std::move(feed)));
}

uint64_t Interpreter::position(const std::string& source) {
  return read_before_[source] + readers_.try_emplace(source, Feed{}).first->second.position();
}

void Interpreter::replace(const std::string& source, const std::string& was, const std::string& now,
                          Feed feed) {
  uint64_t read = position(source);
  auto known = left_.find(now);
  SourceReader next = known == left_.end() ? SourceReader(std::move(feed)) : std::move(known->second);
  if (known != left_.end()) left_.erase(known);
  read_before_[source] = read - next.position();
  left_.insert_or_assign(was, std::move(readers_.at(source)));
  readers_.insert_or_assign(source, std::move(next));
}

void Interpreter::take_row(const typed::Program& program, size_t index, const Event& row) {
  const typed::Emit& emit = program.emits[index];
  typed::TypeRef type = program.streams[static_cast<size_t>(emit.stream)].type;
  std::string format = "json";
  if (const typed::Option* option = emit.connector.find("format")) {
    format = option->value.as_text();
  } else if (const typed::Option* path = emit.connector.positional(0)) {
    const std::string& text = path->value.as_text();
    format = text.substr(std::min(text.size(), text.rfind('.') + 1));
  }
  OutputLine line{"", row.origin.source, row.origin.position, version_};
  if (format == "csv" || format == "tsv") {
    char separator = format == "tsv" ? '\t' : ',';
    if (rows_[emit.name].empty()) rows_[emit.name].push_back({csv_header(type, separator), "", 0, version_});
    line.text = to_csv(row.fields, type, separator);
  } else if (format == "lines" || format == "txt" || format == "log") {
    line.text = row.fields[0].as_text();
  } else {
    line.text = to_json(Value(row.fields), type);
    if (options_.stamp) {
      line.text.back() = line.text == "{}" ? ' ' : ',';
      line.text += "\"$source\":" + quote_json(line.source) +
                   ",\"$position\":" + std::to_string(line.position) +
                   ",\"$version\":" + std::to_string(line.version) + "}";
    }
  }
  rows_[emit.name].push_back(line);
  all_.emplace_back(emit.name, std::move(line));
}

// What is generated has no time of arrival.
void Interpreter::judge_arrival(const typed::Source& source, Record& record) const {
  if (!source.ahead || !source.generated.empty() || !record.fields) return;
  record.is_future = record.time > now_ && record.time - now_ > *source.ahead;
}

// Smallest next event time first, ties by declaration; what cannot be decoded is taken at once (8.1).
// A source at its stop waits there.
bool Interpreter::step(const Stops& stops) {
  const typed::Program& program = flow_->program();
  std::optional<Record> chosen;
  size_t from = 0;
  for (size_t i = 0; i < program.sources.size(); ++i) {
    auto [reader, made] = readers_.try_emplace(program.sources[i].name, Feed{});
    auto stop = stops.find(program.sources[i].name);
    if (stop != stops.end() && position(stop->first) >= stop->second) continue;
    reader->second.set_arrival(now_);
    std::optional<Record> next = reader->second.peek(program.sources[i], flow_->params());
    if (!next) {
      flow_->finish_source(i);
      continue;
    }
    if (!program.sources[i].time && program.sources[i].generated.empty()) next->time = now_;
    if (program.sources[i].preload) {  // a table: before anything else
      chosen = std::move(next);
      from = i;
      break;
    }
    judge_arrival(program.sources[i], *next);
    auto time_of = [](const Record& record) {
      return record.fields && !record.is_future ? record.time : no_time;
    };
    if (chosen && time_of(*next) >= time_of(*chosen)) continue;
    chosen = std::move(next);
    from = i;
  }
  if (!chosen) return false;
  readers_.at(program.sources[from].name).take();
  flow_->accept(from, std::move(*chosen));
  return true;
}

void Interpreter::run_until(const Stops& stops) {
  auto stops_at_all = [&] {
    return std::all_of(stops.begin(), stops.end(),
                       [&](const auto& stop) { return position(stop.first) >= stop.second; });
  };
  while (!stops_at_all() && step(stops)) {
  }
}

void Interpreter::run_to_end() {
  while (step({})) {
  }
  flow_->finish();
}

std::string Interpreter::feed(const std::string& source, Feed feed) {
  const auto& sources = flow_->program().sources;
  auto of =
      std::find_if(sources.begin(), sources.end(), [&](const auto& other) { return other.name == source; });
  if (of == sources.end()) return "no source is called `" + source + "`";
  Fed& fed = fed_[source];
  if (fed.input != feed.name) fed = {fed.records, feed.name, 0};
  bool in_lines = feed.format == Format::Json || feed.format == Format::Lines;
  SourceReader reader(std::move(feed), in_lines ? fed.lines + 1 : 1);
  reader.set_arrival(now_);
  while (auto record = reader.peek(*of, flow_->params())) {
    reader.take();
    record->position = fed.records++;
    if (!of->time) record->time = now_;
    judge_arrival(*of, *record);
    flow_->accept(static_cast<size_t>(of - sources.begin()), std::move(*record));
  }
  if (in_lines) fed.lines = reader.line() - 1;
  return reader.problem();
}

void Interpreter::end() {
  for (size_t i = 0; i < flow_->program().sources.size(); ++i) flow_->finish_source(i);
  flow_->finish();
}

std::vector<std::string> Interpreter::swap(std::shared_ptr<const typed::Program> program,
                                           const Consents& consents, std::function<int(source::Span)> line) {
  std::unique_ptr<Flow> next = make_flow(std::move(program), line ? std::move(line) : options_.line);
  std::vector<std::string> undecided = migrate(*flow_, *next, consents);
  if (!undecided.empty()) return undecided;
  for (const typed::Source& source : next->program().sources) {
    auto known = readers_.find(source.was);
    if (source.was.empty() || known == readers_.end() || readers_.contains(source.name)) continue;
    auto moved = readers_.extract(known);
    moved.key() = source.name;
    readers_.insert(std::move(moved));
    read_before_[source.name] = read_before_[source.was];
  }
  // One that is taken away is closed: should it come back, it is read anew.
  std::erase_if(readers_, [&](const auto& reader) {
    const auto& sources = next->program().sources;
    return std::none_of(sources.begin(), sources.end(),
                        [&](const typed::Source& source) { return source.name == reader.first; });
  });
  std::erase_if(read_before_, [&](const auto& read) { return !readers_.contains(read.first); });
  flow_ = std::move(next);
  ++version_;
  flow_->fire_due();  // what the edit made due fires at the cut
  return {};
}

const std::vector<OutputLine>& Interpreter::output(const std::string& sink) const {
  static const std::vector<OutputLine> nothing;
  auto found = rows_.find(sink);
  return found == rows_.end() ? nothing : found->second;
}

std::string Interpreter::problem() const {
  for (const auto& [name, reader] : readers_) {
    if (!reader.problem().empty()) return "source `" + name + "`: " + reader.problem();
  }
  return "";
}

}  // namespace mut::reference
