#include "test/bench/input/nexmark_entities.h"

#include <algorithm>
#include <cstdio>

#include "test/bench/input/nexmark_rules.h"

namespace mut::bench::nexmark {

PersonDraw draw_person(SplitMix64& random) {
  PersonDraw person{};
  person.first_name = random.uniform(first_names.size());
  person.last_name = random.uniform(last_names.size());
  person.mail = draw_text(random, 7, ' ');
  person.mail += "@" + draw_text(random, 5, ' ') + ".com";
  for (int group = 0; group < 4; ++group) {
    std::array<char, 8> digits{};
    std::snprintf(digits.data(), digits.size(), "%04u", static_cast<unsigned>(random.uniform(10'000)));
    person.card += (group > 0 ? " " : "") + std::string(digits.data());
  }
  person.city = random.uniform(cities.size());
  person.state = random.uniform(states.size());
  return person;
}

std::string person_name(const PersonDraw& person) {
  return std::string(first_names[person.first_name]) + " " + last_names[person.last_name];
}

AuctionDraw draw_auction(SplitMix64& random, uint64_t event) {
  AuctionDraw auction{};
  const bool hot_seller = random.uniform(4) > 0;
  auction.seller = first_person_id +
                   (hot_seller ? last_person(event) / hot_group * hot_group : random_person(random, event));
  auction.category = first_category + draw_below(random, 5);
  auction.initial_bid = draw_price(random);
  // Mean life: the time in which 100 more auctions start.
  const int64_t horizon_ms = time_ms(event + in_flight_auctions * round_events / 3) - time_ms(event);
  auction.expires_ms = time_ms(event) + 1 + draw_below(random, std::max<int64_t>(2 * horizon_ms, 1));
  return auction;
}

std::string draw_text(SplitMix64& random, int64_t length_max, char special) {
  std::string text(static_cast<size_t>(3 + draw_below(random, length_max - 3)), special);
  for (char& c : text)
    if (random.uniform(13) != 0) c = static_cast<char>('a' + random.uniform(26));
  const size_t begin = text.find_first_not_of(' ');
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

}  // namespace mut::bench::nexmark
