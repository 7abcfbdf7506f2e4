"""Several versions of a program one after the other in one run: the swap equation of live-change.md 2.2, by the reference."""
import difflib
import os
import re
import shutil
import subprocess
from random import Random

import comparing
import edits
import running

# Which options a chain is run with, beside its shards.
TIERS = [["--tier=quick", "--batch=4096"], ["--tier=quick", "--batch=7"], ["--tier=quick", "--batch=64"],
         ["--tier=optimised", "--batch=16"]]
POLICY = ["--policy=live"]  # the reference knows the same: what cannot go over begins anew
# The reference did not end in a minute: joins behind joins, of which it looks at each row for each, or timers that set
# themselves for decades. Such a chain is not judged.
BEYOND = "beyond a minute"
# The first program declares a source that nobody reads: the reference reads it all the same, so that a later version which
# wants it finds it further on than the engine does.
UNREAD = "unread source"
NOT_JUDGED = (BEYOND, UNREAD)
# How often another chain is tried for one program.
ATTEMPTS = 6


def plan_fits(made, before, after):
    """Whether the engine would make that edit."""
    for name, text in (("before.txt", before), ("after.txt", after)):
        with open(os.path.join(made, name), "w", encoding="utf-8") as out:
            out.write(text)
    done = subprocess.run([running.MUTC, "plan", "before.txt", "after.txt", *POLICY], cwd=made, capture_output=True, timeout=60)
    return done.returncode == 0


class Chain:
    """Versions behind the first, the cut of each, and the way that the engine runs them."""

    def __init__(self, versions, cuts, way, split=False):
        self.versions = versions  # texts; those after the first
        self.cuts = cuts          # one of each: source -> records
        self.way = way
        self.split = split        # nothing may be seen of its swaps

    def swaps(self):
        return ["--swap=" + f"w{i + 1}.mut@" + ",".join(f"{source}:{n}" for source, n in cut.items())
                for i, cut in enumerate(self.cuts)]

    def write(self, made):
        for i, text in enumerate(self.versions):
            with open(os.path.join(made, f"w{i + 1}.mut"), "w", encoding="utf-8") as out:
                out.write(text)

    def command(self):
        return " ".join(["mutc run program.mut", *self.way, *POLICY, *self.swaps()])


def versions_of(random, made, count, other):
    """A walk over scripts that are near each other, each of which can take the place of the one before; `other`: a program
    made by another seed."""
    current = running.text_of(made, "program.mut")
    known = [current]
    out = []
    for _ in range(count * 3):
        if len(out) == count:
            break
        kind = random.random()
        if kind < 0.2 and len(known) > 1:
            after = random.choice(known)  # back to an earlier one
        elif kind < 0.3:
            after = other
        else:
            after = edits.any_edit(current, random)
        if after is None or after == current or not edits.is_read(after) or not plan_fits(made, current, after):
            continue
        known.append(after)
        out.append(after)
        current = after
    return out


def choose(seed, rows_of_input, made, other):
    """A chain of edits, or None when none was found that the plan lets through."""
    random = Random(seed)
    first = running.text_of(made, "program.mut")
    count = random.choice([1, 1, 1, 2, 2, 3, 5])
    split = random.random() < 0.2
    if split:
        added = edits.beside(first, random)
        if not plan_fits(made, first, added):
            return None
        versions = [added if i % 2 == 0 else first for i in range(count)]
    else:
        versions = versions_of(random, made, count, other)
        if not versions:
            return None
        # The first program is one of the versions it could become as well: what is edited may have more or less.
        if len(versions) == 1 and random.random() < 0.5 and plan_fits(made, versions[0], first):
            with open(os.path.join(made, "program.mut"), "w", encoding="utf-8") as out:
                out.write(versions[0])
            first, versions = versions[0], [first]
    sources = re.findall(r"^source (\w+)", first, re.M)
    # A cut of all sources makes one wait for another: only without is a split the run without swaps.
    named = sources if random.random() < 0.5 and not split else [random.choice(sources)]
    # Before the end of the input: whether a source that stands at its last record has ended, nobody says.
    places = {source: sorted(random.randint(0, rows_of_input - 1) for _ in versions) for source in named}
    cuts = [{source: places[source][i] for source in named} for i in range(len(versions))]
    shards = random.choice([1, 2, 3, 4])
    way = random.choice(TIERS) + ([f"--shards={shards}"] if shards > 1 else [])
    if shards < 3 and random.random() < 0.2:
        way = way + ["--disturb=swap"]
    return Chain(versions, cuts, way, split)


def compare(engine, chain, made, folder):
    """Empty when engine and reference agree, None when the engine refuses an edit, BEYOND, else what differed."""
    chain.write(made)
    found, expected = os.path.join(folder, "chain-engine"), os.path.join(folder, "chain-reference")
    code, said = engine.run(chain.way, made, found, POLICY + chain.swaps())
    if code in running.REFUSALS or (code is None and running.REFUSED in said):
        return None
    if code not in (0, None):
        return f"{chain.command()}\n{said}"
    swaps = [] if chain.split else POLICY + chain.swaps()
    ended = code == 0
    code, told = running.Engine().run(["--engine=reference"], made, expected, swaps)
    if code is None:
        return BEYOND
    if not ended:
        return f"{chain.command()}\n{said}"
    if code != 0:
        return f"{chain.command()}\nthe reference {told}, the engine made the edits"
    what = comparing.folders(expected, found, running.order_of(chain.way))
    return f"{chain.command()}\n{changes_of(made, chain)}\n{what}" if what else ""


def changes_of(made, chain):
    out = []
    before = running.text_of(made, "program.mut")
    for after in chain.versions:
        lines = difflib.ndiff(before.split("\n"), after.split("\n"))
        out.append("\n".join(line for line in lines if line[0] in "+-"))
        before = after
    return "\n--\n".join(out)


def run_one(seed, rows_of_input, folder):
    """What differed and the chain; empty and the chain when all is well; empty and None when no edit was taken; or why
    it is not judged."""
    made, next_made = os.path.join(folder, "input"), os.path.join(folder, "other")
    running.make(seed, rows_of_input, made)
    running.make(seed + 1_000_003, rows_of_input, next_made)
    for name in os.listdir(next_made):
        if name.endswith(".jsonl") and not os.path.exists(os.path.join(made, name)):
            shutil.copy(os.path.join(next_made, name), made)
    other = running.text_of(next_made, "program.mut")
    engine = running.Engine()
    first = running.text_of(made, "program.mut")
    if not edits.is_read(first):
        return UNREAD, None
    for attempt in range(ATTEMPTS):
        with open(os.path.join(made, "program.mut"), "w", encoding="utf-8") as out:
            out.write(first)
        chain = choose(seed * ATTEMPTS + attempt, rows_of_input, made, other)
        if chain is None:
            continue
        problem = compare(engine, chain, made, folder)
        if problem is None and any(option.startswith("--shards") for option in chain.way):
            # Some state does not move between shards.
            chain.way = [option for option in chain.way if not option.startswith("--shards")]
            problem = compare(engine, chain, made, folder)
        if problem is not None:
            return problem, chain
    return "", None
