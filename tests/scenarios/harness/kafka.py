# SPDX-License-Identifier: Apache-2.0
"""A Kafka broker of one node in KRaft mode, from jars that Maven fetches (tests/scenarios/kafka/pom.xml)."""
import os
import random
import secrets
import shutil
import socket
import subprocess
import unittest
from pathlib import Path

from harness.processes import Program, die_with_parent, wait_until

POM = Path(__file__).resolve().parents[1] / "kafka/pom.xml"
LOGGING = POM.with_name("log4j.properties")
# Kept between runs; the folder is named by what is in it.
JARS = Path(os.environ.get("WRIT_KAFKA_JARS", Path.home() / ".cache/writ/kafka-3.9.1"))
FETCH_SECONDS = 600.0


def fetch_jars() -> Path:
    for program in ("java", "mvn"):
        if not shutil.which(program):
            raise unittest.SkipTest(f"no `{program}` here: the broker is a Java program whose jars come by Maven")
    if not any(JARS.glob("kafka_2.13-*.jar")):
        unfinished = JARS.with_suffix(".unfinished")
        fetched = subprocess.run(["mvn", "-q", "-B", "-f", POM, "dependency:copy-dependencies", f"-DoutputDirectory={unfinished}"],
                                 capture_output=True, text=True, timeout=FETCH_SECONDS)
        if fetched.returncode != 0:
            raise unittest.SkipTest(f"Maven did not fetch the broker's jars: {(fetched.stdout + fetched.stderr)[-500:]}")
        unfinished.rename(JARS)
    return JARS


def free_port() -> int:
    """Below those that the kernel gives to clients: it has to be free again when the broker comes back."""
    for port in random.sample(range(20000, 30000), 100):
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise AssertionError("no free port")


class Broker:
    """Listens on `port` for everybody. With certificates (harness/collectors.py) also with TLS on `tls_port`, and with TLS for `user` and `password`, by SCRAM or PLAIN, on
    `sasl_port`."""

    user = "writ-export"

    def __init__(self, folder: Path, certificates=None):
        self.folder, self.jars = folder, fetch_jars()
        self.port, controller = free_port(), free_port()
        self.tls_port, self.sasl_port = free_port(), free_port()
        self.password = secrets.token_urlsafe(16)
        listeners = {"PLAINTEXT": ("PLAINTEXT", self.port)}
        if certificates:
            listeners |= {"TLS": ("SSL", self.tls_port), "SASL": ("SASL_SSL", self.sasl_port)}
        protocols = "".join(f",{name}:{protocol}" for name, (protocol, _) in listeners.items())
        self.configuration = folder / "broker.properties"
        self.configuration.write_text(f"""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=CONTROLLER://127.0.0.1:{controller}{"".join(f",{name}://127.0.0.1:{port}" for name, (_, port) in listeners.items())}
advertised.listeners={",".join(f"{name}://127.0.0.1:{port}" for name, (_, port) in listeners.items())}
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT{protocols}
log.dirs={folder / "kafka"}
num.partitions=3
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
{self.security(certificates) if certificates else ""}""")
        self.run("kafka.tools.StorageTool", "format", "--cluster-id", "MkU3OEVBNTcwNTJENDM2Qg", "--config", self.configuration,
                 *(word for digest in ("256", "512") for word in ("--add-scram", f"SCRAM-SHA-{digest}=[name={self.user},password={self.password}]")))
        self.start()

    def security(self, certificates) -> str:
        """PEM files need no keystore; who comes by SCRAM was written into the broker's metadata when its storage was formatted."""
        keystore = self.folder / "broker.pem"
        keystore.touch(mode=0o600)
        keystore.write_text(certificates.key.read_text() + certificates.certificate.read_text())
        login = f'username="{self.user}" password="{self.password}"'
        return f"""ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.enabled.protocols=TLSv1.3
listener.name.sasl.sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512,PLAIN
listener.name.sasl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required {login} user_{self.user}="{self.password}";
"""

    def java(self, main_class: str, *arguments) -> list:
        return ["java", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-Dlog4j.configuration=file:{LOGGING}", "-cp", f"{self.jars}/*", main_class, *arguments]

    def run(self, main_class: str, *arguments, seconds: float = 90) -> str:
        done = subprocess.run([str(argument) for argument in self.java(main_class, *arguments)], capture_output=True, text=True, timeout=seconds, preexec_fn=die_with_parent)
        if done.returncode != 0:
            raise AssertionError(f"{main_class}: {done.stdout}{done.stderr}")
        return done.stdout

    def start(self) -> None:
        self.program = Program(self.java("kafka.Kafka", self.configuration), self.folder / "broker.log")

        def answers():
            if not self.program.is_running():
                raise AssertionError(f"the broker ended:\n{self.program.output()[-3000:]}")
            with socket.socket() as client:
                return client.connect_ex(("127.0.0.1", self.port)) == 0

        wait_until("the broker listens", answers, 90)

    def create_topic(self, topic: str) -> None:
        self.run("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", f"127.0.0.1:{self.port}", "--create", "--topic", topic, "--partitions", "3")

    def read(self, topic: str, count: int) -> list[str]:
        """The first `count` messages, `partition<TAB>key<TAB>value` each, in the order of their partitions."""
        return self.run("org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", f"127.0.0.1:{self.port}", "--topic", topic, "--from-beginning",
                        "--max-messages", str(count), "--timeout-ms", "30000", "--property", "print.partition=true", "--property", "print.key=true").splitlines()

    def stop(self) -> None:
        self.program.kill()
