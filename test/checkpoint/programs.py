"""Every program of test/e2e, ended at checkpoint after checkpoint: what all its processes have given together is what is expected.
Each checkpoint is durable before the next batch here, and a crash comes right behind it: so standard output, which
cannot be taken back, has each row once too."""
import json
import pathlib
import random
import shutil
import sys
import tempfile

from common import KILLED, check, has_fail_points, root, run, skip

sys.path.insert(0, str(root / "test" / "e2e"))
# Kinds of store and of window, one at least of each; `--long` takes all.
SHORT = ["running", "running_ticks", "windows", "window_ticks", "late_update", "session_updates", "joined_sessions_distinct",
         "history", "held", "hold_sessions", "hold_counts", "top_sort", "match", "match_lists", "join_kinds", "join_asof", "tables",
         "table_followed", "table_followed_ttl", "table_old_versions", "count_windows", "count_every", "kept_values",
         "variables_timers", "variables_alone", "decimal_aggregates", "zones", "set_range", "ttl", "window_edited_before_rows",
         "hold_windows_edited", "late_update_added", "table_followed_edited", "match_edited"]


def texts(path):
    return [line for line in path.read_text().splitlines() if line.strip() and not line.startswith("//")]


def rows(lines):
    return [json.loads(line) for line in lines]


def alike(a, b):
    """The last digits of a float may be others: `rtol` of test/e2e."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a == b
    if isinstance(a, float) or isinstance(b, float):
        return isinstance(a, (int, float)) and isinstance(b, (int, float)) and (a == b or abs(a - b) <= 1e-12 * max(abs(a), abs(b)))
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(alike(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(alike, a, b))
    return a == b


def differs(name, expected, got, shards):
    expected, got = rows(expected), rows(got)
    if shards > 1:  # order is promised for each key only
        expected, got = (sorted(all_rows, key=lambda row: json.dumps(row, sort_keys=True)) for all_rows in (expected, got))
    if alike(expected, got):
        return None
    at = next((i for i, (a, b) in enumerate(zip(expected, got)) if not alike(a, b)), min(len(expected), len(got)))
    return f"{name}: {len(expected)} rows expected, {len(got)} came; row {at}: {expected[at:at + 1]}, got {got[at:at + 1]}"


def one(folder, seed):
    chance = random.Random(f"{folder.name} {seed}")
    with tempfile.TemporaryDirectory() as scratch:
        work = pathlib.Path(scratch) / "w"
        shutil.copytree(folder, work)
        args = [arg for arg in (work / "args").read_text().split("\n") if arg] if (work / "args").exists() else []
        wanted = int((work / "exit").read_text()) if (work / "exit").exists() else 0
        shards = 1 if (work / "one_shard").exists() else chance.choice([1, 1, 2, 3])
        batch = chance.choice([1, 2, 3, 7])
        given, crashes = [], 0
        options = ["--state", "st", "--checkpoint-every", "0ms", "--shards", str(shards), "--batch", str(batch),
                   "--tier", chance.choice(["quick", "optimised"])]
        what = f"programs {folder.name} {' '.join(options[4:])} seed {seed}"
        while True:
            hit = 1 if crashes == 0 else chance.randrange(1, 4)  # a short one has no second checkpoint
            step = f"{chance.choice(['renamed', 'removed'])}@{hit}"
            done = run(work, "program.mut", *options, *args, crash=step if crashes < 12 else None)
            given += done.stdout.decode().splitlines()
            if done.returncode != KILLED:
                break
            crashes += 1
        told = done.stderr.decode(errors="replace")
        # An edit that was refused was so in the process that offered it.
        if done.returncode not in (wanted, 0):
            return check(what, f"exit {done.returncode}, {wanted} expected: {told[-1500:]}")
        if crashes == 0:
            return check(what, "nothing was ended")
        stdout = [line for line in given if line.strip()]
        # What the end of the input brings about comes behind the last checkpoint: a crash before it leaves it out.
        problem = differs("standard output", texts(work / "expected.jsonl"), stdout, shards)
        for more in sorted(work.glob("expected.*.jsonl")):
            target = more.name[len("expected."):]
            problem = problem or differs(target, texts(more), texts(work / target), shards)
        check(what, problem)


def test(workers, long):
    folders = sorted(path.parent for path in (root / "test" / "e2e").glob("*/program.mut"))
    # What is kept for an undo is in no checkpoint: docs/checkpoints.md.
    folders = [folder for folder in folders if not (folder / "args").exists() or "--undo" not in (folder / "args").read_text()]
    if not long:
        folders = [folder for folder in folders if folder.name in SHORT]
    with tempfile.TemporaryDirectory() as scratch:
        if not has_fail_points(pathlib.Path(scratch)):
            return skip(len(folders))
    cases = [(folder, seed) for folder in folders for seed in range(6 if long else 1)]
    list(workers.map(lambda case: one(*case), cases))
