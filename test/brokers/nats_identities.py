"""Identities of NATS, as its own tools make them: an operator, an account, a user with a file of credentials."""
import base64
import binascii
import hashlib
import json
import subprocess

OPERATOR, ACCOUNT, USER, SEED = 14 << 3, 0, 20 << 3, 18 << 3  # the first letter of their names: O, A, U, S


def text_of(raw):
    """As names and seeds are written: a sum behind, in base32."""
    return base64.b32encode(raw + binascii.crc_hqx(raw, 0).to_bytes(2, "little")).decode().rstrip("=")


class Identity:
    def __init__(self, folder, kind):
        self.key = folder / f"{kind}.key"
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", self.key], check=True, capture_output=True)
        self.seed = text_of(bytes([SEED | kind >> 5, (kind & 31) << 3]) + self.part("pkey", "-outform", "DER"))
        self.name = text_of(bytes([kind]) + self.part("pkey", "-pubout", "-outform", "DER"))

    def part(self, *args):
        """The last 32 bytes: the key itself."""
        return subprocess.run(["openssl", *args, "-in", self.key], check=True, capture_output=True).stdout[-32:]

    def sign(self, about, what):
        """A token that says that of `about`."""
        def packed(of):
            return base64.urlsafe_b64encode(of if isinstance(of, bytes) else json.dumps(of).encode()).rstrip(b"=")
        claims = {"iat": 1_700_000_000, "iss": self.name, "name": what["type"], "sub": about.name, "nats": {"version": 2, **what}}
        claims["jti"] = base64.b32encode(hashlib.sha256(json.dumps(claims).encode()).digest()).decode().rstrip("=")
        said = packed({"typ": "JWT", "alg": "ed25519-nkey"}) + b"." + packed(claims)
        text = self.key.with_suffix(".said")
        text.write_bytes(said)
        signature = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.key, "-in", text], check=True,
                                   capture_output=True).stdout
        return (said + b"." + packed(signature)).decode()


def make(folder):
    """What a server is told, and the text of a file of credentials that it lets in."""
    operator, account, user = (Identity(folder, kind) for kind in (OPERATOR, ACCOUNT, USER))
    unlimited = {"subs": -1, "data": -1, "payload": -1}
    limits = {**unlimited, "imports": -1, "exports": -1, "wildcards": True, "conn": -1, "leaf": -1}
    server = {"jetstream": False, "operator": operator.sign(operator, {"type": "operator"}), "resolver": "MEMORY",
              "resolver_preload": {account.name: operator.sign(account, {"type": "account", "limits": limits})}}
    token = account.sign(user, {"type": "user", **unlimited, "pub": {}, "sub": {}})
    credentials = (f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
                   f"-----BEGIN USER NKEY SEED-----\n{user.seed}\n------END USER NKEY SEED------\n")
    return server, credentials, user.seed
