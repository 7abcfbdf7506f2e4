"""A Kafka broker, whose jars come from Maven Central: kafka_jars.txt says which, with their digests. It runs on any `java` from 17 on."""
import concurrent.futures
import hashlib
import os
import pathlib
import shutil
import subprocess
import urllib.request

from .server import NotThere, Server, free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
JARS = ROOT / "build/kafka"
LIST = pathlib.Path(__file__).with_name("kafka_jars.txt")
CENTRAL = "https://repo1.maven.org/maven2/"


def fetch_one(line):
    digest, path = line.split()
    jar = JARS / pathlib.PurePath(path).name
    if jar.exists() and hashlib.sha256(jar.read_bytes()).hexdigest() == digest:
        return
    with urllib.request.urlopen(CENTRAL + path, timeout=30) as answer:
        text = answer.read()
    if hashlib.sha256(text).hexdigest() != digest:
        raise NotThere(f"{CENTRAL + path} is not what it was")
    part = jar.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(text)
    part.rename(jar)


def fetch():
    """The jars of the broker, 40 MB, once; NotThere where they cannot be had."""
    JARS.mkdir(parents=True, exist_ok=True)
    try:
        with concurrent.futures.ThreadPoolExecutor(8) as workers:
            list(workers.map(fetch_one, LIST.read_text().splitlines()))
    except OSError as problem:
        raise NotThere(f"the broker cannot be fetched from Maven Central: {problem}") from problem


class Service(Server):
    program = "kafka"
    wait = 60
    partitions = 1  # of a topic that is made because somebody asks for it

    def __init__(self, folder, listeners=None, settings=(), scram=()):
        """`listeners`: more of them, by name the protocol: `SSL`, `SASL_SSL`; `settings`: lines of its properties; `scram`: users
        with their passwords. `ports` has the ports of `listeners`."""
        super().__init__(folder)
        self.listeners, self.settings, self.scram = dict(listeners or {}), list(settings), list(scram)
        self.ports = {name: free_port() for name in self.listeners}

    @classmethod
    def missing(cls):
        if not shutil.which("java"):
            return "java is not installed: apt install default-jre-headless"
        try:
            fetch()
        except NotThere as problem:
            return str(problem)
        return ""

    def prepare(self):
        if (self.folder / "server.properties").exists():
            return
        controller = free_port()
        more = "".join(f",{name}://127.0.0.1:{port}" for name, port in self.ports.items())
        protocols = {"PLAINTEXT": "PLAINTEXT", "CONTROLLER": "PLAINTEXT", **self.listeners}
        (self.folder / "server.properties").write_text(f"""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{controller}{more}
advertised.listeners=PLAINTEXT://{self.address}{more}
listener.security.protocol.map={",".join(f"{name}:{protocol}" for name, protocol in protocols.items())}
controller.listener.names=CONTROLLER
log.dirs={self.folder / "data"}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
num.partitions={self.partitions}
{chr(10).join(self.settings)}
""")
        users = [word for user, password in self.scram for kind in ("SCRAM-SHA-256", "SCRAM-SHA-512")
                 for word in ("--add-scram", f"{kind}=[name={user},password={password}]")]
        subprocess.run(self.java() + ["kafka.tools.StorageTool", "format", "-t", "mutstreammutstreammutst", "-c", "server.properties", *users],
                       cwd=self.folder, check=True, capture_output=True)

    @staticmethod
    def java():
        return ["java", "-cp", f"{JARS}/*", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]

    def command(self):
        return self.java() + ["kafka.Kafka", "server.properties"]
