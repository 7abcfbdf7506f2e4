"""What every source keeps."""
import http.client
import json
import os
import subprocess
import threading
import time

import certificates
from harness import LIMIT, Run, case, connect, listen, must, reset, rows, until, until_rows
from http_peers import HttpIn
from texts import COUNT, FORMATS, MEMORY_MB, RECORD_MAX, must_be, numbers, script


class FileIn:
    name, abrupt, ends, reads = "file", False, False, False

    def __init__(self, folder, form):
        self.path = folder / f"in.{form}"
        self.path.write_bytes(b"")
        self.source = f'file("{self.path.name}", format: {form}, follow: true)'
        self.stdin = subprocess.DEVNULL

    def open(self, run):
        self.file = open(self.path, "ab", buffering=0)

    def send(self, data):
        self.file.write(data)

    def close(self):
        self.file.close()

    def again(self, run):
        """The file is rotated away."""
        self.close()
        os.rename(self.path, self.path.with_suffix(".old"))
        self.path.write_bytes(b"")
        self.open(run)


class StdinIn:
    name, abrupt, ends, reads = "stdin", False, True, True

    def __init__(self, folder, form):
        self.source = f"stdin(format: {form})"
        self.stdin = subprocess.PIPE

    def open(self, run):
        self.pipe = run.process.stdin

    def send(self, data):
        self.pipe.write(data)
        self.pipe.flush()

    def close(self):
        self.pipe.close()

    again = None


class TcpIn:
    """A connection to the source, from either side."""

    def send(self, data):
        self.peer.sendall(data)

    def close(self):
        self.peer.close()

    def abort(self):
        reset(self.peer)

    def again(self, run):
        self.close()
        self.open(run)


class TcpListenIn(TcpIn):
    name, abrupt, ends, reads = "tcp listen", True, False, True
    host = "127.0.0.1"

    def __init__(self, folder, form):
        host = f"[{self.host}]" if ":" in self.host else self.host
        self.source = f'tcp(listen: "{host}:0", format: {form})'
        self.stdin = subprocess.DEVNULL

    def open(self, run):
        self.peer = connect(run.address("source `r`"))


class TcpListenSixIn(TcpListenIn):
    name, host = "tcp listen IPv6", "::1"


class TcpConnectIn(TcpIn):
    name, abrupt, ends, reads = "tcp connect", True, False, True

    def __init__(self, folder, form):
        self.listener = listen()
        host, port = self.listener.getsockname()
        self.source = f'tcp(connect: "{host}:{port}", format: {form})'
        self.stdin = subprocess.DEVNULL

    def open(self, run):
        self.peer = self.listener.accept()[0]
        self.peer.settimeout(LIMIT)


class TlsListenIn(TcpListenIn):
    """Encrypted, and only for who shows a certificate."""
    name = "tls listen"

    def __init__(self, folder, form):
        self.source = f'tcp(listen: "127.0.0.1:0", format: {form}, {certificates.files("server")}, {certificates.trusts()})'
        self.stdin = subprocess.DEVNULL

    def open(self, run):
        self.peer = certificates.connect(run.address("source `r`"), certificates.connecting("client"))

    def close(self):
        certificates.say_goodbye(self.peer)


class TlsConnectIn(TcpConnectIn):
    name = "tls connect"

    def __init__(self, folder, form):
        super().__init__(folder, form)
        self.source = self.source[:-1] + f", {certificates.trusts()})"

    def open(self, run):
        self.peer = certificates.accept(self.listener, certificates.listening())

    def close(self):
        certificates.say_goodbye(self.peer)


class HttpsIn(HttpIn):
    name = "https"

    def __init__(self, folder, form):
        super().__init__(folder, form)
        (folder / "token").write_text("t0ken\n")
        self.source = f'http(listen: "https://127.0.0.1:0/in", format: {form}, {certificates.files("server")}, token: secret_file("token"))'
        self.fields = {"Authorization": "Bearer t0ken"}

    def open(self, run):
        self.address = run.address("source `r`")
        self.peer = http.client.HTTPSConnection(*self.address, timeout=LIMIT, context=certificates.connecting())


SOURCES = [FileIn, StdinIn, TcpListenIn, TcpListenSixIn, TcpConnectIn, HttpIn]
# The same over a socket that is encrypted: what lies over it is asked above.
ENCRYPTED = [TlsListenIn, TlsConnectIn, HttpsIn]


def finish(run, feed):
    """The end of the run, once all that was sent has come out."""
    return run.end() if feed.ends else run.stop()


def source_gives_all_rows(folder, kind, form):
    row, header = FORMATS[form]
    feed = kind(folder, form)
    if kind is FileIn:
        feed.path.write_bytes(header)
        header = b""
    run = Run(folder, script(feed.source, form=form), stdin=feed.stdin)
    feed.open(run)
    text = header + b"".join(row(n) for n in range(COUNT))
    for begin in range(0, len(text), 4099):  # cut anywhere
        feed.send(text[begin:begin + 4099])
    # The last one without a line end: the end of the input ends it.
    ends = kind is not FileIn
    if ends:
        feed.send(row(COUNT)[:-1])
        feed.close()
    until_rows_or_end(run, folder, COUNT + ends, feed)
    finish(run, feed)
    must_be(numbers(rows(folder / "out.jsonl")), list(range(COUNT + ends)))
    must_be(rows(folder / "errors.jsonl"), [], "errors")


def until_rows_or_end(run, folder, count, feed):
    if feed.ends:
        run.end()
    else:
        until_rows(run, folder / "out.jsonl", count)


def source_tells_damage(folder, kind):
    feed = kind(folder, "json")
    run = Run(folder, script(feed.source), stdin=feed.stdin)
    feed.open(run)
    feed.send(b'{"n":0}\n{"n":\n{"n":"x"}\n\xff\xfe\n\n{"m":1}\n[1]\n{"n":1}\n')
    until_rows(run, folder / "out.jsonl", 2)
    feed.close()
    finish(run, feed)
    must_be(numbers(rows(folder / "out.jsonl")), [0, 1])
    errors = rows(folder / "errors.jsonl")
    must_be([int(error["input"].rsplit(":", 1)[1]) for error in errors], [2, 3, 4, 6, 7], "lines of errors")
    must(all(error["code"] == "decode" for error in errors), "another code than decode")


def source_bounds_a_record(folder, kind):
    feed = kind(folder, "json")
    run = Run(folder, script(feed.source), stdin=feed.stdin)
    feed.open(run)
    feed.send(b'{"n":0}\n{"n":1,"pad":"')
    for _ in range(2 * RECORD_MAX >> 20):
        feed.send(b"x" * (1 << 20))
    feed.send(b'"}\n{"n":2}\n')
    until_rows(run, folder / "out.jsonl", 2)
    peak = run.peak_mb()
    feed.close()
    finish(run, feed)
    must_be(numbers(rows(folder / "out.jsonl")), [0, 2])
    errors = rows(folder / "errors.jsonl")
    must(len(errors) == 1 and "longer than 16 MiB" in errors[0]["message"], f"errors: {str(errors)[:500]}")
    must(peak < MEMORY_MB, f"{peak:.0f} MB for a record that was too long")


def source_waits_for_the_sink(folder, kind):
    """Nobody reads what comes out: then what comes in stands still, and nothing is lost once somebody does."""
    feed = kind(folder, "json")
    run = Run(folder, script(feed.source, "stdout()"), stdin=feed.stdin, stdout=subprocess.PIPE)
    feed.open(run)
    row = b'{"n":%d,"pad":"' + b"x" * 1000 + b'"}\n'
    count, sent, over = 100_000, [0], threading.Event()

    def send():
        for begin in range(0, count, 100):
            feed.send(b"".join(row % n for n in range(begin, begin + 100)))
            sent[0] = begin + 100
        feed.close()
        over.set()

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    still = [0, time.monotonic()]

    def stands():
        if sent[0] != still[0]:
            still[:] = [sent[0], time.monotonic()]
        return over.is_set() or time.monotonic() - still[1] > 1
    until(stands, "it neither stands still nor ends")
    must(not (feed.reads and over.is_set()), "100 MB were taken while nobody read what came out")
    peak = run.peak_mb()
    must(peak < MEMORY_MB, f"{peak:.0f} MB while nobody reads")
    got = []
    for line in run.process.stdout:
        got.append(json.loads(line)["n"])
        if len(got) == count and not feed.ends:
            run.interrupt()
    sender.join(LIMIT)
    run.end()
    must_be(got, list(range(count)))


def source_drains(folder, kind):
    """Stopped in the middle: whole rows from the begin on, none twice, and an end."""
    feed = kind(folder, "json")
    run = Run(folder, script(feed.source), "--stats", "stats.json", stdin=feed.stdin)
    feed.open(run)
    stopped = threading.Event()

    def send():
        try:
            n = 0
            while not stopped.is_set():
                feed.send(b"".join(b'{"n":%d}\n' % k for k in range(n, n + 50)))
                n += 50
        except OSError:
            pass  # it is gone, as it should

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    until_rows(run, folder / "out.jsonl", 1000)
    run.stop()
    stopped.set()
    sender.join(LIMIT)
    got = numbers(rows(folder / "out.jsonl"))
    must_be(got, list(range(len(got))))
    errors = rows(folder / "errors.jsonl")
    must(len(errors) <= 1, f"{len(errors)} errors")
    stats = json.loads((folder / "stats.json").read_text())
    must_be(stats["records_in"], len(got) + len(errors), "records")


def source_goes_over(folder, kind):
    """Edits at records: each row by the version that the cuts say, none lost, none twice."""
    feed = kind(folder, "json")
    cuts = [700, 1500, 2200]
    edits = [(script(feed.source, version=index), cut) for index, cut in enumerate(cuts, 2)]
    run = Run(folder, script(feed.source), "--batch", "64", edits=edits, stdin=feed.stdin)
    feed.open(run)
    for begin in range(0, COUNT, 10):
        feed.send(b"".join(b'{"n":%d}\n' % n for n in range(begin, begin + 10)))
    until_rows(run, folder / "out.jsonl", COUNT)
    feed.close()
    finish(run, feed)
    wanted = [{"n": n, "v": 1 + sum(n >= cut for cut in cuts)} for n in range(COUNT)]
    must_be(rows(folder / "out.jsonl"), wanted)


def source_changes_its_record(folder, kind):
    """An edit that adds a field reads on, from the record behind the cut."""
    feed = kind(folder, "json")
    other = script(feed.source).replace("pad: string?", "pad: string?, more: int").replace("v = 1", "v = more")
    run = Run(folder, script(feed.source), "--batch", "64", edits=[(other, 500)], stdin=feed.stdin)
    feed.open(run)
    feed.send(b"".join(b'{"n":%d,"more":%d}\n' % (n, n * 2) for n in range(1000)))
    until_rows(run, folder / "out.jsonl", 1000)
    feed.close()
    finish(run, feed)
    must_be(rows(folder / "out.jsonl"), [{"n": n, "v": 1 if n < 500 else n * 2} for n in range(1000)])


def source_comes_back(folder, kind):
    """The other side ends and begins again, with a header of its own: all of both."""
    feed = kind(folder, "csv")
    if kind is FileIn:
        feed.path.write_bytes(b"n,pad\n")
    run = Run(folder, script(feed.source), stdin=feed.stdin)
    feed.open(run)
    feed.send((b"" if kind is FileIn else b"n,pad\n") + b"".join(b"%d,x\n" % n for n in range(100)))
    until_rows(run, folder / "out.jsonl", 100)
    for begin in (100, 200):
        feed.again(run)
        feed.send(b"pad,n\n" + b"".join(b"x,%d\n" % n for n in range(begin, begin + 100)))
        until_rows(run, folder / "out.jsonl", begin + 100)
    feed.close()
    run.stop()
    must_be(numbers(rows(folder / "out.jsonl")), list(range(300)))
    must_be(rows(folder / "errors.jsonl"), [], "errors")


def source_tells_a_break(folder, kind):
    """A connection that breaks inside of a record: that is an error and no shorter record, and the next connection goes on."""
    feed = kind(folder, "lines")
    run = Run(folder, script(feed.source, form="lines"), stdin=feed.stdin)
    feed.open(run)
    feed.send(b"1\n2\n34")
    until_rows(run, folder / "out.jsonl", 2)
    feed.abort()
    until_rows(run, folder / "errors.jsonl", 1)
    feed.open(run)
    feed.send(b"5\n")
    until_rows(run, folder / "out.jsonl", 3)
    feed.close()
    run.stop()
    must_be(numbers(rows(folder / "out.jsonl")), [1, 2, 5])
    errors = rows(folder / "errors.jsonl")
    must(len(errors) == 1 and "broke inside of this record" in errors[0]["message"], f"errors: {errors}")
    must(errors[0]["input"].startswith("tcp ") and errors[0]["input"].endswith(":3"), f"input: {errors[0]['input']}")


def judge():
    for kind in SOURCES:
        for form in FORMATS:
            case(f"{kind.name}: gives all rows of {form}", source_gives_all_rows, kind, form)
        case(f"{kind.name}: tells damage", source_tells_damage, kind)
        if kind is not HttpIn:  # whose body is bounded
            case(f"{kind.name}: bounds a record", source_bounds_a_record, kind)
        case(f"{kind.name}: waits for the sink", source_waits_for_the_sink, kind)
        case(f"{kind.name}: drains", source_drains, kind)
        case(f"{kind.name}: goes over by edits", source_goes_over, kind)
        case(f"{kind.name}: changes its record", source_changes_its_record, kind)
        if kind.again:
            case(f"{kind.name}: comes back", source_comes_back, kind)
        if kind.abrupt:
            case(f"{kind.name}: tells a break", source_tells_a_break, kind)
    for kind in ENCRYPTED:
        case(f"{kind.name}: gives all rows", source_gives_all_rows, kind, "csv")
        case(f"{kind.name}: waits for the sink", source_waits_for_the_sink, kind)
        case(f"{kind.name}: drains", source_drains, kind)
        case(f"{kind.name}: goes over by edits", source_goes_over, kind)
        case(f"{kind.name}: comes back", source_comes_back, kind)
        if kind.abrupt:
            case(f"{kind.name}: tells a break", source_tells_a_break, kind)
