// Requests to a running program and what it sends by itself: over its socket, or within the process.
#pragma once
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mutstream/control.h"
#include "mutstream/json.h"

namespace mut::tools {

// One thread.
class Link {
 public:
  virtual ~Link() = default;
  // Becomes readable when take_events() has something, or the program is gone.
  virtual int descriptor() const = 0;
  // Sends a line and gives the reply; empty when the program is gone. Events meanwhile are kept.
  virtual std::optional<std::string> exchange(const std::string& line) = 0;
  // What came by itself so far, without waiting, onto `events_`. False when the program is gone.
  virtual bool receive() = 0;

  using Members = std::vector<std::pair<std::string, std::string>>;  // name, JSON
  // The reply; one that says `"ok":false` where the program is gone.
  JsonValue ask(std::string_view op, const Members& members = {});
  std::vector<JsonValue> take_events();
  bool gone() const { return gone_; }
  // "the program has ended: …", where it said why; for after gone().
  const std::string& why_gone() const { return why_gone_; }

 protected:
  // Of what came by itself.
  void keep_event(std::string line);
  std::deque<std::string> events_;
  bool gone_ = false;

 private:
  std::string why_gone_ = "the program is gone";
  uint64_t asked_ = 0;
};

// Empty after a message on stderr.
std::unique_ptr<Link> connect_to(const std::string& path);
// The engine outlives it, and is run by another thread.
std::unique_ptr<Link> connect_to(Engine& engine);

bool is_ok(const JsonValue& reply);
// Text of a member; empty where there is none.
std::string text_in(const JsonValue& value, std::string_view member);
int64_t int_in(const JsonValue& value, std::string_view member);
const std::vector<JsonValue>& list_in(const JsonValue& value, std::string_view member);

}  // namespace mut::tools
