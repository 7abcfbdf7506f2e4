#include <array>
#include <charconv>
#include <cstdlib>

#include "test/bench/input/nexmark.h"
#include "test/bench/input/nexmark_entities.h"
#include "test/bench/input/nexmark_rules.h"

namespace mut::bench {
namespace {

using nexmark::draw_below;
using nexmark::draw_text;

constexpr std::array hot_channels = {"Google", "Facebook", "Baidu", "Apple"};
constexpr int64_t cold_channels = 10'000;

// Fills an event up to about `mean` bytes.
std::string draw_extra(SplitMix64& random, size_t current, size_t mean) {
  if (current > mean) return {};
  const auto missing = static_cast<int64_t>(mean - current);
  const int64_t delta = nexmark::round_half_up(0.2 * static_cast<double>(missing));
  std::string text(static_cast<size_t>(missing - delta + draw_below(random, 2 * delta)), ' ');
  uint64_t bits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i % 13 == 0) bits = random.next();
    text[i] = static_cast<char>('a' + bits % 26);
    bits /= 26;
  }
  return text;
}

struct Channel {
  std::string name, url;
};

int64_t reversed_magnitude(uint32_t value) {
  uint32_t reversed = 0;
  for (int bit = 0; bit < 32; ++bit) reversed |= ((value >> bit) & 1U) << (31 - bit);
  return std::llabs(static_cast<int32_t>(reversed));
}

std::vector<Channel> make_channels() {
  std::vector<Channel> channels;
  for (int64_t i = 0; i < cold_channels + static_cast<int64_t>(hot_channels.size()); ++i) {
    SplitMix64 random(nexmark::seed * 0x100000001B3 + 0xABCDEF + static_cast<uint64_t>(i));
    Channel channel{"channel-" + std::to_string(i), "https://www.nexmark.com/"};
    for (int segment = 0; segment < 3; ++segment) channel.url += draw_text(random, 5, '_') + "/";
    channel.url += "item.htm?query=1";
    if (i >= cold_channels)
      channel.name = hot_channels[static_cast<size_t>(i - cold_channels)];
    else if (random.uniform(10) > 0)
      channel.url += "&channel_id=" + std::to_string(reversed_magnitude(static_cast<uint32_t>(i)));
    channels.push_back(std::move(channel));
  }
  return channels;
}

void add(std::string& out, std::string_view key, std::string_view text) {
  out.append(key).append("\"").append(text).append("\"");
}

void add(std::string& out, std::string_view key, int64_t number) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(key).append(digits.data(), end);
}

void add_person(std::string& out, SplitMix64& random, uint64_t event) {
  using namespace nexmark;
  const PersonDraw person = draw_person(random);
  const std::string name = person_name(person);
  const std::string city = cities[person.city];
  const std::string state = states[person.state];
  const size_t current =
      8 + name.size() + person.mail.size() + person.card.size() + city.size() + state.size();
  const std::string extra = draw_extra(random, current, 200);
  add(out, R"({"event_type":0,"person":{"id":)", last_person(event) + first_person_id);
  add(out, R"(,"name":)", name);
  add(out, R"(,"emailAddress":)", person.mail);
  add(out, R"(,"creditCard":)", person.card);
  add(out, R"(,"city":)", city);
  add(out, R"(,"state":)", state);
  add(out, R"(,"dateTime":)", time_ms(event));
  add(out, R"(,"extra":)", extra);
  out += "}}\n";
}

void add_auction(std::string& out, SplitMix64& random, uint64_t event) {
  using namespace nexmark;
  const AuctionDraw auction = draw_auction(random, event);
  const std::string item = draw_text(random, 20, ' ');
  const std::string description = draw_text(random, 100, ' ');
  const int64_t reserve = auction.initial_bid + draw_price(random);
  const std::string extra = draw_extra(random, 48 + item.size() + description.size(), 500);
  add(out, R"({"event_type":1,"auction":{"id":)", last_auction(event) + first_auction_id);
  add(out, R"(,"itemName":)", item);
  add(out, R"(,"description":)", description);
  add(out, R"(,"initialBid":)", auction.initial_bid);
  add(out, R"(,"reserve":)", reserve);
  add(out, R"(,"dateTime":)", time_ms(event));
  add(out, R"(,"expires":)", auction.expires_ms);
  add(out, R"(,"seller":)", auction.seller);
  add(out, R"(,"category":)", auction.category);
  add(out, R"(,"extra":)", extra);
  out += "}}\n";
}

void add_bid(std::string& out, SplitMix64& random, uint64_t event, const std::vector<Channel>& channels) {
  const auto bid = nexmark::draw_bid(random, event);
  const bool hot_channel = random.uniform(2) > 0;
  const int64_t index = hot_channel
                            ? cold_channels + draw_below(random, static_cast<int64_t>(hot_channels.size()))
                            : draw_below(random, cold_channels);
  const Channel& channel = channels[static_cast<size_t>(index)];
  const std::string extra = draw_extra(random, 32, 100);
  add(out, R"({"event_type":2,"bid":{"auction":)", bid.auction);
  add(out, R"(,"bidder":)", bid.bidder);
  add(out, R"(,"price":)", bid.price);
  add(out, R"(,"channel":)", channel.name);
  add(out, R"(,"url":)", channel.url);
  add(out, R"(,"dateTime":)", nexmark::time_ms(event));
  add(out, R"(,"extra":)", extra);
  out += "}}\n";
}

}  // namespace

void write_ndjson(uint64_t event_count, const std::function<void(std::string_view)>& take) {
  constexpr size_t block_bytes = size_t{4} << 20;
  const auto channels = make_channels();
  std::string block;
  block.reserve(block_bytes + 4096);
  for (uint64_t event = 0; event < event_count; ++event) {
    auto random = SplitMix64::of_item(nexmark::seed, event);
    switch (nexmark::kind_of(event)) {
      case nexmark::Kind::Person:
        add_person(block, random, event);
        break;
      case nexmark::Kind::Auction:
        add_auction(block, random, event);
        break;
      case nexmark::Kind::Bid:
        add_bid(block, random, event, channels);
        break;
    }
    if (block.size() >= block_bytes) {
      take(block);
      block.clear();
    }
  }
  take(block);
}

std::string make_ndjson(uint64_t event_count) {
  std::string text;
  text.reserve(event_count * 300);
  write_ndjson(event_count, [&text](std::string_view block) { text += block; });
  return text;
}

}  // namespace mut::bench
