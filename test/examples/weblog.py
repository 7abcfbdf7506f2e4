"""What examples/weblog must write, computed event by event from the rows that it made."""
import collections
import math

from times import instant, seconds

CUT = ("hits", 27_000)
PART = (22_000, 32_000)  # of the rows, with the cut in it
OUTPUTS = {"alarms": "stdout", "traffic": "traffic.jsonl", "visits": "visits.csv"}
LATENESS = 2.0


def check_rows(rows):
    assert len(rows) == 60_000
    assert all(seconds(row["at"]) == round(n * 0.02, 3) for n, row in enumerate(rows))
    assert {row["status"] for row in rows} == {200, 404, 500, 503}


def alarms(rows, cut):
    out, recent, bad, passed = [], {}, {}, {}
    for n, row in enumerate(rows):
        at, path = seconds(row["at"]), row["path"]
        window = recent.setdefault(path, collections.deque())
        window.append((at, row["status"] >= 500))
        bad[path] = bad.get(path, 0) + window[-1][1]
        while round(at - window[0][0], 3) >= 30:
            bad[path] -= window.popleft()[1]
        share = bad[path] / len(window)
        if len(window) < 50 or share <= (0.15 if n < cut else 0.12) or round(at - passed.get(path, -99), 3) < 20:
            continue
        passed[path] = at
        out.append({"path": path, "share": round(share, 3), "n": len(window), "at": row["at"]})
    return out


def traffic(rows, cut):
    """From the cut on without /health; `clients` begins there."""
    windows = {}
    for n, row in enumerate(rows):
        if n < cut or row["path"] != "/health":
            windows.setdefault((int(seconds(row["at"]) // 60), row["path"]), []).append((n, row))
    watermark = seconds(rows[cut - 1]["at"]) - LATENESS
    out = []
    for (minute, path), events in sorted(windows.items()):
        hits = [row for _, row in events]
        result = {
            "path": path, "n": len(hits), "failed": sum(row["status"] >= 500 for row in hits),
            "slowest": max(row["ms"] for row in hits), "mean": math.fsum(row["ms"] for row in hits) / len(hits),
        }
        if minute * 60 + 60 > watermark:
            result["clients"] = len({row["client"] for n, row in events if n >= cut})
        out.append(result | {"window_start": instant(minute * 60), "window_end": instant(minute * 60 + 60)})
    return out


def visits(rows, cut):
    """Sessions with a gap of 10 s, and 15 s from the cut on: what is open there lasts longer and may join."""
    out, still_open = [], {}

    def close(watermark, gap):
        for client, sessions in still_open.items():
            while sessions and round(sessions[0][-1][0] + gap, 3) <= watermark:
                emit(client, sessions.pop(0), gap)

    def emit(client, events, gap):
        out.append((round(events[-1][0] + gap, 3), client, {
            "client": client, "pages": str(len(events)), "first": events[0][1], "last": events[-1][1],
            "window_start": instant(events[0][0]), "window_end": instant(events[-1][0] + gap),
        }))

    def join(sessions, gap):
        joined = []
        for events in sessions:
            if joined and round(events[0][0] - joined[-1][-1][0], 3) < gap:
                joined[-1] += events
            else:
                joined.append(events)
        return joined

    for n, row in enumerate(rows):
        gap, at = (10, seconds(row["at"])) if n < cut else (15, seconds(row["at"]))
        if n == cut:
            still_open = {client: join(sessions, gap) for client, sessions in still_open.items()}
        if n % 50 == 0 or n in (cut - 1, cut):  # nothing depends on when exactly, but the state at the cut
            close(round(at - LATENESS, 3), gap)
        sessions = still_open.setdefault(row["client"], [])
        still_open[row["client"]] = join([*sessions, [(at, row["path"])]], gap)
    close(math.inf, 15)
    return [row for _, _, row in sorted(out, key=lambda each: each[:2])]


def expected_of(rows, cut):
    return {"alarms": alarms(rows, cut), "traffic": traffic(rows, cut), "visits": visits(rows, cut)}
