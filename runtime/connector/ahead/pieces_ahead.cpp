#include "runtime/connector/ahead/pieces_ahead.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "runtime/abi/check.h"
#include "runtime/abi/value.h"
#include "runtime/env/does.h"

namespace mut::connector {
namespace {

// For each thread, the shard's among them: one that is decoded and one that waits.
constexpr size_t pieces_per_thread = 2;

}  // namespace

// Becomes rows by the thread that begins it first; belongs to that thread until it has them.
class PiecesAhead::Slot final : public DecodeTask {
 public:
  Slot(TextPiece piece, std::unique_ptr<codec::Decoder> decoder, std::unique_ptr<batch::Batch> batch,
       std::shared_ptr<env::EventCount> decoded)
      : piece_(std::move(piece)),
        decoder_(std::move(decoder)),
        batch_(std::move(batch)),
        record_(batch_->shared_record()),
        needed_(batch_->needed()),
        decoded_(std::move(decoded)) {}

  // From any thread; of those that ask one is told so.
  bool begin() {
    State expected = State::Text;
    return state_.compare_exchange_strong(expected, State::Begun);
  }
  bool has_rows() const { return state_.load() == State::Rows; }
  bool is_like(const batch::Batch& batch) const {
    return record_.get() == &batch.record() && needed_ == batch.needed();
  }
  void run_unless_begun() override {
    env::Does decodes(where_);
    if (begin()) run();
  }

  // By who has begun it.
  void run() {
    result_ = decode(*batch_);
    state_.store(State::Rows);
    decoded_->notify();
  }
  // Bytes that have become rows of `batch`.
  Result<size_t> decode(batch::Batch& batch) {
    batch.set_arrival(piece_.arrival_ns);
    batch.hold(piece_.buffer);
    decoder_->go_on_at(piece_.first_line);
    auto step = decoder_->decode(piece_.text, false, piece_.arrival_ns, batch);
    if (!step) return step.error();
    MUT_CHECK(step.value().bytes_used == piece_.text.size() || batch.row_count() == batch.row_capacity(),
              "a piece of text does not end with a record");
    return step.value().bytes_used;
  }

  // Once it has rows.
  const Result<size_t>& result() const { return result_; }
  // Once it has rows, or begun by the caller.
  std::unique_ptr<batch::Batch>& batch() { return batch_; }
  std::unique_ptr<codec::Decoder>& decoder() { return decoder_; }

 private:
  enum class State : uint8_t { Text, Begun, Rows };
  std::atomic<State> state_{State::Text};
  const TextPiece piece_;
  std::unique_ptr<codec::Decoder> decoder_;
  std::unique_ptr<batch::Batch> batch_;
  const abi::TypeDescRef record_;
  const batch::NeededColumns needed_;
  Result<size_t> result_{size_t{0}};
  std::shared_ptr<env::EventCount> decoded_;
  const env::Where where_ = env::thread_where;  // of the shard, which reads the source
};

PiecesAhead::PiecesAhead(std::shared_ptr<DecodeThreads> threads)
    : threads_(std::move(threads)), decoded_(threads_->env().make_event_count()) {}

PiecesAhead::~PiecesAhead() { forget_rows(); }

bool PiecesAhead::full() const { return pieces_.size() >= (threads_->count() + 1) * pieces_per_thread; }

// Nobody begins a slot that is begun.
void PiecesAhead::drop(Ahead& ahead) {
  if (ahead.slot) (void)ahead.slot->begin();
  ahead.slot = nullptr;
}

void PiecesAhead::post(Ahead& ahead, const codec::Decoder& decoder, const batch::Batch& batch) {
  drop(ahead);
  std::unique_ptr<batch::Batch> rows;
  while (!batches_.empty() && !rows) {
    rows = std::move(batches_.back());
    batches_.pop_back();
    bool fits = &rows->record() == &batch.record() && rows->needed() == batch.needed() &&
                rows->row_capacity() == batch.row_capacity();
    if (!fits) rows.reset();
  }
  if (!rows)
    rows = std::make_unique<batch::Batch>(batch.shared_record(), batch.needed(), batch.row_capacity());
  std::unique_ptr<codec::Decoder> fork;
  if (decoders_.empty()) {
    fork = decoder.fork();
  } else {
    fork = std::move(decoders_.back());
    decoders_.pop_back();
  }
  ahead.slot = std::make_shared<Slot>(ahead.piece, std::move(fork), std::move(rows), decoded_);
  threads_->post(ahead.slot);
}

void PiecesAhead::push(TextPiece piece, const codec::Decoder& decoder, const batch::Batch& batch) {
  pieces_.push_back({std::move(piece), nullptr});
  post(pieces_.back(), decoder, batch);
}

bool PiecesAhead::decode_another() {
  for (size_t i = 1; i < pieces_.size(); ++i) {
    Slot& slot = *pieces_[i].slot;
    if (!slot.begin()) continue;
    slot.run();
    return true;
  }
  return false;
}

void PiecesAhead::keep(Slot& slot) {
  slot.batch()->clear();  // lets go of the text that its rows lay in
  batches_.push_back(std::move(slot.batch()));
  decoders_.push_back(std::move(slot.decoder()));
}

Status PiecesAhead::take(const codec::Decoder& decoder, batch::Batch& batch) {
  // An edit may read other columns than the version before.
  for (Ahead& ahead : pieces_) {
    if (!ahead.slot || !ahead.slot->is_like(batch)) post(ahead, decoder, batch);
  }
  std::shared_ptr<Slot> slot = pieces_.front().slot;
  bool ours = false;
  while (true) {
    uint64_t seen = decoded_->current();
    ours = slot->begin();
    if (ours || slot->has_rows()) break;
    if (!decode_another()) decoded_->wait(seen, -1);
  }
  Result<size_t> used = slot->result();
  if (!ours && slot->batch()->row_count() <= batch.row_capacity()) {
    slot->batch()->set_input_name(abi::view(batch.view().input_name));
    std::swap(*slot->batch(), batch);
  } else {
    used = slot->decode(batch);
  }
  keep(*slot);
  if (!used) return used.error();
  TextPiece& piece = pieces_.front().piece;
  if (used.value() == piece.text.size()) {
    pieces_.pop_front();
    return Unit{};
  }
  std::string_view done = piece.text.substr(0, used.value());
  piece.first_line += static_cast<uint32_t>(std::count(done.begin(), done.end(), '\n'));
  piece.text.remove_prefix(done.size());
  piece.offset += done.size();
  pieces_.front().slot = nullptr;
  return Unit{};
}

void PiecesAhead::forget_rows() {
  for (Ahead& ahead : pieces_) drop(ahead);
  decoders_.clear();
  batches_.clear();
}

}  // namespace mut::connector
