"""What is on the disk is wrong: refused by name, the checkpoint before used, or the run not begun. And a disk that is full."""
import hashlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import time

from common import KILLED, check, has_fail_points, mutc, root, run, skip
from scripts import SCRIPTS, differs, outputs, write_input

ROWS = 3000
LARGE = 4000  # damages of a large checkpoint in the long mode; unit_checkpoint does some of them each time
PIECE = 400
OPTIONS = ["--state", "st", "--checkpoint-every", "0ms", "--batch", "500", "--tier", "quick"]


def prepare(work, text=SCRIPTS["groups"]):
    """Two checkpoints, and a run that was ended behind the second."""
    write_input(work, ROWS)
    (work / "v.mut").write_text(text)
    return run(work, "v.mut", *OPTIONS, crash="removed@3").returncode == KILLED


def flipped(template, seed, expected):
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as scratch:
        work = pathlib.Path(scratch) / "w"
        shutil.copytree(template, work)
        newest = max(path.name for path in (work / "st").iterdir() if path.name.startswith("manifest"))
        name = chance.choice([newest, newest.replace("manifest", "data")])
        data = bytearray((work / "st" / name).read_bytes())
        if chance.random() < 0.3:
            del data[chance.randrange(len(data)):]
        else:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        (work / "st" / name).write_bytes(data)
        done = run(work, "v.mut", *OPTIONS)
        told = done.stderr.decode(errors="replace")
        problem = f"exit {done.returncode}: {told[-1000:]}" if done.returncode else None
        if not problem and ("a checkpoint is not used" not in told or name not in told):
            problem = f"nothing is said of {name}: {told[-600:]}"
        check(f"damage {name} seed {seed}", problem or differs(expected, outputs(work), False))


def refusals(template):
    def changed(name, wanted, change, *options, code=3):
        with tempfile.TemporaryDirectory() as scratch:
            work = pathlib.Path(scratch) / "w"
            shutil.copytree(template, work)
            before = outputs(work)
            change(work)
            done = run(work, "v.mut", *OPTIONS, *options)
            told = done.stderr.decode(errors="replace")
            fine = done.returncode == code and wanted in told
            check(f"damage: {name}", None if fine else f"exit {done.returncode}: {told[-800:]}")
            if "input" in name or "shards" in name:
                check(f"damage: {name}: outputs stay", differs(before, outputs(work), False))

    def garbage(work):
        for path in (work / "st").iterdir():
            if path.name.startswith("manifest"):
                path.write_text("garbage")

    def other_input(work):
        text = (work / "payments.jsonl").read_text()
        (work / "payments.jsonl").write_text(text.replace("user number", "USER NUMBER"))

    def foreign(work):
        shutil.rmtree(work / "st")
        (work / "st").mkdir()
        (work / "st" / "letter.txt").write_text("dear")

    changed("no checkpoint can be read", "no checkpoint of it can be read", garbage)
    changed("another input", "payments.jsonl: it is not the file any more", other_input)
    changed("a shorter input", "it is shorter than what was read of it", lambda work: (work / "payments.jsonl").write_text("{}\n"))
    changed("no input", "payments.jsonl", lambda work: (work / "payments.jsonl").unlink())
    changed("a shorter output", "rows of it are gone", lambda work: (work / "totals.jsonl").write_text(""))
    changed("a directory of other things", "it is no directory of state: it holds `letter.txt`", foreign)
    changed("other shards", "run it with --shards 1", lambda work: None, "--shards", "2", code=2)
    with tempfile.TemporaryDirectory() as scratch:
        work = pathlib.Path(scratch)
        (work / "v.mut").write_text(SCRIPTS["groups"])
        for options, wanted in ((["--state", "st", "--checkpoint-every", "soon"], "write a duration as"), (["--checkpoint-every", "1s"], "there is no --state")):
            wrong = run(work, "v.mut", *options)
            check(f"damage: {options[-1]}", None if wrong.returncode == 2 and wanted in wrong.stderr.decode() else wrong.stderr.decode())
    with tempfile.TemporaryDirectory() as scratch:
        work = pathlib.Path(scratch) / "w"
        shutil.copytree(template, work)
        (work / "slow.mut").write_text('source s: { n: int } = generate(rate: 10) { n = n }\nemit s to file("slow.jsonl")\n')
        first = subprocess.Popen([mutc, "run", "slow.mut", "--state", "slow", "-q"], cwd=work)
        try:
            end = time.monotonic() + 30
            while not (work / "slow.jsonl").exists() and time.monotonic() < end:
                time.sleep(0.01)
            second = run(work, "slow.mut", "--state", "slow")
            fine = second.returncode == 3 and b"another run has it" in second.stderr
            check("damage: two runs", None if fine else f"exit {second.returncode}: {second.stderr.decode()}")
        finally:
            first.terminate()
            first.wait()


def full(expected):
    """A file system of 400 KB for the state, which grows beyond: checkpoints are abandoned, rows go on, none is lost."""
    with tempfile.TemporaryDirectory() as scratch:
        work = pathlib.Path(scratch)
        write_input(work, ROWS, users=3000)
        (work / "v.mut").write_text(SCRIPTS["groups"])
        plain = run(work, "v.mut")
        wanted = outputs(work)
        for name in wanted:
            (work / name).unlink()
        (work / "st").mkdir()
        command = f"mount -t tmpfs -o size=400k none st && {mutc} run v.mut --state st --checkpoint-every 0ms --batch 100; code=$?; cp -r st kept; exit $code"
        done = subprocess.run(["unshare", "-rm", "sh", "-c", command], cwd=work, capture_output=True, timeout=120)
        told = done.stderr.decode(errors="replace")
        if "unshare" in told or "mount:" in told:
            return skip()
        problem = f"exit {done.returncode}: {told[-800:]}" if done.returncode or plain.returncode else None
        if not problem and ("a checkpoint is abandoned" not in told or "No space left" not in told):
            problem = f"nothing is said of the disk: {told[-600:]}"
        check("full: rows go on", problem or differs(wanted, outputs(work), False))
        again = run(work, "v.mut", "--state", "kept")
        problem = f"exit {again.returncode}: {again.stderr.decode()[-800:]}" if again.returncode else None
        if not problem and b"goes on from checkpoint" not in again.stderr:
            problem = "no checkpoint was left"
        check("full: the last one that fitted is used", problem or differs(wanted, outputs(work), False))


def full_output(expected, *options):
    """The disk of the outputs is full for a while: rows wait, and in the end the outputs are those of a disk with room."""
    with tempfile.TemporaryDirectory() as scratch:
        work = pathlib.Path(scratch)
        write_input(work, ROWS, users=3000)
        script = SCRIPTS["groups"].replace('file("', 'file("disk/').replace('file("disk/payments', 'file("payments')
        (work / "v.mut").write_text(script)
        (work / "disk").mkdir()
        plain = run(work, "v.mut")
        wanted = outputs(work / "disk")
        size = sum(len(text) for text in wanted.values())
        for name in wanted:
            (work / "disk" / name).unlink()
        command = f"""mount -t tmpfs -o size=$(({size} + 100000)) none disk || exit 99
head -c $(({size} / 2 + 100000)) /dev/zero > disk/filler
{mutc} run v.mut {' '.join(options)} 2> told.txt & run=$!
for i in $(seq 600); do grep -q 'rows wait until there is room' told.txt && break; sleep 0.1; done
sleep 0.5
kill -0 $run 2> /dev/null || echo 'it did not wait' >> told.txt
rm disk/filler
wait $run; code=$?
cp -r disk kept; exit $code"""
        done = subprocess.run(["unshare", "-rm", "sh", "-c", command], cwd=work, capture_output=True, timeout=180)
        if done.returncode == 99 or b"unshare" in done.stderr:
            return skip()
        told = (work / "told.txt").read_text()
        problem = f"exit {done.returncode}: {told[-800:]}" if done.returncode or plain.returncode else None
        for phrase in ("rows wait until there is room", "there is room again"):
            problem = problem or (None if phrase in told else f"it does not say: {phrase}")
        if "it did not wait" in told:
            problem = told
        check(f"full output {' '.join(options)}: rows wait", problem or differs(wanted, outputs(work / "kept"), False))


def large():
    """Thousands of damages of a hundred megabytes; a later run goes on with those that are left."""
    mark = pathlib.Path(os.environ.get("MUT_DAMAGES_MARK", root / "build/damages.json"))
    program = pathlib.Path(os.environ.get("BUILD", root / "build/release"), "bin/unit_checkpoint")
    if not program.exists():
        print(f"skipped damage of a large checkpoint: there is no {program}")
        return skip()
    build = hashlib.sha256(program.read_bytes()).hexdigest()
    done = json.loads(mark.read_text()) if mark.exists() else {}
    done = done if done.get("build") == build else {"build": build, "damages": 0}
    while done["damages"] < LARGE:
        seed = done["damages"] // PIECE + 1
        ran = subprocess.run([program, "--gtest_filter=LargeCheckpoint.*"], capture_output=True, text=True, timeout=1200,
                             env={**os.environ, "MUT_DAMAGES": str(PIECE), "MUT_SEED": str(seed)})
        if ran.returncode:
            return check(f"damage of a large checkpoint, seed {seed}", ran.stdout[-800:])
        done["damages"] += PIECE
        mark.parent.mkdir(exist_ok=True)
        mark.write_text(json.dumps(done))
    check(f"damage of a large checkpoint: {done['damages']} of one build", None)


def test(workers, long):
    if long:
        large()
    with tempfile.TemporaryDirectory() as scratch:
        template = pathlib.Path(scratch) / "template"
        template.mkdir()
        if not has_fail_points(template):
            return skip(10)
        for left in ("none.mut", "none.jsonl"):
            (template / left).unlink(missing_ok=True)
        if not prepare(template):
            return check("damage: prepared", "the run was not ended")
        finished = pathlib.Path(scratch) / "finished"
        shutil.copytree(template, finished)
        done = run(finished, "v.mut", *OPTIONS)
        expected = outputs(finished)
        check("damage: goes on", f"exit {done.returncode}" if done.returncode else None)
        list(workers.map(lambda seed: flipped(template, seed, expected), range(500 if long else 10)))
        refusals(template)
        full(expected)
        full_output(expected)
        full_output(expected, "--state", "st", "--checkpoint-every", "20ms")
