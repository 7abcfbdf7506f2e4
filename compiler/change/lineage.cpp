#include "compiler/change/lineage.h"

#include <algorithm>
#include <set>

#include "compiler/change/process_hash.h"

namespace mut::change {

using typed::StageKind;
using typed::StreamKind;

namespace {

// Ways of arrival multiply where streams divide and meet again. Past this many their fields are
// hashed together: still right, but adding an input then looks like a changed value.
constexpr size_t arrivals_max = 64;

void add_sorted(std::vector<Hash>& to, const Hash& hash) {
  auto at = std::lower_bound(to.begin(), to.end(), hash);
  if (at == to.end() || *at != hash) to.insert(at, hash);
}

HashSet sorted_set(std::vector<Hash> hashes) {
  std::sort(hashes.begin(), hashes.end());
  hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
  return hashes;
}

Hash fields_hash(const Arrival& arrival) {
  Hasher out("fields");
  for (const Value& field : arrival.fields) out.add(field.hash);
  return out.add(arrival.time).add(arrival.watermark).done();
}

// Arrivals with equal fields are one: their admissions unite.
void unite(Place& place) {
  std::map<Hash, Arrival> by_fields;
  for (Arrival& arrival : place) {
    Hash hash = fields_hash(arrival);
    auto [entry, fresh] = by_fields.try_emplace(hash, arrival);
    if (fresh) continue;
    for (const Hash& condition : arrival.admission) add_sorted(entry->second.admission, condition);
  }
  place.clear();
  for (auto& [hash, arrival] : by_fields) place.push_back(std::move(arrival));
  if (place.size() <= arrivals_max) return;
  Arrival all;
  for (size_t f = 0; f < place[0].fields.size(); ++f) {
    Hasher field("any of");
    for (const Arrival& arrival : place) field.add(arrival.fields[f].hash);
    all.fields.push_back({field.done(), std::nullopt});
  }
  Hasher time("any of");
  Hasher watermark("any of");
  for (const Arrival& arrival : place) {
    for (const Hash& condition : arrival.admission) add_sorted(all.admission, condition);
    time.add(arrival.time);
    watermark.add(arrival.watermark);
  }
  all.time = time.done();
  all.watermark = watermark.done();
  place.assign(1, std::move(all));
}

Hash window_hash(const typed::Stage& stage) {
  return Hasher("window")
      .add(static_cast<uint64_t>(stage.window.kind))
      .add(static_cast<uint64_t>(stage.window.size))
      .add(static_cast<uint64_t>(stage.window.every))
      .add(static_cast<uint64_t>(stage.window.offset))
      .add(stage.window.zone)
      .done();
}

}  // namespace

Scope scope_of(const ExprHasher& hasher, const typed::Stage& stage, const Arrival& arrival) {
  Scope out;
  out.fields = &arrival.fields;
  for (const typed::History& history : stage.histories) out.histories.push_back(hasher.history(history, out));
  if (stage.kind != StageKind::Aggregate && stage.kind != StageKind::Match) return out;
  for (const typed::ExprPtr& key : stage.keys) out.keys.push_back(hasher.hash(*key, out));
  out.window = window_hash(stage);
  Hasher group("group");
  group.add(sorted_set(out.keys)).add(out.window);
  for (const typed::AggregateCall& call : stage.aggregates) {
    Hasher result("result");
    result.add(group.done()).add(hasher.call(call, out));
    std::vector<Hash> filter;
    if (call.filter) hasher.conjuncts(*call.filter, out, false, filter);
    out.aggregates.push_back(result.add(sorted_set(filter)).done());
  }
  return out;
}

Lineage::Lineage(const graph::Graph& graph, Detail detail, const FormerNames& names)
    : program_(*graph.program), names_(names), hasher_(program_, detail) {
  places_.resize(program_.streams.size());
  for (size_t i = 0; i < program_.streams.size(); ++i) {
    const typed::Stream& stream = program_.streams[i];
    Place place = enter(static_cast<int>(i));
    for (const typed::Stage& stage : stream.stages) {
      Place next = pass(stage, place);
      places_[i].push_back(std::move(place));
      place = std::move(next);
    }
    places_[i].push_back(std::move(place));
  }
}

std::string Lineage::stream_name(const std::string& name) const {
  auto former = names_.streams.find(name);
  return former == names_.streams.end() ? name : former->second;
}

Place Lineage::enter_source(int stream) const {
  const typed::Source& source =
      program_.sources[static_cast<size_t>(program_.streams[static_cast<size_t>(stream)].source)];
  auto former = names_.sources.find(source.name);
  std::string name = former == names_.sources.end() ? source.name : former->second;
  Arrival arrival;
  for (const typed::Field& field : source.type->fields) {
    auto former_field = names_.fields.find(source.name + "/" + field.name);
    const std::string& field_name = former_field == names_.fields.end() ? field.name : former_field->second;
    Hasher out("source field");
    out.add(name).add(field_name);
    if (hasher_.detail() == Detail::Exact) out.add(field.type->text);
    arrival.fields.push_back({out.done(), std::nullopt});
  }
  Scope scope;
  scope.fields = &arrival.fields;
  arrival.admission.push_back(Hasher("source").add(name).done());
  arrival.time = source.time ? hasher_.hash(*source.time, scope) : Hasher("arrival").done();
  arrival.watermark = Hasher("watermark")
                          .add(static_cast<uint64_t>(source.lateness))
                          .add(static_cast<uint64_t>(source.idle.value_or(-1)))
                          .done();
  return {std::move(arrival)};
}

// Events of a branch fulfil its condition and, unless the route sends to all, none of the earlier ones.
Place Lineage::enter_branch(int stream) const {
  const typed::Stream& branch_stream = program_.streams[static_cast<size_t>(stream)];
  const Place& routed = places_[static_cast<size_t>(branch_stream.inputs[0].stream)].back();
  Place out = routed;
  for (const typed::Route& route : program_.routes) {
    auto taken = std::find_if(route.branches.begin(), route.branches.end(),
                              [&](const typed::RouteBranch& branch) { return branch.stream == stream; });
    if (taken == route.branches.end()) continue;
    for (Arrival& arrival : out) {
      Scope scope;
      scope.fields = &arrival.fields;
      std::vector<Hash> conditions;
      for (auto branch = route.branches.begin(); branch != route.branches.end(); ++branch) {
        bool earlier = branch < taken || (branch != taken && !taken->condition);
        if (branch == taken && branch->condition)
          hasher_.conjuncts(*branch->condition, scope, false, conditions);
        // `else` of `route all` too takes what no branch takes.
        if (earlier && branch->condition && (!route.all || !taken->condition))
          hasher_.conjuncts(*branch->condition, scope, true, conditions);
      }
      for (const Hash& condition : conditions) add_sorted(arrival.admission, condition);
    }
  }
  unite(out);
  return out;
}

Place Lineage::enter(int index) const {
  const typed::Stream& stream = program_.streams[static_cast<size_t>(index)];
  switch (stream.kind) {
    case StreamKind::Source:
      return enter_source(index);
    case StreamKind::Branch:
      return enter_branch(index);
    case StreamKind::Pipeline: {
      Place out;
      for (const typed::Input& input : stream.inputs) {
        for (const Arrival& arrival : places_[static_cast<size_t>(input.stream)].back()) {
          if (input.conversion.empty()) {
            out.push_back(arrival);
            continue;
          }
          Arrival converted = arrival;
          converted.fields.clear();
          Scope scope;
          scope.fields = &arrival.fields;
          for (const typed::Output& output : input.conversion)
            converted.fields.push_back(hasher_.value(*output.value, scope));
          out.push_back(std::move(converted));
        }
      }
      unite(out);
      return out;
    }
    case StreamKind::Late: {
      const typed::Stream& from = program_.streams[static_cast<size_t>(stream.inputs[0].stream)];
      for (size_t s = 0; s < from.stages.size(); ++s) {
        if (from.stages[s].late_stream != index) continue;
        Place out = places_[static_cast<size_t>(stream.inputs[0].stream)][s];
        for (Arrival& arrival : out) {
          add_sorted(arrival.admission, Hasher("late").add(window_hash(from.stages[s])).done());
        }
        return out;
      }
      return {};
    }
    case StreamKind::Errors: {
      const typed::Stream& of = program_.streams[static_cast<size_t>(stream.inputs[0].stream)];
      Arrival arrival;
      Hash root = Hasher("errors").add(stream_name(of.name)).done();
      for (const typed::Field& field : stream.type->fields)
        arrival.fields.push_back({Hasher("error field").add(root).add(field.name).done(), std::nullopt});
      arrival.admission.push_back(root);
      Hasher time("times");
      Hasher watermark("watermarks");
      for (const Arrival& in : places_[static_cast<size_t>(stream.inputs[0].stream)].front()) {
        time.add(in.time);
        watermark.add(in.watermark);
      }
      arrival.time = time.done();
      arrival.watermark = watermark.done();
      return {std::move(arrival)};
    }
  }
  return {};
}

namespace {

// `partner`: by what the record was found. Without it a field of a stream joined with itself would be the
// same on both sides.
Value joined_record(const Arrival& right, const Hash& partner) {
  Hasher all("joined");
  std::vector<Value> members;
  for (const Value& field : right.fields) {
    members.push_back({Hasher("joined field").add(partner).add(field.hash).done(), std::nullopt});
    all.add(members.back().hash);
  }
  return {all.done(), std::nullopt, std::make_shared<const std::vector<Value>>(std::move(members))};
}

// What is equal to what, and how many joined records there are already.
Hash partner_hash(const Arrival& left, std::vector<Hash> pairs) {
  auto joined = std::count_if(left.fields.begin(), left.fields.end(),
                              [](const Value& field) { return field.members != nullptr; });
  return Hasher("partner").add(static_cast<uint64_t>(joined)).add(sorted_set(std::move(pairs))).done();
}

}  // namespace

// Each way from the left with each from the right.
Place Lineage::pass_join(const typed::Stage& stage, const Place& in) const {
  const typed::Join& join = *stage.join;
  bool left_stays = join.kind == typed::JoinKind::Semi || join.kind == typed::JoinKind::Anti;
  bool looks_up = stage.kind == StageKind::Lookup;
  Place out;
  for (const Arrival& left : in) {
    for (const Arrival& right : places_[static_cast<size_t>(join.right)].back()) {
      Arrival next = left;
      Scope scope;
      scope.fields = &left.fields;
      Scope right_scope;
      right_scope.fields = &right.fields;
      std::vector<Hash> pairs;
      for (size_t i = 0; i < stage.keys.size(); ++i) {
        Hash key = hasher_.hash(*stage.keys[i], scope);
        Hash partner = looks_up ? Hasher("key").add(stage.key_names[i]).done()
                                : hasher_.hash(*join.right_keys[i], right_scope);
        pairs.push_back(Hasher("equal").add(key).add(partner).done());
      }
      next.fields.push_back(joined_record(right, partner_hash(left, pairs)));
      scope.fields = &next.fields;
      std::vector<Hash> conditions;
      if (join.condition) hasher_.conjuncts(*join.condition, scope, false, conditions);
      Hash rule = Hasher("join")
                      .add(static_cast<uint64_t>(join.kind))
                      .add(static_cast<uint64_t>(join.low))
                      .add(static_cast<uint64_t>(join.high))
                      .add(sorted_set(pairs))
                      .add(sorted_set(conditions))
                      .add(join.as_of ? hasher_.hash(*join.as_of, scope) : Hash{})
                      .done();
      for (const Hash& condition : right.admission) add_sorted(next.admission, condition);
      add_sorted(next.admission, rule);
      bool of_left = join.kind == typed::JoinKind::Anti || join.kind == typed::JoinKind::Asof ||
                     join.kind == typed::JoinKind::LeftAsof || looks_up;
      if (!of_left) next.time = Hasher("later of").add(left.time).add(right.time).done();
      if (!looks_up) next.watermark = Hasher("both").add(left.watermark).add(right.watermark).done();
      if (left_stays) next.fields.pop_back();
      out.push_back(std::move(next));
    }
  }
  unite(out);
  return out;
}

Place Lineage::pass(const typed::Stage& stage, const Place& in) const {
  if (stage.join) return pass_join(stage, in);  // a look-up too
  Place out;
  for (const Arrival& arrival : in) {
    Scope scope = scope_of(hasher_, stage, arrival);
    Arrival next = arrival;
    switch (stage.kind) {
      case StageKind::Where: {
        std::vector<Hash> conditions;
        hasher_.conjuncts(*stage.condition, scope, false, conditions);
        for (const Hash& condition : conditions) add_sorted(next.admission, condition);
        break;
      }
      case StageKind::Project:
        next.fields.clear();
        for (const typed::Output& output : stage.outputs)
          next.fields.push_back(hasher_.value(*output.value, scope));
        break;
      case StageKind::Flatten: {
        Hash list = hasher_.hash(*stage.list, scope);
        add_sorted(next.admission, Hasher("flatten").add(list).done());
        Value element{Hasher("element").add(list).done(), std::nullopt};
        auto at = static_cast<size_t>(stage.flatten_output);
        if (stage.list_field >= 0) {
          next.fields[at] = std::move(element);
        } else {
          next.fields.insert(next.fields.begin() + static_cast<ptrdiff_t>(at), std::move(element));
        }
        break;
      }
      case StageKind::Dedupe: {
        Hasher passed("dedupe");
        for (const typed::ExprPtr& key : stage.keys) passed.add(hasher_.hash(*key, scope));
        passed.add(static_cast<uint64_t>(stage.within)).add(static_cast<uint64_t>(stage.most));
        add_sorted(next.admission, passed.done());
        break;
      }
      case StageKind::Aggregate: {
        next.fields.clear();
        for (const typed::Output& output : stage.outputs)
          next.fields.push_back(hasher_.value(*output.value, scope));
        Hasher rows("rows of");
        rows.add(sorted_set(scope.keys)).add(scope.window);
        rows.add(uint64_t{stage.on_update}).add(uint64_t{stage.on_close});
        add_sorted(next.admission, rows.add(static_cast<uint64_t>(stage.late)).done());
        break;
      }
      case StageKind::Table:
        add_sorted(next.admission, Hasher("table").add(static_cast<uint64_t>(stage.newest)).done());
        break;
      case StageKind::Hold: {
        for (size_t i = next.fields.size(); i < stage.output->fields.size(); ++i)
          next.fields.push_back({Hasher("held").add(stage.output->fields[i].name).done(), std::nullopt});
        Hasher rule("held by");
        rule.add(static_cast<uint64_t>(stage.hold->kind)).add(static_cast<uint64_t>(stage.hold->count));
        rule.add(static_cast<uint64_t>(stage.hold->ties));
        add_sorted(next.admission, rule.add(static_cast<uint64_t>(stage.window.size)).done());
        break;
      }
      case StageKind::Match: {
        next.fields.clear();
        for (const typed::Output& output : stage.outputs)
          next.fields.push_back(hasher_.value(*output.value, scope));
        add_sorted(next.admission, Hasher("matches of").add(sorted_set(scope.keys)).done());
        break;
      }
      case StageKind::Process: {
        Hash made = process_hash(hasher_, stage, scope);
        next.fields.clear();
        for (size_t i = 0; i < stage.output->fields.size(); ++i) {
          const std::string& name = stage.output->fields[i].name;
          int key = typed::key_of_field(stage, i);
          next.fields.push_back(key < 0 ? Value{Hasher("processed").add(made).add(name).done(), std::nullopt}
                                        : hasher_.value(*stage.keys[static_cast<size_t>(key)], scope));
        }
        add_sorted(next.admission, Hasher("processed by").add(made).done());
        break;
      }
      case StageKind::Join:
      case StageKind::Lookup:
        break;
    }
    out.push_back(std::move(next));
  }
  unite(out);
  return out;
}

HashSet Lineage::of(const typed::Expr& expr, int stream, int stage) const {
  std::vector<Hash> out;
  const typed::Stage& of = program_.streams[static_cast<size_t>(stream)].stages[static_cast<size_t>(stage)];
  for (const Arrival& arrival : at(stream, stage)) {
    Scope scope = scope_of(hasher_, of, arrival);
    out.push_back(hasher_.hash(expr, scope));
  }
  return sorted_set(std::move(out));
}

HashSet Lineage::of_call(const typed::AggregateCall& call, int stream, int stage) const {
  std::vector<Hash> out;
  for (const Arrival& arrival : at(stream, stage)) {
    Scope scope;
    scope.fields = &arrival.fields;
    Hasher value("value");
    value.add(call.argument ? hasher_.hash(*call.argument, scope) : Hash{});
    value.add(call.order ? hasher_.hash(*call.order, scope) : Hash{});
    for (const typed::ExprPtr& argument : call.arguments) value.add(hasher_.hash(*argument, scope));
    out.push_back(value.done());
  }
  return sorted_set(std::move(out));
}

HashSet Lineage::of_condition(const typed::Expr& condition, int stream, int stage) const {
  std::vector<Hash> out;
  for (const Arrival& arrival : at(stream, stage)) {
    Scope scope;
    scope.fields = &arrival.fields;
    std::vector<Hash> conjuncts;
    hasher_.conjuncts(condition, scope, false, conjuncts);
    out.push_back(Hasher("condition").add(sorted_set(std::move(conjuncts))).done());
  }
  return sorted_set(std::move(out));
}

HashSet Lineage::of_statements(int stream, int stage) const {
  std::vector<Hash> out;
  const typed::Stage& of = program_.streams[static_cast<size_t>(stream)].stages[static_cast<size_t>(stage)];
  for (const Arrival& arrival : at(stream, stage)) {
    Scope scope;
    scope.fields = &arrival.fields;
    out.push_back(statements_hash(hasher_, of, scope));
  }
  return sorted_set(std::move(out));
}

HashSet Lineage::of_right(const typed::Expr& expr, int right) const {
  std::vector<Hash> out;
  for (const Arrival& arrival : places_[static_cast<size_t>(right)].back()) {
    Scope scope;
    scope.fields = &arrival.fields;
    out.push_back(hasher_.hash(expr, scope));
  }
  return sorted_set(std::move(out));
}

HashSet Lineage::of_pair(const typed::Expr& condition, int stream, int stage) const {
  const typed::Join& join =
      *program_.streams[static_cast<size_t>(stream)].stages[static_cast<size_t>(stage)].join;
  std::vector<Hash> out;
  for (const Arrival& left : at(stream, stage)) {
    for (const Arrival& right : places_[static_cast<size_t>(join.right)].back()) {
      std::vector<Value> fields = left.fields;
      fields.push_back(joined_record(right, Hash{}));
      Scope scope;
      scope.fields = &fields;
      std::vector<Hash> conjuncts;
      hasher_.conjuncts(condition, scope, false, conjuncts);
      out.push_back(Hasher("condition").add(sorted_set(std::move(conjuncts))).done());
    }
  }
  return sorted_set(std::move(out));
}

std::vector<HashSet> Lineage::of_fields(int stream, int stage) const {
  std::vector<HashSet> out;
  const Place& place = at(stream, stage);
  for (size_t f = 0; !place.empty() && f < place[0].fields.size(); ++f) {
    std::vector<Hash> ways;
    for (const Arrival& arrival : place) ways.push_back(arrival.fields[f].hash);
    out.push_back(sorted_set(std::move(ways)));
  }
  return out;
}

HashSet Lineage::admission(int stream, int stage) const {
  std::vector<Hash> out;
  for (const Arrival& arrival : at(stream, stage))
    out.push_back(Hasher("admission").add(arrival.admission).done());
  return sorted_set(std::move(out));
}

HashSet Lineage::time(int stream, int stage) const {
  std::vector<Hash> out;
  for (const Arrival& arrival : at(stream, stage)) out.push_back(arrival.time);
  return sorted_set(std::move(out));
}

HashSet Lineage::watermark(int stream, int stage) const {
  std::vector<Hash> out;
  for (const Arrival& arrival : at(stream, stage)) out.push_back(arrival.watermark);
  return sorted_set(std::move(out));
}

}  // namespace mut::change
