"""HDFS log of loghub: lines per component and minute. Expected: computed here by Python's csv module."""
import csv
import datetime
import io

from .harness import FAST, SLOW, Scratch, need

NEEDS = ["logs/HDFS_2k.log_structured.csv"]


def expected_of(content):
    groups = {}
    for record in csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")):
        at = datetime.datetime.strptime(record["Date"] + record["Time"], "%y%m%d%H%M%S")
        group = groups.setdefault((at.replace(second=0), record["Component"]), [0, set(), 0])
        group[0] += 1
        group[1].add(record["EventId"])
        group[2] += record["Level"] == "WARN"
    form = "%Y-%m-%dT%H:%M:00Z"
    return [{
        "component": component, "lines": lines, "events": len(events), "warnings": warnings,
        "window_start": start.strftime(form), "window_end": (start + datetime.timedelta(minutes=1)).strftime(form),
    } for (start, component), (lines, events, warnings) in sorted(groups.items())]


def per_minute(data):
    content = (data / NEEDS[0]).read_bytes()
    expected = expected_of(content)
    need(sum(row["lines"] for row in expected) == 2000, "2000 lines expected")
    with Scratch() as scratch:
        scratch.put("hdfs.csv", content)
        for way in FAST + SLOW:
            scratch.must_hold("rate", expected, scratch.run("hdfs.mut", *way))
            need(scratch.bytes("errors.jsonl") == b"", f"{' '.join(way)}: errors where there are none")


def checks(data):
    return [("lines per component and minute, every way", lambda: per_minute(data))]
