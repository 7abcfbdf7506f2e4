"""What is claimed of `websocket(listen: …)`."""
import json
import os
import time

import certificates
import harness
from client import Client, masked, read_head, request
from harness import Run, case, must, rows, until, until_rows
from server import BINARY, CLOSE, PING, TEXT
from texts import generated

SOURCE = """source r: {{ id: int, text: string? }} = websocket(listen: "{at}"{more})
emit r to {sink} as o
emit r.errors to file("bad.jsonl")"""


def listening(folder, at="127.0.0.1:0/feed", more="", sink='file("out.jsonl")', *args, **rest):
    run = Run(folder, SOURCE.format(at=at, more=more, sink=sink), *args, **rest)
    return run, run.address("source `r`")


def message(number, text=""):
    return json.dumps({"id": number, "text": text}).encode()


def ids(folder):
    return [row["id"] for row in rows(folder / "out.jsonl")]


def messages(folder):
    """Of all sizes, in fragments with a ping between, several records in one, in pieces of any size, and what cannot be decoded."""
    run, at = listening(folder)
    peer = Client(at)
    sizes = [0, 90, 200, 65_000, 70_000, 2_000_000]
    peer.send(*[message(number, "x" * size) for number, size in enumerate(sizes)])
    whole = message(6)
    peer.conn.sendall(masked(whole[:3], TEXT, last=False) + masked(b"are you there", PING) + masked(whole[3:5], 0, last=False) + masked(whole[5:], 0))
    for byte in masked(message(7) + b"\n" + message(8)) + masked(b"{") + masked(b"") + masked(message(9), BINARY):
        peer.conn.sendall(bytes([byte]))
    until_rows(run, folder / "out.jsonl", 10)
    until(lambda: len(rows(folder / "bad.jsonl")) == 2, lambda: f"{rows(folder / 'bad.jsonl')}")
    must(ids(folder) == list(range(10)), f"{ids(folder)}")
    must([len(row["text"]) for row in rows(folder / "out.jsonl")][:6] == sizes, "texts are cut")
    until(lambda: peer.pongs == [b"are you there"], lambda: f"{peer.pongs}")
    other = Client(at)
    must(other.leave() == (1000, ""), f"{other.closed}")
    run.stop()
    must(peer.end() == (1001, "the program takes no more") and not peer.wrong, f"{peer.closed} {peer.wrong}")


def several_clients(folder):
    run, at = listening(folder)
    peers = [Client(at) for _ in range(20)]
    for n in range(50):
        for index, peer in enumerate(peers):
            peer.send(message(index * 1000 + n))
    until_rows(run, folder / "out.jsonl", 1000)
    run.stop()
    for index in range(20):
        must([n % 1000 for n in ids(folder) if n // 1000 == index] == list(range(50)), f"of client {index}")


def who_is_refused(folder):
    (folder / "token").write_text("t0ken-CANARY\n")
    run, at = listening(folder, more=', token: secret_file("token")')
    knows = {"Authorization": "Bearer t0ken-CANARY"}
    for wanted, path, fields in (
        (101, "/feed", knows), (101, "/feed?x=1", knows), (101, "/feed", {**knows, "Origin": "http://127.0.0.1:3000"}), (401, "/feed", {}), (401, "/feed", {"Authorization": "Bearer t0ken"}),
        (401, "/nothing", {}), (404, "/nothing", knows), (404, "/feed/", knows), (403, "/feed", {**knows, "Origin": "https://evil.example"}), (403, "/feed", {**knows, "Origin": "null"}),
        (421, "/feed", {**knows, "Host": "evil.example"}), (426, "/feed", {**knows, "Upgrade": None}), (426, "/feed", {**knows, "Connection": "close"}),
        (426, "/feed", {**knows, "Sec_WebSocket_Version": "8"}), (426, "/feed", {**knows, "Sec_WebSocket_Version": None}), (400, "/feed", {**knows, "Sec_WebSocket_Key": "short"}),
        (400, "/feed", {**knows, "Sec_WebSocket_Key": None}), (413, "/feed", {**knows, "Content_Length": "5"}), (431, "/feed", {**knows, "X": "x" * 9000}),
    ):
        peer = Client(at, reads=False, path=path, **fields)
        must(peer.status == wanted and "CANARY" not in peer.head, f"{path} {fields}: {peer.head} where {wanted} is wanted")
        must(wanted != 426 or "Sec-WebSocket-Version: 13" in peer.head, peer.head)
        peer.conn.close()
    for data, wanted in ((request(**knows).replace(b"GET", b"POST"), 405), (b"hello\r\n\r\n", 400), (request(**knows) + masked(message(1)), 400)):
        conn = harness.connect(at)
        conn.sendall(data)
        must(read_head(conn)[0] == wanted, f"{data}")
        conn.close()
    run.process.poll()
    said = run.stop()
    must("a connection was refused" in said and "CANARY" not in said, said)
    must(ids(folder) == [], "rows of who was refused")


def who_breaks_the_protocol(folder):
    """Its connection ends, with a reason; others and what it had sent before are not touched."""
    run, at = listening(folder)
    good = Client(at)
    for number, (wrong, code, words) in enumerate((
        (b"\x81\x01x", 1002, "not masked"), (masked(b"x", 0xC1 & 0x4F | 0x40), 1002, "nobody agreed"), (masked(b"x", 3), 1002, "no known kind"), (masked(b"x", 0), 1002, "no message"),
        (b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 1002, "longer than 16 MiB"), (masked(b"x" * 126, PING), 1002, "too long"),
    )):
        peer = Client(at)
        peer.conn.sendall(masked(message(number)) + wrong)
        closed = peer.end()
        must(closed and closed[0] == code and words in closed[1], f"{wrong[:20]}: {closed}")
    cut = Client(at)
    cut.conn.sendall(masked(message(99))[:-3])
    harness.reset(cut.conn)
    good.send(message(6))
    until_rows(run, folder / "out.jsonl", 7)
    must(sorted(ids(folder)) == list(range(7)), f"{ids(folder)}")
    run.stop()


def who_is_silent_takes_no_place(folder):
    run, at = listening(folder)
    peers = [harness.connect(at) for _ in range(100)]
    for peer in peers[::2]:
        peer.sendall(b"GET /feed HTTP/1.1\r\n")
    begin = time.monotonic()
    good = Client(at)
    good.send(message(1))
    until_rows(run, folder / "out.jsonl", 1)
    must(time.monotonic() - begin < 3, "the others made it wait")
    run.stop()
    for peer in peers:
        peer.close()


def held_up(folder):
    """A sink that stands still holds up who sends; memory stays bounded, also of messages that do not end."""
    run, at = listening(folder, sink="stdout()", stdout=-1)
    peer = Client(at)
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

    (folder / "long").mkdir()
    run, at = listening(folder / "long")
    peers = [Client(at) for _ in range(12)]
    block = b"x" * (1 << 20)
    for peer in peers:
        try:
            peer.conn.sendall(masked(b"{", TEXT, last=False))
            for _ in range(10):
                peer.conn.sendall(masked(block, 0, last=False))
        except OSError:
            pass
    until(lambda: sum(peer.closed is not None and peer.closed[0] == 1009 for peer in peers) >= 5, lambda: f"{[peer.closed for peer in peers]}")
    good = Client(at)
    good.send(message(1))
    until_rows(run, folder / "long/out.jsonl", 1)
    peak = run.peak_mb()
    must(peak < 300, f"{peak} MB")
    run.stop()


def edits_leave_connections(folder):
    """An edit leaves connections and the port; one of another address is opened before the cut."""
    texts = [SOURCE.format(at=f"127.0.0.{1 + (v > 2)}:0/feed", more="", sink='file("out.jsonl")').replace("emit r to", f"stream s = r | with v = {v}\nemit s to", 1) for v in (1, 2, 3)]
    run = Run(folder, texts[0], "--batch", "16", edits=[(texts[1], 300), (texts[2], 700)])
    at = run.address("source `r`")
    peer = Client(at)
    peer.send(*[message(n) for n in range(700)])
    second = run.address("source `r`", 2)
    must(second[0] == "127.0.0.2", f"{second}")
    must(peer.end()[0] == 1001, f"{peer.closed}")
    peer = Client(second)
    peer.send(*[message(n) for n in range(700, 1000)])
    until_rows(run, folder / "out.jsonl", 1000)
    run.stop()
    must([(row["id"], row["v"]) for row in rows(folder / "out.jsonl")] == [(n, 1 + (n >= 300) + (n >= 700)) for n in range(1000)], "rows")


def emitting(at="127.0.0.1:0/feed", more=""):
    return f'websocket(listen: "{at}"{more})'


def numbers(texts):
    return [json.loads(text)["n"] for text in texts]


def rows_go_to_all(folder):
    """Rows wait for the first; who comes later gets those from its coming on; one that goes changes nothing for the others."""
    run = Run(folder, generated(40_000, rate=20_000, sink=emitting()))
    at = run.address("sink `o`")
    first = Client(at)
    until(lambda: len(first.texts) > 1000, "no rows come")
    second, third = Client(at), Client(at)
    must(third.leave() == (1000, ""), f"{third.closed}")
    third = Client(at)
    harness.reset(third.conn)
    first.conn.sendall(masked(b"what is this") + masked(b"hello", PING))
    run.end()
    must(first.end() == (1000, "") and second.end() == (1000, ""), f"{first.closed} {second.closed}")
    must(numbers(first.texts) == list(range(40_000)), f"{len(first.texts)} rows")
    got = numbers(second.texts)
    must(got[0] > 1000 and got == list(range(got[0], 40_000)), f"{got[:1]} to {got[-1:]}, {len(got)} rows")
    must(first.pongs == [b"hello"] and not first.wrong + second.wrong, f"{first.pongs} {first.wrong}")


def a_reader_that_is_slow(folder):
    """Holds up the run; memory stays bounded; it gets all, while the script is edited."""
    count = 200_000
    text = generated(count, sink=emitting(), more=f', more = "{"x" * 300}"')
    run = Run(folder, text, edits=[(text.replace("v = 1", "v = 2"), 150_000)])
    peer = Client(run.address("sink `o`"), reads=False)
    time.sleep(1)
    peak = run.peak_mb()
    must(peak < 150, f"{peak} MB")
    peer.start()
    run.end()
    must(peer.end() == (1000, ""), f"{peer.closed}")
    must([(row["n"], row["v"]) for row in map(json.loads, peer.texts)] == [(n, 1 + (n >= 150_000)) for n in range(count)], f"{len(peer.texts)} rows")


def encrypted_for_others(folder):
    """`wss://` on all addresses, with a token: both sides of one program, and one run that feeds another."""
    (folder / "token").write_text("t0ken-CANARY")
    own = f', {certificates.files("server")}, token: secret_file("token")'
    text = SOURCE.format(at="wss://0.0.0.0:0/in", more=own, sink='file("out.jsonl")') + f'\nemit r to {emitting("wss://0.0.0.0:0/out", own)} as s'
    run = Run(folder, text)
    to, back = run.address("source `r`"), run.address("sink `s`")
    knows = {"Authorization": "Bearer t0ken-CANARY", "Host": "shop.example"}
    bad = [harness.connect(("localhost", to[1])) for _ in range(80)]
    for peer in bad[::2]:
        peer.sendall(request(**knows))
    must(Client(("localhost", to[1]), certificates.connecting(), reads=False, path="/in").status == 401, "without a token")
    must(Client(("localhost", to[1]), certificates.connecting(), reads=False, path="/in", Origin="https://evil.example", **knows).status == 403, "a page of another site")
    sends = Client(("localhost", to[1]), certificates.connecting(), path="/in", **knows)
    hears = Client(("localhost", back[1]), certificates.connecting(), path="/out", **knows)
    must((sends.status, hears.status) == (101, 101), f"{sends.head} {hears.head}")
    (folder / "next").mkdir()
    (folder / "next/token").write_text("t0ken-CANARY")
    other = Run(folder / "next", f"""source r: {{ id: int, text: string? }} = websocket(connect: "wss://localhost:{back[1]}/out", {certificates.trusts()}, token: secret_file("token"))
emit r to file("out.jsonl")""")
    time.sleep(0.5)  # so that it is connected
    sends.send(*[message(n, "x" * 50_000) for n in range(100)])
    until_rows(run, folder / "out.jsonl", 100)
    until(lambda: len(hears.texts) == 100, lambda: f"{len(hears.texts)} rows")
    until_rows(other, folder / "next/out.jsonl", 100)
    must(ids(folder / "next") == list(range(100)), "rows")
    said = other.stop() + run.stop()
    must("CANARY" not in said, said)
    must(sends.end()[0] == 1001 and hears.end()[0] == 1000, f"{sends.closed} {hears.closed}")
    for peer in bad:
        peer.close()


def what_is_wrong_is_refused(folder):
    for connector, words in (('websocket(listen: "0.0.0.0:1/in")', "only this machine is served"), ('websocket(listen: "wss://127.0.0.1:1/in")', "`cert` and `cert_key`"),
                             ('websocket(listen: "127.0.0.1:1/in", hello: "x")', "it is of who connects"), ('websocket(listen: "127.0.0.1:1/in", connect: "ws://h/")', "not both"),
                             ('websocket(listen: "http://h/")', "host:port/path"), ("websocket()", "`listen: ")):
        said = Run(folder, generated(1, sink=connector)).end(1)
        must(words in said, f"{connector}: {said}")
    with harness.listen() as taken:
        at = "127.0.0.1:%d/feed" % taken.getsockname()[1]
        for text in (SOURCE.format(at=at, more="", sink='file("out.jsonl")'), generated(1, sink=emitting(at))):
            must("another program listens there" in Run(folder, text).end(3), "a port that is taken")
    text = SOURCE.format(at="127.0.0.1:9001/feed", more="", sink='websocket(connect: "ws://127.0.0.1:9001/feed")')
    must("where source `r` listens" in Run(folder, text).end(3), "it feeds itself")


def judge():
    for claim in (messages, several_clients, who_is_refused, who_breaks_the_protocol, who_is_silent_takes_no_place, held_up, edits_leave_connections, rows_go_to_all,
                  a_reader_that_is_slow, encrypted_for_others, what_is_wrong_is_refused):
        case("listening: " + claim.__name__.replace("_", " "), claim)
