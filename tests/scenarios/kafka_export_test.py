#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records go to a Kafka topic: acknowledged, in one partition and in order, also when the broker is killed and comes back; with TLS and by a password, too, and a wrong one of
either gets nothing there and a clear word."""
import json

from harness import Scenario, main, wait_until
from harness.collectors import Certificates
from harness.kafka import Broker

TOPIC = "writ.audit"


class KafkaExport(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificates = Certificates(cls.folder)
        cls.broker = Broker(cls.folder, cls.certificates)
        cls.addClassCleanup(cls.broker.stop)
        cls.broker.create_topic(TOPIC)
        cls.writ.start_authority()

    def exports(self) -> dict:
        return {status["name"]: status for status in json.loads(self.writ.cli("audit", "exports", "--json").out)["exports"]}

    def status(self) -> dict:
        return self.exports()["stream"]

    def make_records(self, count: int) -> int:
        for number in range(count):
            self.writ.join_token(f"node-{number}")
        return self.writ.tree_size()

    def wait_until_sent(self, size: int, name: str = "stream") -> None:
        def all_sent():
            status = self.exports()[name]
            return status["next"] >= size and not status["error"]
        wait_until(f"{name}: {size} records are acknowledged", all_sent, 120)

    def test_1_every_record_arrives_also_across_a_broker_that_is_killed(self):
        documents = self.scratch("export.yaml")
        documents.write_text(f"kind: AuditExport\nname: stream\nformat: json\ndestination: kafka://127.0.0.1:{self.broker.port}/{TOPIC}\n")
        self.assertEqual(0, self.writ.cli("apply", "-f", documents.parent).code)
        self.wait_until_sent(self.make_records(20))

        self.broker.stop()
        size = self.make_records(10)  # nobody waits for the broker
        self.assertGreaterEqual(self.status()["lag"], 10)
        self.broker.start()
        self.wait_until_sent(size)

        rows = [row.split("\t", 2) for row in self.broker.read(TOPIC, size)]
        self.assertEqual(1, len({partition for partition, _, _ in rows}), "one partition")
        self.assertEqual({"oncology.example/log"}, {key for _, key, _ in rows})
        firsts = list(dict.fromkeys(json.loads(value)["sequence"] for _, _, value in rows))
        self.assertEqual(list(range(len(firsts))), firsts)
        self.assertEqual(size, len(firsts))


    def declare(self, **exports: str) -> None:
        documents = self.scratch("secured.yaml")
        documents.write_text("\n---\n".join(f"kind: AuditExport\nname: {name}\nformat: json\n{fields}" for name, fields in exports.items()) + "\n")
        outcome = self.writ.cli("apply", "-f", documents)
        self.assertEqual(0, outcome.code, outcome)

    def secret(self, name: str, text: str):
        file = self.scratch(name)
        file.touch(mode=0o600)
        file.write_text(text + "\n")
        return file

    def by_password(self, mechanism: str, password, roots) -> str:
        return (f"destination: kafka+tls://127.0.0.1:{self.broker.sasl_port}/{mechanism.lower()}\nca_file: {roots}\nuser: {self.broker.user}\n"
                f"password_file: {password}\nsasl_mechanism: {mechanism}")

    def test_2_with_tls_and_by_a_password(self):
        password = self.secret("password", self.broker.password)
        mechanisms = ("SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN")
        for topic in (*(mechanism.lower() for mechanism in mechanisms), "encrypted"):
            self.broker.create_topic(topic)
        self.declare(encrypted=f"destination: kafka+tls://127.0.0.1:{self.broker.tls_port}/encrypted\nca_file: {self.certificates.root}",
                     **{mechanism.lower(): self.by_password(mechanism, password, self.certificates.root) for mechanism in mechanisms})
        size = self.make_records(3)
        for name in ("encrypted", *(mechanism.lower() for mechanism in mechanisms)):
            with self.subTest(name):
                self.wait_until_sent(size, name)
        rows = [row.split("\t", 2) for row in self.broker.read("scram-sha-256", size)]
        self.assertEqual(set(range(size)), {json.loads(value)["sequence"] for _, _, value in rows})

    def test_3_a_wrong_password_and_a_certificate_of_somebody_else_are_told_clearly(self):
        password, wrong = self.secret("password", self.broker.password), self.secret("wrong", "not-the-password")
        others = self.scratch("others")
        others.mkdir()
        self.declare(wrong_scram=self.by_password("SCRAM-SHA-256", wrong, self.certificates.root).replace("/scram-sha-256", "/nothing"),
                     wrong_plain=self.by_password("PLAIN", wrong, self.certificates.root).replace("/plain", "/nothing"),
                     untrusted=self.by_password("SCRAM-SHA-512", password, Certificates(others).root).replace("/scram-sha-512", "/nothing"))
        for name, told in (("wrong_scram", "uthentication failed"), ("wrong_plain", "uthentication failed"), ("untrusted", "certificate verify failed")):
            with self.subTest(name):
                status = wait_until(f"{name} has failed", lambda: (status := self.exports()[name])["failures"] > 0 and status, 120)
                self.assertIn(told, status["error"])
                self.assertIn("kafka", status["error"])
                self.assertEqual(0, status["next"])
                self.assertNotIn("not-the-password", status["error"])


if __name__ == "__main__":
    main()
