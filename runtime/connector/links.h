// Which connections sources and sinks have now, of those that they make by themselves and make again.
#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace mut::connector {

class Link;

// Threads: any, all methods.
class Links {
 public:
  struct State {
    std::string side;  // "source", "sink"
    std::string name;
    bool connected = true;
    std::string why;          // it is not
    uint64_t made_again = 0;  // since the run began
  };
  // By side and name.
  std::vector<State> states() const;

 private:
  friend class Link;
  // During an edit a name may have two.
  struct OfName {
    std::set<const Link*> open;
    std::map<const Link*, std::string> lost;  // and why
    uint64_t made_again = 0;
  };
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, OfName> names_;
};

// One connection, while its connector lives; it is there at first. `links` outlives it.
class Link {
 public:
  Link(Links& links, std::string side, std::string name);
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  void note_lost(std::string why);
  void note_made_again();

 private:
  Links& links_;
  Links::OfName& known_;
};

}  // namespace mut::connector
