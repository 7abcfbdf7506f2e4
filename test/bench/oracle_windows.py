"""The windows of NEXMark (w4), as batch queries over all events at once."""
from collections import Counter, defaultdict

from oracle_draws import MixCheck, bids, events

WINDOW_MS = 10_000
GAP_MS = 1_000
MS = 1_000_000  # nanoseconds

# Found at 10^6 events by another SQL engine: rows, and a sum of them.
KNOWN = {"w4q5": (55, 45_327), "w4q7": (10, 1_000_256_775), "w4q8": (8_566, 91_361_561)}
KNOWN_Q12_ROWS, KNOWN_Q12_MOST = 27_432, 3_568


def hottest(offers, slide_ms):
    """q5: every window that has an event, not only those that begin with one."""
    slices = defaultdict(Counter)
    for auction, _, _, ms in offers:
        slices[ms // slide_ms][auction] += 1
    check, width = MixCheck(), WINDOW_MS // slide_ms
    for first in range(min(slices) - width + 1, max(slices) + 1):
        window = Counter()
        for number in range(first, first + width):
            for auction, count in slices.get(number, {}).items():
                window[auction] += count
        most = max(window.values())
        for auction, count in window.items():
            if count == most:
                check.add((auction, count, first * slide_ms * MS), count)
    return check


def highest(offers):
    most = defaultdict(int)
    for _, _, price, ms in offers:
        most[ms // WINDOW_MS] = max(most[ms // WINDOW_MS], price)
    check = MixCheck()
    for auction, bidder, price, ms in offers:
        if price == most[ms // WINDOW_MS]:
            check.add((auction, bidder, price, ms * MS), auction + bidder + price)
    return check


def new_sellers(event_count):
    people, sellers = {}, set()
    for kind, id, who, _, _, _, ms in events(event_count):
        if kind == 0:
            people[id, ms // WINDOW_MS] = who
        elif kind == 1:
            sellers.add((who, ms // WINDOW_MS))
    check = MixCheck()
    for (id, window), name in people.items():
        if (id, window) in sellers:
            check.add((id, name, window * WINDOW_MS * MS), id)
    return check


def sessions(offers):
    times = defaultdict(list)
    for _, bidder, _, ms in offers:
        times[bidder].append(ms)
    check = MixCheck()
    for bidder, stamps in times.items():
        begin = 0
        for i in range(1, len(stamps) + 1):
            if i == len(stamps) or stamps[i] - stamps[i - 1] >= GAP_MS:
                check.add((bidder, i - begin, stamps[begin] * MS, (stamps[i - 1] + GAP_MS) * MS), i - begin)
                begin = i
    return check


def counts(offers):
    found = Counter((bidder, ms // WINDOW_MS) for _, bidder, _, ms in offers)
    check = MixCheck()
    for (bidder, window), count in found.items():
        check.add((bidder, count, window * WINDOW_MS * MS), count)
    return check, max(found.values())


def window_checks(event_count):
    offers = list(bids(event_count))
    q12, most = counts(offers)
    found = {"w4q5": hottest(offers, 2_000), "w4q5fine": hottest(offers, 100), "w4q7": highest(offers),
             "w4q8": new_sellers(event_count), "w4q11": sessions(offers), "w4q12": q12}
    if event_count == 1_000_000:
        for name, (rows, total) in KNOWN.items():
            assert (found[name].rows, found[name].sum) == (rows, total), name
        assert (q12.rows, most) == (KNOWN_Q12_ROWS, KNOWN_Q12_MOST)
    found |= {"w4q5joined": found["w4q5"], "w4q7joined": found["w4q7"]}
    return {name: check.text() for name, check in found.items()}
