"""The big list of naughty strings: through JSON, CSV, keys and the functions on text. Expected: Python's strings,
which count code points as Mut does."""
import csv
import io
import json

from .harness import FAST, SLOW, Scratch, need

NEEDS = ["strings/blns.json"]
SCRIPT = """type Row = { id: int, s: string, at: time }
source rows: Row = file("in.jsonl")
  time at
stream told = rows
  | select id, s, n = s.len(), head = s.slice(0, 3), rest = s.slice(3, 100000), parts = s.split(" "), swapped = s.replace("a", "<\\">"),
           begins = s.starts_with("<"), ends = s.ends_with(">"), script = s.contains("script"), twice = s + s, told = "{s}|{id}",
           first = count() over all by s, same = s == s.slice(0, 1) + s.slice(1, 100000)
stream groups = rows
  | aggregate n = count(), least = min(s), most = max(s) by s window all
emit told to file("told.jsonl")
emit groups to file("groups.jsonl")
emit rows to file("copy.csv")
emit rows.errors to file("errors.jsonl")
"""


def expected_of(strings):
    seen, rows = {}, []
    for number, s in enumerate(strings):
        seen[s] = seen.get(s, 0) + 1
        rows.append({
            "id": number, "s": s, "n": len(s), "head": s[:3], "rest": s[3:], "parts": s.split(" "), "swapped": s.replace("a", '<">'),
            "begins": s.startswith("<"), "ends": s.endswith(">"), "script": "script" in s, "twice": s + s, "told": f"{s}|{number}",
            "first": seen[s], "same": True,
        })
    groups = [{"s": s, "n": seen[s], "least": s, "most": s} for s in sorted(seen)]
    return rows, groups


def every_string(data, ascii_only):
    strings = json.loads((data / NEEDS[0]).read_text(encoding="utf-8"))
    need(len(strings) > 500, "a part of the list is missing")
    strings += ["\0", "a\0b", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"), "\u2028", "\x7f", "\U0010ffff", "a" * 70_000]
    told, groups = expected_of(strings)
    lines = [json.dumps({"id": i, "s": s, "at": f"2026-01-01T00:{i // 60:02}:{i % 60:02}Z"}, ensure_ascii=ascii_only)
             for i, s in enumerate(strings)]
    with Scratch() as scratch:
        scratch.put("in.jsonl", "\n".join(lines).encode())
        for way in FAST + SLOW:
            scratch.run(SCRIPT, *way)
            need(scratch.bytes("errors.jsonl") == b"", f"errors: {scratch.bytes('errors.jsonl')[:300]}")
            scratch.must_hold("told.jsonl", told)
            scratch.must_hold("groups.jsonl", groups)
            if "reference" not in way:  # its CSV has no header yet
                got = list(csv.reader(io.StringIO(scratch.bytes("copy.csv").decode(), newline="")))
                need([row[1] for row in got[1:]] == strings, f"{' '.join(way)}: CSV holds other strings")
        scratch.run(SCRIPT, "--bind", "source:rows=copy.csv", "--bind", "sink:rows=copy.jsonl")
        need([row["s"] for row in scratch.rows("copy.jsonl")] == strings, "CSV is read as other strings")
        scratch.must_hold("told.jsonl", told)


def checks(data):
    return [
        ("as they are", lambda: every_string(data, False)),
        ("with \\u escapes", lambda: every_string(data, True)),
    ]
