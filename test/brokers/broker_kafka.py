"""Kafka, by kcat, against a broker from Maven Central."""
import collections
import ctypes
import json
import os
import pathlib
import random
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

import authority
import claims
import encryption
import kafka_groups
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


def partition_to_partition(folder, server):
    """Topic to topic, each of three partitions, with a filter and keys: an edit each 200 ms, and the broker stands still for three seconds. What
    is in a partition of the one is, filtered, in that of the other, with its keys and in its order."""
    for name in ("apart", "apart-out"):
        kcat(server, "-L", "-t", name)
        until(lambda: b"partition 0, leader" in kcat(server, "-L", "-t", name), "the topic is not made")
        make_partitions(server, name, 3)
        until(lambda: b"partition 2, leader" in kcat(server, "-L", "-t", name), "no partitions")

    def script(version):
        return f"""source r: {{ n: int, key: string }} = kafka(brokers: "{server.address}", topic: "apart")
stream even = r | where n % 2 == 0 | select n, key, v = {version}
emit even to kafka(brokers: "{server.address}", topic: "apart-out", key: key)
"""
    run = Run(folder, script(1), "--control", "control.socket")
    console = claims.Console(folder)
    sent, trouble, over = [0], [], threading.Event()

    def publish():
        try:
            while not over.wait(0.05):
                lines = b"".join(b'k%d|{"n":%d,"key":"k%d"}\n' % (n % 7, n, n % 7) for n in range(sent[0], sent[0] + 50))
                kcat(server, "-P", "-t", "apart", "-K", "|", text=lines)
                sent[0] += 50
        except (OSError, subprocess.SubprocessError) as problem:
            trouble.append(problem)
    publisher = threading.Thread(target=publish, daemon=True)
    publisher.start()
    stands = False
    for turn in range(35):
        if turn in (10, 25):
            server.go_on() if stands else server.pause()
            stands = not stands
        reply = console.ask(op="swap", text=script(turn + 2), wait_ms=0)
        must(reply["ok"], lambda: f"an edit: {reply}")
        time.sleep(claims.EDIT_EVERY)
    over.set()
    publisher.join(LIMIT)
    must(not trouble and sent[0] > 1000, lambda: f"the publisher: {sent[0]}, {trouble}")

    def partitions(topic):
        out = collections.defaultdict(list)
        for line in kcat(server, "-C", "-t", topic, "-e", "-q", "-f", r"%p %k %s\n").decode().splitlines():
            number, key, value = line.split(" ", 2)
            out[number].append((key, json.loads(value)["n"]))
        return out
    until(lambda: sum(map(len, partitions("apart-out").values())) >= sent[0] // 2, lambda: f"{sent[0]} messages, {run.said()[-800:]}")
    run.stop()
    time.sleep(0.3)
    was, came = partitions("apart"), partitions("apart-out")
    must_be((sum(map(len, was.values())), len(was)), (sent[0], 3), "messages that were sent")
    for number, messages in was.items():
        must_be(came[number], [(key, n) for key, n in messages if n % 2 == 0], f"partition {number}")


def headers(folder, server):
    """A field becomes the headers of the message, and is none of its value; what is read with an envelope has them again."""
    kcat(server, "-L", "-t", "headed")
    wanted = [{"from": "test", 'a "b"': 'c,}{"d":"e"'}, {}, None, {"": "", "ä": "\n"}]
    (folder / "in.jsonl").write_text("".join(json.dumps({"n": n, "marks": marks, "at": "x"}) + "\n" for n, marks in enumerate(wanted)))
    for place, record in (("middle", "n: int, marks: map<string, string>?, at: string"), ("end", "n: int, at: string, marks: map<string, string>?"),
                          ("begin", "marks: map<string, string>?, n: int, at: string")):
        Run(folder, f"""source r: {{ {record} }} = file("in.jsonl")
emit r to kafka(brokers: "{server.address}", topic: "headed", headers: marks, key: at)
""").end()
    run = Run(folder, f"""source r: {{ key: string?, value: {{ n: int, at: string, marks: map<string, string>? }}, headers: map<string, string> }} =
  kafka(brokers: "{server.address}", topic: "headed", envelope: true)
stream out = r | select key, n = value.n, at = value.at, marks = value.marks, headers
emit out to file("out.jsonl")
""")
    until_rows(run, folder / "out.jsonl", 3 * len(wanted))
    run.stop()
    must_be(rows(folder / "out.jsonl"),
            3 * [{"key": "x", "n": n, "at": "x", "marks": None, "headers": marks or {}} for n, marks in enumerate(wanted)])


def text(of):
    """As the protocol writes it."""
    return struct.pack(">h", len(of)) + of.encode()


def make_partitions(server, topic, count):
    """As an administrator does: the request CreatePartitions of the protocol."""
    body = struct.pack(">i", 1) + text(topic) + struct.pack(">ii", count, -1) + struct.pack(">ib", 10_000, 0)
    request = struct.pack(">hhi", 37, 1, 1) + text("test") + body
    with socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT) as peer:
        peer.sendall(struct.pack(">i", len(request)) + request)
        answer = peer.makefile("rb")
        answer = answer.read(struct.unpack(">i", answer.read(4))[0])
    # Its number, a delay, how many topics, the name of the first, its error.
    error = struct.unpack_from(">h", answer, 4 + 4 + 4 + 2 + len(topic))[0]
    must(error == 0, lambda: f"no partitions were made: error {error}")


def more_partitions(folder, server):
    """Partitions that a topic gets while it is read are read from their begin, and a run that goes on has its places in them."""
    kcat(server, "-L", "-t", "growing")
    text = f"""source r: {{ n: int }} = kafka(brokers: "{server.address}", topic: "growing", start: new)
emit r to file("out.jsonl")
"""
    options = "--state", "st", "--checkpoint-every", "50ms"
    run = Run(folder, text, *options, "--control", "control.socket")
    claims.Console(folder)
    kcat(server, "-P", "-t", "growing", "-p", "0", text=b'{"n":0}\n')
    until_rows(run, folder / "out.jsonl", 1)
    make_partitions(server, "growing", 3)
    for partition in (1, 2):  # before it is noticed
        until(lambda: f"partition {partition}, leader".encode() in kcat(server, "-L", "-t", "growing"), "the partition is not made")
        kcat(server, "-P", "-t", "growing", "-p", str(partition), text=b"".join(b'{"n":%d}\n' % (100 * partition + n) for n in range(50)))
    run.until_said("topic `growing` has 3 partitions now")
    until_rows(run, folder / "out.jsonl", 101)
    kcat(server, "-P", "-t", "growing", "-p", "0", text=b'{"n":1}\n')
    until_rows(run, folder / "out.jsonl", 102)
    time.sleep(0.3)
    run.kill()
    kcat(server, "-P", "-t", "growing", "-p", "2", text=b'{"n":250}\n')
    run = Run(folder, text, *options)
    until_rows(run, folder / "out.jsonl", 103)
    run.stop()
    must_be(sorted(numbers(rows(folder / "out.jsonl"))), [0, 1, *range(100, 150), *range(200, 251)])


# ---- encrypted
PLACES = {"VERIFIED": ("SASL_SSL", "server", "none"), "ELSEWHERE": ("SASL_SSL", "other", "none"), "ASKING": ("SASL_SSL", "server", "required"),
          "CLEAR": ("SASL_PLAINTEXT", None, None)}


def server_in(folder):
    """With listeners of all kinds."""
    files = folder / "certificates"
    files.mkdir()
    files = authority.Certificates(files)
    settings = []
    for place, (_, certificate, asks) in PLACES.items():
        name = f"listener.name.{place.lower()}"
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        settings += [f"{name}.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
                     f"{name}.scram-sha-256.sasl.jaas.config={scram}", f"{name}.scram-sha-512.sasl.jaas.config={scram}",
                     f'{name}.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_mut="right-word";']
        if certificate:
            settings += [f"{name}.ssl.keystore.type=PEM", f"{name}.ssl.keystore.location={files.path(certificate + '.both')}",
                         f"{name}.ssl.truststore.type=PEM", f"{name}.ssl.truststore.location={files.path('ca.pem')}",
                         f"{name}.ssl.client.auth={asks}"]
    out = service.find(SERVICE)(folder, {place: protocol for place, (protocol, *_) in PLACES.items()}, settings, [("mut", "right-word")])
    out.files = files
    return out


class Encrypted:
    name, fresh = "kafka", 0
    unknown = "Authentication failed"
    way = "plain"

    def __init__(self, server):
        self.server, self.files = server, server.files
        self.places = {place.lower(): port for place, port in server.ports.items()}
        self.places["plain"] = server.port

    @property
    def login(self):
        return f', sasl: {self.way}, user: "mut", password: env("MUT_TEST_WORD")'

    @property
    def wrong_login(self):
        return self.login.replace("TEST_", "TEST_WRONG_")

    def place(self, host, port, topic, more):
        return f'kafka(brokers: "{host}:{port}", topic: "e{self.fresh}-{topic}"{more})'

    source = sink = place

    def make(self, topic):
        kcat(self.server, "-L", "-t", f"e{self.fresh}-{topic}")


def new_password(folder, broker):
    """A broker that comes back with another password: a source takes the one that the file has by then."""
    server, topic = broker.server, f"e{broker.fresh}-x"
    broker.make("x")
    (folder / "word").write_text("right-word")
    login = broker.login.replace('env("MUT_TEST_WORD")', 'secret_file("word")')
    run = Run(folder, encryption.script(broker.source("127.0.0.1", broker.places["clear"], "x", login)))
    kcat(server, "-P", "-t", topic, text=b'{"n":1}\n')
    until_rows(run, folder / "out.jsonl", 1)
    server.kill()
    properties = server.folder / "server.properties"
    properties.write_text(properties.read_text().replace("right-word", "other-word"))
    server.start()
    run.until_said("source `r`.*Invalid username or password")
    kcat(server, "-P", "-t", topic, text=b'{"n":2}\n')
    time.sleep(0.5)
    must(len(rows(folder / "out.jsonl")) == 1 and run.process.poll() is None, run.said)
    (folder / "word").write_text("other-word")
    until_rows(run, folder / "out.jsonl", 2)
    said = run.stop()
    must_be(numbers(rows(folder / "out.jsonl")), [1, 2])
    must("-word" not in said, lambda: f"a password is said: {said}")


SCRAM_MENDED = 0x020601FF


def library_version():
    """Of the librdkafka that mutc loads."""
    return ctypes.CDLL("librdkafka.so.1").rd_kafka_version()


def encrypted(server):
    os.environ |= {"MUT_TEST_WORD": "right-word", "MUT_TEST_WRONG_WORD": "wrong-word"}
    broker = Encrypted(server)
    encryption.judge(broker)
    for way in ("plain", "scram_sha_256", "scram_sha_512"):
        broker.way = way
        for place, options in (("verified", encryption.verify(broker)), ("clear", "")):
            broker.fresh += 1
            name = f"kafka: {way}, {place}"
            if way == "plain" or library_version() >= SCRAM_MENDED:
                case(name, encryption.goes_through, broker, place, options + broker.login)
            else:
                case(name, encryption.refused, broker, "source", place, options + broker.login, "cannot log in by SCRAM to Kafka 4, 2.6.1 can")
            case(f"{name}, wrong password", encryption.refused, broker, "source", place, options + broker.wrong_login, broker.unknown)
    broker.way = "plain"
    return broker


def judge(server):
    server.start()
    broker = encrypted(server)
    case("kafka: partition to partition", partition_to_partition, server)
    case("kafka: headers", headers, server)
    case("kafka: more partitions", more_partitions, server)
    case("kafka: once", once, server, "once", False)
    case("kafka: once, and the broker killed", once, server, "twice", True)
    case("kafka: ends", ends, server)
    case("kafka: group", group, server)
    kafka_groups.judge(sys.modules[__name__], server)
    case("kafka: envelope", envelope, server)
    broker.fresh += 1
    case("kafka: new password", new_password, broker)
