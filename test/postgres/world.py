"""One server for all claims, each of which has a user's view of it: scripts, and SQL."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "tools"), str(ROOT / "test/connectors")]
import service  # noqa: E402
from harness import LIMIT, MUTC, Run, Skipped, Wrong, case, close, must, rows, until, until_rows  # noqa: E402,F401

PASSWORD = "CANARY-pw"
os.environ["MUT_TEST_PASSWORD"] = PASSWORD
folder = None
server = None


def certificate(home):
    """A key, and a certificate of 127.0.0.1 that signs itself; None where there is no openssl."""
    key, cert = home / "server.key", home / "server.crt"
    if not shutil.which("openssl"):
        return None
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert], check=True, capture_output=True)
    if os.getuid() == 0:
        shutil.chown(key, "postgres")
    key.chmod(0o600)
    cert.chmod(0o644)
    return cert


def begin():
    """False: there is no server here."""
    global folder, server
    kind = service.find("postgres")
    if kind.missing():
        print(kind.missing())
        return False
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mut-postgres-"))
    folder.chmod(0o711)
    cert = certificate(folder)
    tls = ["ssl=on", f"ssl_cert_file={cert}", f"ssl_key_file={folder / 'server.key'}"] if cert else []
    server = kind(folder / "server", PASSWORD, tls)
    server.start()
    return True


def sql(text, **options):
    """What it gives: a line for each row."""
    return server.sql(text, **options)


def end():
    server.kill()
    shutil.rmtree(folder, ignore_errors=True)


def connector(rest, user="mut", password='env("MUT_TEST_PASSWORD")', database="shop", host=None):
    return f'postgres(host: "{host or server.address}", database: "{database}", user: "{user}", password: {password}, {rest})'


def sql(text, **options):
    return server.sql(text, **options)


def finish(folder, script, code=0, args=()):
    """A run to its end: what it said. No password is in it."""
    said = Run(folder, script, *args).end(code)
    must("CANARY" not in said, lambda: f"the password was said: {said}")
    return said


def told(text):
    """Where MUT_TIMES asks for figures."""
    if os.environ.get("MUT_TIMES"):
        print(text, flush=True)
