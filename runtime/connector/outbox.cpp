#include "runtime/connector/outbox.h"

#include <algorithm>
#include <utility>

#include "runtime/env/does.h"

namespace mut::connector {

Outbox::Outbox(env::Env& env, OutboxOptions options, env::EventCount* wake, std::shared_ptr<Notices> notices)
    : env_(env),
      options_(std::move(options)),
      notices_(std::move(notices)),
      set_(env.make_socket_set()),
      wake_(wake) {}

Outbox::~Outbox() = default;

void Outbox::end() {
  given_up_.store(true);
  if (!run_end_) end_run(RunEnd::Broken);
  (void)close();
}

Status Outbox::hold() {
  std::lock_guard lock(life_);
  if (!open_) {
    Status opened = open();
    if (!opened) return opened;
    open_ = true;
  }
  ++holds_;
  return Unit{};
}

void Outbox::release() {
  std::lock_guard lock(life_);
  if (--holds_ > 0 || active_ || !open_) return;
  shut();
  open_ = false;
}

Status Outbox::begin(SinkStart) {
  std::lock_guard lock(life_);
  if (active_) return Unit{};
  if (!open_) {
    Status opened = open();
    if (!opened) return opened;
    open_ = true;
  }
  active_ = true;
  finishing_.store(false);
  hurried_.store(false);
  note_moved();
  thread_ = env_.start_thread("mut-out", [this] {
    env::Does writes(Work::Sink);
    run();
  });
  return Unit{};
}

Status Outbox::write(std::string_view text) {
  {
    std::lock_guard lock(mutex_);
    if (failed_) return tell();
    if (keeps_ == Keeps::RowsBack) {
      held_.push_back({std::string(text), header_});
      held_bytes_ += text.size();
      return Unit{};
    }
    if (bytes_ == 0) note_moved();
    pieces_.push_back({std::string(text), header_});
    bytes_ += text.size();
  }
  set_->ring();
  return Unit{};
}

bool Outbox::full() const {
  std::lock_guard lock(mutex_);
  return !failed_ && (bytes_ >= waiting_bytes_max || held_bytes_ >= held_bytes_max);
}

size_t Outbox::waiting_bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

void Outbox::hurry() {
  note_moved();
  hurried_.store(true);
  set_->ring();
}

Status Outbox::flush() {
  std::lock_guard lock(mutex_);
  return failed_ ? tell() : Status(Unit{});
}

Status Outbox::tell() {
  told_ = true;
  return *failed_;
}

void Outbox::end_run(RunEnd how) {
  std::lock_guard lock(mutex_);
  run_end_ = how;
}

// Of rows that have none; the same number below another header would be a delivery that has been made, so
// those behind a number that an attempt before has given of this checkpoint go on behind it.
void Outbox::number_held(uint64_t first) {
  const std::string* header = nullptr;
  for (Piece& piece : held_) {
    if (piece.number >= first) first = piece.number + 1;
    if (piece.number != 0) continue;
    if (header != nullptr && *header != *piece.header) ++first;
    header = piece.header.get();
    piece.number = first;
  }
}

// What is to be known when another run brings it about again goes out under a number of its own; what that
// run makes anew does not go out.
void Outbox::settle_held() {
  std::lock_guard lock(mutex_);
  if (bytes_ == 0) note_moved();
  number_held(end_number_of(checkpoint_));
  while (!held_.empty()) {
    Piece& first = held_.front();
    held_bytes_ -= first.text.size();
    if (*run_end_ == RunEnd::Whole) {
      bytes_ += first.text.size();
      pieces_.push_back(std::move(first));
    }
    held_.pop_front();
  }
}

Status Outbox::close() {
  std::lock_guard lock(life_);
  if (!active_) return Unit{};
  {
    std::lock_guard rows(mutex_);
    if (keeps_ == Keeps::RowsBack && !run_end_) return Unit{};  // they wait for their checkpoint
  }
  hurry();
  if (keeps_ == Keeps::RowsBack) settle_held();
  finishing_.store(true);
  set_->ring();
  thread_ = nullptr;
  active_ = false;
  if (holds_ == 0) {
    shut();
    open_ = false;
  }
  std::lock_guard rows(mutex_);
  pieces_.clear();
  bytes_ = 0;
  auto failed = std::exchange(failed_, std::nullopt);
  bool told = std::exchange(told_, false);
  return failed && !told ? Status(*failed) : Status(Unit{});
}

// ---- checkpoints

SinkWriter::AfterCrash Outbox::after_crash() const {
  std::lock_guard lock(mutex_);
  return keeps_ == Keeps::RowsBack  ? AfterCrash::Commits
         : keeps_ == Keeps::Nothing ? AfterCrash::Loses
                                    : AfterCrash::Stays;
}

void Outbox::deliver_by_checkpoints(const CheckpointedRun&) {
  std::lock_guard lock(mutex_);
  keeps_ = Keeps::Unconfirmed;
}

void Outbox::hold_rows_back(const CheckpointedRun& run) {
  std::lock_guard lock(mutex_);
  keeps_ = Keeps::RowsBack;
  checkpoint_ = run.checkpoint;
}

std::vector<Undelivered> Outbox::undelivered(uint64_t number) {
  std::lock_guard lock(mutex_);
  std::vector<Undelivered> out;
  auto add = [&](const Piece& piece) {
    bool together = !out.empty() && out.back().number == piece.number && out.back().header == *piece.header;
    if (!together) out.push_back({piece.number, *piece.header, ""});
    out.back().rows += piece.text;
  };
  if (keeps_ == Keeps::Nothing) return out;
  checkpoint_ = number;
  for (const Piece& piece : pieces_) add(piece);
  number_held(first_number_of(number));
  for (const Piece& piece : held_) add(piece);
  return out;
}

void Outbox::commit(uint64_t number) {
  {
    std::lock_guard lock(mutex_);
    if (bytes_ == 0) note_moved();
    while (!held_.empty() && held_.front().number != 0 && checkpoint_of(held_.front().number) <= number) {
      Piece& first = held_.front();
      bytes_ += first.text.size();
      held_bytes_ -= first.text.size();
      pieces_.push_back(std::move(first));
      held_.pop_front();
    }
  }
  set_->ring();
}

bool Outbox::wants_checkpoint() const {
  std::lock_guard lock(mutex_);
  return held_bytes_ >= held_bytes_max / 2;
}

Status Outbox::resume(const SinkPlace& place) {
  std::lock_guard lock(mutex_);
  resumed_ = place.undelivered;
  return Unit{};
}

Status Outbox::cut_back() {
  {
    std::lock_guard lock(mutex_);
    for (Undelivered& each : resumed_) {
      bytes_ += each.rows.size();
      pieces_.push_back(
          {std::move(each.rows), std::make_shared<std::string>(std::move(each.header)), each.number});
    }
    resumed_.clear();
  }
  note_moved();
  set_->ring();
  return Unit{};
}

void Outbox::set_header(std::string_view header) {
  std::lock_guard lock(mutex_);
  header_ = std::make_shared<std::string>(header);
}

size_t Outbox::piece_count() const {
  std::lock_guard lock(mutex_);
  return pieces_.size();
}

const Outbox::Piece& Outbox::piece(size_t index) const {
  std::lock_guard lock(mutex_);
  return pieces_[index];
}

void Outbox::forget_first() {
  bool room = false;
  {
    std::lock_guard lock(mutex_);
    size_t before = bytes_;
    bytes_ -= pieces_.front().text.size();
    pieces_.pop_front();
    room = before >= waiting_bytes_max && bytes_ < waiting_bytes_max;
  }
  if (room && wake_ != nullptr) wake_->notify();
}

std::string Outbox::header() const {
  std::lock_guard lock(mutex_);
  return *header_;
}

void Outbox::fail(Error error) {
  {
    std::lock_guard lock(mutex_);
    failed_ = std::move(error);
  }
  if (wake_ != nullptr) wake_->notify();
}

bool Outbox::waited_enough() const {
  return hurried_.load() && env_.monotonic_ns() - moved_ns_.load() >= drain_wait_ns;
}

std::string Outbox::bytes_left_text() const {
  std::lock_guard lock(mutex_);
  return std::to_string(bytes_) + " bytes of rows";
}

}  // namespace mut::connector
