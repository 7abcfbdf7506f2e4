"""PostgreSQL with the database `shop`, whose user `mut` has a password. Its server does not run as root: then it is user `postgres`."""
import os
import pathlib
import pwd
import signal
import subprocess

from .server import NotThere, Server

BIN = next(iter(sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), pathlib.Path("/usr/bin"))


class Service(Server):
    program, package = "postgres", "postgresql"
    stop_signal = signal.SIGINT  # "fast": sessions are ended

    def __init__(self, folder, password="mut", options=()):
        """`options`: settings of the server, "name=value"."""
        super().__init__(folder)
        self.password, self.options = password, list(options)
        self.data = self.folder / "data"

    @classmethod
    def found(cls):
        return str(BIN / "postgres") if (BIN / "postgres").exists() else None

    def as_user(self, *command):
        if os.getuid() != 0:
            return list(map(str, command))
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *map(str, command)]

    def prepare(self):
        if os.getuid() == 0:
            for parent in self.folder.parents:
                if not parent.stat().st_mode & 0o001:
                    raise NotThere(f"user postgres may not enter {parent}")
            os.chown(self.folder, pwd.getpwnam("postgres").pw_uid, -1)
        if (self.data / "PG_VERSION").exists():
            return
        said = self.folder / "password"
        said.write_text(self.password)
        if os.getuid() == 0:
            os.chown(said, pwd.getpwnam("postgres").pw_uid, -1)
        done = subprocess.run(self.as_user(BIN / "initdb", "-D", self.data, "-U", "mut", "-E", "UTF8", "--locale=C.UTF-8",
                                           "--auth=scram-sha-256", f"--pwfile={said}"), cwd=self.folder, capture_output=True)
        said.unlink()
        if done.returncode:
            raise NotThere(f"initdb: {done.stderr.decode(errors='replace')[-1000:]}")

    def command(self):
        settings = [f"port={self.port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=50",
                    *self.options]
        return self.as_user(self.found(), "-D", self.data, *(word for each in settings for word in ("-c", each)))

    def answers(self):
        return subprocess.run([BIN / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode == 0

    def start(self):
        super().start()
        if self.sql("SELECT 1 FROM pg_database WHERE datname = 'shop'", "postgres") != "1":
            self.sql("CREATE DATABASE shop", "postgres")

    def sql(self, text, database="shop", user="mut", password=None):
        """What it gives: a line for each row, `|` between columns."""
        env = {**os.environ, "PGPASSWORD": password or self.password}
        done = subprocess.run([BIN / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port),
                               "-U", user, "-d", database, "-f", "-"], input=text, text=True, capture_output=True, env=env)
        if done.returncode:
            raise OSError(f"psql: {done.stderr}")
        return done.stdout.rstrip("\n")

    # ---- it is several processes
    def processes(self):
        children = pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [self.pid, *map(int, children)]

    def signal_all(self, number):
        for pid in self.processes():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass  # a session that has ended

    def kill(self):
        if self.runs():
            self.signal_all(signal.SIGKILL)
        super().kill()

    def pause(self):
        self.signal_all(signal.SIGSTOP)

    def go_on(self):
        self.signal_all(signal.SIGCONT)
