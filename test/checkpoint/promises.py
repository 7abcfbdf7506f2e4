"""What is told of each path from a source to a sink, and what the end of a run leaves."""
import os
import pathlib
import signal
import subprocess
import tempfile
import time

from common import KILLED, check, mutc, run, skip
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


def demands(work):
    """What a sink asks for is kept, or nothing begins: refused by the check where no run keeps it, at the start where this one does not."""
    script = 'source r: {{ n: int }} = {}\nemit r to {}\n'
    wanted = [("file → file, with a state", 'file("in.jsonl")', 'file("out.jsonl", guarantee: exactly_once)', ["--state", "st"], 0, "exactly once"),
              ("without a state", 'file("in.jsonl")', 'file("out.jsonl", guarantee: exactly_once)', [], 2, "write --state DIR"),
              ("less is kept without a state", 'file("in.jsonl")', 'file("out.jsonl", guarantee: at_most_once)', [], 0, ""),
              ("a pipe in place of a file", 'file("/dev/stdin")', 'file("piped.jsonl", guarantee: at_least_once)', ["--state", "st2"], 2, "cannot be read again"),
              ("stdin", 'stdin()', 'file("out.jsonl", guarantee: at_least_once)', ["--state", "st3"], 1, "at most once: source `r` cannot be read again"),
              ("stdout", 'file("in.jsonl")', 'stdout(guarantee: exactly_once)', ["--state", "st4"], 1, "cannot be taken back")]
    (work / "in.jsonl").write_text('{"n": 1}\n')
    for name, source, sink, options, code, said in wanted:
        (work / "v.mut").write_text(script.format(source, sink))
        done = subprocess.run([mutc, "run", "v.mut", *options], cwd=work, input=b'{"n":1}\n', capture_output=True, timeout=60)
        told = done.stderr.decode()
        check(f"demands: {name}", None if done.returncode == code and said in told else f"exit {done.returncode}: {told}")
        if code != 2:
            checked = subprocess.run([mutc, "check", "v.mut"], cwd=work, capture_output=True, timeout=60)
            check(f"demands: check of {name}", None if checked.returncode == code else f"exit {checked.returncode}")


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
    write_input(work, 8000)
    (work / "v.mut").write_text(SCRIPTS["windows"])
    run(work, "v.mut")
    expected = outputs(work)
    for name in expected:
        (work / name).unlink()
    # Each of the four pieces of the input comes a second late; rows of the first are seen when the second is there.
    going = subprocess.Popen([mutc, "run", "v.mut", "--state", "st", "-q", "--checkpoint-every", "1h", "--decode-threads", "0", "--batch", "50"],
                             cwd=work, stderr=subprocess.PIPE, env={**os.environ, "MUT_FAULT": "file.read:delay"})
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


FOLLOWED = """source s: { n: int } = file("app.log", format: json, follow: true)
stream sums = s | aggregate n = count(), total = sum(n) ttl none
emit sums to file("sums.jsonl")
"""


class Going:
    """A run that does not end by itself."""

    def __init__(self, work, *args):
        self.work = work
        self.process = subprocess.Popen([mutc, "run", "v.mut", "--state", "st", *args], cwd=work, stdout=subprocess.DEVNULL, stderr=open(work / "told", "a"))

    def until(self, fine):
        end = time.monotonic() + 30
        while not fine() and self.process.poll() is None and time.monotonic() < end:
            time.sleep(0.005)
        return fine()

    def rows(self, count, name="sums.jsonl"):
        path = self.work / name
        return self.until(lambda: path.exists() and path.read_text().count("\n") >= count)

    def newest(self):
        return max((int(name.split("-")[1]) for name in os.listdir(self.work / "st") if name.startswith("manifest") and name[-1] != "w"), default=0)

    def quiet(self):
        """Nothing is new since the newest checkpoint: for a fifth of a second there is no other. Its number; 0 where it has ended."""
        end = time.monotonic() + 30
        known, since = self.newest(), time.monotonic()
        while self.process.poll() is None and time.monotonic() < end:
            if self.newest() != known:
                known, since = self.newest(), time.monotonic()
            if time.monotonic() - since > 0.2:
                return known
            time.sleep(0.01)
        return 0

    def end(self, how=signal.SIGKILL):
        self.process.send_signal(how)
        return self.process.wait(30)


def rotated(work):
    """A followed file is renamed and another takes its name, before a kill: each row counts once, whether or not the new one has rows."""
    (work / "v.mut").write_text(FOLLOWED)
    log = work / "app.log"
    log.write_text("".join(f'{{"n": {n}}}\n' for n in range(300)))
    going = Going(work, "--checkpoint-every", "5ms")
    fine = going.rows(300)
    before = going.quiet()
    log.rename(work / "app.log.1")
    log.write_text("")
    fine = going.until(lambda: going.newest() > before) and fine  # of the new place, though no row has come
    going.end()
    with open(log, "a") as out:
        out.write("".join(f'{{"n": {n}}}\n' for n in range(300, 350)))
    going = Going(work, "--checkpoint-every", "5ms")
    fine = going.rows(350) and going.quiet() and fine
    log.rename(work / "app.log.2")
    log.write_text("".join(f'{{"n": {n}}}\n' for n in range(350, 900)))  # longer than the one before
    fine = going.rows(900) and going.quiet() and fine
    going.end()
    with open(log, "a") as out:
        out.write('{"n": 900}\n')
    going = Going(work)
    fine = going.rows(901) and fine
    code = going.end(signal.SIGTERM)
    rows = (work / "sums.jsonl").read_text().splitlines()
    wanted = [f'{{"n":{n + 1},"total":{n * (n + 1) // 2}}}' for n in range(901)]
    check("promises: a file that is rotated", None if fine and code == 0 and rows == wanted else f"{fine} {code} {len(rows)} {rows[-1:]} {(work / 'told').read_text()[-900:]}")


def rotated_in_between(work):
    """Checkpoints fail while the file that is read has lost its name to one that is not read yet; a start behind that uses one that fits or says why not."""
    (work / "v.mut").write_text(FOLLOWED)
    log = work / "app.log"
    log.write_text("".join(f'{{"n": {n}}}\n' for n in range(300)))
    going = Going(work, "--checkpoint-every", "5ms")
    fine = going.rows(300)
    going.end(signal.SIGTERM)
    log.rename(work / "app.log.1")
    log.write_text("".join(f'{{"n": {n}}}\n' for n in range(1000, 1400)))
    done = run(work, "v.mut", "--state", "st")
    told = done.stderr.decode()
    fine = fine and done.returncode == 3 and "it is not the file any more that was read up to record 300" in told
    (work / "app.log").rename(work / "app.log.2")
    (work / "app.log.1").rename(log)
    going = Going(work)
    with open(log, "a") as out:
        out.write('{"n": 300}\n')
    fine = going.rows(301) and fine
    going.end(signal.SIGTERM)
    check("promises: a file that was rotated while nobody read it", None if fine else f"exit {done.returncode}: {told[-800:]}")


def an_edit_appends(work):
    """An edit brings a file that is appended to: a crash right behind it leaves no row of it twice."""
    (work / "in.jsonl").write_text("".join(f'{{"n": {n}}}\n' for n in range(2000)))
    script = """source s: { n: int } = file("in.jsonl")
emit s to file("s.jsonl")
"""
    (work / "v.mut").write_text(script)
    (work / "v2.mut").write_text(script + 'stream even = s | where n % 2 == 0\nemit even to file("even.jsonl", append: true)\n')
    (work / "even.jsonl").write_text("kept\n")
    command = ["v.mut", "--state", "st", "--checkpoint-every", "1h", "--batch", "50", "--swap", "v2.mut@s:1000"]
    crashed = run(work, *command, crash="renamed@2")
    if b"no fail points" in crashed.stderr:
        return skip()
    known = (work / "even.jsonl").read_text() == "kept\n"  # no row before it was durable
    # Killed with rows in it, behind the last checkpoint.
    going = Going(work, "--checkpoint-every", "1h", "--batch", "50", "--swap", "v2.mut@s:1000")
    going.until(lambda: (work / "even.jsonl").stat().st_size > 200)
    going.end()
    done = run(work, *command)
    rows = (work / "even.jsonl").read_text().splitlines()
    fine = crashed.returncode == KILLED and known and done.returncode == 0 and rows == ["kept"] + [f'{{"n":{n}}}' for n in range(1000, 2000, 2)]
    check("promises: an edit that appends", None if fine else f"exit {crashed.returncode} {known}, {done.returncode}: {done.stderr.decode()[-600:]} {len(rows)} rows {rows[:3]} {rows[-1:]}")


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
    list(workers.map(in_folder, (told_paths, demands, grows, stopped, shorter, piped, rotated, rotated_in_between, an_edit_appends, nothing_twice)))
