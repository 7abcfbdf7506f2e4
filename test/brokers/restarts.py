"""A broker that is killed, stopped, made to stand still and started, over and over, while one run goes on: how soon rows flow behind its
return, how often it is tried meanwhile, and that every record that the promise covers is there.

`--long` does 200 of them in sum, and a run that was cut off goes on where it was: MUT_RESTARTS_MARK names the file that knows it."""
import hashlib
import json
import os
import pathlib
import random
import sys
import tempfile
import time

import claims
import harness
import nats_client
import service
from harness import ROOT, Run, Wrong, case, must, rows, until
from texts import must_be, numbers

LONG = "--long" in sys.argv
if LONG:
    sys.argv.remove("--long")
WANTED = {"nats": 20, "nats stream": 50, "mqtt qos 1": 50, "kafka": 30, "postgres": 50}  # 200
SHORT = {"nats stream": 2, "mqtt qos 1": 2}
PIECE = 10  # restarts of one case
MARK = pathlib.Path(os.environ.get("MUT_RESTARTS_MARK", ROOT / "build/restarts.json"))


class Figures:
    def __init__(self):
        self.back, self.rates, self.twice = [], [], 0

    def told(self, name, turns):
        if not os.environ.get("MUT_TIMES"):
            return
        back = sorted(self.back)
        tries = f", at most {max(self.rates):.1f} attempts a second" if self.rates else ""
        print(f"restarts {name}: {turns}, rows flowed {back[len(back) // 2]:.1f} s behind the return in the middle, {back[-1]:.1f} s at most"
              f"{tries}, {self.twice} rows twice", flush=True)


def away(server, way, seconds, figures, clients):
    """The server is not there for so long; the moment at which it is again."""
    if way == "stands still":
        server.pause()
        time.sleep(seconds)
        server.go_on()
        return time.monotonic()
    server.kill() if way == "is killed" else server.stop()
    if seconds >= 3:
        attempts = claims.CountedAttempts(server.port)
        time.sleep(seconds)
        at = attempts.end()
        # The first come soon one behind the other.
        figures.rates.append(len(at) / seconds)
        must(len(at) <= (3 + seconds) * clients, lambda: f"{len(at)} attempts in {seconds} s")
    else:
        time.sleep(seconds)
    server.start()
    return time.monotonic()


def plan(draw, turn, way=None):
    """What happens at a turn, and for how long."""
    if LONG and turn % PIECE == 5:
        return "stands still", 30
    if turn % 5 == 1:
        return "is killed", 4
    way = way or draw.choice(["is killed", "is killed", "is stopped", "stands still"])
    return way, draw.uniform(0.1, 1.5)


def restarts(folder, adapter, first, turns):
    draw, figures = random.Random(f"{adapter.name} {first}"), Figures()
    clients = 2 if getattr(adapter, "several_clients", False) else 1
    for topic in ("from", "to"):
        adapter.make(topic)
    run = Run(folder, f"""source r: {{ n: int }} = {adapter.source("from")}
emit r to {adapter.sink("to")} as o
emit r to file("in.jsonl") as seen
""", "--state", "st", "--checkpoint-every", "200ms", "--control", "control.socket")
    claims.Console(folder)
    published, sure = 0, []  # what was published while source and sink are known to be connected

    def publish(count):
        nonlocal published
        adapter.publish("from", [b'{"n":%d}' % n for n in range(published, published + count)])
        published += count
    flows(adapter, publish, lambda: published, time.monotonic())
    for turn in range(first, first + turns):
        begin = published
        publish(50)
        sure += range(begin, published)
        if not adapter.keeps:
            until(lambda: numbers(rows(folder / "in.jsonl"))[-1:] == [published - 1], lambda: f"it does not read: {run.said()}")
            time.sleep(0.3)  # and the sink has sent it
        back = away(adapter.server, *plan(draw, turn), figures, clients)
        figures.back.append(flows(adapter, publish, lambda: published, back))
    last = published
    publish(50)
    until(lambda: numbers(rows(folder / "in.jsonl"))[-1:] == [published - 1], lambda: f"it does not read: {run.said()}")
    run.stop()
    came = numbers(rows(folder / "in.jsonl"))
    wanted = list(range(published)) if adapter.keeps else sure + list(range(last, published))
    firsts = list(dict.fromkeys(came))
    must(firsts == sorted(firsts), "records are out of order")
    again = len(came) - len(firsts)
    # Of quality 1 a broker may give once more what it has not heard of before it was gone.
    must(adapter.name == "mqtt qos 1" or not again, lambda: f"the source has {again} records twice")
    must(set(wanted) <= set(came), lambda: f"records that were not read: {sorted(set(wanted) - set(came))[:10]} of {published}")
    if adapter.keeps:
        got = stored(adapter, published)
        again += len(got) - len(set(got))
        must_be(sorted(set(got)), list(range(published)), "what has arrived")
    figures.twice = again
    figures.told(adapter.name, turns)


def flows(adapter, publish, published, since):
    """Seconds until a row that is sent now comes through."""
    collected = adapter.collect("to")
    try:
        begin, end = published(), time.monotonic() + harness.LIMIT
        while time.monotonic() < end:
            publish(1)
            wait = time.monotonic() + 0.3
            while time.monotonic() < wait:
                if any(json.loads(payload)["n"] >= begin for payload in collected.payloads()):
                    return time.monotonic() - since
                time.sleep(0.01)
        raise Wrong(f"no rows flow for {harness.LIMIT:.0f} s")
    finally:
        collected.over()


def stored(adapter, count):
    """Numbers that the broker keeps of what was sent."""
    if hasattr(adapter, "stream"):
        client = nats_client.connect(adapter.server.port)
        got = [json.loads(payload)["n"] for payload in client.stream_messages(adapter.stream("to"))]
        client.close()
        return got
    collected = adapter.collect("to")
    until(lambda: len({json.loads(payload)["n"] for payload in collected.payloads()}) >= count, lambda: f"{len(collected.payloads())} of {count} came")
    got = [json.loads(payload)["n"] for payload in collected.payloads()]
    collected.over()
    return got


def restarts_of_postgres(folder, server, first, turns):
    """A sink with checkpoints: each row is in the table once, however often the server goes."""
    draw, figures = random.Random(f"postgres {first}"), Figures()
    table = f"restarts{first}"
    server.sql(f"CREATE TABLE {table} (id int)")
    run = Run(folder, f"""source r: {{ id: int }} = generate(seed: 1, rate: 500.0) {{ id = n }}
emit r to postgres(host: "{server.address}", database: "shop", user: "mut", password: env("MUT_TEST_PASSWORD"), table: "{table}") as o
""", "--state", "st", "--checkpoint-every", "200ms", "--stats", "stats.json")
    count = lambda: int(server.sql(f"SELECT count(*) FROM {table}"))  # noqa: E731
    until(lambda: count() > 100, lambda: f"no rows came: {run.said()}")
    for turn in range(first, first + turns):
        way, seconds = plan(draw, turn)
        back = away(server, way, seconds, figures, 1)
        before = count()
        until(lambda: count() > before, lambda: f"no rows flow: {run.said()}")
        figures.back.append(time.monotonic() - back)
    run.stop()
    made = json.loads((folder / "stats.json").read_text())["rows_out"]
    must_be(server.sql(f"SELECT count(*), count(DISTINCT id), max(id) FROM {table}"), f"{made}|{made}|{made - 1}", "rows | different | the last")
    figures.told("postgres", turns)


class Done:
    """How many restarts of each one build has had."""

    def __init__(self):
        build = hashlib.sha256(pathlib.Path(harness.MUTC).read_bytes()).hexdigest()
        known = json.loads(MARK.read_text()) if MARK.exists() else {}
        self.known = known if known.get("build") == build else {"build": build}

    def of(self, name):
        return self.known.get(name, 0)

    def add(self, name, turns):
        self.known[name] = self.of(name) + turns
        MARK.parent.mkdir(exist_ok=True)
        MARK.write_text(json.dumps(self.known))


def pieces(name, claim, *arguments):
    """The whole of one kind, a case for each piece; the first that fails ends it, and is the first of the next run."""
    done = Done()
    while done.of(name) < WANTED[name]:
        first, failed = done.of(name), harness.failed + harness.left_out
        before = harness.passed
        case(f"{name}: restarts {first} to {first + PIECE}", claim, *arguments, first, PIECE)
        if harness.failed + harness.left_out > failed or harness.passed == before:
            return
        done.add(name, PIECE)


def judge(adapter):
    """Behind its other claims."""
    if LONG and adapter.name in WANTED:
        adapter.fresh += 100
        adapter.server.start()

        def claim(folder, first, turns):
            adapter.fresh += 1
            adapter.server.start()
            restarts(folder, adapter, first, turns)
        pieces(adapter.name, claim)
    elif adapter.name in SHORT:
        adapter.fresh += 100
        adapter.server.start()
        case(f"{adapter.name}: restarts", restarts, adapter, 0, SHORT[adapter.name])


def judge_postgres():
    """How many were skipped. What is short is in test/postgres."""
    kind = service.find("postgres")
    if not LONG or kind.missing():
        if LONG:
            print(f"skipped postgres: {kind.missing()}")
        return int(LONG)
    os.environ["MUT_TEST_PASSWORD"] = "word"
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder).chmod(0o711)
        with kind(pathlib.Path(folder, "server"), "word") as server:
            pieces("postgres", lambda work, first, turns: restarts_of_postgres(work, server, first, turns))
    return 0
