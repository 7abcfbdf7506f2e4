"""The example that sheds load by its own measure, with a receiver that takes a quarter of what comes."""
import json
import os
import threading
import time

from harness import LIMIT, ROOT, Run, case, connect, listen, must, rows, until
from texts import must_be

COUNT = 120_000
PAD = "x" * 180


def sheds(folder):
    """Each order is received or noted, the sender is not held up, and the queue stays short of being full."""
    listener = listen()
    script = (ROOT / "examples/shedding/v1.mut").read_text().replace('listen: "127.0.0.1:9100"', 'listen: "127.0.0.1:0"')
    run = Run(folder, script.replace("127.0.0.1:9101", f"127.0.0.1:{listener.getsockname()[1]}"))
    peer, _ = listener.accept()
    received = bytearray()

    def receive():
        while piece := peer.recv(16 * 1024):
            received.extend(piece)
            time.sleep(len(piece) / 2_000_000)
    receiver = threading.Thread(target=receive, daemon=True)
    receiver.start()
    sender = connect(run.address("source `orders`"))
    begin = time.monotonic()
    for first in range(0, COUNT, 400):
        sender.sendall(b"".join(b'{"id":%d,"customer":"%s","total":1.5}\n' % (n, PAD.encode()) for n in range(first, first + 400)))
        time.sleep(max(0.0, begin + first / 40_000 - time.monotonic()))
    sender.close()
    until(lambda: len(received) > 0 and rows(folder / "health.jsonl")[-1]["queued_bytes"] == 0, "the queue does not empty")
    run.stop()
    receiver.join(LIMIT)
    taken = [json.loads(line)["id"] for line in bytes(received).split(b"\n")[:-1]]
    shed = [row["id"] for row in rows(folder / "shed.jsonl")]
    must_be(sorted(taken + shed), list(range(COUNT)), "orders that were received or noted")
    must(taken == sorted(taken) and shed == sorted(shed), "they are not in order")
    must(len(shed) > COUNT // 10, f"only {len(shed)} were shed")
    health = rows(folder / "health.jsonl")
    must(len(health) >= 20, f"{len(health)} records of its health")
    must(max(row["queued_bytes"] for row in health) > 1_000_000, "rows never queued")
    must(health[-1]["held_up_ms"] == 0, f"it was held up for {health[-1]['held_up_ms']} ms")


def judge():
    if "MUT_SLOWER" in os.environ:
        return  # it is about load
    case("sheds load by its own measure", sheds)
