#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Old records go by size: on record first, never before an export has them, and the log that is left proves itself, also across kill -9."""
import json
import sqlite3
import time

from harness import Scenario, UnixConnection, main, request, wait_until

RECORDS = 2_560  # of 15 KB, and as many bytes as 140 of them before: two segments of the journal, which have to go before a record may
CONTEXT_BYTES = 14_000
BATCHES, BATCH = 64, 500
TERMS_OF_THE_OLDEST = "select count(*) from pages where id < 128"


class Retention(Scenario):
    def decide(self, count: int) -> None:
        connection = UnixConnection(self.writ.admin_socket, timeout=60)
        for number in range(count):
            answer = request(connection, "POST", "/access/v1/evaluation", {
                "subject": {"type": "Workload", "id": "spiffe://oncology.example/w"}, "action": {"name": "read"},
                "resource": {"type": "Dataset", "id": f"d/{number}"}, "context": {"note": "x" * CONTEXT_BYTES}})
            self.assertEqual(200, answer.status, answer.text)
        connection.close()

    def decide_many(self) -> None:
        """Uses for a whole segment of the index, of 30,720."""
        for number in range(BATCHES):
            answer = self.writ.admin("POST", "/access/v1/evaluations", {
                "subject": {"type": "Workload", "id": "spiffe://oncology.example/w"}, "action": {"name": "write"},
                "evaluations": [{"resource": {"type": "Dataset", "id": f"e/{number}/{item}"}} for item in range(BATCH)]})
            self.assertTrue(all(evaluation["decision"] for evaluation in answer.json["evaluations"]), answer.text[:500])

    def index(self, question: str) -> int:
        connection = sqlite3.connect(f"file:{self.writ.data}/audit-index.db?mode=ro", uri=True)
        [[number]] = connection.execute(question)
        connection.close()
        return number

    def dropped(self) -> int:
        outcome = self.writ.cli("audit", "verify", "--data", self.writ.data, "--json")
        self.assertEqual(0, outcome.code, outcome)
        return json.loads(outcome.out)["dropped"]

    def bundles(self) -> int:
        return sum(1 for file in (self.writ.data / "log/tile/entries").rglob("*") if file.is_file() and ".p" not in str(file))

    def test_the_oldest_go(self):
        authority = self.writ.start_authority()
        documents = self.scratch("export.yaml")
        missing = self.scratch("missing") / "audit.jsonl"  # its folder is not there: the export fails
        documents.write_text(f"kind: AuditExport\nname: slow\nformat: json\ndestination: file://{missing}\n")
        policies = self.scratch("many.cedar")
        policies.write_text('permit (principal, action == Action::"write", resource is Dataset);')
        applied = self.writ.cli("apply", "-f", documents, policies)
        self.assertEqual(0, applied.code, applied)
        self.decide_many()
        self.decide(RECORDS)
        wait_until("the index has sealed a segment", lambda: self.index(TERMS_OF_THE_OLDEST) > 0)
        used = json.loads(self.writ.cli("audit", "who-used", "dataset", "e/0/7", "--json").out)["uses"]
        self.assertEqual(["write"], [use["action"] for use in used])
        authority.stop()
        size = len(list((self.writ.data / "log/journal").iterdir()))
        self.assertLessEqual(size, 2)
        self.assertEqual(0, self.dropped())

        # An export still needs them.
        authority = self.writ.start_authority("--audit-retention-size", "5MB")
        wait_until("it says what it waits for", lambda: "retention waits for exports" in authority.output())
        self.assertEqual(0, self.dropped())
        before = self.bundles()
        missing.parent.mkdir()
        wait_until("the export has sent them", lambda: "slow, 0 records behind" in self.writ.cli("status").out, 120)
        authority.kill()

        authority = self.writ.start_authority("--audit-retention-size", "5MB")
        time_of_kill = time.monotonic()
        wait_until("some have gone", lambda: self.bundles() < before)
        authority.kill()  # wherever it is
        self.assertLess(time.monotonic() - time_of_kill, 60)
        self.dropped()

        authority = self.writ.start_authority("--audit-retention-size", "5MB")
        wait_until("all that may go have gone", lambda: self.bundles() <= 2)
        dropped = self.dropped()
        self.assertGreaterEqual(dropped, 1024)
        told = self.writ.cli("audit", "verify", "--data", self.writ.data)
        self.assertIn(f"entries 0 to {dropped - 1} dropped by retention", told.out)
        record = self.writ.records(type="retention", limit=1)[0]["record"]
        self.assertEqual(dropped, record["dropped_before"])
        self.assertEqual(404, self.writ.admin("GET", "/v1/audit/records/3").status)
        self.assertEqual(200, self.writ.admin("GET", f"/v1/audit/records/{dropped}").status)
        self.assertGreater(len(self.writ.records(limit=100)), 50)

        # No answer is given as if it were about what has gone.
        absence = json.loads(self.writ.cli("audit", "never", "d/3", "--json").out)
        self.assertEqual(dropped, absence["dropped_before"])
        self.assertEqual(self.writ.records(limit=1, before=dropped + 1)[0]["record"]["time"], absence["proven_since"])
        self.assertIn("oldest record that retention has left", self.writ.cli("audit", "never", "d/3").out)
        self.assertNotIn("proven_since", json.loads(self.writ.cli("audit", "never", "d/3", "--since", absence["proven_since"], "--json").out))
        for question in (["who-used", "dataset", "d/3"], ["what-used", "workload", "w"], ["list", "-n", "1"], ["trace", "model", "m"]):
            self.assertEqual(dropped, json.loads(self.writ.cli("audit", *question, "--json").out)["dropped_before"])
            self.assertIn(f"dropped the records before {dropped}", self.writ.cli("audit", *question).out)

        # Nor does the index know of them any more.
        wait_until("the index has forgotten them", lambda: self.index(TERMS_OF_THE_OLDEST) == 0)
        self.assertGreater(self.index("select count(*) from pages"), 0)
        for data in ([], ["--data", self.writ.data]):
            answer = json.loads(self.writ.cli("audit", "who-used", "dataset", "e/0/7", "--json", *data).out)
            self.assertEqual(([], dropped), (answer["uses"], answer["dropped_before"]))

        # Policies are held against what is left.
        draft = self.scratch("draft.cedar")
        draft.write_text('permit (principal, action, resource);')
        report = json.loads(self.writ.cli("policy", "replay", draft, "--json").out)
        self.assertEqual((dropped, report["log_size"] - dropped), (report["dropped_before"], report["records"]))
        self.assertIn(f"dropped the records before {dropped}", self.writ.cli("policy", "replay", draft).out)
        over_http = self.writ.admin("POST", "/v1/policy/replay", {"documents": [{"path": "draft.cedar", "text": draft.read_text()}]}).json
        self.assertEqual([dropped, report["changes"]], [over_http["dropped_before"], over_http["changes"]])
        self.assertEqual(report["changes"], json.loads(self.writ.cli("policy", "replay", draft, "--json", "--data", self.writ.data).out)["changes"])

        # What no record says was dropped is missing.
        authority.stop()
        (self.writ.data / "log/dropped").write_text("entries before 256 were dropped\n")
        self.assertEqual(1, self.writ.cli("audit", "verify", "--data", self.writ.data).code)
        (self.writ.data / "log/dropped").unlink()
        self.assertEqual(1, self.writ.cli("audit", "verify", "--data", self.writ.data).code)

    def test_options_that_mean_nothing_are_refused(self):
        for option in (["--audit-retention", "400"], ["--audit-retention", "0d"], ["--audit-retention-size", "10"], ["--audit-retention-size", "1KB"]):
            outcome = self.writ.cli("authority", "--data", self.scratch("data"), *option)
            self.assertNotEqual(0, outcome.code)
            self.assertIn(option[0], outcome.err)


if __name__ == "__main__":
    main()
