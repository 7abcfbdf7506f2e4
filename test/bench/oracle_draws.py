"""What the inputs of the benchmarks draw, from their rules alone: SplitMix64 and the events of NEXMark."""
MASK = (1 << 64) - 1
STEP = 0x9E3779B97F4A7C15
SEED = 42
BASE_MS = 1_700_000_000_000


def mix(z):
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
    return z ^ (z >> 31)


def state_of(index):
    """The state after the dropped first output of item `index`."""
    return SEED + index * 0xD1342543DE82EF95 + STEP


def draw(state, number):
    """Output `number`, counted from 1, of the stream that stands at `state`."""
    return mix((state + number * STEP) & MASK)


def bids(event_count):
    """(auction, bidder, price, ms) of every bid."""
    for event in range(event_count):
        group, rem = divmod(event, 50)
        if rem < 4:
            continue
        state, used = state_of(event), 0

        def uniform(bound):
            nonlocal used
            used += 1
            return draw(state, used) * bound >> 64

        last_auction, last_person = 3 * group + 2, group
        if uniform(2):
            auction = last_auction // 100 * 100
        else:
            low = max(last_auction - 100, 0)
            auction = low + uniform(last_auction - low + 11)
        if uniform(4):
            bidder = last_person // 100 * 100 + 1
        else:
            active = min(last_person + 1, 1000)
            bidder = last_person + 1 - active + uniform(active + 10)
        unit = (draw(state, used + 1) >> 11) * 2.0**-53
        price = int(100.0 * 10.0 ** (6.0 * unit) + 0.5)
        yield auction + 1000, bidder + 1000, price, BASE_MS + event * 100 // 1000


def text_length(state, used, length_max, special):
    """Draws used after a text of NEXMark: its length, then one or two a character."""
    length = 3 + (draw(state, used + 1) * (length_max - 3) >> 64)
    used += 1
    for _ in range(length):
        used += 1
        if draw(state, used) * 13 >> 64:
            used += 1
    return used


def events(event_count):
    """(kind, id, who, amount, group, expires_ms, ms) of every event: the columns of EventColumns."""
    bid = bids(event_count)
    for event in range(event_count):
        turn, place = divmod(event, 50)
        ms = BASE_MS + event // 10
        state = state_of(event)
        if place == 0:
            name = (draw(state, 1) * 11 >> 64) * 9 + (draw(state, 2) * 9 >> 64)
            used = text_length(state, 2, 7, " ")
            used = text_length(state, used, 5, " ") + 4  # four groups of the card
            yield 0, turn + 1000, name, 0, draw(state, used + 2) * 6 >> 64, 0, ms
        elif place < 4:
            used = 1
            if draw(state, 1) * 4 >> 64:
                seller = turn // 100 * 100
            else:
                active, used = min(turn + 1, 1000), 2
                seller = turn + 1 - active + (draw(state, 2) * (active + 10) >> 64)
            category = 10 + (draw(state, used + 1) * 5 >> 64)
            unit = (draw(state, used + 2) >> 11) * 2.0**-53
            initial = int(100.0 * 10.0 ** (6.0 * unit) + 0.5)
            horizon = BASE_MS + (event + 100 * 50 // 3) // 10 - ms
            expires = ms + 1 + (draw(state, used + 3) * max(2 * horizon, 1) >> 64)
            yield 1, 3 * turn + place - 1 + 1000, seller + 1000, initial, category, expires, ms
        else:
            auction, bidder, price, _ = next(bid)
            yield 2, auction, bidder, price, 0, 0, ms


class MixCheck:
    """Rows, the sum of one field, and a mixed sum over whole rows: as in input/check.h."""

    def __init__(self):
        self.rows = self.sum = self.digest = 0

    def add(self, fields, counted):
        self.rows += 1
        self.sum += counted
        row = 0
        for field in fields:
            row = mix((row + STEP + field) & MASK)
        self.digest += row

    def text(self):
        return f"rows={self.rows};sum={self.sum};mix={self.digest & MASK}"
