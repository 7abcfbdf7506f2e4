"""Encryption and tokens: who is let in and who is not, and what others notice of it."""
import http.client
import json
import os
import shutil
import socket
import ssl
import threading
import time

import certificates
import harness
from harness import LIMIT, Receiver, Run, case, connect, listen, must, rows, until, until_rows
from http_claims import fails_once
from http_peers import Receiver as HttpReceiver
from texts import generated, must_be, numbers, numbers_of, script

TOKEN = "t0ken-CANARY"


def lines(*found):
    return b"".join(b'{"n":%d}\n' % n for n in found)


def source(folder, options, at="https://127.0.0.1:0/in"):
    (folder / "token").write_text(TOKEN + "\n")
    return script(f'http(listen: "{at}", {options})')


def post(address, body, context=None, **fields):
    """Status and fields of one request, over a connection of its own."""
    peer = http.client.HTTPSConnection(*address, timeout=LIMIT, context=context) if context else http.client.HTTPConnection(*address, timeout=LIMIT)
    try:
        peer.request("POST", "/in", body, fields)
        reply = peer.getresponse()
        text = reply.read().decode()
        must("CANARY" not in text, f"the answer shows the token: {text}")
        return reply.status, {name.lower(): value for name, value in reply.getheaders()}
    finally:
        peer.close()


def bears(token):
    return {"Authorization": f"Bearer {token}"}


def ends(run, code=0):
    said = run.stop(code)
    must("CANARY" not in said, f"a token was said: {said}")
    return said


def who_is_not_who_it_should_be_ends_the_run(folder):
    for name, words in (("other", "hostname mismatch; its certificate is not of `localhost`"), ("expired", "certificate has expired; the other side has to renew it"),
                        ("stranger", "nobody who is trusted has signed it: `ca` names who is")):
        listener = listen()
        port = listener.getsockname()[1]
        over = threading.Event()

        def serve():
            while not over.is_set():
                try:
                    certificates.accept(listener, certificates.listening(name))
                except OSError:  # of TLS, or because who was refused has gone already
                    pass
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        trusts = certificates.trusts()
        for text in (script(f'tcp(connect: "localhost:{port}", {trusts})'), generated(1, sink=f'tcp(connect: "localhost:{port}", tls: verify, {trusts})'),
                     generated(1, sink=f'http(post: "https://localhost:{port}/in", {trusts})')):
            said = Run(folder, text).end(3)
            must(words in said and f"localhost:{port}" in said, said)
        # Whoever it is.
        run = Run(folder, script(f'tcp(connect: "localhost:{port}", tls: require)'))
        time.sleep(0.1)
        ends(run)
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(LIMIT)


def files_that_cannot_be_used_end_the_run(folder):
    at = certificates.folder()
    (folder / "bad.pem").write_text("no certificate")
    for options, words in ((f'cert: "{at}/nowhere.pem", cert_key: "{at}/server.key"', "No such file"), (f'cert: "bad.pem", cert_key: "{at}/server.key"', "bad.pem: no certificates of PEM"),
                           (f'cert: "{at}/server.pem", cert_key: "{at}/client.key"', "belongs to another certificate"), (f'cert: "{at}/server.pem", cert_key: "bad.pem"', "no private key of PEM"),
                           (certificates.files("server") + ', ca: "bad.pem"', "bad.pem: no certificates of PEM")):
        said = Run(folder, script(f'tcp(listen: "127.0.0.1:0", {options})')).end(3)
        must(words in said and "source `r`" in said, said)
    said = Run(folder, source(folder, certificates.files("server") + ', token: secret_file("nowhere")')).end(3)
    must("nowhere" in said and "No such file" in said, said)
    (folder / "empty").write_text("\n")
    (folder / "two").write_text("a b")
    for name, words in (("empty", "empty"), ("two", "visible characters")):
        said = Run(folder, source(folder, certificates.files("server") + f', token: secret_file("{name}")')).end(3)
        must(words in said, said)


def without_the_token_nothing_is_taken(folder):
    for at, options, context in (("https://127.0.0.1:0/in", certificates.files("server") + ", ", certificates.connecting()), ("127.0.0.1:0/in", "", None)):
        run = Run(folder, source(folder, options + 'token: secret_file("token")', at))
        address = run.address("source `r`")
        for n, fields in enumerate(({}, bears(""), bears("t0ken"), bears(TOKEN + "x"), bears(TOKEN[::-1]), bears("x" * 5000), {"Authorization": TOKEN}, {"Authorization": f"Basic {TOKEN}"},
                                    {"Authorization": "Bearer"}, {"X-Authorization": f"Bearer {TOKEN}"})):
            status, answer = post(address, lines(100 + n), context, **fields)
            must((status, answer["www-authenticate"]) == (401, 'Bearer realm="mutstream"'), f"{fields}: {status} {answer}")
        must_be([post(address, lines(n), context, Authorization=f"{scheme} {TOKEN}")[0] for n, scheme in enumerate(("Bearer", "bearer", "BEARER "))], [200] * 3)
        # Another token holds from the next request on; one that is gone leaves it.
        (folder / "token").write_text("n3w-CANARY")
        must_be([post(address, lines(103), context, **bears(TOKEN))[0], post(address, lines(3), context, **bears("n3w-CANARY"))[0]], [401, 200])
        (folder / "token").unlink()
        must_be(post(address, lines(4), context, **bears("n3w-CANARY"))[0], 200)
        ends(run)
        must_be(numbers(rows(folder / "out.jsonl")), [0, 1, 2, 3, 4])
        must_be(rows(folder / "errors.jsonl"), [], "errors")


def others_are_served_by_a_token(folder):
    """On all addresses: whatever `Host` says, but no page of another site."""
    run = Run(folder, source(folder, certificates.files("server") + ', token: secret_file("token")', "https://0.0.0.0:0/in"))
    address = "localhost", run.address("source `r`")[1]
    for wanted, fields in ((200, {"Host": "shop.example"}), (200, {"Host": "shop.example:1", "Origin": "https://shop.example:1"}), (403, {"Host": "shop.example", "Origin": "https://evil.example"}),
                           (403, {"Host": "shop.example", "Origin": "null"})):
        must_be(post(address, lines(wanted), certificates.connecting(), **fields, **bears(TOKEN))[0], wanted, f"{fields}")
    ends(run)
    must_be(numbers(rows(folder / "out.jsonl")), [200, 200])


def a_sink_that_is_refused_loses_nothing(folder):
    """By TLS 1.3 a server looks at the certificate when the client may have written already: what it has written nobody reads."""
    for name in ("in", "none", "stranger", "known"):
        (folder / name).mkdir()
    run = Run(folder / "in", script(f'tcp(listen: "127.0.0.1:0", {certificates.files("server")}, {certificates.trusts()})'))
    port = run.address("source `r`")[1]
    for name, options in (("none", ""), ("stranger", ", " + certificates.files("stranger"))):
        said = Run(folder / name, generated(1000, sink=f'tcp(connect: "localhost:{port}", {certificates.trusts()}{options})')).end(3)
        must("certificate" in said, said)
    Run(folder / "known", generated(1000, sink=f'tcp(connect: "localhost:{port}", {certificates.trusts()}, {certificates.files("client")})')).end(0)
    until_rows(run, folder / "in" / "out.jsonl", 1000)
    ends(run)
    must_be(len(rows(folder / "in" / "out.jsonl")), 1000)


def clients_show_a_certificate(folder):
    run = Run(folder, source(folder, f'{certificates.files("server")}, {certificates.trusts()}', "https://0.0.0.0:0/in"))
    address = "localhost", run.address("source `r`")[1]
    for client in (None, "stranger"):
        try:
            post(address, lines(1), certificates.connecting(client))
            raise harness.Wrong(f"{client} was let in")
        except OSError:
            pass
    must_be(post(address, lines(2), certificates.connecting("client"))[0], 200)
    said = ends(run)
    must("peer did not return a certificate" in said, said)
    must_be(numbers(rows(folder / "out.jsonl")), [2])


def bad_clients(address, count):
    """Connections that never agree: silent, half, garbage, in the clear; those that are still open."""
    hello = ssl.MemoryBIO()
    try:
        certificates.connecting().wrap_bio(ssl.MemoryBIO(), hello, server_hostname="localhost").do_handshake()
    except ssl.SSLWantReadError:
        pass
    first = hello.read()
    out = []
    for n in range(count):
        peer = connect(address)
        peer.sendall((b"", first[:len(first) // 2], b"\x17\x03\x03\xff\xffgarbage", b'{"n":666}\n', b"POST /in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n" + b'{"n":666}\n', first)[n % 6])
        if n % 7 == 6:
            harness.reset(peer)
        else:
            out.append(peer)
    return out


def who_never_agrees_holds_up_nobody(folder):
    (folder / "in").mkdir()
    run = Run(folder / "in", source(folder / "in", certificates.files("server") + ', token: secret_file("token")'))
    address = run.address("source `r`")
    peers = bad_clients(address, 150)
    begin = time.monotonic()
    for n in range(20):
        must_be(post(address, lines(n), certificates.connecting(), **bears(TOKEN))[0], 200)
    must(time.monotonic() - begin < 3, f"20 requests took {time.monotonic() - begin:.1f} s")
    said = ends(run)
    must("a connection was refused" in said and said.count("\n") < 12, said)
    must_be(numbers(rows(folder / "in/out.jsonl")), list(range(20)))
    for peer in peers:
        peer.close()

    (folder / "raw").mkdir()
    run = Run(folder / "raw", script(f'tcp(listen: "127.0.0.1:0", {certificates.files("server")})'))
    address = run.address("source `r`")
    peers = bad_clients(address, 30)
    good = certificates.connect(address, certificates.connecting())
    good.sendall(lines(1, 2, 3))
    until_rows(run, folder / "raw/out.jsonl", 3)
    certificates.say_goodbye(good)
    ends(run)
    must_be(numbers(rows(folder / "raw/out.jsonl")), [1, 2, 3])
    must_be(rows(folder / "raw/errors.jsonl"), [], "errors")
    for peer in peers:
        peer.close()


def rows_wait_for_one_that_agrees(folder):
    """A sink's first client is the first that has agreed: what waits for it is not given to others, nor lost to them."""
    run = Run(folder, generated(5000, sink=f'tcp(listen: "127.0.0.1:0", {certificates.files("server")}, {certificates.trusts()})'))
    address = run.address("sink `o`")
    peers = bad_clients(address, 30)
    try:
        certificates.connect(address, certificates.connecting("stranger")).recv(1)
        raise harness.Wrong("a stranger got rows")
    except OSError:
        pass
    good = Receiver(certificates.connect(address, certificates.connecting("client")))
    run.end()
    must_be(numbers_of(good.end()), list(range(5000)))
    for peer in peers:
        peer.close()


def a_renewed_certificate_is_taken(folder):
    at = certificates.folder()

    def renew(name, *endings):
        for ending in endings or ("pem", "key"):
            shutil.copy(at / f"{name}.{ending}", folder / f"own.{ending}.new")
            os.replace(folder / f"own.{ending}.new", folder / f"own.{ending}")
    renew("server")
    run = Run(folder, script('tcp(listen: "127.0.0.1:0", cert: "own.pem", cert_key: "own.key")'))
    address = run.address("source `r`")
    first = certificates.connect(address, certificates.connecting())
    first.sendall(lines(1))
    renew("stranger")
    second = certificates.connect(address, certificates.connecting(authority="stranger_ca"))
    second.sendall(lines(2))
    until_rows(run, folder / "out.jsonl", 2)
    # Half of a renewal, or damage: what is there stays.
    renew("server", "pem")
    third = certificates.connect(address, certificates.connecting(authority="stranger_ca"))
    third.sendall(lines(3))
    run.until_said("goes on with the certificate that it has")
    renew("server")
    fourth = certificates.connect(address, certificates.connecting())
    fourth.sendall(lines(4))
    first.sendall(lines(5))
    until_rows(run, folder / "out.jsonl", 5)
    ends(run)
    must_be(sorted(numbers(rows(folder / "out.jsonl"))), [1, 2, 3, 4, 5])


def a_sink_goes_on_when_the_right_one_is_back(folder):
    """The receiver ends, one with a wrong certificate stands in its place, then it comes back: nothing is sent to the wrong one."""
    right = HttpReceiver(tls=certificates.listening())
    right.open_gate.set()
    port = right.server_address[1]
    (folder / "token").write_text(TOKEN)
    run = Run(folder, generated(rate=2000, sink=f'http(post: "https://{right.at}/in", {certificates.trusts()}, token: secret_file("token"))'))
    until(lambda: len(right.posts) > 3, lambda: run.said())
    right.end()
    right.answers.put(fails_once)  # the connection that is still there
    wrong = HttpReceiver(port, tls=certificates.listening("stranger"))
    wrong.open_gate.set()
    # Twice: what it says of it may be kept back.
    until(lambda: wrong.connections > 1, lambda: run.said())
    wrong.end()
    must_be(wrong.posts, [], "requests to the wrong one")
    again = HttpReceiver(port, tls=certificates.listening())
    again.open_gate.set()
    until(lambda: len(again.posts) > 3, lambda: run.said())
    ends(run)
    again.end()
    got = numbers_of(b"".join(right.taken() + again.taken()))
    must_be(sorted(set(got)), list(range(len(set(got)))))


def an_edit_encrypts(folder):
    """From in the clear to encrypted, both sides: opened before the cut, each row by one version."""
    clear, encrypted = listen(), listen()
    at = ["127.0.0.1:%d" % one.getsockname()[1] for one in (clear, encrypted)]
    first = script('tcp(listen: "127.0.0.1:0")', f'tcp(connect: "{at[0]}")')
    second = script(f'tcp(listen: "127.0.0.2:0", {certificates.files("server")})', f'tcp(connect: "{at[1]}", {certificates.trusts()})', 2)
    run = Run(folder, first, "--batch", "64", edits=[(second, 500)])
    came = []
    accepting = threading.Thread(target=lambda: came.append(Receiver(certificates.accept(encrypted, certificates.listening()))), daemon=True)
    accepting.start()
    before = Receiver(clear.accept()[0])
    client = connect(run.address("source `r`"))
    client.sendall(lines(*range(500)))
    address = run.address("source `r`", 2)
    must(client.recv(10) == b"", "the old connection was not closed")
    client = certificates.connect(address, certificates.connecting(), "localhost")
    client.sendall(lines(*range(500, 1000)))
    accepting.join(LIMIT)
    until(lambda: len(came[0].lines()) >= 500, lambda: f"rows are missing: {run.said()}")
    ends(run)
    must_be([json.loads(line) for line in before.end().splitlines()], [{"n": n, "v": 1} for n in range(500)])
    must_be([json.loads(line) for line in came[0].end().splitlines()], [{"n": n, "v": 2} for n in range(500, 1000)])


def an_edit_that_is_not_trusted_is_refused(folder):
    listener, out = listen(), listen()
    threading.Thread(target=lambda: attempts(listener), daemon=True).start()
    wrong = f'tcp(connect: "localhost:{listener.getsockname()[1]}", {certificates.trusts()})'
    sink = 'tcp(connect: "127.0.0.1:%d")' % out.getsockname()[1]
    run = Run(folder, generated(3000, sink=sink), edits=[(generated(3000, version=2, sink=wrong), 1000)])
    got = Receiver(out.accept()[0])
    said = run.end(3)
    must("nobody who is trusted has signed it" in said, said)
    must_be([json.loads(line)["v"] for line in got.end().splitlines()], [1] * 3000)


def attempts(listener):
    while listener.fileno() >= 0:
        try:
            certificates.accept(listener, certificates.listening("stranger"))
        except OSError:  # of TLS, or because who was refused has gone already
            pass


def judge():
    for claim in (who_is_not_who_it_should_be_ends_the_run, files_that_cannot_be_used_end_the_run, without_the_token_nothing_is_taken, others_are_served_by_a_token,
                  a_sink_that_is_refused_loses_nothing, clients_show_a_certificate, who_never_agrees_holds_up_nobody, rows_wait_for_one_that_agrees, a_renewed_certificate_is_taken,
                  a_sink_goes_on_when_the_right_one_is_back, an_edit_encrypts, an_edit_that_is_not_trusted_is_refused):
        case("tls: " + claim.__name__.replace("_", " "), claim)
