"""Peers of HTTP for the tables of sources and sinks: a sender of records by POST, and a receiver of them."""
import http.client
import http.server
import queue
import subprocess
import threading
import time

from harness import LIMIT, must
from texts import FORMATS


class Answer:
    def __init__(self, status, fields, text):
        self.status, self.fields, self.text = status, fields, text


def post(address, path, body, fields=None, method="POST"):
    """One request over a connection of its own."""
    peer = http.client.HTTPConnection(*address, timeout=LIMIT)
    try:
        peer.request(method, path, body, fields or {})
        reply = peer.getresponse()
        return Answer(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read().decode())
    finally:
        peer.close()


class HttpIn:
    """Sends whole records; what is held up is sent again with the same key."""
    name, abrupt, ends, reads = "http", False, False, True

    def __init__(self, folder, form):
        self.source = f'http(listen: "127.0.0.1:0/in", format: {form})'
        self.stdin = subprocess.DEVNULL
        self.header_wanted = bool(FORMATS[form][1])
        self.again(None)
        self.keys, self.fields = 0, {}

    def open(self, run):
        self.address = run.address("source `r`")
        self.peer = http.client.HTTPConnection(*self.address, timeout=LIMIT)

    def again(self, run):
        self.held, self.header = b"", b""

    def send(self, data):
        self.held += data
        end = self.held.rfind(b"\n") + 1
        # A line end between quotes ends no record.
        while end and self.held[:end].count(b'"') % 2 and self.header_wanted:
            end = self.held.rfind(b"\n", 0, end - 1) + 1
        if end:
            self.send_records(self.held[:end])
            self.held = self.held[end:]

    def send_records(self, records):
        if self.header_wanted and not self.header:
            self.header, records = records.split(b"\n", 1)
            self.header += b"\n"
            if not records:
                return
        self.keys += 1
        while True:
            try:
                self.peer.request("POST", "/in", self.header + records, {"Idempotency-Key": f"k{self.keys}", **self.fields})
                reply = self.peer.getresponse()
                text = reply.read()
            except http.client.HTTPException as problem:
                raise OSError(str(problem)) from problem
            if reply.status == 200:
                return
            if reply.status != 503 or b"held up" not in text:
                raise OSError(f"{reply.status} {text!r}")
            must(int(reply.headers["Retry-After"]) >= 1, "Retry-After")

    def close(self):
        if self.held:
            self.send_records(self.held)
            self.held = b""
        self.peer.close()


class Receiver(http.server.ThreadingHTTPServer):
    """Takes requests; `answers` gives for each what is answered: a status and fields, or a function of the handler. Empty: 200."""
    daemon_threads = True

    def __init__(self, port=0, path="/in", tls=None):
        self.posts, self.answers, self.connections = [], queue.Queue(), 0
        self.open_gate = threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16  # an answer goes out at once

            def setup(self):
                receiver.connections += 1
                super().setup()

            def finish(self):
                try:
                    super().finish()
                except OSError:
                    pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.open_gate.wait()
                try:
                    answer = receiver.answers.get_nowait()
                except queue.Empty:
                    answer = (200, {})
                receiver.posts.append((self.path, dict(self.headers), body, answer, time.monotonic()))
                if callable(answer):
                    return answer(self)
                self.reply(*answer)

            def reply(self, status, fields, text=b"no"):
                self.send_response(status)
                for name, value in {**fields, "Content-Length": str(len(text))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

            def handle(self):
                try:
                    super().handle()
                except OSError:
                    pass

        super().__init__(("127.0.0.1", port), Handler)
        if tls:
            # Both sides agree when the first byte is read, by the thread of the connection.
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.at = "127.0.0.1:%d" % self.server_address[1]
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def taken(self):
        """Bodies that were answered by 2xx, each key once."""
        seen, out = set(), []
        for _, fields, body, answer, _ in self.posts:
            if isinstance(answer, tuple) and 200 <= answer[0] < 300 and fields["Idempotency-Key"] not in seen:
                seen.add(fields["Idempotency-Key"])
                out.append(body)
        return out

    def end(self):
        self.open_gate.set()
        self.shutdown()
        self.server_close()


class HttpOut:
    name, slow = "http", True
    stdout = subprocess.DEVNULL

    def __init__(self, folder, form="json"):
        self.receiver = Receiver()
        self.has_header = form != "json"
        self.sink = f'http(post: "http://{self.receiver.at}/in", format: {form})'

    def open(self, run):
        pass

    def take(self):
        self.receiver.open_gate.set()
        return self

    def data(self):
        """Rows of all, behind one header."""
        bodies = self.receiver.taken()
        if not self.has_header or not bodies:
            return b"".join(bodies)
        header = bodies[0].split(b"\n", 1)[0] + b"\n"
        must(all(body.startswith(header) for body in bodies), "a request without its header")
        return header + b"".join(body[len(header):] for body in bodies)

    def end(self):
        self.receiver.end()
        return self.data()
