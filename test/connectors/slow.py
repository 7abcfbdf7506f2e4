"""Receivers that are too slow: a process that is stopped, and one that takes a hundredth of what comes. Memory stays what it is with a fast
one and what may wait; who is to be held up is, and what is let go of is counted."""
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

from harness import LIMIT, Run, case, connect, listen, must, until
from texts import must_be

COUNT = 100_000
PAD = "x" * 320
BYTES = COUNT * (len(PAD) + 20)
MAY_WAIT_MB = 16 + 4  # at a source with `on full`, and at a sink: docs/connectors
LONG = "--long" in sys.argv
if LONG:
    sys.argv.remove("--long")


class Stopped:
    """A process that takes all that comes, and can be stopped."""

    def __init__(self, folder, peer):
        self.path = folder / "taken.txt"
        with open(self.path, "wb") as to:
            self.process = subprocess.Popen(["cat"], stdin=peer, stdout=to)
        peer.close()

    def stand(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def taken(self):
        return self.path.stat().st_size

    def end(self):
        self.process.wait(LIMIT)
        return self.path.read_bytes()

    def kill(self):
        self.process.kill()
        self.process.wait()


class Slow(threading.Thread):
    """Takes so many bytes a second, until it is let go."""

    def __init__(self, peer, rate):
        super().__init__(daemon=True)
        self.peer, self.rate, self.data, self.free = peer, rate, bytearray(), threading.Event()
        self.start()

    def run(self):
        try:
            while piece := self.peer.recv(1 << 16):
                self.data += piece
                self.free.wait(len(piece) / self.rate)
        except OSError:
            pass

    def taken(self):
        return len(self.data)

    def end(self):
        self.join(LIMIT)
        return bytes(self.data)

    def kill(self):
        self.free.set()
        self.peer.close()


def records(first, count):
    return b"".join(b'{"n":%d,"t":"%s"}\n' % (n, PAD.encode()) for n in range(first, first + count))


def sent(client, over):
    """All of it, however long that is held up."""
    for first in range(0, COUNT, 1000):
        client.sendall(records(first, 1000))
    client.shutdown(1)
    over.set()


def begun(folder, policy):
    listener = listen()
    run = Run(folder, f"""source r: {{ n: int, t: string }} = tcp(listen: "127.0.0.1:0") on full {policy}
emit r to tcp(connect: "127.0.0.1:{listener.getsockname()[1]}")
""", "--stats", "stats.json")
    peer, _ = listener.accept()
    listener.close()
    over = threading.Event()
    return run, peer, over, threading.Thread(target=sent, args=(connect(run.address("source `r`")), over), daemon=True)


def until_quiet(receiver):
    before = -1

    def quiet():
        nonlocal before
        now, before = before, receiver.taken()
        time.sleep(0.3)
        return now == before
    until(quiet, "rows come without end")


def judge_rows(folder, policy, text):
    """What arrived is in order, and each record is there or counted."""
    numbers = [json.loads(line)["n"] for line in text.split(b"\n")[:-1]]
    dropped = json.loads((folder / "stats.json").read_text())["dropped"].get("r", 0)
    must(numbers == sorted(set(numbers)), "rows are repeated or out of order")
    must_be(len(numbers) + dropped, COUNT, "records that arrived or were counted")
    must(policy.startswith("drop") == (dropped > 0), f"{dropped} were dropped")
    return len(numbers), dropped


def told(text):
    if os.environ.get("MUT_TIMES"):
        print(text, flush=True)


fast = []  # megabytes and bytes a second


def takes_all(folder):
    """How much memory the same takes with a receiver that is fast, and how many bytes a second come."""
    run, peer, over, sending = begun(folder, "block")
    receiver = Stopped(folder, peer)
    begin = time.monotonic()
    sending.start()
    until(over.is_set, "it is not all taken")
    until(lambda: receiver.taken() > BYTES * 0.95, "it does not arrive")
    rate = BYTES / (time.monotonic() - begin)
    until_quiet(receiver)
    fast[:] = run.peak_mb(), rate
    run.stop()
    judge_rows(folder, "", receiver.end())
    told(f"receiver is fast: {fast[0]:.0f} MB, {rate / 1e6:.0f} MB/s")


def memory(run):
    """At most a tenth more than with a fast receiver and what may wait."""
    peak, most = run.peak_mb(), 1.1 * (fast[0] + MAY_WAIT_MB)
    must(peak < most, f"{peak:.0f} MB, where a fast receiver and what may wait take {most / 1.1:.0f}")
    return peak


def stopped(folder, policy, seconds):
    run, peer, over, sending = begun(folder, policy)
    receiver = Stopped(folder, peer)
    try:
        receiver.stand()
        sending.start()
        if policy == "block":
            must(not over.wait(seconds), "the other side was not held up")
        else:
            must(over.wait(LIMIT), "the other side was held up")
            time.sleep(seconds)
        peak = memory(run)
        receiver.go_on()
        must(over.wait(LIMIT), "it does not go on")
        until_quiet(receiver)
        run.stop()
        came, dropped = judge_rows(folder, policy, receiver.end())
    finally:
        receiver.kill()
    told(f"receiver is stopped, on full {policy}: {peak:.0f} MB, {came} arrived and {dropped} dropped of {COUNT}")


def hundred_times(folder, policy, seconds):
    run, peer, over, sending = begun(folder, policy)
    receiver = Slow(peer, fast[1] / 100)
    try:
        sending.start()
        time.sleep(seconds)
        must(over.is_set() == (policy != "block"), f"sent: {over.is_set()}")
        slowly = receiver.taken()
        peak = memory(run)
        receiver.free.set()
        receiver.rate = 1e12
        must(over.wait(LIMIT), "it does not go on")
        until_quiet(receiver)
        run.stop()
        came, dropped = judge_rows(folder, policy, receiver.end())
    finally:
        receiver.kill()
    told(f"receiver is a hundred times too slow, on full {policy}: {slowly / 1e6:.1f} MB in {seconds} s, {peak:.0f} MB, "
         f"{came} arrived and {dropped} dropped of {COUNT}")


def now_and_then(folder, policy, minutes):
    """A receiver that is stopped again and again: it never stays stuck."""
    draw = random.Random(policy)
    listener = listen()
    run = Run(folder, f"""source r: {{ n: int, t: string }} = tcp(listen: "127.0.0.1:0") on full {policy}
emit r to tcp(connect: "127.0.0.1:{listener.getsockname()[1]}")
""", "--stats", "stats.json")
    peer, _ = listener.accept()
    receiver = Slow(peer, 1e12)
    client = connect(run.address("source `r`"))
    over, count = threading.Event(), [0]

    def send():
        while not over.is_set():
            client.sendall(records(count[0], 500))
            count[0] += 500
            time.sleep(0.02)
        client.shutdown(1)
    sending = threading.Thread(target=send, daemon=True)
    sending.start()
    end, turns = time.monotonic() + 60 * minutes, 0
    while time.monotonic() < end:
        receiver.rate = draw.choice([1e4, 1e5, 1e6])
        time.sleep(draw.uniform(0.1, 8))
        receiver.rate = 1e12
        receiver.free.set()
        before = receiver.taken()
        until(lambda: receiver.taken() > before, "it stays stuck")
        receiver.free.clear()
        turns += 1
    receiver.free.set()
    over.set()
    sending.join(LIMIT)
    peak = memory(run)
    until_quiet(receiver)
    run.stop()
    numbers = [json.loads(line)["n"] for line in receiver.end().split(b"\n")[:-1]]
    dropped = json.loads((folder / "stats.json").read_text())["dropped"].get("r", 0)
    must(numbers == sorted(set(numbers)), "rows are repeated or out of order")
    must_be(len(numbers) + dropped, count[0], "records that arrived or were counted")
    told(f"receiver is slow {turns} times in {minutes} minutes, on full {policy}: {peak:.0f} MB, {len(numbers)} arrived and {dropped} dropped of {count[0]}")


def judge():
    if "MUT_SLOWER" in os.environ:
        return  # it is about load
    case("a receiver that is fast", takes_all)
    if not fast:
        return  # it was not asked for, or has failed
    for policy in ("block", "drop_oldest", "drop_newest", "spill"):
        case(f"a receiver that is stopped, on full {policy}", stopped, policy, 30 if LONG else 1)
        if LONG or policy in ("block", "drop_oldest"):
            case(f"a receiver that is slow, on full {policy}", hundred_times, policy, 30 if LONG else 2)
        if LONG:
            case(f"a receiver that is slow now and then, on full {policy}", now_and_then, policy, 5)
