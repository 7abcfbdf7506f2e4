#include "runtime/connector/tcp/tcp_source.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/connector/record_pump.h"

namespace mut::connector {
namespace {

// A record that has so much and no end yet is not looked at again for each byte that comes: for a part of
// what there is, or a line end.
constexpr size_t long_rest_bytes = 64 * 1024;
constexpr size_t long_rest_part = 8;

// The text of one connection. One that broke says Wait at its end, not End: what lies before is no record.
class ConnectionStream final : public ByteStream {
 public:
  explicit ConnectionStream(std::shared_ptr<TextQueue> text) : text_(std::move(text)) {}
  Result<StreamStep> read(char* to, size_t bytes) override {
    auto step = text_->take(to, bytes);
    if (step && step.value().bytes > 0) ends_line_ |= memchr(to, '\n', step.value().bytes) != nullptr;
    if (step) return step;
    broke_ = step.error();
    return StreamStep{StreamStep::State::Wait, 0};
  }
  const std::optional<Error>& broke() const { return broke_; }
  // Whether a line end was read since this was asked last.
  bool take_line_end() { return std::exchange(ends_line_, false); }

 private:
  std::shared_ptr<TextQueue> text_;
  std::optional<Error> broke_;
  bool ends_line_ = false;
};

class TcpSource final : public SourceReader {
 public:
  TcpSource(env::Env& env, TcpSourceOptions options, abi::TypeDescRef record, env::EventCount* wake,
            std::shared_ptr<Notices> notices)
      : env_(env),
        options_(std::move(options)),
        record_(std::move(record)),
        intake_(env, options_.intake, wake, std::move(notices)) {}

  Status open() { return intake_.open(); }

  Poll poll(batch::Batch& batch) override {
    bool stopped = stopped_.load();
    if (!std::exchange(started_, true) && !stopped) intake_.start();
    if (stopped && !std::exchange(finished_, true)) intake_.finish();
    last_ = nullptr;  // its rows have run
    for (TcpIntake::Connection& came : intake_.take_new()) take(std::move(came));
    // Of connections that are made one after the other, the first is taken to its end.
    bool in_turn = options_.intake.side == TcpSide::Listen;
    for (size_t left = clients_.size(); left > 0 && !clients_.empty(); --left) {
      size_t index = in_turn ? turn_ % clients_.size() : 0;
      Poll polled = fill(index, batch);
      intake_.note_taken();
      if (polled == Poll::Ready) return Poll::Ready;
      if (polled == Poll::Wait && !in_turn) break;
    }
    if (give_up_largest(batch)) return Poll::Ready;
    return stopped ? Poll::End : Poll::Wait;
  }

  Status redeclare(abi::TypeDescRef record, std::optional<size_t> time_field) override {
    if (last_) {
      Status done = last_->pump.redeclare(record, time_field);
      if (!done) return done;
    }
    for (const auto& client : clients_) {
      if (client == last_) continue;
      Status done = client->pump.redeclare(record, time_field);
      if (!done) client->refused = done.error();
    }
    record_ = std::move(record);
    options_.decode.time_field = time_field;
    return Unit{};
  }
  size_t waiting_bytes() const override {
    size_t out = intake_.new_bytes();
    for (const auto& client : clients_) out += client->text->waiting_bytes() + client->pump.rest_bytes();
    return out;
  }
  codec::Decoder* decoder() override { return last_ ? last_->pump.decoder() : nullptr; }
  const Error& error() const override { return error_; }
  void stop() override {
    stopped_.store(true);
    intake_.stop();
  }

 private:
  struct Client {
    Client(TcpIntake::Connection came, const TcpSourceOptions& options, const abi::TypeDescRef& record,
           std::shared_ptr<DecodeThreads> threads)
        : peer("tcp " + came.peer),
          text(came.text),
          stream(std::move(came.text)),
          pump(codec::make_decoder(options.format, record, options.decode), std::move(threads)) {}
    std::string peer;
    std::shared_ptr<TextQueue> text;
    ConnectionStream stream;
    RecordPump pump;
    size_t unfinished_bytes = 0;   // of a record that had no end when it was looked at last
    std::optional<Error> refused;  // why nothing of it can be decoded any more
  };

  // Text that is cut ahead for threads takes megabytes: one that is alone has them.
  void take(TcpIntake::Connection came) {
    clients_.push_back(std::make_shared<Client>(std::move(came), options_, record_,
                                                clients_.empty() ? options_.threads : nullptr));
  }

  // Ready: rows came; End: that client is gone; Wait: the next has its turn.
  Poll fill(size_t index, batch::Batch& batch) {
    std::shared_ptr<Client> client = clients_[index];
    if (client->refused) return drop(index, batch, unfit(*client->refused), "");
    if (client->unfinished_bytes >= long_rest_bytes && !has_grown(*client)) {
      ++turn_;
      return Poll::Wait;
    }
    batch.set_input_name(client->peer);
    auto filled = client->pump.fill(client->stream, env_.wall_ns(), batch);
    client->unfinished_bytes = filled && filled.value() == Poll::Wait ? client->pump.rest_bytes() : 0;
    if (!filled) return drop(index, batch, unfit(filled.error()), client->pump.rest());
    if (filled.value() == Poll::Ready) {
      last_ = std::move(client);
      ++turn_;
      count(batch);
      return Poll::Ready;
    }
    if (filled.value() == Poll::End) {
      forget(index);
      return Poll::End;
    }
    if (client->stream.broke()) {
      std::string_view rest = client->pump.rest();
      if (rest.find_first_not_of(" \t\r\n") != std::string_view::npos)
        return drop(index, batch,
                    "the connection broke inside of this record: " + client->stream.broke()->message, rest);
      forget(index);
      return Poll::End;
    }
    ++turn_;
    return Poll::Wait;
  }

  static bool has_grown(Client& client) {
    (void)client.stream.take_line_end();
    auto state = client.pump.gather(client.stream);
    bool ends = !state || state.value() == StreamStep::State::End || client.stream.broke();
    size_t grown = client.pump.rest_bytes() - client.unfinished_bytes;
    return ends || client.stream.take_line_end() || grown >= client.unfinished_bytes / long_rest_part;
  }

  static std::string unfit(const Error& why) {
    return "the connection does not fit the source and is closed: " + why.message;
  }

  void count(batch::Batch& batch) {
    batch.set_first_position(next_position_);
    next_position_ += batch.row_count();
  }

  void forget(size_t index) { clients_.erase(clients_.begin() + static_cast<std::ptrdiff_t>(index)); }

  // A row that says why, in the place of what is not decoded of it.
  Poll drop(size_t index, batch::Batch& batch, std::string_view why, std::string_view rest) {
    last_ = clients_[index];
    forget(index);
    intake_.cut_off(*last_->text);
    MutStr raw = batch.arena().copy(rest.substr(0, codec::kept_raw_bytes));
    batch.set_input_name(last_->peer);
    batch.set_arrival(env_.wall_ns());
    batch.finish_bad_row({raw.data, raw.size, last_->pump.decoder()->line()}, "decode", why);
    count(batch);
    return Poll::Ready;
  }

  // Many that send records without an end would fill the memory.
  bool give_up_largest(batch::Batch& batch) {
    size_t sum = 0;
    size_t largest = 0;
    for (size_t i = 0; i < clients_.size(); ++i) {
      sum += clients_[i]->pump.rest_bytes();
      if (clients_[i]->pump.rest_bytes() > clients_[largest]->pump.rest_bytes()) largest = i;
    }
    if (sum <= unfinished_bytes_max) return false;
    drop(
        largest, batch,
        "the connection is given up: unfinished records of all are more than 64 MiB, and this is the largest",
        clients_[largest]->pump.rest());
    return true;
  }

  env::Env& env_;
  TcpSourceOptions options_;
  abi::TypeDescRef record_;
  std::vector<std::shared_ptr<Client>> clients_;  // in order of their arrival
  std::shared_ptr<Client> last_;                  // of the rows that were handed over; or null
  size_t turn_ = 0;
  uint64_t next_position_ = 0;
  bool started_ = false;
  bool finished_ = false;
  std::atomic<bool> stopped_{false};
  Error error_;
  TcpIntake intake_;
};

}  // namespace

Result<std::unique_ptr<SourceReader>> open_tcp_source(env::Env& env, TcpSourceOptions options,
                                                      abi::TypeDescRef record, env::EventCount* wake,
                                                      std::shared_ptr<Notices> notices) {
  auto source =
      std::make_unique<TcpSource>(env, std::move(options), std::move(record), wake, std::move(notices));
  Status opened = source->open();
  if (!opened) return opened.error();
  return std::unique_ptr<SourceReader>(std::move(source));
}

}  // namespace mut::connector
