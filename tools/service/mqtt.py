"""mosquitto; what it keeps is on the disk a second later, or when it ends in order."""
import os
import subprocess

from .server import Server, free_port


class Service(Server):
    program = package = "mosquitto"

    def __init__(self, folder, password=None, listeners=()):
        """With a password, the user is `mut`; `listeners`: more of them, each the lines of its configuration. `ports` has theirs."""
        super().__init__(folder)
        self.password, self.listeners = password, list(listeners)
        self.ports = [free_port() for _ in self.listeners]

    def prepare(self):
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        lines = [f"listener {self.port} 127.0.0.1", "persistence true", f"persistence_location {data}/",
                 "autosave_interval 1", "max_queued_messages 0", "log_dest stderr"]
        if self.password:
            subprocess.run(["mosquitto_passwd", "-b", "-c", self.folder / "users", "mut", self.password], check=True)
            lines += ["allow_anonymous false", f"password_file {self.folder / 'users'}"]
        else:
            lines.append("allow_anonymous true")
        for port, more in zip(self.ports, self.listeners):
            lines += [f"listener {port} 127.0.0.1", *more]
        if os.getuid() == 0:
            lines.append("user root")  # else it would become one that may not read the folder
        (self.folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")

    def command(self):
        return [self.found(), "-c", "mosquitto.conf"]
