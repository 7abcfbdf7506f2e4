// JSON lines with disorder, late events and damage.
#include "test/random/random_program.h"

namespace mut::random_test {
namespace {

std::string quarter(Dice& dice) {
  int64_t quarters = dice.between(-80, 400);
  static const char* const ends[] = {".0", ".25", ".5", ".75"};
  return (quarters < 0 ? "-" : "") + std::to_string(std::abs(quarters) / 4) + ends[std::abs(quarters) % 4];
}

std::string money(Dice& dice, bool wild) {
  if (wild && dice.one_in(15))
    return dice.pick<std::string>({"999999999999999999999999999999999999.99",
                                   "-123456789012345678901234567890123456", "70000000000000000000.07",
                                   "1e30"});
  int64_t cents = dice.between(-2000, 9000);
  std::string size = std::to_string(std::abs(cents) % 100);
  std::string text = (cents < 0 ? "-" : "") + std::to_string(std::abs(cents) / 100) + "." +
                     (size.size() < 2 ? "0" : "") + size;
  return dice.one_in(10) ? "\"" + text + "\"" : text;
}

std::string damaged(Dice& dice, const std::string& good) {
  switch (dice.between(0, 7)) {
    case 7:
      return good.substr(0, good.size() - 1) + ",\"y\":1.005}";
    case 0:
      return good.substr(0, good.size() / 2);
    case 1:
      return "{\"i\":1}";
    case 2:
      return "not json";
    case 3:
      return good + "x";
    case 4:
      return "{\"i\":1.5," + good.substr(good.find("\"f\""));
    case 5:
      return "{\"i\":99999999999999999999," + good.substr(good.find("\"f\""));
    default:
      return good.substr(0, good.size() - 1) + ",\"lv\":\"none of them\"}";
  }
}

}  // namespace

std::string random_records(Dice& dice, int64_t rows, int64_t back_max) {
  std::string out;
  int64_t now = 1'700'000'000'000 + dice.between(0, 60'000);
  int64_t step_max = dice.pick<int64_t>({40, 700, 3000, 9000});
  bool damage = dice.one_in(2);
  bool wild = dice.one_in(4);
  std::vector<std::string> keys = {"a", "b", "c"};
  if (dice.one_in(3)) keys = {"a", "B", "ä", "", "longer than the sixteen bytes of a view", "d", "e"};
  for (int64_t i = 0; i < rows; ++i) {
    now += dice.one_in(5) ? 0 : dice.between(0, step_max);
    int64_t at = now;
    if (back_max > 0 && dice.one_in(4)) at -= dice.between(0, dice.one_in(6) ? back_max : back_max / 10);
    std::string whole =
        wild && dice.one_in(15) ? "9223372036854775807" : std::to_string(dice.between(-9, 30));
    std::string real =
        wild && dice.one_in(15)
            ? dice.pick<std::string>({"\"NaN\"", "\"Infinity\"", "\"-Infinity\"", "-0.0", "1e300"})
            : quarter(dice);
    std::string line = "{\"i\":" + whole + ",\"f\":" + real + ",\"k\":\"" + dice.pick(keys) +
                       "\",\"b\":" + (dice.one_in(2) ? "true" : "false") + ",\"at\":" + std::to_string(at);
    if (!dice.one_in(3)) line += ",\"oi\":" + (dice.one_in(4) ? "null" : std::to_string(dice.between(-5, 5)));
    if (!dice.one_in(3)) line += ",\"ot\":" + dice.pick<std::string>({"null", "\"\"", "\"p\"", "\"12\""});
    line += ",\"xs\":[";
    for (int64_t k = dice.between(0, 3); k > 0; --k)
      line += std::to_string(dice.between(-3, 9)) + (k > 1 ? "," : "");
    line += "],\"y\":" + money(dice, wild);
    if (!dice.one_in(4)) {
      line += ",\"m\":{";
      for (int64_t k = dice.between(0, 4); k > 0; --k)
        line += "\"" + dice.pick<std::string>({"a", "b", "B", "", "ä", "longer than sixteen bytes"}) +
                "\":" + std::to_string(dice.between(-3, 9)) + (k > 1 ? "," : "");
      line += "}";
    }
    line += ",\"sm\":" + std::to_string(dice.between(-100, 100));
    line += ",\"lv\":" + dice.pick<std::string>({"\"low\"", "\"mid\"", "\"high\""}) + "}";
    out += (damage && dice.one_in(20) ? damaged(dice, line) : line) + "\n";
    if (dice.one_in(60)) out += "\n";
  }
  return out;
}

}  // namespace mut::random_test
