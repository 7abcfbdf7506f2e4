"""Certificates for tests, made by `openssl` when the first is asked for, and sockets that use them."""
import atexit
import pathlib
import shutil
import ssl
import subprocess
import tempfile

import harness
from harness import LIMIT

made = {}


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def folder():
    """Holds `ca.pem`; `server`, `other`, `expired`, `client` of it; `stranger` with its own `stranger_ca.pem`: each a `.pem` and a `.key`."""
    if not made:
        made["folder"] = pathlib.Path(tempfile.mkdtemp())
        atexit.register(shutil.rmtree, made["folder"], True)
        at = made["folder"]
        for authority in ("ca", "stranger_ca"):
            openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", at / f"{authority}.key", "-out", at / f"{authority}.pem",
                    "-days", "2", "-subj", f"/CN={authority}")
        localhost = "DNS:localhost,IP:127.0.0.1,IP:::1"
        for name, of, authority, days in (("server", localhost, "ca", "2"), ("other", "DNS:other.example", "ca", "2"), ("expired", localhost, "ca", "-1"),
                                          ("client", "DNS:client", "ca", "2"), ("stranger", localhost, "stranger_ca", "2")):
            (at / "extension").write_text(f"subjectAltName={of}\n")
            openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", at / f"{name}.key", "-out", at / "request", "-subj", f"/CN={name}")
            openssl("x509", "-req", "-in", at / "request", "-CA", at / f"{authority}.pem", "-CAkey", at / f"{authority}.key", "-CAcreateserial", "-days", days,
                    "-extfile", at / "extension", "-out", at / f"{name}.pem")
    return made["folder"]


def files(name):
    """Options of a connector: what it shows."""
    return f'cert: "{folder() / name}.pem", cert_key: "{folder() / name}.key"'


def trusts(authority="ca"):
    return f'ca: "{folder() / authority}.pem"'


def connecting(client=None, authority="ca"):
    """What a peer that connects goes by."""
    context = ssl.create_default_context(cafile=folder() / f"{authority}.pem")
    if client:
        context.load_cert_chain(folder() / f"{client}.pem", folder() / f"{client}.key")
    return context


def listening(name="server", clients=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder() / f"{name}.pem", folder() / f"{name}.key")
    if clients:
        context.load_verify_locations(folder() / f"{clients}.pem")
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def accept(listener, context):
    peer = listener.accept()[0]
    peer.settimeout(LIMIT)
    return context.wrap_socket(peer, server_side=True, suppress_ragged_eofs=False)


def connect(address, context, name="localhost"):
    """An end without a goodbye is an error of this peer too."""
    return context.wrap_socket(harness.connect(address), server_hostname=name, suppress_ragged_eofs=False)


def say_goodbye(peer):
    """Ends it in order; the other side may have gone."""
    try:
        peer.unwrap()
    except OSError:
        pass
    peer.close()
