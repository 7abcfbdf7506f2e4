"""What is claimed of every broker. An adapter (broker_NAME.py) says how a script names it, and what its promise is:

    name          for the names of claims
    server        a tools/service
    keeps         whether messages that are published while the run is away, or before the broker was restarted, come yet
    max_bytes     of a message
    source(topic, form="json"), sink(topic)       as text of a script
    fresh         rises with each claim: topics of two have nothing of each other
    make(topic)                                   before a run: whatever a topic needs
    publish(topic, payloads)                      all of them are the broker's when it returns
    collect(topic)                                begins to listen; payloads() of it are those that came, over() ends it
"""
import json
import socket
import threading
import time

import service
import harness
from harness import LIMIT, Run, Wrong, must, rows, until, until_rows
from texts import MEMORY_MB, must_be, numbers

COUNT = 3000
EDIT_EVERY = 0.2  # seconds
AWAY = 3          # seconds


def script(source, sink, version=1, more=""):
    return f"""source r: {{ n: int, key: int }} = {source}
stream even = r | where n % 2 == 0 | select n, key, v = {version}
emit even to {sink} as o
emit r.errors to file("errors.jsonl")
{more}"""


def records(numbers_of):
    return [b'{"n":%d,"key":%d}' % (n, n % 7) for n in numbers_of]


def publish_slowly(adapter, topic, count, seconds):
    """On a thread of its own: the broker may stand still meanwhile."""
    pieces = 60
    trouble = []

    def publish():
        try:
            for piece in range(pieces):
                begin, end = piece * count // pieces, (piece + 1) * count // pieces
                adapter.publish(topic, records(range(begin, end)))
                time.sleep(seconds / pieces)
        except (OSError, Wrong) as problem:
            trouble.append(problem)
    thread = threading.Thread(target=publish, daemon=True)
    thread.start()

    def join():
        thread.join(LIMIT)
        must(not trouble and not thread.is_alive(), lambda: f"the publisher: {trouble}")
    return join


class Console:
    """The control socket of a run."""

    def __init__(self, folder):
        self.path = str(folder / "control.socket")
        self.socket = until(self.connected, "no control socket")
        self.file = self.socket.makefile("rw")
        self.ask(op="stats")  # answered between two batches: sources and sinks are open

    def connected(self):
        one = socket.socket(socket.AF_UNIX)
        one.settimeout(LIMIT)
        try:
            one.connect(self.path)
            return one
        except OSError:
            one.close()
            return None

    def ask(self, **request):
        self.file.write(json.dumps({"v": 1, **request}) + "\n")
        self.file.flush()
        return json.loads(self.file.readline())


def until_came(collected, count, what="messages"):
    until(lambda: len(collected.payloads()) >= count, lambda: f"{len(collected.payloads())} of {count} {what} came")


def topic_to_topic(folder, adapter):
    """The broker stands still for seconds, and the script is edited all the time: every even record once, in order."""
    for topic in ("from", "to"):
        adapter.make(topic)
    collected = adapter.collect("to")
    run = Run(folder, script(adapter.source("from"), adapter.sink("to")), "--control", "control.socket")
    console = Console(folder)
    adapter.publish("from", records([-2]))
    until_came(collected, 1)
    join = publish_slowly(adapter, "from", COUNT, AWAY + 3)
    begin, version, stands = time.monotonic(), 1, False
    while time.monotonic() - begin < AWAY + 3:
        at = time.monotonic() - begin
        if not stands and 1 < at < 1 + AWAY:
            adapter.server.pause()
            stands = True
        elif stands and at > 1 + AWAY:
            adapter.server.go_on()
            stands = False
        version += 1
        reply = console.ask(op="swap", text=script(adapter.source("from"), adapter.sink("to"), version), wait_ms=0)
        must(reply["ok"], lambda: f"an edit: {reply}")
        time.sleep(EDIT_EVERY)
    if stands:
        adapter.server.go_on()
    join()
    until_came(collected, 1 + COUNT // 2)
    run.stop()
    time.sleep(0.2)  # what comes once more
    got = [json.loads(payload) for payload in collected.payloads()][1:]
    collected.over()
    must_be([(row["n"], row["key"]) for row in got], [(n, n % 7) for n in range(0, COUNT, 2)])
    versions = [row["v"] for row in got]
    must_be(versions, sorted(versions), "versions")
    must(len(set(versions)) > AWAY / EDIT_EVERY / 3, lambda: f"{len(set(versions))} versions had rows")
    must_be(rows(folder / "errors.jsonl"), [], "errors")


BAD = {
    "json": ([b'{"n":1,"key":1}', b'{"n":2,"key":2}\n{"n":3,"key":3}', b'{"n":4,"key":4}'],
             [b'{"n":', b'{"n":"x","key":1}', b"\xff\xfe", b"[1]", b'{"key":1}', b""]),
    "csv": ([b"n,key\n1,1", b"key,n\n2,2\n3,3\n", b"n,key\n4,4"], [b"n,key\nx,1", b"n,key\n1", b"n\n1", b"\xff\xfe", b""]),
    "tsv": ([b"n\tkey\n1\t1", b"n\tkey\n2\t2\n3\t3\n", b"n\tkey\n4\t4"], [b"n\tkey\nx\t1", b"n,key\n1,1", b"\xff\xfe", b""]),
    "lines": ([b"1", b"2\n3\n", b"4"], [b"\xff\xfe", b""]),
}


def bad_messages(folder, adapter, form):
    """Each of them is in `.errors`, with what it was, and those beside it come through."""
    good, bad = BAD[form]
    adapter.make("bad")
    record = "{ line: string }" if form == "lines" else "{ n: int, key: int }"
    field = "int(line)" if form == "lines" else "n"
    run = Run(folder, f"""source r: {record} = {adapter.source("bad", form)}
stream out = r | select n = {field}
emit out to file("out.jsonl")
emit r.errors to file("errors.jsonl")
""", "--control", "control.socket")
    Console(folder)
    adapter.publish("bad", [good[0], *bad[:2], good[1], *bad[2:], good[2]])
    until_rows(run, folder / "out.jsonl", 4)
    run.stop()
    must_be(numbers(rows(folder / "out.jsonl")), [1, 2, 3, 4])
    errors = rows(folder / "errors.jsonl")
    must(len(errors) == len(bad), lambda: f"{len(errors)} errors of {len(bad)} bad messages: {errors}")
    must(all(error["code"] == "decode" for error in errors), "another code than decode")
    must("empty" in errors[-1]["message"], lambda: f"of the empty message: {errors[-1]}")


def large_message(folder, adapter):
    """A mebibyte, in and out."""
    for topic in ("from", "to"):
        adapter.make(topic)
    collected = adapter.collect("to")
    text = b'{"n":2,"pad":"' + b"x" * (min(adapter.max_bytes, 1 << 20) - 16) + b'"}'
    run = Run(folder, f"""source r: {{ n: int, pad: string }} = {adapter.source("from")}
emit r to {adapter.sink("to")} as o
emit r.errors to file("errors.jsonl")
""", "--control", "control.socket")
    Console(folder)
    adapter.publish("from", [text, b'{"n":3,"pad":""}'])
    until_came(collected, 2)
    run.stop()
    got = collected.payloads()
    collected.over()
    must(got == [text, b'{"n":3,"pad":""}'], lambda: f"another text came: {[piece[:80] for piece in got]}")


def unreachable(folder, adapter, side):
    """Said at once, by name, with code 3."""
    port = service.free_port()
    real, adapter.server.port = adapter.server.port, port
    source, sink = adapter.source("x"), adapter.sink("x")
    adapter.server.port = real
    nothing = 'file("in.jsonl")'
    (folder / "in.jsonl").write_text("")
    begin = time.monotonic()
    run = Run(folder, script(source, "stdout()") if side == "source" else script(nothing, sink))
    said = run.end(3)
    must(time.monotonic() - begin < 5, "it took more than 5 s")
    must(f"127.0.0.1:{port}" in said, lambda: f"the address is not named: {said}")


class CountedAttempts(threading.Thread):
    """Takes the place of a broker that is gone, and counts who tries."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(100)
        self.at = []
        self.start()

    def run(self):
        try:
            while True:
                self.listener.accept()[0].close()
                now = time.monotonic()
                if not self.at or now - self.at[-1] > 0.3:  # one attempt may be two connections
                    self.at.append(now)
        except OSError:
            pass

    def end(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.join()
        return self.at


def broker_killed(folder, adapter):
    """By SIGKILL: source and sink come back within 5 s of its return, and try calmly until then."""
    for topic in ("from", "to"):
        adapter.make(topic)
    collected = adapter.collect("to")
    run = Run(folder, script(adapter.source("from"), adapter.sink("to"), more='emit r to file("in.jsonl")\n'),
              "--control", "control.socket")
    Console(folder)
    adapter.publish("from", records(range(10)))
    until_came(collected, 5)
    collected.over()
    time.sleep(0.3)  # the sink has heard of it: it has nothing left to send
    adapter.server.kill()
    attempts = CountedAttempts(adapter.server.port)
    try:
        run.until_said("source `r`.*connecting again")
        time.sleep(6)
    finally:
        at = attempts.end()
    most = (3 + 6) * (2 if getattr(adapter, "several_clients", False) else 1)
    must(1 <= len(at) <= most, lambda: f"{len(at)} attempts in 6 s: {[round(later - at[0], 2) for later in at]}")
    if not getattr(adapter, "several_clients", False):
        steady = [later - sooner for sooner, later in zip(at[3:], at[4:])]
        must(all(gap > 0.9 for gap in steady), lambda: f"less than a second between two attempts: {steady}")
    adapter.server.start()
    begin = time.monotonic()
    if not getattr(adapter, "quiet", False):
        run.until_said("source `r` is connected")
    must(time.monotonic() - begin < 5, "more than 5 s passed before it was connected again")
    collected = adapter.collect("to")
    before = len(rows(folder / "in.jsonl"))
    adapter.publish("from", records(range(1000, 1100)))
    until_rows(run, folder / "in.jsonl", before + 100)
    until(lambda: sum(1 for payload in collected.payloads() if json.loads(payload)["n"] >= 1000) >= 50,
          lambda: f"{len(collected.payloads())} messages came: {run.said()}")
    run.stop()
    collected.over()
    came = numbers(rows(folder / "in.jsonl"))
    must_be([n for n in came if n >= 1000], list(range(1000, 1100)), "what was read behind the return")
    if adapter.keeps:
        must_be(came, [*range(10), *range(1000, 1100)], "what was read")
    must(run.said().count("connecting again") <= 2, lambda: f"it is said again and again: {run.said()}")


def source_drains(folder, adapter):
    """Ctrl-C: what has been received is run."""
    adapter.make("from")
    run = Run(folder, script(adapter.source("from"), "stdout()", more='emit r to file("in.jsonl")\n'),
              "--control", "control.socket")
    Console(folder)
    adapter.publish("from", records(range(COUNT)))
    time.sleep(0.3)
    run.stop()
    came = numbers(rows(folder / "in.jsonl"))
    must_be(came, list(range(len(came))), "rows")
    must(adapter.keeps or len(came) == COUNT, lambda: f"{len(came)} of {COUNT} rows")


def sink_drains(folder, adapter):
    """Ctrl-C: what was made is sent."""
    adapter.make("to")
    collected = adapter.collect("to")
    run = Run(folder, f"""type R = {{ n: int, at: time }}
source r: R = generate(rate: 20000, seed: 1) {{ n = n }} time at
emit r to {adapter.sink("to")} as o
emit r to file("out.jsonl")
""")
    until_rows(run, folder / "out.jsonl", 5000)
    run.stop()
    made = rows(folder / "out.jsonl")
    until_came(collected, len(made))
    got = [json.loads(payload) for payload in collected.payloads()]
    collected.over()
    must_be(got, made)


def stalled_broker(folder, adapter):
    """A broker that stands still: the run waits, and its memory does not grow."""
    adapter.make("to")
    run = Run(folder, f"""type R = {{ n: int, pad: string, at: time }}
source r: R = generate(seed: 1) {{ n = n, pad = "{'x' * 200}" }} time at
emit r to {adapter.sink("to")} as o
""", "--control", "control.socket")
    console = Console(folder)
    until(lambda: console.ask(op="stats")["records_in"] > 1000, "no rows")
    adapter.server.pause()
    try:
        counts = []

        def stands():
            counts.append(console.ask(op="stats")["records_in"])
            time.sleep(0.2)
            return len(counts) > 5 and len(set(counts[-5:])) == 1
        until(stands, "it goes on while the broker stands still")
        peak = run.peak_mb()
    finally:
        adapter.server.go_on()
    must(peak < MEMORY_MB, f"{peak:.0f} MB while the broker stands still")
    until(lambda: console.ask(op="stats")["records_in"] > counts[-1], "it does not go on")
    run.stop()


def judge(adapter):
    name = adapter.name

    def case(of, claim, *arguments):
        adapter.fresh += 1
        adapter.server.start()  # where the claim before has failed
        harness.case(of, claim, *arguments)
    case(f"{name}: topic to topic", topic_to_topic, adapter)
    for form in BAD:
        case(f"{name}: bad messages {form}", bad_messages, adapter, form)
    case(f"{name}: large message", large_message, adapter)
    for side in ("source", "sink"):
        case(f"{name}: unreachable {side}", unreachable, adapter, side)
    case(f"{name}: source drains", source_drains, adapter)
    case(f"{name}: sink drains", sink_drains, adapter)
    case(f"{name}: stalled broker", stalled_broker, adapter)
    case(f"{name}: broker killed", broker_killed, adapter)
