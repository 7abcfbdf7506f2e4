#include "runtime/connector/pieces/pieces.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include "runtime/connector/record_pump.h"

namespace mut::connector {
namespace {

bool in_lines(codec::Format format) {
  return format == codec::Format::Json || format == codec::Format::Lines;
}

// The text of the piece being decoded, and of those that go on with its lines.
class PieceStream final : public ByteStream {
 public:
  void add(std::string text) {
    text_.erase(0, read_);
    read_ = 0;
    text_ += text;
  }
  void end() { ended_ = true; }
  Result<StreamStep> read(char* to, size_t bytes) override {
    size_t part = std::min(bytes, text_.size() - read_);
    if (part == 0) return StreamStep{ended_ ? StreamStep::State::End : StreamStep::State::Wait, 0};
    memcpy(to, text_.data() + read_, part);
    read_ += part;
    return StreamStep{StreamStep::State::Data, part};
  }

 private:
  std::string text_;
  size_t read_ = 0;
  bool ended_ = false;
};

class PieceSource final : public SourceReader {
 public:
  PieceSource(std::shared_ptr<PieceQueue> queue, std::function<int64_t()> arrival_ns,
              codec::DecodeOptions options, abi::TypeDescRef record)
      : queue_(std::move(queue)),
        arrival_ns_(std::move(arrival_ns)),
        options_(std::move(options)),
        record_(std::move(record)) {}

  Poll poll(batch::Batch& batch) override {
    if (stopped_.load(std::memory_order_relaxed)) return Poll::End;
    last_.reset();  // its rows have run
    uint32_t rows = 0;
    while (batch.row_count() < batch.row_capacity()) {
      if (!open_) {
        if (rows > 0) break;  // rows of one batch come from one input
        // Asked first: what is pushed before finish() is in the queue by then.
        bool finished = queue_->finished();
        auto piece = queue_->take();
        if (!piece) return finished ? Poll::End : Poll::Wait;
        open(std::move(*piece));
      }
      batch.set_input_name(open_->piece.name);
      auto filled = open_->pump.fill(open_->stream, arrival_ns_(), batch);
      if (!filled) {
        error_ = filled.error().within(open_->piece.name);
        return Poll::Failed;
      }
      rows = batch.row_count();
      if (filled.value() == Poll::End) last_ = std::exchange(open_, nullptr);
      if (filled.value() != Poll::Wait) continue;
      if (auto more = queue_->take_if_continues(open_->piece)) {
        open_->stream.add(std::move(more->text));
      } else if (!queue_->empty() || queue_->finished()) {
        open_->stream.end();
      } else {
        break;
      }
    }
    if (rows == 0) return Poll::Wait;
    batch.set_first_position(next_position_);
    next_position_ += rows;
    return Poll::Ready;
  }

  Status redeclare(abi::TypeDescRef record, std::optional<size_t> time_field) override {
    for (Open* read : {open_.get(), last_.get()}) {
      if (read == nullptr) continue;
      Status done = read->pump.redeclare(record, time_field);
      if (!done) return done;
    }
    record_ = std::move(record);
    options_.time_field = time_field;
    return Unit{};
  }
  codec::Decoder* decoder() override {
    return open_ ? open_->pump.decoder() : last_ ? last_->pump.decoder() : nullptr;
  }
  const Error& error() const override { return error_; }
  void stop() override { stopped_.store(true, std::memory_order_relaxed); }

 private:
  struct Open {
    Open(Piece of, const codec::DecodeOptions& options, const abi::TypeDescRef& record)
        : piece(std::move(of)), pump(codec::make_decoder(piece.format, record, options)) {}
    Piece piece;
    PieceStream stream;
    RecordPump pump;
  };

  void open(Piece piece) {
    codec::DecodeOptions options = options_;
    if (piece.format == codec::Format::Tsv) options.separator = '\t';
    open_ = std::make_unique<Open>(std::move(piece), options, record_);
    open_->stream.add(std::move(open_->piece.text));
    if (!in_lines(open_->piece.format)) open_->stream.end();
  }

  std::shared_ptr<PieceQueue> queue_;
  std::function<int64_t()> arrival_ns_;
  codec::DecodeOptions options_;
  abi::TypeDescRef record_;
  std::unique_ptr<Open> open_;
  std::unique_ptr<Open> last_;  // of the rows that were handed over, when that piece has ended
  uint64_t next_position_ = 0;
  std::atomic<bool> stopped_{false};
  Error error_;
};

}  // namespace

void PieceQueue::push(Piece piece) {
  if (piece.text.empty()) return;
  if (in_lines(piece.format) && piece.text.back() != '\n') piece.text += '\n';
  {
    std::lock_guard lock(mutex_);
    pieces_.push_back(std::move(piece));
  }
  if (wake_ != nullptr) wake_->notify();
}

void PieceQueue::finish() {
  {
    std::lock_guard lock(mutex_);
    finished_ = true;
  }
  if (wake_ != nullptr) wake_->notify();
}

bool PieceQueue::finished() const {
  std::lock_guard lock(mutex_);
  return finished_;
}

bool PieceQueue::empty() const {
  std::lock_guard lock(mutex_);
  return pieces_.empty();
}

std::optional<Piece> PieceQueue::take() {
  std::lock_guard lock(mutex_);
  if (pieces_.empty()) return std::nullopt;
  Piece out = std::move(pieces_.front());
  pieces_.pop_front();
  return out;
}

std::optional<Piece> PieceQueue::take_if_continues(const Piece& piece) {
  std::lock_guard lock(mutex_);
  if (pieces_.empty() || !in_lines(piece.format)) return std::nullopt;
  if (pieces_.front().format != piece.format || pieces_.front().name != piece.name) return std::nullopt;
  Piece out = std::move(pieces_.front());
  pieces_.pop_front();
  return out;
}

std::unique_ptr<SourceReader> make_piece_source(std::shared_ptr<PieceQueue> queue,
                                                std::function<int64_t()> arrival_ns,
                                                codec::DecodeOptions options, abi::TypeDescRef record) {
  return std::make_unique<PieceSource>(std::move(queue), std::move(arrival_ns), std::move(options),
                                       std::move(record));
}

}  // namespace mut::connector
