"""What is claimed of `websocket`."""
import json
import os
import time

from harness import Run, case, must, rows, until, until_rows
from server import PING, TEXT, Server, frame

SOURCE = """source r: {{ id: int, text: string? }} = websocket(connect: "{url}"{more})
emit r to file("out.jsonl")
emit r.errors to file("bad.jsonl")"""


def begin(folder, server, more=""):
    run = Run(folder, SOURCE.format(url=server.url, more=more))
    until(lambda: server.peers and server.peers[-1].hello.is_set(), lambda: f"it does not connect: {run.said()}")
    return run


def ids(folder):
    return [row["id"] for row in rows(folder / "out.jsonl")]


def message(number, text=""):
    return json.dumps({"id": number, "text": text}).encode()


def messages(folder):
    """Of all sizes, in fragments with a ping between, several records in one, and what cannot be decoded."""
    server = Server()
    run = begin(folder, server, ', hello: "subscribe"')
    peer = server.peers[0]
    must("GET /feed?x=1 HTTP/1.1" in peer.head, peer.head)
    sizes = [0, 90, 200, 65_000, 70_000, 2_000_000]
    for number, size in enumerate(sizes):
        peer.send(message(number, "x" * size))
    whole = message(6)
    peer.conn.sendall(frame(whole[:3], TEXT, last=False) + frame(b"are you there", PING) + frame(whole[3:5], 0, last=False) + frame(whole[5:], 0))
    peer.conn.sendall(frame(message(7) + b"\n" + message(8)) + frame(b"{") + frame(b"") + frame(message(9), 2))
    until_rows(run, folder / "out.jsonl", 10)
    until(lambda: len(rows(folder / "bad.jsonl")) == 2, lambda: f"{rows(folder / 'bad.jsonl')}")
    must(ids(folder) == list(range(10)), f"{ids(folder)}")
    must([len(row["text"]) for row in rows(folder / "out.jsonl")][:6] == sizes, "texts are cut")
    until(lambda: peer.pongs == [b"are you there"], lambda: f"{peer.pongs}")
    until(lambda: server.texts == [b"subscribe"], lambda: f"{server.texts}")
    run.stop()
    must(peer.closed.wait(5), "it left without a word")
    must(not server.wrong, f"{server.wrong}")


def with_the_answer(folder):
    """Frames that come at once with the answer to the request."""
    server = Server()
    server.greeting = frame(message(0)) + frame(message(1))
    run = begin(folder, server)
    until_rows(run, folder / "out.jsonl", 2)
    run.stop()


def comes_back(folder):
    """A server that ends and comes again; what it sent before was taken."""
    server = Server()
    run = begin(folder, server)
    for turn in range(3):
        server.peers[-1].send(*[message(turn * 10 + i) for i in range(10)])
        until_rows(run, folder / "out.jsonl", 10 * turn + 10)
        count = len(server.peers)
        server.stop()
        time.sleep(0.2)
        server.start()
        until(lambda: len(server.peers) > count and server.peers[-1].hello.is_set(), "it does not connect again")
    must(ids(folder) == list(range(30)), f"{ids(folder)}")
    run.until_said("is connected to websocket ws://127.0.0.1")
    run.stop()


def breaks_protocol(folder):
    """The connection is given up, and made again; the run goes on."""
    server = Server()
    run = begin(folder, server)
    for number, wrong in enumerate([b"\xc1\x00", b"\x83\x00", b"\x80\x00", b"\x81\x81\0\0\0\0x", b"\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff", b"\x88\x02\x03\xe9"]):
        count = len(server.peers)
        server.peers[-1].conn.sendall(frame(message(number)) + wrong)
        until(lambda: len(server.peers) > count and server.peers[-1].hello.is_set(), lambda: f"after {wrong}: {run.said()}")
        server.peers[-1].hello.wait(5)
    until_rows(run, folder / "out.jsonl", 6)
    must(ids(folder) == list(range(6)), f"{ids(folder)}")
    run.stop()


def refused(folder):
    """What is no server of WebSocket ends the run at its start."""
    server = Server()
    (folder / "r.jsonl").write_text('{"id":1}\n')
    for answer, word in ((b"HTTP/1.1 404 Not Found\r\n\r\n", "404 Not Found"), (b"HTTP/1.1 101 Fine\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n", "belongs to no such request"),
                         (b"x" * 20_000, "no end"), (b"\0\n\r\n\r\n", "does not speak")):
        server.answer = answer
        said = Run(folder, SOURCE.format(url=server.url, more="")).end(3)
        must(word in said, said)
        said = Run(folder, f'source r: {{ id: int }} = file("r.jsonl")\nemit r to websocket(connect: "{server.url}")').end(3)
        must(word in said, said)
    server.stop()
    must("refused" in Run(folder, SOURCE.format(url=server.url, more="")).end(3).lower(), "no server")


def held_up(folder):
    """A sink that stands still holds up who sends; memory stays bounded."""
    server = Server()
    run = Run(folder, SOURCE.format(url=server.url, more="").replace('emit r to file("out.jsonl")', "emit r to stdout()"), stdout=-1)
    until(lambda: server.peers and server.peers[-1].hello.is_set(), "it does not connect")
    peer = server.peers[0]
    peer.conn.settimeout(1)
    sent = 0
    try:
        while sent < 400_000_000:
            peer.send(message(sent, "y" * 100_000))
            sent += 100_000
    except OSError:
        pass
    must(sent < 100_000_000, "it is read without end")
    must(run.peak_mb() < 300, "memory")
    run.kill()


def lines(folder):
    server = Server()
    run = Run(folder, f'source r: {{ line: string }} = websocket(connect: "{server.url}", format: lines)\nemit r to file("out.jsonl")')
    until(lambda: server.peers and server.peers[-1].hello.is_set(), "it does not connect")
    server.peers[0].send(b"one", b"two\nthree", "ünï".encode())
    until_rows(run, folder / "out.jsonl", 4)
    must([row["line"] for row in rows(folder / "out.jsonl")] == ["one", "two", "three", "ünï"], "lines")
    run.stop()


def sink(server, count, rate="", more=""):
    return f'source r: {{ id: int }} = generate(count: {count}, seed: 1{rate}) {{ id = n }}\nemit r to websocket(connect: "{server.url}"{more})'


def rows_arrive(folder):
    server = Server()
    begin_s = time.monotonic()
    said = Run(folder, sink(server, 100_000)).end()
    took = time.monotonic() - begin_s
    must([json.loads(text)["id"] for text in server.texts] == list(range(100_000)), lambda: f"{len(server.texts)} rows: {said}")
    must(not server.wrong, f"{server.wrong}")
    if os.environ.get("MUT_TIMES"):
        print(f"    {100_000 / took:,.0f} rows/s to a server in Python")


def sent_again(folder):
    """At least once, in order of their first coming, over a server that ends, stands still and comes back, while the script is edited."""
    server = Server()
    count, step = 6000, 400
    edits = [(sink(server, count, ", rate: 2000.0").replace("emit r", f"stream s = r | with v = {v}\nemit s") + " as out", v * step) for v in range(1, count // step)]
    run = Run(folder, sink(server, count, ", rate: 2000.0") + " as out", edits=edits)
    for _ in range(3):
        had = len(server.texts)
        until(lambda: len(server.texts) > had + 200, lambda: f"{len(server.texts)}: {run.said()}")
        server.stop()
        time.sleep(0.1)
        server.start()
    server.gate.clear()
    time.sleep(0.5)
    server.gate.set()
    run.end()
    got = [json.loads(text) for text in server.texts]
    first = list(dict.fromkeys(row["id"] for row in got))
    must(first == list(range(count)), f"{len(first)} of {count} rows, or out of order")
    must(all(row.get("v", 0) == row["id"] // step for row in got), "rows of another version")


def silent(folder):
    """A server that answers no ping takes nothing: the run says so, and ends when `give_up` is over."""
    server = Server()
    server.answers_pings = False
    said = Run(folder, sink(server, 10, more=", give_up: 1s")).end(3)
    must("does not answer" in said and "not known to have arrived" in said, said)


def judge():
    case("source messages", messages)
    case("source with the answer", with_the_answer)
    case("source comes back", comes_back)
    case("source breaks the protocol", breaks_protocol)
    case("refused", refused)
    case("source held up", held_up)
    case("source lines", lines)
    case("sink rows", rows_arrive)
    case("sink sent again", sent_again)
    case("sink silent", silent)
