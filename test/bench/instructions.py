#!/usr/bin/env python3
"""Instructions of one pass of each workload, small inputs, against those on record: more than 2 % apart is a failure. They do
not depend on what else the machine does. Counted by callgrind, which offers a processor with AVX2; instructions of compiled
scripts are among them.

  test/bench/instructions.py [--only NAME] [--record]     --record writes what was counted to instructions.json

BUILD: the build folder. Prints `N passed, N failed, N skipped`.
"""
import argparse, json, os, pathlib, re, shutil, subprocess, sys, tempfile

here = pathlib.Path(__file__).resolve().parent
build = pathlib.Path(os.environ.get("BUILD", here.parent.parent / "build/release")).resolve()
record = here / "instructions.json"
WORKLOADS = ["w2q2", "w3bcol", "w4q5", "w4q5fine", "w4q8", "w4q11", "w4q12", "w5q18", "w6"]
SHARE = 0.02


def count(name):
    """Instructions of a pass, or None with what was said."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["valgrind", "--tool=callgrind", "--collect-atstart=no", f"--callgrind-out-file={folder}/out",
                               str(build / "bin/bench_engine"), name, "--size", "small", "--once"],
                              capture_output=True, text=True)
        total = re.search(r"^(?:summary|totals): (\d+)", (pathlib.Path(folder) / "out").read_text(), re.M) if done.returncode == 0 else None
        return (int(total.group(1)), json.loads(done.stdout.splitlines()[-1])["events"]) if total else (None, done.stderr[-2000:])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", action="append")
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    names = [name for name in WORKLOADS if not options.only or name in options.only]
    if shutil.which("valgrind") is None or not (build / "bin/bench_engine").exists():
        print("skipped: no valgrind (apt-get install valgrind), or bench_engine was not built")
        print(f"0 passed, 0 failed, {len(names)} skipped")
        return 0
    known = json.loads(record.read_text()) if record.exists() else {}
    passed = failed = 0
    for name in names:
        counted, events = count(name)
        if counted is None:
            failed += 1
            print(f"FAILED {name}: {events}")
            continue
        before = known.get(name)
        apart = counted / before - 1 if before else 0
        fine = options.record or (before is not None and abs(apart) <= SHARE)
        passed, failed = passed + fine, failed + (not fine)
        print(f"{'ok     ' if fine else 'FAILED '}{name}: {counted} instructions, {counted / events:.1f} an event, {apart:+.2%}", flush=True)
        if options.record:
            known[name] = counted
    if options.record:
        record.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return failed > 0


sys.exit(main())
