"""A client of WebSocket, of what `mutc` listens on."""
import base64
import os
import struct
import threading

import harness
from harness import LIMIT
from server import BINARY, CLOSE, PING, PONG, TEXT


def masked(payload, opcode=TEXT, last=True, mask=b"\x12\x34\x56\x78"):
    size = len(payload)
    head = bytes([opcode | (0x80 if last else 0)])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 65536:
        head += b"\xfe" + struct.pack(">H", size)
    else:
        head += b"\xff" + struct.pack(">Q", size)
    whole = (mask * (size // 4 + 1))[:size]
    return head + mask + (int.from_bytes(payload, "big") ^ int.from_bytes(whole, "big")).to_bytes(size, "big")


def request(path="/feed", **more):
    fields = {"Host": "localhost", "Upgrade": "websocket", "Connection": "keep-alive, Upgrade", "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
              "Sec-WebSocket-Version": "13"}
    fields.update({name.replace("_", "-"): value for name, value in more.items()})
    return (f"GET {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None) + "\r\n").encode()


def read_head(conn):
    """Status and the whole head."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = conn.recv(1)
        if not piece:
            raise OSError("it was closed")
        head += piece
    return int(head.split(b" ", 2)[1]), head.decode()


class Client(threading.Thread):
    """Connects, and reads messages until it is told to stop; `reads` off: reads nothing."""

    def __init__(self, address, context=None, reads=True, **fields):
        super().__init__(daemon=True)
        self.conn = harness.connect(address)
        if context:
            self.conn = context.wrap_socket(self.conn, server_hostname="localhost")
        self.conn.sendall(request(**fields))
        self.status, self.head = read_head(self.conn)
        self.texts, self.pongs, self.pings, self.wrong, self.closed = [], [], 0, [], None
        self.data = b""
        if self.status == 101 and reads:
            self.start()

    def send(self, *payloads):
        self.conn.sendall(b"".join(masked(payload) for payload in payloads))

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
            while True:
                first, second = self.exactly(2)
                size = second & 0x7F
                if size > 125:
                    size = struct.unpack(">H" if size == 126 else ">Q", self.exactly(2 if size == 126 else 8))[0]
                if second & 0x80 or first & 0x70 or not first & 0x80:
                    self.wrong.append(f"a frame {first:x} {second:x}")
                payload = self.exactly(size)
                opcode = first & 15
                if opcode in (TEXT, BINARY):
                    self.texts.append(payload)
                elif opcode == PONG:
                    self.pongs.append(payload)
                elif opcode == PING:
                    self.pings += 1
                    self.conn.sendall(masked(payload, PONG))
                elif opcode == CLOSE:
                    self.closed = struct.unpack(">H", payload[:2])[0], payload[2:].decode()
        except (OSError, EOFError):
            pass

    def end(self):
        self.join(LIMIT)
        harness.must(not self.is_alive(), "the connection was not closed")
        self.conn.close()
        return self.closed

    def leave(self):
        self.conn.sendall(masked(b"\x03\xe8", CLOSE))
        return self.end()
