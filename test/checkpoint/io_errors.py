"""An input/output error at each call by which a checkpoint becomes durable, put there by strace: no checkpoint counts that relies on
what failed, no file is synced a second time, and the next start goes on from the one before."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from common import KILLED, check, has_fail_points, mutc, run, skip
from scripts import SCRIPTS, differs, outputs, write_input

ROWS = 1500
NUMBER = 3  # of the checkpoint that fails
# Of the directory, behind the rename: it is opened three times for a checkpoint, once to be listed, and synced twice.
RENAMED = {"openat": 3 * (NUMBER - 1) + 2, "fsync": 2 * (NUMBER - 1) + 2}
OPTIONS = ["--checkpoint-every", "0ms", "--batch", "200", "--tier", "quick"]
TRACED = ["-f", "--seccomp-bpf", "-y", "-e", "trace=openat,write,fsync,close,rename,unlink"]
OUTPUTS = ["totals.jsonl", "ticks.csv"]
# A line of strace: "1234  fsync(8</w/st/data-0000000003>) = -1 EIO (Input/output error) (INJECTED)".
SYNC = re.compile(r"fsync\(\d+<([^>]*)>\)\s*=\s*(-?\d+)")


def cases(long, writes):
    """Files of the third checkpoint with the calls that are made of them: path, call, which of one thread's calls."""
    data, manifest = f"st/data-{NUMBER:010d}", f"st/manifest-{NUMBER:010d}.new"
    yield data, "openat", 1
    for at in range(1, writes + 1) if long else (1, writes // 2, writes):
        yield data, "write", at
    for call in ("fsync", "close"):
        yield data, call, 1
    for call in ("openat", "write", "fsync", "close", "rename"):
        yield manifest, call, 1
    # The directory: behind the data and behind the rename.
    for call, at in RENAMED.items():
        yield "st", call, at - 1
        yield "st", call, at
    for output in OUTPUTS:
        yield output, "openat", NUMBER
        yield output, "fsync", NUMBER


def traced(work, log, *strace, crash=None):
    more = {"MUT_CRASH_AT": crash} if crash else {}
    return subprocess.run(["strace", "-o", log, *TRACED, *strace, mutc, "run", "v.mut", "--state", str(work / "st"), *OPTIONS], cwd=work,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=120, env={**os.environ, **more})


def synced_twice(log, directory):
    """A file that was synced once more after it could not be. A directory gets new names, and is synced for them."""
    failed = set()
    for line in log.read_text(errors="replace").splitlines():
        found = SYNC.search(line)
        if not found or found[1] == directory:
            continue
        if found[1] in failed:
            return found[1]
        if found[2] != "0":
            failed.add(found[1])
    return None


def one(template, case, expected, then):
    """`then`: what comes behind the error. `killed`: the run, before there is another checkpoint; `goes on`: rows and checkpoints."""
    path, call, at = case
    name = f"io_errors {path} {call}@{at}, {then}"
    with tempfile.TemporaryDirectory() as scratch:
        work, log = pathlib.Path(scratch).resolve() / "w", pathlib.Path(scratch) / "log.txt"
        shutil.copytree(template, work)
        # Where there is no such file yet strace knows it by the whole path; outputs are opened by their names.
        named = [word for each in {str(work / path), path} for word in ("-P", each)]
        # Of an output that could not be synced there are no more checkpoints, so the run comes to its end.
        goes_on = then == "goes on" or (path in OUTPUTS and call == "fsync")
        hurt = traced(work, log, *named, "-e", f"inject={call}:error=EIO:when={at}", crash=None if goes_on else f"captured@{NUMBER + 1}")
        told = hurt.stderr.decode(errors="replace")
        text = log.read_text(errors="replace")
        if "INJECTED" not in text:
            return check(name, f"nothing failed: {text[-300:]}")
        if hurt.returncode != (0 if goes_on else KILLED):
            return check(name, f"exit {hurt.returncode}: {told[-800:]}")
        if goes_on and ("a checkpoint is abandoned" not in told or "Input/output error" not in told):
            return check(name, f"it is not told: {told[-500:]}")
        twice = synced_twice(log, str(work / "st"))
        # A manifest that had its name may have it again behind a crash, so its data, which are good, go with a later one.
        was_named = then == "killed" and path == "st" and at == RENAMED[call]
        left = [file.name for file in (work / "st").iterdir() if f"{NUMBER:010d}" in file.name and not (was_named and file.name.startswith("data"))]
        if twice or left:
            return check(name, f"{twice} is synced a second time" if twice else f"{left} is left")
        problem = differs(expected, outputs(work), False) if goes_on else None
        done = run(work, "v.mut", "--state", "st")
        told = done.stderr.decode(errors="replace")
        last = re.search(r"goes on from checkpoint (\d+)", told)
        if done.returncode:
            problem = problem or f"the next start: exit {done.returncode}: {told[-800:]}"
        elif not last or "is not used" in told:
            problem = problem or f"the next start does not go on: {told[-500:]}"
        elif then == "goes on" and path not in OUTPUTS:
            problem = problem or (None if int(last[1]) > NUMBER else f"no later checkpoint was taken: {told[-500:]}")
        elif int(last[1]) != NUMBER - 1 and not (then == "goes on" and call == "openat"):
            problem = problem or f"the next start does not go on from the one before: {told[-500:]}"
        check(name, problem or differs(expected, outputs(work), False))


def test(workers, long):
    why = None if shutil.which("strace") else "there is no strace: tools/setup servers"
    if "MUT_SLOWER" in os.environ:
        why = "a sanitizer cannot look for leaks of who is traced"
    with tempfile.TemporaryDirectory() as scratch:
        template, log = pathlib.Path(scratch).resolve() / "template", pathlib.Path(scratch) / "log.txt"
        template.mkdir()
        if not has_fail_points(template):
            why = "this build has no fail points"
        for left in ("none.mut", "none.jsonl"):
            (template / left).unlink(missing_ok=True)
        write_input(template, ROWS)
        (template / "v.mut").write_text(SCRIPTS["groups"])
        if not why:
            whole = pathlib.Path(scratch).resolve() / "whole"
            shutil.copytree(template, whole)
            done = traced(whole, log)
            why = f"strace may not trace here: {done.stderr.decode()[-200:]}" if not log.exists() or "fsync" not in log.read_text() else None
        if why:
            print(f"skipped io_errors: {why}")
            return skip()
        check("io_errors: without an error", f"exit {done.returncode}: {done.stderr.decode()[-500:]}" if done.returncode else None)
        expected = outputs(whole)
        writes = len(re.findall(rf"write\(\d+<{whole}/st/data-{NUMBER:010d}>", log.read_text()))
        both = [(case, then) for case in cases(long, writes) for then in ("killed", "goes on")
                if long or then == "killed" or case[1] in ("fsync", "rename")]
        list(workers.map(lambda each: one(template, each[0], expected, each[1]), both))
