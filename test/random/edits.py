"""Random edits of a random script: numbers and keys, stages and parts that come and go, another program altogether."""
import re

import row_keys
import running
import shrinking

# Stages that fit behind every stream which still has the fields of the input; where it has not, the plan says so.
STAGES = ["where b", "where i > 1", "where not b or f < 4.0", "with n9 = i + 1", "without f", "dedupe by k, i", "limit 40",
          "@x1 dedupe by i within 5s", "@x2 with h9 = count() over last 6 events by k", "@x3 sort by at within 2s",
          "@x4 delay 3s", "@x5 throttle 2 per 10s by k", "latest by k", "@x6 top 2 by i by k window tumbling 5s",
          "@x7 aggregate n9 = count(), s9 = sum(i) by k ttl none", "@x8 aggregate n9 = count(), m9 = max(i) by k window tumbling 4s"]
# A stream beside the others, which changes none of their rows.
BESIDE = [  # text behind `stream beside = s0`
    "  | where b", "  | @z1 dedupe by k, i within 20s", "  | @z2 aggregate n = count(), s = max(i) by k window tumbling 3s",
    "  | @z3 with n = count() over last 5 events by k", "  | @z4 aggregate n = count() by k, i ttl 5s",
    "  | @z5 sort by at within 4s"]


def is_read(script):
    """Whether all that is declared reaches a sink: what does not keeps nothing, and its sources are not read."""
    emitted = set(re.findall(r"^emit (\w+)(?: |$)", script, re.M))
    declared = re.findall(r"^(?:stream|table) (\w+)", script, re.M)
    rest = re.sub(r"^emit .*$", "", script, flags=re.M)
    sources = re.findall(r"^source (\w+)", script, re.M)
    return bool(emitted) and emitted.issuperset(declared) and all(
        source in emitted or len(re.findall(rf"\b{source}\b(?!\.jsonl)", rest)) > 1 for source in sources)


def fewer(script, random):
    """With a declaration, stage or item less, or something made simpler."""
    steps = random.choice([shrinking.without_stage, shrinking.without_item, shrinking.without_item, shrinking.simpler,
                           shrinking.without_declaration])
    candidates = list(steps(script))
    if not candidates:
        return None
    after = random.choice(candidates)
    gone = set(re.findall(r"^(?:stream|table) (\w+)", script, re.M)) - set(re.findall(r"^(?:stream|table) (\w+)", after, re.M))
    for name in gone:
        after = re.sub(rf"^emit {name}\b.*\n", "", after, flags=re.M)
    return after


def stages_of(script):
    """The lines where stages begin, with where each ends."""
    lines = script.split("\n")
    out = []
    for i, line in enumerate(lines):
        if line.startswith("  |"):
            end = i + 1
            while end < len(lines) and lines[end].startswith("    "):
                end += 1
            out.append((i, end))
    return lines, out


def with_stage(script, random):
    lines, stages = stages_of(script)
    if not stages:
        return None
    begin, end = random.choice(stages)
    place = random.choice([begin, end])
    return "\n".join(lines[:place] + ["  | " + random.choice(STAGES)] + lines[place:])


def reordered(script, random):
    lines, stages = stages_of(script)
    neighbours = [(a, b) for a, b in zip(stages, stages[1:]) if a[1] == b[0]]
    if not neighbours:
        return None
    (begin, middle), (_, end) = random.choice(neighbours)
    return "\n".join(lines[:begin] + lines[middle:end] + lines[begin:middle] + lines[end:])


def renamed(script, random):
    """A label of a stage is another one, with or without saying which it was."""
    labels = re.findall(r"\| (@\w+) ", script)
    if not labels:
        return None
    label = random.choice(labels)
    return script.replace(f"| {label} ", f"| {label}n{random.choice(['', f' was {label}'])} ", 1)


def with_other(pattern, words):
    """An edit that puts one of the words in the place of what the group of the pattern finds somewhere."""
    def edit(script, random):
        found = list(re.finditer(pattern, script))
        if not found:
            return None
        place = random.choice(found)
        return script[:place.start(1)] + random.choice(words) + script[place.end(1):]
    return edit


with_function = with_other(r"\b(sum|min|max|avg|first|last|count_distinct)\((?=\w)", ["sum", "min", "max", "first", "last"])
other_previous = with_other(r"\b(prev|delta|changed)\(", ["prev", "delta", "changed"])
lateness = with_other(r", lateness (\d+)ms", ["0", "700", "5000"])


def exchanged(script, random):
    """Two aggregates of a stage change places, or their conditions do: the same expressions belong to other calls."""
    call = re.compile(r"\b(?:count|sum|min|max|avg|first|last)\([^()]*?(?P<filter> where [^()]*)?\)")
    lines = script.split("\n")
    places = [(i, found) for i, line in enumerate(lines) if len(found := list(call.finditer(line))) > 1]
    if not places:
        return None
    i, found = random.choice(places)
    one, two = sorted(random.sample(found, 2), key=lambda match: match.start())
    part = random.choice([0, "filter"])

    def span(match):
        return match.span(part) if match[part] is not None else (match.end() - 1, match.end() - 1)

    (a, b), (c, d) = span(one), span(two)
    line = lines[i]
    lines[i] = line[:a] + line[c:d] + line[b:c] + line[a:b] + line[d:]
    return "\n".join(lines)


KINDS = [running.edited, running.edited, row_keys.of_join, row_keys.of_table, fewer, fewer, fewer, with_stage, with_stage,
         reordered, renamed, with_function, other_previous, exchanged, lateness]


def any_edit(script, random):
    """The script after one edit, which may be none that compiles; None where the kind that was drawn has no place."""
    return random.choice(KINDS)(script, random)


def beside(script, random):
    """The script with a stream more, read by nobody and written to a file of its own."""
    return f'{script.rstrip()}\nstream beside = s0\n{random.choice(BESIDE)}\nemit beside to file("beside.jsonl")\n'
