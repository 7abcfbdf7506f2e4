#include "runtime/connector/nats/nats.h"

namespace mut::connector {

std::string NatsTarget::text() const {
  std::string out = "nats " + server.text();
  if (!stream.empty()) out += " stream " + stream;
  if (!subject.empty()) out += " " + subject;
  if (!queue.empty()) out += " queue " + queue;
  if (!durable.empty()) out += " durable " + durable;
  if (!user.empty()) out += " user " + user;
  for (const std::optional<Secret>& secret : {password, token}) {
    if (secret) out += " with " + secret->text();
  }
  if (!credentials.empty()) out += " with " + credentials;
  return out + tls.text();
}

bool subject_covers(std::string_view pattern, std::string_view subject) {
  while (true) {
    size_t pattern_end = pattern.find('.');
    size_t subject_end = subject.find('.');
    std::string_view wanted = pattern.substr(0, pattern_end);
    std::string_view token = subject.substr(0, subject_end);
    if (wanted == ">") return true;
    if (token == ">" || (wanted != "*" && wanted != token)) return false;
    bool ends = pattern_end == std::string_view::npos;
    if (ends || subject_end == std::string_view::npos) return ends && subject_end == std::string_view::npos;
    pattern.remove_prefix(pattern_end + 1);
    subject.remove_prefix(subject_end + 1);
  }
}

}  // namespace mut::connector
