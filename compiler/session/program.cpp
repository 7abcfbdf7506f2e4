#include "compiler/session/program.h"

#include <algorithm>
#include <cstring>

#include "compiler/codegen/emit.h"
#include "compiler/graph/places.h"
#include "compiler/modules/reader.h"
#include "compiler/session/checkpoint/guarantees.h"
#include "compiler/session/clocks.h"
#include "compiler/syntax/parse.h"
#include "runtime/abi/check.h"
#include "runtime/abi/value.h"

namespace mut::session {

using typed::Kind;

namespace {

using Taps = std::vector<TapStream>;

// The script with the streams that are there for taps. Empty after errors.
std::optional<typed::Program> check_with(source::SourceSet& sources, source::FileId file, const Taps& taps,
                                         diag::Engine& diags, const sema::CheckOptions& options) {
  ast::Program tree = syntax::parse(sources, file, diags);
  // What was understood is checked no further: its result would not be used.
  if (diags.has_errors()) return std::nullopt;
  sema::CheckOptions with = options;
  for (const TapStream& tap : taps) {
    ast::Program declared = syntax::parse(sources, sources.add("tap", tap.text), diags);
    if (diags.has_errors()) return std::nullopt;
    auto* stream = declared.declarations.size() == 1
                       ? std::get_if<ast::StreamDecl>(&declared.declarations[0].node)
                       : nullptr;
    MUT_CHECK(stream != nullptr, "who asks for a tap looks at its text before");
    stream->name.text = tap.name;
    tree.declarations.push_back(std::move(declared.declarations[0]));
    with.taps.push_back(tap.name);
  }
  modules::Reader modules(sources);
  with.modules = &modules;
  auto checked = sema::check(tree, diags, with);
  for (const TapStream& tap : taps) {
    if (!checked) break;
    for (const typed::Stream& stream : checked->streams) {
      auto field = stream.name == tap.name ? typed::secret_field(stream.type) : std::nullopt;
      if (!field) continue;
      diags.report(diag::Code::SecretShown, stream.span, "field `" + *field + "`", "a tap would show");
      return std::nullopt;
    }
  }
  return checked;
}

// Of `asked` those that fit the script, alone and together; the others go to `lost`.
Taps fitting_taps(source::SourceSet& sources, source::FileId file, const Taps& asked,
                  const sema::CheckOptions& options, Program& out) {
  diag::Engine all;
  if (check_with(sources, file, asked, all, options)) return asked;
  Taps kept;
  for (const TapStream& tap : asked) {
    diag::Engine alone;
    if (check_with(sources, file, {tap}, alone, options)) {
      kept.push_back(tap);
    } else {
      out.lost_taps.emplace_back(tap.name, diag::render_text(alone, sources, diag::Color::Never));
    }
  }
  return kept;
}

}  // namespace

std::shared_ptr<Program> make_program(std::string_view text, std::string name,
                                      std::shared_ptr<source::SourceSet> sources, diag::Engine& diags,
                                      const sema::CheckOptions& options, const Taps& taps,
                                      graph::Graph::Shards shards) {
  auto out = std::make_shared<Program>();
  out->asked_taps = taps;
  source::FileId file = sources->add(std::move(name), std::string(text));
  if (!taps.empty()) {
    // First without: what is wrong with the script is told as ever.
    diag::Engine plain;
    if (check_with(*sources, file, {}, plain, options))
      out->taps = fitting_taps(*sources, file, taps, options, *out);
  }
  auto checked = check_with(*sources, file, out->taps, diags, options);
  if (!checked) return nullptr;
  out->sources = std::move(sources);
  out->typed = std::make_shared<const typed::Program>(std::move(*checked));
  out->graph = std::make_shared<const graph::Graph>(graph::build_graph(out->typed, {}, shards));
  out->plan = make_plan(*out->graph, *out->sources);
  out->text = std::string(text);
  if (!check_demands(*out, diags)) return nullptr;
  for (const typed::Param& param : out->typed->params)
    out->params.emplace_back(param.name, typed::to_text(param.value, param.type));
  return out;
}

void write_const(const typed::Const& value, typed::TypeRef type, const abi::TypeDesc& layout, char* out,
                 std::vector<std::shared_ptr<std::string>>& texts) {
  if (type->kind == Kind::Optional) {
    memset(out, 0, layout.size);
    if (value.is_none()) return;
    write_const(value, type->element, *layout.element, out, texts);
    out[layout.present_offset] = 1;
    return;
  }
  switch (value.value.index()) {
    case 1:
      *out = value.as_bool() ? 1 : 0;
      return;
    case 2: {
      int64_t number = value.as_int();
      memcpy(out, &number, layout.size);  // little endian: the low bytes of a wider integer
      return;
    }
    case 3: {
      double number = value.as_float();
      if (type->kind == Kind::F32) {
        auto narrow = static_cast<float>(number);
        memcpy(out, &narrow, 4);
      } else {
        memcpy(out, &number, 8);
      }
      return;
    }
    case 4: {
      texts.push_back(std::make_shared<std::string>(value.as_text()));
      MutStr text = abi::make_str(*texts.back());
      memcpy(out, &text, sizeof(text));
      return;
    }
    case 5:
      if (type->kind == Kind::Record) {
        for (size_t i = 0; i < value.parts().size(); ++i) {
          write_const(value.parts()[i], type->fields[i].type, *layout.fields[i].type,
                      out + layout.fields[i].offset, texts);
        }
      } else {
        size_t size = layout.element->size;
        texts.push_back(std::make_shared<std::string>(value.parts().size() * size, '\0'));
        std::string& memory = *texts.back();
        MutList list{value.parts().size(), memory.data()};
        for (size_t i = 0; i < value.parts().size(); ++i) {
          write_const(value.parts()[i], type->element, *layout.element, memory.data() + i * size, texts);
        }
        memcpy(out, &list, sizeof(list));
      }
      return;
    case 6: {
      typed::Units units = value.as_decimal();
      memcpy(out, &units, sizeof(units));
      return;
    }
    default:
      memset(out, 0, layout.size);
  }
}

namespace {

runtime::GenerateSpec generate_spec(const typed::Connector& connector) {
  runtime::GenerateSpec out;
  out.step_ns = 1'000'000;
  out.start_ns = 1'767'225'600'000'000'000;  // 2026-01-01T00:00:00Z
  if (const typed::Option* option = connector.find("count")) out.count = option->value.as_int();
  if (const typed::Option* option = connector.find("seed"))
    out.seed = static_cast<uint64_t>(option->value.as_int());
  if (const typed::Option* option = connector.find("step")) out.step_ns = option->value.as_int();
  if (const typed::Option* option = connector.find("start")) out.start_ns = option->value.as_int();
  if (const typed::Option* option = connector.find("rate")) out.rate = option->value.as_float();
  return out;
}

runtime::SourcePlan source_plan(const graph::Graph& graph, const typed::Source& source) {
  runtime::SourcePlan out;
  out.name = source.name;
  out.was = source.was;
  out.live = graph.live[static_cast<size_t>(source.stream)] != 0;
  out.lateness = source.lateness;
  out.computes_times = codegen::computes_times(source);
  out.generates = !source.generated.empty();
  out.own_metrics = source.connector.name == "metrics";
  out.preload = source.preload;
  out.place = graph::head_place(graph, source.stream);
  if (out.generates) {
    abi::FieldDesc number;
    number.name = "n";
    number.type = abi::make_scalar(abi::TypeKind::I64);
    out.record = abi::make_record({number});
    out.needed = {1};
    out.generate = generate_spec(source.connector);
    return out;  // its times are not those of the clock: never idle, never ahead
  }
  out.idle = source.idle.value_or(-1);
  out.ahead = source.ahead.value_or(-1);
  out.record = graph::describe(source.type);
  const graph::Needs& needs = graph.needs[static_cast<size_t>(source.stream)].front();
  out.needed.assign(needs.begin(), needs.end());
  if (source.time && source.time->kind == typed::ExprKind::Field) out.time_column = source.time->index;
  return out;
}

// By the values that literals have in this version.
runtime::ReaderIndex reader_index(const graph::Graph& graph, const graph::ReaderIndex& index) {
  const auto& consumers = graph.consumers[static_cast<size_t>(index.stream)];
  std::vector<runtime::ReaderIndex::Entry> entries;
  std::vector<size_t> sites;
  for (size_t i = 0; i < consumers.size(); ++i) {
    for (int slot : index.slots[i]) {
      const typed::Const& value = graph.literals[static_cast<size_t>(slot)];
      bool is_text = graph.literal_types[static_cast<size_t>(slot)]->kind == Kind::String;
      runtime::ReaderIndex::Value key;
      if (is_text) {
        key = value.as_text();
      } else {
        key = value.as_int();
      }
      entries.push_back({std::move(key), static_cast<uint32_t>(i)});
    }
    if (!index.slots[i].empty())
      sites.push_back(static_cast<size_t>(graph::error_site(graph, consumers[i].index, 0)));
  }
  return {entries, std::move(sites)};
}

}  // namespace

std::shared_ptr<runtime::Plan> make_plan(const graph::Graph& graph, const source::SourceSet& sources) {
  const typed::Program& program = *graph.program;
  auto out = std::make_shared<runtime::Plan>();
  for (const typed::Source& source : program.sources) out->sources.push_back(source_plan(graph, source));
  for (size_t i = 0; i < out->sources.size() && graph.spread.parts; ++i)
    out->sources[i].parted = graph.spread.parts->sources[i] != 0;
  Clocks clocks = clocks_of(graph);
  for (size_t i = 0; i < graph.stores.size(); ++i) {
    const graph::StoreNode& node = graph.stores[i];
    runtime::StorePlan store;
    store.desc = node.desc;
    store.home = node.home;
    store.home_key = node.home_key;
    store.parted = node.parted;
    store.clock = clocks.of_store[i];
    store.watermark_bit = clocks.bit_of[i];
    store.has_results = state::has_results(node.desc);
    store.waits_above = graph::waits_above(program, node.stream, static_cast<size_t>(node.stage));
    store.place = graph::stage_place(graph, node.stream, node.stage);
    out->stores.push_back(std::move(store));
  }
  for (const typed::Emit& emit : program.emits) {
    const typed::Stream& stream = program.streams[static_cast<size_t>(emit.stream)];
    out->emits.push_back({emit.name, emit.was, stream.name, graph::describe(stream.type),
                          graph::emit_place(graph, static_cast<int>(out->emits.size()))});
  }
  for (size_t i = 0; i < program.streams.size(); ++i) {
    const typed::Stream& stream = program.streams[i];
    int errors = graph.errors_of[i];
    bool read = errors >= 0 && graph.live[static_cast<size_t>(errors)] != 0;
    for (size_t s = 0; s < stream.stages.size() + 2; ++s) {
      runtime::ErrorSite site;
      site.stream = stream.name;
      site.read = read;
      site.hides_raw = typed::has_secret(stream.type);
      bool stage = s < stream.stages.size();
      site.stage = stage ? stream.stages[s].keyword : s == stream.stages.size() ? "route" : "decode";
      site.line = static_cast<int>(sources.locate(stage ? stream.stages[s].span : stream.span).line);
      site.counter =
          stream.name + "/" + (stage ? stream.stages[s].name + "#" + std::to_string(s) : site.stage);
      if (s <= stream.stages.size() && !graph.needs[i].empty()) {
        typed::TypeRef record = stage ? stream.stages[s].input : stream.type;
        const graph::Needs& needs = graph.needs[i][s];
        std::vector<abi::FieldDesc> fields;
        for (size_t f = 0; f < record->fields.size(); ++f) {
          if (!needs[f]) continue;
          abi::FieldDesc field;
          field.name = record->fields[f].name;
          field.type = graph::describe(record->fields[f].type);
          fields.push_back(std::move(field));
        }
        site.record = abi::make_record(std::move(fields));
      }
      out->sites.push_back(std::move(site));
    }
  }
  auto add_site = [&](int stream, const char* stage, source::Span span) {
    int end = static_cast<int>(program.streams[static_cast<size_t>(stream)].stages.size());
    runtime::ErrorSite site = out->sites[static_cast<size_t>(graph::error_site(graph, stream, end))];
    site.stage = stage;
    site.line = static_cast<int>(sources.locate(span).line);
    out->sites.push_back(std::move(site));
  };
  for (const typed::Route& route : program.routes) add_site(route.input, "route", route.span);
  for (const typed::Set& set : program.sets) add_site(set.stream, "set", set.span);
  for (size_t i = 0; i < program.streams.size(); ++i) {
    for (const typed::Stage& stage : program.streams[i].stages) {
      if (!stage.join) continue;
      add_site(static_cast<int>(i), "join", stage.span);
      out->sites.back().record = graph::describe(stage.join->right_type);
      out->sites.back().counter = program.streams[i].name + "/" + stage.name + "#right";
    }
  }
  for (size_t i = 0; i < graph.spread.everywhere_at.size(); ++i)
    out->sites[i].everywhere = graph.spread.everywhere_at[i] != 0;
  for (size_t i = 0; i < out->sites.size(); ++i)
    out->site_of_counter.insert_or_assign(out->sites[i].counter, i);
  std::vector<abi::FieldDesc> params;
  for (const typed::Param& param : program.params) {
    params.push_back(abi::made_field(param.name, graph::describe(param.type)));
    runtime::ParamPlan made;
    made.name = param.name;
    made.type = params.back().type;
    if (param.low && param.high && param.type->kind == Kind::Float) {
      double low = param.low->as_float();
      double high = param.high->as_float();
      made.accepts = [low, high](const void* value) {
        double number;
        memcpy(&number, value, 8);
        return number >= low && number <= high;
      };
    } else if (param.low && param.high && param.type->kind == Kind::Decimal) {
      made.accepts = [low = param.low->as_decimal(), high = param.high->as_decimal()](const void* value) {
        typed::Units units;
        memcpy(&units, value, sizeof(units));
        return units >= low && units <= high;
      };
    } else if (param.low && param.high &&
               (typed::is_integer(param.type->kind) || param.type->kind == Kind::Duration ||
                param.type->kind == Kind::Time)) {
      int64_t low = param.low->as_int();
      int64_t high = param.high->as_int();
      uint32_t size = made.type->size;
      made.accepts = [low, high, size](const void* value) {
        int64_t number = 0;
        memcpy(&number, value, size);
        if (size < 8) number = number << (64 - size * 8) >> (64 - size * 8);
        return number >= low && number <= high;
      };
    }
    out->params.push_back(std::move(made));
  }
  out->param_record = abi::make_record(std::move(params));
  out->param_values.assign(out->param_record->size, 0);
  for (size_t i = 0; i < program.params.size(); ++i) {
    const abi::FieldDesc& field = out->param_record->fields[i];
    write_const(program.params[i].value, program.params[i].type, *field.type,
                out->param_values.data() + field.offset, out->texts);
  }
  for (const typed::Set& set : program.sets) {
    runtime::SetPlan made;
    made.param = set.param;
    made.every = set.every;
    made.clock = clocks.after[static_cast<size_t>(set.stream)];
    made.stream = program.streams[static_cast<size_t>(set.stream)].name;
    out->sets.push_back(std::move(made));
  }
  out->literals.assign(graph.literals.size() * 16, 0);
  for (size_t i = 0; i < graph.literals.size(); ++i) {
    write_const(graph.literals[i], graph.literal_types[i], *graph::describe(graph.literal_types[i]),
                out->literals.data() + i * 16, out->texts);
  }
  for (const std::string& pattern : graph.regexes) {
    std::string problem;
    out->regexes.push_back(regex::Regex::compile(pattern, problem));
    MUT_CHECK(out->regexes.back() != nullptr, "the checker has compiled it before");
  }
  for (const std::string& name : graph.zones) {
    out->zones.push_back(calendar::Zone::find(name));
    MUT_CHECK(out->zones.back() != nullptr, "the checker has found it before");
  }
  for (typed::TypeRef type : graph.runtime_types) out->types.push_back(graph::describe(type));
  for (const graph::ReaderIndex& index : graph.reader_indexes)
    out->reader_indexes.push_back(reader_index(graph, index));
  return out;
}

}  // namespace mut::session
