// Failures of the world are values: a file is missing, a disk is full, a peer is gone.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace mut {

struct Error {
  std::string message;  // with the context of every level on the way up
  // NoSpace: a disk is full, which may pass.
  enum class Cause : uint8_t { Other, NoSpace } cause = Cause::Other;

  Error within(std::string_view context) const { return {std::string(context) + ": " + message, cause}; }
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Error error) : value_(std::move(error)) {}

  bool ok() const { return value_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() & { return std::get<0>(value_); }
  const T& value() const& { return std::get<0>(value_); }
  T&& value() && { return std::get<0>(std::move(value_)); }
  const Error& error() const { return std::get<1>(value_); }

 private:
  std::variant<T, Error> value_;
};

struct Unit {};
using Status = Result<Unit>;

}  // namespace mut
