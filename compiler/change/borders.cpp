#include "compiler/change/borders.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/change/differences.h"
#include "compiler/change/expr_hash.h"

namespace mut::change {
namespace {

using diag::Code;

template <typename Items>
auto find_named(const Items& items, const std::string& name) {
  return std::find_if(items.begin(), items.end(), [&](const auto& item) { return item.name == name; });
}

// Options that say how fast something is read, or from where on at first, not what.
bool is_pace(const typed::Connector& connector, const std::string& option) {
  return option == "follow" || (connector.name == "file" && option == "start") ||
         (connector.name == "generate" && option == "rate");
}

// The first option in which two connectors read something else; empty: none.
std::string other_input(const typed::Connector& a, const typed::Connector& b) {
  if (a.name != b.name) return a.name + " → " + b.name;
  const typed::Option* old_first = a.positional(0);
  const typed::Option* new_first = b.positional(0);
  bool both = old_first != nullptr && new_first != nullptr;
  if (both && old_first->value != new_first->value) {
    if (old_first->value.value.index() == 4 && new_first->value.value.index() == 4)
      return fmt::format("\"{}\" → \"{}\"", old_first->value.as_text(), new_first->value.as_text());
    return "its first argument changed";
  }
  if (!both && old_first != new_first) return "its first argument changed";
  auto differs = [](const typed::Connector& from, const typed::Connector& to) -> std::string {
    for (const typed::Option& option : from.options) {
      if (option.name.empty() || is_pace(from, option.name)) continue;
      const typed::Option* other = to.find(option.name);
      if (other == nullptr || other->value != option.value) return option.name;
    }
    return "";
  };
  std::string option = differs(a, b);
  if (option.empty()) option = differs(b, a);
  return option.empty() ? "" : "option `" + option + "` changed";
}

bool same_options(typed::Connector a, typed::Connector b) {
  for (typed::Connector* each : {&a, &b}) {
    std::erase_if(each->options, [&](const typed::Option& option) {
      return each->name == "file" && option.name == "start";
    });
  }
  auto same = [](const typed::Option& x, const typed::Option& y) {
    return x.name == y.name && x.value == y.value;
  };
  return a.name == b.name &&
         std::equal(a.options.begin(), a.options.end(), b.options.begin(), b.options.end(), same);
}

bool listens_on_port(const typed::Connector& connector) {
  bool may = connector.name == "tcp" || connector.name == "http" || connector.name == "websocket";
  return may && connector.find("listen") != nullptr;
}
// Rows that it has read are told from those that it has not by a cursor, which another input knows nothing
// of.
bool goes_by_cursor(const typed::Connector& connector) {
  return connector.name == "postgres" && connector.find("cursor") != nullptr;
}

// Whether a source may read something else under its name. Of what is live it reads what comes; a port it
// cannot take twice, and what it has read by a cursor it would read again.
bool begins_anew(const typed::Connector& was, const typed::Connector& is, const FormerNames& names) {
  if (was.is_network() && was.name == is.name) {
    if (goes_by_cursor(was) || goes_by_cursor(is)) return false;
    return !listens_on_port(was) || !listens_on_port(is) ||
           was.find("listen")->value != is.find("listen")->value;
  }
  return is.name == "file" &&
         (is.find("start") != nullptr || names.direction == FormerNames::Direction::Back);
}

bool same_record(typed::TypeRef a, typed::TypeRef b) {
  auto same_field = [](const typed::Field& x, const typed::Field& y) {
    return x.name == y.name && x.input_name == y.input_name && x.default_value == y.default_value &&
           x.type->text == y.type->text && x.type->values == y.type->values;
  };
  return std::equal(a->fields.begin(), a->fields.end(), b->fields.begin(), b->fields.end(), same_field);
}

class Borders {
 public:
  Borders(const typed::Program& before, const typed::Program& after, const FormerNames& names, SwapPlan& plan,
          std::vector<Refusal>& refusals)
      : before_(before), after_(after), names_(names), plan_(plan), refusals_(refusals) {}

  void sources(bool state_lost) {
    std::vector<char> continued(before_.sources.size(), 0);
    for (const typed::Source& source : after_.sources) {
      auto former = names_.sources.find(source.name);
      const std::string& old_name = former == names_.sources.end() ? source.name : former->second;
      auto old_source = find_named(before_.sources, old_name);
      if (old_source == before_.sources.end()) {
        plan_.notes.push_back(fmt::format("source `{}` is new; it joins with its first event", source.name));
        continue;
      }
      continued[static_cast<size_t>(old_source - before_.sources.begin())] = 1;
      if (old_name != source.name) plan_.migration.renamed_sources.emplace_back(old_name, source.name);
      compare_source(*old_source, source, state_lost);
    }
    for (size_t i = 0; i < continued.size(); ++i) {
      if (!continued[i])
        plan_.notes.push_back(
            fmt::format("source `{}` goes; the watermark follows the others", before_.sources[i].name));
    }
  }

  void sinks() {
    std::vector<char> continued(before_.emits.size(), 0);
    for (const typed::Emit& sink : after_.emits) {
      auto old_sink = before_.emits.end();
      if (!sink.was.empty() && find_named(before_.emits, sink.name) == before_.emits.end())
        old_sink = find_named(before_.emits, sink.was);
      if (names_.direction == FormerNames::Direction::Back) {
        old_sink = std::find_if(before_.emits.begin(), before_.emits.end(),
                                [&](const typed::Emit& known) { return known.was == sink.name; });
        if (find_named(before_.emits, sink.name) != before_.emits.end()) old_sink = before_.emits.end();
      }
      bool renamed = old_sink != before_.emits.end();
      if (!renamed) old_sink = find_named(before_.emits, sink.name);
      if (old_sink == before_.emits.end()) {
        plan_.notes.push_back(fmt::format("sink `{}` is opened", sink.name));
        continue;
      }
      continued[static_cast<size_t>(old_sink - before_.emits.begin())] = 1;
      if (renamed) plan_.migration.renamed_sinks.emplace_back(old_sink->name, sink.name);
      if (!same_options(old_sink->connector, sink.connector)) {
        plan_.notes.push_back(
            fmt::format("sink `{}` goes to another target: the old one is flushed and closed", sink.name));
      } else if (before_.streams[static_cast<size_t>(old_sink->stream)].type->text !=
                 after_.streams[static_cast<size_t>(sink.stream)].type->text) {
        plan_.notes.push_back(fmt::format("sink `{}` gets rows of other fields from the cut on", sink.name));
      }
    }
    for (size_t i = 0; i < continued.size(); ++i) {
      // Who taps a stream is told himself that it goes.
      if (!continued[i] && !before_.emits[i].name.starts_with("tap:tap:"))
        plan_.notes.push_back(fmt::format("sink `{}` is closed", before_.emits[i].name));
    }
  }

  void params(const std::vector<std::string>& old_params) {
    for (const typed::Param& param : after_.params) {
      auto old_param = find_named(before_.params, param.name);
      int index = -1;
      if (old_param != before_.params.end()) {
        auto old_index = old_param - before_.params.begin();
        if (old_param->type->text == param.type->text && old_param->value == param.value) {
          index = static_cast<int>(old_index);
        } else {
          std::string was = old_params.empty() ? typed::to_text(old_param->value, old_param->type)
                                               : old_params[static_cast<size_t>(old_index)];
          plan_.notes.push_back(
              fmt::format("param `{}`: {} → {}", param.name, was, typed::to_text(param.value, param.type)));
        }
      }
      plan_.migration.params.push_back(index);
    }
  }

  // The guards of the new script judge the edit: what they let pass that the old ones would not is told.
  void guards() {
    auto name_of = [](const typed::Program& program, const typed::Guard& guard) {
      return guard.stream < 0 ? std::string() : program.streams[static_cast<size_t>(guard.stream)].name;
    };
    auto text_of = [](const typed::Guard& guard) {
      return fmt::format("< {:g}% in {} records", guard.error_share * 100, guard.records);
    };
    for (const typed::Guard& was : before_.guards) {
      std::string old_stream = name_of(before_, was);
      std::string what = old_stream.empty() ? "errors" : "errors of " + old_stream;
      auto is = std::find_if(after_.guards.begin(), after_.guards.end(), [&](const typed::Guard& guard) {
        std::string stream = name_of(after_, guard);
        auto former = names_.streams.find(stream);
        return (former == names_.streams.end() ? stream : former->second) == old_stream;
      });
      if (is == after_.guards.end()) {
        plan_.notes.push_back(
            fmt::format("guard `{} {}` is gone: this edit is not judged by it", what, text_of(was)));
      } else if (is->error_share > was.error_share || is->records < was.records) {
        plan_.notes.push_back(fmt::format("guard `{}` is looser: {} → {}", what, text_of(was), text_of(*is)));
      }
    }
  }

 private:
  void redeclare(const std::string& source) {
    std::vector<std::string>& all = plan_.sources_redeclared;
    if (std::find(all.begin(), all.end(), source) == all.end()) all.push_back(source);
  }

  static std::string hint_for(const typed::Connector& was, const typed::Connector& is) {
    if (is.name == "file")
      return "write `start: earliest` to read it from its beginning, or give the new source another name";
    if (goes_by_cursor(was) || goes_by_cursor(is))
      return "its rows would come again from the first one on: give the new source another name";
    if (was.is_network() && was.name == is.name)
      return "a port cannot be taken twice: let it listen on another";
    return "give the new source another name, and read that";
  }

  static bool alike(const typed::Expr& a, const typed::Expr& b) {
    return a.kind == b.kind && a.op == b.op && a.builtin == b.builtin && a.index == b.index &&
           a.value == b.value &&
           std::equal(a.args.begin(), a.args.end(), b.args.begin(), b.args.end(),
                      [](const auto& x, const auto& y) { return alike(*x, *y); });
  }
  // Whether event times are made in the same way: of what is read ahead they are made already.
  static bool same_time(const typed::Source& was, const typed::Source& is) {
    if (!was.time || !is.time) return !was.time && !is.time;
    return alike(*was.time, *is.time);
  }

  static bool same_standbys(const typed::Source& was, const typed::Source& is) {
    return std::equal(was.standbys.begin(), was.standbys.end(), is.standbys.begin(), is.standbys.end(),
                      [](const typed::Standby& a, const typed::Standby& b) {
                        return a.after == b.after && same_options(a.connector, b.connector);
                      });
  }

  static std::string clause_text(const std::optional<int64_t>& duration) {
    return duration ? duration_text(*duration) : "none";
  }

  void compare_source(const typed::Source& was, const typed::Source& is, bool state_lost) {
    std::string other = other_input(was.connector, is.connector);
    if (other.empty() && was.on_full != is.on_full) other = "`on full` changed";
    if (other.empty() && !same_standbys(was, is)) other = "`else` changed";
    if (!other.empty() && begins_anew(was.connector, is.connector, names_)) {
      std::string from = is.connector.is_network()
                             ? "what had come is read first, then the old connections are closed"
                             : "from its beginning, or from where an earlier version left it";
      plan_.notes.push_back(fmt::format("source `{}` reads something else: {}; {}", is.name, other, from));
      plan_.sources_replaced.push_back(is.name);
    } else if (!other.empty()) {
      refusals_.push_back({.code = Code::SourceReplaced,
                           .span = is.connector.span,
                           .arguments = {is.name, other},
                           .old_spans = {was.connector.span},
                           .hint = hint_for(was.connector, is.connector)});
    } else if (!same_options(was.connector, is.connector)) {
      plan_.notes.push_back(fmt::format("source `{}`: options changed, offsets stay", is.name));
      redeclare(is.name);
    }
    if (was.lateness != is.lateness) {
      plan_.notes.push_back(fmt::format("source `{}`: lateness {} → {}; the watermark never goes back",
                                        is.name, duration_text(was.lateness), duration_text(is.lateness)));
    }
    if (was.idle != is.idle) {
      plan_.notes.push_back(fmt::format("source `{}`: idle {} → {}; what was closed stays so", is.name,
                                        clause_text(was.idle), clause_text(is.idle)));
    }
    if (was.ahead != is.ahead) {
      plan_.notes.push_back(fmt::format("source `{}`: ahead {} → {}, from the next record on", is.name,
                                        clause_text(was.ahead), clause_text(is.ahead)));
    }
    if (!same_time(was, is)) redeclare(is.name);
    if (same_record(was.type, is.type)) return;
    plan_.notes.push_back(fmt::format("source `{}`: its record changed; offsets stay", is.name));
    redeclare(is.name);
    if (state_lost) refuse_likely_rename(was, is);
  }

  // A field that went and one without default that came may be one: state made from it is not given up
  // on a guess.
  void refuse_likely_rename(const typed::Source& was, const typed::Source& is) {
    for (const typed::Field& gone : was.type->fields) {
      if (is.type->field_index(gone.name) >= 0) continue;
      for (const typed::Field& come : is.type->fields) {
        bool known = was.type->field_index(come.name) >= 0 || !come.was.empty();
        bool may_lack = come.default_value.has_value() || come.type->kind == typed::Kind::Optional;
        if (known || may_lack || come.type->text != gone.type->text) continue;
        refusals_.push_back({.code = Code::FieldRenamed,
                             .span = is.span,
                             .arguments = {gone.name, is.name, come.name},
                             .old_spans = {was.span},
                             .hint = fmt::format("rename? write `{} was {}: {}`; else give `{}` a default",
                                                 come.name, gone.name, come.type->text, come.name)});
        return;
      }
    }
  }

  const typed::Program& before_;
  const typed::Program& after_;
  const FormerNames& names_;
  SwapPlan& plan_;
  std::vector<Refusal>& refusals_;
};

}  // namespace

uint64_t replaced_sources(const typed::Program& before, const typed::Program& after,
                          const FormerNames& names) {
  uint64_t out = 0;
  for (size_t i = 0; i < after.sources.size(); ++i) {
    const typed::Source& source = after.sources[i];
    auto former = names.sources.find(source.name);
    auto known = find_named(before.sources, former == names.sources.end() ? source.name : former->second);
    if (known != before.sources.end() && begins_anew(known->connector, source.connector, names) &&
        !other_input(known->connector, source.connector).empty())
      out |= uint64_t{1} << std::min<size_t>(i, 63);
  }
  return out;
}

void compare_borders(const typed::Program& before, const typed::Program& after, const FormerNames& names,
                     const std::vector<std::string>& old_params, bool state_lost, SwapPlan& plan,
                     std::vector<Refusal>& refusals) {
  Borders borders(before, after, names, plan, refusals);
  borders.sources(state_lost);
  borders.sinks();
  borders.params(old_params);
  borders.guards();
}

namespace {

Hash time_hash(const typed::Program& program, const typed::Source& source) {
  if (!source.time) return Hasher("arrival").done();
  std::vector<Value> fields;
  for (const typed::Field& field : source.type->fields)
    fields.push_back({Hasher("field").add(field.name).done(), std::nullopt});
  Scope scope;
  scope.fields = &fields;
  return ExprHasher(program, Detail::ParamValues).hash(*source.time, scope);
}

}  // namespace

std::string reads_otherwise(const typed::Program& before, const typed::Program& after) {
  auto named = [](const typed::Source& a, const typed::Source& b) { return a.name == b.name; };
  if (!std::equal(before.sources.begin(), before.sources.end(), after.sources.begin(), after.sources.end(),
                  named))
    return "other sources are declared, or in another order";
  for (size_t i = 0; i < before.sources.size(); ++i) {
    const typed::Source& a = before.sources[i];
    const typed::Source& b = after.sources[i];
    std::string of = "source `" + a.name + "` ";
    if (!same_record(a.type, b.type)) return of + "has another record";
    if (std::string other = other_input(a.connector, b.connector); !other.empty())
      return of + "reads something else: " + other;
    bool same_clock = a.lateness == b.lateness && a.idle == b.idle && a.ahead == b.ahead &&
                      a.preload == b.preload && time_hash(before, a) == time_hash(after, b);
    if (!same_clock) return of + "has another time, or waits otherwise for what is late";
  }
  return "";
}

}  // namespace mut::change
