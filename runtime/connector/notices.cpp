#include "runtime/connector/notices.h"

#include <utility>

namespace mut::connector {
namespace {

// A host may never ask.
constexpr size_t texts_max = 100;

}  // namespace

void Notices::say(std::string text) {
  std::lock_guard lock(mutex_);
  if (texts_.size() == texts_max) {
    ++left_out_;
    return;
  }
  texts_.push_back(std::move(text));
}

void Notices::say_seldom(const std::string& about, std::string text, int64_t now_ns) {
  {
    std::lock_guard lock(mutex_);
    auto [said, first] = seldom_.try_emplace(about);
    if (!first && now_ns - said->second.at_ns < seldom_ns) {
      ++said->second.kept_back;
      return;
    }
    if (uint64_t kept_back = std::exchange(said->second.kept_back, 0); kept_back > 0)
      text += " (and " + std::to_string(kept_back) + " times before, since it was said last)";
    said->second.at_ns = now_ns;
  }
  say(std::move(text));
}

std::vector<std::string> Notices::take() {
  std::lock_guard lock(mutex_);
  std::vector<std::string> out = std::exchange(texts_, {});
  if (left_out_ > 0)
    out.push_back(std::to_string(std::exchange(left_out_, 0)) + " more messages were left out");
  return out;
}

}  // namespace mut::connector
