"""A Kafka broker from Maven Central, where `mvn` and `java` are there; else the mock cluster of librdkafka, which forgets all when it ends."""
import os
import pathlib
import shutil
import subprocess

from .server import NotThere, Server, free_port

VERSION = "4.0.0"
ROOT = pathlib.Path(__file__).resolve().parents[2]
JARS = ROOT / f"build/kafka-{VERSION}"
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion><groupId>mutstream</groupId><artifactId>broker</artifactId><version>1</version>
  <dependencies><dependency>
    <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version>
  </dependency></dependencies>
</project>"""


def fetch():
    """The jars of the broker; NotThere where they cannot be had."""
    if (JARS / "whole").exists():
        return
    JARS.mkdir(parents=True, exist_ok=True)
    (JARS / "pom.xml").write_text(POM)
    got = subprocess.run(["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={JARS / 'lib'}"],
                         cwd=JARS, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if got.returncode != 0:
        raise NotThere(f"mvn cannot fetch the broker: {got.stdout[-500:]}")
    (JARS / "whole").touch()


def mock():
    """The program that hosts the mock cluster; none: it was not built."""
    program = pathlib.Path(os.environ.get("BUILD", ROOT / "build/release")) / "bin/kafka_mock"
    return program if program.exists() else None


def kind():
    """Which of the two runs here: "broker" or "mock"."""
    if shutil.which("mvn") and shutil.which("java"):
        try:
            fetch()
            return "broker"
        except NotThere:
            pass
    return "mock"


class Service(Server):
    program = "kafka"
    wait = 60
    partitions = 1  # of a topic that is made because somebody asks for it

    @classmethod
    def missing(cls):
        if kind() == "mock" and mock() is None:
            return "no broker (mvn and java fetch one from Maven Central), and bin/kafka_mock was not built"
        return ""

    @property
    def is_mock(self):
        return kind() == "mock"

    def prepare(self):
        if self.is_mock or (self.folder / "server.properties").exists():
            return
        controller = free_port()
        (self.folder / "server.properties").write_text(f"""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://{self.address}
controller.listener.names=CONTROLLER
log.dirs={self.folder / "data"}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
num.partitions={self.partitions}
""")
        subprocess.run(self.java() + ["kafka.tools.StorageTool", "format", "-t", "mutstreammutstreammutst", "-c", "server.properties"],
                       cwd=self.folder, check=True, capture_output=True)

    @staticmethod
    def java():
        return ["java", "-cp", f"{JARS / 'lib'}/*", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]

    def command(self):
        if self.is_mock:
            return [str(mock()), str(self.port)]
        return self.java() + ["kafka.Kafka", "server.properties"]
