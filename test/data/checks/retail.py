"""UCI Online Retail: orders and revenue per country and hour, cancellations apart.

What is expected is computed here from the file, by Python's csv module and exact decimals.
"""
import csv
import datetime
import io
import random
from decimal import Decimal

from .harness import FAST, SCRIPTS, SLOW, Scratch, need

NEEDS = ["retail/retail-2010-12_2011-05.csv"]
OUTPUTS = ["hourly.jsonl", "returned.jsonl", "corrections.jsonl", "errors.jsonl"]
SLICE_LINES = 15_000


def read(data):
    return (data / NEEDS[0]).read_bytes()


def first_lines(content, count):
    return b"\n".join(content.split(b"\n", count)[:count]) + b"\n"


def instant(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def totals(records):
    """(hour, country) -> orders, lines, pieces, revenue; as the rows of an `aggregate`, in their order."""
    groups = {}
    for record in records:
        hour = record["InvoiceDate"][:13]
        group = groups.setdefault((hour, record["Country"]), [set(), 0, 0, Decimal(0)])
        pieces = int(record["Quantity"])
        group[0].add(record["InvoiceNo"])
        group[1] += 1
        group[2] += pieces
        group[3] += pieces * Decimal(record["UnitPrice"])
    rows = []
    for (hour, country), (orders, lines, pieces, revenue) in sorted(groups.items()):
        start = datetime.datetime.strptime(hour, "%Y-%m-%d %H")
        rows.append({
            "country": country, "orders": len(orders), "lines": lines, "pieces": pieces, "revenue": float(revenue),
            "window_start": instant(start), "window_end": instant(start + datetime.timedelta(hours=1)),
        })
    return rows


def instant_of(record):
    return record["InvoiceDate"].replace(" ", "T") + "Z"


def line_row(record):
    return {
        "invoice": record["InvoiceNo"], "item": record["StockCode"], "text": record["Description"] or None,
        "pieces": int(record["Quantity"]), "at": instant_of(record),
        "price": float(record["UnitPrice"]), "customer": float(record["CustomerID"]) if record["CustomerID"] else None,
        "country": record["Country"],
    }


def expected_of(content):
    """What the script must write for this file, by name of the output."""
    sold, cancelled, corrections = [], [], []
    for record in csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")):
        if record["InvoiceNo"].startswith("C"):
            cancelled.append(record)
        elif int(record["Quantity"]) < 0:
            corrections.append(record)
        else:
            sold.append(record)
    need(sold and cancelled and corrections, "the data has nothing to tell apart")
    return {
        "hourly.jsonl": totals(sold),
        "returned.jsonl": totals(cancelled),
        "corrections.jsonl": [line_row(record) for record in corrections],
        "errors.jsonl": [],
    }


def compare(scratch, expected):
    for name in OUTPUTS:
        scratch.must_hold(name, expected[name])


def whole_file(data):
    content = read(data)
    with Scratch() as scratch:
        scratch.put("retail.csv", content)
        scratch.run("retail.mut")
        expected = expected_of(content)
        need(sum(row["lines"] for name in OUTPUTS[:2] for row in expected[name]) > 200_000, "a part of the file is missing")
        compare(scratch, expected)


def every_way(data, content, ways):
    """The rows are those of the first run, byte for byte, whatever the way."""
    with Scratch() as scratch:
        scratch.put("retail.csv", content)
        scratch.run("retail.mut")
        compare(scratch, expected_of(content))
        before = {name: scratch.bytes(name) for name in OUTPUTS}
        for way in ways:
            scratch.run("retail.mut", *way)
            for name in OUTPUTS:
                need(scratch.bytes(name) == before[name], f"{name} is another with {' '.join(way)}")


def split_by_month(data):
    """A folder of files is one source, in the order of their names."""
    content = read(data)
    header, *lines = content.rstrip(b"\n").split(b"\n")
    months = {}
    for record, line in zip(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")), lines):
        months.setdefault(record["InvoiceDate"][:7], [header]).append(line)
    need(len(months) == 6, f"months from December to May expected, got {list(months)}")
    with Scratch() as scratch:
        (scratch.folder / "months").mkdir()
        for month, part in months.items():
            scratch.put(f"months/{month}.csv", b"\r\n".join(part) + b"\r\n")
        scratch.run("retail.mut", "--bind", "lines=months/*.csv")
        compare(scratch, expected_of(content))


def shuffled(content, minutes):
    """Each line up to so many minutes late, the same each time."""
    draw = random.Random(7)
    header, *lines = content.rstrip(b"\n").split(b"\n")
    records = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""))
    arrivals = [datetime.datetime.fromisoformat(record["InvoiceDate"]) + datetime.timedelta(minutes=draw.random() * minutes)
                for record in records]
    order = sorted(range(len(lines)), key=arrivals.__getitem__)
    return b"\n".join([header] + [lines[at] for at in order]) + b"\n"


def out_of_order(data):
    """With enough lateness nothing is late, so the totals are the same."""
    content = shuffled(first_lines(read(data), 60_000), 59)
    script = (SCRIPTS / "retail.mut").read_text(encoding="utf-8").replace("\n  time at\n", "\n  time at, lateness 1h\n")
    with Scratch() as scratch:
        scratch.put("retail.csv", content)
        expected = expected_of(content)
        for way in FAST:
            scratch.run(script, *way)
            compare(scratch, expected)


def too_late(data):
    """Without lateness each line that comes after its window goes apart, once; what is left is in the totals."""
    content = shuffled(first_lines(read(data), 60_000), 59)
    script = (SCRIPTS / "retail.mut").read_text(encoding="utf-8")
    begin, end = script.split("      window tumbling 1h", 1)
    script = f"{begin}      window tumbling 1h late to tardy{end}\nemit tardy to file(\"tardy.jsonl\")\n"
    newest, tardy, sold = datetime.datetime.min, [], []
    for record in csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")):
        at = datetime.datetime.fromisoformat(record["InvoiceDate"])
        newest = max(newest, at)
        if not record["InvoiceNo"].startswith("C") and int(record["Quantity"]) >= 0:
            late = at.replace(minute=0) + datetime.timedelta(hours=1) <= newest
            (tardy if late else sold).append(record)
    need(len(tardy) > 1000, "too little is late")
    with Scratch() as scratch:
        scratch.put("retail.csv", content)
        for way in FAST:
            scratch.run(script, *way)
            scratch.must_hold("hourly.jsonl", totals(sold))
            scratch.must_hold("tardy.jsonl", [line_row(record) for record in tardy])


def csv_out(data):
    """What leaves as CSV and comes back gives the same totals."""
    content = first_lines(read(data), SLICE_LINES)
    copy = ('type Line = { InvoiceNo: string, StockCode: string, Description: string?, Quantity: int, InvoiceDate: time, '
            'UnitPrice: float, CustomerID: float?, Country: string }\n'
            'source lines: Line = file("in.csv") time InvoiceDate\nemit lines to file("retail.csv")\n')
    with Scratch() as scratch:
        scratch.put("in.csv", content)
        scratch.run(copy)
        records = [list(csv.reader(io.StringIO(text.decode("utf-8"), newline=""))) for text in (content, scratch.bytes("retail.csv"))]
        for record in records[0][1:]:
            record[4] = record[4].replace(" ", "T") + "Z"
            record[5] = str(float(record[5]))
        for number, (a, b) in enumerate(zip(*records), 1):
            need(a == b, f"record {number}: {a} was written as {b}")
        need(len(records[0]) == len(records[1]), "records were lost")
        scratch.run("retail.mut")
        compare(scratch, expected_of(content))


def checks(data):
    part = first_lines(read(data), SLICE_LINES)
    return [
        ("totals per country and hour", lambda: whole_file(data)),
        ("the whole file, every tier and batch", lambda: every_way(data, read(data), FAST)),
        (f"{SLICE_LINES} lines, reference and disturbed", lambda: every_way(data, part, SLOW)),
        ("a folder of months, CRLF", lambda: split_by_month(data)),
        ("out of order, with lateness", lambda: out_of_order(data)),
        ("out of order, without", lambda: too_late(data)),
        ("CSV out and in again", lambda: csv_out(data)),
    ]
