"""Writes rows.jsonl and what is expected of them, with Python's decimal module: python3 origin.py"""
import json, random
from decimal import Decimal as D, ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, getcontext

getcontext().prec = 200
random.seed(7)
SAYS = "// origin: origin.py, Python's decimal module"


def at(value, scale, rounding=ROUND_HALF_EVEN):
    return value.quantize(D(1).scaleb(-scale), rounding=rounding)


def text(value, scale):
    value = at(value, scale)
    return format(abs(value) if value == 0 else value, "f")


def number(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, tuple):  # a decimal and its scale
        return text(*value)
    return json.dumps(value)


def write(name, rows):
    with open(name, "w") as out:
        print(SAYS, file=out)
        for row in rows:
            print("{" + ",".join(f'"{k}":{number(v)}' for k, v in row.items()) + "}", file=out)


def exact(value, scale):
    """None where digits would be lost."""
    return (value, scale) if at(value, scale) == value else None


def parsed(word, scale):
    try:
        return exact(D(word), scale)
    except ArithmeticError:
        return None


def commas(words):
    sign, words = ("-", words[1:]) if words.startswith("-") else ("", words)
    whole, point, rest = words.partition(".")
    return sign + f"{int(whole):,}" + point + rest


def padded(words, side):
    return words.rjust(12) if side == ">" else words.ljust(12) if side == "<" else words.center(12)


def center(words):  # the smaller half on the left
    fill = max(0, 12 - len(words))
    return " " * (fill // 2) + words + " " * (fill - fill // 2)


rows = []
for a, b, n, t in [("0", "0", 0, "0"), ("0.01", "-0.0001", 1, "1.5"), ("12.50", "12.5", -3, "12.3450"), ("-0.05", "0.5", 7, "-7"),
                   ("9.99", "10", 10, "1e3"), ("2.5", "2.5", 2, "x"), ("-3.5", "0.0005", -1, "0.0004"), ("1e3", "1e-4", 4, " 1"),
                   ("123456789012345.67", "98765432109876.5432", 9223372036854775807, "99999999999999999999999999999999999"),
                   ("-0.005e1", "1.00005e4", 3, "+4.000"), ("1234567.89", "-1234.5678", 1000, "1.0005"), ("0.1", "0.3", 3, "00012")]:
    rows.append((D(a), D(b), n, t, a, b))
for _ in range(60):
    a = D(random.randint(-10**random.randint(1, 12), 10**random.randint(1, 12))) / 100
    b = D(random.randint(-10**random.randint(1, 12), 10**random.randint(1, 12))) / 10000
    n = random.randint(-10**random.randint(0, 6), 10**random.randint(0, 6))
    t = format(D(random.randint(-9999, 9999)) / 10**random.randint(0, 4), "f")
    rows.append((a, b, n, t, format(a, "f"), format(b, "f")))

with open("rows.jsonl", "w") as out:
    for i, (a, b, n, t, a_text, b_text) in enumerate(rows):
        if i % 5 == 4:
            a_text = '"' + a_text + '"'  # text that is a number is taken too
        print(f'{{"a": {a_text}, "b":{b_text}, "n":{n}, "t":{json.dumps(t)}}}', file=out)


def remainder(a, b):
    return a - b * (a / b).to_integral_value(rounding=ROUND_DOWN)


sums, order, places, texts = [], [], [], []
for a, b, n, t, _, _ in rows:
    n = D(n)
    sums.append({"s": (a + b, 4), "d": (a - b, 4), "p": (a * b, 6), "n": (a * n, 2), "m": (n - a, 2),
                 "q": (a / b if b else D(0), 8), "z": (remainder(a, b) if b else D(0), 4), "h": (a / n if n else D(0), 6), "neg": (-b, 4),
                 "tax": (a * D("1.19"), 4), "more": (2 * a, 2), "less": (b - D("0.5"), 4)})
    order.append({"eq": a == b, "ne": a != b, "lt": a < b, "le": a <= b, "gt": b > a, "ge": b >= a, "i": a < n, "j": n <= a,
                  "inside": -1 <= a <= D("10.5"), "any": b in (D("0.5"), D("12.5")), "low": (min(a, b), 4),
                  "high": (max(a, b, D(0)), 4), "mid": (min(max(a, D(0)), D("9.99")), 2), "size": (abs(a), 2),
                  "sign": (D((a > 0) - (a < 0)), 2)})
    places.append({"r0": (a, 0), "r1": (a, 1), "r3": (b, 3), "r6": (b, 6), "t": (at(b, 0, ROUND_DOWN), 0),
                   "f": (at(b, 0, ROUND_FLOOR), 0), "c": (at(b, 0, ROUND_CEILING), 0), "up": (a * b, 2),
                   "i": int(a) if a == int(a) else -1, "w": (a, 3), "x": exact(b, 2), "y": parsed(t, 3) or (D(0), 3),
                   "z": parsed(t, 0), "s": text(a, 2), "fl": float(b)})
    texts.append({"v": f"{text(a, 2)} {text(b, 4)}", "one": text(a, 1), "zero": text(b, 0), "six": text(a, 6),
                  "thousands": commas(text(a, 2)) + " " + commas(text(b, 2)),
                  "wide": f"[{padded(text(a, 2), '>')}] [{padded(text(a, 2), '<')}] [{center(text(b, 1))}]", "share": f"{text(a * 100, 0)}% {text(b * 100, 3)}%"})

# Text with blanks around it is no number, which Python would take.
for row, (_, _, _, t, _, _) in zip(places, rows):
    if t != t.strip():
        row["y"], row["z"] = (D(0), 3), None

write("expected.sums.jsonl", sums)
write("expected.order.jsonl", order)
write("expected.places.jsonl", places)
write("expected.jsonl", [{"a": (a, 2), "b": (b, 4), "n": n, "t": t} for a, b, n, t, _, _ in rows])
write("expected.texts.jsonl", texts)
