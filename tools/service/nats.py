"""nats-server with JetStream."""
import json

from .server import Server


class Service(Server):
    program = package = "nats-server"

    def __init__(self, folder, password=None):
        """With a password, the user is `mut`."""
        super().__init__(folder)
        self.password = password

    def prepare(self):
        config = {"listen": self.address, "jetstream": {"store_dir": str(self.folder / "data")}}
        if self.password:
            config["authorization"] = {"user": "mut", "password": self.password}
        (self.folder / "nats.json").write_text(json.dumps(config))

    def command(self):
        return [self.found(), "-c", "nats.json"]
