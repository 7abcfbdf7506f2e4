// The running graph as bytes: what a checkpoint has beside the stores.
#include <algorithm>
#include <cstring>

#include "runtime/graph/runner.h"
#include "runtime/state/saved_store.h"

namespace mut::runtime {
namespace {

bool is_text(const abi::TypeDesc& type) {
  return type.kind == abi::TypeKind::String || type.kind == abi::TypeKind::Bytes;
}

template <typename Io, typename Place>
void pass_place(Io& io, Place& place) {
  io.text(place.input);
  state::pass_values(io, place.offset, place.line, place.record, place.skip, place.first);
  io.text(place.cursor);
}

// An optional of bytes.
template <typename Io, typename Optional>
void pass_optional(Io& io, Optional& optional) {
  uint8_t is_there = optional ? 1 : 0;
  io.value(is_there);
  if (is_there == 0) return;
  auto value = optional.value_or(0);
  io.value(value);
  if constexpr (Io::loads) optional = value;
}

std::string shard_name(size_t shard) { return "shard/" + std::to_string(shard); }
std::string store_name(size_t shard, size_t store) {
  return "store/" + std::to_string(shard) + "/" + std::to_string(store);
}

}  // namespace

// ---- instance and shard

template <typename Io, typename Self>
void Instance::pass(Io& io, Self& self) {
  state::pass_plain(io, self.watermarks);
  state::pass_plain(io, self.reached_);
  state::pass_plain(io, self.dropped_);
  state::pass_values(io, self.idle, self.context_.arrival, self.context_.source, self.context_.watermark,
                     self.context_.overdue);
}

void Instance::save(state::Saver& to) {
  (void)dropped();  // what is counted another way
  pass(to, *this);
  // The others are those of the program.
  for (const SetPlan& set : plan_->sets) {
    auto index = static_cast<size_t>(set.param);
    const abi::FieldDesc& field = plan_->param_record->fields[index];
    to.bytes(params_.data() + field.offset, field.type->size);
    to.text(is_text(*field.type) ? param_texts_[index] : "");
  }
  for (const PendingSet& pending : pending_sets_) {
    state::pass_values(to, pending.waits, pending.time, pending.tick);
    state::pass_plain(to, pending.value);
    to.text(pending.text);
  }
}

void Instance::load(state::Loader& from) {
  const size_t watermark_count = watermarks.size();
  const size_t site_count = dropped_.size();
  pass(from, *this);
  if (watermarks.size() != watermark_count || reached_.size() != watermark_count ||
      dropped_.size() != site_count) {
    from.fail();
    watermarks.resize(watermark_count);
    reached_.resize(watermark_count);
    dropped_.resize(site_count);
  }
  context_.dropped = dropped_.data();
  for (const SetPlan& set : plan_->sets) {
    auto index = static_cast<size_t>(set.param);
    const abi::FieldDesc& field = plan_->param_record->fields[index];
    std::vector<char> value(field.type->size);
    std::string text;
    from.bytes(value.data(), value.size());
    from.text(text);
    if (!from.fine()) return;
    if (is_text(*field.type)) {
      MutStr view = abi::make_str(text);
      memcpy(value.data(), &view, sizeof(view));
    }
    set_param(index, value.data());
  }
  for (PendingSet& pending : pending_sets_) {
    state::pass_values(from, pending.waits, pending.time, pending.tick);
    state::pass_plain(from, pending.value);
    from.text(pending.text);
    const size_t set = static_cast<size_t>(&pending - pending_sets_.data());
    const abi::TypeDesc& type = *plan_->params[static_cast<size_t>(plan_->sets[set].param)].type;
    if (!pending.value.empty() && pending.value.size() != type.size) from.fail();
    if (pending.value.empty() || !is_text(type) || !from.fine()) continue;
    MutStr view = abi::make_str(pending.text);
    memcpy(pending.value.data(), &view, sizeof(view));
  }
}

void Shard::save(state::Saver& to) {
  to.value(cause_position_);
  instance_->save(to);
}

void Shard::load(state::Loader& from) {
  from.value(cause_position_);
  instance_->load(from);
}

// ---- sources

void Feeds::save(const Instance& first, state::Saver& to, std::vector<checkpoint::InputPlace>& places) const {
  using Use = checkpoint::InputPlace::Use;
  to.value(static_cast<uint64_t>(feeds_.size()));
  for (size_t i = 0; i < feeds_.size(); ++i) {
    const Feed& feed = feeds_[i];
    to.text(feed.name);
    bool replays = feed.replays;
    // One whose end has been seen by all is over for good. Else it is asked again: it may have got longer.
    bool over = !feed.reader || first.watermarks[i] == state::never;
    state::pass_values(to, feed.position, replays, over);
    pass_optional(to, feed.newest);
    connector::SourcePlace place = feed.place();
    pass_place(to, place);
    places.push_back({std::move(place), replays && !over ? Use::Needed : Use::Spare});
  }
  to.value(static_cast<uint64_t>(left_.size() + left_places_.size()));
  for (const auto& [what, feed] : left_) {
    to.text(what);
    pass_optional(to, feed.newest);
    connector::SourcePlace place = feed.place();
    pass_place(to, place);
    places.push_back({std::move(place), Use::Spare});
  }
  for (const auto& [what, left] : left_places_) {
    to.text(what);
    pass_optional(to, left.newest);
    pass_place(to, left.place);
    places.push_back({left.place, Use::Spare, left.mark});
  }
}

void Feeds::note_saved() {
  // What lies behind the place has to be given again.
  auto note = [](Feed& feed) {
    uint64_t upto = feed.replays ? feed.begun_at - feed.begin.skip : feed.position;
    feed.saved = upto - feed.reader_from;
  };
  for (Feed& feed : feeds_) note(feed);
  for (auto& [what, feed] : left_) note(feed);
}

void Feeds::acknowledge_saved() {
  auto tell = [](Feed& feed) {
    if (feed.reader) feed.reader->acknowledge(feed.saved);
  };
  for (Feed& feed : feeds_) tell(feed);
  for (auto& [what, feed] : left_) tell(feed);
}

bool Feeds::leaves_out() const {
  return std::any_of(feeds_.begin(), feeds_.end(),
                     [](const Feed& feed) { return feed.replays && feed.skip > 0 && !feed.is_over(); });
}

bool Feeds::is_waited_for() const {
  return std::any_of(feeds_.begin(), feeds_.end(),
                     [](const Feed& feed) { return feed.reader && feed.reader->is_waited_for(); });
}

bool Feeds::wait_for_sinks() const {
  auto waits = [](const Feed& feed) { return feed.reader && feed.reader->waits_for_sinks(); };
  return std::any_of(feeds_.begin(), feeds_.end(), waits) ||
         std::any_of(left_.begin(), left_.end(), [&](const auto& left) { return waits(left.second); });
}

Status Feeds::load(state::Loader& from, const std::vector<checkpoint::InputMark>& marks) {
  uint64_t count = from.count(8);
  if (count != feeds_.size() || marks.size() < count) return Error{"its sources are others"};
  for (size_t i = 0; i < count && from.fine(); ++i) {
    Feed& feed = feeds_[i];
    std::string name;
    bool replays = false;
    bool over = false;
    from.text(name);
    state::pass_values(from, feed.position, replays, over);
    pass_optional(from, feed.newest);
    pass_place(from, feed.begin);
    feed.skip = replays ? feed.begin.skip : 0;
    feed.begun_at = feed.position;
    feed.reader_from = feed.position - feed.skip;
    feed.replays = replays && feed.reader;
    if (!from.fine()) break;
    if (name != feed.name) return Error{"it has a source `" + name + "` in place of `" + feed.name + "`"};
    feed.ended = over;
    if (!replays) note_place(feed);  // it has followed one that does not
    if (over || !replays) continue;
    Status there = checkpoint::check_mark(env_, feed.begin, marks[i]);
    if (there) there = feed.reader->resume(feed.begin);
    if (!there) return there.error().within("source `" + feed.name + "`");
  }
  uint64_t left = from.count(8);
  if (marks.size() != feeds_.size() + left) from.fail();
  for (size_t i = 0; i < left && from.fine(); ++i) {
    std::string what;
    from.text(what);
    LeftPlace& place = left_places_[what];
    pass_optional(from, place.newest);
    pass_place(from, place.place);
    place.mark = marks[feeds_.size() + i];
  }
  return Unit{};
}

Status Feeds::go_on_as_left(const std::string& what, Feed& feed) {
  auto known = left_places_.find(what);
  if (known == left_places_.end()) return Unit{};
  LeftPlace left = std::move(known->second);
  left_places_.erase(known);
  Status there = checkpoint::check_mark(env_, left.place, left.mark);
  if (there) there = feed.reader->resume(left.place);
  if (!there) return there;
  feed.newest = left.newest;
  feed.begin = left.place;
  feed.replays = true;
  feed.skip = left.place.skip;
  feed.reader_from = 0 - feed.skip;
  return Unit{};
}

// ---- all of it

bool Runner::at_boundary() const {
  return !is_under_way() && !canary_ && error_.message.empty() && !feeds_.leaves_out();
}

bool Runner::hand_over_output() {
  if (is_under_way() || !error_.message.empty() || !take_all_output(Merge::ByShard)) return false;
  feeds_.note_saved();
  return true;
}

bool Runner::is_taking() const {
  for (const auto& shard : fleet_.shards()) {
    const Instance& instance = shard->instance();
    for (size_t i = 0; i < instance.store_count(); ++i) {
      if (instance.store(i).left_to_take() > 0) return true;
    }
  }
  return false;
}

void Runner::save(state::Saver& saver, checkpoint::Contents& to) {
  gather_state();
  (void)take_all_output(Merge::ByShard);
  saver.value(static_cast<uint64_t>(fleet_.size()));
  state::pass_values(saver, stats_.records_in, stats_.rows_out);
  ErrorLog::pass_counts(saver, fleet_.gather_errors());
  feeds_.save(fleet_.instance(0), saver, to.places);
  feeds_.note_saved();
  to.sections.push_back({"run", saver.finish()});
  for (size_t i = 0; i < fleet_.size(); ++i) {
    Shard& shard = *fleet_.shards()[i];
    shard.save(saver);
    to.sections.push_back({shard_name(i), saver.finish()});
    for (size_t j = 0; j < shard.instance().store_count(); ++j) {
      state::save_store(shard.instance().store(j), saver);
      to.sections.push_back({store_name(i, j), saver.finish()});
    }
  }
}

Status Runner::load(const checkpoint::Loaded& from) {
  for (size_t i = 0; i < fleet_.size(); ++i) {
    Shard& shard = *fleet_.shards()[i];
    state::Loader loader(from.blocks(shard_name(i)));
    shard.load(loader);
    if (!loader.fine() || loader.left() != 0)
      return Error{"shard " + std::to_string(i) + ": it is no whole state"};
    for (size_t j = 0; j < shard.instance().store_count(); ++j) {
      state::Loader store(from.blocks(store_name(i, j)));
      Status loaded = state::load_store(store, shard.instance().store(j));
      if (!loaded) return loaded;
    }
  }
  state::Loader marks_from(from.blocks("marks"));
  std::vector<checkpoint::InputMark> marks;
  state::pass_each(marks_from, marks, 12, [](state::Loader& of, checkpoint::InputMark& mark) {
    state::pass_values(of, mark.bytes, mark.crc);
  });
  state::Loader loader(from.blocks("run"));
  uint64_t shards = 0;
  loader.value(shards);
  state::pass_values(loader, stats_.records_in, stats_.rows_out);
  ErrorLog::pass_counts(loader, fleet_.gather_errors());
  if (!loader.fine() || !marks_from.fine() || shards != fleet_.size()) return Error{"it is no whole state"};
  Status gone = feeds_.load(loader, marks);
  if (!gone) return gone;
  if (!loader.fine() || loader.left() != 0) return Error{"sources: it is no whole state"};
  return Unit{};
}

}  // namespace mut::runtime
