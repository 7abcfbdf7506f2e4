"""The port for others than this machine: encrypted, and for who shows a token."""
import http.client
import os
import subprocess
import time

import certificates
import harness
from harness import LIMIT, MUTC, Run, case, must, until
from pages import read_plain
from texts import must_be

TOKEN = "scr4pe-CANARY"
WAITS = 'source r: { n: int } = tcp(listen: "127.0.0.1:0")\nemit r to file("out.jsonl")\n'


class Protected(Run):
    def __init__(self, folder, address="0.0.0.0:0", encrypted=True):
        (folder / "token").write_text(TOKEN + "\n")
        at = certificates.folder()
        args = ["--http-cert", at / "server.pem", "--http-key", at / "server.key"] if encrypted else []
        super().__init__(folder, WAITS, "--http", address, "--http-token-file", "token", *args)
        scheme, host, port = self.until_said(r"metrics are at (https?)://(\S+):(\d+)/metrics")
        must_be(scheme, "https" if encrypted else "http", "the scheme")
        self.at = "localhost", int(port)
        self.encrypted = encrypted

    def ask(self, path, token=TOKEN, context=None, **fields):
        """Status, fields and text."""
        peer = http.client.HTTPSConnection(*self.at, timeout=LIMIT, context=context or certificates.connecting()) if self.encrypted else \
            http.client.HTTPConnection(*self.at, timeout=LIMIT)
        try:
            peer.request("GET", path, headers={**({"Authorization": f"Bearer {token}"} if token is not None else {}), **fields})
            reply = peer.getresponse()
            return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read().decode()
        finally:
            peer.close()

    def over(self):
        said = self.stop()
        must("CANARY" not in said, f"the token was said: {said}")
        return said


def pages_are_for_who_knows_the_token(folder):
    for number, (address, encrypted) in enumerate((("0.0.0.0:0", True), ("127.0.0.1:0", True), ("127.0.0.1:0", False))):
        (folder / str(number)).mkdir()
        run = Protected(folder / str(number), address, encrypted)
        until(lambda: run.ask("/readyz")[0] == 200, "it is not ready")
        status, _, text = run.ask("/metrics")
        must(status == 200 and read_plain(text)["mutstream_ready"] == 1, f"{status} {text[:300]}")
        for path in ("/metrics", "/readyz", "/", "/nothing", "/livez/"):
            for token in (None, "", "wrong", TOKEN + "x", TOKEN[:-1]):
                status, fields, text = run.ask(path, token)
                must((status, fields["www-authenticate"]) == (401, 'Bearer realm="mutstream"') and "mutstream_" not in text, f"{path} {token}: {status} {text}")
        must_be([run.ask("/livez", None)[::2], run.ask("/readyz")[::2]], [(200, "ok\n")] * 2, "health")
        must_be(run.ask("/livez", None, Origin="https://evil.example")[0], 403, "a page of another site")
        (run.folder / "token").write_text("n3w")
        must_be([run.ask("/metrics")[0], run.ask("/metrics", "n3w")[0]], [401, 200], "another token")
        run.over()


def curl_asks_so(folder):
    run = Protected(folder)
    (folder / "header").write_text(f"Authorization: Bearer {TOKEN}\n")
    url = "https://localhost:%d/metrics" % run.at[1]

    def curl(*words):
        return subprocess.run(["curl", "--silent", "--show-error", "--max-time", "20", *words, url], cwd=folder, capture_output=True, text=True)
    at = certificates.folder()
    done = curl("--cacert", at / "ca.pem", "-H", "@header")
    must(done.returncode == 0 and "mutstream_ready" in read_plain(done.stdout), f"{done}")
    must(curl("--cacert", at / "stranger_ca.pem", "-H", "@header").returncode == 60, "whoever listens is trusted")
    must("token is wanted" in curl("--cacert", at / "ca.pem").stdout, "without the token")
    must(curl("--cacert", at / "ca.pem", "--tls-max", "1.1").returncode != 0, "TLS 1.1 is spoken")
    must(curl("--cacert", at / "ca.pem", "--tlsv1.2", "--tls-max", "1.2", "-H", "@header").returncode == 0, "TLS 1.2 is not spoken")
    run.over()


def who_never_agrees_holds_up_nobody(folder):
    run = Protected(folder)
    peers = []
    for n in range(120):
        peers.append(harness.connect(("127.0.0.1", run.at[1])))
        peers[-1].sendall((b"", b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", os.urandom(50))[n % 4])
    # One that has agreed and asks nothing.
    idle = certificates.connect(("127.0.0.1", run.at[1]), certificates.connecting())
    begin = time.monotonic()
    for _ in range(10):
        must_be(run.ask("/livez", None)[0], 200)
    must(time.monotonic() - begin < 3, "the others made it wait")
    for peer in peers:
        peer.close()
    idle.close()
    said = run.over()
    must(said.count("--http: a connection was refused") == 1, said)


def what_is_not_safe_is_refused(folder):
    (folder / "s.mut").write_text(WAITS)
    (folder / "token").write_text(TOKEN)
    at = certificates.folder()
    cert, key, token = ("--http-cert", at / "server.pem"), ("--http-key", at / "server.key"), ("--http-token-file", "token")
    for code, words, address, args in (
        (2, "only this machine", "0.0.0.0:0", ()), (2, "only this machine", "0.0.0.0:0", token), (2, "only this machine", "0.0.0.0:0", cert + key), (2, "go together", "127.0.0.1:0", cert),
        (2, "go together", "0.0.0.0:0", key + token), (3, "No such file", "127.0.0.1:0", ("--http-token-file", "nowhere")), (3, "nowhere.pem", "127.0.0.1:0", ("--http-cert", "nowhere.pem") + key),
        (3, "belongs to another", "127.0.0.1:0", cert + ("--http-key", at / "client.key")), (2, "--http", None, cert + key),
    ):
        where = ["--http", address] if address else []
        done = subprocess.run([MUTC, "run", "s.mut", *where, *args], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        must(done.returncode == code and words in done.stderr and "CANARY" not in done.stderr, f"{address} {args}: {done.returncode} {done.stderr}")


def judge():
    case("pages are for who knows the token", pages_are_for_who_knows_the_token)
    case("curl asks so", curl_asks_so)
    case("who never agrees holds up nobody", who_never_agrees_holds_up_nobody)
    case("what is not safe is refused", what_is_not_safe_is_refused)
