"""Rows that other programs send and take, over kills of mutc: what was answered is durable, what was made arrives at least once."""
import http.client
import json
import os
import pathlib
import random
import socket
import subprocess
import tempfile
import threading
import time

from common import check, mutc

SLOWER = float(os.environ.get("MUT_SLOWER", "1"))
LIMIT = 60 * SLOWER


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def begin(work, *options):
    with open(work / "stderr.txt", "ab") as messages:
        return subprocess.Popen([mutc, "run", "v.mut", "--state", "st", *options], cwd=work, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=messages)


def ids(path):
    if not path.exists():
        return []
    return [json.loads(line)["id"] for line in path.read_bytes().split(b"\n")[:-1]]


class Sender(threading.Thread):
    """Posts numbered records one after the other, each until it is answered."""

    def __init__(self, port, first):
        super().__init__(daemon=True)
        self.port, self.next, self.answered, self.over = port, first, [], False
        self.start()

    def run(self):
        while not self.over:
            try:
                peer = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                peer.request("POST", "/in", json.dumps({"id": self.next}) + "\n")
                if peer.getresponse().status == 200:
                    self.answered.append(self.next)
                    self.next += 1
                peer.close()
            except (OSError, http.client.HTTPException):
                time.sleep(0.01)


def answers_are_durable(work):
    port = free_port()
    (work / "v.mut").write_text(f'source r: {{ id: int }} = http(listen: "127.0.0.1:{port}/in")\nemit r to file("out.jsonl")\n')
    chance = random.Random(1)
    senders = [Sender(port, first) for first in (0, 1_000_000, 2_000_000)]
    answered, lost = 0, []
    for _ in range(8):
        going = begin(work, "--checkpoint-every", chance.choice(["20ms", "1h"]))
        time.sleep(chance.uniform(0.3, 0.9) * SLOWER)
        going.kill()
        going.wait()
        answered = sum(len(sender.answered) for sender in senders)
    for sender in senders:
        sender.over = True
    for sender in senders:
        sender.join(LIMIT)
    # Nothing more is sent: what the checkpoint has not is cut off now.
    going = begin(work)
    end = time.monotonic() + LIMIT
    while time.monotonic() < end and (work / "stderr.txt").read_text().count("goes on from") < 7:
        time.sleep(0.02)
    time.sleep(0.3)
    going.terminate()
    code = going.wait(LIMIT)
    there = set(ids(work / "out.jsonl"))
    lost = [each for sender in senders for each in sender.answered if each not in there]
    check("deliveries: an answer is durable, 8 kills", f"{len(lost)} of {answered} answered records are not there: {lost[:5]}" if lost
          else f"exit {code}" if code else None if answered > 50 else f"only {answered} answers came")


def post(port, number):
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        try:
            peer = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            peer.request("POST", "/in", json.dumps({"id": number}) + "\n")
            return peer.getresponse().status
        except OSError:
            time.sleep(0.02)
    return 0


def answers_of_an_edit_are_durable(work):
    """An edit sends the source to another port: what is answered there is durable as well."""
    ports = [free_port(), free_port()]
    for version, port in enumerate(ports, 1):
        (work / f"v{version}.mut").write_text(
            f'source r: {{ id: int }} = http(listen: "127.0.0.1:{port}/in")\nemit r to file("out.jsonl")\n')
    (work / "v.mut").write_text((work / "v1.mut").read_text())
    going = begin(work, "--checkpoint-every", "1h", "--swap", "v2.mut@r:3")
    answers = [post(ports[0], number) for number in range(3)] + [post(ports[1], number) for number in range(3, 13)]
    going.kill()
    going.wait()
    (work / "v.mut").write_text((work / "v2.mut").read_text())
    going = begin(work)
    until_text(work, "goes on from")
    time.sleep(0.2)
    going.terminate()
    code = going.wait(LIMIT)
    there = sorted(ids(work / "out.jsonl"))
    check("deliveries: an answer behind an edit is durable", None if answers == [200] * 13 and there == list(range(13)) and code == 0
          else f"exit {code}, answers {answers}, rows {there}: {(work / 'stderr.txt').read_text()[-600:]}")


def until_text(work, text):
    end = time.monotonic() + LIMIT
    while time.monotonic() < end and text not in (work / "stderr.txt").read_text():
        time.sleep(0.02)


class Taker(threading.Thread):
    """Takes lines of whoever connects, until it is over."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.lines = self.listener.getsockname()[1], []
        self.start()

    def run(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.take, args=(peer,), daemon=True).start()

    def take(self, peer):
        rest = b""
        while data := self.read(peer):
            *lines, rest = (rest + data).split(b"\n")
            self.lines += lines
            time.sleep(0.004)  # far slower than the rows are made: all of them take a second

    @staticmethod
    def read(peer):
        try:
            return peer.recv(16384)
        except OSError:
            return b""


def rows_arrive(work):
    rows = 300_000
    taker = Taker()
    with open(work / "in.jsonl", "w", encoding="utf-8") as out:
        out.writelines(f'{{"id":{i}}}\n' for i in range(rows))
    (work / "v.mut").write_text(f'source r: {{ id: int }} = file("in.jsonl")\nemit r to tcp(connect: "127.0.0.1:{taker.port}")\n')
    chance = random.Random(2)
    kills = 0
    while kills < 8:
        before = len(taker.lines)
        going = begin(work, "--checkpoint-every", "5ms", "-q")
        # Some way into the rows, however soon the program starts.
        end = time.monotonic() + LIMIT
        more = chance.randrange(1, rows // 12)
        while len(taker.lines) < before + more and going.poll() is None and time.monotonic() < end:
            time.sleep(0.001)
        if going.poll() is not None:
            break
        going.kill()
        going.wait()
        kills += 1
    code = begin(work, "-q").wait(LIMIT)
    end = time.monotonic() + LIMIT
    seen = set()
    while len(seen) < rows and time.monotonic() < end:
        time.sleep(0.05)
        seen = {json.loads(line)["id"] for line in list(taker.lines)}
    taker.listener.close()
    check(f"deliveries: each row arrives, {kills} kills", f"{rows - len(seen)} of {rows} rows did not arrive" if len(seen) < rows
          else f"exit {code}" if code else None if kills == 8 else "it was not killed as often as that")


def test(workers, long):
    if SLOWER > 1:
        return  # its moments are those of programs that start at once
    for claim in (answers_are_durable, answers_of_an_edit_are_durable, rows_arrive):
        with tempfile.TemporaryDirectory() as scratch:
            claim(pathlib.Path(scratch))
