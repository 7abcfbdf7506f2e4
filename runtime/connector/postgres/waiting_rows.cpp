#include "runtime/connector/postgres/waiting_rows.h"

#include <utility>

namespace mut::connector {

bool WaitingRows::put(std::string text, std::string place) {
  while (true) {
    {
      std::lock_guard lock(mutex_);
      if (stopped_) return false;
      if (bytes_ < waiting_rows_bytes_max) {
        bytes_ += text.size();
        rows_.push_back({std::move(text), std::move(place)});
        break;
      }
    }
    room_->wait({}, -1);
  }
  if (wake_ != nullptr) wake_->notify();
  return true;
}

void WaitingRows::end() {
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
  }
  if (wake_ != nullptr) wake_->notify();
}

void WaitingRows::fail(Error why) {
  {
    std::lock_guard lock(mutex_);
    failed_ = std::move(why);
  }
  if (wake_ != nullptr) wake_->notify();
}

Poll WaitingRows::take(MessageGroup& to, std::string& place) {
  bool room = false;
  {
    std::lock_guard lock(mutex_);
    if (rows_.empty()) {
      if (failed_) {
        error_ = *failed_;
        return Poll::Failed;
      }
      return ended_ || stopped_ ? Poll::End : Poll::Wait;
    }
    bool full = bytes_ >= waiting_rows_bytes_max;
    while (!rows_.empty() && !to.full()) {
      to.add(rows_.front().text);
      place = std::move(rows_.front().place);
      bytes_ -= rows_.front().text.size();
      rows_.pop_front();
    }
    room = full && bytes_ < waiting_rows_bytes_max;
  }
  if (room) room_->ring();
  return Poll::Ready;
}

void WaitingRows::stop() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  room_->ring();
  if (wake_ != nullptr) wake_->notify();
}

bool WaitingRows::stopped() const {
  std::lock_guard lock(mutex_);
  return stopped_;
}

size_t WaitingRows::bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

void WaitingRows::rest(int64_t wait_ns) {
  if (!stopped()) room_->wait({}, wait_ns);
}

}  // namespace mut::connector
