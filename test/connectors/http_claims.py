"""HTTP beside what the tables ask: answers, keys, what is held up, what is sent again."""
import json
import re
import socket
import subprocess
import threading
import time

import harness
from harness import LIMIT, ROOT, Run, case, listen, must, rows, until, until_rows
from http_peers import Receiver, post
from texts import generated, must_be, must_print, numbers, numbers_of, script

SOURCE = 'http(listen: "127.0.0.1:0/in")'


def lines(*found):
    return b"".join(b'{"n":%d}\n' % n for n in found)


def a_request_is_answered_by_what_became_of_it(folder):
    run = Run(folder, script(SOURCE))
    at = run.address("source `r`")
    for body, wanted in ((lines(0, 1), (2, 0)), (b'{"n":2}', (1, 0)), (b"", (0, 0)), (b'no\n{"n":3}\n{"n":"x"}\n', (3, 2)), (b'[{"n":4},{"n":5}]', (2, 0))):
        answer = post(at, "/in?x=y", body)
        must(answer.status == 200 and answer.fields["content-type"] == "application/json", f"{answer.status} {answer.text}")
        must_be(json.loads(answer.text), {"records": wanted[0], "failed": wanted[1]}, f"the answer to {body!r}")
    run.stop()
    must_be(numbers(rows(folder / "out.jsonl")), list(range(6)))
    errors = rows(folder / "errors.jsonl")
    must_be([int(error["input"].rsplit(":", 1)[1]) for error in errors], [1, 3], "lines of errors")
    must(all(error["input"].startswith("http 127.0.0.1:") for error in errors), errors)


def what_is_no_request_changes_nothing(folder):
    run = Run(folder, script('http(listen: "127.0.0.1:0/in", format: csv)'))
    at = run.address("source `r`")
    for wanted, path, body, fields, method in (
        (404, "/", b"n,pad\n1,x\n", {}, "POST"), (404, "/in/", b"n,pad\n1,x\n", {}, "POST"), (405, "/in", None, {}, "GET"), (405, "/in", b"n,pad\n1,x\n", {}, "PUT"),
        (415, "/in", b"n,pad\n1,x\n", {"Content-Encoding": "gzip"}, "POST"), (403, "/in", b"n,pad\n1,x\n", {"Origin": "https://evil.example"}, "POST"),
        (421, "/in", b"n,pad\n1,x\n", {"Host": "evil.example"}, "POST"), (413, "/in", b"x" * ((1 << 20) + 1), {}, "POST"),
        (400, "/in", b"other,pad\n1,x\n", {}, "POST"), (400, "/in", b"n,pad\n1,x\n", {"Idempotency-Key": "k" * 256}, "POST"),
        (400, "/in", b"n,pad\n1,x\n", {"Idempotency-Key": "a b"}, "POST"), (431, "/in", b"", {"X": "x" * 9000}, "POST"),
    ):
        try:
            answer = post(at, path, body, fields, method)
        except OSError as problem:
            raise harness.Wrong(f"{wanted}: {problem}") from problem
        must(answer.status == wanted and answer.text, f"{answer.status} {answer.text} where {wanted} is wanted")
    must_be(post(at, "/in", b"n,pad\n7,x\n", {"Idempotency-Key": "k" * 255}).status, 200, "the answer")
    most = b"n,pad\n8," + b"x" * ((1 << 20) - 9) + b"\n"
    must_be((len(most), post(at, "/in", most).status), (1 << 20, 200), "the answer to the longest body")
    run.stop()
    must_be(numbers(rows(folder / "out.jsonl")), [7, 8])
    must_be(rows(folder / "errors.jsonl"), [], "errors")


def a_key_is_taken_once(folder):
    run = Run(folder, script(SOURCE))
    at = run.address("source `r`")
    first = post(at, "/in", lines(1, 2), {"Idempotency-Key": "a"})
    must("idempotent-replayed" not in first.fields, first.fields)
    for _ in range(3):
        again = post(at, "/in", lines(1, 2), {"Idempotency-Key": "a"})
        must((again.status, again.text, again.fields["idempotent-replayed"]) == (200, first.text, "true"), f"{again.status} {again.text} {again.fields}")
    must_be(post(at, "/in", lines(9), {"Idempotency-Key": "a"}).status, 422, "another body")
    must_be(post(at, "/in", lines(3), {"Idempotency-Key": "b"}).status, 200, "another key")
    must_be([post(at, "/in", lines(4)).status for _ in range(2)], [200, 200], "no key")
    run.stop()
    must_be(numbers(rows(folder / "out.jsonl")), [1, 2, 3, 4, 4])


class HeldUp:
    """A run whose sink takes nothing any more. Of two senders one at least was refused; one may wait for its answer."""

    def __init__(self, folder):
        receiver = listen()
        self.run = Run(folder, script(SOURCE, 'tcp(connect: "%s:%d")' % receiver.getsockname()).replace("select n = n", "select n = n, pad"))
        self.peer, _ = receiver.accept()
        receiver.close()
        self.at = self.run.address("source `r`")
        self.taken, self.refused = [], []
        self.senders = [threading.Thread(target=self.send, args=[first]) for first in (0, 100)]
        for sender in self.senders:
            sender.start()
        until(lambda: self.refused, lambda: f"it takes more than there is room for: {len(self.taken)} requests")
        must(len(self.taken) < 200, f"{len(self.taken)} requests of 0.5 MB were taken")

    def send(self, n):
        while not self.refused:
            answer = post(self.at, "/in", b"".join(b'{"n":%d,"pad":"%s"}\n' % (k, b"x" * 5000) for k in range(n, n + 100)))
            (self.taken if answer.status == 200 else self.refused).append(n if answer.status == 200 else answer)
            n += 200

    def end(self, *more):
        """Everything is read: rows of what was taken, each once, and these."""
        if not isinstance(self.peer, harness.Receiver):
            self.peer = harness.Receiver(self.peer)
        for sender in self.senders:
            sender.join(LIMIT)
        self.run.stop()
        got = numbers_of(self.peer.end())
        must_be(sorted(got), sorted([n + i for n in self.taken for i in range(100)] + list(more)))


def who_is_held_up_gets_it_back(folder):
    held = HeldUp(folder)
    answer = held.refused[0]
    must(answer.status == 503 and answer.fields["retry-after"] == "1" and "nothing of this was taken" in answer.text, f"{answer.status} {answer.text}")
    # While one waits, another with its key is not taken beside it; then both may come again.
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(post(held.at, "/in", lines(-1), {"Idempotency-Key": "k"}).status)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    must_be(sorted(answers), [409, 503], "answers")
    held.peer = harness.Receiver(held.peer)
    until(lambda: post(held.at, "/in", lines(-1), {"Idempotency-Key": "k"}).status == 200, "it was not taken")
    held.end(-1)


def more_than_fit_are_told(folder):
    held = HeldUp(folder)
    peers = []
    for _ in range(80):
        peers.append(socket.create_connection(held.at, timeout=LIMIT))
        peers[-1].sendall(b"POST /in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\n" + b'{"n":1}\n')
    replies = [one.recv(4096) for one in peers]
    statuses = [int(reply.split(b" ", 2)[1]) for reply in replies if reply]
    must(len(statuses) >= 64, f"{len(statuses)} answers")
    must_be(set(statuses), {503}, "answers")
    for one in peers:
        one.close()
    held.end()


def each_of_many_senders_is_answered(folder):
    run = Run(folder, script(SOURCE), "--batch", "16")
    at = run.address("source `r`")
    problems = []

    def send(begin):
        import http.client
        peer = http.client.HTTPConnection(*at, timeout=LIMIT)
        for n in range(begin, begin + 100, 4):
            peer.request("POST", "/in", lines(n, n + 1, n + 2, n + 3))
            reply = peer.getresponse()
            text = reply.read()
            if reply.status != 200 or json.loads(text)["records"] != 4:
                problems.append(f"{reply.status} {text}")
        peer.close()
    threads = [threading.Thread(target=send, args=[100 * i]) for i in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    must(not problems, problems)
    run.stop()
    got = numbers(rows(folder / "out.jsonl"))
    must_be(sorted(got), list(range(1600)))
    for i in range(16):
        of_one = [n for n in got if n // 100 == i]
        must_be(of_one, sorted(of_one), "the order of one sender")


def what_was_answered_has_run(folder):
    """Interrupted while requests come: each that was answered by 200 has its rows, and those of others are whole or not there."""
    run = Run(folder, script(SOURCE))
    at = run.address("source `r`")
    answered, over = [], threading.Event()

    def send(first):
        n = first
        while not over.is_set():
            try:
                answer = post(at, "/in", lines(*range(n, n + 10)))
            except OSError:
                return
            if answer.status == 200:
                answered.append(n)
            n += 10
    threads = [threading.Thread(target=send, args=[1_000_000 * i]) for i in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: len(answered) > 200, "requests are answered")
    run.stop()
    over.set()
    for thread in threads:
        thread.join()
    got = numbers(rows(folder / "out.jsonl"))
    must(len(got) == len(set(got)), "rows came twice")
    must({n + i for n in answered for i in range(10)} <= set(got), "a request was answered and its rows are not there")
    must(len(got) % 10 == 0, "a part of a request")


def an_edit_moves_the_port(folder):
    def free():
        with listen() as listener:
            return listener.getsockname()[1]
    one, two = free(), free()
    first, second = (f'http(listen: "127.0.0.1:{port}/in")' for port in (one, two))
    run = Run(folder, script(first), edits=[(script(second, version=2), 100)])
    run.until_said(rf"listens on 127.0.0.1:{two}/in")
    for n in range(0, 100, 10):
        must_be(post(("127.0.0.1", one), "/in", lines(*range(n, n + 10))).status, 200, "before the cut")
    run.until_said("v2 runs")
    must_be(post(("127.0.0.1", two), "/in", lines(*range(100, 110))).status, 200, "behind the cut")
    try:
        post(("127.0.0.1", one), "/in", lines(1))
        raise harness.Wrong("the old port is open")
    except OSError:
        pass
    run.stop()
    must_be(rows(folder / "out.jsonl"), [{"n": n, "v": 1 + (n >= 100)} for n in range(110)])


def an_edit_divides_a_request(folder):
    run = Run(folder, script(SOURCE), "--batch", "8", edits=[(script(SOURCE, version=2), 33)])
    answer = post(run.address("source `r`"), "/in", lines(*range(100)))
    must_be(json.loads(answer.text), {"records": 100, "failed": 0}, "the answer")
    run.stop()
    must_be(rows(folder / "out.jsonl"), [{"n": n, "v": 1 + (n >= 33)} for n in range(100)])


def sending(folder, receiver, count, *args, more="", options="", **rest):
    return Run(folder, generated(count, sink=f'http(post: "http://{receiver.at}/in"{options})', more=more, **rest), *args)


def fails_once(handler):
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def is_cut_off(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
    handler.wfile.flush()
    fails_once(handler)


def what_passes_is_sent_again(folder):
    receiver = Receiver()
    for answer in ((503, {"Retry-After": "1"}), fails_once, (429, {}), is_cut_off, (409, {"Retry-After": "0"}), (202, {})):
        receiver.answers.put(answer)
    receiver.open_gate.set()
    run = sending(folder, receiver, "", rate=500)
    until(lambda: len(receiver.taken()) > 1, lambda: f"{len(receiver.posts)} requests: {run.said()}")
    run.stop()
    receiver.end()
    got = numbers_of(b"".join(receiver.taken()))
    must_be(got, list(range(len(got))))
    first = receiver.posts[:6]
    must(len({one[1]["Idempotency-Key"] for one in first}) == 1 and len({one[2] for one in first}) == 1, "the same request")
    must(first[1][4] - first[0][4] >= 1, "Retry-After was not waited for")
    keys = [one[1]["Idempotency-Key"] for one in receiver.posts[5:]]
    must(len(set(keys)) == len(keys), "a key is of one request")
    must("sending again" in run.said() and "503 Service Unavailable: no" in run.said(), run.said())


def what_does_not_pass_ends_the_run(folder):
    for status, fields, words in ((400, {}, "400 Bad Request: no"), (401, {}, "401"), (413, {}, "413"), (409, {}, "409"),
                                  (308, {"Location": "http://elsewhere/"}, "redirections are not followed: write http://elsewhere/")):
        receiver = Receiver()
        receiver.answers.put((status, fields))
        receiver.open_gate.set()
        run = sending(folder, receiver, "")
        said = run.end(3)
        must("sink `o`" in said and words in said, said)
        must_be(len(receiver.posts), 1, "requests")
        receiver.end()


def requests_are_of_whole_records(folder):
    receiver = Receiver()
    run = sending(folder, receiver, 30_000, more=f', t = "{"y" * 50}\\"\\n{"y" * 50}"', options=", format: csv")
    until(lambda: receiver.connections > 0, "it connects")
    time.sleep(0.5)  # so that rows gather
    receiver.open_gate.set()
    run.end()
    receiver.end()
    import csv
    import io
    got = []
    for path, fields, body, _, _ in receiver.posts:
        must(path == "/in" and fields["Content-Type"] == "text/csv" and len(body) <= (256 << 10) + 100, f"{path} {fields} {len(body)}")
        got += [int(row["n"]) for row in csv.DictReader(io.StringIO(body.decode(), newline=""))]
    must_be(got, list(range(30_000)))
    must(len(receiver.posts) >= 10 and receiver.connections == 1, f"{len(receiver.posts)} requests over {receiver.connections} connections")


def a_record_that_is_long_is_sent_alone(folder):
    receiver = Receiver()
    receiver.open_gate.set()
    run = sending(folder, receiver, 5, more=f', t = "{"y" * 300_000}"')
    run.end()
    receiver.end()
    must_be(numbers_of(b"".join(receiver.taken())), list(range(5)))


def connections_that_were_closed_are_made_again(folder):
    receiver = Receiver()
    receiver.open_gate.set()
    for _ in range(200):
        receiver.answers.put(lambda handler: (handler.reply(200, {}), setattr(handler, "close_connection", True)))
    run = sending(folder, receiver, 50, rate=100)
    run.end()
    receiver.end()
    must_be(numbers_of(b"".join(one[2] for one in receiver.posts)), list(range(50)))
    must("sending again" not in run.said(), run.said())


def it_gives_up_when_it_is_told(folder):
    receiver = Receiver()
    for _ in range(100):
        receiver.answers.put((500, {}))
    receiver.open_gate.set()
    run = sending(folder, receiver, "", options=", give_up: 1s")
    said = run.end(3)
    must("nothing was taken for" in said and "500" in said and "are not known to have arrived" in said, said)
    receiver.end()


def one_run_sends_to_another(folder):
    (folder / "to").mkdir()
    (folder / "from").mkdir()
    to = Run(folder / "to", script(SOURCE))
    host, port = to.address("source `r`")
    sender = Run(folder / "from", generated(20_000, sink=f'http(post: "http://{host}:{port}/in")'))
    sender.end()
    to.stop()
    must_be(numbers(rows(folder / "to" / "out.jsonl")), list(range(20_000)))


def addresses_are_checked(folder):
    for connector, words in (
        ('http(listen: "0.0.0.0:80/in")', "only this machine is served"), ('http(listen: "example.org:80/in")', "only this machine"), ("http()", "listen"),
        ('http(listen: "127.0.0.1:8080/in?x=1")', "no query"), ('http(listen: "127.0.0.1:8080/a b")', "host:port/path"), ('http(post: "http://127.0.0.1/in")', "it is of a sink"),
        ('http(listen: "127.0.0.1:0/in", give_up: 1m)', "it is of a sink"),
    ):
        run = Run(folder, script(connector))
        said = run.end(1)
        must(words in said, f"{connector}: {said}")
    for connector, words in (('http(post: "http://u:p@h/in")', "host:port/path"), ('http(post: "http://127.0.0.1:0/in")', "port 0"),
                             ('http(listen: "127.0.0.1:0/in")', "it is of a source"), ('http(post: "http://h/", give_up: -1s)', "negative")):
        run = Run(folder, generated(1, sink=connector))
        said = run.end(1)
        must(words in said, f"{connector}: {said}")
    taken = listen()
    at = "{}:{}".format(*taken.getsockname())
    said = Run(folder, script(f'http(listen: "{at}/in")')).end(3)
    must("another program listens there" in said, said)
    taken.close()
    said = Run(folder, generated(1, sink=f'http(post: "http://{at}/in")')).end(3)
    must("Connection refused" in said, said)


def the_page_says_true(folder):
    """The first script of docs/connectors/http.md, with what is sent to it, the answer, and what comes out."""
    page = (ROOT / "docs/connectors/http.md").read_text()
    blocks = re.findall(r"^```(\w+)[^\n]*\n(.*?)^```", page, re.M | re.S)
    must([language for language, _ in blocks[:4]] == ["mut", "input", "answer", "output"], f"blocks: {[one for one, _ in blocks]}")
    text, sent, answer, wanted = (body for _, body in blocks[:4])
    must('"127.0.0.1:8080/orders"' in text, "the address is another one")
    run = Run(folder, text.replace("127.0.0.1:8080", "127.0.0.1:0"), stdout=subprocess.PIPE)
    must_be(post(run.address("source `orders`"), "/orders", sent.encode()).text, answer, "the answer")
    must_print(run, wanted)


def judge():
    for claim in (a_request_is_answered_by_what_became_of_it, what_is_no_request_changes_nothing, a_key_is_taken_once, who_is_held_up_gets_it_back,
                  more_than_fit_are_told, each_of_many_senders_is_answered, what_was_answered_has_run, an_edit_moves_the_port, an_edit_divides_a_request,
                  what_passes_is_sent_again, what_does_not_pass_ends_the_run, requests_are_of_whole_records, a_record_that_is_long_is_sent_alone,
                  connections_that_were_closed_are_made_again, it_gives_up_when_it_is_told, one_run_sends_to_another, addresses_are_checked, the_page_says_true):
        case("http: " + claim.__name__.replace("_", " "), claim)
