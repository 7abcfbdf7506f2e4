"""HDFS log of loghub: lines per component and minute. Expected: computed here by Python's csv module."""
import csv
import datetime
import io

from .harness import FAST, SLOW, Scratch, need

NEEDS = ["logs/HDFS_2k.log_structured.csv", "logs/HDFS_2k.log"]


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


def from_text(data):
    """The log itself gives the same; each line that is damaged is one error."""
    expected = expected_of((data / NEEDS[0]).read_bytes())
    for row in expected:
        del row["events"]
    lines = (data / NEEDS[1]).read_bytes().splitlines()
    need(len(lines) == 2000, "2000 lines expected")
    for at, damaged in ((1500, b"not a line of this log"), (700, b"08111\xff 203615 148 INFO a: b"), (3, b"")):
        lines.insert(at, damaged)
    with Scratch() as scratch:
        scratch.put("hdfs.log", b"\r\n".join(lines))
        for way in FAST + SLOW:
            scratch.must_hold("rate", expected, scratch.run("hdfs_raw.mut", *way))
            got = [(row["input"], row["stage"]) for row in scratch.rows("errors.jsonl")]
            need(got == [(f"hdfs.log:{line}", "decode") for line in (4, 702, 1503)], f"{' '.join(way)}: errors at {got}")


def checks(data):
    return [
        ("the same from the log as it was written", lambda: from_text(data)),
        ("lines per component and minute, every way", lambda: per_minute(data)),
    ]
