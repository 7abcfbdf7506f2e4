"""Writes rows.jsonl and what is expected of them, with Python's decimal module: python3 origin.py"""
import json, random
from datetime import datetime, timezone
from decimal import Decimal as D, ROUND_HALF_EVEN, getcontext

getcontext().prec = 200
random.seed(11)
SAYS = "// origin: origin.py, Python's decimal module"


def text(value, scale):
    value = value.quantize(D(1).scaleb(-scale), rounding=ROUND_HALF_EVEN)
    return format(abs(value) if value == 0 else value, "f")


def shown(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ",".join(shown(v) for v in value) + "]"
    if isinstance(value, tuple):
        return text(*value)
    return json.dumps(value)


def write(name, rows):
    with open(name, "w") as out:
        print(SAYS, file=out)
        for row in rows:
            print("{" + ",".join(f'"{k}":{shown(v)}' for k, v in row.items()) + "}", file=out)


def clock(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Row:
    def __init__(self, k, x, f, at):
        self.k, self.x, self.f, self.at = k, x, f, at


rows, at = [], 100
for i in range(120):
    at += random.choice([1, 1, 1, 2, 2, 3, 5, 9])
    big = random.random() < 0.1
    x = D(random.randint(-10**33, 10**33)) / 100 if big else D(random.randint(-300, 500)) / 100
    f = None if random.random() < 0.3 else D(random.randint(-5000, 9000)) / 1000
    rows.append(Row(random.choice("aab"), x, f, at))
with open("rows.jsonl", "w") as out:
    for r in rows:
        print(f'{{"k":"{r.k}","x":{text(r.x, 2)},"f":{shown(r.f and (r.f, 3))},"at":{r.at}}}', file=out)


def mean(values, scale):
    return (sum(values) / len(values), scale + 4) if values else None


def some(values, pick, scale):
    return (pick(values), scale) if values else None


def xs(of):
    return [r.x for r in of]


def fs(of):
    return [r.f for r in of if r.f is not None]


def twos(values, scale=2):
    return [(v, scale) for v in values]


def windowed(of, start, end, cells):
    return {**cells, "window_start": clock(start), "window_end": clock(end)}


running, seen = [], {"a": [], "b": []}
for r in rows:
    g = seen[r.k]
    g.append(r)
    x, f = xs(g), fs(g)
    best = max(g, key=lambda e: (e.x, -e.at))
    running.append({"k": r.k, "n": len(g), "s": (sum(x), 2), "a": mean(x, 2), "lo": (min(x), 2), "hi": (max(x), 2), "fst": (x[0], 2),
                    "lst": (x[-1], 2), "d": len(set(x)), "who": clock(best.at), "fs": (sum(f, D(0)), 3), "fa": mean(f, 3),
                    "fm": some(f, min, 3), "top": twos(sorted(x, reverse=True)[:2]), "c": twos(x[:3]),
                    "half": (sum((v for v in x if v > 0), D(0)), 2), "e": len(set(x)), "net": (sum(x) / 3, 6)})
write("expected.jsonl", running)


def by_key(of):
    groups = {}
    for r in of:
        groups.setdefault(r.k, []).append(r)
    return sorted(groups.items())


tumbling = []
for start in range(rows[0].at // 10 * 10, rows[-1].at + 10, 10):
    for k, g in by_key([r for r in rows if start <= r.at < start + 10]):
        x = xs(g)
        tumbling.append(windowed(g, start, start + 10, {"k": k, "n": len(g), "s": (sum(x), 2), "a": mean(x, 2), "lo": (min(x), 2),
                                                        "hi": (max(x), 2), "d": len(set(x)), "fa": mean(fs(g), 3)}))
write("expected.tumbling.jsonl", tumbling)

sliding = []
for start in range(rows[0].at // 10 * 10 - 10, rows[-1].at + 10, 5):
    g = [r for r in rows if start <= r.at < start + 10]
    if g:
        sliding.append(windowed(g, start, start + 10, {"s": (sum(xs(g)), 2), "hi": (max(xs(g)), 2), "l": (g[-1].x, 2), "a": mean(fs(g), 3)}))
write("expected.sliding.jsonl", sliding)

sessions = []
for k, g in by_key(rows):
    part = []
    for r in g + [None]:
        if part and (r is None or r.at - part[-1].at >= 4):
            x = xs(part)
            sessions.append((part[-1].at + 4, part[0].at, k, windowed(part, part[0].at, part[-1].at + 4, {
                "k": k, "s": (sum(x), 2), "lo": (min(x), 2), "f": (x[0], 2), "a": mean(x, 2), "d": len(set(x))})))
            part = []
        if r:
            part.append(r)
write("expected.sessions.jsonl", [s[3] for s in sorted(sessions, key=lambda s: s[:3])])

counted, waiting, rest = [], {"a": [], "b": []}, []
for r in rows:
    g = waiting[r.k]
    g.append(r)
    if len(g) == 4:
        counted.append(windowed(g, g[0].at, g[-1].at, {"k": r.k, "s": (sum(xs(g)), 2), "a": mean(xs(g), 2), "hi": (max(xs(g)), 2)}))
        waiting[r.k] = []
for k, g in sorted(waiting.items()):
    if g:
        rest.append((g[-1].at, g[0].at, k, windowed(g, g[0].at, g[-1].at, {"k": k, "s": (sum(xs(g)), 2), "a": mean(xs(g), 2), "hi": (max(xs(g)), 2)})))
write("expected.counted.jsonl", counted + [r[3] for r in rest])  # at the end by key

f = fs(rows)
write("expected.whole.jsonl", [{"s": (sum(xs(rows)), 2), "a": mean(f, 3), "lo": (min(f), 3), "t": twos(sorted(f, reverse=True)[:3], 3), "d": len(set(xs(rows)))}])

keyed = []
for start in range(rows[0].at // 20 * 20, rows[-1].at + 20, 20):
    g = [r for r in rows if start <= r.at < start + 20]
    for x in sorted(set(xs(g))):
        n = xs(g).count(x)
        keyed.append(windowed(g, start, start + 20, {"x": (x, 2), "n": n, "s": (x * n, 2)}))
write("expected.keyed.jsonl", keyed)

history = []
for i, r in enumerate(rows):
    past = [p for p in rows[:i + 1] if p.k == r.k]
    near = [p for p in past if p.at > r.at - 10]
    of_all = [p for p in rows[:i + 1] if p.at > r.at - 10]
    last3 = xs(past)[-3:]
    before = past[-2] if len(past) > 1 else None
    f10 = fs(near)
    history.append({"k": r.k, "x": (r.x, 2), "f": r.f is not None and (r.f, 3) or None, "s10": (sum(xs(near)), 2), "a3": mean(last3, 2),
                    "hi": (max(xs(past)), 2), "before": (sum(xs(past[:-1])[-3:], D(0)), 2), "p": before and (before.x, 2),
                    "step": before and (r.x - before.x, 2), "other": before is None or before.f != r.f,
                    "pf": (before.f, 3) if before and before.f is not None else None, "lo": (min(xs(of_all)), 2),
                    "fst": (f10[0], 3) if f10 else None, "d": len(set(xs(of_all))), "lst": (xs(rows[:i + 1])[-1], 2),
                    "two": twos(sorted(xs(near), reverse=True)[:2])})
write("expected.history.jsonl", history)
