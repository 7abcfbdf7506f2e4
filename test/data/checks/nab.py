"""Numenta Anomaly Benchmark: the scores that its `windowedGaussian` detector gave to each point of 38 series.

All series go through one script, interleaved, so that each needs its own state. The detector fills a window of 6,400
values and then moves it by steps, which the script does not; so a series is compared while the window fills, and the
history may be all values or as many as there are. Half of that is enough.
"""
import csv

from .harness import SCRIPTS, Scratch, need

NEEDS = ["nab/data/realTweets/Twitter_volume_AAPL.csv", "nab/windowed_gaussian/realTweets/Twitter_volume_AAPL.csv"]
FILLED = 3200
WAYS = [["--tier", "quick"], ["--tier", "optimised"], ["--batch", "1024", "--disturb=swap"]]


def read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))[:FILLED]


def interleaved(folder, paths):
    lines, names = ["series,timestamp,value"], [str(path.relative_to(folder)) for path in paths]
    columns = [read(path) for path in paths]
    for at in range(FILLED):
        for name, rows in zip(names, columns):
            if at < len(rows):
                lines.append(f"{name},{rows[at]['timestamp']},{rows[at]['value']}")
    return "\n".join(lines) + "\n"


def scores(data):
    paths = sorted((data / "nab/data").glob("*/*.csv"))
    need(len(paths) > 35, f"{len(paths)} series found")
    expected = {}
    for path in paths:
        name = str(path.relative_to(data / "nab/data"))
        expected[name] = [float(row["anomaly_score"]) for row in read(data / "nab/windowed_gaussian" / name)]
    with Scratch() as scratch:
        scratch.put("points.csv", interleaved(data / "nab/data", paths).encode())
        script = (SCRIPTS / "gaussian.mut").read_text(encoding="utf-8")
        for way in WAYS + [["last events"]]:
            if way == ["last events"]:
                scratch.run(script.replace("over all", f"over last {FILLED} events"))
            else:
                scratch.run(script, *way)
            got = {}
            for row in scratch.rows("scored.jsonl"):
                got.setdefault(row["series"], []).append(row["score"])
            need(list(got) == list(expected), f"{' '.join(way)}: other series came out")
            for name, wanted in expected.items():
                need(len(wanted) == len(got[name]), f"{' '.join(way)} {name}: {len(wanted)} scores expected, {len(got[name])} came")
                for at, (a, b) in enumerate(zip(wanted, got[name]), 1):
                    need(abs(a - b) < 1e-11, f"{' '.join(way)} {name}:{at}: expected {a}, got {b}")


def checks(data):
    return [("scores of the windowed Gaussian", lambda: scores(data))]
