// Clients of a local socket that send lines and get lines. What the lines mean is a Dialog's matter.
//
// Threads: one that accepts, one a client. Nothing that a client does or leaves undone holds up another, or
// whoever the dialog talks to.
#pragma once
#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "runtime/env/env.h"

namespace mut::control {

constexpr size_t line_bytes_max = size_t{1} << 20U;  // of a request
constexpr size_t clients_max = 16;
// A client that takes nothing of what waits for it for so long is cut off.
constexpr int64_t slow_reader_ns = 10'000'000'000;
// Lines that come by themselves wait where they are made while so much has not been taken.
constexpr size_t unsent_bytes_max = 256 * 1024;

// What one client says and hears. Called on its thread.
class Dialog {
 public:
  virtual ~Dialog() = default;
  // The reply to a line, without line ends.
  virtual std::string answer(std::string_view line) = 0;
  // The reply to a line that is none: too long, or cut off.
  virtual std::string refuse(std::string_view why) = 0;
  // Lines that come by themselves, each with its end, about `bytes` at most; empty: none now.
  virtual std::string take_events(size_t bytes) = 0;
};

// `ring`: from any thread, while the dialog lives: there are events. `over`: whether the server goes, so that
// an answer should wait for nothing.
using OpenDialog =
    std::function<std::unique_ptr<Dialog>(std::function<void()> ring, std::function<bool()> over)>;

class LineServer {
 public:
  LineServer(env::Env& env, std::unique_ptr<env::SocketListener> listener, OpenDialog open);
  // Cuts all clients off, as end() without a word.
  ~LineServer();
  // Says a last line to each client that still reads, without line end, and cuts it off. Once.
  void end(std::string_view last_line);
  LineServer(const LineServer&) = delete;
  LineServer& operator=(const LineServer&) = delete;

 private:
  struct Client;
  void accept();
  void serve(Client& client);
  void forget_ended();

  env::Env& env_;
  std::unique_ptr<env::SocketListener> listener_;
  OpenDialog open_;
  std::mutex mutex_;  // guards clients_
  std::list<Client> clients_;
  std::string last_line_;  // written before `stop_`, read behind it
  std::atomic<bool> stop_{false};
  std::unique_ptr<env::Thread> thread_;
};

}  // namespace mut::control
