"""What every sink keeps."""
import json
import os
import subprocess
import time

import certificates
import http_peers
from harness import LIMIT, Receiver, Run, case, connect, listen, must, until
from http_peers import HttpOut
from texts import COUNT, MEMORY_MB, generated, must_be, numbers_of


class FileOut:
    name, slow = "file", False
    stdout = subprocess.DEVNULL

    def __init__(self, folder, form="json", name="out"):
        self.path = folder / f"{name}.rows"
        self.sink = f'file("{self.path.name}", format: {form})'

    def open(self, run):
        pass

    def data(self):
        return self.path.read_bytes() if self.path.exists() else b""

    def end(self):
        return self.data()


class StdoutOut:
    name, slow = "stdout", True
    stdout = subprocess.PIPE

    def __init__(self, folder, form="json"):
        self.sink = f"stdout(format: {form})"

    def open(self, run):
        self.run = run

    def take(self):
        self.receiver = Receiver(self)
        return self

    def recv(self, size):
        return os.read(self.run.process.stdout.fileno(), size)

    def close(self):
        pass

    def data(self):
        return bytes(self.receiver.data)

    def end(self):
        return self.receiver.end()


class TcpConnectOut:
    name, slow = "tcp connect", True
    stdout = subprocess.DEVNULL

    def __init__(self, folder, form="json"):
        self.listener = listen()
        host, port = self.listener.getsockname()
        self.sink = f'tcp(connect: "{host}:{port}", format: {form})'

    def open(self, run):
        self.peer = self.listener.accept()[0]
        self.peer.settimeout(LIMIT)

    def take(self):
        self.receiver = Receiver(self.peer)
        return self

    def data(self):
        return bytes(self.receiver.data)

    def end(self):
        return self.receiver.end()


class TcpListenOut(TcpConnectOut):
    name = "tcp listen"

    def __init__(self, folder, form="json"):
        self.sink = f'tcp(listen: "127.0.0.1:0", format: {form})'

    def open(self, run):
        self.peer = connect(run.address("sink `o`"))


class TlsConnectOut(TcpConnectOut):
    name = "tls connect"

    def __init__(self, folder, form="json"):
        super().__init__(folder, form)
        self.sink = self.sink[:-1] + f', {certificates.trusts()}, {certificates.files("client")})'

    def open(self, run):
        self.peer = certificates.accept(self.listener, certificates.listening(clients="ca"))

    def end(self):
        return ends_by_goodbye(self)


class TlsListenOut(TcpListenOut):
    name = "tls listen"

    def __init__(self, folder, form="json"):
        self.sink = f'tcp(listen: "127.0.0.1:0", format: {form}, {certificates.files("server")})'

    def open(self, run):
        self.peer = certificates.connect(run.address("sink `o`"), certificates.connecting())

    def end(self):
        return ends_by_goodbye(self)


def ends_by_goodbye(out):
    data = out.receiver.end()
    must(out.receiver.broke is None, f"it broke: {out.receiver.broke}")
    return data


class HttpsOut(HttpOut):
    name = "https"

    def __init__(self, folder, form="json"):
        self.receiver = http_peers.Receiver(tls=certificates.listening())
        self.has_header = form != "json"
        (folder / "token").write_text("t0ken")
        self.sink = f'http(post: "https://{self.receiver.at}/in", format: {form}, {certificates.trusts()}, token: secret_file("token"))'

    def end(self):
        shown = {fields.get("Authorization") for _, fields, *_ in self.receiver.posts}
        must(shown == {"Bearer t0ken"}, f"shown: {shown}")
        return super().end()


SINKS = [FileOut, StdoutOut, TcpConnectOut, TcpListenOut, HttpOut]
ENCRYPTED = [TlsConnectOut, TlsListenOut, HttpsOut]


def opened(out, run):
    out.open(run)
    if out.slow:
        out.take()


def sink_takes_all_rows(folder, kind, form):
    out = kind(folder, form)
    run = Run(folder, generated(COUNT, sink=out.sink), stdout=out.stdout)
    opened(out, run)
    run.end()
    row, header = {
        "json": (lambda n: b'{"n":%d,"v":1,"pad":"a,b"}\n' % n, b""),
        "csv": (lambda n: b'%d,1,"a,b"\n' % n, b"n,v,pad\n"),
        "tsv": (lambda n: b"%d\t1\ta,b\n" % n, b"n\tv\tpad\n"),
    }[form]
    must_be(out.end(), header + b"".join(row(n) for n in range(COUNT)), "bytes")


def sink_waits_for_its_reader(folder, kind):
    """Nobody reads: memory stays bounded; then all rows come, each once."""
    out = kind(folder)
    count = 400_000
    run = Run(folder, generated(count, sink=out.sink, more=f', more = "{"x" * 200}"'), "--stats", "stats.json",
              stdout=out.stdout)
    out.open(run)
    before = [0, time.monotonic()]

    def stands():
        spent = sum(int(word) for word in (open(f"/proc/{run.process.pid}/stat").read().split()[13:15]))
        if spent > before[0] + 20:  # 0.2 s of a processor
            before[:] = [spent, time.monotonic()]
        return time.monotonic() - before[1] > 1.5
    until(stands, "it does not stand still although nobody reads")
    peak = run.peak_mb()
    must(peak < MEMORY_MB, f"{peak:.0f} MB while nobody reads")
    out.take()
    run.end()
    must_be(numbers_of(out.end()), list(range(count)))


def sink_drains(folder, kind):
    """Stopped in the middle: all rows that were made have come."""
    out = kind(folder)
    run = Run(folder, generated(rate=50_000, sink=out.sink), "--stats", "stats.json", stdout=out.stdout)
    opened(out, run)
    until(lambda: out.data().count(b"\n") > 1000, lambda: f"no rows came: {run.said()}")
    run.stop()
    got = numbers_of(out.end())
    must_be(got, list(range(len(got))))
    must_be(len(got), json.loads((folder / "stats.json").read_text())["rows_out"], "rows_out")


def sink_goes_over(folder, kind):
    """An edit that leaves the sink alone writes on where the version before stopped, at the record that the cut says."""
    out = kind(folder)
    cuts = [700, 1500, 2200]
    edits = [(generated(COUNT, version=index, sink=out.sink), cut) for index, cut in enumerate(cuts, 2)]
    run = Run(folder, generated(COUNT, sink=out.sink), "--batch", "64", edits=edits, stdout=out.stdout)
    opened(out, run)
    run.end()
    got = [(row["n"], row["v"]) for row in map(json.loads, out.end().splitlines())]
    must_be(got, [(n, 1 + sum(n >= cut for cut in cuts)) for n in range(COUNT)])


def judge():
    for kind in SINKS:
        for form in ("json", "csv", "tsv"):
            case(f"to {kind.name}: takes all rows of {form}", sink_takes_all_rows, kind, form)
        if kind.slow:
            case(f"to {kind.name}: waits for its reader", sink_waits_for_its_reader, kind)
        case(f"to {kind.name}: drains", sink_drains, kind)
        case(f"to {kind.name}: goes over by edits", sink_goes_over, kind)
    for kind in ENCRYPTED:
        case(f"to {kind.name}: takes all rows", sink_takes_all_rows, kind, "csv")
        case(f"to {kind.name}: waits for its reader", sink_waits_for_its_reader, kind)
        case(f"to {kind.name}: drains", sink_drains, kind)
        case(f"to {kind.name}: goes over by edits", sink_goes_over, kind)
