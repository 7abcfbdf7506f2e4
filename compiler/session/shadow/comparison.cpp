#include "compiler/session/shadow/comparison.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <unordered_map>

namespace mut::session {
namespace {

JsonValue parsed(const std::string& json) {
  std::string problem;
  return parse_json(json, problem).value_or(JsonValue{});
}

}  // namespace

const codec::Encoder& Comparison::encoder_of(const abi::TypeDescRef& record) {
  auto& known = encoders_[record.get()];
  if (!known.second) known = {record, codec::make_encoder(codec::Format::Json, record)};
  return *known.second;
}

void Comparison::take(Side side, const runtime::Plan& plan, std::span<const MutSink> sinks) {
  if (known_plans_.insert(&plan).second) {
    for (const runtime::StorePlan& store : plan.stores) {
      for (const state::KeyDesc& key : store.desc.keys) keys_.insert(key.name);
    }
    sources_.clear();
    for (const runtime::SourcePlan& source : plan.sources) sources_.push_back(source.name);
  }
  for (size_t i = 0; i < sinks.size(); ++i) {
    std::string name = plan.emits[i].name;
    if (name.starts_with("tap:tap:")) continue;  // of somebody who looks
    if (auto now = renamed_.find(name); side == Side::Live && now != renamed_.end()) name = now->second;
    Sink& sink = sinks_[name];
    sink.found.sink = name;
    if (sinks[i].count == 0) continue;
    const codec::Encoder& encoder = encoder_of(plan.emits[i].record);
    std::vector<Row>& rows = side == Side::Live ? sink.live : sink.candidate;
    for (uint64_t k = 0; k < sinks[i].count; ++k) {
      const char* row = sinks[i].rows + k * sinks[i].row_size;
      MutOutHead head;
      memcpy(&head, row, sizeof(head));
      text_.clear();
      encoder.append(row + sizeof(MutOutHead), text_);
      rows.push_back({head.source, head.position, std::string(text_.view())});
    }
  }
}

void Comparison::settle() {
  auto event = [](const Row& row) { return std::pair(row.source, row.position); };
  auto sooner = [&](const Row& a, const Row& b) { return event(a) < event(b); };
  for (auto& [name, sink] : sinks_) {
    std::stable_sort(sink.live.begin(), sink.live.end(), sooner);
    std::stable_sort(sink.candidate.begin(), sink.candidate.end(), sooner);
    auto live = sink.live.cbegin();
    auto candidate = sink.candidate.cbegin();
    while (live != sink.live.cend() || candidate != sink.candidate.cend()) {
      bool only_candidate = live == sink.live.cend();
      const Row& first = only_candidate || (candidate != sink.candidate.cend() && sooner(*candidate, *live))
                             ? *candidate
                             : *live;
      auto is_other = [&](const Row& row) { return event(row) != event(first); };
      auto live_end = std::find_if(live, sink.live.cend(), is_other);
      auto candidate_end = std::find_if(candidate, sink.candidate.cend(), is_other);
      compare(sink, Rows(live, live_end), Rows(candidate, candidate_end));
      live = live_end;
      candidate = candidate_end;
    }
    sink.live.clear();
    sink.candidate.clear();
  }
}

void Comparison::compare(Sink& sink, Rows live, Rows candidate) {
  if (std::equal(live.begin(), live.end(), candidate.begin(), candidate.end(),
                 [](const Row& a, const Row& b) { return a.json == b.json; })) {
    sink.found.equal += live.size();
    return;
  }
  std::unordered_map<std::string_view, uint64_t> given;
  for (const Row& row : candidate) ++given[row.json];
  std::unordered_map<std::string_view, uint64_t> paired;
  std::vector<const Row*> live_left;
  for (const Row& row : live) {
    auto same = given.find(row.json);
    if (same == given.end() || same->second == 0) {
      live_left.push_back(&row);
      continue;
    }
    --same->second;
    ++paired[row.json];
    ++sink.found.equal;
  }
  std::vector<const Row*> candidate_left;
  for (const Row& row : candidate) {
    auto equal = paired.find(row.json);
    if (equal != paired.end() && equal->second > 0) {
      --equal->second;
    } else {
      candidate_left.push_back(&row);
    }
  }
  pair_by_keys(sink, live_left, candidate_left);
}

// Those with the same keys are the same row, changed; without keys those at the same place.
void Comparison::pair_by_keys(Sink& sink, const std::vector<const Row*>& live,
                              const std::vector<const Row*>& candidate) {
  struct Waiting {
    const Row* row;
    JsonValue value;
  };
  std::map<std::string, std::vector<Waiting>> waiting;  // by keys, the first last
  for (size_t i = candidate.size(); i-- > 0;) {
    JsonValue value = parsed(candidate[i]->json);
    std::string keys = keys_of(value);
    waiting[keys].push_back({candidate[i], std::move(value)});
  }
  for (const Row* row : live) {
    JsonValue value = parsed(row->json);
    auto same = waiting.find(keys_of(value));
    if (same == waiting.end() || same->second.empty()) {
      ++sink.found.missing;
      add_sample(sink, RowDifference::Kind::Missing, row, nullptr);
      continue;
    }
    ++sink.found.changed;
    count_changed(sink, value, same->second.back().value);
    add_sample(sink, RowDifference::Kind::Changed, row, same->second.back().row);
    same->second.pop_back();
  }
  std::vector<const Row*> extra;
  for (const auto& [keys, rows] : waiting) {
    for (const Waiting& left : rows) extra.push_back(left.row);
  }
  std::sort(extra.begin(), extra.end());  // as they came
  for (const Row* row : extra) {
    ++sink.found.extra;
    add_sample(sink, RowDifference::Kind::Extra, nullptr, row);
  }
}

std::string Comparison::keys_of(const JsonValue& row) const {
  std::string out;
  for (const JsonMember& member : row.members) {
    if (keys_.contains(member.name)) out += json_quoted(member.name) + to_json(member.value) + ",";
  }
  return out;
}

void Comparison::note(Sink& sink, const std::string& field, const JsonValue* live,
                      const JsonValue* candidate) {
  auto [known, fresh] = sink.fields.emplace(field, sink.found.fields.size());
  if (fresh) sink.found.fields.push_back({field});
  FieldDifference& out = sink.found.fields[known->second];
  ++out.rows;
  auto number = [](const JsonValue* value) {
    bool is = value != nullptr && value->kind == JsonValue::Kind::Number;
    return is ? value->as_number() : std::nullopt;
  };
  auto before = number(live);
  auto after = number(candidate);
  if (!before || !after) return;
  double difference = *after - *before;
  ++out.numbers;
  out.sum += difference;
  if (std::abs(difference) > std::abs(out.most)) out.most = difference;
}

void Comparison::count_changed(Sink& sink, const JsonValue& live, const JsonValue& candidate) {
  for (const JsonMember& member : live.members) {
    const JsonValue* other = candidate.find(member.name);
    if (other == nullptr || to_json(*other) != to_json(member.value))
      note(sink, member.name, &member.value, other);
  }
  for (const JsonMember& member : candidate.members) {
    if (live.find(member.name) == nullptr) note(sink, member.name, nullptr, &member.value);
  }
}

void Comparison::add_sample(Sink& sink, RowDifference::Kind kind, const Row* live,
                            const Row* candidate) const {
  std::vector<RowDifference>& samples = sink.found.samples;
  auto of_kind = std::count_if(samples.begin(), samples.end(),
                               [&](const RowDifference& known) { return known.kind == kind; });
  if (static_cast<uint64_t>(of_kind) >= SinkComparison::samples_max) return;
  const Row& row = live != nullptr ? *live : *candidate;
  auto plain = [](const Row* of) {
    std::string out = of != nullptr ? of->json : "";
    if (out.ends_with('\n')) out.pop_back();
    return out;
  };
  samples.push_back({kind, sources_[row.source], row.position + 1, plain(live), plain(candidate)});
}

std::vector<SinkComparison> Comparison::sinks() const {
  std::vector<SinkComparison> out;
  for (const auto& [name, sink] : sinks_) out.push_back(sink.found);
  return out;
}

}  // namespace mut::session
