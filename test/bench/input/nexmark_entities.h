// What the NEXMark generator draws for a person and an auction, in the order of its rules.
#pragma once
#include <array>
#include <cstdint>
#include <string>

#include "test/bench/input/splitmix.h"

namespace mut::bench::nexmark {

constexpr std::array first_names = {"Peter", "Paul",  "Luke",  "John",   "Saul",  "Vicky",
                                    "Kate",  "Julie", "Sarah", "Deiter", "Walter"};
constexpr std::array last_names = {"Shultz", "Abrams", "Spencer", "White", "Bartels",
                                   "Walton", "Smith",  "Jones",   "Noris"};
constexpr std::array cities = {"Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland",
                               "Bend",    "Redmond",     "Seattle",       "Kent",  "Cheyenne"};
constexpr std::array states = {"AZ", "CA", "ID", "OR", "WA", "WY"};

// Indices into the tables above; the texts in between, since they come first.
struct PersonDraw {
  uint64_t first_name, last_name, city, state;
  std::string mail, card;
};
// `random` is the stream of the event; its extra text is left in it.
PersonDraw draw_person(SplitMix64& random);
std::string person_name(const PersonDraw& person);

struct AuctionDraw {
  int64_t seller, category, initial_bid, expires_ms;
};
// Item, description, reserve and extra are left in `random`.
AuctionDraw draw_auction(SplitMix64& random, uint64_t event);

// Letters with `special` mixed in at 1 in 13; blanks at the ends are trimmed.
std::string draw_text(SplitMix64& random, int64_t length_max, char special);

}  // namespace mut::bench::nexmark
