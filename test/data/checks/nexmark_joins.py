"""Nexmark, small, with the answers that come with it; queries with joins, with `top` and with tables."""
import json

from .harness import FAST, SLOW, Scratch
from .nexmark import compare

NEEDS = [f"nexmark-small/{name}" for name in ("person.jsonl", "auction.jsonl", "bid.jsonl", "expected.json")]
# Script -> its queries.
SCRIPTS = {
    "nexmark_joins.mut": ["q3", "q4", "q5", "q6_group_top1", "q7", "q8", "q9", "q19", "q20",
                          "q101", "q102", "q103", "q104", "q105", "q106"],
    "nexmark_top.mut": ["q6_group_top1", "q9", "q19", "q105"],
    "nexmark_tables.mut": ["q20"],
    "nexmark_table_heads.mut": ["q4", "q106"],
}


def run(data, script, queries):
    answers = json.loads((data / NEEDS[3]).read_text(encoding="utf-8"))
    with Scratch() as scratch:
        for need in NEEDS[:3]:
            scratch.link(need.split("/")[1], data / need)
        for way in FAST[:-1] + SLOW:
            scratch.run(script, *way)
            for query in queries:
                rows = scratch.rows(f"{query}.jsonl")
                expected = [row.replace("NULL", "null") for row in answers[query]["rows"]]
                compare(f"{' '.join(way)} {query}", expected, rows, answers[query]["ordered"])


def checks(data):
    return [(f"{script} {' '.join(queries)}", lambda s=script, q=queries: run(data, s, q))
            for script, queries in SCRIPTS.items()]
