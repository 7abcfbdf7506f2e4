"""An edit in the middle of the retail data: articles that cost nothing are left out, and a new aggregate is added. Events
before the cut count by the old rules, those after it by the new ones, in one window too; what the edit does not touch is as
if it had never been."""
import csv
import io
from decimal import Decimal

from .damage import JSON_KINDS, as_json, damage_lines
from .harness import FAST, SCRIPTS, Scratch, need
from .retail import NEEDS, expected_of, first_lines, instant_of, read, totals

OLD_RULE, NEW_RULE = "stream hourly = sold\n", "stream hourly = sold\n  | where price > 0\n"
OLD_ITEM, NEW_ITEM = "orders = distinct(invoice),", "dearest = max(price),\n              orders = distinct(invoice),"
FROM = 100_000


def edited():
    text = (SCRIPTS / "retail.mut").read_text(encoding="utf-8")
    need(text.count(OLD_RULE) == 1 and OLD_ITEM in text, "the script has changed; so must this edit")
    return text.replace(OLD_RULE, NEW_RULE).replace(OLD_ITEM, NEW_ITEM, 1)


def group(record):
    return record["InvoiceDate"][:13], record["Country"]


def sold(records):
    return [(at, record) for at, record in enumerate(records) if record["InvoiceNo"][0] != "C" and int(record["Quantity"]) >= 0]


def find_cut(records):
    """A cut inside of an hour; each country that has sold before it in this hour sells after it."""
    hours = {}
    for at, record in sold(records):
        if at > FROM:
            hours.setdefault(record["InvoiceDate"][:13], []).append((at, record))
    for here in hours.values():
        cut = here[len(here) // 2][0]
        before = {record["Country"] for at, record in here if at < cut}
        after = {record["Country"] for at, record in here if at >= cut and Decimal(record["UnitPrice"]) > 0}
        if len(before) > 1 and before <= after:
            return cut
    raise AssertionError("no cut is found")


def expected_with(records, cut):
    rows, dearest = [], {}
    for at, record in sold(records):
        price = Decimal(record["UnitPrice"])
        if at >= cut:
            if price <= 0:
                continue
            dearest[group(record)] = max(price, dearest.get(group(record), price))
        rows.append(record)
    out = []
    for row in totals(rows):
        highest = dearest.get((row["window_start"][:13].replace("T", " "), row["country"]))
        columns = list(row.items())
        if row["window_end"] > instant_of(records[cut - 1]):
            columns.insert(1, ("dearest", float(highest)))
        out.append(dict(columns))
    return out


def swapped(data):
    content = read(data)
    records = list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))
    cut = find_cut(records)
    expected = expected_of(content) | {"hourly.jsonl": expected_with(records, cut)}
    with Scratch() as scratch:
        scratch.put("retail.csv", content)
        scratch.put("v2.mut", edited().encode())
        for way in FAST[:-1]:
            scratch.run("retail.mut", "--swap", f"v2.mut@lines:{cut}", *way)
            for name, rows in expected.items():
                scratch.must_hold(name, rows)


def at_damage(data):
    """Records that cannot be decoded count as well: each belongs to the version of its position."""
    lines, hurt = damage_lines(as_json(first_lines(read(data), 3000)), JSON_KINDS, 0)
    damaged = sorted(hurt)
    with Scratch() as scratch:
        scratch.put("retail.jsonl", b"\n".join(lines))
        scratch.put("v2.mut", edited().encode())
        for cut in (damaged[0], damaged[5], damaged[5] + 1, damaged[-1] + 1):
            for way in ([], ["--batch", "1"], ["--batch", "7"], ["--tier", "optimised"]):
                scratch.run("retail.mut", "--bind", "lines=retail.jsonl", "--stamp", "--swap", f"v2.mut@lines:{cut}", *way)
                got = [(row["$position"], row["$version"]) for row in scratch.rows("errors.jsonl")]
                expected = [(at, 1 if at < cut else 2) for at in damaged]
                need(got == expected, f"cut {cut} {' '.join(way)}: positions and versions {expected} expected, got {got}")


def checks(data):
    return [
        ("records that cannot be decoded count", lambda: at_damage(data)),
        ("an edit inside of an hour", lambda: swapped(data)),
    ]
