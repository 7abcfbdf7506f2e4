#include "compiler/session/history/record_json.h"

#include <llvm/Support/JSON.h>
#include <llvm/Support/raw_ostream.h>

#include <algorithm>

#include "mutstream/tooling.h"

namespace mut::session {
namespace {

namespace json = llvm::json;

// A script that failed may hold bytes that are no text.
std::string readable(std::string_view text) {
  return json::isUTF8(llvm::StringRef(text)) ? std::string(text) : json::fixUTF8(llvm::StringRef(text));
}

void write_text(json::OStream& out, llvm::StringRef key, std::string_view text) {
  if (!text.empty()) out.attribute(key, readable(text));
}
void write_number(json::OStream& out, llvm::StringRef key, uint64_t number) {
  if (number != 0) out.attribute(key, number);
}
void write_ns(json::OStream& out, llvm::StringRef key, int64_t ns) {
  if (ns != 0) out.attribute(key, ns);
}

void write_cells(json::OStream& out, const std::vector<CellVerdict>& cells) {
  if (cells.empty()) return;
  out.attributeArray("cells", [&] {
    for (const CellVerdict& cell : cells) {
      out.object([&] {
        out.attribute("cell", readable(cell.cell));
        write_text(out, "before", cell.before);
        out.attribute("verdict", readable(cell.verdict));
        write_text(out, "reason", cell.reason);
        if (!cell.choices.empty()) {
          out.attributeArray("choices", [&] {
            for (const std::string& choice : cell.choices) out.value(readable(choice));
          });
        }
        write_text(out, "decision", cell.decision);
        if (cell.undecided) out.attribute("undecided", true);
      });
    }
  });
}

void write_cut(json::OStream& out, const std::vector<SourceCut>& cut) {
  if (cut.empty()) return;
  out.attributeObject("cut", [&] {
    for (const SourceCut& source : cut) out.attribute(readable(source.source), source.records);
  });
}

// Everything but what stands in an outcome too.
void write_version(json::OStream& out, const VersionRecord& record) {
  out.attribute("version", record.version);
  write_number(out, "parent", record.parent);
  write_number(out, "restores", record.restores);
  out.attribute("hash", record.hash);
  write_text(out, "parent_hash", record.parent_hash);
  out.attribute("time_ns", record.time_ns);
  out.attribute("name", readable(record.name));
  out.attribute("text", readable(record.text));
  if (!record.params.empty()) {
    out.attributeObject("params", [&] {
      for (const auto& [name, value] : record.params) out.attribute(readable(name), readable(value));
    });
  }
  write_text(out, "plan", record.plan);
  write_cells(out, record.cells);
  if (!record.accepted.empty()) {
    out.attributeArray("accepted", [&] {
      for (const Consent& consent : record.accepted)
        out.value(readable(consent.verdict + ":" + consent.cell));
    });
  }
  write_ns(out, "check_ns", record.check_ns);
  write_ns(out, "compile_ns", record.compile_ns);
}

void write_outcome(json::OStream& out, const VersionRecord& record) {
  out.attribute("outcome", std::string(outcome_name(record.outcome)));
  write_text(out, "reason", record.reason);
  write_cut(out, record.cut);
  write_ns(out, "pause_ns", record.pause_ns);
  write_number(out, "entries_converted", record.entries_converted);
  write_text(out, "shadow", record.shadow);
}

template <typename Write>
std::string object(Write&& write) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  json::OStream out(stream);
  out.object([&] { write(out); });
  stream.flush();
  return text;
}

// llvm::json::parse() calls itself for what is nested.
bool too_deep(std::string_view text) {
  constexpr int deepest = 64;
  int depth = 0;
  bool inside = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (inside && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      inside = !inside;
    } else if (!inside && (text[i] == '{' || text[i] == '[')) {
      if (++depth > deepest) return true;
    } else if (!inside && (text[i] == '}' || text[i] == ']')) {
      --depth;
    }
  }
  return false;
}

std::string text_at(const json::Object& object, llvm::StringRef key) {
  return object.getString(key).value_or("").str();
}
uint64_t number_at(const json::Object& object, llvm::StringRef key) {
  const json::Value* value = object.get(key);
  return value ? value->getAsUINT64().value_or(0) : 0;
}
int64_t ns_at(const json::Object& object, llvm::StringRef key) { return object.getInteger(key).value_or(0); }

std::vector<std::string> texts_at(const json::Object& object, llvm::StringRef key) {
  std::vector<std::string> out;
  if (const json::Array* list = object.getArray(key)) {
    for (const json::Value& value : *list) out.push_back(value.getAsString().value_or("").str());
  }
  return out;
}

std::vector<CellVerdict> cells_at(const json::Object& object) {
  std::vector<CellVerdict> out;
  const json::Array* list = object.getArray("cells");
  if (list == nullptr) return out;
  for (const json::Value& value : *list) {
    const json::Object* cell = value.getAsObject();
    if (cell == nullptr) continue;
    out.push_back({text_at(*cell, "cell"), text_at(*cell, "before"), text_at(*cell, "verdict"),
                   text_at(*cell, "reason"), texts_at(*cell, "choices"), text_at(*cell, "decision"),
                   cell->getBoolean("undecided").value_or(false)});
  }
  return out;
}

std::optional<VersionRecord::Outcome> outcome_at(const json::Object& object) {
  std::string name = text_at(object, "outcome");
  for (auto i = static_cast<int>(VersionRecord::Outcome::Waiting);
       i <= static_cast<int>(VersionRecord::Outcome::RolledBack); ++i) {
    auto outcome = static_cast<VersionRecord::Outcome>(i);
    if (outcome_name(outcome) == name) return outcome;
  }
  return std::nullopt;
}

// Sources and params stand in the order of their names: llvm::json keeps none.
std::vector<std::string> keys_of(const json::Object& object) {
  std::vector<std::string> out;
  for (const auto& [key, value] : object) out.push_back(key.str());
  std::sort(out.begin(), out.end());
  return out;
}

void read_version(const json::Object& object, VersionRecord& out) {
  out.parent = number_at(object, "parent");
  out.restores = number_at(object, "restores");
  out.hash = text_at(object, "hash");
  out.parent_hash = text_at(object, "parent_hash");
  out.time_ns = ns_at(object, "time_ns");
  out.name = text_at(object, "name");
  out.text = text_at(object, "text");
  if (const json::Object* params = object.getObject("params")) {
    for (const std::string& name : keys_of(*params)) out.params.emplace_back(name, text_at(*params, name));
  }
  out.plan = text_at(object, "plan");
  out.cells = cells_at(object);
  for (const std::string& consent : texts_at(object, "accepted")) {
    size_t colon = consent.find(':');
    if (colon != std::string::npos)
      out.accepted.push_back({consent.substr(0, colon), consent.substr(colon + 1)});
  }
  out.check_ns = ns_at(object, "check_ns");
  out.compile_ns = ns_at(object, "compile_ns");
}

}  // namespace

std::string version_event(const VersionRecord& record) {
  return object([&](json::OStream& out) {
    out.attribute("event", "version");
    write_version(out, record);
    write_outcome(out, record);
  });
}

std::string outcome_event(const VersionRecord& record, int64_t time_ns) {
  return object([&](json::OStream& out) {
    out.attribute("event", "outcome");
    out.attribute("version", record.version);
    out.attribute("time_ns", time_ns);
    write_outcome(out, record);
  });
}

std::string run_event(std::string_view name, std::string_view compiler, int64_t time_ns) {
  return object([&](json::OStream& out) {
    out.attribute("event", "run");
    out.attribute("schema", 1);
    out.attribute("time_ns", time_ns);
    out.attribute("name", readable(name));
    out.attribute("compiler", readable(compiler));
  });
}

std::string end_event(int64_t time_ns) {
  return object([&](json::OStream& out) {
    out.attribute("event", "end");
    out.attribute("time_ns", time_ns);
  });
}

std::string lost_event(uint64_t lines, uint64_t version, int64_t time_ns) {
  return object([&](json::OStream& out) {
    out.attribute("event", "lost");
    out.attribute("time_ns", time_ns);
    out.attribute("lines", lines);
    out.attribute("version", version);
  });
}

Result<Event> read_event(std::string_view text) {
  if (too_deep(text)) return Error{"nested too deeply"};
  auto parsed = json::parse(llvm::StringRef(text));
  if (!parsed) return Error{llvm::toString(parsed.takeError())};
  const json::Object* object = parsed->getAsObject();
  if (object == nullptr) return Error{"no object"};
  constexpr uint64_t version_max = uint64_t{1} << 53;  // numbers of JSON are exact up to there
  Event out;
  std::string kind = text_at(*object, "event");
  if (kind == "run") {
    out.kind = Event::Kind::Run;
    if (number_at(*object, "schema") != 1) return Error{"written by a newer mutc"};
    return out;
  }
  if (kind == "end" || kind == "lost") {
    out.kind = kind == "end" ? Event::Kind::End : Event::Kind::Lost;
    if (out.kind == Event::Kind::Lost)
      out.record.version = std::min(number_at(*object, "version"), version_max);
    return out;
  }
  if (kind != "version" && kind != "outcome") return Error{"unknown event `" + kind + "`"};
  out.kind = kind == "version" ? Event::Kind::Version : Event::Kind::Outcome;
  auto outcome = outcome_at(*object);
  out.record.version = number_at(*object, "version");
  if (!outcome || out.record.version == 0 || out.record.version > version_max)
    return Error{"no version or no outcome"};
  out.record.outcome = *outcome;
  out.record.reason = text_at(*object, "reason");
  if (const json::Object* cut = object->getObject("cut")) {
    for (const std::string& source : keys_of(*cut))
      out.record.cut.push_back({source, number_at(*cut, source)});
  }
  out.record.pause_ns = ns_at(*object, "pause_ns");
  out.record.entries_converted = number_at(*object, "entries_converted");
  out.record.shadow = text_at(*object, "shadow");
  if (out.kind == Event::Kind::Version) read_version(*object, out.record);
  return out;
}

}  // namespace mut::session

namespace mut {

std::string_view outcome_name(VersionRecord::Outcome outcome) {
  constexpr std::string_view names[] = {"waiting", "running",    "retired",        "equivalent",
                                        "failed",  "refused",    "needs-decision", "superseded",
                                        "aborted", "rolled-back"};
  return names[static_cast<size_t>(outcome)];
}

std::string version_json(const VersionRecord& record) { return session::version_event(record); }

}  // namespace mut
