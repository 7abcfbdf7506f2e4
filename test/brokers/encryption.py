"""What is claimed of encrypted connections to every broker. One of these (broker_NAME.py) says how a script names a place of it:

    name                   for the names of claims
    places                 a port by what is there: `verified` (with a certificate of 127.0.0.1 and localhost), `elsewhere` (with one of
                           another host), `asking` (which demands a certificate of who connects), `plain` (without encryption)
    files                  Certificates
    login, wrong_login     options that all but `plain` let in, and do not
    unknown                what is said of the second
    source(host, port, topic, more), sink(…)       as text of a script
    make(topic)            before a run
    restart()              `verified` goes and comes back, with the files that are there by then; not of all
"""
import pathlib
import socket
import subprocess
import tempfile
import threading
import time

import authority
import claims
from harness import LIMIT, MUTC, Run, case, must, rows, until_rows
from texts import must_be, numbers

SIDES = ("source", "sink")


def script(source, sink='file("out.jsonl", append: true)'):
    return f"source r: {{ n: int }} = {source}\nemit r to {sink} as o\n"


def verify(broker, ca="ca", more=""):
    return f', tls: verify, ca: "{broker.files.path(ca + ".pem")}"' + more


def shown(broker, name="client", key=None):
    return f', cert: "{broker.files.path(name + ".pem")}", cert_key: "{broker.files.path((key or name) + ".key")}"'


def text_of(broker, folder, side, port, more, host="127.0.0.1"):
    (folder / "in.jsonl").write_text('{"n":1}\n')
    if side == "source":
        return script(broker.source(host, port, "x", more))
    return script('file("in.jsonl")', broker.sink(host, port, "x", more))


def goes_through(folder, broker, place, options, host="127.0.0.1"):
    """From a file by a sink to a source and into a file."""
    broker.make("x")
    port = broker.places[place]
    (folder / "to").mkdir()
    (folder / "to" / "in.jsonl").write_text("".join('{"n":%d}\n' % n for n in range(1000)))
    reads = Run(folder, script(broker.source(host, port, "x", options)), "--control", "control.socket")
    claims.Console(folder)
    said = Run(folder / "to", script('file("in.jsonl")', broker.sink(host, port, "x", options))).end()
    until_rows(reads, folder / "out.jsonl", 1000)
    said += reads.stop()
    must_be(numbers(rows(folder / "out.jsonl")), list(range(1000)))
    must("-word" not in said, lambda: f"a password is said: {said}")


def refused(folder, broker, side, place, options, *words, host="127.0.0.1"):
    """Told at the start, with code 3, where it was and each of the words."""
    broker.make("x")
    port = broker.places[place]
    begin = time.monotonic()
    said = Run(folder, text_of(broker, folder, side, port, options, host)).end(3)
    took = time.monotonic() - begin
    for word in (f"{host}:{port}", *words):
        must(word in said, lambda: f"`{word}` is not said: {said}")
    must("-word" not in said, lambda: f"a password is said: {said}")
    must(took < 7 * LIMIT / 60, lambda: f"it took {took:.1f} s: {said}")


class Silent(threading.Thread):
    """Greets who comes, and says nothing more."""

    def __init__(self, greeting):
        super().__init__(daemon=True)
        self.greeting, self.open = greeting, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        try:
            while True:
                peer = self.listener.accept()[0]
                peer.sendall(self.greeting)
                self.open.append(peer)
        except OSError:
            pass

    def end(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for peer in self.open:
            peer.close()


class Waiting(threading.Thread):
    """A run that takes seconds to be refused, beside other claims."""

    def __init__(self, broker, port, options):
        super().__init__(daemon=True)
        self.port, self.took, self.said, self.code = port, None, None, None
        broker.fresh += 1
        broker.make("x")
        self.text = script(broker.source("127.0.0.1", port, "x", options))
        self.start()

    def run(self):
        begin = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "v1.mut")
            path.write_text(self.text)
            ran = subprocess.run([MUTC, "run", path], cwd=folder, capture_output=True, text=True, timeout=LIMIT, stdin=subprocess.DEVNULL)
        self.took, self.said, self.code = time.monotonic() - begin, ran.stderr, ran.returncode


def given_up(folder, broker, waiting, *words):
    """Soon, with code 3 and these words."""
    waiting.join(LIMIT)
    must(waiting.code == 3, lambda: f"{waiting.code}: {waiting.said}")
    must(waiting.took < 9 * LIMIT / 60, lambda: f"it took {waiting.took:.1f} s: {waiting.said}")
    for word in (f"127.0.0.1:{waiting.port}", *words):
        must(word in waiting.said, lambda: f"`{word}` is not said: {waiting.said}")


def renewed(folder, broker):
    """A server that comes back with a certificate of another authority: a source and a sink take the file that has it by then."""
    files = broker.files
    trusted = folder / "authority.pem"
    trusted.write_bytes(files.path("ca.pem").read_bytes())
    (folder / "in.jsonl").write_text('{"n":1}\n')
    options = f', tls: verify, ca: "{trusted}"' + broker.login
    port = broker.places["verified"]
    there, back = broker.source("127.0.0.1", port, "x", options), broker.sink("127.0.0.1", port, "x", options)
    run = Run(folder, f"""{script(there)}
source more: {{ n: int }} = file("in.jsonl", follow: true)
emit more to {back} as back
""", "--control", "control.socket")
    until_rows(run, folder / "out.jsonl", 1)
    own = {name: files.path(name).read_bytes() for name in ("server.pem", "server.key")}
    try:
        files.sign("server", authority.OF_SERVER, "stranger")
        broker.restart()
        run.until_said("source `r`.*connecting again")
        time.sleep(1)  # some attempts
        must("is connected" not in run.said(), lambda: f"it is connected to a server of another authority: {run.said()}")
        trusted.write_bytes(files.path("stranger.pem").read_bytes())
        run.until_said("source `r` is connected")
        with open(folder / "in.jsonl", "a") as out:
            out.write('{"n":2}\n')
        until_rows(run, folder / "out.jsonl", 2)
        said = run.stop()
    finally:
        for name, content in own.items():
            files.path(name).write_bytes(content)
        broker.restart()
    must_be(numbers(rows(folder / "out.jsonl")), [1, 2])
    must("-word" not in said, lambda: f"a password is said: {said}")


def edited(folder, broker):
    """Another authority is another target, which is opened before the cut: one that cannot be is refused, and the run goes on."""
    broker.make("x")
    port = broker.places["verified"]
    (folder / "in.jsonl").write_text("")
    options = verify(broker) + broker.login
    run = Run(folder, script('file("in.jsonl", follow: true)', broker.sink("127.0.0.1", port, "x", options)), "--control", "control.socket")
    console = claims.Console(folder)

    def edit(more):
        return console.ask(op="swap", text=script('file("in.jsonl", follow: true)', broker.sink("127.0.0.1", port, "x", more)))
    wrong = edit(verify(broker, "stranger") + broker.login)
    must(not wrong["ok"] and "signed by nobody in" in str(wrong), lambda: f"an edit: {wrong}")
    must(run.process.poll() is None, "it has ended")
    right = edit(verify(broker, "ca", shown(broker)) + broker.login)
    must(right["ok"], lambda: f"an edit: {right}")
    run.stop()


def judge(broker):
    def ask(name, claim, *arguments, **options):
        broker.fresh += 1
        case(f"{broker.name}: encrypted, {name}", lambda folder: claim(folder, broker, *arguments, **options))
    login = broker.login
    server = Silent(getattr(broker, "greeting", b""))
    nothing_said = Waiting(broker, server.port, verify(broker) + login)
    in_the_clear = Waiting(broker, broker.places["verified"], ", tls: off" + login)
    ask("verify", goes_through, "verified", verify(broker) + login)
    ask("verify by name", goes_through, "verified", verify(broker) + login, host="localhost")
    ask("require", goes_through, "elsewhere", ", tls: require" + login)
    ask("a certificate is shown", goes_through, "asking", verify(broker, "ca", shown(broker)) + login)
    for side in SIDES:
        ask(f"another authority, {side}", refused, side, "verified", verify(broker, "stranger") + login, "signed by nobody in", "stranger.pem")
        ask(f"another host, {side}", refused, side, "elsewhere", verify(broker) + login, "of another host")
        ask(f"no certificate is shown, {side}", refused, side, "asking", verify(broker) + login, "`cert` and `cert_key`")
        ask(f"wrong password, {side}", refused, side, "verified", verify(broker) + broker.wrong_login, broker.unknown)
    ask("authorities of the system", refused, "source", "verified", ", tls: verify" + login, "signed by nobody in", "/etc/ssl/certs")
    ask("a certificate of a stranger is shown", refused, "source", "asking", verify(broker, "ca", shown(broker, "mine")) + login, "not take the certificate", "mine.pem")
    ask("no encryption there", refused, "source", "plain", verify(broker) + login, "speaks no TLS")
    ask("a file that is not there", refused, "source", "verified", verify(broker, "none") + login, "none.pem", "No such file")
    ask("a key with a password", refused, "source", "asking", verify(broker, "ca", shown(broker, "client", "locked")) + login, "has a password")
    ask("edits", edited)
    if hasattr(broker, "restart"):
        ask("renewed", renewed)
    ask("encryption there", given_up, in_the_clear, "`tls: verify`")
    ask("a server that says nothing", given_up, nothing_said)
    server.end()
