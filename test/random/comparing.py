"""What two runs wrote, compared."""
import filecmp
import json
import math
import os
import re

# Fields of decimals, see prefix_of() in random_program.h.
EXACT = re.compile(r"y\d*$")


class Written(float):
    """A number that knows its digits."""

    def __new__(cls, text):
        out = super().__new__(cls, text)
        out.text = text
        return out


def alike(a, b, key=""):
    if key in ("message", "input"):  # wording is free; what a window gives has no one record behind it
        return key == "message" or a is None or b is None or a == b
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, float) or isinstance(b, float):
        if not isinstance(a, (int, float)) or not isinstance(b, (int, float)):
            return False
        if EXACT.match(key):
            return getattr(a, "text", a) == getattr(b, "text", b)
        return a == b or math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-300)
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(alike(a[k], b[k], k) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(alike, a, b))
    return a == b


def rows(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", errors="surrogateescape") as lines:
        return [line.rstrip("\n") for line in lines]


def difference(expected, found):
    """The first row that differs, or None."""
    for i in range(max(len(expected), len(found))):
        a = expected[i] if i < len(expected) else "(no row)"
        b = found[i] if i < len(found) else "(no row)"
        if a == b:
            continue
        try:
            if alike(json.loads(a, parse_float=Written), json.loads(b, parse_float=Written)):
                continue
        except ValueError:
            pass
        return f"row {i + 1} of {len(expected)} and {len(found)}\n  reference: {a}\n  engine:    {b}"
    return None


def same_file(a, b):
    return os.path.exists(a) and os.path.exists(b) and filecmp.cmp(a, b, shallow=False)


def rounded(value):
    """For an order of rows that does not depend on the last digits."""
    if isinstance(value, float):
        return f"{value:.9g}"
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    return [rounded(part) for part in value] if isinstance(value, list) else value


def in_any_order(lines):
    def place(line):
        try:
            value = json.loads(line)
        except ValueError:
            return line
        if isinstance(value, dict):
            value = {key: part for key, part in value.items() if key not in ("message", "input")}
        return json.dumps(rounded(value), sort_keys=True)

    return sorted(lines, key=place)


def folders(expected, found, order=list):
    """The first difference between the outputs in two folders, or empty. `order`: of rows, before they are compared."""
    for name in sorted(set(os.listdir(expected)) | set(os.listdir(found))):
        if not name.endswith((".out.jsonl", ".errors.jsonl")):
            continue
        a, b = os.path.join(expected, name), os.path.join(found, name)
        if same_file(a, b):
            continue
        what = difference(order(rows(a)), order(rows(b)))
        if what:
            return f"{name}: {what}"
    return ""
