"""A disk, or the size that a file may have, is full for a while. `room.py WHAT SECONDS` in a mount namespace of its own does one case and
prints {"problem": …, "told": …}; the part of the suite starts these."""
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "test/connectors"), str(ROOT / "test/http")]
from common import check, skip  # noqa: E402
from harness import Run, Wrong, must, rows, until  # noqa: E402
from pages import Served  # noqa: E402

MB = 1 << 20
SLOWER = float(os.environ.get("MUT_SLOWER", "1"))
RATE = 8000  # rows a second, each of some 130 bytes
ROW = f'source r: {{ n: int, pad: string }} = generate(seed: 1, rate: {RATE}.0) {{ n = n, pad = "{"x" * 110}" }}\n'
FULL, ABANDONED = 'mutstream_sink_out_of_space{sink="out"}', 'mutstream_checkpoints_total{result="abandoned"}'
DURABLE, RECORDS = 'mutstream_checkpoints_total{result="durable"}', 'mutstream_records_in_total{source="r"}'


class NoMount(Exception):
    pass


def mounted(folder, size):
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], capture_output=True, text=True)
    if done.returncode:
        raise NoMount(f"no file system can be mounted here: {done.stderr.strip()}")


def whole(path):
    """How many rows: all of them from the first, each once."""
    numbers = [row["n"] for row in rows(path)]
    must(numbers == list(range(len(numbers))), f"{path.name}: rows are lost, repeated or out of order, of {len(numbers)}")
    return len(numbers)


def stood_still(run, seconds):
    """Watches the records of a full run: how long behind the begin the last one came, and how many in all."""
    begin = last = time.monotonic()
    before = run.metrics()[RECORDS]
    while time.monotonic() - begin < seconds:
        time.sleep(0.05)
        now = run.metrics()[RECORDS]
        if now != before:
            before, last = now, time.monotonic()
    return last - begin, before


def outputs(work, seconds):
    """The disk of the output: the source is not read, nothing is lost, and a kill in the midst changes nothing."""
    mounted(work / "disk", 5 * MB)
    (work / "disk/filler").write_bytes(bytes(3 * MB))
    options = ("--state", "st", "--checkpoint-every", "100ms")
    script = ROW + 'emit r to file("disk/out.jsonl") as out\n'
    run = Served(work, script, *options)
    run.until_said("rows wait until there is room")
    run.until_metric(FULL, 1)
    paused, records = stood_still(run, seconds)
    (work / "disk/filler").unlink()
    free = time.monotonic()
    until(lambda: run.metrics()[RECORDS] > records, "it does not go on")
    resumed = time.monotonic() - free
    run.until_said("there is room again")
    run.until_metric(FULL, 0)
    # Full once more, and killed: what waits is in no checkpoint, and is made again.
    (work / "disk/filler").write_bytes(bytes(MB // 2))
    run.until_said("rows wait until there is room|there is room again", 2)
    run.until_metric(FULL, 1)
    run.kill()
    (work / "disk/filler").unlink()
    subprocess.run(["mount", "-o", f"remount,size={50 * MB}", work / "disk"], check=True)
    before = len((work / "disk/out.jsonl").read_bytes())
    run = Run(work, script, *options)
    until(lambda: (work / "disk/out.jsonl").stat().st_size > before + MB, lambda: f"the next run gives nothing: {run.said()}")
    run.stop()
    count = whole(work / "disk/out.jsonl")
    must(paused < 3 * SLOWER and resumed < 10 * SLOWER, f"records came {paused:.2f} s behind the notice, and again {resumed:.2f} s behind the room")
    return f"full for {seconds} s: the last record {paused:.2f} s behind the notice, the next {resumed:.2f} s behind the room; {count} rows, each once"


def state(work, seconds):
    """The disk of the checkpoints: rows go on, checkpoints are told to be abandoned, and come again when there is room."""
    mounted(work / "st", 2 * MB)
    (work / "st").chmod(0o700)
    script = ROW + f'stream s = r | with k = n % {20 * RATE} | select n, k\nstream t = s | aggregate c = count() by k ttl none\n' \
        'emit r to file("out.jsonl") as out\nemit t to file("counts.jsonl")\n'
    options = ("--state", "st", "--checkpoint-every", "100ms")
    run = Served(work, script, *options)
    run.until_said("a checkpoint is abandoned: .*No space left")
    run.until_metric(ABANDONED, lambda value: value > 0)
    begin = run.metrics()
    time.sleep(seconds)
    end = run.metrics()
    must(end[DURABLE] == begin[DURABLE], "a checkpoint was durable while there was no room")
    rate = (end[RECORDS] - begin[RECORDS]) / seconds
    must(rate > RATE / (2 * SLOWER), f"{rate:.0f} rows a second while the disk of the state is full, of {RATE}")
    subprocess.run(["mount", "-o", f"remount,size={200 * MB}", work / "st"], check=True)
    free = time.monotonic()
    run.until_metric(DURABLE, lambda value: value > end[DURABLE])
    resumed = time.monotonic() - free
    run.kill()
    before = len(rows(work / "out.jsonl"))
    run = Run(work, script, *options)
    run.until_said("goes on from checkpoint")
    until(lambda: len(rows(work / "out.jsonl")) > before, "the next run gives nothing")
    run.stop()
    count, counts = whole(work / "out.jsonl"), rows(work / "counts.jsonl")
    must(len(counts) == count and all(row["c"] == 1 for row in counts[:20 * RATE]), "counts are wrong")
    must(resumed < 10 * SLOWER, f"{resumed:.2f} s until a checkpoint was durable")
    return f"full for {seconds} s: {rate:.0f} rows a second meanwhile, a checkpoint {resumed:.2f} s behind the room; {count} rows, each once"


def limited(run, most):
    resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


def size_of_outputs(work, seconds):
    """RLIMIT_FSIZE on an output: the same as a full disk, and no signal ends the run."""
    run = Served(work, ROW + 'emit r to file("out.jsonl") as out\n')
    until(lambda: rows(work / "out.jsonl"), "no rows")
    limited(run, (work / "out.jsonl").stat().st_size + MB // 4)
    run.until_said("File too large; rows wait until there is room")
    paused, records = stood_still(run, seconds)
    must(run.process.poll() is None, lambda: f"it ended: {run.said()}")
    limited(run, resource.RLIM_INFINITY)
    free = time.monotonic()
    until(lambda: run.metrics()[RECORDS] > records, "it does not go on")
    resumed = time.monotonic() - free
    run.stop()
    count = whole(work / "out.jsonl")
    must(paused < 3 * SLOWER and resumed < 10 * SLOWER, f"records came {paused:.2f} s behind the notice, and again {resumed:.2f} s behind the end of the limit")
    return f"RLIMIT_FSIZE for {seconds} s: the last record {paused:.2f} s behind the notice, the next {resumed:.2f} s behind its end; {count} rows, each once"


def size_of_state(work, seconds):
    """RLIMIT_FSIZE on the files of a checkpoint."""
    script = ROW + 'stream t = r | aggregate c = count() by n ttl none | where c > 1\nemit t to file("twice.jsonl") as out\n'
    run = Served(work, script, "--state", "st", "--checkpoint-every", "100ms")
    limited(run, MB // 2)
    run.until_said("a checkpoint is abandoned: .*File too large")
    before = run.metrics()
    time.sleep(seconds)
    after = run.metrics()
    must(after[DURABLE] == before[DURABLE] and after[RECORDS] > before[RECORDS], f"{before}, then {after}")
    limited(run, resource.RLIM_INFINITY)
    run.until_metric(DURABLE, lambda value: value > after[DURABLE])
    run.kill()
    run = Run(work, script, "--state", "st")
    said = run.until_said("goes on from checkpoint.*\n")
    must("is not used" not in run.said(), run.said)
    run.stop()
    must(not rows(work / "twice.jsonl"), "rows came twice")
    return f"RLIMIT_FSIZE for {seconds} s: checkpoints are abandoned, and come again; a killed run {said.strip()}"


CASES = {case.__name__: case for case in (outputs, state, size_of_outputs, size_of_state)}


def one(name, seconds):
    done = subprocess.run(["unshare", "-rm", sys.executable, __file__, name, str(seconds)], capture_output=True, text=True, timeout=300 * SLOWER)
    if done.returncode:
        print(f"skipped room {name}: {done.stderr.strip()[-300:]}")
        return skip()
    said = json.loads(done.stdout)
    check(f"room {name}", said["problem"])
    if os.environ.get("MUT_TIMES") and said["told"]:
        print(f"room {name}: {said['told']}", flush=True)


def test(workers, long):
    list(workers.map(lambda name: one(name, 5 if long else 2), CASES))


def inside(name, seconds):
    """0: the line that was printed says what was found."""
    told = problem = None
    with tempfile.TemporaryDirectory() as folder:
        try:
            told = CASES[name](pathlib.Path(folder), seconds)
        except NoMount as why:
            print(why, file=sys.stderr)
            return 1
        except (Wrong, OSError, subprocess.TimeoutExpired) as why:
            problem = str(why)[-2000:]
        finally:
            for run in Run.open:
                run.kill()
            subprocess.run(["umount", "-l", pathlib.Path(folder, "disk"), pathlib.Path(folder, "st")], capture_output=True)
    print(json.dumps({"problem": problem, "told": told}))
    return 0


if __name__ == "__main__":
    sys.exit(inside(sys.argv[1], float(sys.argv[2])))
