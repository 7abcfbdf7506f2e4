#include "runtime/connector/http/key_window.h"

#include <utility>

namespace mut::connector {

KeyWindow::Seen KeyWindow::look(const std::string& key, uint64_t fingerprint, int64_t now_ns,
                                std::string& answer) {
  let_old_go(now_ns);
  auto [place, fresh] = known_.try_emplace(key, Known{fingerprint});
  if (fresh) return Seen::New;
  const Known& known = place->second;
  if (known.fingerprint != fingerprint) return Seen::Other;
  if (!known.taken) return Seen::Running;
  answer = known.answer;
  return Seen::Taken;
}

void KeyWindow::note_taken(const std::string& key, std::string answer, int64_t now_ns) {
  Known& known = known_[key];
  known.taken = true;
  known.answer = std::move(answer);
  taken_.push_back({now_ns, key});
  let_old_go(now_ns);
}

void KeyWindow::let_old_go(int64_t now_ns) {
  while (!taken_.empty() && (taken_.size() > keys_max || now_ns - taken_.front().taken_ns > key_window_ns)) {
    known_.erase(taken_.front().key);
    taken_.pop_front();
  }
}

}  // namespace mut::connector
