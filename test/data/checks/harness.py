"""Runs scripts of test/data/scripts on real data and compares rows. A check fails by raising Mismatch."""
import base64
import json
import math
import os
import pathlib
import shutil
import subprocess
import tempfile

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent / "scripts"
ROOT = SCRIPTS.parent.parent.parent
MUTC = os.path.abspath(os.environ.get("MUTC", str(ROOT / "build" / "bin" / "mutc")))

# Ways of running a script that must not change a row.
FAST = [
    ["--tier", "quick"],
    ["--tier", "optimised"],
    ["--batch", "1"],
    ["--batch", "7"],
    ["--batch", "1024"],
    ["--batch", "1024", "--disturb=swap"],
]
# These cost more for each row, so they get a slice of a large file.
SLOW = [
    ["--engine", "reference"],
    ["--batch", "1", "--disturb=swap"],
    ["--batch", "7", "--disturb=swap"],
]


class Mismatch(Exception):
    pass


class Later(Exception):
    """Not a failure: the check waits for a feature, which is named. Counted as skipped."""


def need(condition, message):
    if not condition:
        raise Mismatch(message)


class Scratch:
    """A folder of its own for one check: inputs are put there under the names that the script uses."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mut-data-"))
        self.way = ()  # options of the last run
        self.compared = {}  # output -> the bytes that were found right before

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def put(self, name, content):
        (self.folder / name).write_bytes(content)

    def link(self, name, target):
        (self.folder / name).symlink_to(pathlib.Path(target).resolve())

    def bytes(self, name):
        return (self.folder / name).read_bytes()

    def rows(self, name):
        return parse(self.bytes(name))

    def must_hold(self, name, expected, printed=None):
        """The output holds these rows, whatever the way it was made: the same in each call for one name."""
        content = self.bytes(name) if printed is None else printed
        if self.compared.get(name) != content:
            same_rows(f"{name} {' '.join(self.way)}", expected, parse(content))
            self.compared[name] = content

    def run(self, script, *options, exit_code=0):
        """script: the name of a file in scripts/, or the text of a script. Returns what it prints."""
        if "\n" in script:
            path = self.folder / "script.mut"
            path.write_text(script, encoding="utf-8")
        else:
            path = SCRIPTS / script
        self.way = options
        done = subprocess.run([MUTC, "run", str(path), *options], cwd=self.folder, capture_output=True, timeout=120)
        messages = done.stderr.decode(errors="replace")
        need(done.returncode == exit_code, f"exit {done.returncode}, {exit_code} expected: {messages[:1500]}")
        if "--disturb=swap" in options:
            need("disturbed by " in messages and "disturbed by 0 cuts" not in messages, "a disturbance without a cut")
        return done.stdout


def parse(content):
    return [json.loads(line) for line in content.decode("utf-8").split("\n") if line.strip()]


def same(expected, got):
    """Floats may differ by 1e-12 of their size, which is what the language promises of a sum."""
    if isinstance(expected, bool) or isinstance(got, bool):
        return expected is got
    if isinstance(expected, float):
        return isinstance(got, (int, float)) and math.isclose(expected, got, rel_tol=1e-12, abs_tol=1e-300)
    if isinstance(expected, dict):
        return isinstance(got, dict) and list(expected) == list(got) and all(same(expected[k], got[k]) for k in got)
    if isinstance(expected, list):
        return isinstance(got, list) and len(expected) == len(got) and all(map(same, expected, got))
    return type(expected) is type(got) and expected == got


def same_rows(what, expected, got):
    for i, (a, b) in enumerate(zip(expected, got)):
        need(same(a, b), f"{what}: row {i + 1}: expected {json.dumps(a)}, got {json.dumps(b)}")
    need(len(expected) == len(got), f"{what}: {len(expected)} rows expected, {len(got)} came")


def decode_error(script, source, input_name, line, raw, message):
    """The row of `.errors` for a record that cannot be decoded."""
    text = (SCRIPTS / script).read_text(encoding="utf-8").split("\n")
    declared = next(i for i, words in enumerate(text, 1) if words.startswith(f"source {source}:"))
    return {
        "event": None,
        "raw": base64.b64encode(raw).decode(),
        "stage": "decode",
        "line": declared,
        "input": f"{input_name}:{line}",
        "code": "decode",
        "message": message,
    }
