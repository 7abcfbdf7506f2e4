#include "tools/mutc/live/link.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace mut::tools {
namespace {

constexpr size_t events_bytes = 256 * 1024;

bool is_event(std::string_view line) { return line.starts_with(R"({"v":1,"event":)"); }

class SocketLink final : public Link {
 public:
  explicit SocketLink(int descriptor) : descriptor_(descriptor) {}
  ~SocketLink() override { ::close(descriptor_); }
  int descriptor() const override { return descriptor_; }

  std::optional<std::string> exchange(const std::string& line) override {
    std::string text = line + "\n";
    for (size_t sent = 0; sent < text.size();) {
      ssize_t now = ::send(descriptor_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (now < 0 && errno == EINTR) continue;
      if (now < 0) break;  // who hung up may have said why
      sent += static_cast<size_t>(now);
    }
    while (true) {
      while (auto next = next_line()) {
        if (!is_event(*next)) return next;
        keep_event(std::move(*next));
      }
      if (!read(0)) return lost();
    }
  }

  bool receive() override {
    while (!gone_ && read(MSG_DONTWAIT)) {
    }
    while (auto next = next_line()) keep_event(std::move(*next));
    return !gone_;
  }

 private:
  std::optional<std::string> lost() {
    gone_ = true;
    return std::nullopt;
  }

  bool read(int flags) {
    char room[64 * 1024];
    ssize_t got = ::recv(descriptor_, room, sizeof(room), flags);
    if (got < 0 && errno == EINTR) return true;
    if (got == 0 || (got < 0 && errno != EAGAIN)) gone_ = true;
    if (got <= 0) return false;
    held_.append(room, static_cast<size_t>(got));
    return true;
  }

  std::optional<std::string> next_line() {
    size_t end = held_.find('\n', at_);
    if (end == std::string::npos) {
      held_.erase(0, std::exchange(at_, 0));
      return std::nullopt;
    }
    std::string out = held_.substr(at_, end - at_);
    at_ = end + 1;
    return out;
  }

  int descriptor_;
  std::string held_;
  size_t at_ = 0;  // where the next line of `held_` begins
};

class EngineLink final : public Link {
 public:
  explicit EngineLink(Engine& engine)
      : bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), dialog_(engine, [bell = bell_] {
          uint64_t one = 1;
          (void)!::write(bell, &one, sizeof(one));
        }) {}
  ~EngineLink() override = default;  // the bell stays open: the engine may still ring
  int descriptor() const override { return bell_; }
  std::optional<std::string> exchange(const std::string& line) override { return dialog_.answer(line); }

  bool receive() override {
    uint64_t count;
    (void)!::read(bell_, &count, sizeof(count));
    while (true) {
      std::string lines = dialog_.events(events_bytes);
      if (lines.empty()) return true;
      for (size_t begin = 0; begin < lines.size();) {
        size_t end = lines.find('\n', begin);
        events_.push_back(lines.substr(begin, end - begin));
        begin = end + 1;
      }
    }
  }

 private:
  int bell_;
  ControlDialog dialog_;
};

}  // namespace

void Link::keep_event(std::string line) {
  constexpr std::string_view over = R"({"v":1,"event":"over")";
  std::string problem;
  if (line.starts_with(over)) {
    if (auto event = parse_json(line, problem))
      why_gone_ = "the program has ended: " + text_in(*event, "reason");
    return;
  }
  events_.push_back(std::move(line));
}

JsonValue Link::ask(std::string_view op, const Members& members) {
  std::string line = "{\"v\":1,\"id\":" + std::to_string(++asked_) + ",\"op\":" + json_quoted(op);
  for (const auto& [name, value] : members) line += "," + json_quoted(name) + ":" + value;
  std::optional<std::string> reply = exchange(line + "}");
  std::string problem = why_gone_;
  std::optional<JsonValue> parsed;
  if (reply) parsed = parse_json(*reply, problem);
  if (parsed) return std::move(*parsed);
  return *parse_json(R"({"ok":false,"error":{"kind":"io","text":)" + json_quoted(problem) + "}}", problem);
}

std::vector<JsonValue> Link::take_events() {
  receive();
  std::vector<JsonValue> out;
  std::string problem;
  while (!events_.empty()) {
    if (auto event = parse_json(events_.front(), problem)) out.push_back(std::move(*event));
    events_.pop_front();
  }
  return out;
}

std::unique_ptr<Link> connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    std::fprintf(stderr, "mutc: %s: too long for the path of a socket\n", path.c_str());
    return nullptr;
  }
  memcpy(address.sun_path, path.c_str(), path.size());
  int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    std::string why = errno == ECONNREFUSED ? "nobody listens there" : std::strerror(errno);
    std::fprintf(stderr, "mutc: %s: %s; `mutc run FILE --control %s` does\n", path.c_str(), why.c_str(),
                 path.c_str());
    ::close(descriptor);
    return nullptr;
  }
  return std::make_unique<SocketLink>(descriptor);
}

std::unique_ptr<Link> connect_to(Engine& engine) { return std::make_unique<EngineLink>(engine); }

bool is_ok(const JsonValue& reply) {
  const JsonValue* ok = reply.find("ok");
  return ok != nullptr && ok->is_true();
}

std::string text_in(const JsonValue& value, std::string_view member) {
  const JsonValue* found = value.find(member);
  return found == nullptr ? "" : found->as_text().value_or("");
}

int64_t int_in(const JsonValue& value, std::string_view member) {
  const JsonValue* found = value.find(member);
  return found == nullptr ? 0 : found->as_int().value_or(0);
}

const std::vector<JsonValue>& list_in(const JsonValue& value, std::string_view member) {
  static const std::vector<JsonValue> none;
  const JsonValue* found = value.find(member);
  return found == nullptr ? none : found->items;
}

}  // namespace mut::tools
