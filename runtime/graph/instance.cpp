#include "runtime/graph/instance.h"

#include <algorithm>
#include <cstring>

#include "runtime/abi/check.h"

namespace mut::runtime {
namespace {

struct ErrorText {
  const char* code;
  const char* message;
};
// By typed::EventError.
constexpr ErrorText error_texts[] = {
    {"none", ""},
    {"overflow", "the number does not fit its type"},
    {"division_by_zero", "division by zero"},
    {"index", "no such index or key"},
    {"cast", "the value cannot be cast"},
    {"decode", "the record cannot be decoded"},
    {"future", "event time too far ahead of its arrival"},
    {"memory", "the state budget is spent"},
    {"range", "value outside the range of the param"},
    {"no_value", "an aggregate was added by an edit while the window was open and has seen no event of it"},
    {"no_key", "a key of a table is none"},
    {"timer", "a timer sets one that is not later than itself"},
};
constexpr size_t sink_rows_first = 64;

}  // namespace

void Instance::bind_condition(size_t index) {
  if (!stores_[index] || stores_[index]->desc().kind != state::StoreKind::Match) return;
  state::PatternCondition condition =
      index < kernels_.conditions.size() ? kernels_.conditions[index] : nullptr;
  static_cast<state::PatternStore&>(*stores_[index]).set_condition(condition, &context_);
}

Instance::Instance(std::shared_ptr<const Plan> plan, Kernels kernels, const ShardPlace& place,
                   state::Budget& budget, ErrorLog& log)
    : plan_(std::move(plan)), kernels_(std::move(kernels)), log_(log) {
  for (const StorePlan& store : plan_->stores) {
    stores_.push_back(state::make_store(store.desc, place.seed, budget));
    views_.push_back(stores_.back()->view());
    bind_condition(stores_.size() - 1);
  }
  sinks_.resize(plan_->emits.size());
  sink_memory_.resize(plan_->emits.size());
  for (size_t i = 0; i < sinks_.size(); ++i) {
    sinks_[i].row_size = (sizeof(MutOutHead) + plan_->emits[i].record->size + 7) / 8 * 8;
  }
  dropped_.assign(plan_->sites.size() + 1, 0);
  asked_.assign(plan_->reader_indexes.size(), 0);
  for (const SourcePlan& source : plan_->sources) seeds_.push_back(source.generate.seed);
  size_t bits = plan_->sources.size();
  for (const StorePlan& store : plan_->stores)
    bits = std::max(bits, static_cast<size_t>(store.watermark_bit + 1));
  watermarks.assign(bits, no_watermark);
  reached_.assign(bits, no_watermark);
  params_ = plan_->param_values;
  param_texts_.resize(plan_->params.size());
  pending_sets_.resize(plan_->sets.size());
  encoders_.resize(plan_->sites.size());
  context_.abi = abi::abi_number;
  context_.stores = views_.data();
  context_.literals = plan_->literals.data();
  context_.params = params_.data();
  context_.sinks = sinks_.data();
  context_.output_rows_max = output_rows_usual;
  context_.shard = place.shard;
  context_.shards = place.shards;
  context_.shard_seed = place.seed;
  context_.due = state::never;
  context_.watermark = no_watermark;
  context_.seeds = seeds_.data();
  context_.dropped = dropped_.data();
  context_.runtime = this;
}

Instance::~Instance() = default;

size_t Instance::own_bytes() const {
  size_t out = 0;
  for (const auto& store : stores_) {
    if (!store || store.use_count() != 1) continue;
    store->count_spare();
    out += store->bytes();
  }
  return out;
}

std::vector<uint64_t>& Instance::dropped() {
  // Kernels count one less for each event that a reader was given.
  for (size_t i = 0; i < asked_.size(); ++i) {
    uint64_t asked = std::exchange(asked_[i], 0);
    if (asked == 0) continue;
    for (size_t site : plan_->reader_indexes[i].sites()) dropped_[site] += asked;
  }
  return dropped_;
}

std::shared_ptr<state::Store>& Instance::store_slot(size_t index) { return stores_[index]; }

int64_t later(int64_t time, int64_t delay) {
  if (time == state::never || time == no_watermark) return time;
  int64_t out = 0;
  return __builtin_add_overflow(time, delay, &out) ? state::never : out;
}

int64_t earlier(int64_t time, int64_t delay) {
  if (time == state::never || time == no_watermark) return time;
  int64_t out = 0;
  return __builtin_sub_overflow(time, delay, &out) ? no_watermark + 1 : out;
}

template <typename At>
int64_t Instance::least_of(const Clock& clock, At watermark_at) const {
  int64_t least = state::never;
  int64_t least_idle = state::never;
  for (size_t i = 0; i < watermarks.size(); ++i) {
    if ((clock.mask >> i & 1U) == 0) continue;
    int64_t& of = (idle >> i & 1U) != 0 ? least_idle : least;
    of = std::min(of, earlier(watermark_at(i), clock.delay(i)));
  }
  return least == state::never ? least_idle : least;
}

int64_t Instance::watermark_of(const Clock& clock) const {
  return least_of(clock, [&](size_t i) { return watermarks[i]; });
}

bool Instance::is_read(const Clock& clock) const {
  for (size_t i = 0; i < plan_->sources.size(); ++i) {
    if ((clock.mask >> i & 1U) != 0 && watermarks[i] != state::never) return true;
  }
  return false;
}

int64_t Instance::now(const Clock& clock) const {
  return least_of(clock, [&](size_t i) {
    int64_t watermark = i == context_.source ? std::max(context_.watermark, watermarks[i]) : watermarks[i];
    return firing_limits_.empty() ? watermark : std::min(watermark, firing_limits_[i]);
  });
}

int64_t Instance::woken(size_t source) const {
  int64_t seen = watermarks[source];
  auto keep = [&](const Clock& clock) {
    if ((clock.mask >> source & 1U) == 0) return;
    int64_t at = watermark_of(clock);
    if (at != state::never) seen = std::max(seen, later(at, clock.delay(source)));
  };
  for (const StorePlan& store : plan_->stores) keep(store.clock);
  for (const SetPlan& set : plan_->sets) keep(set.clock);
  return seen;
}

void Instance::wake(size_t source) {
  watermarks[source] = woken(source);
  reach(source, watermarks[source]);
  idle &= ~(uint64_t{1} << source);
}

void Instance::firing(size_t store) {
  const Clock& clock = plan_->stores[store].clock;
  int64_t due = stores_[store]->due();
  bool may_be_past = stores_[store]->desc().kind == state::StoreKind::Process;
  firing_limits_.resize(watermarks.size());
  for (size_t i = 0; i < watermarks.size(); ++i) {
    int64_t delay = (clock.mask >> i & 1U) != 0 ? clock.delay(i) : clock.delay_max();
    int64_t limit = later(due, delay) - 1;
    // A timer may be set to a time that has passed; no watermark goes back for it.
    if (may_be_past) limit = std::max(limit, reached_[i]);
    reach(i, std::min(limit, watermarks[i]));
    firing_limits_[i] = limit;
  }
}

void Instance::wait_for(size_t store, int64_t due) {
  context_.due = std::min(context_.due, later(due, plan_->stores[store].clock.delay(context_.source)));
}

void Instance::set_param(size_t index, const void* value) {
  const abi::FieldDesc& field = plan_->param_record->fields[index];
  char* target = params_.data() + field.offset;
  memcpy(target, value, field.type->size);
  if (field.type->kind == abi::TypeKind::String || field.type->kind == abi::TypeKind::Bytes) {
    MutStr text;
    memcpy(&text, value, sizeof(text));
    param_texts_[index] = std::string(abi::view(text));
    text = abi::make_str(param_texts_[index]);
    memcpy(target, &text, sizeof(text));
  }
}

bool Instance::propose_param(size_t set, const void* value, int64_t time) {
  const SetPlan& plan = plan_->sets[set];
  const ParamPlan& param = plan_->params[static_cast<size_t>(plan.param)];
  if (param.accepts && !param.accepts(value)) return false;
  PendingSet& pending = pending_sets_[set];
  if (time < pending.time) return true;
  const auto* bytes = static_cast<const char*>(value);
  pending.value.assign(bytes, bytes + param.type->size);
  if (param.type->kind == abi::TypeKind::String) {
    MutStr text;
    memcpy(&text, value, sizeof(text));
    pending.text = std::string(abi::view(text));
    text = abi::make_str(pending.text);
    memcpy(pending.value.data(), &text, sizeof(text));
  }
  pending.time = time;
  if (!pending.waits) {
    int64_t at_event = now(plan.clock);
    int64_t base = at_event == no_watermark ? time : at_event;
    int64_t rest = base % plan.every;
    if (rest < 0) rest += plan.every;
    pending.tick = base - rest + plan.every;
    pending.waits = true;
  }
  context_.due = std::min(context_.due, later(pending.tick, plan.clock.delay(context_.source)));
  return true;
}

void Instance::take_pending_set(size_t set, const Instance& old, size_t old_set) {
  const ParamPlan& param = plan_->params[static_cast<size_t>(plan_->sets[set].param)];
  const ParamPlan& before = old.plan_->params[static_cast<size_t>(old.plan_->sets[old_set].param)];
  if (param.name != before.name || param.type->kind != before.type->kind) return;
  PendingSet& pending = pending_sets_[set];
  pending = old.pending_sets_[old_set];
  if (!pending.waits || param.type->kind != abi::TypeKind::String) return;
  MutStr text = abi::make_str(pending.text);  // not that of the old version
  memcpy(pending.value.data(), &text, sizeof(text));
}

void Instance::apply_set(size_t set) {
  PendingSet& pending = pending_sets_[set];
  set_param(static_cast<size_t>(plan_->sets[set].param), pending.value.data());
  pending.waits = false;
  pending.tick = state::never;
}

void Instance::clear_output() {
  for (MutSink& sink : sinks_) sink.count = 0;
  context_.output_rows = 0;
  if (context_.output_rows_max == 0) context_.output_rows_max = output_rows_usual;
  arena_.reset();
}

void Instance::grow_sink(size_t index) {
  MutSink& sink = sinks_[index];
  sink.capacity = std::max(sink_rows_first, sink.capacity * 2);
  sink_memory_[index].resize(sink.capacity * sink.row_size);
  sink.rows = sink_memory_[index].data();
}

void Instance::describe_event(size_t site, MutErrorEvent* out, ErrorRecord record, std::string_view raw,
                              bool has_raw) {
  if (plan_->sites[site].read) {
    memset(out, 0, sizeof(*out));
    out->event = arena_.copy(has_raw ? "null" : record.event);
    if (has_raw) out->raw = arena_.copy(raw);
    out->has_raw = has_raw ? 1 : 0;
    out->stage = arena_.copy(record.stage);
    out->line = record.line;
    out->input = arena_.copy(record.input);
    out->has_input = record.input.empty() ? 0 : 1;
    out->code = arena_.copy(record.code);
    out->message = arena_.copy(record.message);
  }
  if (context_.shard == 0 || !plan_->sites[site].everywhere) log_.add(std::move(record));
}

void Instance::fail(size_t site, int32_t error, uint64_t position, const void* event,
                    const abi::TypeDesc* type, MutErrorEvent* out) {
  const ErrorSite& at = plan_->sites[site];
  MUT_CHECK(error > 0 && static_cast<size_t>(error) < std::size(error_texts), "kernels report known errors");
  ErrorRecord record;
  record.stream = at.stream;
  record.stage = at.stage;
  record.line = at.line;
  record.code = error_texts[error].code;
  record.message = error_texts[error].message;
  bool of_event = type == at.record.get();  // else of a row that a store gave, which has no one record
  if (of_event && batch != nullptr && batch->origins != nullptr && position >= batch->first_position &&
      position - batch->first_position < batch->row_count && batch->input_name.size != 0) {
    record.input = std::string(abi::view(batch->input_name)) + ":" +
                   std::to_string(batch->origins[position - batch->first_position].line);
  }
  text::Buffer json;
  if (type != nullptr) {
    if (of_event) {
      if (!encoders_[site]) encoders_[site] = codec::make_encoder(codec::Format::Json, at.record);
      encoders_[site]->append(event, json);
    } else {
      codec::make_encoder(codec::Format::Json, std::make_shared<abi::TypeDesc>(*type))->append(event, json);
    }
  }
  record.event = std::string(json.view());
  if (!record.event.empty() && record.event.back() == '\n') record.event.pop_back();
  describe_event(site, out, std::move(record), {}, false);
}

void Instance::undecodable(size_t site, const MutBatch& of, uint32_t row, MutErrorEvent* out) {
  const ErrorSite& at = plan_->sites[site];
  ErrorRecord record;
  record.stream = at.stream;
  record.stage = "decode";
  record.line = at.line;
  record.code = "decode";
  record.message = "event time cannot be computed";
  if (of.bad != nullptr && of.bad[row] == MUT_ROW_FUTURE) {
    record.code = "future";
    record.message = "event time too far ahead of its arrival";
  }
  for (uint32_t i = 0; i < of.error_count; ++i) {
    if (of.errors[i].row != row) continue;
    record.code = std::string(abi::view(of.errors[i].code));
    record.message = std::string(abi::view(of.errors[i].message));
  }
  std::string_view raw;
  if (of.origins != nullptr) {
    const MutOrigin& origin = of.origins[row];
    raw = {origin.raw, origin.raw_size};
    if (of.input_name.size != 0)
      record.input = std::string(abi::view(of.input_name)) + ":" + std::to_string(origin.line);
  }
  if (at.hides_raw) raw = {};
  record.event = std::string(raw.substr(0, 256));
  describe_event(site, out, std::move(record), raw, of.origins != nullptr && raw.data() != nullptr);
}

}  // namespace mut::runtime
