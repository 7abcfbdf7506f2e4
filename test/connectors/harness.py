"""A run of mutc with its messages, peers of sockets, and claims that are counted."""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
MUTC = os.path.abspath(os.environ.get("MUTC", ROOT / "build/bin/mutc"))
LIMIT = 60 * float(os.environ.get("MUT_SLOWER", "1"))  # seconds, for whatever should take milliseconds
passed = failed = left_out = 0


class Wrong(Exception):
    """What was claimed does not hold."""


class Skipped(Exception):
    """Why it cannot be asked here."""


def must(fine, text):
    if not fine:
        raise Wrong(text() if callable(text) else text)


def until(holds, what):
    """Waits until `holds()`; what it gave."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(0.005)
    raise Wrong(f"after {LIMIT:.0f} s: {what() if callable(what) else what}")


def case(name, claim, *arguments):
    """Runs one claim in a folder of its own."""
    global passed, failed, left_out
    if len(sys.argv) > 1 and not any(word in name for word in sys.argv[1:]):
        return
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        try:
            claim(pathlib.Path(folder), *arguments)
            passed += 1
        except Skipped as why:
            left_out += 1
            print(f"skipped: {name}: {why}")
        except (Wrong, OSError, subprocess.TimeoutExpired) as problem:
            failed += 1
            print(f"FAIL {name}: {str(problem)[-2000:]}")
        finally:
            for run in Run.open:
                run.kill()
            Run.open.clear()
    if os.environ.get("MUT_TIMES"):
        print(f"{time.monotonic() - begin:6.2f} s  {name}", flush=True)


class Run:
    """`mutc run` of a script in `folder`."""
    open = []

    def __init__(self, folder, script, *args, edits=(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL):
        (folder / "v1.mut").write_text(script)
        for index, (text, records) in enumerate(edits, 2):
            (folder / f"v{index}.mut").write_text(text)
            args += ("--swap", f"v{index}.mut@r:{records}")
        self.folder = folder
        self.messages = folder / "stderr.txt"
        with open(self.messages, "wb") as messages:
            self.process = subprocess.Popen([MUTC, "run", "v1.mut", *args], cwd=folder, stdin=stdin, stdout=stdout,
                                            stderr=messages)
        Run.open.append(self)

    def said(self):
        return self.messages.read_text(errors="replace")

    def until_said(self, pattern, count=1):
        def look():
            found = re.findall(pattern, self.said())
            if len(found) < count:
                must(self.process.poll() is None, lambda: f"it ended with {self.process.returncode}: {self.said()}")
            return found if len(found) >= count else None
        return until(look, lambda: f"`{pattern}` was not said: {self.said()}")[count - 1]

    def address(self, of, count=1):
        """Where a source or sink listens."""
        host, port = self.until_said(rf"{of} listens on (\S+):(\d+)", count)
        return host.strip("[]"), int(port)

    def peak_mb(self):
        """Most memory so far."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        peak = int(re.search(r"VmHWM:\s*(\d+)", text).group(1)) / 1024
        if os.environ.get("MUT_TIMES"):
            print(f"{peak:6.0f} MB at most")
        return peak

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def end(self, code=0):
        """Waits for the end."""
        got = self.process.wait(LIMIT)
        must(got == code, lambda: f"exit {got} where {code} is wanted: {self.said()}")
        return self.said()

    def stop(self, code=0):
        self.interrupt()
        return self.end(code)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                if pipe:
                    pipe.close()
            except OSError:
                pass  # what was still to be written to it


def rows(path):
    """Whole rows of a file that may still grow."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def until_rows(run, path, count):
    def look():
        must(run.process.poll() is None, lambda: f"it ended with {run.process.returncode}: {run.said()}")
        return len(rows(path)) >= count
    until(look, lambda: f"{len(rows(path))} of {count} rows came: {run.said()}")


def listen(host="127.0.0.1", port=0):
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen()
    listener.settimeout(LIMIT)
    return listener


def connect(address):
    client = socket.create_connection(address, timeout=LIMIT)
    client.settimeout(LIMIT)
    return client


def reset(peer):
    """Closes it so that the other side sees an error."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    peer.close()


class Receiver(threading.Thread):
    """Reads a socket to its end."""

    def __init__(self, peer):
        super().__init__(daemon=True)
        self.peer, self.data, self.broke = peer, bytearray(), None
        self.start()

    def run(self):
        try:
            while piece := self.peer.recv(1 << 16):
                self.data += piece
        except OSError as problem:
            self.broke = problem

    def lines(self):
        return bytes(self.data).split(b"\n")[:-1]

    def end(self):
        self.join(LIMIT)
        must(not self.is_alive(), "the connection was not closed")
        self.peer.close()
        return bytes(self.data)


def close(skipped=None):
    """The closing line, and the end."""
    total = (skipped or 0) + left_out
    print(f"{passed} passed, {failed} failed" + ("" if skipped is None and total == 0 else f", {total} skipped"))
    sys.exit(1 if failed or not passed else 0)
