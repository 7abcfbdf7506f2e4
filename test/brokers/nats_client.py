"""As much of the protocol of NATS as the claims need: publish, subscribe, ask, streams."""
import json
import socket
import threading
import time

CHUNK = 1 << 16


class NatsClient:
    def __init__(self, port, wait=10):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=wait)
        self.wait = wait
        self.text = b""
        self.answers = {}   # by subject that was asked with
        self.received = []  # (subject, payload)
        self.pongs = 0
        self.changed = threading.Condition()
        self.over = False
        self.asked = 0
        self.line()  # INFO
        self.send(b'CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true}\r\nPING\r\n')
        self.socket.settimeout(None)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()
        self.send(b"SUB _A.* 1\r\n")
        self.flush()

    def send(self, data):
        self.socket.sendall(data)

    def line(self):
        while b"\r\n" not in self.text:
            self.more()
        line, self.text = self.text.split(b"\r\n", 1)
        return line

    def more(self):
        piece = self.socket.recv(CHUNK)
        if not piece:
            raise OSError("the server has closed the connection")
        self.text += piece

    def read(self):
        try:
            while True:
                words = self.line().split()
                if words[0] == b"PING":
                    self.send(b"PONG\r\n")
                elif words[0] == b"PONG":
                    with self.changed:
                        self.pongs += 1
                        self.changed.notify_all()
                elif words[0] in (b"MSG", b"HMSG"):
                    self.message(words)
        except OSError:
            pass
        with self.changed:
            self.over = True
            self.changed.notify_all()

    def message(self, words):
        size = int(words[-1])
        pieces, have = [self.text], len(self.text)
        while have < size + 2:
            piece = self.socket.recv(CHUNK)
            if not piece:
                raise OSError("the server has closed the connection")
            pieces.append(piece)
            have += len(piece)
        self.text = b"".join(pieces)
        payload, self.text = self.text[:size], self.text[size + 2:]
        if words[0] == b"HMSG":
            payload = payload[int(words[-2]):]
        subject = words[1].decode()
        with self.changed:
            if subject.startswith("_A."):
                self.answers[subject] = payload
            else:
                self.received.append((subject, payload))
            self.changed.notify_all()

    def wait_for(self, holds, what):
        with self.changed:
            if not self.changed.wait_for(lambda: holds() or self.over, self.wait) or not holds():
                raise OSError(f"NATS: {what} did not come")

    def flush(self):
        """The server has read everything."""
        wanted = self.pongs + 1
        self.send(b"PING\r\n")
        self.wait_for(lambda: self.pongs >= wanted, "an answer")

    def publish(self, subject, payloads):
        self.send(b"".join(b"PUB %s %d\r\n%s\r\n" % (subject.encode(), len(text), text) for text in payloads))
        self.flush()

    def subscribe(self, subject, queue=""):
        self.send(f"SUB {subject} {queue} 2\r\n".encode())
        self.flush()

    def ask(self, subject, value=None):
        self.asked += 1
        inbox = f"_A.{self.asked}"
        text = b"" if value is None else json.dumps(value).encode()
        self.send(b"PUB %s %s %d\r\n%s\r\n" % (subject.encode(), inbox.encode(), len(text), text))
        self.wait_for(lambda: inbox in self.answers, f"an answer of {subject}")
        return json.loads(self.answers.pop(inbox) or "null")

    # ---- streams
    def make_stream(self, name, subjects, **more):
        answer = self.ask(f"$JS.API.STREAM.CREATE.{name}", {"name": name, "subjects": subjects, "storage": "file",
                                                             "retention": "limits", "num_replicas": 1, **more})
        if "error" in answer:
            raise OSError(f"NATS: {answer['error']}")

    def store(self, subject, payloads):
        """Publishes and waits until the stream has it all."""
        inboxes, text = [], []
        for payload in payloads:
            self.asked += 1
            inboxes.append(f"_A.{self.asked}")
            text.append(b"PUB %s %s %d\r\n%s\r\n" % (subject.encode(), inboxes[-1].encode(), len(payload), payload))
        self.send(b"".join(text))
        self.wait_for(lambda: all(inbox in self.answers for inbox in inboxes), "an answer of the stream")
        for inbox in inboxes:
            answer = json.loads(self.answers.pop(inbox) or "{}")
            if "error" in answer or not answer:
                raise OSError(f"NATS: {answer}")

    def stream_messages(self, name):
        """Payloads of all its messages."""
        state = self.ask(f"$JS.API.STREAM.INFO.{name}")["state"]
        if not state["messages"]:
            return []
        self.asked += 1
        inbox = f"all.{self.asked}"
        before = len(self.received)
        self.subscribe(inbox)
        answer = self.ask(f"$JS.API.CONSUMER.CREATE.{name}",
                          {"stream_name": name, "config": {"deliver_subject": inbox, "ack_policy": "none",
                                                           "deliver_policy": "all"}})
        if "error" in answer:
            raise OSError(f"NATS: {answer['error']}")
        self.wait_for(lambda: len(self.received) - before >= state["messages"], "all of the stream")
        return [payload for subject, payload in self.received[before:]]

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)  # the thread that reads ends
        except OSError:
            pass
        self.thread.join(self.wait)
        self.socket.close()


def connect(port, wait=10):
    """Again and again while the server begins."""
    end = time.monotonic() + wait
    while True:
        try:
            return NatsClient(port, wait)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
