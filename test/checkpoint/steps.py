"""A crash at each named step of a checkpoint and of a start from one, and a start behind it."""
import pathlib
import tempfile

from common import KILLED, check, has_fail_points, run, skip
from scripts import SCRIPTS, differs, outputs, write_input

TAKING = ["captured", "sinks_synced", "data_written", "data_synced", "manifest_written", "renamed", "removed"]
STARTING = ["found", "state_restored", "cut_back", "restored"]
ROWS = 1500
OPTIONS = ["--state", "st", "--checkpoint-every", "0ms", "--batch", "200", "--tier", "quick"]


def one(step, hit, expected):
    name = f"steps {step}@{hit}"
    with tempfile.TemporaryDirectory() as scratch:
        work = pathlib.Path(scratch)
        write_input(work, ROWS)
        (work / "v.mut").write_text(SCRIPTS["groups"])
        if step in STARTING:
            first = run(work, "v.mut", *OPTIONS, crash="renamed@2")
            if first.returncode != KILLED:
                return check(name, f"the first run: exit {first.returncode}")
        crashed = run(work, "v.mut", *OPTIONS, crash=f"{step}@{hit}")
        if crashed.returncode != KILLED:
            return check(name, f"it did not crash: exit {crashed.returncode} {crashed.stderr.decode()[-500:]}")
        done = run(work, "v.mut", *OPTIONS, "--shards", "1")
        problem = f"exit {done.returncode}: {done.stderr.decode()[-1500:]}" if done.returncode else None
        if not problem and b"is not used" in done.stderr:
            problem = "a crash has damaged a checkpoint: " + done.stderr.decode()[-500:]
        check(name, problem or differs(expected, outputs(work), False))


def test(workers, long):
    with tempfile.TemporaryDirectory() as scratch:
        work = pathlib.Path(scratch)
        if not has_fail_points(work):
            return skip(len(TAKING) + len(STARTING))
        wrong = run(work, "none.mut", crash="lunch")
        check("steps: one that there is not", None if wrong.returncode == 2 and b"of a checkpoint captured" in wrong.stderr else wrong.stderr.decode())
        (work / "none.mut").unlink()
        write_input(work, ROWS)
        (work / "v.mut").write_text(SCRIPTS["groups"])
        plain = run(work, "v.mut")
        check("steps: never killed", f"exit {plain.returncode}" if plain.returncode else None)
        expected = {name: text for name, text in outputs(work).items() if name != "none.jsonl"}
    hits = range(1, 7) if long else (1, 3)
    cases = [(step, hit) for step in TAKING for hit in hits]
    cases += [(step, hit) for step in STARTING for hit in ((1, 2) if step == "cut_back" else (1,))]
    list(workers.map(lambda case: one(*case, expected), cases))
