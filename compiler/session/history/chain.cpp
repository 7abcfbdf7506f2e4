#include "compiler/session/history/chain.h"

#include "compiler/session/history/digest.h"

namespace mut::session {
namespace {

constexpr std::string_view head = "{\"prev\":\"";
constexpr std::string_view middle = "\",\"body\":";
constexpr std::string_view tail = ",\"sum\":\"";
constexpr std::string_view end = "\"}";
constexpr size_t digits = 64;

std::string sum_of(std::string_view prev, std::string_view body) {
  std::string bytes(prev);
  bytes += body;
  return digest(bytes);
}

}  // namespace

std::string_view chain_line_begin() { return head; }

std::string chain_begin() { return std::string(digits, '0'); }

Sealed seal(const std::string& prev, std::string_view body) {
  Sealed out;
  out.sum = sum_of(prev, body);
  out.line.reserve(body.size() + 2 * digits + 32);
  out.line.append(head).append(prev).append(middle).append(body).append(tail).append(out.sum).append(end);
  out.line += '\n';
  return out;
}

Result<Opened> unseal(const std::string& prev, std::string_view line) {
  constexpr size_t before = head.size() + digits + middle.size();
  constexpr size_t behind = tail.size() + digits + end.size();
  auto stands_at = [&](size_t place, std::string_view text) {
    return line.substr(place, text.size()) == text;
  };
  bool fits = line.size() > before + behind && stands_at(0, head) &&
              stands_at(head.size() + digits, middle) && stands_at(line.size() - behind, tail) &&
              line.ends_with(end);
  if (!fits) return Error{"is no line of a history"};
  if (!stands_at(head.size(), prev)) return Error{"does not follow the line before it"};
  Opened out;
  out.body = line.substr(before, line.size() - before - behind);
  out.sum = std::string(line.substr(line.size() - end.size() - digits, digits));
  if (sum_of(prev, out.body) != out.sum) return Error{"was changed"};
  return out;
}

}  // namespace mut::session
