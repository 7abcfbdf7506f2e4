"""What is told of each path from a source to a sink, and what the end of a run leaves."""
import os
import pathlib
import signal
import subprocess
import tempfile
import time

from common import check, mutc, run, skip
from scripts import SCRIPTS, at, differs, outputs, write_input


def told_paths(work):
    (work / "v.mut").write_text("""type R = { n: int }
source files: R = file("in.jsonl")
source piped: R = stdin()
source rows: R = generate(count: 3) { n = n }
emit files to file("out.jsonl")
emit rows to stdout()
stream both = merge(rows, piped)
emit both to file("both.jsonl")
""")
    (work / "in.jsonl").write_text('{"n": 1}\n')
    done = run(work, "v.mut", "--state", "st")
    told = done.stderr.decode()
    for line in ("files → files  exactly once", "rows → rows  at least once: what sink `rows` has written cannot be taken back",
                 "rows → both  exactly once", "piped → both  at most once: source `piped` cannot be read again"):
        check(f"promises: {line}", None if line in told and done.returncode == 0 else f"exit {done.returncode}: {told}")


def grows(work):
    """A file that has grown is read on, and what its first end brought about comes at the new end only."""
    write_input(work, 3000)
    lines = (work / "payments.jsonl").read_text().splitlines(keepends=True)
    (work / "v.mut").write_text(SCRIPTS["groups"] + SCRIPTS["windows"].split("time at, lateness 5s\n", 1)[1])
    run(work, "v.mut")
    expected = outputs(work)
    for name in expected:
        (work / name).unlink()
    (work / "payments.jsonl").write_text("".join(lines[:1234]))
    problem = None
    for part in (lines[1234:2000], [], lines[2000:]):
        done = run(work, "v.mut", "--state", "st", "-q")
        problem = problem or (f"exit {done.returncode}: {done.stderr.decode()[-800:]}" if done.returncode else None)
        with open(work / "payments.jsonl", "a", encoding="utf-8") as out:
            out.writelines(part)
    done = run(work, "v.mut", "--state", "st", "-q")
    check("promises: a file that grows", problem or differs(expected, outputs(work), False))


def stopped(work):
    """SIGTERM leaves windows open; the next run closes them."""
    write_input(work, 5000)
    (work / "v.mut").write_text(SCRIPTS["windows"])
    run(work, "v.mut")
    expected = outputs(work)
    for name in expected:
        (work / name).unlink()
    # The second piece of the input comes a second late.
    going = subprocess.Popen([mutc, "run", "v.mut", "--state", "st", "-q", "--checkpoint-every", "1h", "--decode-threads", "0", "--batch", "50"],
                             cwd=work, stderr=subprocess.PIPE, env={**os.environ, "MUT_FAULT": "file.read:delay@2"})
    end = time.monotonic() + 60
    while time.monotonic() < end and going.poll() is None:
        if (work / "counted.jsonl").exists() and (work / "counted.jsonl").stat().st_size > 0:
            break
        time.sleep(0.01)
    going.send_signal(signal.SIGTERM)
    told = going.communicate(timeout=60)[1].decode()
    if "no fail points" in told:
        return skip(2)
    left = outputs(work)
    whole, counted = left.get("whole.jsonl.gz"), left.get("counted.jsonl")
    fine = going.returncode == 0 and not whole and counted and counted != expected["counted.jsonl"]
    check("promises: what is stopped gives no end", None if fine else f"exit {going.returncode}: {told} {whole}")
    done = run(work, "v.mut", "--state", "st", "-q")
    check("promises: stopped and gone on", f"exit {done.returncode}: {done.stderr.decode()[-800:]}" if done.returncode else
          differs(expected, outputs(work), False))


def shorter(work):
    """An input that has lost records behind the place that is marked: they had been run."""
    (work / "in.json").write_text("[" + ",".join(f'{{"n": {n}}}' for n in range(2000)) + "]")
    (work / "v.mut").write_text("""source s: { n: int } = file("in.json")
emit s to file("out.jsonl")
""")
    first = run(work, "v.mut", "--state", "st", "-q")
    (work / "in.json").write_text("[" + ",".join(f'{{"n": {n}}}' for n in range(1500)) + "]")
    done = run(work, "v.mut", "--state", "st", "-q")
    told = done.stderr.decode()
    fine = first.returncode == 0 and done.returncode == 3 and "500 records that have been read are not there any more" in told
    check("promises: an input that is shorter", None if fine else f"exit {first.returncode} {first.stderr}, {done.returncode}: {told}")


def piped(work):
    """What comes by a pipe cannot be read again: a later run goes on with what comes then, also with none at all."""
    (work / "v.mut").write_text("""source s: { n: int } = stdin()
stream sums = s | aggregate n = count(), total = sum(n) ttl none
emit sums to file("sums.jsonl")
""")
    told = ""
    for text in ("".join(f'{{"n": {n}}}\n' for n in range(500)), "", '{"n": 1000}\n'):
        done = subprocess.run([mutc, "run", "v.mut", "--state", "st", "-q"], cwd=work, input=text.encode(), capture_output=True, timeout=60)
        told += f"exit {done.returncode} {done.stderr.decode()} " if done.returncode else ""
    rows = (work / "sums.jsonl").read_text().splitlines()
    fine = not told and len(rows) == 501 and rows[-1] == f'{{"n":501,"total":{sum(range(500)) + 1000}}}'
    check("promises: a pipe", None if fine else f"{told} {len(rows)} rows, {rows[-1:]}")


def nothing_twice(work):
    """A run that has ended begins again, and its outputs are what they were; to standard output only the end comes again."""
    (work / "in.jsonl").write_text("".join(f'{{"n": {n}, "at": "{at(n * 1000)}"}}\n' for n in range(10)))
    (work / "v.mut").write_text("""source s: { n: int, at: time } = file("in.jsonl") time at
stream w = s | aggregate total = sum(n) window tumbling 4s
emit s to file("s.jsonl")
emit w to stdout()
""")
    first = run(work, "v.mut", "--state", "st", "-q")
    kept = (work / "s.jsonl").read_text()
    second = run(work, "v.mut", "--state", "st", "-q")
    fine = first.stdout.splitlines()[2:] == second.stdout.splitlines() and len(second.stdout.splitlines()) == 1
    check("promises: the end comes again", None if fine else f"{first.stdout} {second.stdout} {second.stderr.decode()}")
    check("promises: nothing else does", None if (work / "s.jsonl").read_text() == kept and len(kept.splitlines()) == 10 else kept)


def test(workers, long):
    def in_folder(part):
        with tempfile.TemporaryDirectory() as scratch:
            part(pathlib.Path(scratch))
    list(workers.map(in_folder, (told_paths, grows, stopped, shorter, piped, nothing_twice)))
