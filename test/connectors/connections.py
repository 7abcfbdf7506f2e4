"""What only connections do: break, come back, are many, and meet edits."""
import json
import random
import re
import subprocess
import threading
import time

from harness import LIMIT, ROOT, Receiver, Run, case, connect, listen, must, reset, rows, until, until_rows
from sinks import TcpConnectOut, opened
from texts import COUNT, MEMORY_MB, generated, must_be, must_print, numbers, numbers_of, script


def a_sink_connects_again(folder):
    """Whoever reads breaks off and comes back: every row is there, in order on each connection, and little is said."""
    out = TcpConnectOut(folder)
    run = Run(folder, generated(20_000, rate=10_000, sink=out.sink))
    got = []
    for turn in range(4):
        out.open(run)
        read = b""
        while turn < 3 and read.count(b"\n") < 1000:
            piece = out.peer.recv(4096)
            must(piece, "it closed the connection")
            read += piece
        if turn < 3:
            reset(out.peer)
        else:
            out.take()
            run.end()
            read = out.end()
        got.append([json.loads(line)["n"] for line in read.split(b"\n")[:-1]])
    for part in got:
        must_be(part, list(range(part[0], part[0] + len(part))), "rows of a connection")
    # What a reader that broke off had been sent and not read is its own loss: its machine had confirmed it.
    said = run.said()
    must(said.count("connection was lost") == 1 and said.count("is connected to") == 1, f"said too much: {said}")
    must(got[-1][-1] == 19_999, "the last row is missing")


def a_sink_loses_nothing_to_a_restart(folder):
    """Whoever reads ends, having read all that came, and is away for a while: the rows of that while are there, each once."""
    out = TcpConnectOut(folder, "csv")
    port = out.listener.getsockname()[1]
    run = Run(folder, script('tcp(listen: "127.0.0.1:0")', out.sink))
    client = connect(run.address("source `r`"))
    for turn in range(3):
        client.sendall(b"".join(b'{"n":%d}\n' % n for n in range(turn * 100, turn * 100 + 100)))
        if turn > 0:
            run.until_said("Connection refused; nobody listens there")
            out.listener = listen(port=port)
        out.open(run)
        wanted = b"n,v\n" + b"".join(b"%d,1\n" % n for n in range(turn * 100, turn * 100 + 100))
        got = b""
        while len(got) < len(wanted):
            piece = out.peer.recv(65536)
            must(piece, f"it closed the connection: {run.said()}")
            got += piece
        must_be(got, wanted, "bytes")
        out.listener.close()
        out.peer.close()
    said = run.stop()
    must(said.count("connection was lost") == 1, f"said too much: {said}")


def attempts_are_few(folder):
    """Whoever listens closes each connection at once: after the first few at most one a second."""
    listener = listen()
    host, port = listener.getsockname()
    run = Run(folder, generated(rate=100, sink=f'tcp(connect: "{host}:{port}")'))
    first = listener.accept()[0]
    first.recv(1)  # it has begun: what it meets now is no start
    reset(first)
    times = []
    begin = time.monotonic()
    while time.monotonic() - begin < 12:
        peer = listener.accept()[0]
        times.append(time.monotonic() - begin)
        reset(peer)
    # Five at most in the first seconds, and one a second.
    must(3 <= len(times) <= 5 + 12, f"{len(times)} attempts in 12 s")
    must(run.said().count("\n") < 12, f"said too much: {run.said()}")
    listener.settimeout(LIMIT)
    peer = listener.accept()[0]
    receiver = Receiver(peer)
    run.stop()
    receiver.end()


def a_sink_gives_up(folder):
    listener = listen()
    host, port = listener.getsockname()
    run = Run(folder, generated(rate=1000, sink=f'tcp(connect: "{host}:{port}", give_up: 2s)'))
    peer = listener.accept()[0]
    peer.recv(1000)
    listener.close()
    reset(peer)
    said = run.end(3)
    must(re.search(r"sink `o`: .*no connection for 2 s .*refused.*\d+ bytes of rows were not sent", said), said)


def a_stop_does_not_wait_for_ever(folder):
    """Who reads nothing any more holds up the end for ten seconds, and what was not sent is told."""
    out = TcpConnectOut(folder)
    run = Run(folder, generated(sink=out.sink, rate=200_000, more=f', more = "{"x" * 500}"'))
    out.open(run)
    begin = time.monotonic()
    until(lambda: time.monotonic() - begin > 3, "")  # what fits is full by then, or a little later
    run.interrupt()
    begin = time.monotonic()
    said = run.end(3)
    must(time.monotonic() - begin < 9 + LIMIT / 2, "it waited for too long")
    must(re.search(r"takes nothing; \d+ bytes of rows are not known to have arrived", said), said)


def several_clients_do_not_mix(folder):
    """Clients that send pieces of records in turn: each of their records is whole, in order for each."""
    script_text = 'source r: { who: int, n: int } = tcp(listen: "127.0.0.1:0")\n' \
                  'emit r to file("out.jsonl") as o\nemit r.errors to file("errors.jsonl")\n'
    run = Run(folder, script_text)
    address = run.address("source `r`")
    draw = random.Random(1)
    clients = []
    for who in range(20):
        text = b"".join(b'{"who":%d,"n":%d}\n' % (who, n) for n in range(300))
        clients.append([connect(address), text[:-1]])  # the last without a line end
    while left := [client for client in clients if client[1]]:
        client = draw.choice(left)
        size = draw.randrange(1, 200)
        client[0].sendall(client[1][:size])
        client[1] = client[1][size:]
        if not client[1]:
            client[0].close()
    until_rows(run, folder / "out.jsonl", 20 * 300)
    run.stop()
    found = rows(folder / "out.jsonl")
    for who in range(20):
        must_be([row["n"] for row in found if row["who"] == who], list(range(300)), f"rows of client {who}")
    must_be(rows(folder / "errors.jsonl"), [], "errors")


def one_client_fails_alone(folder):
    """A client whose header does not fit is closed, with an event error; the others go on."""
    run = Run(folder, script('tcp(listen: "127.0.0.1:0", format: csv)'))
    address = run.address("source `r`")
    good, bad = connect(address), connect(address)
    good.sendall(b"n,pad\n1,x\n")
    until_rows(run, folder / "out.jsonl", 1)
    bad.sendall(b"other,pad\n7,x\n")
    must(bad.recv(10) == b"", "the client that does not fit was not closed")
    good.sendall(b"2,x\n")
    until_rows(run, folder / "out.jsonl", 2)
    run.stop()
    errors = rows(folder / "errors.jsonl")
    must(len(errors) == 1 and "no column `n` in the header" in errors[0]["message"], f"errors: {errors}")


def one_more_than_fit_waits(folder):
    """The 257th client is not turned away: it is read when another has gone."""
    run = Run(folder, script('tcp(listen: "127.0.0.1:0")'))
    address = run.address("source `r`")
    clients = []
    for n in range(257):
        clients.append(connect(address))
        clients[-1].sendall(b'{"n":%d}\n' % n)
    until_rows(run, folder / "out.jsonl", 256)
    must(256 not in numbers(rows(folder / "out.jsonl")), "257 clients are read at once")
    clients[0].close()
    until_rows(run, folder / "out.jsonl", 257)
    run.stop()
    must_be(sorted(numbers(rows(folder / "out.jsonl"))), list(range(257)))


def many_unfinished_records(folder):
    """Clients that send records without an end: the memory stays bounded, each that is given up is told, and others go on."""
    run = Run(folder, script('tcp(listen: "127.0.0.1:0")'))
    address = run.address("source `r`")
    clients = [connect(address) for _ in range(12)]
    block = b"x" * (1 << 20)

    def send(client):
        try:
            client.sendall(b'{"n":1,"pad":"')
            for _ in range(12):
                client.sendall(block)
        except OSError:
            pass  # given up

    senders = [threading.Thread(target=send, args=(client,), daemon=True) for client in clients]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(LIMIT)
    until(lambda: len(rows(folder / "errors.jsonl")) >= 5, lambda: f"few were given up: {rows(folder / 'errors.jsonl')}"[:900])
    other = connect(address)
    other.sendall(b'{"n":5}\n')
    until_rows(run, folder / "out.jsonl", 1)
    peak = run.peak_mb()
    must(peak < 2 * MEMORY_MB, f"{peak:.0f} MB")
    run.stop()


def a_server_gives_to_all(folder):
    """Rows wait for the first client; a second gets those from its coming on; one that goes changes nothing for the other."""
    run = Run(folder, generated(100_000, rate=20_000, sink='tcp(listen: "127.0.0.1:0", format: csv)'))
    address = run.address("sink `o`")
    first = Receiver(connect(address))
    until(lambda: len(first.lines()) > 2000, "no rows came")
    second = Receiver(connect(address))
    third_peer = connect(address)
    until(lambda: len(second.lines()) > 2000, "no rows came to the second")
    third_peer.recv(100)
    reset(third_peer)
    run.end()
    one, two = first.end().splitlines(), second.end().splitlines()
    for lines in (one, two):
        must(lines[0] == b"n,v,pad", f"no header: {lines[0]!r}")
    must_be([int(line.split(b",")[0]) for line in one[1:]], list(range(100_000)))
    begin = int(two[1].split(b",")[0])
    must(begin > 2000, "the second got what came before it")
    must_be([int(line.split(b",")[0]) for line in two[1:]], list(range(begin, 100_000)))


def an_edit_moves_connections(folder):
    """A sink and a source of another address: opened before the cut, each row where the cut says; the other sink stays."""
    a, b, kept = listen(), listen(), listen()

    def text(source, sink, version):
        host, port = sink.getsockname()
        keeps = "{}:{}".format(*kept.getsockname())
        return script(f'tcp(listen: "{source}:0")', f'tcp(connect: "{host}:{port}")', version) + \
            f'emit r to tcp(connect: "{keeps}") as kept\n'

    run = Run(folder, text("127.0.0.1", a, 1), "--batch", "64", edits=[(text("127.0.0.2", b, 2), 500)])
    first = Receiver(a.accept()[0])
    stays = Receiver(kept.accept()[0])
    second = Receiver(b.accept()[0])
    client = connect(run.address("source `r`"))
    client.sendall(b"".join(b'{"n":%d}\n' % n for n in range(500)))
    # The next edit is in effect: the port of the new version is open, the old connections are closed.
    address = run.address("source `r`", 2)
    must(address[0] == "127.0.0.2", f"it listens on {address}")
    must(client.recv(10) == b"", "the old connection was not closed")
    client = connect(address)
    client.sendall(b"".join(b'{"n":%d}\n' % n for n in range(500, 1000)))
    until(lambda: len(second.lines()) >= 500, lambda: f"rows are missing: {run.said()}")
    run.stop()
    must_be(numbers_of(first.end()), list(range(500)))
    must_be(numbers_of(second.end()), list(range(500, 1000)))
    must_be(numbers_of(stays.end()), list(range(1000)), "rows of the sink that was not edited")


def what_had_come_is_not_lost(folder):
    """An edit of the address in the middle of what a client has sent: its records that had come are run by the new version."""
    count = 4000
    run = Run(folder, script('tcp(listen: "127.0.0.1:0")'), "--batch", "16",
              edits=[(script('tcp(listen: "127.0.0.2:0")', version=2), 1000)])
    client = connect(run.address("source `r`"))
    client.sendall(b"".join(b'{"n":%d}\n' % n for n in range(count)))
    run.address("source `r`", 2)
    other = connect(run.address("source `r`", 2))
    other.sendall(b'{"n":-1}\n')
    until(lambda: {"n": -1, "v": 2} in rows(folder / "out.jsonl"), "the new address gives nothing")
    run.stop()
    got = rows(folder / "out.jsonl")[:-1]
    must_be(got, [{"n": n, "v": 1 + (n >= 1000)} for n in range(len(got))])
    must(len(got) >= 1000, "rows are missing")
    must(len(got) + len(rows(folder / "errors.jsonl")) >= 1000, "rows are missing")


def an_edit_that_cannot_open_is_refused(folder):
    dead = listen()
    host, port = dead.getsockname()
    dead.close()
    taken = listen()
    out = TcpConnectOut(folder)
    edits = [(generated(COUNT, version=2, sink=f'tcp(connect: "{host}:{port}")'), 500),
             (generated(COUNT, version=3, sink='tcp(listen: "{}:{}")'.format(*taken.getsockname())), 900)]
    run = Run(folder, generated(COUNT, sink=out.sink), edits=edits)
    opened(out, run)
    said = run.end(3)
    must("Connection refused; nobody listens there" in said, said)
    must("another program listens there" in said, said)
    got = [(row["n"], row["v"]) for row in map(json.loads, out.end().splitlines())]
    must_be(got, [(n, 1) for n in range(COUNT)])


def a_source_that_cannot_open_is_refused(folder):
    """The port that an edit wants is taken: the source stays where it is, with the connection that it has."""
    taken = listen()
    there = 'tcp(listen: "{}:{}")'.format(*taken.getsockname())
    other = script('tcp(listen: "127.0.0.1:0", format: csv)', version=3)
    run = Run(folder, script('tcp(listen: "127.0.0.1:0")'), edits=[(script(there, version=2), 500), (other, 700)])
    client = connect(run.address("source `r`"))
    client.sendall(b"".join(b'{"n":%d}\n' % n for n in range(1000)))
    until_rows(run, folder / "out.jsonl", 1000)
    said = run.stop(20)  # of the second: its address is the same, its format another
    must("another program listens there" in said and "MUT5005" in said, said)
    must_be(rows(folder / "out.jsonl"), [{"n": n, "v": 1} for n in range(1000)])


def a_program_does_not_feed_itself(folder):
    run = Run(folder, script('tcp(listen: "127.0.0.1:9000")', 'tcp(connect: "127.0.0.1:9000")'))
    said = run.end(3)
    must("sink `o` would write to 127.0.0.1:9000, where source `r` listens" in said, said)


def messages_say_what_to_do(folder):
    dead = listen()
    host, port = dead.getsockname()
    dead.close()
    taken = listen()
    at = "{}:{}".format(*taken.getsockname())
    for source, wanted in [
            (f'tcp(connect: "{host}:{port}")', "Connection refused; nobody listens there: start the other program first"),
            (f'tcp(listen: "{at}")', "another program listens there: end it, or take another port"),
            ('tcp(connect: "no.such.host.invalid:9000")', "cannot be found"),
            ('tcp(listen: "203.0.113.1:0")', "this machine has no such address")]:
        run = Run(folder, script(source))
        said = run.end(3)
        must("source `r`: " in said and wanted in said, f"{source}: {said}")
        run = Run(folder, generated(1, sink=source))
        said = run.end(3)
        must("sink `o`: " in said and wanted in said, f"{source}: {said}")


def the_page_says_true(folder):
    """The first script of docs/connectors/tcp.md, with what is sent to it and what comes out there."""
    page = (ROOT / "docs/connectors/tcp.md").read_text()
    blocks = re.findall(r"^```(\w+)[^\n]*\n(.*?)^```", page, re.M | re.S)
    languages = [language for language, _ in blocks]
    begin = languages.index("mut")
    must(languages[begin:begin + 3] == ["mut", "input", "output"], f"blocks: {languages}")
    text, sent, wanted = (body for _, body in blocks[begin:begin + 3])
    must('"127.0.0.1:9000"' in text, "the address is another one")
    run = Run(folder, text.replace('"127.0.0.1:9000"', '"127.0.0.1:0"'), stdout=subprocess.PIPE)
    client = connect(run.address("source `\\w+`"))
    client.sendall(sent.encode())
    client.close()
    must_print(run, wanted)


def judge():
    for claim in (a_sink_connects_again, a_sink_loses_nothing_to_a_restart, attempts_are_few, a_sink_gives_up,
                  a_stop_does_not_wait_for_ever, several_clients_do_not_mix, one_client_fails_alone, one_more_than_fit_waits,
                  many_unfinished_records, a_server_gives_to_all, an_edit_moves_connections, what_had_come_is_not_lost,
                  an_edit_that_cannot_open_is_refused, a_source_that_cannot_open_is_refused, a_program_does_not_feed_itself,
                  messages_say_what_to_do, the_page_says_true):
        case("tcp: " + claim.__name__.replace("_", " "), claim)
