#include "runtime/connector/carried/carried_sink.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "runtime/connector/backoff.h"

namespace mut::connector {
namespace {

// Between two looks at whether the run ends.
constexpr int64_t look_ns = 100'000'000;

class CarriedSink final : public Outbox {
 public:
  CarriedSink(env::Env& env, OutboxOptions options, std::unique_ptr<Carrier> carrier, env::EventCount* wake,
              std::shared_ptr<Notices> notices)
      : Outbox(env, std::move(options), wake, std::move(notices)),
        carrier_(std::move(carrier)),
        backoff_(env.random_seed()) {}
  ~CarriedSink() override { end(); }

  void deliver_by_checkpoints(const CheckpointedRun& run) override {
    if (!carrier_->keeps_numbers()) return Outbox::deliver_by_checkpoints(run);
    name_ = run.name + "/" + options_.name;
    carrier_->name_deliveries(name_);
    hold_rows_back(run);
    if (run.phase == CheckpointedRun::Phase::Start) newest_allowed_ = newest_number_of(run.checkpoint);
  }
  std::string deliveries_name() const override { return name_; }
  // It may have had another name when the world heard of it first.
  Status resume(const SinkPlace& place) override {
    if (!place.name.empty()) carrier_->name_deliveries(name_ = place.name);
    return Outbox::resume(place);
  }

 private:
  Status open() override {
    auto trouble = connect();
    if (trouble) return Error{told(trouble->why)};
    link_.emplace(notices_->links(), "sink", options_.name);
    return Unit{};
  }
  void shut() override {
    disconnect();
    link_.reset();
  }

  void run() override {
    while (true) {
      std::optional<Packet> packet = next_packet();
      if (!packet && finishing()) break;
      if (!packet) {
        set_->wait({}, finishing() ? look_ns : -1);
      } else if (!carry({packet->number, packet->rows, *packet->header})) {
        return;
      } else {
        forget(packet->pieces);
      }
    }
    disconnect();  // one that begins again connects again
  }

  struct Packet {
    uint64_t number = 0;
    std::string rows;
    size_t pieces = 0;
    std::shared_ptr<const std::string> header;
  };
  // What goes out next: what belongs to one checkpoint, or what has gathered.
  std::optional<Packet> next_packet() const {
    std::optional<Packet> out;
    for (size_t i = 0; i < piece_count(); ++i) {
      const Piece& next = piece(i);
      bool fits =
          !out ||
          (next.number == out->number && *next.header == *out->header &&
           (next.number != 0 || out->rows.size() + next.text.size() <= carrier_->delivery_bytes_max()));
      if (!fits) break;
      if (!out) out.emplace(Packet{next.number, "", 0, next.header});
      out->rows += next.text;
      ++out->pieces;
    }
    return out;
  }
  void forget(size_t pieces) {
    for (size_t i = 0; i < pieces; ++i) forget_first();
  }

  // Until it is taken; false where it cannot be, and the sink has failed.
  bool carry(const Delivery& delivery) {
    int64_t begun_ns = env_.monotonic_ns();
    while (true) {
      auto trouble = connected_ ? std::nullopt : connect();
      if (!trouble) {
        if (delivery.number != 0 && delivery.number <= newest_) return note_taken();
        trouble = carrier_->deliver(delivery);
      }
      if (!trouble) {
        newest_ = std::max(newest_, delivery.number);
        return note_taken();
      }
      disconnect();
      link_->note_lost(trouble->why.message);
      if (trouble->kind == Trouble::Kind::ForGood) {
        fail({told(trouble->why) + "; " + bytes_left_text() + " were not taken"});
        return false;
      }
      notices_->say_seldom("again", options_.about + ": " + told(trouble->why) + "; trying again",
                           env_.monotonic_ns());
      if (!may_wait(begun_ns, *trouble)) return false;
      rest(begun_ns);
    }
  }

  // With the target in front, which some say by themselves.
  std::string told(const Error& why) const {
    std::string target = carrier_->target();
    return why.message.starts_with(target) ? why.message : target + ": " + why.message;
  }

  bool note_taken() {
    note_moved();
    link_->note_made_again();
    backoff_.note_lasted(Backoff::settled_ns);
    return true;
  }

  bool may_wait(int64_t begun_ns, const Trouble& trouble) {
    int64_t tried_ns = env_.monotonic_ns() - begun_ns;
    if (tried_ns < options_.give_up_ns && !waited_enough() && !given_up_.load()) return true;
    fail({carrier_->target() + ": nothing was taken for " + std::to_string(tried_ns / 1'000'000'000) +
          " s (" + trouble.why.message + "); " + bytes_left_text() + " are not known to have arrived"});
    return false;
  }

  void rest(int64_t begun_ns) {
    int64_t until_ns = std::min(env_.monotonic_ns() + backoff_.next_ns(), begun_ns + options_.give_up_ns);
    while (env_.monotonic_ns() < until_ns && !waited_enough() && !given_up_.load())
      set_->wait({}, std::min(look_ns, std::max<int64_t>(until_ns - env_.monotonic_ns(), 0)));
  }

  std::optional<Trouble> connect() {
    auto trouble = carrier_->connect();
    if (trouble) return trouble;
    connected_ = true;
    if (!carrier_->keeps_numbers()) return std::nullopt;
    auto newest = carrier_->newest_number();
    if (newest && newest_allowed_ && newest.value() > *newest_allowed_) {
      disconnect();
      return Trouble{
          Error{"it has rows of checkpoint " + std::to_string(checkpoint_of(newest.value())) +
                ", which is newer than the one that this run goes on from: rows of it would come twice"},
          Trouble::Kind::ForGood};
    }
    newest_allowed_.reset();
    if (newest) {
      newest_ = newest.value();
      return std::nullopt;
    }
    disconnect();
    return Trouble{newest.error()};
  }
  void disconnect() {
    if (connected_) carrier_->disconnect();
    connected_ = false;
  }

  std::unique_ptr<Carrier> carrier_;
  Backoff backoff_;
  std::optional<Link> link_;  // while it is open
  bool connected_ = false;
  uint64_t newest_ = 0;                     // number that the world has
  std::string name_;                        // of the deliveries
  std::optional<uint64_t> newest_allowed_;  // until the first connection
};

}  // namespace

std::unique_ptr<SinkWriter> make_carried_sink(env::Env& env, OutboxOptions options,
                                              std::unique_ptr<Carrier> carrier, env::EventCount* wake,
                                              std::shared_ptr<Notices> notices) {
  return std::make_unique<CarriedSink>(env, std::move(options), std::move(carrier), wake, std::move(notices));
}

}  // namespace mut::connector
