#include "runtime/connector/links.h"

namespace mut::connector {

std::vector<Links::State> Links::states() const {
  std::lock_guard lock(mutex_);
  std::vector<State> out;
  for (const auto& [of, known] : names_) {
    if (known.open.empty()) continue;
    State state{of.first, of.second, known.lost.empty(), "", known.made_again};
    if (!known.lost.empty()) state.why = known.lost.begin()->second;
    out.push_back(std::move(state));
  }
  return out;
}

Link::Link(Links& links, std::string side, std::string name)
    : links_(links), known_([&]() -> Links::OfName& {
        std::lock_guard lock(links.mutex_);
        return links.names_[{std::move(side), std::move(name)}];
      }()) {
  std::lock_guard lock(links_.mutex_);
  known_.open.insert(this);
}

Link::~Link() {
  std::lock_guard lock(links_.mutex_);
  known_.open.erase(this);
  known_.lost.erase(this);
}

void Link::note_lost(std::string why) {
  std::lock_guard lock(links_.mutex_);
  known_.lost[this] = std::move(why);
}

void Link::note_made_again() {
  std::lock_guard lock(links_.mutex_);
  if (known_.lost.erase(this) > 0) ++known_.made_again;
}

}  // namespace mut::connector
