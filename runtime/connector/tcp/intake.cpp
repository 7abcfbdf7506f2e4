#include "runtime/connector/tcp/intake.h"

#include <algorithm>
#include <utility>

#include "runtime/env/does.h"

namespace mut::connector {
namespace {

// Read ahead of who takes the text, of all connections together, bytes.
constexpr size_t ahead_bytes_max = 1024 * 1024;
// Of one connection, before the next has its turn.
constexpr size_t turn_bytes = 64 * 1024;
// While descriptors are short.
constexpr int64_t shortage_ns = 100'000'000;

}  // namespace

TcpIntake::TcpIntake(env::Env& env, TcpIntakeOptions options, env::EventCount* wake,
                     std::shared_ptr<Notices> notices)
    : env_(env),
      options_(std::move(options)),
      wake_(wake),
      notices_(std::move(notices)),
      set_(env.make_socket_set()),
      room_(turn_bytes, '\0'),
      backoff_(env.random_seed()) {}

TcpIntake::~TcpIntake() { finish(); }

Status TcpIntake::open() {
  if (options_.side == TcpSide::Listen) {
    auto listener = listen_on(env_, options_.address, options_.files, options_.about, notices_);
    if (!listener) return listener.error();
    listener_ = std::move(listener).value();
    return Unit{};
  }
  auto socket = connect();
  if (!socket) return socket.error();
  add(std::move(socket).value());
  link_.emplace(notices_->links(), "source", options_.name);
  return Unit{};
}

void TcpIntake::start() {
  if (listener_)
    notices_->say(options_.about + " listens on " + listener_->address() +
                  (options_.files.certificate.empty() ? "" : " by TLS"));
  thread_ = env_.start_thread("mut-tcp-in", [this] { run(); });
}

void TcpIntake::stop() {
  stopped_.store(true);
  set_->ring();
}

void TcpIntake::finish() {
  stop();
  thread_ = nullptr;
}

std::vector<TcpIntake::Connection> TcpIntake::take_new() {
  std::lock_guard lock(mutex_);
  return std::exchange(came_, {});
}

size_t TcpIntake::new_bytes() const {
  std::lock_guard lock(mutex_);
  size_t out = 0;
  for (const Connection& connection : came_) out += connection.text->waiting_bytes();
  return out;
}

void TcpIntake::cut_off(TextQueue& text) {
  text.close();
  set_->ring();
}

void TcpIntake::note_taken() {
  if (held_back_.exchange(false)) set_->ring();
}

bool TcpIntake::has_room() const {
  size_t waiting = 0;
  for (const Line& line : lines_) waiting += line.text->waiting_bytes();
  return waiting < ahead_bytes_max;
}

void TcpIntake::add(std::unique_ptr<env::Socket> socket) {
  Line line{std::move(socket), std::make_shared<TextQueue>(wake_), env_.monotonic_ns()};
  {
    std::lock_guard lock(mutex_);
    came_.push_back({line.socket->peer(), line.text});
  }
  lines_.push_back(std::move(line));
}

void TcpIntake::accept() {
  auto accepted = listener_->accept_now();
  if (!accepted) {
    notices_->say_seldom("accept",
                         options_.about + " cannot take connections now: " + accepted.error().message,
                         env_.monotonic_ns());
    set_->wait({}, shortage_ns);
    return;
  }
  if (accepted.value()) add(std::move(accepted).value());
}

void TcpIntake::lose(Line& line, const Error& why) {
  line.over = true;
  line.socket = nullptr;
  backoff_.note_lasted(env_.monotonic_ns() - line.begun_ns);
  if (options_.side == TcpSide::Listen) return;
  lost_ns_ = env_.monotonic_ns();
  link_->note_lost(why.message);
  notices_->say_seldom("lost", options_.about + ": " + why.message + "; connecting again", *lost_ns_);
}

void TcpIntake::read(Line& line) {
  auto got = line.socket->read(room_.data(), room_.size());
  if (!got) {
    line.text->fail(got.error());
    if (options_.side == TcpSide::Listen) {
      notices_->say_seldom("broke", options_.about + ": a connection broke, " + got.error().message,
                           env_.monotonic_ns());
    }
    return lose(line, got.error());
  }
  if (got.value() > 0) return line.text->push(room_.substr(0, static_cast<size_t>(got.value())));
  if (got.value() < 0) return;
  line.text->finish();
  lose(line, {options_.address.text() + " has closed the connection"});
}

void TcpIntake::connect_again() {
  // Its ring is for a stop, or for text that was taken: the wait goes on behind the latter.
  int64_t until_ns = env_.monotonic_ns() + backoff_.next_ns();
  for (int64_t left_ns = 1; left_ns > 0 && !stopped_.load(); left_ns = until_ns - env_.monotonic_ns())
    set_->wait({}, std::max<int64_t>(until_ns - env_.monotonic_ns(), 0));
  if (stopped_.load()) return;
  auto socket = connect();
  if (!socket) {
    if (stopped_.load()) return;
    link_->note_lost(socket.error().message);
    notices_->say_seldom("refused", options_.about + ": " + socket.error().message, env_.monotonic_ns());
    return;
  }
  add(std::move(socket).value());
  link_->note_made_again();
  int64_t now_ns = env_.monotonic_ns();
  notices_->say_seldom("again",
                       options_.about + " is connected to " + options_.address.text() + " again, after " +
                           std::to_string((now_ns - lost_ns_.value_or(now_ns)) / 1'000'000) + " ms",
                       now_ns);
}

void TcpIntake::run() {
  env::Does reads(Work::Decode);
  std::vector<env::SocketSet::Entry> entries;
  while (!stopped_.load()) {
    for (Line& line : lines_) {
      if (!line.over && line.text->is_closed()) lose(line, {line.socket->peer() + " was refused"});
    }
    std::erase_if(lines_, [](const Line& line) { return line.over && line.text->waiting_bytes() == 0; });
    bool connected = std::any_of(lines_.begin(), lines_.end(), [](const Line& line) { return !line.over; });
    if (!listener_ && !connected) {
      connect_again();
      continue;
    }
    // Said before it is looked at: text that is taken meanwhile rings.
    held_back_.store(true);
    bool room = has_room();
    bool takes = listener_ && lines_.size() < connections_max;
    if (room && (takes || !listener_)) held_back_.store(false);
    entries.clear();
    std::vector<size_t> of_entry;
    for (size_t i = 0; room && i < lines_.size(); ++i) {
      if (lines_[i].over) continue;
      entries.push_back({lines_[i].socket.get()});
      of_entry.push_back(i);
    }
    if (takes) entries.push_back({listener_.get()});
    set_->wait(entries, -1);
    for (size_t k = 0; k < of_entry.size() && !stopped_.load(); ++k) {
      if (entries[k].ready) read(lines_[of_entry[k]]);
    }
    if (takes && entries.back().ready && !stopped_.load()) accept();
  }
  // The port and all connections are given back. What had come in part is the business of who takes it.
  for (Line& line : lines_) {
    if (!line.over) line.text->fail({"it was closed here, by a stop or an edit"});
  }
  lines_.clear();
  listener_ = nullptr;
  if (wake_ != nullptr) wake_->notify();
}

}  // namespace mut::connector
