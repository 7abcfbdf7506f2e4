"""NATS: messages as they are sent, and streams."""
import contextlib
import os
import pathlib
import tempfile
import time

import authority
import claims
import encryption
import nats_client
import nats_identities
import service
from harness import Run, case, must, rows, until, until_rows
from texts import must_be, numbers

SERVICE = "nats"


class Collected:
    def __init__(self, client):
        self.client = client

    def payloads(self):
        return [payload for _, payload in self.client.received]

    def over(self):
        self.client.close()


class Core:
    name, keeps, max_bytes = "nats", False, 1 << 20

    fresh_from = 0

    def __init__(self, server):
        self.server, self.fresh = server, self.fresh_from

    def url(self):
        return f'url: "nats://{self.server.address}"'

    def subject(self, topic):
        return f"c{self.fresh}.{topic}"

    def source(self, topic, form="json"):
        return f'nats({self.url()}, subject: "{self.subject(topic)}", format: {form})'

    def sink(self, topic):
        return f'nats({self.url()}, subject: "{self.subject(topic)}")'

    def make(self, topic):
        pass

    def publish(self, topic, payloads):
        client = nats_client.connect(self.server.port)
        client.publish(self.subject(topic), payloads)
        client.close()

    def collect(self, topic):
        client = nats_client.connect(self.server.port)
        client.subscribe(self.subject(topic))
        return Collected(client)


class Stream(Core):
    name, keeps, max_bytes = "nats stream", True, (1 << 20) - 200  # what stands beside a row counts

    def stream(self, topic):
        return f"S{self.fresh}{topic}"

    def subject(self, topic):
        return f"s{self.fresh}.{topic}"

    def source(self, topic, form="json"):
        return (f'nats({self.url()}, stream: "{self.stream(topic)}", subject: "{self.subject(topic)}", start: earliest, '
                f'format: {form})')

    def sink(self, topic):
        return f'nats({self.url()}, stream: "{self.stream(topic)}", subject: "{self.subject(topic)}")'

    def make(self, topic):
        client = nats_client.connect(self.server.port)
        client.make_stream(self.stream(topic), [self.subject(topic)])
        client.close()

    def publish(self, topic, payloads):
        client = nats_client.connect(self.server.port)
        client.store(self.subject(topic), payloads)
        client.close()


class Durable(Stream):
    name, fresh_from = "nats durable", 1000

    def source(self, topic, form="json"):
        return super().source(topic, form)[:-1] + ', durable: "reader")'


ADAPTERS = [Core, Stream, Durable]


def records(numbers_of):
    return [b'{"n":%d}' % n for n in numbers_of]


def script(source, sink='file("out.jsonl", append: true)'):
    return f"source r: {{ n: int }} = {source}\nemit r to {sink} as o\n"


def durable_goes_on(folder, durable):
    """The server knows how far a run has come; one that was killed gets again what was not acknowledged, in order."""
    durable.make("x")
    text = script(durable.source("x"))
    durable.publish("x", records(range(100)))
    run = Run(folder, text)
    until_rows(run, folder / "out.jsonl", 100)
    run.stop()
    durable.publish("x", records(range(100, 200)))
    run = Run(folder, text)
    until_rows(run, folder / "out.jsonl", 200)
    must_be(numbers(rows(folder / "out.jsonl")), list(range(200)))
    run.kill()
    durable.publish("x", records(range(200, 300)))
    run = Run(folder, text)
    until(lambda: numbers(rows(folder / "out.jsonl"))[-1:] == [299], "the last row did not come")
    run.stop()
    got = numbers(rows(folder / "out.jsonl"))
    again = got[200:]
    must_be(again, list(range(again[0], 300)), "what came to the run behind the one that was killed")


def durable_is_killed(folder, durable):
    """Without a state: kills while thousands are on their way. What was not acknowledged comes again in order, and nothing is missing."""
    durable.make("x")
    text = script(durable.source("x"))
    for end in (3000, 6000, 9000):
        run = Run(folder, text)
        run_begins = len(rows(folder / "out.jsonl"))
        durable.publish("x", records(range(end - 3000, end)))
        until(lambda: numbers(rows(folder / "out.jsonl"))[-1:] == [end - 1], lambda: f"{len(rows(folder / 'out.jsonl'))} rows: {run.said()}")
        run.kill()
        part = numbers(rows(folder / "out.jsonl"))[run_begins:]
        must_be(part, list(range(part[0], end)), "what came to one run")
    must_be(sorted(set(numbers(rows(folder / "out.jsonl")))), list(range(9000)))


def durable_is_for_one(folder, durable):
    durable.make("x")
    first = Run(folder, script(durable.source("x")))
    durable.publish("x", records([1]))
    until_rows(first, folder / "out.jsonl", 1)
    (folder / "second").mkdir()
    said = Run(folder / "second", script(durable.source("x"))).end(3)
    must("is read by another program" in said, lambda: said)
    first.stop()


def stream_sink_once(folder, stream):
    """A server that is killed while rows are sent: the stream has each once, in order."""
    stream.make("to")
    run = Run(folder, f"""type R = {{ n: int, at: time }}
source r: R = generate(rate: 5000, seed: 1) {{ n = n }} time at
emit r to {stream.sink("to")} as o
emit r to file("out.jsonl")
""")
    until_rows(run, folder / "out.jsonl", 2000)
    stream.server.kill()
    time.sleep(0.5)
    stream.server.start()
    before = len(rows(folder / "out.jsonl"))
    until_rows(run, folder / "out.jsonl", before + 5000)
    run.stop()
    client = nats_client.connect(stream.server.port)
    got = [int(payload.split(b":")[1].split(b",")[0]) for payload in client.stream_messages(stream.stream("to"))]
    client.close()
    must_be(got, numbers(rows(folder / "out.jsonl")), "what the stream has")


def queue_shares(folder, core):
    """Each message goes to one of two runs."""
    source = core.source("x")[:-1] + ', queue: "workers")'
    runs = []
    for name in ("a", "b"):
        (folder / name).mkdir()
        runs.append(Run(folder / name, script(source), "--control", "control.socket"))
    for name in ("a", "b"):
        claims.Console(folder / name)
    core.publish("x", records(range(1000)))
    both = lambda: rows(folder / "a" / "out.jsonl") + rows(folder / "b" / "out.jsonl")  # noqa: E731
    until(lambda: len(both()) >= 1000, lambda: f"{len(both())} rows came")
    for run in runs:
        run.stop()
    must_be(sorted(numbers(both())), list(range(1000)))
    must(rows(folder / "a" / "out.jsonl") and rows(folder / "b" / "out.jsonl"), "one of them got nothing")


def start_new(folder, stream):
    stream.make("x")
    stream.publish("x", records(range(10)))
    run = Run(folder, script(stream.source("x").replace("earliest", "new")), "--control", "control.socket")
    claims.Console(folder)
    stream.publish("x", records(range(10, 20)))
    until_rows(run, folder / "out.jsonl", 10)
    run.stop()
    must_be(numbers(rows(folder / "out.jsonl")), list(range(10, 20)))


def refused(folder, stream, change, wanted, side):
    """Told at the start, with code 3."""
    stream.make("x")
    text = stream.source("x") if side == "source" else stream.sink("x")
    (folder / "in.jsonl").write_text("")
    text = change(text)
    said = Run(folder, script(text) if side == "source" else script('file("in.jsonl")', text)).end(3)
    must(wanted in said, lambda: f"`{wanted}` is not said: {said}")


def row_too_large(folder, core):
    """A row that no server takes ends the run, and is told."""
    (folder / "in.jsonl").write_text('{"pad":"' + "x" * (1 << 20) + '"}\n')
    said = Run(folder, f"""source r: {{ pad: string }} = file("in.jsonl")
emit r to {core.sink("x")} as o
""").end(3)
    must("more than the server takes" in said, lambda: said[-500:])


def passwords(folder, side):
    """The right one lets in; without one, and with another, it is told at the start. None is ever said."""
    with tempfile.TemporaryDirectory() as data:
        with service.find(SERVICE)(pathlib.Path(data), password="right-word") as server:
            core = Core(server)
            (folder / "in.jsonl").write_text('{"n":1}\n')
            for login, password, wanted in (("", None, "right user and password"),
                                            (', user: "mut", password: env("MUT_TEST_WORD")', "wrong-word", "right user and password"),
                                            (', user: "mut", password: env("MUT_TEST_WORD")', None, "MUT_TEST_WORD"),
                                            (', user: "mut", password: env("MUT_TEST_WORD")', "right-word", "")):
                text = (core.source("x") if side == "source" else core.sink("x"))[:-1] + login + ")"
                text = script(text) if side == "source" else script('file("in.jsonl")', text)
                run = started_with(folder, text, password)
                if wanted:
                    said = run.end(3)
                    must(wanted in said and server.address in said, lambda: said)
                elif side == "source":
                    claims.Console(folder)
                    said = run.stop()
                else:
                    said = run.end()
                must("-word" not in said, lambda: f"a password is said: {said}")


def started_with(folder, text, password):
    os.environ.pop("MUT_TEST_WORD", None)
    if password:
        os.environ["MUT_TEST_WORD"] = password
    run = Run(folder, text, "--control", "control.socket")
    os.environ.pop("MUT_TEST_WORD", None)
    return run


def envelope(folder, core):
    """The subject beside the value; nobody who sends can say another."""
    source = core.source(">")[:-1] + ", envelope: true)"
    run = Run(folder, f"""source r: {{ subject: string, value: {{ n: int }}? }} = {source}
stream out = r | select n = value?.n ?? 0 - 1, subject
emit out to file("out.jsonl")
emit r.errors to file("errors.jsonl")
""", "--control", "control.socket")
    claims.Console(folder)
    forged = [b'{"n":5},"subject":"other"', b'{"n":5}}{"subject":"other","value":{"n":5}', b'{"n":5} {"n":6}',
              b'{"n":5}}\n{"subject":"other","value":{"n":5}}', b'{"n":', b'"a', b"}{", b'{"n":"\n"}', b"\xff"]
    core.publish("a", [b'{"n":1}', *forged, b'{\n"n": 2\n}', b""])
    core.publish("b", [b'{"n":3}'])
    until_rows(run, folder / "out.jsonl", 4)
    run.stop()
    name = f"c{core.fresh}."
    must_be([(row["n"], row["subject"]) for row in rows(folder / "out.jsonl")],
            [(1, name + "a"), (2, name + "a"), (-1, name + "a"), (3, name + "b")])
    must_be(len(rows(folder / "errors.jsonl")), len(forged), "errors")


def headers_of_others(folder, stream):
    """A message is one whatever its headers say."""
    stream.make("x")
    run = Run(folder, script(stream.source("x")), "--control", "control.socket")
    until((folder / "control.socket").exists, "no control socket")
    stream.publish("x", records([1]))
    client = nats_client.connect(stream.server.port)
    head = b"NATS/1.0\r\nStatus: shipped\r\n\r\n"
    text = records([2])[0]
    client.send(b"HPUB %s %d %d\r\n%s%s\r\n" % (stream.subject("x").encode(), len(head), len(head) + len(text), head, text))
    client.flush()
    client.close()
    stream.publish("x", records([3]))
    until_rows(run, folder / "out.jsonl", 3)
    said = run.stop()
    must_be(numbers(rows(folder / "out.jsonl")), [1, 2, 3])
    must("connecting again" not in said, said)


def stream_goes_on(folder, stream, every):
    """With --state a run that was killed goes on behind its checkpoint: a file has each row once."""
    stream.make("x")
    text = script(stream.source("x"), 'file("out.jsonl")')
    stream.publish("x", records(range(3000)))
    for end in (3000, 6000, 9000, 12000):
        run = Run(folder, text, "--state", "state", "--checkpoint-every", every)
        run.until_said("exactly once")
        until(lambda: numbers(rows(folder / "out.jsonl"))[-1:] == [end - 1],
              lambda: f"{len(rows(folder / 'out.jsonl'))} rows: {run.said()}")
        if end < 12000:
            stream.publish("x", records(range(end, end + 3000)))
            run.kill()
    run.stop()
    must_be(numbers(rows(folder / "out.jsonl")), list(range(12000)))


class Encrypted:
    name, fresh = "nats", 0
    login = ', user: "mut", password: env("MUT_TEST_WORD")'
    wrong_login = ', user: "mut", password: env("MUT_TEST_WRONG_WORD")'
    unknown = "right user and password"
    greeting = b'INFO {"server_id":"s","version":"2.9.10","proto":1,"max_payload":1000000,"tls_required":true}\r\n'

    def __init__(self, files, places, server):
        self.files, self.places, self.server = files, places, server

    def url(self, host, port, topic, more):
        return f'nats(url: "nats://{host}:{port}", subject: "e{self.fresh}.{topic}"{more})'

    source = sink = url

    def make(self, topic):
        pass

    def restart(self):
        self.server.kill()
        self.server.start()


def encrypted(server):
    """Servers of all kinds: each start takes some milliseconds."""
    with tempfile.TemporaryDirectory() as data, contextlib.ExitStack() as all_of_them:
        files = authority.Certificates(data)
        os.environ |= {"MUT_TEST_WORD": "right-word", "MUT_TEST_WRONG_WORD": "wrong-word"}
        places, servers = {"plain": server.port}, {}
        for place, name, more in (("verified", "server", {}), ("elsewhere", "other", {}), ("asking", "server", {"verify": True})):
            tls = {"cert_file": str(files.path(f"{name}.pem")), "key_file": str(files.path(f"{name}.key")), "ca_file": str(files.path("ca.pem"))}
            one = service.find(SERVICE)(pathlib.Path(data, place), "right-word", {"tls": tls | more})
            places[place] = all_of_them.enter_context(one).port
            servers[place] = one
        encryption.judge(Encrypted(files, places, servers["verified"]))


def credentials(folder):
    """A file of credentials lets in; another, none and one that is not there do not. What stands in it is said nowhere."""
    with tempfile.TemporaryDirectory() as data:
        (folder / "keys").mkdir()
        settings, text, seed = nats_identities.make(folder / "keys")
        _, stranger, _ = nats_identities.make(folder / "keys")
        with service.find(SERVICE)(pathlib.Path(data), settings=settings) as server:
            for name, content in (("me.creds", text), ("stranger.creds", stranger), ("broken.creds", text.replace(seed, seed[:20]))):
                (folder / name).write_text(content)
            (folder / "in.jsonl").write_text('{"n":1}\n')
            core = Core(server)
            reads = Run(folder, script(core.source("x")[:-1] + ', creds: "me.creds")'), "--control", "control.socket")
            claims.Console(folder)
            said = ""
            for name, wanted in (("me", ""), ("stranger", "right user and password, token or credentials"), ("broken", server.address),
                                 ("none", "none.creds: No such file"), ("", "right user and password, token or credentials")):
                more = f', creds: "../{name}.creds"' if name else ""
                (folder / "to").mkdir(exist_ok=True)
                one = Run(folder / "to", script('file("../in.jsonl")', core.sink("x")[:-1] + more + ")")).end(3 if wanted else 0)
                must(wanted in one, lambda: one)
                said += one
            until_rows(reads, folder / "out.jsonl", 1)
            said += reads.stop()
            must(seed[:20] not in said, lambda: f"the seed is said: {said}")


def judge(server):
    encrypted(server)
    case("nats: credentials", credentials)

    def ask(name, claim, adapter, *more):
        adapter.fresh += 1
        case(name, claim, adapter, *more)
    core, stream, durable = Core(server), Stream(server), Durable(server)
    for index, adapter in enumerate((core, stream, durable)):
        adapter.fresh = 2000 + 1000 * index
    ask("nats durable: goes on", durable_goes_on, durable)
    ask("nats durable: is killed", durable_is_killed, durable)
    ask("nats durable: is for one", durable_is_for_one, durable)
    ask("nats stream: sink once", stream_sink_once, stream)
    ask("nats: queue shares", queue_shares, core)
    ask("nats stream: start new", start_new, stream)
    for side in ("source", "sink"):
        ask(f"nats stream: no stream, {side}", refused, stream,
            lambda text: text.replace('stream: "S', 'stream: "NONE'), "there is no stream `NONE", side)
        case(f"nats: passwords, {side}", passwords, side)
    ask("nats stream: another subject, sink", refused, stream,
        lambda text: text.replace('subject: "s', 'subject: "other'), "does not keep the subject", "sink")
    ask("nats: row too large", row_too_large, core)
    ask("nats: envelope", envelope, core)
    ask("nats stream: headers of others", headers_of_others, stream)
    ask("nats stream: goes on from a checkpoint", stream_goes_on, stream, "50ms")
    for every in ("0ms", "50ms"):
        ask(f"nats durable: goes on from a checkpoint, every {every}", stream_goes_on, durable, every)
