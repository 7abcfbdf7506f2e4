// Where a NATS server is and what subjects look like, as scripts write them.
#pragma once
#include <string>
#include <string_view>

#include "runtime/abi/result.h"
#include "runtime/env/tcp_address.h"

namespace mut::connector {

// `tls://host`: whoever connects wants encryption.
inline bool is_tls_url(std::string_view url) { return url.starts_with("tls://"); }

// `nats://host[:port]`, `tls://host[:port]`. Fails on what stands beside, a password above all.
inline Result<env::TcpAddress> parse_nats_url(std::string_view url) {
  const std::string_view scheme = is_tls_url(url) ? "tls://" : "nats://";
  if (!url.starts_with(scheme)) return Error{"write nats://host:port or tls://host:port"};
  std::string_view rest = url.substr(scheme.size());
  if (rest.find('@') != std::string_view::npos)
    return Error{"a user and a password do not belong into a script"};
  if (rest.empty() || rest.find_first_of("/?#, ") != std::string_view::npos)
    return Error{"write " + std::string(scheme) + "host:port, and no more"};
  bool has_port = !rest.ends_with(']') && rest.find(':') != std::string_view::npos;
  auto address = env::parse_tcp_address(has_port ? std::string(rest) : std::string(rest) + ":4222");
  if (address && address.value().port == 0) return Error{"a port is a number from 1 to 65535"};
  return address;
}

// What is wrong with a subject, "orders.eu.new"; of a `pattern` words may be `*`, and the last one `>`.
// Empty: nothing.
enum class SubjectUse : uint8_t { Pattern, Exact };
inline std::string problem_of_subject(std::string_view subject, SubjectUse use) {
  size_t from = 0;
  for (size_t end = 0; end != std::string_view::npos; from = end + 1) {
    end = subject.find('.', from);
    std::string_view word = subject.substr(from, end == std::string_view::npos ? end : end - from);
    if (word.empty() || word.find_first_of(" \t\r\n") != std::string_view::npos)
      return "a subject is words with dots between them: orders.eu";
    bool star = word == "*" || word == ">";
    if (star && use == SubjectUse::Exact) return "rows are sent to one subject, without `*` and `>`";
    if (word == ">" && end != std::string_view::npos) return "`>` stands at the end";
    if (!star && word.find_first_of("*>") != std::string_view::npos)
      return "`*` and `>` stand for whole words";
  }
  return "";
}

// A name of a stream, a durable reader or a group.
inline std::string problem_of_name(std::string_view name) {
  bool fine = !name.empty() && name.find_first_of(" \t\r\n.*>/\\") == std::string_view::npos;
  return fine ? "" : "a name has no spaces, dots, slashes or stars";
}

}  // namespace mut::connector
