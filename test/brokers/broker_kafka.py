"""Kafka, by kcat, against a broker from Maven Central."""
import collections
import json
import pathlib
import random
import subprocess
import tempfile
import time

import service
from harness import LIMIT, Run, Wrong, case, must, rows, until, until_rows
from texts import must_be, numbers

SERVICE = "kafka"


def kcat(server, *args, text=None):
    ran = subprocess.run(["kcat", "-b", server.address, *args], input=text, capture_output=True, timeout=LIMIT)
    if ran.returncode != 0:
        raise Wrong(f"kcat: {ran.stderr[-500:]}")
    return ran.stdout


class Collected:
    """What kcat prints of a topic, from its begin on: the length of each payload, then the payload."""

    def __init__(self, server, topic, *more):
        self.file = tempfile.NamedTemporaryFile()
        self.process = subprocess.Popen(["kcat", "-b", server.address, "-C", "-t", topic, "-u", "-f", r"%S\n%s", *more],
                                        stdin=subprocess.DEVNULL, stdout=self.file, stderr=subprocess.DEVNULL)

    def payloads(self):
        text = pathlib.Path(self.file.name).read_bytes()
        out, at = [], 0
        while (end := text.find(b"\n", at)) >= 0:
            size = int(text[at:end])
            if end + 1 + size > len(text):
                break
            out.append(text[end + 1:end + 1 + size])
            at = end + 1 + size
        return out

    def over(self):
        self.process.kill()
        self.process.wait()
        self.file.close()


class Kafka:
    name, keeps, max_bytes = "kafka", True, 900_000
    quiet = True  # that it is connected again shows with the next message
    several_clients = True  # of one connection, so that their attempts fall together

    def __init__(self, server):
        self.server, self.fresh = server, 0

    def topic(self, topic):
        return f"{topic}-{self.fresh}"

    def source(self, topic, form="json"):
        return f'kafka(brokers: "{self.server.address}", topic: "{self.topic(topic)}", format: {form})'

    def sink(self, topic):
        return f'kafka(brokers: "{self.server.address}", topic: "{self.topic(topic)}")'

    def make(self, topic):
        kcat(self.server, "-L", "-t", self.topic(topic))
        until(lambda: b"partition 0, leader" in kcat(self.server, "-L", "-t", self.topic(topic)), "the topic is not made")

    def publish(self, topic, payloads):
        with tempfile.TemporaryDirectory() as folder:
            plain = []
            for index, payload in enumerate(payloads):
                if payload and b"\n" not in payload and len(payload) < 1000:
                    plain.append(payload)
                    continue
                self.send(topic, plain)
                plain = []
                if not payload:
                    kcat(self.server, "-P", "-t", self.topic(topic), "-K", "|", "-Z", text=b"none|\n")
                    continue
                one = pathlib.Path(folder, str(index))
                one.write_bytes(payload)
                kcat(self.server, "-P", "-t", self.topic(topic), str(one))
            self.send(topic, plain)

    def send(self, topic, payloads):
        if payloads:
            kcat(self.server, "-P", "-t", self.topic(topic), text=b"\n".join(payloads))

    def collect(self, topic):
        return Collected(self.server, self.topic(topic))


ADAPTERS = [Kafka]

# ---- what only Kafka does


def produce(server, topic, first, count):
    """Records with a key, in order for each key."""
    lines = b"".join(b'k%d|{"n":%d,"key":"k%d"}\n' % (n % 5, n, n % 5) for n in range(first, first + count))
    kcat(server, "-P", "-t", topic, "-K", "|", text=lines)


def once(folder, server, topic, hurt):
    """Over kills of mutc, and `hurt` of the broker: each row is committed once, and in order for each key."""
    for name in (topic, f"{topic}-out"):
        kcat(server, "-L", "-t", name)
    address, chance = server.address, random.Random(topic)
    (folder / "v.mut").write_text(f"""source r: {{ n: int, key: string }} = kafka(brokers: "{address}", topic: "{topic}")
stream counted = r | aggregate seen = count(), last = last(n) by key ttl none
emit counted to kafka(brokers: "{address}", topic: "{topic}-out", key: key, transactions: true)
""")
    sent, kills = 0, 8
    for turn in range(kills):
        run = Run(folder, (folder / "v.mut").read_text(), "--state", "st", "--checkpoint-every", chance.choice(["20ms", "100ms"]))
        for _ in range(3):
            produce(server, topic, sent, 400)
            sent += 400
            time.sleep(chance.uniform(0, 0.2))
        run.process.kill()
        run.process.wait()
        if hurt and turn == kills // 2:
            server.kill()
            server.start()
    collected = Collected(server, f"{topic}-out", "-X", "isolation.level=read_committed")
    run = Run(folder, (folder / "v.mut").read_text(), "--state", "st", "--checkpoint-every", "50ms")
    until(lambda: len(collected.payloads()) >= sent, lambda: f"{len(collected.payloads())} of {sent} rows: {run.said()[-800:]}")
    time.sleep(0.5)
    run.stop()
    time.sleep(0.5)
    got = [json.loads(payload) for payload in collected.payloads()]
    collected.over()
    must_be(len(got), sent, "rows")
    by_key = collections.defaultdict(list)
    for row in got:
        by_key[row["key"]].append((row["seen"], row["last"]))
    for key, came in by_key.items():
        must_be(came, [(i + 1, int(key[1:]) + 5 * i) for i in range(sent // 5)], f"counts of {key}")


def ends(folder, server):
    """Ends of all kinds, and starts: a run whose input ends, again without anything new, one that fails, one that is interrupted."""
    kcat(server, "-L", "-t", "ended")
    lines = [b'{"n":%d}\n' % n for n in range(3000)]
    (folder / "in.jsonl").write_bytes(b"".join(lines[:1000]))
    text = f"""source r: {{ n: int }} = file("in.jsonl")
stream total = r | aggregate c = count() window all
emit r to kafka(brokers: "{server.address}", topic: "ended", transactions: true)
emit total to kafka(brokers: "{server.address}", topic: "ended-total", transactions: true)
"""
    broken = text + 'emit r to file("/dev/full") as broken\n'
    Run(folder, text, "--state", "st").end()
    Run(folder, text, "--state", "st").end()
    for version in (broken, broken):
        run = Run(folder, version, "--state", "st2")
        must(run.process.wait(LIMIT) == 3, lambda: f"a run that has to fail: {run.said()}")
    (folder / "in.jsonl").write_bytes(b"".join(lines[:2000]))
    Run(folder, text, "--state", "st").end()
    with open(folder / "in.jsonl", "ab") as out:
        out.write(b"".join(lines[2000:]))
    run = Run(folder, text, "--state", "st", "--checkpoint-every", "1ms")
    run.until_said("goes on from")
    run.interrupt()
    run.process.wait(LIMIT)
    Run(folder, text, "--state", "st").end()
    collected = Collected(server, "ended", "-X", "isolation.level=read_committed")
    until(lambda: len(collected.payloads()) >= 3000, lambda: f"{len(collected.payloads())} rows: {run.said()}")
    time.sleep(0.5)
    came = sorted(json.loads(payload)["n"] for payload in collected.payloads())
    collected.over()
    must_be(len(came), 3000, "rows")
    must_be(came, list(range(3000)))
    totals = Collected(server, "ended-total", "-X", "isolation.level=read_committed")
    until(lambda: len(totals.payloads()) >= 3, "no totals")
    time.sleep(0.3)
    must_be(totals.payloads(), [b'{"c":1000}', b'{"c":2000}', b'{"c":3000}'], "totals")
    totals.over()


def group(folder, server):
    """Without a state the group knows where the last run was."""
    kcat(server, "-L", "-t", "grouped")
    text = f"""source r: {{ n: int }} = kafka(brokers: "{server.address}", topic: "grouped", group: "readers")
emit r to file("out.jsonl", append: true)
"""
    for begin in (0, 100, 200):
        kcat(server, "-P", "-t", "grouped", text=b"".join(b'{"n":%d}\n' % n for n in range(begin, begin + 100)))
        run = Run(folder, text)
        until_rows(run, folder / "out.jsonl", begin + 100)
        time.sleep(0.3)
        run.stop()
    must_be(sorted(numbers(rows(folder / "out.jsonl"))), list(range(300)))


def envelope(folder, server):
    """What stands around a message, and messages without a key or a value."""
    kcat(server, "-L", "-t", "enveloped")
    kcat(server, "-P", "-t", "enveloped", "-K", "|", "-H", "from=test", text=b'a"b|{"n":1}\n')
    kcat(server, "-P", "-t", "enveloped", text=b'{"n":2}\n')
    kcat(server, "-P", "-t", "enveloped", "-K", "|", "-Z", text=b"gone|\n")
    run = Run(folder, f"""source r: {{ key: string?, value: {{ n: int }}?, topic: string, offset: int, headers: map<string, string> }} =
  kafka(brokers: "{server.address}", topic: "enveloped", envelope: true)
stream out = r | select key, n = value?.n, topic, offset, who = headers.get("from")
emit out to file("out.jsonl")
emit r.errors to file("errors.jsonl")
""")
    until_rows(run, folder / "out.jsonl", 3)
    run.stop()
    must_be(sorted(rows(folder / "out.jsonl"), key=lambda row: (row["n"] or 9)),
            [{"key": 'a"b', "n": 1, "topic": "enveloped", "offset": 0, "who": "test"},
             {"key": None, "n": 2, "topic": "enveloped", "offset": 1, "who": None},
             {"key": "gone", "n": None, "topic": "enveloped", "offset": 2, "who": None}])


def judge(server):
    server.start()
    case("kafka: once", once, server, "once", False)
    case("kafka: once, and the broker killed", once, server, "twice", True)
    case("kafka: ends", ends, server)
    case("kafka: group", group, server)
    case("kafka: envelope", envelope, server)
