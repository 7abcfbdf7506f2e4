"""One line for each W of the suite: what was measured, beside the hand-written side and the best peer."""
import json
import os
import shutil
import subprocess

# The workload, or the figures, that stand for each W; further ones that a peer has too.
BY_RATE = {"W1": "w1a", "W2": "w2q2", "W2 q1": "w2q1", "W3": "w3bcol", "W4": "w4q5", "W4 q7": "w4q7", "W4 q12": "w4q12",
           "W5": "w5q18", "W6": "w6", "W7": "w7max1e5"}
BY_FIGURES = {
    "W8": ("w8", [("first event of 10 operators", "first_event_warm_ms_10", "ms")]),
    "W9": ("w9", [("gap of an edit p99", "a_to_d_seen_ms_p99", "ms")]),
    "W10": ("w10", [("windows at 50 % p50", "views_at_50_us_p50", "us"), ("p99", "views_at_50_us_p99", "us")]),
}
NOT_THERE = {"W11": "no workload: the engine has no models yet", "W12": "no workload: none is written yet"}
MINUTES_MAX = 25
MINUTES_FOR_RETRIES = 18  # later no pair is made again because the machine was noisy

DUCKDB = "@duckdb/node-api@1.5.6-r.1"
PEERS_WITHOUT = {"Flink, Kafka Streams, Hazelcast": "not on npm or Debian"}


class NoPeer(Exception):
    """Why a peer could not be had."""


def install_duckdb(folder):
    if not shutil.which("npm") or not shutil.which("node"):
        raise NoPeer("npm is missing")
    if not (folder / "node_modules/@duckdb/node-api").exists():
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), DUCKDB],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise NoPeer("npm could not install it: " + (done.stderr.strip().splitlines() or ["?"])[0])


def run_duckdb(script, folder, ndjson, pairs, core):
    """Rates by workload, and the checks; NoPeer says why not."""
    install_duckdb(folder)
    done = subprocess.run(["node", str(script), str(folder), str(ndjson), str(pairs)],
                          capture_output=True, text=True, preexec_fn=lambda: os.sched_setaffinity(0, {core}))
    if done.returncode != 0:
        raise NoPeer("it failed: " + (done.stderr.strip().splitlines() or ["?"])[-1])
    return {found["workload"]: found for found in map(json.loads, done.stdout.splitlines())}


def peer_rate(found, wanted):
    """Million events a second, or why there is none."""
    if wanted and not wanted.startswith(found["check"]):
        return None, f"DuckDB says {found['check']}"
    return found["events"] / found["seconds"] / 1e6, ""


def share(value):
    return f"{value:.2f}" if value >= 0.1 else f"{value:.4f}"


def lines(pairs, figures, peers, expected, no_peer):
    """Rows of the table: W, workload, measured, share of limit, ratio to best peer, tier, compile ms, MiB, note."""
    rows = []
    by_name = {of["workload"]: of for of in pairs}
    for w, name in BY_RATE.items():
        of = by_name.get(name)
        if of is None or of["wrong_check"] or "engine_million_per_s" not in of:
            rows.append([w, name, "no time: " + ((of or {}).get("wrong_check") or "it was not run")] + [""] * 6)
            continue
        beside, note = no_peer or "–", "" if of["calm"] else "noisy"
        if name in peers:
            rate, why = peer_rate(peers[name], expected.get(name))
            beside = f"{share(of['engine_million_per_s'] / rate)} x DuckDB (batch)" if rate else why
        rows.append([w, name, f"{of['engine_million_per_s']:.1f} M/s", share(of["ratio"]), beside, of["tier"],
                     f"{of['compile_ms']:.1f}", f"{of['rss_bytes'] / 2**20:.0f}", note])
    by_name = {of["workload"]: of for of in figures}
    for w, (name, shown) in BY_FIGURES.items():
        of = by_name.get(name)
        if of is None or of["check"] != "ok":
            rows.append([w, name, "no figure: " + (of["check"] if of else "it was not run")] + [""] * 6)
            continue
        text = ", ".join(f"{what} {of['figures'][figure]:.2f} {unit}" if figure in of["figures"] else f"{what} not measured"
                         for what, figure, unit in shown)
        rows.append([w, name, text, "–", "–", "–", "–", "–", ""])
    rows += [[w, "–", why] + [""] * 6 for w, why in NOT_THERE.items()]
    return rows
