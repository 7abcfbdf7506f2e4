#include "test/bench/limit/w1a.h"

#include <simdjson.h>

#include "test/bench/input/nexmark.h"

#ifdef SIMDJSON_THREADS_ENABLED
#error "the library's helper thread would take the second core; one core is what is compared"
#endif

namespace mut::bench {
namespace {

using simdjson::ondemand::document_reference;

using Event = simdjson::simdjson_result<document_reference>;

// In the order of the text, so that nothing is looked for twice.
bool add_fields(simdjson::ondemand::object& bid, BidSums& sums) {
  int64_t auction = 0, bidder = 0, price = 0, time_ms = 0;
  if (bid.find_field("auction").get(auction) || bid.find_field("bidder").get(bidder) ||
      bid.find_field("price").get(price) || bid.find_field("dateTime").get(time_ms))
    return false;
  ++sums.count;
  sums.auction += auction;
  sums.bidder += bidder;
  sums.price += price;
  sums.elapsed_ms += time_ms - nexmark_base_ms;
  return true;
}

bool add_bid(Event document, BidSums& sums) {
  constexpr int64_t bid_type = 2;
  simdjson::ondemand::object event;
  int64_t type = 0;
  if (document.get_object().get(event) || event.find_field("event_type").get(type)) return false;
  if (type != bid_type) return true;
  simdjson::ondemand::object bid;
  return !event.find_field("bid").get(bid) && add_fields(bid, sums);
}

bool add_untyped(Event document, BidSums& sums) {
  simdjson::ondemand::object event;
  if (document.get_object().get(event)) return false;
  simdjson::ondemand::object bid;
  simdjson::error_code found = event.find_field("bid").get(bid);
  if (found == simdjson::NO_SUCH_FIELD) return true;
  return !found && add_fields(bid, sums);
}

template <bool (*Add)(Event, BidSums&)>
BidSums sum_with(std::string_view text) {
  constexpr size_t batch_bytes = size_t{1} << 20;  // the library's own choice; smaller ones are slower
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document_stream documents;
  BidSums sums;
  if (parser.iterate_many(text.data(), text.size(), batch_bytes).get(documents)) {
    sums.broken = 1;
    return sums;
  }
  for (auto document : documents) {
    ++sums.events;
    if (!Add(document, sums)) ++sums.broken;
  }
  return sums;
}

}  // namespace

static_assert(json_padding_bytes >= simdjson::SIMDJSON_PADDING);

BidSums sum_bids(std::string_view text) { return sum_with<add_bid>(text); }
BidSums sum_bids_untyped(std::string_view text) { return sum_with<add_untyped>(text); }

}  // namespace mut::bench
