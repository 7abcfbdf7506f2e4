"""Named kinds of damage at known lines of the retail data: each comes out in `.errors` with its position, nothing
else does, and the totals are those of the file without the damaged lines."""
import csv
import io
import json

from .harness import FAST, SLOW, Scratch, decode_error, need, same_rows
from .retail import NEEDS, SLICE_LINES, compare, expected_of, first_lines, read


def cell(column, value):
    """Replaces one cell of a line without quotes."""
    def damage(line):
        cells = line.split(b",")
        cells[column] = value
        return b",".join(cells)
    return damage


# name: (how a line is damaged, how the message begins)
CSV_KINDS = {
    "truncated line": (lambda line: line[:line.index(b",", line.index(b",") + 1) + 4], "expected 8 fields, found 3"),
    "one cell too many": (lambda line: line + b",", "expected 8 fields, found 9"),
    "quantity is no number": (cell(3, b"six"), "field `pieces`"),
    "quantity is a fraction": (cell(3, b"6.5"), "field `pieces`"),
    "quantity has a NUL byte": (cell(3, b"6\0"), "field `pieces`"),
    "quantity leaves 64 bits": (cell(3, b"9223372036854775808"), "field `pieces`"),
    "price leaves the floats": (cell(5, b"1e999"), "field `price`"),
    "price is empty": (cell(5, b""), "field `price`"),
    "no such day": (cell(4, b"2011-02-29 08:26:00"), "field `at`"),
    "not UTF-8": (cell(2, b"CAF\xe9 SIGN"), "not UTF-8"),
    "UTF-8 cut short": (cell(7, b"R\xc3"), "not UTF-8"),
    "blank before a number": (cell(3, b" 6"), "field `pieces`"),
    "text after a quote": (cell(2, b'"RED "BIG" BELL"'), "text after a closing quote"),
    "quote left open": (lambda line: b'"' + line, "text after a closing quote"),
}

JSON_KINDS = {
    "truncated line": (lambda line: line[: len(line) // 2], ""),
    "brace missing": (lambda line: line[:-1], ""),
    "text after the value": (lambda line: line + b" x", ""),
    "two values in a line": (lambda line: line + line, ""),
    "no object": (lambda line: b"[" + line + b"]", ""),
    "quote left open": (lambda line: line.replace(b'"Country": "', b'"Country": "\\"', 1)[:-2] + b"}", ""),
    "quantity is text": (lambda line: replaced(line, "Quantity", '"6"'), "field `pieces`"),
    "quantity is a fraction": (lambda line: replaced(line, "Quantity", "6.5"), "field `pieces`"),
    "quantity leaves 64 bits": (lambda line: replaced(line, "Quantity", "9223372036854775808"), "field `pieces`"),
    "price leaves the floats": (lambda line: replaced(line, "UnitPrice", "1e999"), "field `price`"),
    "price is null": (lambda line: replaced(line, "UnitPrice", "null"), "field `price`"),
    "price is missing": (lambda line: line.replace(b'"UnitPrice"', b'"unitprice"'), "field `price`"),
    "no such day": (lambda line: replaced(line, "InvoiceDate", '"2011-02-29 08:26:00"'), "field `at`"),
    "not UTF-8": (lambda line: line.replace(b'"Country": "', b'"Country": "\xe9'), ""),
    "NUL byte in text": (lambda line: line.replace(b'"Country": "', b'"Country": "\0'), ""),
    "half a surrogate pair": (lambda line: replaced(line, "Country", '"\\ud83d"'), ""),
    "number with a leading zero": (lambda line: replaced(line, "CustomerID", "017850"), ""),
}


def replaced(line, name, value):
    """The JSON line with another text for one value."""
    return json.dumps(json.loads(line) | {name: "@@"}).replace('"@@"', value).encode()


def as_json(content):
    """The same records as JSON lines."""
    lines = []
    for record in csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")):
        row = {name: value for name, value in record.items() if value != ""}
        row["Quantity"] = int(row["Quantity"])
        row["UnitPrice"] = float(row["UnitPrice"])
        if "CustomerID" in row:
            row["CustomerID"] = float(row["CustomerID"])
        lines.append(json.dumps(row).encode())
    return lines


def damage_lines(lines, kinds, first):
    """Damages one line for each kind, evenly spread; gives the new lines, the indices and what was made of them."""
    step = (len(lines) - first) // len(kinds)
    out, hurt = list(lines), {}
    for number, (kind, (damage, message)) in enumerate(kinds.items()):
        at = first + number * step + 7
        while b'"' in lines[at] and first == 1:  # kinds for CSV want a line without quotes
            at += 1
        out[at] = damage(lines[at])
        need(out[at] != lines[at], f"{kind}: the line is not damaged")
        hurt[at] = (out[at], message)
    return out, hurt


def run_damaged(target, script_args, content, hurt, sound, ways):
    """hurt: index of the line -> (raw, message). sound: the CSV file without what is damaged."""
    expected = expected_of(sound)
    errors = [decode_error("retail.mut", "lines", target, at + 1, raw, message) for at, (raw, message) in sorted(hurt.items())]
    with Scratch() as scratch:
        scratch.put(target, content)
        for way in ways:
            scratch.run("retail.mut", *script_args, *way)
            got = scratch.rows("errors.jsonl")
            for row, error in zip(got, errors):
                # How the reference words it is its own affair.
                if row["message"].startswith(error["message"]) or "reference" in way:
                    error = error | {"message": row["message"]}
                same_rows(f"{' '.join(way)} errors", [error], [row])
            need(len(got) == len(errors), f"{' '.join(way)}: {len(errors)} errors expected, {len(got)} came: {got[len(errors):][:1]}")
            expected["errors.jsonl"] = got
            compare(scratch, expected)


def in_csv(data, line_end, ways):
    lines = first_lines(read(data), SLICE_LINES).rstrip(b"\n").split(b"\n")
    damaged, hurt = damage_lines(lines, CSV_KINDS, 1)
    # RFC 4180: a quote left open runs over line ends to the next quote; what follows that quote is wrong, so the
    # record ends with its line. All of it is one damaged record.
    opened = max(hurt)
    closed = next(at for at in range(opened + 1, len(lines)) if b'"' in lines[at])
    hurt[opened] = (line_end.join([damaged[opened], *lines[opened + 1:closed + 1]]), hurt[opened][1])
    need(closed > opened + 1 and closed < len(lines) - 100, "the open quote is not in a place that tells something")
    lost = set(hurt) | set(range(opened, closed + 1))
    # And one that is open at the end of the file.
    damaged.append(b'559999,85123A,"RED BELL,6,2011-06-01 08:26:00,2.55,,France')
    hurt[len(damaged) - 1] = (damaged[-1], "the input ends inside of quotes")
    sound = b"\n".join(line for at, line in enumerate(lines) if at not in lost) + b"\n"
    run_damaged("retail.csv", [], line_end.join(damaged), hurt, sound, ways)


def in_json(data):
    part = first_lines(read(data), SLICE_LINES)
    lines = as_json(part)
    damaged, hurt = damage_lines(lines, JSON_KINDS, 0)
    records = part.rstrip(b"\n").split(b"\n")
    sound = b"\n".join(line for at, line in enumerate(records) if at - 1 not in hurt) + b"\n"
    run_damaged("retail.jsonl", ["--bind", "lines=retail.jsonl"], b"\n".join(damaged) + b"\n", hurt, sound, FAST + SLOW)


def checks(data):
    return [
        (f"{len(CSV_KINDS) + 1} kinds in CSV", lambda: in_csv(data, b"\n", FAST + SLOW)),
        (f"{len(CSV_KINDS) + 1} kinds in CSV, CRLF", lambda: in_csv(data, b"\r\n", FAST[2:4])),
        (f"{len(JSON_KINDS)} kinds in JSON lines", lambda: in_json(data)),
    ]
