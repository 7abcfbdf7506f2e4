"""Numenta Anomaly Benchmark: the scores that its `windowedGaussian` detector gave to each point of 38 series.

All series go through one script, interleaved, so that each needs its own state. The detector fills a window of 6,400
values and then moves it by steps. `gaussian.mut` does not, so there a series is compared while the window fills, and the
history may be all values or as many as there are; half of that is enough. `std.anomaly` does, and is compared to the end.
"""
import csv
import json
import math

from . import nab_measure
from .harness import FAST, SCRIPTS, Scratch, need

NEEDS = ["nab/label_windows.json", "nab/data/realTweets/Twitter_volume_AAPL.csv",
         "nab/windowed_gaussian/realTweets/Twitter_volume_AAPL.csv"]
FILLED = 3200
WAYS = [["--tier", "optimised"], ["--batch", "1024", "--disturb=swap"]]


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


def whole(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def by_time(data):
    """Rows (time, series, value) of all series in order of time, and the names of the series."""
    folder = data / "nab/data"
    paths = sorted(folder.glob("*/*.csv"))
    names = [str(path.relative_to(folder)) for path in paths]
    rows = [(row["timestamp"], name, row["value"]) for name, path in zip(names, paths) for row in whole(path)]
    return sorted(rows, key=lambda row: row[0]), names


def detected(data, output, *options):
    """Scores of each series, as the script writes them."""
    rows, names = by_time(data)
    lines = ["series,timestamp,value", *(f"{name},{at},{value}" for at, name, value in rows)]
    with Scratch() as scratch:
        scratch.put("points.csv", ("\n".join(lines) + "\n").encode())
        script = (SCRIPTS / "anomaly.mut").read_text(encoding="utf-8")
        other = {"gaussian": "novel", "novel": "gaussian"}[output]
        script = "\n".join(line for line in script.split("\n") if not line.startswith(f"emit {other} "))
        scratch.run(script, *options)
        scores = {name: [] for name in names}
        for row in scratch.rows(f"{output}.jsonl"):
            scores[row["series"]].append(row["score"])
    return scores


def expected_scores(data):
    folder = data / "nab/windowed_gaussian"
    paths = sorted(folder.glob("*/*.csv"))
    return {str(path.relative_to(folder)): [float(row["anomaly_score"]) for row in whole(path)] for path in paths}


def every_score(data):
    got, expected = detected(data, "gaussian"), expected_scores(data)
    need(list(got) == list(expected), "other series came out")
    greatest, rows = 0.0, 0
    for name, wanted in expected.items():
        need(len(wanted) == len(got[name]), f"{name}: {len(wanted)} scores expected, {len(got[name])} came")
        for at, (a, b) in enumerate(zip(wanted, got[name]), 1):
            need(abs(a - b) <= 1e-6, f"{name}:{at}: expected {a}, got {b}")
            greatest, rows = max(greatest, abs(a - b)), rows + 1
    need(rows > 270_000, f"{rows} rows are not all")
    return f"{rows} rows of {len(expected)} series, the greatest difference is {greatest:.1e}"


def detector(values, size, step):
    """The rules of windowedGaussian: the window moves when `step` values have come since it was full."""
    window, waiting, out = [], [], []
    for value in values:
        if not window:
            out.append(0.0)
        else:
            mean = math.fsum(window) / len(window)
            deviation = math.sqrt(math.fsum((x - mean) ** 2 for x in window) / len(window)) or 0.000001
            out.append(1.0 - 0.5 * math.erfc(abs(value - mean) / deviation / math.sqrt(2.0)))
        if len(window) < size:
            window.append(value)
            continue
        waiting.append(value)
        if len(waiting) == step:
            window, waiting = window[step:] + waiting, []
    return out


def small_windows(data):
    """A window that moves often, every way of running: 500 rows of each of four series."""
    rows, names = by_time(data)
    chosen = [name for name in names if name.startswith("realTweets")][:4]
    rows = [row for name in chosen for row in [row for row in rows if row[1] == name][:500]]
    rows.sort(key=lambda row: row[0])
    expected = {name: detector([float(row[2]) for row in rows if row[1] == name], 64, 8) for name in chosen}
    script = (SCRIPTS / "anomaly.mut").read_text(encoding="utf-8").replace("6400, 100", "64, 8")
    with Scratch() as scratch:
        scratch.put("points.csv", ("series,timestamp,value\n" + "".join(f"{name},{at},{value}\n" for at, name, value in rows)).encode())
        other = None
        for way in FAST + [["--engine", "reference"]]:
            scratch.run(script, *way)
            got = {name: [] for name in chosen}
            for row in scratch.rows("gaussian.jsonl"):
                got[row["series"]].append(row["score"])
            for name in chosen:
                need(len(got[name]) == 500, f"{' '.join(way)} {name}: {len(got[name])} scores")
                for at, (a, b) in enumerate(zip(expected[name], got[name]), 1):
                    need(abs(a - b) < 1e-9, f"{' '.join(way)} {name}:{at}: expected {a}, got {b}")
            novel = scratch.bytes("novel.jsonl")
            need(other in (None, novel), f"{' '.join(way)}: other rows of `novel`")
            other = novel


def judged_by_labels(data):
    """`novel` must be clearly better by the labels than the scores of the benchmark's detector, also with thresholds from
    series that it is not judged by."""
    labels = json.loads((data / "nab/label_windows.json").read_text())
    series = {}
    for name, windows in labels.items():
        times = [row["timestamp"] for row in whole(data / "nab/data" / name)]
        spans = [[at for at, time in enumerate(times) if begin[:19] <= time <= end[:19]] for begin, end in windows]
        series[name] = [(span[0], span[-1]) for span in spans]
    theirs = nab_measure.measure(series, expected_scores(data))
    ours = nab_measure.measure(series, detected(data, "novel"))
    said = "novel {:.1f}, thresholds crossed {:.1f}; windowedGaussian {:.1f} and {:.1f}".format(*ours, *theirs)
    need(ours[0] > theirs[0] + 8 and ours[1] > theirs[1] + 8, said)
    return said


def checks(data):
    return [
        ("scores of the windowed Gaussian while its window fills", lambda: scores(data)),
        ("every score of windowedGaussian", lambda: every_score(data)),
        ("a window that moves often, every way", lambda: small_windows(data)),
        ("a better detector, by the labels", lambda: judged_by_labels(data)),
    ]
