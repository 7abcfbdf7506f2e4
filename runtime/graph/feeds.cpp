#include "runtime/graph/feeds.h"

#include <algorithm>
#include <limits>

#include "runtime/batch/newest.h"
#include "runtime/connector/follow_up.h"
#include "runtime/env/does.h"
#include "runtime/graph/decode_again.h"

namespace mut::runtime {
namespace {

// Between two looks at the clock while a source that may be idle waits.
constexpr int64_t idle_look_ns = 20'000'000;
constexpr size_t mask_bits = 64;

// Of a row, as sources are put in order: one that did not decode comes at once.
int64_t time_at(const Feed& feed, uint32_t row) {
  bool bad = feed.view.bad != nullptr && feed.view.bad[row] != 0;
  return bad ? std::numeric_limits<int64_t>::min() : feed.view.times[row] + feed.view.time_shift;
}

}  // namespace

void Feeds::start(const Plan& plan, NamedReaders readers) {
  for (const SourcePlan& source : plan.sources) {
    Feed feed;
    feed.name = source.name;
    for (auto& [name, reader] : readers) {
      if (name == source.name) feed.reader = std::move(reader);
    }
    feed.ended = !feed.reader;
    if (feed.reader) tell_who_acknowledges(*feed.reader);
    note_place(feed);
    feeds_.push_back(std::move(feed));
  }
}

std::vector<SourceCount> Feeds::positions() const {
  std::vector<SourceCount> out;
  for (const Feed& feed : feeds_) out.push_back({feed.name, feed.position});
  return out;
}

std::vector<FeedState> Feeds::states() const {
  using Reads = FeedState::Reads;
  std::vector<FeedState> out;
  for (const Feed& feed : feeds_) {
    Reads reads = feed.waits ? Reads::Waiting : Reads::Rows;
    if (feed.is_over()) reads = feed.reader ? Reads::Ended : Reads::Nothing;
    out.push_back({feed.name, feed.position, reads});
    if (!feed.reader) continue;
    out.back().waiting_bytes = feed.reader->waiting_bytes();
    out.back().dropped = feed.reader->dropped_records();
  }
  return out;
}

std::vector<char> Feeds::over() const {
  std::vector<char> out;
  for (const Feed& feed : feeds_) out.push_back(static_cast<char>(feed.is_over()));
  return out;
}

bool Feeds::all_over() const {
  return std::all_of(feeds_.begin(), feeds_.end(), [](const Feed& feed) { return feed.is_over(); });
}

bool Feeds::all_ended() const {
  return std::all_of(feeds_.begin(), feeds_.end(), [](const Feed& feed) { return feed.ended; });
}

int64_t Feeds::retry_after_ns() const {
  int64_t least = -1;
  for (const Feed& feed : feeds_) {
    if (feed.ended || !feed.reader) continue;
    int64_t after = feed.reader->retry_after_ns();
    if (feed.silent_since && (after < 0 || after > idle_look_ns)) after = idle_look_ns;
    if (after >= 0 && (least < 0 || after < least)) least = after;
  }
  return least;
}

// ---- cuts

uint64_t Feeds::cut_of(const Feed& feed) const {
  if (cut_) {
    for (const SourceCount& cut : *cut_) {
      if (cut.source == feed.name) return cut.records;
    }
  }
  return std::numeric_limits<uint64_t>::max();
}

bool Feeds::cut_reached() const {
  return std::all_of(cut_->begin(), cut_->end(), [&](const SourceCount& cut) {
    auto feed = std::find_if(feeds_.begin(), feeds_.end(),
                             [&](const Feed& candidate) { return candidate.name == cut.source; });
    return feed == feeds_.end() || feed->position >= cut.records || feed->is_over();
  });
}

uint32_t Feeds::end_by_cut(const Feed& feed, uint32_t row_end) const {
  uint64_t cut = cut_of(feed);
  if (cut == std::numeric_limits<uint64_t>::max()) return row_end;
  return static_cast<uint32_t>(std::min<uint64_t>(row_end, feed.row + (cut - feed.position)));
}

// A batch ends at a cut, so that no row was decoded for a version that does not run it.
uint32_t Feeds::rows_to_read(const Feed& feed) const {
  uint64_t cut = cut_of(feed);
  uint32_t rows = feed.batch_rows != 0 ? feed.batch_rows : batch_rows_;
  if (cut <= feed.position) return rows;
  return static_cast<uint32_t>(std::min<uint64_t>(rows, cut - feed.position));
}

// ---- rows

void Feeds::note_place(Feed& feed) {
  if (feed.replays || !feed.reader || !feed.reader->replays()) return;
  feed.replays = true;
  feed.begin = feed.reader->place();
  feed.begun_at = feed.position;
}

void Feeds::stand(Feed& feed, uint64_t position) {
  connector::SourcePlace place = feed.reader->place();
  // Which file it was is not known of a run before.
  bool other = feed.begin.inode != 0 && place.inode != feed.begin.inode;
  if (other || place.input != feed.begin.input) ++inputs_begun_;
  feed.begin = std::move(place);
  feed.begun_at = position;
}

void Feeds::tell_who_acknowledges(connector::SourceReader& reader) const {
  if (until_durable_ || reader.waits_for_sinks()) reader.take_until_durable();
}

void Feeds::stop(Stop how) {
  stopped_ = how;
  for (Feed& feed : feeds_) {
    if (feed.reader) feed.reader->stop();
  }
}

Feeds::Filled Feeds::fill(const Readers& readers) {
  env::Does decodes(Work::Decode);
  Filled out = Filled::Fine;
  for (size_t i = 0; i < feeds_.size(); ++i) {
    bool ended = feeds_[i].ended;
    if (!fill(feeds_[i], i, readers)) return Filled::Failed;
    if (feeds_[i].ended && !ended) out = Filled::SomeEnded;
  }
  return out;
}

bool Feeds::fill(Feed& feed, size_t index, const Readers& readers) {
  feed.waits = false;
  if (stopped_ == Stop::LeaveWhatReplays && feed.replays && !feed.is_over()) {
    feed.ended = true;
    feed.row = feed.batch ? feed.batch->row_count() : 0;  // place() goes by the position
  }
  while (!feed.ended && !feed.has_rows() && !feed.waits) {
    if (!poll(feed, index, readers)) return false;
  }
  return true;
}

bool Feeds::poll(Feed& feed, size_t index, const Readers& readers) {
  const SourcePlan& of = readers[0]->instance().plan().sources[index];
  env::Does decodes(Work::Decode, of.place);
  batch::NeededColumns needed = this->needed(index, of);
  uint32_t rows = rows_to_read(feed);
  if (!feed.batch || feed.batch->needed() != needed || &feed.batch->record() != of.record.get() ||
      feed.batch->row_capacity() != rows) {
    feed.batch = std::make_unique<batch::Batch>(of.record, needed, rows);
  }
  feed.batch->clear();
  feed.row = 0;
  switch (feed.reader->poll(*feed.batch)) {
    case connector::Poll::Ready:
      break;
    case connector::Poll::Wait:
      feed.waits = true;
      note_place(feed);
      // Records that are to be left out may still come.
      if (feed.replays && feed.skip == 0) stand(feed, feed.position);
      if (stopped_) feed.ended = true;
      if (of.idle >= 0 && !feed.silent_since) feed.silent_since = steady_ns();
      return true;
    case connector::Poll::End:
      feed.ended = true;
      note_place(feed);
      if (feed.skip == 0) return true;
      error_ = Error{"source `" + feed.name + "`: it is shorter than it was: " + std::to_string(feed.skip) +
                     " records that have been read are not there any more"};
      return false;
    case connector::Poll::Failed:
      feed.ended = true;
      error_ = feed.reader->error().within("source `" + feed.name + "`");
      return false;
  }
  ++batches_;
  if (!feed.batch->has_arrival()) feed.batch->set_arrival(now_ns());
  note_place(feed);
  if (feed.replays) {
    auto skipped = static_cast<uint32_t>(std::min<uint64_t>(feed.skip, feed.batch->row_count()));
    stand(feed, feed.position - feed.skip);  // all of these have been run
    feed.skip -= skipped;
    feed.row = skipped;
  }
  feed.silent_since.reset();
  for (Shard* shard : readers) {
    Instance& instance = shard->instance();
    if ((instance.idle >> std::min(index, mask_bits - 1) & 1U) == 0) continue;
    instance.wake(index);
    instance.context().overdue = 1;  // its watermark may have gone up
  }
  present(feed, index, readers[0]->instance());
  return true;
}

batch::NeededColumns Feeds::needed(size_t index, const SourcePlan& source) const {
  batch::NeededColumns out = source.needed;
  // With several sources a cut may fall inside of a batch: its rest is run by a version that may need more.
  // Rows that are no text cannot be decoded again for one that does.
  const auto& reader = feeds_[index].reader;
  if (feeds_.size() > 1 || (reader && reader->decoder() == nullptr))
    std::fill(out.begin(), out.end(), char{1});
  for (size_t i = 0; index < also_.size() && i < out.size(); ++i) out[i] |= also_[index][i];
  return out;
}

// Rows that wait have all that is read of them from now on.
void Feeds::complete(Feed& feed, size_t index, const batch::NeededColumns& wanted, Instance& first) {
  codec::Decoder* decoder = feed.reader ? feed.reader->decoder() : nullptr;
  if (decoder == nullptr || !feed.has_rows()) return;
  bool lacks = false;
  for (size_t i = 0; i < wanted.size(); ++i)
    lacks = lacks || (wanted[i] != 0 && feed.batch->needed()[i] == 0);
  if (!lacks) return;
  feed.batch = decode_again(*decoder, *feed.batch, feed.row, first.plan().sources[index].record);
  feed.row = 0;
  present(feed, index, first);
}

void Feeds::read_also(const Readers& readers, std::vector<batch::NeededColumns> columns) {
  also_ = std::move(columns);
  for (size_t i = 0; i < also_.size(); ++i) complete(feeds_[i], i, also_[i], readers[0]->instance());
}

// The rows of a feed's batch as kernels see them.
void Feeds::present(Feed& feed, size_t index, Instance& first) {
  const SourcePlan& of = first.plan().sources[index];
  if (of.computes_times) feed.batch->own_times();
  feed.view = feed.batch->view();
  if (of.computes_times) {
    feed.bad.assign(feed.view.row_count, 0);
    if (feed.view.bad != nullptr)
      std::copy(feed.view.bad, feed.view.bad + feed.view.row_count, feed.bad.begin());
    first.context().source = static_cast<uint32_t>(index);
    first.context().arrival = feed.view.arrival;
    env::Does inside(Work::Beside);
    first.kernels().times[index](&first.context(), &feed.view, feed.bad.data());
    feed.view.bad = feed.bad.data();
  }
  mark_future(feed, of.ahead);
}

void Feeds::mark_future(Feed& feed, int64_t ahead_ns) {
  if (feed.view.bad != nullptr && feed.view.bad == feed.bad.data())  // an edit may let more pass
    std::replace(feed.bad.begin(), feed.bad.end(), uint8_t{MUT_ROW_FUTURE}, uint8_t{MUT_ROW_FINE});
  if (ahead_ns < 0) return;
  int64_t limit = later(feed.view.arrival, ahead_ns);
  const uint32_t count = feed.view.row_count;
  auto is_ahead = [&](uint32_t row) {
    bool bad = feed.view.bad != nullptr && feed.view.bad[row] != 0;
    int64_t time = 0;
    return !bad &&
           (__builtin_add_overflow(feed.view.times[row], feed.view.time_shift, &time) || time > limit);
  };
  uint32_t row = 0;
  while (row < count && !is_ahead(row)) ++row;
  if (row == count) return;
  if (feed.view.bad != feed.bad.data() || feed.view.bad == nullptr) {
    feed.bad.assign(count, MUT_ROW_FINE);
    if (feed.view.bad != nullptr) std::copy(feed.view.bad, feed.view.bad + count, feed.bad.begin());
    feed.view.bad = feed.bad.data();
  }
  for (; row < count; ++row) {
    if (is_ahead(row)) feed.bad[row] = MUT_ROW_FUTURE;
  }
}

bool Feeds::note_idle(const Readers& readers) const {
  const std::vector<SourcePlan>& plans = readers[0]->instance().plan().sources;
  bool any = false;
  for (size_t i = 0; i < feeds_.size() && i < mask_bits; ++i) {
    const Feed& feed = feeds_[i];
    if (!feed.silent_since || feed.ended || plans[i].idle < 0) continue;
    if (steady_ns() - *feed.silent_since < plans[i].idle) continue;
    any = true;
    int64_t reached = earlier(now_ns(), plans[i].lateness);
    for (Shard* shard : readers) {
      Instance& instance = shard->instance();
      instance.idle |= uint64_t{1} << i;
      instance.watermarks[i] = std::max(instance.watermarks[i], reached);
    }
  }
  return any;
}

std::optional<Turn> Feeds::next(const Plan& plan) const {
  for (size_t i = 0; i < feeds_.size(); ++i) {
    const Feed& feed = feeds_[i];
    // A table that is read to its end first: nothing else goes on before.
    if (!plan.sources[i].preload || !plan.sources[i].live || feed.is_over()) continue;
    if (feed.waits || waits_for_cut(feed)) return std::nullopt;
    return Turn{i, end_by_cut(feed, feed.batch->row_count())};
  }
  auto is_ready = [&](const Feed& feed) {
    return !feed.ended && !feed.waits && feed.has_rows() && !waits_for_cut(feed);
  };
  for (size_t i = 0; i < feeds_.size(); ++i) {
    if (plan.sources[i].own_metrics && is_ready(feeds_[i]))
      return Turn{i, end_by_cut(feeds_[i], feeds_[i].batch->row_count())};
  }
  std::optional<size_t> chosen;
  for (size_t i = 0; i < feeds_.size(); ++i) {
    if (!is_ready(feeds_[i])) continue;
    bool sooner =
        !chosen || time_at(feeds_[i], feeds_[i].row) < time_at(feeds_[*chosen], feeds_[*chosen].row);
    if (sooner) chosen = i;
  }
  if (!chosen) return std::nullopt;
  const Feed& feed = feeds_[*chosen];
  uint32_t row_end = feed.batch->row_count();
  for (size_t i = 0; i < feeds_.size(); ++i) {
    if (i == *chosen || !is_ready(feeds_[i])) continue;
    int64_t limit = time_at(feeds_[i], feeds_[i].row);
    // A later declared source waits on equal times.
    for (uint32_t row = feed.row + 1; row < row_end; ++row) {
      int64_t time = time_at(feed, row);
      if (time > limit || (time == limit && i < *chosen)) row_end = row;
    }
  }
  return Turn{*chosen, end_by_cut(feed, row_end)};
}

// ---- the next version

bool Feeds::replace_input(Feed& feed, SourceChanges::Replaced& other) {
  if (other.former == SourceChanges::Replaced::Former::FollowedUp) {
    uint64_t handed = feed.position - feed.reader_from;
    if (feed.has_rows()) handed += feed.batch->row_count() - feed.row;
    feed.reader = connector::make_follow_up(std::move(feed.reader), std::move(other.reader), handed);
    tell_who_acknowledges(*feed.reader);
    feed.ended = false;
    feed.replays = false;  // until what came before has been handed over
    return false;
  }
  Feed next;
  auto known = left_.find(other.now);
  bool resumed = known != left_.end();
  if (resumed) {
    next = std::move(known->second);
    left_.erase(known);
  } else {
    next.reader = std::move(other.reader);
    tell_who_acknowledges(*next.reader);
    Status went = go_on_as_left(other.now, next);
    if (!went) next.failed = went.error();
  }
  next.name = feed.name;
  next.begun_at += feed.position - next.position;
  next.reader_from += feed.position - next.position;
  next.position = feed.position;  // cuts count the records of a source, whatever it reads
  note_place(next);
  left_.insert_or_assign(other.was, std::exchange(feed, std::move(next)));
  return resumed;
}

Status Feeds::redeclare(Feed& feed, size_t index, Instance& first) {
  const SourcePlan& source = first.plan().sources[index];
  std::optional<size_t> time_field;
  if (source.time_column >= 0) time_field = static_cast<size_t>(source.time_column);
  Status done = feed.reader->redeclare(source.record, time_field);
  if (!done) return done.error().within("source `" + feed.name + "`");
  // With several sources the cut may lie between rows that were decoded already.
  codec::Decoder* decoder = feed.reader->decoder();
  if (decoder != nullptr && feed.has_rows()) {
    feed.batch = decode_again(*decoder, *feed.batch, feed.row, source.record);
    feed.row = 0;
    present(feed, index, first);
  }
  return done;
}

void Feed::advance(uint32_t end) {
  int64_t newest_of_rows = std::numeric_limits<int64_t>::min();
  if (view.bad == nullptr) {
    newest_of_rows = batch::newest_of({view.times + row, end - row});
  } else {
    for (uint32_t i = row; i < end; ++i) {
      if (view.bad[i] == MUT_ROW_FINE) newest_of_rows = std::max(newest_of_rows, view.times[i]);
    }
  }
  int64_t time = 0;
  bool any = newest_of_rows != std::numeric_limits<int64_t>::min() &&
             !__builtin_add_overflow(newest_of_rows, view.time_shift, &time);
  if (any) newest = std::max(newest.value_or(time), time);
  position += end - row;
  row = end;
}

// A watermark that rose says what the newest time is; one that stayed where the newest record so far had left
// it says that none is newer. Else they have to be looked at.
void Feed::advance(uint32_t end, const Rise& rise) {
  int64_t time = 0;
  if (view.bad != nullptr || __builtin_add_overflow(rise.after, rise.lateness, &time)) return advance(end);
  bool rose = rise.after > rise.before;
  if (!rose && newest != time) return advance(end);
  newest = std::max(newest.value_or(time), time);
  position += end - row;
  row = end;
}

Status Feeds::hand_over(const Readers& readers,
                        const std::vector<std::pair<std::string, std::string>>& renamed,
                        SourceChanges& changes) {
  Instance& first = readers[0]->instance();
  Status worst = Unit{};
  std::vector<Feed> feeds;
  for (size_t i = 0; i < first.plan().sources.size(); ++i) {
    const SourcePlan& source = first.plan().sources[i];
    std::string before = source.name;
    for (const auto& [from, to] : renamed) {
      if (to == source.name) before = from;
    }
    Feed feed;
    for (Feed& known : feeds_) {
      if (known.name == before) feed = std::move(known);
    }
    feed.name = source.name;
    // One that is read already goes on where it is, also when no stream has wanted it for a while.
    for (auto& [name, reader] : changes.added) {
      if (name != source.name || feed.reader) continue;
      feed = Feed{};
      feed.name = name;
      feed.reader = std::move(reader);
      tell_who_acknowledges(*feed.reader);
      note_place(feed);
      for (Shard* shard : readers) shard->instance().watermarks[i] = no_watermark;
    }
    bool resumed = false;
    for (SourceChanges::Replaced& other : changes.replaced) {
      if (other.source != source.name || !feed.reader) continue;
      resumed = replace_input(feed, other);
      if (feed.failed) worst = feed.failed->within("source `" + source.name + "`");
      for (Shard* shard : readers) {
        int64_t& watermark = shard->instance().watermarks[i];
        if (watermark == state::never) watermark = no_watermark;  // the end was that of the other
      }
    }
    if (!feed.reader) feed.ended = true;
    bool redeclared = resumed || std::find(changes.redeclared.begin(), changes.redeclared.end(),
                                           source.name) != changes.redeclared.end();
    if (redeclared && feed.reader) {
      Status done = redeclare(feed, i, first);
      if (!done) worst = done;
    } else if (feed.has_rows()) {
      complete(feed, i, source.needed, first);
      mark_future(feed, source.ahead);
    }
    // With less lateness more of what was read already is over.
    if (feed.newest) {
      for (Shard* shard : readers) {
        int64_t& watermark = shard->instance().watermarks[i];
        watermark = std::max(watermark, earlier(*feed.newest, source.lateness));
      }
    }
    feeds.push_back(std::move(feed));
  }
  feeds_ = std::move(feeds);
  for (Shard* shard : readers) shard->instance().batch = nullptr;  // it lies elsewhere now
  return worst;
}

}  // namespace mut::runtime
