"""Whatever clients send or leave unsent, the others are answered and rows run on."""
import random
import socket
import threading
import time

from harness import LIMIT, case, must, rows, until, until_rows
from pages import Served, read_all, read_plain
from texts import must_be

COUNT = 30_000
SCRIPT = f"""source r: {{ n: int, at: time }} = generate(count: {COUNT}, seed: 1, rate: 15000) {{ n = n }} time at
emit r to file("out.jsonl") as o
"""
WAITS = 'source r: { n: int } = tcp(listen: "127.0.0.1:0")\nemit r to file("out.jsonl")\n'
HOST = b"Host: localhost\r\n"


def status(reply):
    must(reply.startswith(b"HTTP/1.1 "), reply[:200])
    return int(reply.split(b" ", 2)[1])


def wrong_requests_are_told(folder):
    run = Served(folder, WAITS)
    get = b"GET /livez HTTP/1.1\r\n" + HOST
    long = 8 * 1024
    fits = get + b"X: " + b"x" * (long - len(get) - 7) + b"\r\n\r\n"
    must_be(len(fits), long)
    for data, wanted in (
        (get + b"\r\n", 200),
        (b"GET /livez?a=b HTTP/1.1\r\n" + HOST + b"\r\n", 200),
        (b"GET /livez HTTP/1.0\r\n" + HOST + b"\r\n", 200),
        (fits, 200),
        (get + b"X: " + b"x" * (long - len(get) - 6) + b"\r\n\r\n", 431),
        (b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 431),
        (b"GET /nothing HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (b"GET /livez/ HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (b"POST /metrics HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n", 405),
        (b"PUT /livez HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabc", 413),
        (get + b"Content-Length: 99999999999\r\n\r\n", 413),
        (get + b"Content-Length: 18446744073709551616\r\n\r\n", 400),
        (get + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (get + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n", 400),
        (get + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 413),
        (b"GET /livez HTTP/1.1\r\n\r\n", 421),
        (b"GET /metrics HTTP/1.1\r\nHost: evil.example:9464\r\n\r\n", 421),
        (b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n\r\n", 421),
        (b"GET /metrics HTTP/1.1\r\nHost: [::1]:9464\r\n\r\n", 200),
        (get + b"Origin: https://evil.example\r\n\r\n", 403),
        (get + b"Origin: null\r\n\r\n", 403),
        (get + b"Origin: http://127.0.0.1:3000\r\n\r\n", 200),
        (b"GET /livez HTTP/2.0\r\n" + HOST + b"\r\n", 505),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(600), 400),
        (b"hello\r\n\r\n", 400),
        (b"\r\n\r\n", 400),
        (b"GET /livez HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
        (b"GET /livez HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n\r\n", 400),
        (b"GET /li\nvez HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    ):
        reply = run.raw(data)
        must(status(reply) == wanted, f"{data[:80]!r}: {reply[:100]!r} where {wanted} is wanted")
        must(b"\r\n\r\n" in reply and b"X-Content-Type-Options: nosniff" in reply, reply[:300])
    for path in ("/metrics", "/livez"):
        reply = run.raw(b"HEAD %s HTTP/1.1\r\n" % path.encode() + HOST + b"\r\n")
        head, body = reply.split(b"\r\n\r\n", 1)
        must(status(reply) == 200 and body == b"" and b"Content-Length: 0" not in head, reply[:300])
    must_be(run.raw(b""), b"", "to nothing")
    must_be(run.raw(b"GET /livez HTT"), b"", "to a part")
    must(b"Allow: GET, HEAD" in run.raw(b"DELETE /livez HTTP/1.1\r\n" + HOST + b"\r\n"), "Allow")
    must_be(run.says("/livez"), (200, "ok"))
    run.stop()


def requests_of_one_connection(folder):
    run = Served(folder, WAITS)
    one = b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n"
    none = b"GET /none HTTP/1.1\r\n" + HOST + b"\r\n"
    last = b"GET /livez HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    reply = run.raw(one * 20 + none + one + last + one)
    statuses = [int(part[:3]) for part in reply.split(b"HTTP/1.1 ")[1:]]
    must_be(statuses, [200] * 20 + [404] + [200] * 2, "the answers, in order")
    # In pieces of a byte.
    with socket.create_connection(run.at, timeout=LIMIT) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in last:
            peer.sendall(bytes([byte]))
        must(status(read_all(peer)) == 200, "in pieces")
    run.stop()


def who_is_silent_takes_no_place(folder):
    run = Served(folder, WAITS)
    silent = [socket.create_connection(run.at, timeout=LIMIT) for _ in range(200)]
    for peer in silent[::2]:
        peer.sendall(b"GET /livez HTTP/1.1\r\n")
    begin = time.monotonic()
    for _ in range(5):
        must_be(run.says("/livez"), (200, "ok"))
    must(time.monotonic() - begin < 2, "the others made it wait")
    for peer in silent:
        peer.close()
    run.stop()


def slow_requests_end(folder):
    run = Served(folder, WAITS)
    begin = time.monotonic()
    with socket.create_connection(run.at, timeout=LIMIT) as peer:
        reply = b""
        peer.settimeout(0.2)
        for byte in b"GET /livez HTTP/1.1\r\nX: " + b"y" * 1000:
            try:
                peer.sendall(bytes([byte]))
                piece = peer.recv(1000)
                reply += piece
                if not piece:
                    break
            except TimeoutError:
                pass
            except OSError:
                break
    must(status(reply) == 408 and 4 < time.monotonic() - begin < 15, f"{time.monotonic() - begin:.1f} s: {reply!r}")
    run.stop()


def rows_run_on(folder):
    """Clients of all kinds at once, while every row comes."""
    run = Served(folder, SCRIPT)
    over = threading.Event()
    wrong = []

    def misbehave(seed):
        draw = random.Random(seed)
        while not over.is_set():
            try:
                with socket.create_connection(run.at, timeout=LIMIT) as peer:
                    kind = draw.randrange(4)
                    if kind == 0:
                        peer.sendall(draw.randbytes(draw.randrange(1, 3000)))
                    elif kind == 1:
                        peer.sendall(b"GET /metrics HTTP/1.1\r\n" + HOST + b"\r\n" * draw.randrange(3))
                    elif kind == 2:
                        peer.sendall((b"GET /metrics HTTP/1.1\r\n" + HOST + b"\r\n") * 500)  # reads nothing of it
                    else:
                        peer.sendall(b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n")
                        peer.recv(10)
            except OSError:
                pass

    def ask():
        last = 0
        while not over.is_set():
            try:
                text = run.ask("/metrics")[2]
                now = read_plain(text).get('mutstream_records_in_total{source="r"}', last)
                if now < last:
                    wrong.append(f"{now} behind {last}")
                last = now
            except OSError:
                pass  # its place went to another, or the run has ended
    threads = [threading.Thread(target=misbehave, args=[seed]) for seed in range(4)] + [threading.Thread(target=ask)]
    for thread in threads:
        thread.start()
    try:
        until(lambda: run.process.poll() is not None, lambda: f"{len(rows(folder / 'out.jsonl'))} of {COUNT} rows: {run.said()}")
    finally:
        over.set()
        for thread in threads:
            thread.join()
    run.end()
    must(not wrong, wrong)
    must_be([row["n"] for row in rows(folder / "out.jsonl")], list(range(COUNT)))


def memory_stays(folder):
    run = Served(folder, WAITS)
    run.says("/livez")
    before = run.peak_mb()
    peers = []
    for _ in range(100):
        peer = socket.create_connection(run.at, timeout=LIMIT)
        peer.setblocking(False)
        try:
            for _ in range(50):
                peer.send(b"GET /metrics HTTP/1.1\r\n" + HOST + b"\r\n" * 1 + b"x" * 20_000)
        except OSError:
            pass
        peers.append(peer)
    until(lambda: run.says("/livez") == (200, "ok"), "/livez")
    after = run.peak_mb()
    must(after < before + 30, f"{before} MB, then {after}")
    for peer in peers:
        peer.close()
    run.stop()


def judge():
    case("wrong requests are told what is wrong", wrong_requests_are_told)
    case("requests of one connection are answered in order", requests_of_one_connection)
    case("who is silent takes nobody's place", who_is_silent_takes_no_place)
    case("slow requests end", slow_requests_end)
    case("rows run on, whatever clients do", rows_run_on)
    case("memory stays bounded", memory_stays)
