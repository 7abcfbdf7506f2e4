// Stages that keep whole rows and let them go later: delay, debounce, sort, top.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

namespace mut::typed {

struct Expr;

// Ranking: `top` without a window, which gives the rows whose rank changes.
enum class HoldKind : uint8_t { Delay, Debounce, Sort, Top, Ranking };

struct OrderKey {
  std::unique_ptr<Expr> value;
  bool descending = false;
};

// What comes of rows that are equal in the order to the last that is asked for.
enum class Ties : uint8_t {
  Cut,     // the earlier ones come, ranks go up one by one
  Shared,  // all of them come; equal rows have one rank
};

struct Hold {
  HoldKind kind = HoldKind::Delay;
  int64_t span = 0;             // Delay, Debounce: nanoseconds
  int64_t count = 0;            // Top, Ranking: rows of each key
  Ties ties = Ties::Cut;        // Top
  std::vector<OrderKey> order;  // Sort, Top, Ranking; rows that are equal in it go by (time, arrival)
};

}  // namespace mut::typed
