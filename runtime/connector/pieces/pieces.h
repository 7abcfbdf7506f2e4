// Texts that a host hands over, each with a format of its own: the rows of a test, a host's JSON lines.
#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "runtime/codec/decoder.h"
#include "runtime/connector/source_reader.h"
#include "runtime/env/env.h"

namespace mut::connector {

// Whole records. CSV begins with its header unless the source says otherwise.
struct Piece {
  codec::Format format = codec::Format::Json;
  std::string text;
  std::string name;  // of the input, for `.errors`; lines are counted over pieces of one name and format
};

// Threads: any, all methods.
class PieceQueue {
 public:
  // `wake` is rung when something comes; may be null.
  explicit PieceQueue(env::EventCount* wake) : wake_(wake) {}

  void push(Piece piece);
  // Nothing will be pushed any more.
  void finish();
  bool finished() const;
  // The oldest piece, taken out; empty when none waits.
  std::optional<Piece> take();
  // The same, but only when it goes on with the lines of `piece`.
  std::optional<Piece> take_if_continues(const Piece& piece);
  bool empty() const;

 private:
  mutable std::mutex mutex_;
  std::deque<Piece> pieces_;
  bool finished_ = false;
  env::EventCount* wake_;
};

// `arrival_ns`: the time of arrival of what is decoded now.
std::unique_ptr<SourceReader> make_piece_source(std::shared_ptr<PieceQueue> queue,
                                                std::function<int64_t()> arrival_ns,
                                                codec::DecodeOptions options, abi::TypeDescRef record);

}  // namespace mut::connector
