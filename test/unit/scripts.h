// Scripts that between them use every construct of the language.
#pragma once
#include <string_view>
#include <vector>

namespace mut::test {

struct NamedScript {
  std::string_view name;
  std::string_view text;
};

inline const std::vector<NamedScript> scripts = {
    {"payments", R"mut(/// Card payments, scored while they flow.

type Payment = { id: string, card: string, amount: float, country: string, at: time }

param limit: float in 0.0..1.0 = 0.9            // can be turned while data flows

source payments: Payment = file("payments.jsonl")
  time at, lateness 5s

stream profiled = payments
  | where amount > 0
  | with  usual  = avg(amount)       over last 30m by card,
          spread = stddev(amount)    over last 30m by card,
          places = distinct(country) over last 1h  by card
  | with  z      = if spread > 0 then (amount - usual) / spread else 0.0
  | with  score  = logistic(-4.0 + 0.9 * z + 1.5 * float(places - 1))

route profiled {
  score > limit -> blocked,
  score > 0.6   -> review,
  else          -> cleared,
}

stream spend = cleared
  | aggregate total = sum(amount), n = count() by country window tumbling 1m

emit blocked to file("blocked.jsonl")
emit review  to stdout()
emit spend   to stdout()
)mut"},
    {"yardstick", R"mut(stream eur      = payments | where amount > 100 | select user, eur = amount * 0.92
stream sums     = payments | aggregate total = sum(amount) by user window sliding 5m every 1m
stream paid     = orders   | join payments within 10m on id == payments.order_id | select id, payments.amount
route alerts { sev == "critical" -> pager, else -> archive }
stream takeover = logins
  | match by user within 5m pattern fail{3} then success
      define fail = not ok, success = ok
      select user, at = success.at
)mut"},
    {"own_aggregate", R"mut(aggregate ewma(x: float, alpha: float) -> float {
  state  value: float? = none
  add    value = if value is some v then alpha * x + (1.0 - alpha) * v else x
  result value ?? 0.0
}
)mut"},
    {"renames",
     R"mut(stream outlays was spend = cleared                     // renamed; its state moves along (also: fields, sources, sinks, enum values)
  | @by_card was per_card aggregate mean = avg(amount) by card
migrate outlays.by_card { mean: float = old.total / float(old.n) }   // typed against both versions
)mut"},
    {"tests", R"mut(test "three failures, then success" {
  given logins [ { user: "ann", ok: false, at: @2026-01-01T00:00:00Z } ]
  at @2026-01-01T00:10:00Z                 // virtual clock
  expect takeover [ { user: "ann" } ]       // named fields are compared; `in order` and `exactly` are stricter; `end` ends the input
  expect logins.errors []
}
test "a new limit keeps the windows" {
  given payments from "two-hours.jsonl" first 500
  swap { param limit: float = 0.5 }         // or: swap to "v2.mut"
  given payments from "two-hours.jsonl" rest
  expect spend from "spend.expected.jsonl"
}
)mut"},
    {"declarations", R"mut(edition 1
import std.stats
import std.stats (ewma, zed)
import "lib.mut" as lib
type A = { id was key from "Invoice No": string, n: int = 0, m: map<string, [int]>?, d: decimal(2), by: int, s: secret<string> }
enum Level = { info, warn was warning, critical }
const PI = 3.14
const D: duration = 1h30m
fn f(x: float, y: float?) -> float = if x > 1.0 then x else (y ?? 2.0)
operator clean(field, n: int) = | where field > n | with z = field * 2
model m(a: float) -> { label: string, p: float } = onnx("f.onnx")
learner l(a: float, b: float) -> float = logistic(rate: 0.05)
source s: A = file("x.csv") time parse_time(line.slice(0, 15), "%b"), lateness 5s, idle 1s, on full drop_oldest, ahead 2d, check: used, else file("y.csv") after 3s
table t: A key id ttl 7d = file("t.csv")
table u key a, b.c versioned 1d = s | latest by id
source g: A = generate(count: 10, rate: 5, seed: 1, step: 50ms) { id = "p{n}", card = pick(0..5000), amount = lognormal(3.0, 1.2), }
)mut"},
    {"stages", R"mut(stream a was b = merge(s, g, s.errors)
  | @hourly was daily aggregate n = count(), m = sum(amount where ok) by k, town = lower(city) window sliding 5m every 1m offset 4d zone "Europe/Berlin" trigger on close and every 10s late update 10m ttl none
  | @c from per_user where prev(x) by k != 3 and not changed(y)
  | @d from a + b fresh 3 select id, t.x, time = 3, key, state, count = count
  | left join s as q within -5m..10m on id == q.id
  | asof join s on id == s.id within 5m
  | left asof join s on true
  | semi join s within 5m on a == s.a
  | lookup u as of at on id == u.id
  | left lookup u as uu as of at - 5m on id == uu.id
  | flatten item = items
  | flatten items
  | rename a to b, c to d
  | without a, b
  | dedupe by id within 5m
  | latest by id
  | top 3 by (price desc, at) by k window tumbling 1m
  | top 3 by price asc by k
  | sort by price desc window all
  | sample 1% by id
  | limit 10 by id
  | throttle 5 per 1s by id
  | delay 5s
  | debounce 5s by k
  | process by k {
      state n: int = 0, m: string? = none
      on event { n = n + 1 let q = n * 2; if q > 3 { emit { n: n } timer wake at event_time() + 5m } else if q > 2 { cancel wake } else { m = none } }
      on timer wake { emit { n: 0 } }
    }
  | train l with (a = x, b = y) label ok
  | clean(amount, 3) | lib.clean(field: amount)
  | match by user within 5m pattern a b{2,4} then c? (d or e) not f then g h{2}? i?? j* k+?
      define a = x > 1, b = x > last(b.x)
      select user, at = g.at
      after skip to next limit 1000
)mut"},
    {"migrations_and_tests", R"mut(route all a { x > 1 -> q was r, else -> z }
emit a.errors to stdout() as sink was sonk
set limit from a every 1s
migrate outlays.by_card { mean: float = old.total / float(old.n) }
aggregate ewma2(x: float, alpha: float) -> float {
  state  value: float? = none, n: int = 0
  add    value = if value is some v then alpha * x + (1.0 - alpha) * v else x, n = n + 1
  remove n = n - 1
  merge n = n + other.n
  result value ?? 0.0
}
test "x" {
  given s [ { a: 1 } ]
  given s text r#"{"a": 1}"#
  given s from "x.jsonl" first 5
  given s from "x.jsonl" rest
  at @2026-01-01T00:10:00Z
  end
  expect a in order [ { a: 1 } ]
  expect a [ ] exactly
  expect a from "f.jsonl"
  expect plan { "out/g/t": keep, "x": purge }
  expect refused MUT5003
  expect unchanged
  swap to "v2.mut" accept reset "out/g/t", warm:"x"
  swap accept reset:"cell" { param limit: float = 0.5 without name }
  swap { stream a = s | where x } expect refused "MUT5001"
  undo
}
)mut"},
    {"expressions", R"mut(const E = { let x = 1; let y = 2; x + y }
const F = [1, 2, 3,].map(x => x + 1).fold((a, b) => a + b)
const G = match x { 1 or 2 -> "a", 3..5 -> "b", none -> "c", some v -> v, Level.warn -> "d", -1 -> "e", else -> "z" }
const H = map { "k": 1, "l": 2 }
const I = "a {x} b {y:.2} {t:%Y-%m-%d %H:%M in "Europe/Berlin"} {{}} {if a then "x" else "y"} {m["k"]} \u{1F600}"
const J = try a / b else 0 + 1
const K = x as int? ?? 0
const L = x not in [1] and y in 1..2 and z is not none and w is some q and s ~ re"^ab+$"
const M = b"\xff\n" 
const N = a?.b.c[0].lower()
const O = avg(x) over last 30m by (a, b) excluding current ttl 5m + sum(y) over last 100 events - x.avg() over all
const P = not -2.abs() == `a b`
const Q = {}
)mut"},
    {"comments", R"mut(// head

/* block
   of two lines */
/// Documents the type.
type A = {  // after the brace
  /// Documents the field.
  a: int,  // after a
  // before b
  b: int
  // at the end
}


// two blank lines above
stream s = a  // after the head
  // before the stage
  | where a > 1  // after the stage
  | select a,  // after a
           b
route s {
  a > 1 -> x,  // first
  // before else
  else -> y
}
const C = 1 + /* inside */ 2
/* nested /* comment */ */
aggregate g(x: int) -> int {
  // before state
  state n: int = 0  // the state
  add n = n + x  // the step
  result n
}
test "t" {
  // before
  given s []  // after
  // at the end
}
// tail
/// documents nothing
)mut"},
    {"contextual_names", R"mut(type T = { time: int, key: int, state: int, by: int, where: int, match: int }
stream stream = source | where limit > 1 and select == define or after.by.where == time
stream window = table | select count = count(), aggregate, limit, label, window, emit, type
stream all = merge | aggregate all = all(all), emit = sum(emit) by stream, table window tumbling 1m
stream x = y | match by user pattern fail then `select` `emit`? define fail = not ok, `select` = a, `emit` = b
route all all { on -> off, else -> all }
route all { on -> off2, else -> all2 }
const `match` = `true` + r.true + { if: 1, else: 2 }.if
const prev = prev + delta + changed(prev)
stream z = a | lookup t as `of` as of at on id == id | `limit`(3) | sort by asc desc window all
emit to to file(to: to) as as_ was was
)mut"},
};

}  // namespace mut::test
