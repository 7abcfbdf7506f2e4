"""Nexmark in words that this version does not run yet. A script that checks clean has to be moved: to scripts/, and
its queries to the list in nexmark_joins.py, which compares their rows with the answers."""
import json
import pathlib
import re
import subprocess

from .harness import MUTC, SCRIPTS, Later, need

NEEDS = []

# Script -> what it needs, as MUT3003 names it. A stage behind one that cannot run is not looked at.
LATER = {
    "nexmark_table_heads.mut": {"an aggregate over the current rows of a table"},  # q4, q106
}


def missing(script):
    """What `mutc check` says is missing, and any other error as it stands."""
    done = subprocess.run([MUTC, "--diagnostics=json", "check", str(SCRIPTS / "later" / script)],
                          capture_output=True, text=True, timeout=60)
    found = [json.loads(line) for line in (done.stdout + done.stderr).splitlines() if line.startswith("{")]
    errors = [d for d in found if d["severity"] == "error"]
    need((done.returncode == 1) == bool(errors), f"exit {done.returncode} with {len(errors)} errors")
    return {re.sub(r" can be written but not run yet$", "", d["message"]) if d["code"] == "MUT3003"
            else f"{d['code']} {d['message']}" for d in errors}


def check(script, wanted):
    got = missing(script)
    need(got, "can be run now: move it to scripts/, and its queries to nexmark_joins.py")
    need(got == wanted, f"waits for {', '.join(sorted(wanted))}; mutc check says {', '.join(sorted(got))}")
    raise Later(", ".join(sorted(wanted)))


def checks(data):
    listed = {path.name for path in pathlib.Path(SCRIPTS / "later").glob("*.mut")}
    need(listed == set(LATER), f"scripts/later has {sorted(listed)}, LATER has {sorted(LATER)}")
    return [(script, lambda s=script, w=wanted: check(s, w)) for script, wanted in LATER.items()]
