"""Nexmark, small, with the answers that come with it; the queries that need no join."""
import json

from .harness import FAST, SLOW, Scratch, need

NEEDS = ["nexmark-small/bid.jsonl", "nexmark-small/expected.json"]
QUERIES = ["q0", "q1", "q2", "q10", "q14", "q15", "q16", "q17", "q18", "q21", "q22"]


def words(text):
    """The columns of a row. Numbers are compared as numbers."""
    out = []
    for word in text.split():
        try:
            out.append(("", float(word)))
        except ValueError:
            out.append((word, 0.0))
    return tuple(out)


def shown(value):
    """As the answers write it: times with a blank and no zone."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text.replace("T", " ", 1).removesuffix("Z") if text.endswith("Z") and text[:4] == "2015" else text


def compare(query, expected, rows, ordered=False):
    wanted = [words(row) for row in expected]
    got = [words(" ".join(map(shown, row.values()))) for row in rows]
    if not ordered:
        wanted.sort()
        got.sort()
    need(len(wanted) == len(got), f"{query}: {len(wanted)} rows expected, {len(got)} came")
    for a, b in zip(wanted, got):
        need(a == b, f"{query}: expected {a}, got {b}")


def last_of_several(data):
    """Auction and bidder of q18 with two newest bids: SQL may take either, Mut takes the one that came last."""
    newest = {}
    for line in (data / NEEDS[0]).read_text().splitlines():
        bid = json.loads(line)
        newest.setdefault((bid["auction"], bid["bidder"]), []).append(bid["date_time"])
    return [key for key, times in newest.items() if times.count(max(times)) > 1]


def queries(data):
    answers = json.loads((data / NEEDS[1]).read_text(encoding="utf-8"))
    ties = last_of_several(data)
    need(len(ties) == 2, f"two ties known, {ties} found")
    answers["q18"]["rows"] = [row for row in answers["q18"]["rows"] if tuple(map(int, row.split()[:2])) not in ties]
    with Scratch() as scratch:
        scratch.link("bid.jsonl", data / NEEDS[0])
        for way in FAST[:-1] + SLOW:
            scratch.run("nexmark.mut", *way)
            for query in QUERIES:
                rows = scratch.rows(f"{query}.jsonl")
                if query == "q18":
                    need(len(rows) == 24, f"q18: 24 rows expected, {len(rows)} came")
                    rows = [row for row in rows if (row["auction"], row["bidder"]) not in ties]
                compare(f"{' '.join(way)} {query}", answers[query]["rows"], rows)


def checks(data):
    return [(" ".join(QUERIES), lambda: queries(data))]
