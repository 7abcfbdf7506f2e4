"""Scripts that are run, and what must come out of them."""
import json
import os

from harness import must

COUNT = 3000  # rows, where any number does
RECORD_MAX = 16 << 20  # bytes; a longer record is an error
# More than a run with a program of a few stages takes, with what waits and one record at its limit.
MEMORY_MB = 150 * float(os.environ.get("MUT_SLOWER", "1"))

FORMATS = {
    "json": (lambda n: b'{"n":%d,"pad":"a\\"b"}\n' % n, b""),
    "csv": (lambda n: b'%d,"a""b\nc"\n' % n, b"n,pad\n"),
    "tsv": (lambda n: b"%d\tab\n" % n, b"n\tpad\n"),
    "lines": (lambda n: b"%d\n" % n, b""),
}


def script(source, sink='file("out.jsonl")', version=1, form="json"):
    field = "int(line)" if form == "lines" else "n"
    record = "{ line: string }" if form == "lines" else "{ n: int, pad: string? }"
    return f"""source r: {record} = {source}
stream out = r | select n = {field}, v = {version}
emit out to {sink} as o
emit r.errors to file("errors.jsonl")
"""


def generated(count="", rate="", version=1, sink="", more=""):
    options = ", ".join(["seed: 1", *([f"count: {count}"] if count else []), *([f"rate: {rate}"] if rate else [])])
    return f"""type R = {{ n: int, pad: string, at: time }}
source r: R = generate({options}) {{ n = n, pad = "a,b" }} time at
stream out = r | select n, v = {version}, pad{more}
emit out to {sink} as o
"""


def numbers(found):
    return [row["n"] for row in found]


def differ(got, wanted):
    for index, (one, other) in enumerate(zip(got, wanted)):
        if one != other:
            return f"at {index}: {one!r} where {other!r} is wanted"
    return f"{len(got)} where {len(wanted)} are wanted"


def must_be(got, wanted, what="rows"):
    must(got == wanted, lambda: f"{what} differ, {differ(got, wanted)}")


def must_print(run, wanted):
    """What the run writes to its standard output, a pipe, by the time that it has written as many lines; then it is stopped."""
    got = b""
    while got.count(b"\n") < wanted.count("\n"):
        piece = os.read(run.process.stdout.fileno(), 65536)
        must(piece, f"it ended: {run.said()}")
        got += piece
    run.stop()
    must_be(got.decode(), wanted, "output")


def numbers_of(data):
    return [json.loads(line)["n"] for line in data.split(b"\n")[:-1]]
