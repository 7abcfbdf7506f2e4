// Pieces of a source's text that are decoded on several threads and handed over in their order.
//
// The shard's thread reads the text and cuts it between records. A piece is decoded by whoever comes first: a
// thread of DecodeThreads, or the shard itself when it has nothing to run. See docs/design/0018.
#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <vector>

#include "runtime/abi/result.h"
#include "runtime/batch/batch.h"
#include "runtime/codec/decoder.h"
#include "runtime/connector/ahead/decode_threads.h"

namespace mut::connector {

// Whole records: what Decoder::cut_off() gave.
struct TextPiece {
  std::shared_ptr<batch::ReadBuffer> buffer;  // in which the text lies
  std::string_view text;
  uint32_t first_line = 1;
  int64_t arrival_ns = 0;
  uint64_t offset = 0;  // bytes of the input before it
};

// One thread at a time, the shard's.
class PiecesAhead {
 public:
  explicit PiecesAhead(std::shared_ptr<DecodeThreads> threads);
  // A thread that is inside of a piece keeps what it needs.
  ~PiecesAhead();
  PiecesAhead(const PiecesAhead&) = delete;
  PiecesAhead& operator=(const PiecesAhead&) = delete;

  bool empty() const { return pieces_.empty(); }
  // Where the text begins that take() decodes next; there is a piece.
  const TextPiece& front() const { return pieces_.front().piece; }
  // As many as keep the threads busy while the shard runs a batch.
  bool full() const;
  // A thread may decode it from now on, by a fork of `decoder`, for batches like `batch`.
  void push(TextPiece piece, const codec::Decoder& decoder, const batch::Batch& batch);
  // Rows of the oldest piece into `batch`, which is empty but for its input's name and need not be like the
  // one that was pushed for: as many as there is room for; none where the text has none. There is a piece.
  // Waits for a thread that has begun it, and decodes others meanwhile.
  Status take(const codec::Decoder& decoder, batch::Batch& batch);
  // Records are of another type from now on: what was decoded is text again.
  void forget_rows();

 private:
  class Slot;
  struct Ahead {
    TextPiece piece;
    std::shared_ptr<Slot> slot;  // where it becomes rows; null: it is not to be decoded yet
  };
  void post(Ahead& ahead, const codec::Decoder& decoder, const batch::Batch& batch);
  static void drop(Ahead& ahead);
  bool decode_another();
  void keep(Slot& slot);

  std::shared_ptr<DecodeThreads> threads_;
  std::shared_ptr<env::EventCount> decoded_;
  std::deque<Ahead> pieces_;
  // Of pieces that were taken, to be used again.
  std::vector<std::unique_ptr<batch::Batch>> batches_;
  std::vector<std::unique_ptr<codec::Decoder>> decoders_;
};

}  // namespace mut::connector
