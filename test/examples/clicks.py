"""What examples/clicks must write, computed from the rows that it made."""
import math

from times import instant, seconds

CUT = ("clicks", 20_000)
PART = (16_000, 24_000)
OUTPUTS = {"offers": "stdout", "trends": "trends.jsonl"}
WITHIN = 240


def check_rows(rows):
    assert len(rows) == 40_000
    assert all(seconds(row["at"]) == n * 0.25 for n, row in enumerate(rows))


def hesitant(rows):
    """Two views in a row of a user, and no purchase until four minutes after the first."""
    users = {}
    for n, row in enumerate(rows):
        users.setdefault(row["user"], []).append((seconds(row["at"]), n, row))
    out = []
    for user, events in users.items():
        at = 0
        while at + 1 < len(events):
            begin, second = events[at], events[at + 1]
            due = begin[0] + WITHIN
            fits = begin[2]["kind"] == "view" and second[2]["kind"] == "view" and second[0] < due
            bought = any(row["kind"] == "buy" and time < due for time, _, row in events[at + 2:])
            if not fits or bought:
                at += 1
                continue
            out.append((due, user, second[2]["item"]))
            at += 2
    return sorted(out)


def offers(rows, cut):
    times = [seconds(row["at"]) for row in rows]
    out, passed, tastes, seen = [], {}, {}, 0
    for due, user, item in hesitant(rows):
        while seen < len(rows) and times[seen] < due:
            if rows[seen]["kind"] == "buy":
                tastes[rows[seen]["user"]] = rows[seen]["item"]
            seen += 1
        # Due at the end of the input too, and by the version that has the event at which it is due.
        most = 2 if seen >= cut else 1
        recent = [time for time in passed.get(user, []) if time > due - 1200]
        if len(recent) >= most:
            continue
        passed[user] = recent + [due]
        out.append({"user": user, "item": item, "liked": tastes.get(user), "until": just_before(due)})
    return out


def just_before(due):
    """A nanosecond before."""
    whole = math.ceil(due) - 1
    return f"{instant(whole)[:-1]}.{round((due - whole) * 1e9) - 1:09d}Z"


def trends(rows, cut):
    windows = {}
    for n, row in enumerate(rows):
        if row["kind"] == "view":
            window = windows.setdefault(int(seconds(row["at"]) // 600), {})
            window[row["item"]] = window.get(row["item"], 0) + 1
    last = seconds(rows[cut - 1]["at"])
    out = []
    for number, counts in sorted(windows.items()):
        most = 5 if (number + 1) * 600 > last else 3
        best = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:most]
        out += [{"rank": rank + 1, "item": item, "views": views, "window_end": instant(number * 600 + 600)}
                for rank, (item, views) in enumerate(best)]
    return out


def expected_of(rows, cut):
    return {"offers": offers(rows, cut), "trends": trends(rows, cut)}
