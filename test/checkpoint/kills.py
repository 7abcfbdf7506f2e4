"""`kill -9` and SIGTERM at random moments, and a start with other options each time: outputs are those of a run that was never killed."""
import hashlib
import json
import os
import pathlib
import random
import signal
import subprocess
import tempfile
import time

from common import check, counts, mutc, run
from scripts import SCRIPTS, differs, outputs, pack_input, write_input

ROWS = 12000
# By `kill -9`, of both modes; the short one has fewer where the build is slower.
KILLS, LONG_KILLS = 200 // max(1, int(float(os.environ.get("MUT_SLOWER", "1")))), 5000


def newest(work):
    try:
        return max((name for name in os.listdir(work / "st") if name.startswith("manifest") and not name.endswith(".new")), default="")
    except FileNotFoundError:
        return ""


def killed_once(work, options, chance):
    """How it ended: "killed", "stopped" by SIGTERM, or "ended" before."""
    before = newest(work)
    going = subprocess.Popen([mutc, "run", "v.mut", *options], cwd=work, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    # Sooner than any checkpoint now and then; else behind the first of this run, so that the whole comes to its end.
    if chance.random() > 0.2:
        end = time.monotonic() + 60
        while newest(work) == before and going.poll() is None and time.monotonic() < end:
            time.sleep(0.002)
    time.sleep(chance.uniform(0, 0.08))
    ended = going.poll() is not None
    stops = chance.random() < 0.3
    going.terminate() if stops else going.kill()
    told = going.communicate()[1].decode(errors="replace")
    if (ended or stops) and going.returncode not in (0, -signal.SIGTERM):  # before it listens to signals
        raise AssertionError(f"exit {going.returncode}: {told[-1500:]}")
    return "ended" if ended else "stopped" if stops else "killed"


def one(name, seed, turns, expected, packed):
    """How often it was killed."""
    chance = random.Random(f"{name} {seed}")
    shards = chance.choice([1, 1, 2, 3])
    what = f"kills {name} seed {seed}, {shards} shards"
    with tempfile.TemporaryDirectory() as scratch:
        work = pathlib.Path(scratch)
        write_input(work, ROWS)
        text = SCRIPTS[name]
        if packed:
            pack_input(work)
            text = text.replace('payments.jsonl"', 'payments.jsonl.gz"').replace('logins.csv"', 'logins.csv.gz"')
        (work / "v.mut").write_text(text)
        count = 0
        try:
            for _ in range(turns):
                options = ["--state", "st", "--shards", str(shards), "--checkpoint-every", chance.choice(["0ms", "1ms", "10ms", "40ms"]),
                           "--batch", str(chance.choice([5, 64, 200, 1000])), "--tier", chance.choice(["quick", "optimised", "auto"]),
                           "--decode-threads", str(chance.randrange(3))]
                end = killed_once(work, options, chance)
                if end == "ended":
                    break
                count += end == "killed"
            done = run(work, "v.mut", "--state", "st", "--shards", str(shards), "-q")
            problem = f"exit {done.returncode}: {done.stderr.decode(errors='replace')[-1500:]}" if done.returncode else None
        except AssertionError as failed:
            problem = str(failed)
        check(f"{what}, {count} kills", problem or differs(expected[shards > 1], outputs(work), shards > 1))
    return count


def never_killed(name):
    """By whether there are several shards."""
    out = []
    for shards in ("1", "2"):
        with tempfile.TemporaryDirectory() as scratch:
            work = pathlib.Path(scratch)
            write_input(work, ROWS)
            (work / "v.mut").write_text(SCRIPTS[name])
            done = run(work, "v.mut", "--shards", shards)
            if done.returncode:
                raise AssertionError(f"{name}: {done.stderr.decode(errors='replace')[-1500:]}")
            out.append(outputs(work))
    empty = [output for output, text in out[0].items() if not text.strip()]
    check(f"kills {name}: each output has rows", ", ".join(empty))
    check(f"kills {name}: shards", differs(out[0], out[1], True))
    return out


def case(name, seed, expected):
    packed = seed % 4 == 3
    return one(name, seed, 12, expected, packed)


def test(workers, long):
    expected = {name: never_killed(name) for name in SCRIPTS}
    if long:
        return test_long(workers, expected)
    kills = seed = 0
    while kills < KILLS and not counts["failed"]:
        kills += killed_by(seed, workers, expected)
        seed += 1
    print(f"{kills} times killed, by seeds 0 to {seed - 1}", flush=True)


def killed_by(seed, workers, expected):
    """Each script once; how often they were killed in sum."""
    return sum(workers.map(lambda name: case(name, seed, expected[name]), SCRIPTS))


def test_long(workers, expected):
    """Until there were so many kills; what was done stays in a file, and the next run goes on behind it."""
    mark = pathlib.Path(os.environ.get("MUT_KILLS_MARK", pathlib.Path(__file__).resolve().parents[2] / "build/kills.json"))
    build = hashlib.sha256(pathlib.Path(mutc).read_bytes()).hexdigest()
    done = json.loads(mark.read_text()) if mark.exists() else {}
    done = done if done.get("build") == build else {"build": build, "kills": 0, "seed": 0}
    while done["kills"] < LONG_KILLS:
        kills = killed_by(done["seed"], workers, expected)
        if counts["failed"]:
            return  # the next run begins with these
        done = {**done, "kills": done["kills"] + kills, "seed": done["seed"] + 1}
        mark.parent.mkdir(exist_ok=True)
        mark.write_text(json.dumps(done))
    check(f"kills: {done['kills']} of one build, seeds to {done['seed']}", None)
