"""A server of WebSocket, of which each connection is a thread."""
import base64
import hashlib
import socket
import struct
import threading

from harness import LIMIT, listen

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def frame(payload, opcode=TEXT, last=True):
    size = len(payload)
    head = bytes([opcode | (0x80 if last else 0)])
    if size < 126:
        return head + bytes([size]) + payload
    if size < 65536:
        return head + b"\x7e" + struct.pack(">H", size) + payload
    return head + b"\x7f" + struct.pack(">Q", size) + payload


class Peer:
    """One connection that has come."""

    def __init__(self, server, conn):
        self.server, self.conn, self.data, self.head = server, conn, b"", ""
        self.pongs, self.hello, self.closed = [], threading.Event(), threading.Event()
        conn.settimeout(LIMIT)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def exactly(self, count):
        while len(self.data) < count:
            piece = self.conn.recv(1 << 16)
            if not piece:
                raise EOFError
            self.data += piece
        out, self.data = self.data[:count], self.data[count:]
        return out

    def run(self):
        try:
            if self.server.tls:
                self.conn = self.server.tls.wrap_socket(self.conn, server_side=True)
            while b"\r\n\r\n" not in self.data:
                piece = self.conn.recv(1 << 16)
                if not piece:
                    raise EOFError
                self.data += piece
            head, self.data = self.data.split(b"\r\n\r\n", 1)
            self.head = head.decode()
            fields = dict(line.split(": ", 1) for line in self.head.split("\r\n")[1:])
            accept = base64.b64encode(hashlib.sha1((fields["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
            answer = self.server.answer or b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n" % accept
            self.conn.sendall(answer + self.server.greeting)
            self.hello.set()
            while True:
                self.server.gate.wait(LIMIT)
                first, second = self.exactly(2)
                size = second & 0x7F
                if size > 125:
                    size = struct.unpack(">H" if size == 126 else ">Q", self.exactly(2 if size == 126 else 8))[0]
                if not second & 0x80:
                    self.server.wrong.append("a frame without a mask")
                mask = self.exactly(4)
                payload = self.exactly(size)
                payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload)) if size < 65536 else unmasked(payload, mask)
                opcode = first & 15
                if opcode == PING and self.server.answers_pings:
                    self.conn.sendall(frame(payload, PONG))
                elif opcode == PONG:
                    self.pongs.append(payload)
                elif opcode in (TEXT, BINARY):
                    self.server.texts.append(payload)
                elif opcode == CLOSE:
                    self.closed.set()
                    raise EOFError
        except (OSError, EOFError):
            self.hello.set()
            self.conn.close()

    def send(self, *payloads):
        self.conn.sendall(b"".join(frame(payload) for payload in payloads))

    def cut(self):
        self.conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        # An SSLSocket that is shut down by its own method gives what is encrypted to who reads it still.
        socket.socket.shutdown(self.conn, socket.SHUT_RDWR)
        self.conn.close()


def unmasked(payload, mask):
    whole = (mask * (len(payload) // 4 + 1))[:len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(whole, "big")).to_bytes(len(payload), "big")


class Server:
    def __init__(self, tls=None):
        self.tls = tls
        self.listener = listen()
        self.port = self.listener.getsockname()[1]
        self.peers, self.texts, self.wrong = [], [], []
        self.answer, self.greeting, self.answers_pings = None, b"", True
        self.gate = threading.Event()
        self.gate.set()
        self.thread = threading.Thread(target=self.run, args=(self.listener,), daemon=True)
        self.thread.start()

    def run(self, listener):
        try:
            while True:
                self.peers.append(Peer(self, listener.accept()[0]))
        except OSError:
            pass

    @property
    def url(self):
        return f"{'wss' if self.tls else 'ws'}://127.0.0.1:{self.port}/feed?x=1"

    def stop(self):
        """As if it had ended."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for peer in self.peers:
            try:
                peer.cut()
            except OSError:
                pass

    def start(self):
        self.listener = listen(port=self.port)
        self.thread = threading.Thread(target=self.run, args=(self.listener,), daemon=True)
        self.thread.start()
