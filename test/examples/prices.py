"""What examples/prices must write, computed tick by tick from the ticks that it made."""
import math

from times import instant, seconds

CUT = ("ticks", 30_000)
PART = (18_000, 40_200)  # begins with a minute: 600 ticks are one
OUTPUTS = {"moved": "stdout", "bars": "bars.jsonl", "warnings": "warnings.jsonl"}
SYMBOLS = ["abc", "kno", "mut", "xyz"]
# Stories by share: time in seconds, impact, headline. Nothing of them is drawn.
STORIES = {symbol: [(n * 480.0, 0.9 if n % 3 == 0 else 0.6 if n == 8 else 0.2, f"story {n}")
                    for n in range(12) if SYMBOLS[n % 4] == symbol] for symbol in SYMBOLS}
BEFORE = {"impact": 0.8, "age": 300.0, "far": 0.01}
AFTER = {"impact": 0.5, "age": 180.0, "far": 0.012}


def check_rows(rows):
    assert len(rows) == 60_000
    assert all(seconds(row["at"]) == n / 10 and row["symbol"] == SYMBOLS[n % 4] for n, row in enumerate(rows))
    assert 0.6 < sum(row["feed"] == "fast" for row in rows) / len(rows) < 0.8


class Calm:
    """At most one in a stretch of time for each share, counted in tenths of a second."""

    def __init__(self, quiet):
        self.quiet, self.passed = quiet, {}

    def passes(self, symbol, at):
        fine = symbol not in self.passed or self.passed[symbol] <= at - self.quiet
        if fine:
            self.passed[symbol] = at
        return fine


def expected_of(rows, cut):
    moved, warnings, bars, minutes, recent = [], [], [], {}, {}
    once, calm = Calm(100), Calm(600)
    for n, row in enumerate(rows):
        rules, symbol, price = BEFORE if n < cut else AFTER, row["symbol"], row["price"]
        at = seconds(row["at"])
        tenths = round(at * 10)
        told = [story for story in STORIES[symbol] if story[0] <= at]
        fresh = told and told[-1][1] >= rules["impact"] and at - told[-1][0] <= rules["age"]
        times = recent.setdefault(symbol, [])
        times[:] = [entry for entry in times if entry[0] > tenths - 600]
        usual = math.fsum(entry[1] for entry in times) / len(times) if times else None
        times.append((tenths, price))
        jumps = usual is not None and abs(price - usual) > rules["far"] * usual
        if jumps and not fresh:
            if calm.passes(symbol, tenths):
                warnings.append({"symbol": symbol, "feed": row["feed"], "price": price, "usual": usual, "at": row["at"]})
            continue
        minutes.setdefault((tenths // 600, symbol), []).append(price)
        if jumps and once.passes(symbol, tenths):
            moved.append({"symbol": symbol, "price": price, "news": told[-1][2], "at": row["at"]})
    for (minute, symbol), prices in sorted(minutes.items()):
        bars.append({"symbol": symbol, "open": prices[0], "high": max(prices), "low": min(prices), "close": prices[-1],
                     "n": len(prices), "minute": instant(minute * 60)})
    return {"moved": moved, "bars": bars, "warnings": warnings}
