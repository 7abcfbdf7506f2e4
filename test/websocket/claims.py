"""What is claimed of `websocket`."""
import json
import os
import time

import certificates
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


def encrypted(folder):
    """`wss://` with a token, both ways, over a server that ends and comes again; a wrong one is never spoken to."""
    server, to = (Server(certificates.listening(clients="ca")) for _ in range(2))
    (folder / "token").write_text("t0ken-CANARY\n")
    own = f', {certificates.trusts()}, {certificates.files("client")}, token: secret_file("token")'
    text = SOURCE.format(url=server.url, more=own) + f'\nemit r to websocket(connect: "{to.url}"{own}) as o'
    run = Run(folder, text, edits=[(text.replace("emit r to file", "stream s = r | with v = 2\nemit s to file"), 30)])
    until(lambda: server.peers and server.peers[-1].hello.is_set(), lambda: f"it does not connect: {run.said()}")
    for turn in range(4):
        until(lambda: server.peers[-1].hello.is_set() and not server.peers[-1].closed.is_set(), "it does not connect again")
        server.peers[-1].send(*[message(turn * 10 + i, "x" * 70_000) for i in range(10)])
        until_rows(run, folder / "out.jsonl", 10 * turn + 10)
        if turn == 1:
            count = len(server.peers)
            server.stop()
            to.stop()
            server.tls = certificates.listening("stranger")
            server.start()
            until(lambda: len(server.peers) > count and server.peers[count].hello.is_set(), "it does not try again")
            must(all("GET" not in peer.head for peer in server.peers[count:]), "a wrong server was spoken to")
            server.tls = to.tls
            to.start()
            until(lambda: server.peers[-1].head, "it does not connect again")
    until(lambda: len({json.loads(text)["id"] for text in to.texts}) == 40, lambda: f"{len(to.texts)}: {run.said()}")
    said = run.stop()
    must("CANARY" not in said, said)
    must([(row["id"], row.get("v")) for row in rows(folder / "out.jsonl")] == [(n, None if n < 30 else 2) for n in range(40)], "rows")
    for one in (server, to):
        heads = [peer.head for peer in one.peers if peer.head]
        must(heads and all("Authorization: Bearer t0ken-CANARY\r\n" in head + "\r\n" for head in heads), f"{heads}")


def who_is_not_known_is_told(folder):
    for text, words in ((', ca: "{ca}"', "hostname mismatch"), (', ca: "{stranger_ca}"', "nobody who is trusted"), ("", "nobody who is trusted")):
        server = Server(certificates.listening("other"))
        at = certificates.folder()
        more = text.format(ca=at / "ca.pem", stranger_ca=at / "stranger_ca.pem")
        said = Run(folder, SOURCE.format(url=server.url.replace("127.0.0.1", "localhost"), more=more)).end(3)
        must(words in said, said)
        server.stop()
    server = Server()
    server.answer = b"HTTP/1.1 401 Unauthorized\r\n\r\n"
    (folder / "token").write_text("t0ken-CANARY")
    said = Run(folder, SOURCE.format(url=server.url, more=', token: secret_file("token")')).end(3)
    must("another one is known there" in said and "CANARY" not in said, said)


def judge():
    case("encrypted", encrypted)
    case("who is not known is told", who_is_not_known_is_told)
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
