// Where state lies that memory has no room for: pieces of a file that is mapped, of which about a bound stays
// in the memory of the process. What is not looked at goes out; what is touched comes back by itself, a page
// at a time, so rows have addresses as ever.
//
// Which pieces go out is decided by a hand that goes round, every 20 ms where there are too many: one that is
// in use comes back from the system's cache, which costs about half a microsecond a page. One of an engine,
// for all its stores. docs/design/0028-spill.md
#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/env/env.h"

namespace mut::state {

struct SpillOptions {
  std::string directory;
  size_t bytes_max = 0;       // of the file
  size_t resident_bytes = 0;  // of it in memory, about
};

// Threads: any.
class Spill {
 public:
  // Smaller pieces are not handed out.
  static constexpr size_t piece_bytes = 64 * 1024;

  // Fails where the directory takes no file.
  static Result<std::shared_ptr<Spill>> open(env::Env& env, const SpillOptions& options);
  Spill(env::Env& env, std::unique_ptr<env::PagedFile> file, const SpillOptions& options);
  ~Spill();
  Spill(const Spill&) = delete;
  Spill& operator=(const Spill&) = delete;

  // Not cleared, aligned to piece_bytes; null where there is no room. A power of two, piece_bytes or more.
  char* take(size_t bytes);
  void give_back(char* piece, size_t bytes);
  bool owns(const void* piece) const {
    const char* at = static_cast<const char*>(piece);
    return at >= file_->begin() && at < file_->begin() + file_->bytes_max();
  }
  // Whether so much could be taken. Room on the disk is made sure of ahead.
  bool has_room(size_t bytes);
  size_t resident_bytes_max() const { return resident_max_; }
  size_t bytes_max() const { return file_->bytes_max(); }
  // What is handed out, and how much of the file was in memory when that was looked at last.
  size_t used_bytes() const { return used_.load(std::memory_order_relaxed); }
  size_t resident_bytes() const { return resident_.load(std::memory_order_relaxed); }

 private:
  static constexpr size_t classes = 32;
  static size_t class_of(size_t bytes);
  // Of both, `mutex_` is held.
  bool reserve(size_t bytes);
  char* take_free(size_t of);
  void watch();
  size_t look();
  void page_out(size_t bytes);

  env::Env& env_;
  std::unique_ptr<env::PagedFile> file_;
  size_t resident_max_;
  std::mutex mutex_;  // guards what follows
  std::array<std::vector<char*>, classes> free_;
  size_t end_ = 0;       // of what was ever handed out
  size_t reserved_ = 0;  // of the file
  int64_t full_until_ns_ = 0;
  std::atomic<size_t> ends_{0};  // end_, for who watches
  std::atomic<size_t> used_{0};
  std::atomic<size_t> resident_{0};
  std::atomic<size_t> touched_{0};  // handed out since who watches looked last
  size_t hand_ = 0;                 // of who watches
  std::atomic<bool> stop_{false};
  std::unique_ptr<env::EventCount> asked_;
  std::unique_ptr<env::Thread> thread_;  // last: joins before the rest goes
};

}  // namespace mut::state
