// Reads a byte stream in big pieces and decodes it into batches; carries the record that a piece cuts
// over into the next one. With threads, text that comes in plenty is decoded ahead of the batches.
#pragma once
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "runtime/batch/batch.h"
#include "runtime/codec/decoder.h"
#include "runtime/connector/ahead/pieces_ahead.h"
#include "runtime/connector/byte_stream.h"
#include "runtime/connector/source_reader.h"

namespace mut::connector {

// Large enough that a system call costs nothing per record, small enough to stay in the second cache.
constexpr size_t read_bytes = 256 * 1024;

// One thread at a time. Buffers live on as long as a batch holds them and are used again afterwards.
class RecordPump {
 public:
  // `threads`: null: all is decoded in fill().
  explicit RecordPump(std::unique_ptr<codec::Decoder> decoder,
                      std::shared_ptr<DecodeThreads> threads = nullptr);

  // The next bytes begin another file.
  void start_input();

  // Appends rows until `batch` is full, the stream has nothing now (Wait) or is at its end (End).
  // Ready when rows came; the End, Wait or error shows at the next call then. Numbers the rows. With threads
  // `batch` has no rows.
  Result<Poll> fill(ByteStream& stream, int64_t arrival_ns, batch::Batch& batch);

  // Takes what the stream has, and decodes none of it: of a record that fill() found to have no end yet. Wait
  // or End.
  Result<StreamStep::State> gather(ByteStream& stream);

  // Reads the begin of the stream and checks that it fits the declaration; takes no row.
  Status check_begin(ByteStream& stream, const abi::TypeDescRef& record);

  Status redeclare(abi::TypeDescRef record, std::optional<size_t> time_field);
  codec::Decoder* decoder() { return decoder_.get(); }
  // What follows is decoded as if the input ended here.
  void end_input() { ended_ = true; }
  uint64_t next_position() const { return next_position_; }
  // Where the rows of the last fill() that was Ready begin; `input` is left empty.
  const SourcePlace& place() const { return place_; }
  // Where the next record lies, once nothing is decoded ahead.
  SourcePlace place_here() const;
  // Behind check_begin() of that input: what the stream gives next lies at that place of it.
  void go_to(const SourcePlace& place);
  // The same of a stream that gives the input from its begin on.
  void number_from(uint64_t record) { next_position_ = first_of_input_ = record; }
  // What was read and is no whole record, after a Wait of fill(). Valid until the next call.
  std::string_view rest() const { return rest_bytes() == 0 ? "" : text_in_buffer(); }
  size_t rest_bytes() const { return filled_ - begin_; }

 private:
  Result<Poll> fill_here(ByteStream& stream, int64_t arrival_ns, batch::Batch& batch);
  Status take_ahead(ByteStream& stream, int64_t arrival_ns, batch::Batch& batch);
  void cut_ahead(ByteStream& stream, int64_t arrival_ns, const batch::Batch& batch);
  Result<StreamStep::State> read_more(ByteStream& stream);
  void make_room();
  // Of the text that fill_here() decodes next.
  // One that is found by counting records, where the text there cannot be decoded by itself.
  SourcePlace place_by_count() const;
  std::string_view text_in_buffer() const { return {buffer_->memory.get() + begin_, filled_ - begin_}; }
  std::shared_ptr<batch::ReadBuffer> take_buffer(size_t capacity_bytes);

  std::unique_ptr<codec::Decoder> decoder_;
  std::shared_ptr<batch::ReadBuffer> buffer_;
  std::vector<std::shared_ptr<batch::ReadBuffer>> pool_;
  size_t begin_ = 0;   // of the text that is not decoded yet
  size_t filled_ = 0;  // end of the text in the buffer
  bool lent_ = false;  // other threads may look behind their text in the buffer: nothing is added to it
  bool ended_ = false;
  uint64_t next_position_ = 0;
  uint64_t first_of_input_ = 0;  // number of its first record
  uint64_t read_bytes_ = 0;      // of the input
  SourcePlace place_;
  std::optional<Error> failed_;         // what came behind rows that were handed over
  std::unique_ptr<PiecesAhead> ahead_;  // null: no threads
};

}  // namespace mut::connector
