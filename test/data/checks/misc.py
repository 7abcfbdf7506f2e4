"""Small public data sets in the shapes that data comes in: nested JSON, a JSON array, `NA` for nothing, several files in
the order of time, columns with odd names. What is expected is computed here."""
import csv
import datetime
import io
import json
import math

from .harness import FAST, SLOW, Scratch, need, same_rows

NEEDS = [f"misc/{name}" for name in ("earthquakes.json", "flights-20k.json", "nyc-weather-2013.csv", "birdstrikes.csv")]
EPOCH = datetime.datetime(1970, 1, 1)


def instant(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def window(at, size):
    """The bounds of the tumbling window."""
    start = EPOCH + (at - EPOCH) // size * size
    return {"window_start": instant(start), "window_end": instant(start + size)}


def grouped(rows, key):
    groups = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return sorted(groups.items())


def mean(values):
    return math.fsum(values) / len(values)


def known(rows, name):
    return [row[name] for row in rows if row[name] is not None]


def run_every_way(scratch, script, expected, ways, options=()):
    """expected: name of the output -> rows. The errors stay empty."""
    for way in ways:
        printed = scratch.run(script, *options, *way)
        for name, rows in expected.items():
            if name == "stdout.csv":
                same_rows(name, rows, list(csv.DictReader(io.StringIO(printed.decode(), newline=""))))
            else:
                scratch.must_hold(name, rows, printed if name == "stdout" else None)


def quakes(data):
    feed = json.loads((data / NEEDS[0]).read_text(encoding="utf-8"))
    rows = [quake["properties"] | {"depth": float(quake["geometry"]["coordinates"][2])} for quake in feed["features"]]
    day = lambda row: (EPOCH + datetime.timedelta(milliseconds=row["time"])).strftime("%Y-%m-%d")
    expected = [{
        "net": net, "day": day_, "n": len(group), "felt": sum(known(group, "felt")), "strongest": float(max(known(group, "mag"))),
        "deepest": max(row["depth"] for row in group), "place": max(group, key=lambda row: row["mag"])["place"],
    } for (net, day_), group in grouped(rows, lambda row: (row["net"], day(row)))]
    need(len(rows) == feed["metadata"]["count"] == 1707, "a part of the quakes is missing")
    with Scratch() as scratch:
        scratch.put("earthquakes.json", json.dumps(feed).encode())  # one value is one line
        ways = [way for way in FAST + SLOW if "--disturb=swap" not in way]  # one record, so no cut
        run_every_way(scratch, "quakes.mut", {"stdout": expected, "errors.jsonl": []}, ways)


def flights(data):
    rows = json.loads((data / NEEDS[1]).read_text(encoding="utf-8"))
    hour, day = datetime.timedelta(hours=1), datetime.timedelta(days=1)
    pauses, trend, before = [], {}, {}
    for row in rows:
        at = row["at"] = datetime.datetime.strptime(row["date"], "%Y/%m/%d %H:%M")
        earlier = before.setdefault(row["origin"], [])
        recent = [old["delay"] for old in earlier if old["at"] > at - day]
        pauses.append({
            "origin": row["origin"], "at": instant(at), "before": instant(earlier[-1]["at"]) if earlier else None,
            "change": row["delay"] - earlier[-1]["delay"] if earlier else None, "usual": mean(recent) if recent else None,
            "last_five": max([old["delay"] for old in earlier[-4:]] + [row["delay"]]),
        })
        earlier.append(row)
        del earlier[:-200]
        for back in range(3):
            trend.setdefault((at - EPOCH) // hour - back, []).append(row)
    hours = [{
        "origin": origin, "n": len(group), "late": sum(row["delay"] > 15 for row in group), "worst": max(row["delay"] for row in group),
        "mean": mean([row["delay"] for row in group]), "places": len({row["destination"] for row in group}), **window(group[0]["at"], hour),
    } for (_, origin), group in grouped(rows, lambda row: ((row["at"] - EPOCH) // hour, row["origin"]))]
    trend = [{
        "n": len(group), "miles": sum(row["distance"] for row in group), "shortest": min(row["distance"] for row in group),
        "window_start": instant(EPOCH + start * hour), "window_end": instant(EPOCH + (start + 3) * hour),
    } for start, group in sorted(trend.items())]
    with Scratch() as scratch:
        scratch.link("flights.json", data / NEEDS[1])
        expected = {"hours.jsonl": hours, "trend.jsonl": trend, "pauses.jsonl": pauses, "errors.jsonl": []}
        run_every_way(scratch, "flights.mut", expected, FAST + SLOW[2:])
        # The reference reads values line by line only.
        array = json.loads((data / NEEDS[1]).read_text(encoding="utf-8"))
        scratch.put("flights.jsonl", "\n".join(map(json.dumps, array)).encode())
        run_every_way(scratch, "flights.mut", expected, SLOW[:1], ["--bind", "flights=flights.jsonl"])


def weather(data):
    text = (data / NEEDS[2]).read_text(encoding="utf-8")
    header, *lines = text.splitlines()
    number = lambda value: None if value == "NA" else float(value)
    rows = [{
        "origin": row["origin"], "temp": number(row["temp"]), "gust": number(row["wind_gust"]), "pressure": number(row["pressure"]),
        "at": datetime.datetime.strptime(row["time_hour"], "%Y-%m-%dT%H:%M:%SZ"),
    } for row in csv.DictReader(io.StringIO(text))]
    rows.sort(key=lambda row: (row["at"], row["origin"]))  # each file is in order; the files as they are declared
    days = []
    for _, group in grouped(rows, lambda row: row["at"].date()):
        days.append({
            "n": len(group), "known": len(known(group, "pressure")), "temp": mean(known(group, "temp")),
            "gust": max(known(group, "gust"), default=None),
            "warmest": max(group, key=lambda row: -99.0 if row["temp"] is None else row["temp"])["origin"],
            **window(group[0]["at"], datetime.timedelta(days=1)),
        })
    gusts = [{"origin": row["origin"], "gust": row["gust"], "at": instant(row["at"])} for row in rows if (row["gust"] or 0) > 40]
    with Scratch() as scratch:
        for origin in ("EWR", "JFK", "LGA"):
            scratch.put(f"{origin}.csv", "\n".join([header] + [line for line in lines if line.startswith(origin)]).encode())
        run_every_way(scratch, "weather.mut", {"days.jsonl": days, "gusts.jsonl": gusts}, FAST + SLOW)


def birds(data):
    content = (data / NEEDS[3]).read_bytes()
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))
    for row in rows:
        row["at"] = datetime.datetime.strptime(row["Flight Date"], "%Y-%m-%d")
        row["knots"] = int(row["Speed IAS in knots"]) if row["Speed IAS in knots"] else None
    four_weeks = datetime.timedelta(days=28)
    expected = [{name: str(value) for name, value in {
        "state": state, "n": len(group), "airports": len({row["Airport Name"] for row in group}),
        "cost": sum(int(row["Cost Total $"]) for row in group), "fastest": max(known(group, "knots"), default=""),
        "known": len(known(group, "knots")), "harm": sum(row["Effect Amount of damage"] != "None" for row in group),
        "dearest": max(group, key=lambda row: int(row["Cost Total $"]))["Wildlife Species"], **window(group[0]["at"], four_weeks),
    }.items()} for (_, state), group in grouped(rows, lambda row: ((row["at"] - EPOCH) // four_weeks, row["Origin State"]))]
    with Scratch() as scratch:
        scratch.put("birds.csv", content)
        ways = [way for way in FAST + SLOW if "reference" not in way]  # its CSV has no header yet
        run_every_way(scratch, "birds.mut", {"stdout.csv": expected}, ways)
        need(scratch.bytes("errors.jsonl") == b"", "errors where there are none")


def checks(data):
    return [
        ("quakes, nested in one document", lambda: quakes(data)),
        ("flights, an array", lambda: flights(data)),
        ("weather of three files with NA", lambda: weather(data)),
        ("birds, odd columns", lambda: birds(data)),
    ]
