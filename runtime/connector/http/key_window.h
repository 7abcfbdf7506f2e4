// Requests that a source has taken, by the key that their sender gave: one that comes again is answered as
// before, and its rows are not run a second time.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <string>

namespace mut::connector {

// How long a key is remembered, nanoseconds; and of how many, the newest.
constexpr int64_t key_window_ns = 600'000'000'000;
constexpr size_t keys_max = 65'536;
constexpr size_t key_bytes_max = 255;

// Threads: one at a time.
class KeyWindow {
 public:
  // New: note_taken() or forget() follows. Running: the same request is being taken now. Other: the key came
  // with another body.
  enum class Seen : uint8_t { New, Running, Taken, Other };
  // `answer` is that of what was taken. `now_ns`: by the steady clock.
  Seen look(const std::string& key, uint64_t fingerprint, int64_t now_ns, std::string& answer);
  void note_taken(const std::string& key, std::string answer, int64_t now_ns);
  // The request was not taken: the next one with that key is new.
  void forget(const std::string& key) { known_.erase(key); }

 private:
  struct Known {
    uint64_t fingerprint = 0;
    bool taken = false;
    std::string answer{};
  };
  struct Since {
    int64_t taken_ns = 0;
    std::string key;
  };
  void let_old_go(int64_t now_ns);
  std::map<std::string, Known> known_;
  std::deque<Since> taken_;  // oldest first
};

}  // namespace mut::connector
