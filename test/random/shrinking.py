"""Makes a program that fails small: takes streams, stages, fields and rows away as long as something differs."""
import os
import re
import shutil
import tempfile
import time

import running

# Seconds; a large program needs about as many runs of both sides as it has pieces, and some more.
SECONDS = 90


def top_level(text, separator=","):
    """Where the separators outside of brackets and texts are."""
    out, depth, quoted = [], 0, False
    for i, c in enumerate(text):
        if c == '"':
            quoted = not quoted
        elif not quoted and c in "([{":
            depth += 1
        elif not quoted and c in ")]}":
            depth -= 1
        elif not quoted and depth == 0 and c == separator:
            out.append(i)
    return out


def declarations(script):
    """The script cut at each line that begins a declaration, with its stages."""
    out = []
    for line in script.rstrip("\n").split("\n"):
        if out and line[:1] in (" ", "}"):
            out[-1].append(line)
        else:
            out.append([line])
    return ["\n".join(lines) for lines in out]


def without_declaration(script):
    """Each script with one declaration less; then with its readers reading what it reads."""
    parts = declarations(script)
    for i in reversed(range(len(parts))):
        rest = "\n".join(parts[:i] + parts[i + 1:]) + "\n"
        yield rest
        head = re.match(r"stream (\w+) = (?:merge\()?(\w+)|table (\w+) .* = (\w+)", parts[i])
        if not head:
            continue
        name, source = head[1] or head[3], head[2] or head[4]
        for readers in (re.sub(rf"^emit {name}\b.*\n", "", rest, flags=re.M), rest):
            yield re.sub(rf"\b{name}\b(?!\.(?:out|errors)\.jsonl)", source, readers)


def without_stage(script):
    """Each script with one stage less: a line that begins with a bar, and those that go on with it."""
    lines = script.split("\n")
    starts = [i for i, line in enumerate(lines) if line.startswith("  |")]
    for i in reversed(starts):
        end = i + 1
        while end < len(lines) and lines[end].startswith("    "):
            end += 1
        yield "\n".join(lines[:i] + lines[end:])
    for match in re.finditer(r"^(stream \w+ = )merge\((\w+), (\w+)\)", script, re.M):
        for kept in (match[2], match[3]):
            yield script[:match.start()] + match[1] + kept + script[match.end():]


def without_item(script):
    """Each script with one item of a list less: of `with`, `select`, `aggregate`, `by`, of a record, of clauses."""
    for match in re.finditer(r"\b(with|select|aggregate|by|define) |\{ ?", script):
        # Up to the bracket that closes it, the end of the stage, or the next word of it.
        rest = script[match.end():]
        depth, end = 0, len(rest)
        for i, c in enumerate(rest):
            depth += (c in "([{") - (c in ")]}")
            if depth < 0 or (depth == 0 and re.match(r"\n(?!      )|\n  \||\s(by|window|trigger|late|ttl|within|on|select) ", rest[i:])):
                end = i
                break
        body = rest[:end]
        cuts = [-1] + top_level(body) + [len(body)]
        if len(cuts) == 2:
            if match[1] == "by":
                yield script[:match.start()] + script[match.end() + end:]
            continue
        for i in range(len(cuts) - 1):
            kept = body[:cuts[i]] + body[cuts[i + 1]:] if i > 0 else body[cuts[1] + 1:].lstrip()
            yield script[:match.end()] + kept + script[match.end() + end:]


def simpler(script):
    """Each script with one expression in brackets, a call or a clause made plain."""
    for clause in (r" late to \w+", r" late update \w+", r" trigger [^|\n]*?(?= late|\n)", r" ttl \w+", r" offset \w+", r"@\w+ ", r" excluding current",
                   r" or bar > 3", r" after skip to next", r", lateness \w+", r" where (?!\()[^)\n]*(?=\))", r" versioned \w+",
                   r"(?<=on ).*? and ", r"(?<= on )(?:.*?) and (.*)"):
        for match in reversed(list(re.finditer(clause, script))):
            yield script[:match.start()] + (match[1] if match.re.groups and match[1] else "") + script[match.end():]
    for match in reversed(list(re.finditer(r"\w*\(", script))):
        depth = 0
        for end in range(match.end() - 1, len(script)):
            depth += (script[end] in "([{") - (script[end] in ")]}")
            if depth == 0:
                break
        if "\n" in script[match.start():end] or script[match.start() - 1:match.start()] == "|":
            continue
        inner = script[match.end():end]
        cuts = [-1] + top_level(inner) + [len(inner)]
        arguments = [inner[cuts[i] + 1:cuts[i + 1]].strip() for i in range(len(cuts) - 1)]
        sides = re.split(r" (?:[-+*/%<>]|<=|>=|==|!=|and|or|\?\?) ", inner)
        for plain in ["i", "k", "1", "true", '"a"', "b", *(arguments if len(arguments) > 1 or match[0] != "(" else []),
                      *(sides if len(sides) == 2 else [])]:
            if plain and len(plain) < end + 1 - match.start():
                yield script[:match.start()] + plain + script[end + 1:]


class Case:
    """What failed: which engine, in which way, with which edit."""

    def __init__(self, engine, way, swap=None):
        self.engine = engine
        self.way = way
        self.swap = swap

    def shrink(self, made, small):
        """Writes the small case into the folder `small`; returns how it differs, or empty when it did not differ again."""
        end = time.monotonic() + SECONDS
        files = {name: running.text_of(made, name) for name in os.listdir(made) if name.endswith((".jsonl", ".mut"))}
        self._kind = None
        problem = self._problem(files, self.swap)
        if not problem:
            return ""
        self._kind = kind_of(problem)
        best, swap = files, self.swap
        while time.monotonic() < end:
            before = size_of(best)
            for steps in (without_declaration, without_stage, without_item, simpler):
                best, swap = self._scripts(best, swap, steps, end)
            best, swap = self._rows(best, swap, end)
            if size_of(best) == before:
                break
        told = self._problem(best, swap)
        write(best, small)
        with open(os.path.join(small, "difference.txt"), "w", encoding="utf-8") as out:
            out.write(told + "\n")
        return told

    def _problem(self, files, swap):
        """As running.compare, but empty where it fails in another way than at first."""
        with tempfile.TemporaryDirectory() as folder:
            made, expected = os.path.join(folder, "input"), os.path.join(folder, "reference")
            write(files, made)
            if swap is not None:
                problem = running.compare_swap(self.engine, self.way, swap, made, folder)
            elif running.reference(made, expected):
                return ""
            else:
                problem = running.compare(self.engine, self.way, made, expected, folder)
            return problem if problem and self._kind in (None, kind_of(problem)) else ""

    def _scripts(self, best, swap, steps, end):
        """Takes what still fails, over and over, until no step does."""
        changed = True
        while changed and time.monotonic() < end:
            changed = False
            known = set()
            for index, candidate in enumerate(list(steps(best["program.mut"]))):
                if time.monotonic() > end:
                    break
                if candidate in known or len(candidate) >= len(best["program.mut"]):
                    continue
                known.add(candidate)
                tried = {**best, "program.mut": candidate}
                if swap is not None:  # both versions have the same shape
                    others = list(steps(best["edited.mut"]))
                    if index >= len(others):
                        continue
                    tried["edited.mut"] = others[index]
                if self._problem(tried, swap):
                    best, changed = tried, True
                    break
        return best, swap

    def _rows(self, best, swap, end):
        """Leaves out halves, quarters … of the rows of each input."""
        for name in [name for name in best if name.endswith(".jsonl")]:
            lines = best[name].splitlines()
            piece = max(1, len(lines) // 2)
            while time.monotonic() < end:
                at = 0
                while at < len(lines) and time.monotonic() < end:
                    fewer = lines[:at] + lines[at + piece:]
                    tried = {**best, name: "".join(line + "\n" for line in fewer)}
                    earlier = moved(swap, name, at, piece)
                    if self._problem(tried, earlier):
                        best, lines, swap = tried, fewer, earlier
                    else:
                        at += piece
                if piece == 1:
                    break
                piece = max(1, piece // 2)
        return best, swap


def moved(swap, name, at, count):
    """The place of an edit, when rows before it are gone."""
    if swap is None or f"@{name.removesuffix('.jsonl')}:" not in swap:
        return swap
    head, place = swap.rsplit(":", 1)
    return f"{head}:{int(place) - max(0, min(count, int(place) - at))}"


def kind_of(problem):
    """Rows that differ, or how the engine ended."""
    ended = re.search(r"^(ended with -?\d+|did not end|the reference)", problem, re.M)
    return ended[1] if ended else "rows"


def size_of(files):
    return sum(len(text) for text in files.values())


def write(files, folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for name, text in files.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
            out.write(text)
