#!/usr/bin/env python3
"""The checks of the benchmark workloads, computed from the rules of the inputs alone.

  test/bench/oracle.py small|full > …    prints {"workload": "check", …}; full takes some minutes

Shares no code with the programs it judges: it draws the inputs again, row by row, in plain Python.
"""
import json
import sys
from collections import Counter

from oracle_draws import BASE_MS, MASK, bids, draw, state_of
from oracle_joins import growing_checks
from oracle_sliding import sliding_checks
from oracle_windows import window_checks

SIZES = {
    "small": {"events": 1_000_000, "rows": 640_000, "pairs": 167_772, "keys": 10_000, "values": 5_000_000},
    "full": {"events": 10_000_000, "rows": 64_000_000, "pairs": 16_777_216, "keys": 1_000_000, "values": 50_000_000},
}


def nexmark(event_count):
    rows = price_sum = auction_sum = bidder_sum = elapsed_sum = euros = q2_rows = q2_sum = 0
    for auction, bidder, price, ms in bids(event_count):
        rows += 1
        auction_sum += auction
        bidder_sum += bidder
        price_sum += price
        elapsed_sum += ms - BASE_MS
        euros += price * 908 // 1000
        if auction % 123 == 0:
            q2_rows += 1
            q2_sum += price
    return {
        "w1a": f"events={event_count};broken=0;rows={rows};price={price_sum};auction={auction_sum};"
               f"bidder={bidder_sum};elapsed_ms={elapsed_sum}",
        "w2q1": f"rows={rows};sum={euros}",
        "w2q2": f"rows={q2_rows};sum={q2_sum}",
    }


def fnv1a(line):
    value = 0xCBF29CE484222325
    for byte in line.encode():
        value = (value ^ byte) * 0x100000001B3 & MASK
    return value


def ysb(row_count):
    """Views per campaign and window of 10 s. Draws: user, page, ad, ad type, event type."""
    counts = Counter()
    for index in range(row_count):
        state = state_of(index)
        if draw(state, 5) * 3 >> 64 == 0:
            window = (BASE_MS + index // 1000) // 10_000
            counts[window, (draw(state, 3) * 1000 >> 64) // 10] += 1
    digest = sum(fnv1a(f"{campaign},{window * 10_000_000_000},{count}")
                 for (window, campaign), count in counts.items())
    return f"rows={len(counts)};sum={sum(counts.values())};fnv={digest & MASK}"


def keyed(pair_count, key_count):
    """Keys are a one-to-one image of ranks, so ranks serve as keys here."""
    seen, largest, value_sum = 0, [-1] * key_count, 0
    for index in range(pair_count):
        state = state_of(index)
        rank, value = draw(state, 1) * key_count >> 64, draw(state, 2) >> 54
        value_sum += value
        if largest[rank] < 0:
            seen += 1
        if value > largest[rank]:
            largest[rank] = value
    maxima = sum(value for value in largest if value >= 0)
    return f"rows={seen};count={pair_count};sum={value_sum};max={maxima}"


def main():
    size = SIZES[sys.argv[1]]
    checks = nexmark(size["events"])
    checks.update(growing_checks(size["events"]))
    checks.update(window_checks(size["events"]))
    checks.update(sliding_checks(size["values"]))
    checks["w1auntyped"] = checks["w1a"]
    checks["w3b"] = checks["w3bcol"] = ysb(size["rows"])
    checks["w6"] = checks["w6sized"] = keyed(size["pairs"], size["keys"])
    for digits in (2, 3, 4, 5, 7):
        keys = 10**digits
        checks[f"w6keys1e{digits}"] = keyed(size["pairs"], keys * size["keys"] // 10**6 if keys >= 10**6 else keys)
    print(json.dumps(checks, indent=1))


if __name__ == "__main__":
    main()
