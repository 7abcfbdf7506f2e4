#include "runtime/http/server.h"

#include <algorithm>
#include <utility>

namespace mut::http {
namespace {

constexpr size_t read_bytes = 16 * 1024;
// A connection that is closed with bytes that were not read tells the other side of an error, which then may
// not see the answer: so much is read away, for so long.
constexpr size_t read_away_bytes = 256 * 1024;
constexpr int64_t read_away_ns = 1'000'000'000;
// How long answers that were given hold up the end of the server.
constexpr int64_t goodbye_ns = 1'000'000'000;
// While descriptors are short.
constexpr int64_t shortage_ns = 100'000'000;

}  // namespace

struct Server::Line {
  Line(std::unique_ptr<env::Socket> of, ReadLimits limits, int64_t now_ns)
      : socket(std::move(of)), reader(limits), since_ns(now_ns) {}

  // Idle: before a request. Reads: within one. Waits: for its answer. Answers: what is to be sent waits.
  // ReadsAway: all was sent.
  enum class Does : uint8_t { Idle, Reads, Waits, Answers, ReadsAway, Over } does = Does::Idle;
  std::unique_ptr<env::Socket> socket;
  RequestReader reader;
  std::string unsent;
  uint64_t number = 0;  // of its request
  Connection then = Connection::Stays;
  Body body = Body::Sent;
  size_t read_away = 0;
  int64_t since_ns;  // that it does it; of an answer, since some of it was taken

  void begin(Does what, int64_t now_ns) {
    does = what;
    since_ns = now_ns;
  }
};

Server::Server(env::Env& env, std::unique_ptr<env::SocketListener> listener, ServerLimits limits,
               Service& service)
    : env_(env),
      listener_(std::move(listener)),
      limits_(limits),
      service_(service),
      set_(env.make_socket_set()),
      room_(read_bytes, '\0') {
  thread_ = env_.start_thread("mut-http", [this] { run(); });
}

Server::~Server() {
  stopped_.store(true);
  set_->ring();
}

int64_t Server::deadline_ns(const Line& line) const {
  switch (line.does) {
    case Line::Does::Idle:
      return line.since_ns + limits_.idle_ns;
    case Line::Does::Reads:
      return line.since_ns + limits_.request_ns;
    case Line::Does::Waits:
      return line.since_ns + limits_.take_back_ns;
    case Line::Does::Answers:
      return line.since_ns + limits_.answer_ns;
    case Line::Does::ReadsAway:
      return line.since_ns + read_away_ns;
    case Line::Does::Over:
      break;
  }
  return line.since_ns;
}

void Server::answer(uint64_t number, Response response) {
  {
    std::lock_guard lock(mutex_);
    answers_.emplace_back(number, std::move(response));
  }
  set_->ring();
}

void Server::give_answers() {
  std::vector<std::pair<uint64_t, Response>> given;
  {
    std::lock_guard lock(mutex_);
    given.swap(answers_);
  }
  for (auto& [number, response] : given) {
    for (const auto& line : lines_) {
      if (line->does != Line::Does::Waits || line->number != number) continue;
      reply(*line, response, line->then, line->body);
      answer_all(*line);
      break;
    }
  }
}

void Server::run() {
  using Interest = env::Socket::Interest;
  std::vector<env::SocketSet::Entry> entries;
  while (!stopped_.load()) {
    give_answers();
    std::erase_if(lines_, [](const auto& line) { return line->does == Line::Does::Over; });
    entries.clear();
    entries.push_back({listener_.get()});
    int64_t now_ns = env_.monotonic_ns();
    int64_t wait_ns = -1;
    for (const auto& line : lines_) {
      entries.push_back({line->socket.get(), line->does == Line::Does::Answers ? Interest::Write
                                             : line->does == Line::Does::Waits ? Interest::None
                                                                               : Interest::Read});
      int64_t left_ns = std::max<int64_t>(deadline_ns(*line) - now_ns, 0);
      wait_ns = wait_ns < 0 ? left_ns : std::min(wait_ns, left_ns);
    }
    set_->wait(entries, wait_ns);
    // Those that are there, before another takes the place of one of them.
    size_t known = lines_.size();
    for (size_t i = 0; i < known && !stopped_.load(); ++i) serve(*lines_[i], entries[i + 1].ready);
    if (entries[0].ready && !stopped_.load()) accept();
  }
  say_goodbye();
}

void Server::say_goodbye() {
  int64_t until_ns = env_.monotonic_ns() + goodbye_ns;
  std::vector<env::SocketSet::Entry> entries;
  do {
    give_answers();
    std::erase_if(lines_, [](const auto& line) { return line->does != Line::Does::Answers; });
    entries.clear();
    for (const auto& line : lines_) entries.push_back({line->socket.get(), env::Socket::Interest::Write});
    if (entries.empty()) return;
    set_->wait(entries, goodbye_ns / 10);
    for (const auto& line : lines_) send(*line);
  } while (env_.monotonic_ns() < until_ns);
}

// Who owes nothing and has done nothing for longest goes.
bool Server::make_room(env::Socket& for_one) {
  std::erase_if(lines_, [](const auto& line) { return line->does == Line::Does::Over; });
  if (lines_.size() < limits_.connections) return true;
  auto rank = [](const auto& line) { return std::pair(line->does == Line::Does::Waits, line->since_ns); };
  auto oldest = std::min_element(lines_.begin(), lines_.end(),
                                 [&](const auto& one, const auto& other) { return rank(one) < rank(other); });
  if ((*oldest)->does != Line::Does::Waits) {
    lines_.erase(oldest);
    return true;
  }
  Response full = refusal(503, "all connections wait for their answers");
  full.fields.push_back({"Retry-After", "1"});
  // It fits: nothing was sent before.
  (void)for_one.write(bytes_of(full, Connection::Closes, Body::Sent, env_.wall_ns()));
  for_one.finish_writing();
  return false;
}

void Server::accept() {
  auto came = listener_->accept_now();
  if (!came) set_->wait({}, shortage_ns);
  if (!came || !came.value()) return;
  if (!make_room(*came.value())) return;
  lines_.push_back(std::make_unique<Line>(std::move(came).value(), limits_.read, env_.monotonic_ns()));
}

void Server::serve(Line& line, bool ready) {
  if (ready && line.does == Line::Does::Answers) {
    send(line);
    answer_all(line);
  } else if (ready && line.does == Line::Does::Waits) {
    (void)service_.take_back(line.number);  // nobody waits for the answer any more
    line.begin(Line::Does::Over, line.since_ns);
  } else if (ready && line.does != Line::Does::Over) {
    read(line);
  }
  if (line.does == Line::Does::Over || env_.monotonic_ns() < deadline_ns(line)) return;
  if (line.does == Line::Does::Waits) {
    auto taken_back = service_.take_back(line.number);
    if (!taken_back) return line.begin(Line::Does::Waits, env_.monotonic_ns());
    reply(line, *taken_back, line.then, line.body);
    return answer_all(line);
  }
  if (line.does != Line::Does::Reads) return line.begin(Line::Does::Over, line.since_ns);
  reply(line, refusal(408, "the request did not come to its end in time"), Connection::Closes, Body::Sent);
}

void Server::read(Line& line) {
  auto got = line.socket->read(room_.data(), room_.size());
  if (got && got.value() < 0) return;
  if (!got || got.value() == 0) return line.begin(Line::Does::Over, line.since_ns);
  auto bytes = static_cast<size_t>(got.value());
  if (line.does == Line::Does::ReadsAway) {
    line.read_away += bytes;
    if (line.read_away > read_away_bytes) line.begin(Line::Does::Over, line.since_ns);
    return;
  }
  if (line.does == Line::Does::Idle) line.begin(Line::Does::Reads, env_.monotonic_ns());
  (void)line.reader.take({room_.data(), bytes});
  answer_all(line);
}

// The requests that are whole, each when the answer before it was taken.
void Server::answer_all(Line& line) {
  while (line.does == Line::Does::Idle || line.does == Line::Does::Reads) {
    switch (line.reader.take("")) {
      case RequestReader::State::Nothing:
        return;
      case RequestReader::State::Part:
        if (line.does == Line::Does::Idle) line.begin(Line::Does::Reads, env_.monotonic_ns());
        // A few bytes, which fit.
        if (line.reader.take_expectation()) (void)line.socket->write("HTTP/1.1 100 Continue\r\n\r\n");
        return;
      case RequestReader::State::Wrong:
        return reply(line, line.reader.refusal(), Connection::Closes, Body::Sent);
      case RequestReader::State::Whole:
        break;
    }
    Request request = line.reader.take_request();
    request.peer = line.socket->peer();
    line.then = request.keep_alive ? Connection::Stays : Connection::Closes;
    line.body = request.method == "HEAD" ? Body::LeftOut : Body::Sent;
    line.number = ++last_number_;
    line.begin(Line::Does::Waits, env_.monotonic_ns());
    auto response = service_.begin(line.number, std::move(request));
    if (response) reply(line, *response, line.then, line.body);
  }
}

void Server::reply(Line& line, const Response& response, Connection then, Body body) {
  line.unsent = bytes_of(response, then, body, env_.wall_ns());
  line.then = then;
  line.begin(Line::Does::Answers, env_.monotonic_ns());
  send(line);
}

void Server::send(Line& line) {
  while (!line.unsent.empty()) {
    auto wrote = line.socket->write(line.unsent);
    if (!wrote) return line.begin(Line::Does::Over, line.since_ns);
    if (wrote.value() == 0) return;
    line.unsent.erase(0, wrote.value());
    line.since_ns = env_.monotonic_ns();
  }
  if (line.then == Connection::Closes) {
    line.socket->finish_writing();
    return line.begin(Line::Does::ReadsAway, line.since_ns);
  }
  line.begin(Line::Does::Idle, line.since_ns);
}

}  // namespace mut::http
