"""Edits between checkpoints, and another script at the start."""
import json
import pathlib
import re
import subprocess
import tempfile

from common import KILLED, check, has_fail_points, mutc, run, skip
from scripts import HEAD, differs, outputs, write_input

ROWS = 3000
OPTIONS = ["--state", "st", "--checkpoint-every", "0ms", "--batch", "200", "--tier", "quick"]
V1 = HEAD + """param floor: int = 3
stream totals = payments | where amount > floor | @g aggregate n = count(), total = sum(amount) by user ttl 1d
stream windows = payments | @w aggregate rows = count(), most = max(amount) by user window tumbling 20s
emit totals to file("totals.jsonl")
emit windows to file("windows.jsonl")
"""
# A further aggregate, another kind of window, a longer text of a row.
V2 = V1.replace("total = sum(amount)", "total = sum(amount), most = max(amount)").replace("window tumbling 20s", "window session 3s")
# Loses what the groups hold.
V3 = V1.replace("sum(amount)", "sum(amount * 2)")


def goes_on_at(told):
    found = re.search(r"goes on from checkpoint \d+ at payments:(\d+)", told)
    return int(found.group(1)) if found else None


def in_folder(test):
    def wrapped(*args):
        with tempfile.TemporaryDirectory() as scratch:
            work = pathlib.Path(scratch)
            write_input(work, ROWS)
            (work / "v1.mut").write_text(V1)
            (work / "v2.mut").write_text(V2)
            (work / "v3.mut").write_text(V3)
            test(work, *args)
    return wrapped


def uncut(options):
    """Outputs of a run that was never ended."""
    with tempfile.TemporaryDirectory() as scratch:
        work = pathlib.Path(scratch)
        write_input(work, ROWS)
        (work / "v1.mut").write_text(V1)
        (work / "v2.mut").write_text(V2)
        done = run(work, "v1.mut", *options)
        if done.returncode:
            raise AssertionError(done.stderr.decode()[-800:])
        return outputs(work)


@in_folder
def other_script(work, hit):
    """v2 at the start is v2 by an edit at the record where the checkpoint stands."""
    name = f"edits: another script, checkpoint {hit}"
    crashed = run(work, "v1.mut", *OPTIONS, crash=f"renamed@{hit}")
    if crashed.returncode != KILLED:
        return check(name, f"exit {crashed.returncode}")
    done = run(work, "v2.mut", *OPTIONS)
    told = done.stderr.decode()
    at = goes_on_at(told)
    if done.returncode or at is None or "the script is an edit" not in told:
        return check(name, f"exit {done.returncode}: {told[-1000:]}")
    check(name, differs(uncut(["--swap", f"v2.mut@payments:{at}"]), outputs(work), False))
    # What has run is what is started next.
    again = run(work, "v2.mut", *OPTIONS)
    check(f"{name}: once", None if b"is an edit" not in again.stderr and again.returncode == 0 else again.stderr.decode()[-500:])


@in_folder
def live_edit(work, hit, shards):
    """A version that a live edit brought goes on under the command that the run was started with."""
    name = f"edits: a live edit, crash at checkpoint {hit}, {shards} shards"
    command = ["v1.mut", *OPTIONS, "--shards", str(shards), "--swap", "v2.mut@payments:1100"]
    crashed = run(work, *command, crash=f"renamed@{hit}")
    if crashed.returncode != KILLED:
        return check(name, f"exit {crashed.returncode}: {crashed.stderr.decode()[-500:]}")
    done = run(work, *command)
    problem = f"exit {done.returncode}: {done.stderr.decode()[-1000:]}" if done.returncode else None
    check(name, problem or differs(uncut(["--swap", "v2.mut@payments:1100"]), outputs(work), shards > 1))


@in_folder
def params(work):
    """A param that was set stays set."""
    set_it = ["--set", "floor=60@payments:700"]
    crashed = run(work, "v1.mut", *OPTIONS, *set_it, crash="renamed@8")
    if crashed.returncode != KILLED:
        return check("edits: a param", f"exit {crashed.returncode}: {crashed.stderr.decode()[-500:]}")
    done = run(work, "v1.mut", *OPTIONS)
    problem = f"exit {done.returncode}: {done.stderr.decode()[-1000:]}" if done.returncode else None
    check("edits: a param", problem or differs(uncut(set_it), outputs(work), False))


@in_folder
def decisions(work):
    """An edit that loses state needs a consent at the start too; without it nothing has changed."""
    if run(work, "v1.mut", *OPTIONS, crash="renamed@5").returncode != KILLED:
        return check("edits: decisions", "it was not ended")
    asked = run(work, "v3.mut", *OPTIONS)
    told = asked.stderr.decode()
    check("edits: needs a decision", None if asked.returncode == 10 and "totals/g/total" in told else f"exit {asked.returncode}: {told[-900:]}")
    broken = work / "broken.mut"
    broken.write_text("stream nothing =")
    wrong = run(work, "broken.mut", *OPTIONS)
    check("edits: a script that is wrong", None if wrong.returncode == 1 else f"exit {wrong.returncode}")
    cell = re.search(r"--accept (\S+)", told)
    if cell is None:
        return check("edits: the consent is told", told[-900:])
    done = run(work, "v3.mut", *OPTIONS, "--accept", cell.group(1))
    check("edits: with a consent", None if done.returncode == 0 else f"exit {done.returncode}: {done.stderr.decode()[-900:]}")


@in_folder
def history(work):
    """Numbers and chain of the file of versions go on, and say where the state comes from."""
    command = ["v1.mut", *OPTIONS, "--history", "h.jsonl"]
    if run(work, *command, "--swap", "v2.mut@payments:1100", crash="renamed@8").returncode != KILLED:
        return check("edits: history", "it was not ended")
    done = run(work, *command)
    told = subprocess.run([mutc, "history", "h.jsonl", "--json"], cwd=work, capture_output=True, text=True, check=False)
    versions = [json.loads(line) for line in told.stdout.splitlines()]
    fine = done.returncode == 0 and told.returncode == 0 and [v["version"] for v in versions] == [1, 2, 3]
    check("edits: history", None if fine else f"exit {done.returncode} {done.stderr.decode()[-500:]} {told.stderr} {told.stdout[-800:]}")
    if fine:
        check("edits: history says where it goes on", None if "goes on from checkpoint" in versions[2]["plan"] and versions[2]["text"] == V2 else str(versions[2]))
    check("edits: history: outputs", differs(uncut(["--swap", "v2.mut@payments:1100"]), {name: text for name, text in outputs(work).items() if name != "h.jsonl"}, False))


def test(workers, long):
    with tempfile.TemporaryDirectory() as scratch:
        if not has_fail_points(pathlib.Path(scratch)):
            return skip(5)
    jobs = [workers.submit(params), workers.submit(decisions), workers.submit(history)]
    jobs += [workers.submit(other_script, hit) for hit in (range(1, 14) if long else (1, 6))]
    jobs += [workers.submit(live_edit, hit, shards) for hit, shards in
             ([(hit, shards) for hit in range(1, 15) for shards in (1, 2)] if long else [(3, 1), (6, 2), (7, 1), (9, 1)])]
    for job in jobs:
        job.result()
