"""Events of NEXMark: persons, auctions and bids as lines of JSON, the same on every machine.

The rules are those that the benchmark's generators share, with fixed randomness: SplitMix64 from a state of its own for each event, so that
an event does not depend on those before it. Of 50 events one is a person, three are auctions and 46 are bids. This is
written from the rules alone; the generator of test/bench, in C++, gives the same bytes.
"""
MASK = (1 << 64) - 1
SEED = 42
BASE_MS = 1_700_000_000_000
FIRST_NAMES = "Peter Paul Luke John Saul Vicky Kate Julie Sarah Deiter Walter".split()
LAST_NAMES = "Shultz Abrams Spencer White Bartels Walton Smith Jones Noris".split()
CITIES = ["Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond", "Seattle", "Kent", "Cheyenne"]
STATES = "AZ CA ID OR WA WY".split()
HOT_CHANNELS = "Google Facebook Baidu Apple".split()
COLD_CHANNELS = 10_000
LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Random:
    """SplitMix64."""

    def __init__(self, state):
        self.state = state & MASK

    def next(self):
        self.state = z = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK
        return z ^ z >> 31

    def below(self, n):
        return self.next() * n >> 64

    def unit(self):
        return (self.next() >> 11) * 2.0**-53

    def price(self):
        return int(100.0 * 10.0 ** (6.0 * self.unit()) + 0.5)

    def text(self, most, special):
        length = 3 + self.below(most - 3)
        return "".join(special if self.below(13) == 0 else LETTERS[self.below(26)] for _ in range(length)).strip(" ")

    def extra(self, current, mean):
        if current > mean:
            return ""
        missing = mean - current
        spread = int(0.2 * missing + 0.5)
        length = missing - spread + self.below(2 * spread)
        out = []
        while len(out) < length:
            bits = self.next()
            for _ in range(13):
                bits, letter = divmod(bits, 26)
                out.append(LETTERS[letter])
        return "".join(out[:length])


def make_channels():
    out = []
    for i in range(COLD_CHANNELS + len(HOT_CHANNELS)):
        random = Random(SEED * 0x100000001B3 + 0xABCDEF + i)
        url = "https://www.nexmark.com/" + "".join(random.text(5, "_") + "/" for _ in range(3)) + "item.htm?query=1"
        name = f"channel-{i}"
        if i >= COLD_CHANNELS:
            name = HOT_CHANNELS[i - COLD_CHANNELS]
        elif random.below(10) > 0:
            reversed_bits = int(f"{i:032b}"[::-1], 2)
            url += f"&channel_id={abs(reversed_bits - (1 << 32) if reversed_bits >> 31 else reversed_bits)}"
        out.append((name, url))
    return out


class Generator:
    """`rate`: events in a second of event time."""

    def __init__(self, rate=10_000):
        self.rate = rate
        self.channels = make_channels()

    def time(self, event):
        return BASE_MS + event * (1_000_000 // self.rate) // 1000

    @staticmethod
    def last_auction(event):
        turn, place = divmod(event, 50)
        return 3 * (turn - 1) + 2 if place == 0 else 3 * turn + min(place - 1, 2)

    @staticmethod
    def some_person(random, event):
        known = event // 50 + 1
        active = min(known, 1000)
        return known - active + random.below(active + 10)

    def some_auction(self, random, event):
        last = self.last_auction(event)
        low = max(last - 100, 0)
        return low + random.below(last - low + 1 + 10)

    def person(self, random, event):
        name = f"{FIRST_NAMES[random.below(11)]} {LAST_NAMES[random.below(9)]}"
        mail = random.text(7, " ")
        mail += f"@{random.text(5, ' ')}.com"
        card = " ".join(f"{random.below(10_000):04}" for _ in range(4))
        city = CITIES[random.below(10)]
        state = STATES[random.below(6)]
        extra = random.extra(8 + len(name + mail + card + city + state), 200)
        return (f'{{"event_type":0,"person":{{"id":{event // 50 + 1000},"name":"{name}","emailAddress":"{mail}","creditCard":"{card}",'
                f'"city":"{city}","state":"{state}","dateTime":{self.time(event)},"extra":"{extra}"}}}}\n')

    def auction(self, random, event):
        hot = random.below(4) > 0
        seller = 1000 + (event // 50 // 100 * 100 if hot else self.some_person(random, event))
        category = 10 + random.below(5)
        initial = random.price()
        at = self.time(event)
        expires = at + 1 + random.below(max(2 * (self.time(event + 100 * 50 // 3) - at), 1))
        item = random.text(20, " ")
        description = random.text(100, " ")
        reserve = initial + random.price()
        extra = random.extra(48 + len(item) + len(description), 500)
        return (f'{{"event_type":1,"auction":{{"id":{self.last_auction(event) + 1000},"itemName":"{item}","description":"{description}",'
                f'"initialBid":{initial},"reserve":{reserve},"dateTime":{at},"expires":{expires},"seller":{seller},'
                f'"category":{category},"extra":"{extra}"}}}}\n')

    def bid(self, random, event):
        hot = random.below(2) > 0
        auction = 1000 + (self.last_auction(event) // 100 * 100 if hot else self.some_auction(random, event))
        hot = random.below(4) > 0
        bidder = 1000 + (event // 50 // 100 * 100 + 1 if hot else self.some_person(random, event))
        price = random.price()
        hot = random.below(2) > 0
        name, url = self.channels[COLD_CHANNELS + random.below(4) if hot else random.below(COLD_CHANNELS)]
        extra = random.extra(32, 100)
        return (f'{{"event_type":2,"bid":{{"auction":{auction},"bidder":{bidder},"price":{price},"channel":"{name}","url":"{url}",'
                f'"dateTime":{self.time(event)},"extra":"{extra}"}}}}\n')

    def line(self, event):
        random = Random(SEED + event * 0xD1342543DE82EF95)
        random.next()
        place = event % 50
        return (self.person if place == 0 else self.auction if place < 4 else self.bid)(random, event)

    def lines(self, count):
        return map(self.line, range(count))
