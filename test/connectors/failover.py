"""What `else` says stands in for an input that is lost: numbered rows of two programs, one of which dies and comes back."""
import json
import os
import socket
import threading
import time

from harness import LIMIT, Run, case, must, reset, rows, until
from texts import must_be

TURNS = 10


class Feeder(threading.Thread):
    """A program that sends numbered rows to who connects, until it is killed. Each number goes to one connection, once."""

    def __init__(self, tag, port=0, first=0):
        super().__init__(daemon=True)
        self.tag, self.next, self.over, self.sent = tag, first, False, []
        self.listener = socket.create_server(("127.0.0.1", port))
        self.listener.settimeout(0.05)
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        peer = None
        while not self.over:
            if peer is None:
                try:
                    peer, _ = self.listener.accept()
                except OSError:
                    continue
            try:
                peer.sendall(b'{"tag":"%s","n":%d}\n' % (self.tag.encode(), self.next))
                self.sent.append(self.next)
                self.next += 1
                time.sleep(0.0005)
            except OSError:
                peer = None
        self.listener.close()
        if peer is not None:
            peer.settimeout(LIMIT)
            try:
                peer.shutdown(socket.SHUT_WR)  # what was sent arrives
                while peer.recv(4096):
                    pass
            except OSError:
                pass
            peer.close()

    def kill(self):
        self.over = True
        self.join(LIMIT)


def numbers_of(folder, tag):
    return [row["n"] for row in rows(folder / "out.jsonl") if row["tag"] == tag]


def stood_in_for(folder, closed, least):
    """Rows of the second are in order and once; numbers are missing where its connection was closed."""
    numbers = numbers_of(folder, "b")
    must(len(numbers) >= least, f"only {len(numbers)} rows of the second")
    gaps = [(a, b) for a, b in zip(numbers, numbers[1:]) if b != a + 1]
    must(all(a < b for a, b in gaps) and len(gaps) <= closed, f"rows of the second are not in order: {gaps}")


def takes_over(folder):
    """Ten times the first is killed and comes back: the second stands in when it is to, nothing of the first is lost, nothing is
    repeated, and of the second there is missing what was on its way when its connection was closed, ten times at most."""
    first, second = Feeder("a"), Feeder("b")
    run = Run(folder, f"""source r: {{ tag: string, n: int }} = tcp(connect: "127.0.0.1:{first.port}")
  else tcp(connect: "127.0.0.1:{second.port}") after 200ms
emit r to file("out.jsonl")
""")
    sent, waits = [], []
    for turn in range(TURNS):
        until(lambda: first.sent, "nobody reads the first")
        time.sleep(0.1)
        stood_in = len(second.sent)
        lost = time.monotonic()
        first.kill()
        run.until_said(r"is lost; reading tcp connect", turn + 1)
        until(lambda: len(second.sent) > stood_in, "nobody reads the second")
        waits.append(time.monotonic() - lost)
        sent += first.sent
        first = Feeder("a", first.port, first.next)
        run.until_said(r"is there again", turn + 1)
    until(lambda: first.sent, "nobody reads the first")
    first.kill()
    second.kill()
    sent += first.sent
    until(lambda: len(numbers_of(folder, "a")) >= len(sent), "rows of the first are missing")
    run.stop()
    must_be(numbers_of(folder, "a"), sent, "rows of the first")
    stood_in_for(folder, TURNS, 5 * TURNS)
    must(min(waits) >= 0.2, f"it stood in after {min(waits):.3f} s, before it was asked to")


def begins_with_the_second(folder):
    """One that is not there at the start is read once it is."""
    second = Feeder("b")
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = one.getsockname()[1]
    run = Run(folder, f"""source r: {{ tag: string, n: int }} = tcp(connect: "127.0.0.1:{port}")
  else tcp(connect: "127.0.0.1:{second.port}") after 1h
emit r to file("out.jsonl")
""")
    run.until_said("is not there .*; reading tcp connect")
    until(lambda: len(second.sent) > 10, "nobody reads the second")
    first = Feeder("a", port)
    run.until_said("is there again")
    until(lambda: len(first.sent) > 10, "nobody reads the first")
    first.kill()
    second.kill()
    until(lambda: numbers_of(folder, "a") == first.sent, "rows of the first are missing")
    run.stop()
    stood_in_for(folder, 1, 10)


def ends_with_a_file(folder):
    """A file stands in to its end; then the first is waited for."""
    (folder / "old.jsonl").write_text("".join(json.dumps({"tag": "old", "n": n}) + "\n" for n in range(1000)))
    first = Feeder("a")
    run = Run(folder, f"""source r: {{ tag: string, n: int }} = tcp(connect: "127.0.0.1:{first.port}") else file("old.jsonl") after 100ms
emit r to file("out.jsonl")
""")
    until(lambda: len(first.sent) > 10, "nobody reads the first")
    first.kill()
    until(lambda: sum(row["tag"] == "old" for row in rows(folder / "out.jsonl")) == 1000, "the file is not read")
    again = Feeder("a", first.port, first.next)
    until(lambda: len(again.sent) > 10, "nobody reads the first again")
    again.kill()
    total = 1000 + len(first.sent) + len(again.sent)
    until(lambda: len(rows(folder / "out.jsonl")) >= total, "rows are missing")
    run.stop()


def three_inputs(folder):
    """A file between two programs is read once, then the last is read calmly."""
    (folder / "old.jsonl").write_text("".join(json.dumps({"tag": "old", "n": n}) + "\n" for n in range(100)))
    first, third = Feeder("a"), Feeder("c")
    run = Run(folder, f"""source r: {{ tag: string, n: int }} = tcp(connect: "127.0.0.1:{first.port}") else file("old.jsonl") after 50ms
  else tcp(connect: "127.0.0.1:{third.port}") after 50ms
emit r to file("out.jsonl")
""")
    until(lambda: len(first.sent) > 10, "nobody reads the first")
    first.kill()
    until(lambda: len(third.sent) > 500, "nobody reads the third")
    third.kill()
    until(lambda: len(numbers_of(folder, "c")) == len(third.sent), "rows of the third are missing")
    run.stop()
    must_be((numbers_of(folder, "a"), numbers_of(folder, "old"), numbers_of(folder, "c")),
            (first.sent, list(range(100)), third.sent), "rows")


def none_is_there(folder):
    """Where none can be opened the run ends, and says why."""
    run = Run(folder, """source r: { n: int } = tcp(connect: "127.0.0.1:1") else file("none.jsonl") after 1s
emit r to stdout()
""")
    said = run.end(3)
    must("none that stands in for it can be opened" in said, said)


def judge():
    if "MUT_SLOWER" in os.environ:
        return  # its moments are those of programs that start at once
    for claim in (takes_over, begins_with_the_second, ends_with_a_file, three_inputs, none_is_there):
        case(f"else {claim.__name__}", claim)
