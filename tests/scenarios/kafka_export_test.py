#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records go to a Kafka topic: acknowledged, in one partition and in order, also when the broker is killed and comes back."""
import json

from harness import Scenario, main, wait_until
from harness.kafka import Broker

TOPIC = "writ.audit"


class KafkaExport(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.broker = Broker(cls.folder)
        cls.addClassCleanup(cls.broker.stop)
        cls.broker.create_topic(TOPIC)
        cls.writ.start_authority()

    def status(self) -> dict:
        return json.loads(self.writ.cli("audit", "exports", "--json").out)["exports"][0]

    def make_records(self, count: int) -> int:
        for number in range(count):
            self.writ.join_token(f"node-{number}")
        return self.writ.tree_size()

    def wait_until_sent(self, size: int) -> None:
        wait_until(f"{size} records are acknowledged", lambda: self.status()["next"] >= size and not self.status()["error"], 120)

    def test_every_record_arrives_also_across_a_broker_that_is_killed(self):
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


if __name__ == "__main__":
    main()
