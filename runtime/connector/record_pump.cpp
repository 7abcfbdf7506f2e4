#include "runtime/connector/record_pump.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include "runtime/abi/check.h"

namespace mut::connector {
namespace {
// Buffers kept for use again: as many as a few batches point into.
constexpr size_t pool_buffers_max = 32;
// Less room than this at the end of a buffer is not worth a read.
constexpr size_t room_bytes_min = read_bytes / 4;
// Less text, and smaller batches, are decoded sooner than a thread has woken up. Of larger ones a piece,
// which lies in one buffer, fills a small part.
constexpr size_t ahead_bytes_min = 32 * 1024;
constexpr uint32_t ahead_rows_min = 256;
constexpr uint32_t ahead_rows_max = 16 * 1024;
}  // namespace

RecordPump::RecordPump(std::unique_ptr<codec::Decoder> decoder, std::shared_ptr<DecodeThreads> threads)
    : decoder_(std::move(decoder)) {
  if (threads) ahead_ = std::make_unique<PiecesAhead>(std::move(threads));
}

void RecordPump::start_input() {
  decoder_->start_input();
  if (ahead_) {
    MUT_CHECK(ahead_->empty(), "an input begins while text of another one waits");
    ahead_->forget_rows();  // decoders that know another header
  }
  begin_ = filled_ = 0;
  buffer_ = nullptr;
  ended_ = false;
  failed_.reset();
  read_bytes_ = 0;
  first_of_input_ = next_position_;
}

void RecordPump::go_to(const SourcePlace& place) {
  decoder_->go_on_at(place.line);
  begin_ = filled_ = 0;
  buffer_ = nullptr;
  ended_ = false;
  read_bytes_ = place.offset;
  next_position_ = place.record;
  first_of_input_ = place.first;
}

SourcePlace RecordPump::place_by_count() const {
  SourcePlace out;
  out.record = out.first = first_of_input_;
  out.skip = next_position_ - first_of_input_;
  return out;
}

SourcePlace RecordPump::place_here() const {
  if (!decoder_->is_between_lines()) return place_by_count();
  return {"", read_bytes_ - (filled_ - begin_), decoder_->line(), next_position_, 0, first_of_input_};
}

std::shared_ptr<batch::ReadBuffer> RecordPump::take_buffer(size_t capacity_bytes) {
  for (const auto& buffer : pool_) {
    if (buffer.use_count() != 1 || buffer->capacity != capacity_bytes) continue;
    // The last holder may have been another thread; its reads come before our writes.
    std::atomic_thread_fence(std::memory_order_acquire);
    return buffer;
  }
  auto buffer = std::make_shared<batch::ReadBuffer>(capacity_bytes);
  if (capacity_bytes == read_bytes && pool_.size() < pool_buffers_max) pool_.push_back(buffer);
  return buffer;
}

void RecordPump::make_room() {
  if (buffer_ && !lent_ && buffer_->capacity - filled_ >= room_bytes_min) return;
  size_t rest = filled_ - begin_;
  size_t capacity = read_bytes;
  // A record longer than a buffer gets larger ones, doubled each time.
  while (capacity < rest * 2) capacity *= 2;
  auto next = take_buffer(capacity);
  if (rest > 0) memcpy(next->memory.get(), buffer_->memory.get() + begin_, rest);
  buffer_ = std::move(next);
  lent_ = false;
  begin_ = 0;
  filled_ = rest;
}

Result<StreamStep::State> RecordPump::read_more(ByteStream& stream) {
  make_room();
  auto step = stream.read(buffer_->memory.get() + filled_, buffer_->capacity - filled_);
  if (!step) return step.error();
  if (step.value().state == StreamStep::State::Data) {
    filled_ += step.value().bytes;
    read_bytes_ += step.value().bytes;
  }
  if (step.value().state == StreamStep::State::End) ended_ = true;
  return step.value().state;
}

Status RecordPump::redeclare(abi::TypeDescRef record, std::optional<size_t> time_field) {
  Status done = decoder_->redeclare(std::move(record), time_field);
  if (done && ahead_) ahead_->forget_rows();
  return done;
}

// What is read may end with a record that is not whole; a source that gives little at a time is not waited
// for.
void RecordPump::cut_ahead(ByteStream& stream, int64_t arrival_ns, const batch::Batch& batch) {
  if (batch.row_capacity() < ahead_rows_min || batch.row_capacity() > ahead_rows_max) return;
  while (!ahead_->full() && !failed_) {
    if (filled_ - begin_ < ahead_bytes_min) {
      if (ended_) return;
      auto state = read_more(stream);
      if (!state) {
        failed_ = state.error();
        return;
      }
      if (state.value() != StreamStep::State::Data || filled_ - begin_ < ahead_bytes_min) return;
    }
    std::string_view text(buffer_->memory.get() + begin_, filled_ - begin_);
    codec::RecordRun run = decoder_->cut_off(text, batch.row_capacity());
    if (run.bytes == 0) return;
    uint64_t offset = read_bytes_ - (filled_ - begin_);
    ahead_->push({buffer_, text.substr(0, run.bytes), run.first_line, arrival_ns, offset}, *decoder_, batch);
    begin_ += run.bytes;
    lent_ = true;
  }
}

// Rows that were decoded ahead, if any were.
Status RecordPump::take_ahead(ByteStream& stream, int64_t arrival_ns, batch::Batch& batch) {
  MUT_CHECK(batch.row_count() == 0, "a batch with rows is not filled ahead");
  do {
    cut_ahead(stream, arrival_ns, batch);
    if (ahead_->empty()) return Unit{};
    const TextPiece& piece = ahead_->front();
    place_ = {"", piece.offset, piece.first_line, next_position_, 0, first_of_input_};
    Status taken = ahead_->take(*decoder_, batch);
    if (!taken) return taken;
  } while (batch.row_count() == 0);
  batch.set_first_position(next_position_);
  next_position_ += batch.row_count();
  return Unit{};
}

Result<Poll> RecordPump::fill(ByteStream& stream, int64_t arrival_ns, batch::Batch& batch) {
  if (ahead_) {
    Status taken = take_ahead(stream, arrival_ns, batch);
    if (!taken) {
      failed_ = taken.error();
      return *failed_;
    }
    if (batch.row_count() > 0) return Poll::Ready;
  }
  return fill_here(stream, arrival_ns, batch);
}

Result<Poll> RecordPump::fill_here(ByteStream& stream, int64_t arrival_ns, batch::Batch& batch) {
  batch.set_first_position(next_position_);
  batch.set_arrival(arrival_ns);
  uint32_t rows_before = batch.row_count();
  SourcePlace from = place_here();
  Poll poll = Poll::Ready;
  while (batch.row_count() < batch.row_capacity()) {
    if (!buffer_) make_room();
    uint32_t rows = batch.row_count();
    auto step =
        decoder_->decode({buffer_->memory.get() + begin_, filled_ - begin_}, ended_, arrival_ns, batch);
    if (batch.row_count() != rows) batch.hold(buffer_);
    if (!step) {
      failed_ = step.error();
      break;
    }
    begin_ += step.value().bytes_used;
    if (failed_ || batch.row_count() == batch.row_capacity()) break;
    if (ended_) {
      poll = Poll::End;
      break;
    }
    auto state = read_more(stream);
    if (!state) {
      failed_ = state.error();
      break;
    }
    if (state.value() == StreamStep::State::Wait) {
      poll = Poll::Wait;
      break;
    }
  }
  uint32_t added = batch.row_count() - rows_before;
  if (failed_ && added == 0) return *failed_;
  next_position_ += added;
  if (added > 0) place_ = from;
  return added > 0 ? Poll::Ready : poll;
}

Result<StreamStep::State> RecordPump::gather(ByteStream& stream) {
  while (true) {
    auto state = read_more(stream);
    if (!state || state.value() != StreamStep::State::Data) return state;
  }
}

Status RecordPump::check_begin(ByteStream& stream, const abi::TypeDescRef& record) {
  auto state = read_more(stream);
  if (!state) return state.error();
  batch::Batch no_rows(record, batch::NeededColumns(record->fields.size(), 0), 0);
  auto step = decoder_->decode({buffer_->memory.get() + begin_, filled_ - begin_}, ended_, 0, no_rows);
  if (!step) return step.error();
  begin_ += step.value().bytes_used;
  return Unit{};
}

}  // namespace mut::connector
