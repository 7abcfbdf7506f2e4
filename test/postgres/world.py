"""One server for all claims, each of which has a user's view of it: scripts, and SQL."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "tools"), str(ROOT / "test/connectors"), str(ROOT / "test/brokers")]
import authority  # noqa: E402
import service  # noqa: E402
from harness import LIMIT, MUTC, Run, Skipped, Wrong, case, close, must, rows, until, until_rows  # noqa: E402,F401

PASSWORD = "CANARY-pw"
os.environ["MUT_TEST_PASSWORD"] = PASSWORD
folder = None
server = None
files = None  # Certificates


def encryption(home):
    """Settings of a server with a certificate of 127.0.0.1 and localhost, and the authority that has to have signed those of users."""
    global files
    home.mkdir()
    files = authority.Certificates(home)
    key = files.path("server.key")
    if os.getuid() == 0:
        shutil.chown(key, "postgres")
    key.chmod(0o600)
    for name in ("client.key", "mine.key", "locked.key"):
        files.path(name).chmod(0o600)
    return ["ssl=on", f"ssl_cert_file={files.path('server.pem')}", f"ssl_key_file={key}", f"ssl_ca_file={files.path('ca.pem')}"]


def begin():
    """False: there is no server here."""
    global folder, server
    kind = service.find("postgres")
    if kind.missing():
        print(kind.missing())
        return False
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mut-postgres-"))
    folder.chmod(0o711)
    server = kind(folder / "server", PASSWORD, encryption(folder / "certificates"))
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
