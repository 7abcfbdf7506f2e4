// What connectors have to tell people while they run: where they listen, that a connection was lost.
#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/connector/links.h"

namespace mut::connector {

// Threads: any, all methods.
class Notices {
 public:
  void say(std::string text);
  // The same of what may happen again and again: once in `seldom_ns` about one thing, with how often it was
  // kept back since. `now_ns`: by the steady clock.
  void say_seldom(const std::string& about, std::string text, int64_t now_ns);
  // What was said since the last call, oldest first.
  std::vector<std::string> take();
  Links& links() { return links_; }

 private:
  struct Said {
    int64_t at_ns = 0;
    uint64_t kept_back = 0;
  };
  std::mutex mutex_;
  std::vector<std::string> texts_;
  uint64_t left_out_ = 0;  // because nobody took them
  std::map<std::string, Said> seldom_;
  Links links_;
};

// Between two notices about one thing, nanoseconds.
constexpr int64_t seldom_ns = 30'000'000'000;

}  // namespace mut::connector
