#include "test/bench/workload/edits.h"

namespace mut::bench {
namespace {

struct Views {
  std::string limit = "0";
  std::string score = "ad";
  std::string more_fields = "";
  std::string more_stages = "";
  std::string window = "10s";
};

std::string views_script(const Views& views) {
  return "type View = { ad: int, event_type: int, at: time }\nsource rows: View = stdin() time at\n"
         "stream views = rows | where event_type == 0 and ad >= " +
         views.limit + views.more_stages + " | select campaign = ad / 10, score = " + views.score +
         views.more_fields +
         "\nstream counts = views | @c aggregate n = count() by campaign window tumbling " + views.window +
         "\nemit counts to stdout()\nstream high = views | where score > 1000000000\nemit high to stdout()\n";
}

// Four operations; one that was not there before, so that it has to be compiled.
std::string expression(int round) {
  static const char* const operations[] = {" + ad % 7", " + ad / 3", " - ad % 5", " + ad * 2"};
  std::string out = "ad";
  for (int left = round, i = 0; i < 4; ++i, left /= 4) out += operations[left % 4];
  return out;
}

std::string constant(int round) { return views_script({.limit = std::to_string(round)}); }
std::string other_expression(int round) { return views_script({.score = expression(round)}); }
std::string column(int round) {
  return views_script({.more_fields = ", more" + std::to_string(round) + " = " + expression(round)});
}
std::string stage(int round) {
  if (round % 2 == 0) return views_script({});
  return views_script({.more_stages = " | where " + expression(round) + " != 1"});
}
std::string window(int round) { return views_script({.window = round % 2 == 0 ? "10s" : "20s"}); }
std::string mixed(int round) {
  Views views;
  views.limit = std::to_string((round + 3) / 4);
  views.score = expression((round + 2) / 4 + 200);
  if ((round + 1) / 4 > 0) views.more_fields = ", more" + std::to_string((round + 1) / 4) + " = ad";
  if (round / 4 % 2 != 0) views.more_stages = " | where ad != 1";
  return views_script(views);
}

std::string wide(int round) {
  return std::string("type Pair = { key: int, value: int }\nsource rows: Pair = stdin()\n") +
         "stream totals = rows | @g aggregate n = count()" + (round % 2 == 0 ? "" : ", total = sum(value)") +
         " by key ttl none\nstream counts = totals | where n > 1000000000\nemit counts to stdout()\n";
}

std::string remade(int round) {
  const std::string now = "seen" + std::to_string(round);
  std::string out =
      "type Pair = { key: int, value: int }\nsource rows: Pair = stdin()\nstream totals = rows | @p process "
      "by "
      "key ttl none {\n  state " +
      now + ": float = 0.0\n  on event {\n    " + now + " = " + now + " + 1.0\n    emit { n: " + now +
      " }\n  }\n}\nstream counts = totals | where n > 1000000000.0\nemit counts to stdout()\n";
  if (round > 0) out += "migrate totals.p { " + now + " = old.seen" + std::to_string(round - 1) + " }\n";
  return out;
}

}  // namespace

std::vector<Edit> light_edits() {
  return {{"constant", constant}, {"expression", other_expression}, {"column", column}, {"operator", stage}};
}
Edit mixed_edits() { return {"mixed", mixed}; }
Edit window_edits() { return {"window", window}; }
Edit widening_edits() { return {"widen", wide, {{"drop", "totals/g/total"}}}; }
Edit remaking_edits() { return {"remade", remade}; }

}  // namespace mut::bench
