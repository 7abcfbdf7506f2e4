// What brings rows to a broker or a database: the part of a sink that differs from one to the other.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/abi/result.h"

namespace mut::connector {

// Rows that go out together.
struct Delivery {
  // Of one that the world is to keep with the rows: deliveries of a sink have rising numbers, and one that
  // may have arrived comes again with its own. 0: it is not.
  uint64_t number = 0;
  std::string_view rows;    // whole ones, each with its line end
  std::string_view header;  // of CSV and TSV: the line of names that they belong below
};

// What kept a delivery, or a connection, from being made.
struct Trouble {
  Error why;
  enum class Kind : uint8_t {
    Passes,  // trying again may help: the same delivery comes again, on a new connection
    ForGood  // it will never be taken: the sink has failed
  } kind = Kind::Passes;
};

// Calls may block for the world, up to carrier_wait_ns each; they come from one thread at a time. Prints
// nothing.
class Carrier {
 public:
  virtual ~Carrier() = default;
  // Connects, and finds out what can be known before there are rows: that the password is right, that the
  // table is there.
  virtual std::optional<Trouble> connect() = 0;
  virtual void disconnect() noexcept = 0;
  // All rows have arrived and are as durable as the world makes them, or there is trouble. A delivery with a
  // number arrives with its number as a whole or not at all. Not called again on this connection after
  // trouble.
  virtual std::optional<Trouble> deliver(const Delivery& delivery) = 0;

  // ---- of one whose world keeps numbers
  // Whether deliveries may have numbers: the world keeps one with the rows, and can be asked for it. Known
  // before connect().
  virtual bool keeps_numbers() const { return false; }
  // Before connect(): by what name the world keeps them; no other sink or run has it.
  virtual void name_deliveries(const std::string& name) { (void)name; }
  // While connected: the greatest number that the world has; 0: none.
  virtual Result<uint64_t> newest_number() { return uint64_t{0}; }

  // More rows than this are not asked for in one delivery without a number, but for a single row; bytes.
  virtual size_t delivery_bytes_max() const { return 256 * 1024; }
  // "postgres 127.0.0.1:5432/shop orders": what people know it by, without passwords.
  virtual std::string target() const = 0;
};

// Nanoseconds.
constexpr int64_t carrier_wait_ns = 10'000'000'000;

}  // namespace mut::connector
