"""MQTT, by the clients of mosquitto."""
import os
import pathlib
import subprocess
import tempfile

import authority
import claims
import encryption
import service
from harness import LIMIT, Run, Wrong, case, must, rows, until, until_rows
from texts import must_be, numbers

SERVICE = "mqtt"
LOGIN = ', user: "mut", password: secret_file("word")'


class Collected:
    """What mosquitto_sub prints: payloads in hexadecimal, between lines of its own."""

    def __init__(self, port, topic, qos):
        self.file = tempfile.NamedTemporaryFile()
        self.process = subprocess.Popen(
            ["stdbuf", "-oL", "mosquitto_sub", "-d", "-V", "5", "-p", str(port), "-t", topic, "-q", str(qos), "-F", "=%x"],
            stdin=subprocess.DEVNULL, stdout=self.file, stderr=subprocess.STDOUT)
        until(lambda: "Subscribed (mid" in self.text(), lambda: f"mosquitto_sub: {self.text()}")

    def text(self):
        return pathlib.Path(self.file.name).read_text()

    def payloads(self):
        return [bytes.fromhex(line[1:]) for line in self.text().split("\n")[:-1] if line.startswith("=")]

    def over(self):
        self.process.kill()
        self.process.wait()
        self.file.close()


class Mqtt:
    keeps, max_bytes, fresh_from = False, 1 << 20, 0
    version, qos, client = 5, 0, False

    def __init__(self, server):
        self.server, self.fresh = server, self.fresh_from

    def topic(self, topic):
        return f"m{self.fresh}/{topic}"

    def options(self, topic):
        return f'broker: "{self.server.address}", topic: "{self.topic(topic)}", qos: {self.qos}, version: {self.version}'

    def source(self, topic, form="json"):
        client = f', client: "reader-{self.fresh}"' if self.client else ""
        return f'mqtt({self.options(topic)}{client}, format: {form})'

    def sink(self, topic):
        return f"mqtt({self.options(topic)})"

    def make(self, topic):
        pass

    def publish(self, topic, payloads):
        """Lines of one call where they can be."""
        lines = []
        for payload in payloads:
            if payload and b"\n" not in payload and len(payload) < 1000:
                lines.append(payload)
                continue
            self.publish_by("-l", topic, lines)
            lines = []
            self.publish_by("-s" if payload else "-n", topic, [payload])
        self.publish_by("-l", topic, lines)

    def publish_by(self, way, topic, payloads):
        if not payloads:
            return
        ran = subprocess.run(["mosquitto_pub", "-p", str(self.server.port), "-t", self.topic(topic), "-q", str(max(self.qos, 1)),
                              way], input=b"\n".join(payloads), capture_output=True, timeout=LIMIT)
        if ran.returncode != 0:
            raise Wrong(f"mosquitto_pub: {ran.stderr}")

    def collect(self, topic):
        # Of quality 2 mosquitto_sub 2.0.11 gives up after twenty that come at once.
        return Collected(self.server.port, self.topic(topic), min(self.qos, 1))


class Qos0(Mqtt):
    name = "mqtt qos 0"


class Qos1(Mqtt):
    name, qos, client, fresh_from = "mqtt qos 1", 1, True, 1000


class Qos2Three(Mqtt):
    name, qos, client, version, fresh_from = "mqtt 3.1.1 qos 2", 2, True, 3, 2000


ADAPTERS = [Qos0, Qos1, Qos2Three]


def script(source, sink='file("out.jsonl", append: true)'):
    return f"source r: {{ n: int }} = {source}\nemit r to {sink} as o\n"


def records(numbers_of):
    return [b'{"n":%d}' % n for n in numbers_of]


def session_keeps(folder, adapter):
    """With `client` the broker keeps what comes between two runs, and when it was itself restarted in order."""
    text = script(adapter.source("x"))
    for begin in (0, 100, 200):
        run = Run(folder, text, "--control", "control.socket")
        claims.Console(folder)
        if begin == 0:
            adapter.publish("x", records(range(100)))
        until_rows(run, folder / "out.jsonl", begin + 100)
        run.stop()
        (folder / "control.socket").unlink(missing_ok=True)
        adapter.publish("x", records(range(begin + 100, begin + 200)))
        if begin == 100:
            adapter.server.stop()
            adapter.server.start()
    must_be(numbers(rows(folder / "out.jsonl")), list(range(300)))


def retained(folder, adapter):
    """The last row is there for who comes later."""
    (folder / "in.jsonl").write_bytes(b"\n".join(records(range(10))) + b"\n")
    run = Run(folder, script('file("in.jsonl")', adapter.sink("x")[:-1] + ", retain: true)"))
    run.end()
    collected = adapter.collect("x")
    until(lambda: collected.payloads(), "nothing was retained")
    must_be(collected.payloads(), records([9]))
    collected.over()


def wildcard(folder, adapter):
    run = Run(folder, script(adapter.source("+/temp")), "--control", "control.socket")
    claims.Console(folder)
    for n, topic in enumerate(("a/temp", "b/temp", "b/other", "c/temp")):
        adapter.publish(topic, records([n]))
    until_rows(run, folder / "out.jsonl", 3)
    run.stop()
    must_be(numbers(rows(folder / "out.jsonl")), [0, 1, 3])


def passwords(folder, adapter_of, side):
    """The right one lets in; without one, and with another, it is told at the start. None is ever said."""
    with tempfile.TemporaryDirectory() as data:
        with service.find(SERVICE)(pathlib.Path(data), password="right-word") as server:
            adapter = adapter_of(server)
            (folder / "in.jsonl").write_text('{"n":1}\n')
            for login, word, wanted in (("", "", "right user and password"), (LOGIN, "wrong-word\n", "right user and password"),
                                        (LOGIN, "", "the file is empty"), (LOGIN, "right-word\n", "")):
                (folder / "word").write_text(word)
                text = (adapter.source("x") if side == "source" else adapter.sink("x"))[:-1] + login + ")"
                text = script(text) if side == "source" else script('file("in.jsonl")', text)
                run = Run(folder, text, "--control", "control.socket")
                if wanted:
                    said = run.end(3)
                    must(wanted in said and server.address in said, lambda: said)
                elif side == "source":
                    claims.Console(folder)
                    said = run.stop()
                else:
                    said = run.end()
                must("-word" not in said, lambda: f"a password is said: {said}")


def envelope(folder, adapter):
    run = Run(folder, f"""source r: {{ topic: string, value: float }} = {adapter.source("+/temp")[:-1]}, envelope: true)
emit r to file("out.jsonl")
emit r.errors to file("errors.jsonl")
""", "--control", "control.socket")
    claims.Console(folder)
    for topic, payload in (("a/temp", b"20.5"), ("b/temp", b'1,"topic":"a/temp"'), ('a "b"/temp', b"-1")):
        adapter.publish(topic, [payload])
    until_rows(run, folder / "out.jsonl", 2)
    run.stop()
    name = f"m{adapter.fresh}/"
    must_be(rows(folder / "out.jsonl"), [{"topic": name + "a/temp", "value": 20.5}, {"topic": name + 'a "b"/temp', "value": -1.0}])
    must_be(len(rows(folder / "errors.jsonl")), 1, "errors")


class Encrypted:
    fresh = 0
    login = ', user: "mut", password: env("MUT_TEST_WORD")'
    wrong_login = ', user: "mut", password: env("MUT_TEST_WRONG_WORD")'
    unknown = "right user and password"

    name = "mqtt"

    def __init__(self, files, places, server):
        self.files, self.places, self.server = files, places, server

    def place(self, host, port, topic, more):
        return f'mqtt(broker: "{host}:{port}", topic: "e{self.fresh}/{topic}", qos: 1{more})'

    source = sink = place

    def make(self, topic):
        pass

    def restart(self):
        self.server.kill()
        self.server.start()


def encrypted(plain):
    with tempfile.TemporaryDirectory() as data:
        files = authority.Certificates(data)
        os.environ |= {"MUT_TEST_WORD": "right-word", "MUT_TEST_WRONG_WORD": "wrong-word"}

        def listener(name):
            return [f"certfile {files.path(name + '.pem')}", f"keyfile {files.path(name + '.key')}", f"cafile {files.path('ca.pem')}"]
        listeners = [listener("server"), listener("other"), [*listener("server"), "require_certificate true"]]
        with service.find(SERVICE)(pathlib.Path(data, "server"), "right-word", listeners) as server:
            places = dict(zip(("verified", "elsewhere", "asking"), server.ports), plain=plain.port)
            encryption.judge(Encrypted(files, places, server))


def judge(server):
    encrypted(server)
    one = Qos1(server)
    one.fresh = 5000
    for name, claim in (("session keeps", session_keeps), ("retained", retained), ("wildcard", wildcard), ("envelope", envelope)):
        one.fresh += 1
        case(f"mqtt qos 1: {name}", claim, one)
    for side in ("source", "sink"):
        for adapter_of in (Qos0, Qos2Three):
            case(f"{adapter_of.name}: passwords, {side}", passwords, adapter_of, side)
