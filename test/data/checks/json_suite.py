"""JSONTestSuite: what starts with y is JSON, what starts with n is none, what starts with i may be either.

Each file becomes the value of a field, one record a line, so that one bad record must not disturb its neighbours.
"""
import json

from .harness import Scratch, need

NEEDS = ["json-conformance/parsing/y_array_empty.json"]
SCRIPT = """type Row = { id: int, v: json? }
source rows: Row = file("rows.jsonl")
emit rows to file("out.jsonl")
emit rows.errors to file("errors.jsonl")
"""
WAYS = [[], ["--tier", "optimised"], ["--batch", "1"], ["--batch", "7"], ["--batch", "7", "--disturb=swap"]]


def is_record(line):
    """A JSON object. Python takes NaN and infinities beyond JSON, and has no depth for the deepest files."""
    def refuse(name):
        raise ValueError(name)
    try:
        return isinstance(json.loads(line.decode("utf-8"), parse_constant=refuse), dict)
    except (ValueError, RecursionError):
        return False


def wrapped(number, content):
    return b'{"id": %d, "v": %s}' % (number, content)


def accepted(data):
    lines, expected = [], []
    for number, path in enumerate(sorted((data / "json-conformance/parsing").glob("y_*.json"))):
        content = path.read_bytes()
        lines.append(wrapped(number, content.replace(b"\n", b" ")))
        expected.append({"id": number, "v": json.loads(content.decode("utf-8"))})
    need(len(lines) == 95, f"95 files expected, {len(lines)} found")
    with Scratch() as scratch:
        scratch.put("rows.jsonl", b"\n".join(lines))
        for way in WAYS + [["--engine", "reference"]]:
            scratch.run(SCRIPT, *way)
            got = scratch.rows("out.jsonl")
            need(scratch.bytes("errors.jsonl") == b"", f"refused: {scratch.bytes('errors.jsonl')[:500]}")
            for number, row in enumerate(expected):
                need(got[number] == row, f"{' '.join(way)}: {lines[number]} came out as {got[number]}")


def refused(data):
    """Between any two of them stands a good record."""
    lines, bad, good = [], [], 0
    for path in sorted((data / "json-conformance/parsing").glob("n_*.json")):
        for line in wrapped(0, path.read_bytes()).split(b"\n"):
            need(not is_record(line), f"{path.name}: {line[:100]} is a record")
            bad.append(len(lines) + 1)
            lines.append(line)
        lines.append(wrapped(good, b"[]"))
        good += 1
    need(good == 188, f"188 files expected, {good} found")
    with Scratch() as scratch:
        scratch.put("rows.jsonl", b"\n".join(lines))
        for way in WAYS + [["--engine", "reference"]]:
            scratch.run(SCRIPT, *way)
            got = [int(row["input"].split(":")[1]) for row in scratch.rows("errors.jsonl")]
            odd = sorted(set(got) ^ set(bad))
            need(got == bad, f"{' '.join(way)}: refused or taken against the suite: " +
                 "; ".join(f"line {number}: {lines[number - 1][:80]}" for number in odd[:5]))
            need(scratch.rows("out.jsonl") == [{"id": number, "v": []} for number in range(good)], f"{' '.join(way)}: good records suffer")


def survived(data):
    """Every file as it is, as the input of a source: whatever it says, the run ends well."""
    with Scratch() as scratch:
        (scratch.folder / "parsing").symlink_to((data / "json-conformance/parsing").resolve())
        for way in WAYS:
            scratch.run(SCRIPT, "--bind", "source:rows=parsing/*.json", *way)
        for depth, taken in ((256, True), (257, False), (100_000, False)):  # 256 is the limit
            scratch.put("rows.jsonl", wrapped(1, b"[" * (depth - 1) + b"]" * (depth - 1)))
            scratch.run(SCRIPT)
            need(len(scratch.rows("out.jsonl")) == taken, f"{depth} levels of nesting: {'refused' if taken else 'taken'}")


def transformed(data):
    """Values that parsers are known to change: what passes through is what came."""
    with Scratch() as scratch:
        paths = sorted((data / "json-conformance/transform").glob("number_*.json"))
        scratch.put("rows.jsonl", b"\n".join(wrapped(i, path.read_bytes().strip()) for i, path in enumerate(paths)))
        scratch.run(SCRIPT)
        for path, line in zip(paths, scratch.bytes("out.jsonl").decode().splitlines(), strict=True):
            before = json.loads(path.read_text(), parse_float=str, parse_int=str)
            after = json.loads(line, parse_float=str, parse_int=str)["v"]
            need(before == after, f"{path.name}: {before} came out as {after}")


def checks(data):
    return [
        ("95 texts are accepted", lambda: accepted(data)),
        ("188 texts are refused, their neighbours not", lambda: refused(data)),
        ("no file harms a run", lambda: survived(data)),
        ("numbers pass as they came", lambda: transformed(data)),
    ]
