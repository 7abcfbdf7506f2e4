"""nats-server with JetStream."""
import json

from .server import Server


class Service(Server):
    program = package = "nats-server"

    def __init__(self, folder, password=None, settings=None):
        """With a password, the user is `mut`; `settings`: more of its configuration."""
        super().__init__(folder)
        self.password, self.settings = password, dict(settings or {})

    def prepare(self):
        config = {"listen": self.address, "jetstream": {"store_dir": str(self.folder / "data")}}
        if self.password:
            config["authorization"] = {"user": "mut", "password": self.password}
        (self.folder / "nats.json").write_text(json.dumps(config | self.settings))

    def command(self):
        return [self.found(), "-c", "nats.json"]
