#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records go where they are declared to go: every one, in order, also across kill -9 and a destination that is down, and nobody who decides waits for it."""
import json
import re

from harness import Scenario, main, wait_until
from harness.collectors import Certificates, HttpCollector, SyslogReceiver


class Exports(Scenario):
    def setUp(self):
        self.authority = self.writ.start_authority()
        self.addCleanup(self.writ.stop)

    def declare(self, **exports: str) -> None:
        documents = self.scratch("exports.yaml")
        documents.write_text("\n---\n".join(f"kind: AuditExport\nname: {name}\n{fields}" for name, fields in exports.items()) + "\n")
        outcome = self.writ.cli("apply", "-f", documents.parent)
        self.assertEqual(0, outcome.code, outcome)

    def make_records(self, count: int) -> int:
        for number in range(count):
            self.writ.join_token(f"node-{number}")
        return self.writ.tree_size()

    def exports(self) -> dict:
        outcome = self.writ.cli("audit", "exports", "--json")
        return {status["name"]: status for status in json.loads(outcome.out)["exports"]} if outcome.code == 0 else {}

    def wait_until_sent(self, name: str, size: int) -> None:
        wait_until(f"{name} has {size} records", lambda: (status := self.exports().get(name)) and status["next"] >= size and not status["error"])

    def assert_every_record(self, sequences: list[int], size: int) -> None:
        """Each at least once, and no first arrival before that of an earlier one."""
        firsts = list(dict.fromkeys(sequences))
        self.assertEqual(sorted(firsts), firsts)
        self.assertEqual(list(range(size)), firsts[:size])

    def test_1_https_json_lines_across_kill_9_and_a_collector_that_is_down(self):
        certificates = Certificates(self.scratch("x").parent)
        collector = HttpCollector(certificates)
        self.addCleanup(collector.stop)
        collector.is_refusing = True
        token = self.scratch("token")
        token.write_text("collector-token\n")
        token.chmod(0o600)
        self.declare(siem=f"format: json\ndestination: https://127.0.0.1:{collector.port}/in?source=writ\ncompression: gzip\n"
                          f"ca_file: {certificates.root}\ntoken_file: {token}")
        self.make_records(20)  # nobody waits for the collector
        failing = wait_until("a failure is told", lambda: (status := self.exports().get("siem")) and status["failures"] > 0 and status)
        self.assertIn("503", failing["error"])
        self.assertGreaterEqual(failing["lag"], 20)
        self.assertRegex(self.writ.public("GET", "/metrics").text, r'writ_audit_export_lag_records\{export="siem"\} [1-9]')
        self.assertIn("records behind", self.writ.cli("status").out)

        collector.is_refusing = False
        wait_until("something has arrived", lambda: collector.bodies)
        self.authority.kill()
        self.authority = self.writ.start_authority()
        size = self.make_records(5)
        self.wait_until_sent("siem", size)
        events = [json.loads(line) for line in collector.lines()]
        self.assert_every_record([event["sequence"] for event in events], size)
        stored = {entry["sequence"]: entry for entry in self.writ.records(limit=1000)}
        for event in events:
            self.assertEqual(stored[event["sequence"]]["record"], event["record"])
            self.assertEqual(stored[event["sequence"]]["hash"], event["leaf_hash"])
        headers = collector.headers[0]
        self.assertEqual(("Bearer collector-token", "gzip", "/in?source=writ"), (headers["authorization"], headers["content-encoding"], headers[":path"]))

    def test_2_a_collector_of_another_root_gets_nothing(self):
        mine, others = self.scratch("mine"), self.scratch("others")
        mine.mkdir()
        others.mkdir()
        collector = HttpCollector(Certificates(others))
        self.addCleanup(collector.stop)
        self.declare(stranger=f"format: json\ndestination: https://127.0.0.1:{collector.port}/\nca_file: {Certificates(mine).root}")
        refused = wait_until("it is refused", lambda: (status := self.exports().get("stranger")) and status["failures"] > 0 and status)
        self.assertRegex(refused["error"], "certificate")
        self.assertEqual([], collector.bodies)

    def test_3_syslog_over_tls(self):
        certificates = Certificates(self.scratch("x").parent)
        receiver = SyslogReceiver(certificates)
        self.addCleanup(receiver.stop)
        self.declare(syslog=f"format: cef\ndestination: syslog+tls://127.0.0.1:{receiver.port}\nca_file: {certificates.root}")
        size = self.make_records(3)
        self.wait_until_sent("syslog", size)
        wait_until("all have been read", lambda: len(receiver.messages) >= size)
        for message in receiver.messages:
            self.assertRegex(message, r'^<1\d\d>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z oncology\.example writ - \w+ \[meta sequenceId="\d+"\] CEF:0\|Writ\|')
        self.assert_every_record([int(re.search(r"externalId=(\d+)", message)[1]) for message in receiver.messages], size)

    def test_4_otlp_over_http(self):
        collector = HttpCollector()
        self.addCleanup(collector.stop)
        self.declare(otlp=f"format: otlp\ndestination: http://127.0.0.1:{collector.port}/v1/logs")
        size = self.make_records(3)
        self.wait_until_sent("otlp", size)
        sequences = []
        for headers, body in zip(collector.headers, collector.bodies):
            self.assertEqual(("/v1/logs", "application/json"), (headers[":path"], headers["content-type"]))
            for resource in json.loads(body)["resourceLogs"]:
                self.assertIn({"key": "service.name", "value": {"stringValue": "writ"}}, resource["resource"]["attributes"])
                for scope in resource["scopeLogs"]:
                    self.assertEqual("writ.audit", scope["scope"]["name"])
                    for record in scope["logRecords"]:
                        attributes = {attribute["key"]: attribute["value"] for attribute in record["attributes"]}
                        sequences.append(int(attributes["writ.sequence"]["intValue"]))
                        self.assertGreater(int(record["timeUnixNano"]), 10**18)
                        self.assertEqual(attributes["writ.type"]["stringValue"], json.loads(record["body"]["stringValue"])["type"])
        self.assert_every_record(sequences, size)

    def test_5_a_filtered_file_that_is_rotated(self):
        file = self.scratch("admin.jsonl")
        self.declare(file=f"format: ocsf\ndestination: file://{file}\nonly: {{ type: [administration] }}")
        self.wait_until_sent("file", self.make_records(2))
        rotated = file.rename(file.with_suffix(".1"))
        self.wait_until_sent("file", self.make_records(2))
        events = [json.loads(line) for path in (rotated, file) for line in path.read_text().splitlines()]
        self.assertEqual({3004}, {event["class_uid"] for event in events})
        self.assertGreaterEqual(len(file.read_text().splitlines()), 2)
        sequences = [event["metadata"]["sequence"] for event in events]
        self.assertEqual(sorted(set(sequences)), sequences)

        once = self.writ.cli("audit", "export", "--format", "json", "--since", "1", "--data", self.writ.data)
        self.assertEqual(1, json.loads(once.out.splitlines()[0])["sequence"])
        self.assertEqual(2, self.writ.cli("audit", "export", "--format", "leef", "--data", self.writ.data).code)
        removed = self.writ.cli("delete", "AuditExport", "file")
        self.assertEqual(0, removed.code, removed)
        wait_until("its position is gone", lambda: "file" not in self.exports() and not (self.writ.data / "exports/file.json").exists())


if __name__ == "__main__":
    main()
