// The reference interpreter against results worked out by hand.
#include "test/unit/reference_fixture.h"

namespace mut::test {
namespace {

// Rows of `out` for a script whose only source is `s`.
Rows rows_of(const std::string& script, const std::string& input) {
  return ReferenceRun(script).feed("s", input).end().rows();
}

TEST(Reference, ScoresPaymentsAsTheLanguagePageSays) {
  ReferenceRun run(R"mut(
type Payment = { id: string, card: string, amount: float, country: string, at: time }
param limit: float in 0.0..1.0 = 0.9
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
stream seen = profiled | select id, usual, spread, places
emit seen    to stdout()
emit blocked to file("blocked.jsonl")
emit review  to stdout()
emit spend   to stdout()
)mut");
  run.feed("payments", R"({"id":"a","card":"c","amount":10,"country":"DE","at":"2026-01-01T00:00:10Z"}
{"id":"b","card":"c","amount":30,"country":"FR","at":"2026-01-01T00:00:20Z"}
{"id":"x","card":"c","amount":-1,"country":"FR","at":"2026-01-01T00:00:21Z"}
{"id":"c","card":"d","amount":5.5,"country":"DE","at":"2026-01-01T00:00:15Z"}
{"id":"d","card":"c","amount":20,"country":"IT","at":"2026-01-01T00:01:30Z"}
{"id":"e","card":"c","amount":20,"country":"ES","at":"2026-01-01T00:01:31Z"}
)");
  run.end();
  EXPECT_EQ(run.rows("seen"), (Rows{R"({"id":"a","usual":10.0,"spread":0.0,"places":1})",
                                    R"({"id":"b","usual":20.0,"spread":10.0,"places":2})",
                                    R"({"id":"c","usual":5.5,"spread":0.0,"places":1})",
                                    R"({"id":"d","usual":20.0,"spread":8.16496580927726,"places":3})",
                                    R"({"id":"e","usual":20.0,"spread":7.0710678118654755,"places":4})"}));
  // e: z = 0, three other countries: logistic(-4 + 4.5) = 0.62.
  ASSERT_EQ(run.rows("review").size(), 1U);
  EXPECT_TRUE(run.rows("review")[0].starts_with(R"({"id":"e",)"));
  EXPECT_TRUE(run.rows("blocked").empty());
  EXPECT_EQ(
      run.rows("spend"),
      (Rows{
          R"({"country":"DE","total":15.5,"n":2,"window_start":"2026-01-01T00:00:00Z","window_end":"2026-01-01T00:01:00Z"})",
          R"({"country":"FR","total":30.0,"n":1,"window_start":"2026-01-01T00:00:00Z","window_end":"2026-01-01T00:01:00Z"})",
          R"({"country":"IT","total":20.0,"n":1,"window_start":"2026-01-01T00:01:00Z","window_end":"2026-01-01T00:02:00Z"})"}));
}

const std::string head = R"mut(
type R = { k: string, x: int, at: time }
source s: R = file("s.jsonl") time at
)mut";

// Records { k, x, at }, at in milliseconds.
std::string record(const std::string& key, int64_t x, int64_t at) {
  return "{\"k\":\"" + key + "\",\"x\":" + std::to_string(x) + ",\"at\":" + std::to_string(at) + "}\n";
}

TEST(Reference, WindowsOfOneEndComeInOrderOfKey) {
  EXPECT_EQ(rows_of(head + "stream out = s | aggregate n = count(), t = sum(x) by k window tumbling 10ms\n"
                           "  | select k, n, t\nemit out to stdout()",
                    record("b", 1, 1) + record("a", 2, 2) + record("b", 4, 9) + record("a", 8, 10)),
            (Rows{R"({"k":"a","n":1,"t":2})", R"({"k":"b","n":2,"t":5})", R"({"k":"a","n":1,"t":8})"}));
}

}  // namespace
}  // namespace mut::test
