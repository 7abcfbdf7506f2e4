"""A server process that lives in a folder: its data, its log, and a note of which process and port it has."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time


class NotThere(Exception):
    """A server that is not installed, or does not start."""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Server:
    """One server. Who subclasses it gives `program`, `package` and command(); the rest where it differs.

    A second object of the same folder finds the process of the first.
    """
    program = ""  # of the distribution
    package = ""  # that has it
    wait = 20     # seconds, for a start or an end
    stop_signal = signal.SIGTERM

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.note = self.folder / "service.json"
        self.process = None
        known = json.loads(self.note.read_text()) if self.note.exists() else {}
        self.pid, self.port, self.begun = known.get("pid"), known.get("port"), known.get("begun")

    # ---- what is particular to one
    def prepare(self):
        """Before each start: files that it wants."""

    def command(self):
        """The command line, with self.port; it stays in the foreground."""
        raise NotImplementedError

    def answers(self):
        """Whether it takes connections; asked again and again after a start."""
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            return False

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    # ---- what all have
    @classmethod
    def missing(cls):
        """Why it cannot run here; empty: it can."""
        return "" if cls.found() else f"{cls.program} is not installed: apt install {cls.package}"

    @classmethod
    def found(cls):
        return shutil.which(cls.program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")

    def start(self):
        """On the port that it had before, or a free one. Returns when it takes connections."""
        if self.runs():
            return
        if self.missing():
            raise NotThere(self.missing())
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = self.port or free_port()
        self.prepare()
        with open(self.folder / "log.txt", "ab") as log:
            self.process = subprocess.Popen(self.command(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True)
        self.pid, self.begun = self.process.pid, begin_of(self.process.pid)
        self.note.write_text(json.dumps({"pid": self.pid, "port": self.port, "begun": self.begun}))
        end = time.monotonic() + self.wait
        while not self.answers():
            if not self.runs() or time.monotonic() > end:
                self.kill()
                raise NotThere(f"{self.program} does not start: {(self.folder / 'log.txt').read_text()[-1000:]}")
            time.sleep(0.02)

    def runs(self):
        if self.process is not None and self.process.poll() is not None:
            return False  # it is waited for here
        return self.pid is not None and self.begun is not None and begin_of(self.pid) == self.begun

    def stop(self):
        """In order."""
        self.end(self.stop_signal)

    def kill(self):
        """As a crash would."""
        self.end(signal.SIGKILL)

    def pause(self):
        """It stands still, with its connections open."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self):
        os.kill(self.pid, signal.SIGCONT)

    def end(self, by):
        if not self.runs():
            return
        os.kill(self.pid, by)
        if by != signal.SIGKILL:
            os.kill(self.pid, signal.SIGCONT)  # one that stands still takes no signal
        end = time.monotonic() + self.wait
        while self.runs():
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
            time.sleep(0.01)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()


def begin_of(pid):
    """When that process began, in ticks since the machine did; None: there is none. A number that is used again has another."""
    folder = pathlib.Path(f"/proc/{pid}")
    try:
        stat = (folder / "stat").read_text()
        fields = stat[stat.rindex(")") + 2:].split()
        # The port is free when its last thread has gone.
        over = fields[0] == "Z" and len(os.listdir(folder / "task")) <= 1
    except OSError:
        return None
    return None if over else int(fields[19])
