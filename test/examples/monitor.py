"""What examples/monitor must write, computed event by event from the rows that it made."""
import math

from times import instant, seconds

CUT = ("vitals", 20_000)
PART = (14_000, 26_000)  # of the rows, with the cut in it
QUIET = {"critical": 30, "urgent": 30, "routine": 120}
OUTPUTS = {"pager": "stdout", "desk": "desk.jsonl", "chart": "chart.jsonl", "leads": "leads.csv", "ward": "ward.jsonl"}
LATENESS = 1.0


def check_rows(rows):
    assert len(rows) == 40_000
    assert all(row["bed"] == n % 8 + 1 and seconds(row["at"]) == n * 0.25 for n, row in enumerate(rows))


def mean(values):
    return math.fsum(values) / len(values)


def deviation(values):
    middle = mean(values)
    return math.sqrt(math.fsum((value - middle) ** 2 for value in values) / len(values))


def alarms(rows, cut):
    out, history, oxygen, passed = [], {}, {}, {}
    for n, row in enumerate(rows):
        at, bed = seconds(row["at"]), row["bed"]
        if n == cut:  # a longer history begins with what the shorter one kept
            kept = seconds(rows[cut - 1]["at"]) - LATENESS - 300
            history = {key: [old for old in values if old[0] > kept] for key, values in history.items()}
        if row["pulse"] <= 20:
            continue
        length, limit = (300, 30) if n < cut else (600, 25)
        history[bed] = [old for old in history.get(bed, []) if old[0] > at - 700]
        before = [pulse for then, pulse in history[bed] if then > at - length]
        history[bed].append((at, row["pulse"]))
        oxygen[bed] = [old for old in oxygen.get(bed, []) if old[0] > at - 10] + [(at, row["oxygen"])]
        now = [value for _, value in oxygen[bed] if value is not None]
        level = mean(now) if now else None
        off = row["pulse"] - mean(before) if before else 0.0
        low = level is not None and level < 90
        if not (off > limit or off < -limit or low):
            continue
        priority = "critical" if low else "urgent" if abs(off) > 35 else "routine"
        if at - passed.get((bed, priority), -999) < QUIET[priority]:
            continue
        passed[bed, priority] = at
        kind = "low_oxygen" if low else "fast" if off > 0 else "slow"
        out.append({"bed": bed, "priority": priority, "kind": kind, "pulse": row["pulse"], "off": round(off, 1), "oxygen": level, "at": row["at"]})
    return out


def leads(rows, _):
    return [{"bed": str(row["bed"]), "kind": "lead_off", "at": row["at"]} for row in rows if row["pulse"] <= 20]


def ward(rows, cut):
    """`spread` begins at the cut, so the window that is open there holds only a part of it."""
    windows = {}
    for n, row in enumerate(rows):
        if row["pulse"] > 20:
            windows.setdefault((int(seconds(row["at"]) // 300), row["bed"]), []).append((n, row))
    watermark = seconds(rows[cut - 1]["at"]) - LATENESS
    out = []
    for (number, bed), events in sorted(windows.items()):
        pulse = [row["pulse"] for _, row in events]
        oxygen = [row["oxygen"] for _, row in events if row["oxygen"] is not None]
        result = {"bed": bed, "readings": len(events), "pulse": mean(pulse), "least": min(pulse), "most": max(pulse)}
        if (number + 1) * 300 > watermark:
            result["spread"] = deviation([row["pulse"] for n, row in events if n >= cut])
        out.append(result | {"oxygen": mean(oxygen), "window_start": instant(number * 300), "window_end": instant(number * 300 + 300)})
    return out


def expected_of(rows, cut):
    told = alarms(rows, cut)
    ways = {"pager": "critical", "desk": "urgent", "chart": "routine"}
    ways = {sink: [row for row in told if row["priority"] == priority] for sink, priority in ways.items()}
    return ways | {"leads": leads(rows, cut), "ward": ward(rows, cut)}
