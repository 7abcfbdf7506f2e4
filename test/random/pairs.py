"""Which kinds of stages stood behind which, on which input, under which exchanges; kept between runs."""
import hashlib
import json
import os
import subprocess

import comparing
import running

DISORDERS = ("in order", "out of order", "late")
SWAPS = ("none", "disturbed", "edited")


def all_pairs():
    """Of (first, second): why no program can have it, or empty; and the least seed whose program has it for certain."""
    done = subprocess.run([os.path.join(running.BUILD, "bin/random_program"), "--pairs"], check=True, capture_output=True, text=True)
    out = {}
    for line in done.stdout.splitlines():
        first, second, reason, seed = line.split("\t")
        out[first, second] = reason, int(seed)
    return out


def pairs_of(made, expected):
    """Disorder and pairs of a program; a pair counts where a row came out behind it."""
    lines = comparing.rows(os.path.join(made, "pairs.txt"))
    out = set()
    for line in lines[1:]:
        first, second, stream = line.split("\t")
        path = os.path.join(expected, stream + ".out.jsonl")
        if os.path.exists(path) and os.path.getsize(path) > 0:
            out.add((first, second))
    return lines[0], out


class Seen:
    """Counts programs by (first, second, disorder, swap)."""

    def __init__(self):
        known = all_pairs()
        self.reasons = {pair: reason for pair, (reason, _) in known.items()}
        self.seeds = {pair: seed for pair, (reason, seed) in known.items() if not reason}
        self.possible = [pair for pair, reason in self.reasons.items() if not reason]
        self.counts = {}
        self.unexpected = set()

    def add(self, disorder, pairs, swaps):
        for pair in pairs:
            if self.reasons.get(pair, "unknown"):
                self.unexpected.add(pair)
            for swap in swaps:
                cell = (*pair, disorder, swap)
                self.counts[cell] = self.counts.get(cell, 0) + 1

    def missing(self):
        """Pairs that were not seen on an input of each disorder, or not under each kind of exchange."""
        known = {(*cell[:2], value) for cell in self.counts for value in cell[2:]}
        return [(*pair, value) for pair in self.possible for value in DISORDERS + SWAPS if (*pair, value) not in known]

    def more_seeds(self, after, attempt):
        """Seeds beyond `after` of the pairs that are missing, one of each for an attempt."""
        count = len(self.possible)
        begin = (after // count + 1 + attempt) * count
        return sorted({begin + self.seeds[first, second] for first, second, _ in self.missing()})

    def short(self):
        seen = {cell[:2] for cell in self.counts}
        cells = len(self.possible) * len(DISORDERS) * len(SWAPS)
        return (f"{len(seen)} of {len(self.possible)} ordered pairs of stage kinds seen, "
                f"{len(self.counts)} of {cells} with disorder and swap")

    def table(self):
        """A line for each pair: in how many programs, by swap and disorder."""
        out = [f"first > second: {', '.join(SWAPS)}; each {'/'.join(DISORDERS)}"]
        for pair in self.possible:
            numbers = ["/".join(str(self.counts.get((*pair, d, s), 0)) for d in DISORDERS) for s in SWAPS]
            out.append(f"{pair[0]} > {pair[1]}: {', '.join(numbers)}")
        return out

    def excluded(self):
        reasons = {}
        for (first, second), reason in self.reasons.items():
            if reason:
                reasons.setdefault((first, reason), []).append(second)
        return [f"left out: {first} > {', '.join(seconds)}: {reason}" for (first, reason), seconds in reasons.items()]


def fingerprint():
    """Of the generator: what was seen of another one says nothing."""
    with open(os.path.join(running.BUILD, "bin/random_program"), "rb") as program:
        return hashlib.sha256(program.read()).hexdigest()


def save(path, seen, progress):
    with open(path + ".new", "w", encoding="utf-8") as out:
        json.dump({**progress, "generator": fingerprint(), "counts": [[*cell, n] for cell, n in seen.counts.items()]}, out)
    os.replace(path + ".new", path)


def load(path, seen):
    """What was kept of a run of the same generator, or None."""
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as kept:
        found = json.load(kept)
    if found.pop("generator") != fingerprint():
        return None
    seen.counts = {tuple(row[:4]): row[4] for row in found.pop("counts")}
    return found
