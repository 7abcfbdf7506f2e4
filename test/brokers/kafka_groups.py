"""Runs that share the partitions of a topic of Kafka: members of one group, which come, go, and are killed."""
import json
import signal
import socket
import struct
import subprocess
import threading
import time

import claims
from restarts import LONG
from harness import LIMIT, Run, Wrong, case, listen, must, rows, until
from texts import must_be

PARTITIONS = 6
TIMEOUT = 6  # seconds, of a member that says nothing; brokers take no less unless they are told


class Topic:
    """Has messages `{"n": 0}`, `{"n": 1}`, … with keys of their own; while it is a context more come all the time."""

    def __init__(self, kafka, server, name, partitions=PARTITIONS):
        self.kafka, self.server, self.name, self.sent = kafka, server, name, 0
        kafka.kcat(server, "-L", "-t", name)
        until(lambda: b"partition 0, leader" in kafka.kcat(server, "-L", "-t", name), "the topic is not made")
        if partitions > 1:
            kafka.make_partitions(server, name, partitions)
            until(lambda: f"partition {partitions - 1}, leader".encode() in kafka.kcat(server, "-L", "-t", name), "no partitions")

    def send(self, count):
        lines = b"".join(b'k%d|{"n":%d}\n' % (n, n) for n in range(self.sent, self.sent + count))
        self.kafka.kcat(self.server, "-P", "-t", self.name, "-K", "|", text=lines)
        self.sent += count

    def __enter__(self):
        self.over, self.trouble = threading.Event(), []
        self.thread = threading.Thread(target=self.send_on, daemon=True)
        self.thread.start()
        return self

    def send_on(self):
        try:
            while not self.over.wait(0.05):
                self.send(50)
        except (OSError, Wrong, subprocess.TimeoutExpired) as problem:
            self.trouble.append(problem)

    def __exit__(self, *failed):
        self.over.set()
        self.thread.join(LIMIT)
        must(failed[0] or not self.trouble, lambda: f"the publisher: {self.trouble}")


class Member:
    """A run of the group, in a folder of its own."""

    def __init__(self, folder, topic, *args, more="", timeout=TIMEOUT, sink='file("out.jsonl", append: true)'):
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.text = f"""source r: {{ key: string, value: {{ n: int }}, partition: int, offset: int }} =
  kafka(brokers: "{topic.server.address}", topic: "{topic.name}", group: "{topic.name}", partitions: shared, envelope: true, member_timeout: {timeout}s{more})
stream out = r | select n = value.n, partition, offset, v = 1
emit out to {sink} as o
"""
        self.run = Run(folder, self.text, "--control", "control.socket", *args)
        claims.Console(folder)

    def rows(self):
        return rows(self.folder / "out.jsonl")

    def partitions(self):
        """As it was told last."""
        out = set()
        for line in self.run.said().splitlines():
            if ": partition" in line:
                out = set()
                for piece in line.split(": partition")[1].lstrip("s ").split(" of topic")[0].split(", "):
                    first, _, last = piece.partition("-")
                    out |= set(range(int(first), int(last or first) + 1))
            if "no partition of topic" in line or " lost, the group" in line:
                out = set()
        return out

    def told(self):
        return self.run.said().count("partition")


def until_shared(*members, partitions=PARTITIONS):
    """Until each partition is one member's, and each member has some."""
    def holds():
        of = [member.partitions() for member in members]
        for member in members:
            must(member.run.process.poll() is None, lambda: f"it ended: {member.run.said()}")
        return all(of) and sum(map(len, of)) == partitions == len(set.union(*of))
    until(holds, lambda: f"partitions are not shared: {[member.run.said()[-600:] for member in members]}")


def came(folder):
    """All rows of all members that ever were, by message."""
    out = {}
    for member in sorted(path for path in folder.iterdir() if path.is_dir()):
        for row in rows(member / "out.jsonl"):
            out.setdefault((row["partition"], row["offset"]), []).append(row["n"])
    return out


def until_all(folder, topic, *members):
    def holds():
        for member in members:
            must(member.run.process.poll() is None, lambda: f"it ended: {member.run.said()}")
        return len(came(folder)) >= topic.sent
    until(holds, lambda: f"{len(came(folder))} of {topic.sent} messages came: {[member.run.said()[-600:] for member in members]}")


def must_have_all(folder, topic, repeats_max=0):
    """Each message is there; how often one came again."""
    found = came(folder)
    must_be(sorted(ns[0] for ns in found.values()), list(range(topic.sent)), "messages")
    repeats = sum(len(ns) - 1 for ns in found.values())
    must(repeats <= repeats_max, lambda: f"{repeats} of {topic.sent} messages came again")
    return repeats


def state_of(state):
    return ("--state", "st", "--checkpoint-every", "500ms") if state else ()


def calm(folder, topic, state):
    """Members come and go in order, while messages come, and a script is edited: each message once, in one of them, and the edit
    moves nothing."""
    options = state_of(state)
    with topic:
        one = Member(folder / "one", topic, *options)
        until_shared(one)
        two = Member(folder / "two", topic, *options)
        until_shared(one, two)
        three = Member(folder / "three", topic, *options)
        until_shared(one, two, three)
        time.sleep(1)
        told = [member.told() for member in (one, two, three)]
        reply = claims.Console(one.folder).ask(op="swap", text=one.text.replace("v = 1", "v = 2"), wait_ms=0)
        must(reply["ok"], lambda: f"an edit: {reply}")
        until(lambda: one.rows()[-1]["v"] == 2, "no row of the edit came")
        time.sleep(2)
        must_be([member.told() for member in (one, two, three)], told, "notices")
        three.run.process.terminate()
        three.run.end()
        until_shared(one, two)
        two.run.stop()
        until_shared(one)
        two = Member(folder / "two", topic, *options)
        until_shared(one, two)
    until_all(folder, topic, one, two)
    for member in (one, two):
        member.run.stop()
    must_have_all(folder, topic)
    must(all(member.rows() for member in (one, two, three)), "a member had no message")
    per_member = [{row["partition"] for row in member.rows()} for member in (one, two, three)]
    must(all(per_member), lambda: f"partitions of members: {per_member}")


def edited(folder, topic, state):
    """An edit that makes another member of the group: the first gives what it had and leaves, and no message comes twice."""
    with topic:
        one, two = (Member(folder / name, topic, *state_of(state)) for name in ("one", "two"))
        until_shared(one, two)
        for timeout in (7, 8):
            told = one.told()
            reply = claims.Console(one.folder).ask(op="swap", text=one.text.replace(f"member_timeout: {TIMEOUT}s", f"member_timeout: {timeout}s"), wait_ms=0)
            must(reply["ok"], lambda: f"an edit: {reply}")
            until(lambda: one.told() > told, "the edit did not join")
            until_shared(one, two)
            time.sleep(1)
    until_all(folder, topic, one, two)
    for member in (one, two):
        member.run.stop()
    must_have_all(folder, topic)


def killed(folder, topic, state):
    """By SIGKILL: the others take its partitions, from where it has told the group to be."""
    options = state_of(state)
    with topic:
        one, two = (Member(folder / name, topic, *options) for name in ("one", "two"))
        until_shared(one, two)
        time.sleep(1.5)
        two.run.kill()
        until_shared(one)
        time.sleep(0.5)
        two = Member(folder / "two", topic, *options)
        until_shared(one, two)
    until_all(folder, topic, one, two)
    for member in (one, two):
        member.run.stop()
    repeats = must_have_all(folder, topic, topic.sent)
    print(f"{topic.name}: a member killed, {repeats} of {topic.sent} messages came again", flush=True)


def killed_on_the_way(folder, topic):
    """Rows that a killed member had run, and whose sink had not been told by the brokers that they have them, are run again."""
    out = topic.name + "-out"
    sink = f'kafka(brokers: "{topic.server.address}", topic: "{out}")'
    topic.kafka.kcat(topic.server, "-L", "-t", out)
    until(lambda: b"partition 0, leader" in topic.kafka.kcat(topic.server, "-L", "-t", out), "the topic of the rows is not made")
    collected = topic.kafka.Collected(topic.server, out)
    with topic:
        one, two = (Member(folder / name, topic, sink=sink) for name in ("one", "two"))
        until_shared(one, two)
        for turn in range(3):
            topic.server.pause()
            time.sleep(0.3)
            two.run.kill()
            topic.server.go_on()
            until_shared(one)
            two = Member(folder / "two", topic, sink=sink)
            until_shared(one, two)
    until(lambda: len({json.loads(row)["n"] for row in collected.payloads()}) >= topic.sent,
          lambda: f"{len(collected.payloads())} rows of {topic.sent}: {one.run.said()[-500:]}")
    for member in (one, two):
        member.run.stop()
    time.sleep(0.5)
    rows_there = [json.loads(row)["n"] for row in collected.payloads()]
    collected.over()
    must_be(sorted(set(rows_there)), list(range(topic.sent)), "messages")
    print(f"{topic.name}: a member killed three times, {len(rows_there) - topic.sent} of {topic.sent} rows twice", flush=True)


def held_by_a_sink(folder, topic):
    """A member is killed whose rows wait for a receiver that does not read: what that has not got another member gets."""
    receiver = listen()
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    port = receiver.getsockname()[1]
    topic.send(200000)
    one = Member(folder / "one", topic, sink=f'tcp(connect: "127.0.0.1:{port}")')
    peer, _ = receiver.accept()
    got = peer.recv(10000)
    time.sleep(3)  # more than between two commits
    one.run.kill()
    while piece := peer.recv(1 << 16):
        got += piece
    there = {json.loads(line)["n"] for line in got.split(b"\n")[:-1]}
    must(0 < len(there) < topic.sent, f"{len(there)} rows of {topic.sent} went out before the kill")
    two = Member(folder / "two", topic)
    until(lambda: len(there | {row["n"] for row in rows(folder / "two" / "out.jsonl")}) == topic.sent,
          lambda: f"{len(there)} and {len(rows(folder / 'two' / 'out.jsonl'))} rows of {topic.sent}: {two.run.said()[-500:]}")
    two.run.stop()


def broker_gone(folder, topic, timeout, state):
    """Killed, and there again three seconds later. It takes some 15 s to come: members that may be silent for longer stay, and no
    message comes twice; others have lost their partitions, and have some again."""
    options = state_of(state)
    one, two = (Member(folder / name, topic, *options, timeout=timeout) for name in ("one", "two"))
    until_shared(one, two)
    topic.send(2000)
    time.sleep(0.3)
    told = [one.told(), two.told()]
    topic.server.kill()
    time.sleep(3)
    topic.server.start()
    topic.send(2000)
    until_all(folder, topic, one, two)
    topic.send(500)
    until_all(folder, topic, one, two)
    stay = timeout > 2 * TIMEOUT
    if stay:
        must_be([one.told(), two.told()], told, "notices")
    for member in (one, two):
        member.run.stop()
    repeats = must_have_all(folder, topic, 0 if stay else topic.sent)
    print(f"{topic.name}: the broker killed, {repeats} of {topic.sent} messages came again", flush=True)


def broker_gone_for_good(folder, topic, wait):
    """A run that is stopped while no broker is there ends all the same."""
    one = Member(folder / "one", topic)
    until_shared(one)
    topic.send(500)
    until_all(folder, topic, one)
    topic.server.kill()
    time.sleep(wait)
    began = time.monotonic()
    one.run.stop()
    took = time.monotonic() - began
    must(took < 12, f"it took {took:.1f} s to end")


def held_up(folder, topic):
    """A sink that takes nothing for longer than a member may be silent: it stays a member, and its partitions stay."""
    listener = listen()
    one = Member(folder / "one", topic, sink=f'tcp(connect: "127.0.0.1:{listener.getsockname()[1]}")')
    two = Member(folder / "two", topic)
    until_shared(one, two)
    peer, _ = listener.accept()
    told = [one.told(), two.told()]
    for _ in range(12):
        topic.send(20_000)
    began = time.monotonic()
    before = None
    while time.monotonic() - began < 2 * TIMEOUT:
        before = claims.Console(one.folder).ask(op="stats")["records_in"]
        time.sleep(1)
    must_be([one.told(), two.told()], told, "notices")
    must(before < topic.sent / 2 - 10_000, lambda: f"it was not held up: {before} of {topic.sent} records")
    taken = bytearray()

    def all_came():
        taken.extend(peer.recv(1 << 20))
        return taken.count(b"\n") + len(two.rows()) >= topic.sent
    until(all_came, lambda: f"{taken.count(bytes([10]))} and {len(two.rows())} rows of {topic.sent} came")
    must_be([one.told(), two.told()], told, "notices")
    must(one.run.peak_mb() < claims.MEMORY_MB, f"{one.run.peak_mb():.0f} MB while it was held up")
    two.run.stop()
    one.run.kill()
    got = [json.loads(line) for line in bytes(taken).split(b"\n")[:-1]]
    must_be(sorted(row["n"] for row in got + two.rows()), list(range(topic.sent)), "messages")
    peer.close()
    listener.close()


def places_of_the_group(folder, topic):
    """A run that goes on from a checkpoint begins where the group is by then, ahead of it or not."""
    options = state_of(True)
    one = Member(folder / "one", topic, *options)
    until_shared(one)
    topic.send(600)
    until_all(folder, topic, one)
    one.run.stop()
    two = Member(folder / "two", topic)
    until_shared(two)
    topic.send(600)
    until_all(folder, topic, two)
    two.run.stop()
    topic.send(600)
    one = Member(folder / "one", topic, *options)
    until_all(folder, topic, one)
    one.run.stop()
    must("goes on from checkpoint" in one.run.said(), one.run.said)
    must_have_all(folder, topic)


def begins_new(folder, topic):
    """`start: new` holds where the group has no place yet; from there on it has one, without any message."""
    topic.send(500)
    one = Member(folder / "one", topic, more=", start: new")
    until_shared(one)
    time.sleep(1)
    one.run.stop()
    topic.send(500)
    two = Member(folder / "two", topic, more=", start: new")
    until(lambda: len(two.rows()) >= 500, lambda: f"{len(two.rows())} rows came")
    two.run.stop()
    must_be(sorted(row["n"] for row in two.rows()), list(range(500, 1000)))
    must_be(one.rows(), [])


def delete_up_to(topic, offset):
    """As a limit on what is kept does, to partition 0: the request DeleteRecords of the protocol."""
    text = topic.kafka.text
    body = struct.pack(">i", 1) + text(topic.name) + struct.pack(">iiqi", 1, 0, offset, 10_000)
    request = struct.pack(">hhi", 21, 0, 1) + text("test") + body
    with socket.create_connection(("127.0.0.1", topic.server.port), timeout=LIMIT) as peer:
        peer.sendall(struct.pack(">i", len(request)) + request)
        answer = peer.makefile("rb")
        answer = answer.read(struct.unpack(">i", answer.read(4))[0])
    must(struct.unpack_from(">h", answer, len(answer) - 2)[0] == 0, lambda: f"nothing was deleted: {answer!r}")


def gone(folder, topic):
    """Messages that are not kept any more, of one that begins and of one that runs: it says which, and goes on behind them."""
    one = Member(folder / "one", topic)
    topic.send(100)
    until(lambda: len(one.rows()) == 100, one.run.said)
    one.run.stop()
    topic.send(300)
    delete_up_to(topic, 250)
    one = Member(folder / "one", topic, timeout=45)
    one.run.until_said("partition 0: the group was at 100, and messages are kept from 250 to 400: it goes on at 250")
    until(lambda: len(one.rows()) == 250, one.run.said)
    one.run.process.send_signal(signal.SIGSTOP)
    time.sleep(0.5)
    for _ in range(5):
        topic.send(100)
        time.sleep(0.2)
    delete_up_to(topic, 850)
    one.run.process.send_signal(signal.SIGCONT)
    one.run.until_said("messages are kept from 850 to 900: it goes on at 850")
    until(lambda: one.rows()[-1]["n"] == 899, one.run.said)
    one.run.stop()
    found = [row["n"] for row in one.rows()]
    must_be(found[:250], [*range(100), *range(250, 400)])
    must_be(found[-50:], list(range(850, 900)))
    must_be(len(set(found)), len(found), "messages")


def grows(folder, topic):
    """Partitions that the topic gets are shared too, and read from their begin."""
    one, two = (Member(folder / name, topic, more=", start: new") for name in ("one", "two"))
    until_shared(one, two, partitions=2)
    topic.kafka.make_partitions(topic.server, topic.name, 4)
    until(lambda: b"partition 3, leader" in topic.kafka.kcat(topic.server, "-L", "-t", topic.name), "no partitions")
    topic.send(400)
    until_shared(one, two, partitions=4)
    until_all(folder, topic, one, two)
    for member in (one, two):
        member.run.stop()
    must_have_all(folder, topic)


def with_others(folder, topic):
    """A program that is none of ours is a member, too: it and the run have all messages between them."""
    one = Member(folder / "one", topic)
    until_shared(one)
    (folder / "other").mkdir()
    with open(folder / "other/out.jsonl", "wb") as out:
        other = subprocess.Popen(["kcat", "-b", topic.server.address, "-u", "-G", topic.name, "-f", '{"partition":%p,"offset":%o,"n":0}\\n', topic.name],
                                 stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL)
        try:
            with topic:
                until(lambda: len(one.partitions()) == 3, one.run.said)
                time.sleep(2)
            until_all(folder, topic, one)
            must(rows(folder / "other/out.jsonl"), "the other had nothing")
            other.terminate()  # while nothing comes: kcat confirms what it is about to print
            other.wait(LIMIT)
            until_shared(one)
            topic.send(500)
            until_all(folder, topic, one)
            one.run.stop()
        finally:
            other.kill()
    found = came(folder)
    must(len(found) == topic.sent, lambda: f"{len(found)} of {topic.sent} messages came")


def other_ways(folder, topic):
    """A member that shares by another way is there already: the run says so, and ends."""
    other = subprocess.Popen(["kcat", "-b", topic.server.address, "-X", "partition.assignment.strategy=cooperative-sticky", "-G", topic.name, topic.name], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        while b"incremental assignment" not in other.stderr.readline():
            must(other.poll() is None, "kcat ended")
        one = Member(folder / "one", topic)
        must("share partitions in another way" in one.run.end(3), one.run.said)
    finally:
        other.kill()
        other.communicate()


def more_than_partitions(folder, topic):
    """One member too many waits, and has its turn when another goes."""
    one, two = (Member(folder / name, topic) for name in ("one", "two"))
    until(lambda: one.partitions() or two.partitions(), "nobody has the partition")
    topic.send(200)
    until_all(folder, topic, one, two)
    has, waits = (one, two) if one.partitions() else (two, one)
    time.sleep(1)
    must_be((waits.partitions(), waits.rows()), (set(), []))
    has.run.stop()
    topic.send(200)
    until_shared(waits, partitions=1)
    until_all(folder, topic, waits)
    waits.run.stop()
    must_have_all(folder, topic)


def judge(kafka, server):
    """With `--long` all; else a few: a group takes seconds to agree."""
    def claim(name, of, *arguments, partitions=PARTITIONS):
        def on_topic(folder):
            of(folder, Topic(kafka, server, "-".join(name.replace(",", "").split()), partitions), *arguments)
        server.start()
        case(f"kafka: group, {name}", on_topic)
    claim("calm", calm, False)
    claim("killed, with a state", killed, True)
    claim("held by a sink", held_by_a_sink)
    if LONG:
        claim("calm, with a state", calm, True)
        claim("killed", killed, False)
        for state in (False, True):
            more = ", with a state" if state else ""
            claim(f"edited{more}", edited, state)
            claim(f"broker gone{more}", broker_gone, 45, state)
        claim("killed on the way", killed_on_the_way)
        claim("broker gone for long", broker_gone, TIMEOUT, False)
        claim("broker gone for good", broker_gone_for_good, 1)
        claim("broker gone for good and long", broker_gone_for_good, 2 * TIMEOUT)
        claim("held up", held_up)
        claim("places", places_of_the_group)
        claim("new", begins_new)
        claim("gone", gone, partitions=1)
        claim("grows", grows, partitions=2)
        claim("one too many", more_than_partitions, partitions=1)
    claim("with others", with_others)
    claim("other ways", other_ways)
