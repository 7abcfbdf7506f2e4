"""What the parts of the suite share: how mutc is run, and what is counted."""
import os
import pathlib
import subprocess
import threading

root = pathlib.Path(__file__).resolve().parents[2]
mutc = os.path.abspath(os.environ.get("MUTC", root / "build/release/bin/mutc"))
counts = {"passed": 0, "failed": 0, "skipped": 0}
lock = threading.Lock()
KILLED = 137  # what a crash point returns


def check(name, problem):
    """`problem`: None or an empty text: it holds."""
    with lock:
        counts["failed" if problem else "passed"] += 1
        if problem:
            print(f"FAILED {name}: {problem}", flush=True)


def skip(count=1):
    with lock:
        counts["skipped"] += count


def result():
    more = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    print(f"{counts['passed']} passed, {counts['failed']} failed{more}")
    return 0 if counts["failed"] == 0 and counts["passed"] > 0 else 1


def run(work, *args, crash=None, timeout=120, **environment):
    more = {"MUT_CRASH_AT": crash} if crash else {}
    return subprocess.run([mutc, "run", *args], cwd=work, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout,
                          env={**os.environ, **more, **environment})


def has_fail_points(work):
    (work / "none.mut").write_text('source s: { n: int } = generate(count: 1) { n = n }\nemit s to file("none.jsonl")\n')
    return b"no fail points" not in run(work, "none.mut", crash="captured").stderr
