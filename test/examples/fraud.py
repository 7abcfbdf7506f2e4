"""What examples/fraud must write, computed payment by payment from the payments that it made; a tenth of them."""
import math
from collections import Counter, deque

from times import instant, seconds

CUT = ("payments", 42_000)
PART = (36_000, 45_600)  # begins with a minute: 1,200 payments are one
SHORTER = ("count: 600_000", "count: 60_000")
OUTPUTS = {"blocked": "blocked.jsonl", "review": "review.jsonl", "cleared": "cleared.jsonl", "spend": "spend.jsonl"}
LATENESS = 5_000
NEAR = ["z"]


def check_rows(rows):
    assert len(rows) == 60_000
    assert all(row["id"] == f"p{n}" and seconds(row["at"]) == n * 50 / 1000 for n, row in enumerate(rows))
    assert len({row["card"] for row in rows}) == 5001
    assert 2.9 < sum(math.log(row["amount"]) for row in rows) / len(rows) < 3.1


def logistic(x):
    return 1.0 / (1.0 + math.exp(-x))


def expected_of(rows, cut):
    out = {"blocked": [], "review": [], "cleared": [], "spend": []}
    cards, minutes = {}, {}
    kept = round(seconds(rows[cut - 1]["at"]) * 1000) - LATENESS - 1_800_000
    for n, row in enumerate(rows):
        ms = round(seconds(row["at"]) * 1000)
        span, middle = (1_800_000, 0.6) if n < cut else (3_600_000, 0.65)
        events = cards.setdefault(row["card"], deque())
        while events and events[0][0] <= ms - 3_600_000:
            events.popleft()
        events.append((ms, row["amount"], row["country"]))
        # What the watermark of the cut had left half an hour behind is not known any more.
        known = [amount for at, amount, _ in events if at > ms - span and (n < cut or at > kept)]
        usual = math.fsum(known) / len(known)
        spread = math.sqrt(math.fsum((amount - usual) ** 2 for amount in known) / len(known))
        places = len({country for _, _, country in events})
        z = (row["amount"] - usual) / spread if spread > 0 else 0.0
        score = logistic(-4.0 + 0.9 * z + 1.5 * (places - 1))
        way = "blocked" if score > 0.9 else "review" if score > middle else "cleared"
        out[way].append({**row, "usual": usual, "spread": spread, "places": places, "z": z, "score": score})
        if way == "cleared":
            minutes.setdefault((ms // 60_000, row["country"]), []).append(row["amount"])
    for (minute, country), amounts in sorted(minutes.items()):
        out["spend"].append({"country": country, "total": math.fsum(amounts), "n": len(amounts),
                             "window_start": instant(minute * 60), "window_end": instant(minute * 60 + 60)})
    return out
