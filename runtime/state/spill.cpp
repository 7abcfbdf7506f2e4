#include "runtime/state/spill.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "runtime/abi/check.h"

namespace mut::state {
namespace {

// Taken out at a time.
constexpr size_t step_bytes = size_t{2} << 20;
// Room on the disk is made sure of in such steps.
constexpr size_t reserve_bytes = size_t{64} << 20;
// How soon a disk that was full is asked again.
constexpr int64_t full_for_ns = 200'000'000;
// How often is looked at what is in memory, where anything is in the file; longer where a look takes long.
constexpr int64_t look_every_ns = 20'000'000;
constexpr int64_t look_share = 20;

}  // namespace

Result<std::shared_ptr<Spill>> Spill::open(env::Env& env, const SpillOptions& options) {
  if (options.bytes_max < step_bytes)
    return Error{options.directory + ": a file of less than 2 MiB takes no state"};
  auto file = env.open_paged_file(options.directory, options.bytes_max / step_bytes * step_bytes);
  if (!file) return file.error();
  auto out = std::make_shared<Spill>(env, std::move(file).value(), options);
  std::lock_guard lock(out->mutex_);
  if (!out->reserve(step_bytes))
    return Error{options.directory +
                 ": the disk has no room, or the file system cannot reserve it; name another directory"};
  return out;
}

Spill::Spill(env::Env& env, std::unique_ptr<env::PagedFile> file, const SpillOptions& options)
    : env_(env),
      file_(std::move(file)),
      resident_max_(std::max(options.resident_bytes, 2 * step_bytes)),
      asked_(env.make_event_count()),
      thread_(env.start_thread("mut spill", [this] { watch(); })) {}

Spill::~Spill() {
  stop_.store(true);
  asked_->notify();
  thread_->join();
}

size_t Spill::class_of(size_t bytes) { return static_cast<size_t>(std::countr_zero(bytes / piece_bytes)); }

bool Spill::reserve(size_t bytes) {
  if (end_ + bytes <= reserved_) return true;
  if (end_ + bytes > file_->bytes_max()) return false;
  if (env_.monotonic_ns() < full_until_ns_) return false;
  size_t to =
      std::min((end_ + bytes + reserve_bytes - 1) / reserve_bytes * reserve_bytes, file_->bytes_max());
  Status done = file_->reserve(reserved_, to - reserved_);
  // The disk may have a little left.
  if (!done && end_ + bytes < to) {
    to = end_ + bytes;
    done = file_->reserve(reserved_, to - reserved_);
  }
  if (!done) {
    full_until_ns_ = env_.monotonic_ns() + full_for_ns;
    return false;
  }
  reserved_ = to;
  return true;
}

bool Spill::has_room(size_t bytes) {
  std::lock_guard lock(mutex_);
  size_t needed = std::max(std::bit_ceil(bytes), step_bytes);
  for (size_t of = class_of(needed); of < classes; ++of) {
    if (!free_[of].empty()) return true;
  }
  return reserve(std::max(bytes, step_bytes));
}

// A piece that was given back, or a part of a larger one; null: there is none.
char* Spill::take_free(size_t of) {
  size_t from = of;
  while (from < classes && free_[from].empty()) ++from;
  if (from == classes) return nullptr;
  char* piece = free_[from].back();
  free_[from].pop_back();
  for (; from > of; --from) free_[from - 1].push_back(piece + (piece_bytes << (from - 1)));
  return piece;
}

char* Spill::take(size_t bytes) {
  MUT_CHECK(std::has_single_bit(bytes) && bytes >= piece_bytes, "no piece of a file");
  char* piece = nullptr;
  {
    std::lock_guard lock(mutex_);
    piece = take_free(class_of(bytes));
    if (piece == nullptr) {
      if (!reserve(bytes)) return nullptr;
      piece = file_->begin() + end_;
      end_ += bytes;
      ends_.store(end_, std::memory_order_release);
    }
  }
  used_.fetch_add(bytes, std::memory_order_relaxed);
  size_t before = touched_.fetch_add(bytes, std::memory_order_relaxed);
  if (before == 0 || before / (resident_max_ / 4) != (before + bytes) / (resident_max_ / 4)) asked_->notify();
  return piece;
}

void Spill::give_back(char* piece, size_t bytes) {
  used_.fetch_sub(bytes, std::memory_order_relaxed);
  std::lock_guard lock(mutex_);
  free_[class_of(bytes)].push_back(piece);
}

size_t Spill::look() {
  size_t end = ends_.load(std::memory_order_acquire);
  size_t page = file_->page_bytes();
  size_t found = file_->resident_bytes(0, (end + page - 1) / page * page);
  resident_.store(found, std::memory_order_relaxed);
  return found;
}

void Spill::page_out(size_t bytes) {
  size_t end = ends_.load(std::memory_order_acquire);
  size_t steps = (end + step_bytes - 1) / step_bytes;
  size_t out = 0;
  for (size_t i = 0; i < steps && out < bytes; ++i) {
    if (hand_ >= steps) hand_ = 0;
    size_t from = hand_++ * step_bytes;
    size_t there = file_->resident_bytes(from, step_bytes);
    if (there == 0) continue;
    file_->page_out(from, step_bytes);
    out += there;
  }
  resident_.fetch_sub(std::min(out, resident_.load(std::memory_order_relaxed)), std::memory_order_relaxed);
}

void Spill::watch() {
  int64_t pause_ns = -1;
  while (!stop_.load()) {
    uint64_t seen = asked_->current();
    if (touched_.load(std::memory_order_relaxed) == 0 && used_bytes() == 0) pause_ns = -1;
    asked_->wait(seen, pause_ns);
    if (stop_.load()) return;
    touched_.store(0, std::memory_order_relaxed);
    int64_t begin = env_.monotonic_ns();
    size_t found = look();
    if (found > resident_max_) page_out(found - resident_max_ / 2);
    pause_ns = std::max(look_every_ns, look_share * (env_.monotonic_ns() - begin));
  }
}

}  // namespace mut::state
