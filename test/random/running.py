"""A program in a folder, run by the reference and by the engine, by itself and swapped for an edited one."""
import difflib
import os
import re
import shutil
import subprocess
from random import Random

import comparing
import row_keys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(ROOT, "build/release")))
MUTC = os.path.abspath(os.environ.get("MUTC", os.path.join(BUILD, "bin/mutc")))
# Tier and batch size; the first always, and one of the later ones.
WAYS = [["--tier=quick", "--batch=4096"], ["--tier=optimised", "--batch=1"], ["--tier=quick", "--batch=7"],
        ["--tier=optimised", "--batch=64"], ["--tier=optimised", "--batch=3"]]
# Several shards keep the order of each key only.
SHARDED = [["--tier=quick", "--batch=16", "--shards=2"], ["--tier=quick", "--batch=7", "--shards=4"],
           ["--tier=quick", "--batch=5", "--shards=3", "--disturb=swap"], ["--tier=optimised", "--batch=64", "--shards=4"]]
DISTURBED = [["--tier=quick", "--batch=5", "--disturb=swap"], ["--tier=quick", "--batch=1", "--disturb=swap"]]
# What an engine may end with when it does not want an edit.
REFUSED = "is not applied"  # said of an edit, also where the program that goes on without does not end in time
REFUSALS = (1, 2, 10, 11, 20)


def make(seed, rows, folder):
    """Writes program.mut, its input and pairs.txt."""
    os.makedirs(folder)
    subprocess.run([os.path.join(BUILD, "bin/random_program"), "--seed", str(seed), "--rows", str(rows), "--into", folder],
                   check=True)


class Engine:
    """A mutc and the environment that it runs in."""

    def __init__(self, mutc=MUTC, fault=None):
        self.mutc = mutc
        self.env = dict(os.environ, MUT_ENGINE_FAULT=fault) if fault else None

    def run(self, way, made, target, more=(), told=2000):
        """Runs `made` in `target`. Exit code, or None beyond a minute; then the last `told` of what was said."""
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(made, target)
        try:
            done = subprocess.run([self.mutc, "run", "program.mut", *way, *more], cwd=target, capture_output=True, text=True,
                                  errors="replace", timeout=60, env=self.env)
        except subprocess.TimeoutExpired as late:
            said = (late.stderr or b"").decode(errors="replace")
            refused = f"; an edit {REFUSED}" if REFUSED in said else ""
            return None, f"did not end in a minute{refused}\n{said[-told:]}".rstrip()
        return done.returncode, f"ended with {done.returncode}\n{done.stderr[-told:]}"


TOO_LONG = "the reference did not end in two minutes"


def reference(made, target):
    """Empty, or what went wrong."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(made, target)
    try:
        done = subprocess.run([os.path.join(BUILD, "bin/reference_run"), "program.mut"], cwd=target, capture_output=True,
                              text=True, errors="replace", timeout=120)
    except subprocess.TimeoutExpired:
        return TOO_LONG
    return "" if done.returncode == 0 else f"the reference ended with {done.returncode}\n{done.stderr}"


def order_of(way):
    """How rows are put before they are compared."""
    return comparing.in_any_order if any(option.startswith("--shards") for option in way) else list


def compare(engine, way, made, expected, folder):
    """Empty when the engine gives what lies in `expected`, else what differed."""
    found = os.path.join(folder, "engine")
    code, said = engine.run(["--engine=jit", *way], made, found)
    what = said if code != 0 else comparing.folders(expected, found, order_of(way))
    return f"mutc run program.mut {' '.join(way)}\n{what}" if what else ""


# A number in a stage: a literal, or how far a history or a window reaches.
NUMBER = re.compile(r"(?<![\w.@])(\d+)(?=(?:ms|s|m|h)?\b)(?![.\w]*\()")

# The share of a quantile, or another float of a call.
SHARE = re.compile(r"(?<=, )[01]\.\d+(?=\)| where)")


# The first key of an aggregate.
KEY = re.compile(r"(?<= by )(\w+)(?=[ ,]|$)")

# A window of event time, of an aggregate.
WINDOW = re.compile(r"(?<= window )(tumbling|sliding|session) \w+( every \w+)?( offset \w+)?( zone \"[^\"]*\")?")
WINDOWS = ["tumbling 1s", "tumbling 7s offset 2s", "sliding 10s every 2s", "session 2s", "session 6s", 'tumbling 5s zone "America/St_Johns"']


def edited(script, random):
    """The script with another key of a join or a table, with a key that is computed from the one it was, with another window, or
    with one or two numbers of its stages changed; None where it has none of them."""
    if random.random() < 0.2:
        after = random.choice([row_keys.of_join, row_keys.of_table])(script, random)
        if after is not None:
            return after
    lines = script.split("\n")
    keys = [(i, m) for i, line in enumerate(lines) if "| @" in line and " aggregate " in line for m in KEY.finditer(line)]
    if keys and random.random() < 0.15:
        i, m = random.choice(keys)
        made = random.choice([f'"{{{m[1]}}}"', f'"<{{{m[1]}}}"', f'slice("{{{m[1]}}}", 0, 1)'])
        lines[i] = f"{lines[i][:m.start()]}{m[1]} = {made}{lines[i][m.end():]}"
        return "\n".join(lines)
    windows = [(i, m) for i, line in enumerate(lines) if "| @" in line and " aggregate " in line for m in WINDOW.finditer(line)]
    if windows and random.random() < 0.3:
        i, m = random.choice(windows)
        others = [window for window in WINDOWS if window.split()[0] != m[1]]
        lines[i] = lines[i][:m.start()] + random.choice(others) + lines[i][m.end():]
        return "\n".join(lines)
    stages = [(i, line) for i, line in enumerate(lines) if line.startswith(("  |", "         "))]
    shares = [(i, m) for i, line in stages for m in SHARE.finditer(line)]
    if shares and random.random() < 0.3:
        i, m = random.choice(shares)
        lines[i] = lines[i][:m.start()] + random.choice(["0.0", "0.5", "0.75", "1.0"]) + lines[i][m.end():]
        return "\n".join(lines)
    places = [(i, m) for i, line in stages for m in NUMBER.finditer(line)
              if '"' not in line.replace('""', "").replace('"-"', "") and not SHARE.match(line, m.start())]
    if not places:
        return None
    for i, m in sorted(random.sample(places, min(len(places), random.randint(1, 2))), key=lambda p: (p[0], p[1].start()), reverse=True):
        number = int(m[1])
        changed = random.choice([number + 1, max(1, number // 2), number * 2]) if number < 1000 else number - 1
        lines[i] = lines[i][:m.start(1)] + str(changed) + lines[i][m.end(1):]
    return "\n".join(lines)


def text_of(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as script:
        return script.read()


def choose_edit(seed, rows_of_input, made):
    """Writes edited.mut; the option that makes the edit, or None."""
    random = Random(seed)
    after = edited(text_of(made, "program.mut"), random)
    if after is None:
        return None
    with open(os.path.join(made, "edited.mut"), "w", encoding="utf-8") as script:
        script.write(after)
    source = random.choice(re.findall(r"^source (\w+)", after, re.M))
    return f"--swap=edited.mut@{source}:{random.randint(0, rows_of_input)}"


def compare_swap(engine, way, swap, made, folder, known=None):
    """Empty when both agree, None when the edit is refused. `known`: what the reference wrote, if it ran before."""
    found = os.path.join(folder, "swap-engine")
    code, said = engine.run(way, made, found, [swap])
    command = f"mutc run program.mut {' '.join(way)} {swap}"
    if code in REFUSALS:  # the reference plans nothing, and reads what nobody needs
        return None
    if code != 0:
        return f"{command}\n{said}"
    expected = known or os.path.join(folder, "swap-reference")
    if known is None:
        code, said = Engine().run(["--engine=reference"], made, expected, [swap])
        if code != 0:
            return f"the reference {said}, the engine made the edit: {swap}"
    what = comparing.folders(expected, found, order_of(way))
    if not what:
        return ""
    changes = "\n".join(line for line in difflib.ndiff(text_of(made, "program.mut").split("\n"),
                                                      text_of(made, "edited.mut").split("\n")) if line[0] in "+-")
    return f"{command}\n{changes}\n{what}"
