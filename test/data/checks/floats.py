"""Texts of numbers with the bits that they mean (parse-number-fxx-test-data): read as JSON, as CSV and by a cast,
written out, and read back by Python."""
import csv
import io
import re
import struct

from .harness import Scratch, need

NEEDS = ["numbers/lemire-fast-float.txt", "numbers/tencent-rapidjson.txt", "numbers/more-test-cases.txt"]
JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
ROWS = "type Row = { x: TYPE }\nsource rows: Row = file(\"in.FORMAT\")\nemit rows to file(\"out.FORMAT\")\nemit rows.errors to file(\"errors.jsonl\")\n"
CAST = ("type Row = { t: string }\nsource rows: Row = file(\"in.jsonl\")\n"
        "stream out = rows | select x = t as TYPE?\nemit out to file(\"out.jsonl\")\n")
WAYS = [[], ["--batch", "7"], ["--engine", "reference"]]


def texts(data):
    """(text, bits as f32, bits as f64)"""
    out = []
    for name in NEEDS:
        for line in (data / name).read_text().splitlines():
            _, single, double, text = line.split(" ")
            if JSON_NUMBER.fullmatch(text):
                out.append((text, int(single, 16), int(double, 16)))
    need(len(out) > 6800, "a part of the numbers is missing")
    return out


def bits(value, type_name):
    form, whole = ("<f", "<I") if type_name == "f32" else ("<d", "<Q")
    return struct.unpack(whole, struct.pack(form, value))[0]


def is_infinite(pattern, type_name):
    return (pattern & (2 ** 31 - 1)) == 0x7F800000 if type_name == "f32" else (pattern & (2 ** 63 - 1)) == 0x7FF0000000000000


def read_column(scratch, kind):
    text = scratch.bytes(f"out.{kind}").decode()
    if kind == "jsonl":
        return [re.fullmatch(r'\{"x":(.*)\}', line).group(1) for line in text.splitlines()]
    rows = list(csv.reader(io.StringIO(text, newline="")))
    need(rows[0] == ["x"], "the header is missing")
    return [row[0] for row in rows[1:]]


def round_trip(data, type_name, kind):
    numbers = [(text, single if type_name == "f32" else double) for text, single, double in texts(data)]
    fits = [(text, pattern) for text, pattern in numbers if not is_infinite(pattern, type_name)]
    too_large = [at for at, (_, pattern) in enumerate(numbers, 1) if is_infinite(pattern, type_name)]
    need(len(fits) > 6000 and len(too_large) > 20, "the numbers tell too little")
    lines = [f'{{"x": {text}}}' for text, _ in numbers] if kind == "jsonl" else ["x"] + [text for text, _ in numbers]
    script = ROWS.replace("TYPE", type_name).replace("FORMAT", kind)
    with Scratch() as scratch:
        scratch.put(f"in.{kind}", "\n".join(lines).encode())
        for way in WAYS:
            if kind == "csv" and "reference" in way:
                continue  # its CSV has no header yet
            scratch.run(script, *way)
            got = read_column(scratch, kind)
            need(len(got) == len(fits), f"{' '.join(way)}: {len(fits)} rows expected, {len(got)} came")
            for (text, pattern), written in zip(fits, got):
                need(bits(float(written), type_name) == pattern, f"{' '.join(way)}: {text} came out as {written}")
                need("." in written or "e" in written, f"{written} looks like an integer")
            places = [int(row["input"].split(":")[1]) - (kind == "csv") for row in scratch.rows("errors.jsonl")]
            need(places == too_large, f"{' '.join(way)}: what is too large is at {too_large[:5]}…, errors at {places[:5]}…")


def shortest(data):
    """No text with fewer digits reads back: Python's repr is known to be the shortest."""
    numbers = [text for text, _, double in texts(data) if not is_infinite(double, "float")]
    with Scratch() as scratch:
        scratch.put("in.jsonl", "\n".join(f'{{"x": {text}}}' for text in numbers).encode())
        scratch.run(ROWS.replace("TYPE", "float").replace("FORMAT", "jsonl"))
        for text, written in zip(numbers, read_column(scratch, "jsonl")):
            digits = [re.sub(r"e.*|[-.]", "", form).strip("0") for form in (written, repr(float(text)))]
            need(len(digits[0]) == len(digits[1]), f"{text} came out as {written}, {repr(float(text))} is as good or shorter")


def cast(data, type_name):
    numbers = [(text, single if type_name == "f32" else double) for text, single, double in texts(data)]
    with Scratch() as scratch:
        scratch.put("in.jsonl", "\n".join(f'{{"t": "{text}"}}' for text, _ in numbers).encode())
        for way in WAYS:
            scratch.run(CAST.replace("TYPE", type_name), *way)
            for (text, pattern), row in zip(numbers, scratch.rows("out.jsonl"), strict=True):
                value = row["x"]
                if is_infinite(pattern, type_name):
                    need(value is None, f"{' '.join(way)}: {text} is {value}")
                else:
                    need(value is not None and bits(value, type_name) == pattern, f"{' '.join(way)}: {text} is {value}")


def checks(data):
    return [
        ("read as JSON, to the bit", lambda: round_trip(data, "float", "jsonl")),
        ("read as CSV, to the bit", lambda: round_trip(data, "float", "csv")),
        ("read as JSON into f32, to the bit", lambda: round_trip(data, "f32", "jsonl")),
        ("read as CSV into f32, to the bit", lambda: round_trip(data, "f32", "csv")),
        ("written as short as can be", lambda: shortest(data)),
        ("cast from text", lambda: cast(data, "float")),
        ("cast from text to f32", lambda: cast(data, "f32")),
    ]
