#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A declared workload that asks without end does not fill the log: what is decided is on record, and beyond its rate nothing is decided."""
from harness import Scenario, main, request
from harness.scenario import PYTHON

RATE_KIB = 1
QUESTIONS_MAX = 1000  # 2 MiB of records are there at once, 16 KiB each


class BoundedRecords(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_oncology("--record-rate", str(RATE_KIB))

    def decisions_of(self, caller: str) -> int:
        return sum(1 for entry in self.writ.records(type="decision") if entry["record"]["caller"] == caller)

    def test_beyond_its_rate_nothing_is_decided_and_that_is_on_record(self):
        svid = self.writ.run_socket("POST", "/v1/svids/jwt", {"audience": [self.writ.public_url()]}).json["svids"][0]
        question = {"subject": {"type": "Workload", "id": svid["id"]}, "action": {"name": "read"}, "resource": {"type": "Dataset", "id": "oncology/biopsies"},
                    "context": {"purpose": "train", "note": "x" * 16_000}}
        headers = {"Authorization": f"Bearer {svid['token']}"}
        connection = self.writ.public_connection()
        self.addCleanup(connection.close)
        decided = 0
        for _ in range(QUESTIONS_MAX):
            answer = request(connection, "POST", "/access/v1/evaluation", question, headers)
            if answer.status != 200:
                break
            self.assertTrue(answer.json["decision"])
            decided += 1
        self.assertEqual(429, answer.status, answer.text)
        self.assertGreater(decided, 100, "a burst is nobody's fault")
        self.assertGreaterEqual(int(answer.headers["retry-after"]), 1)
        self.assertIn("has made more audit records", answer.json["detail"])
        for path in ("/access/v1/evaluation", "/access/v1/evaluations", "/access/v1/search/resource"):
            self.assertEqual(429, request(connection, "POST", path, question, headers).status, path)
        self.assertEqual(decided, self.decisions_of(svid["id"]))

        # Others go on, and what it asks for by its agent has an account of its own.
        self.assertEqual(200, self.writ.admin("POST", "/access/v1/evaluation", question).status)
        self.assertEqual(200, self.writ.run_socket("POST", "/v1/svids/x509").status)

        self.dev.stop()
        type(self).dev = self.writ.start_dev("--record-rate", "0")
        [counted] = [entry["record"] for entry in self.writ.records(type="administration") if entry["record"]["outcome"] == "rate_bound"]
        self.assertEqual(("authority", svid["id"]), (counted["caller"], counted["workload"]))
        self.assertRegex(counted["reason"], r"^4 requests of the workload in \d+ s were refused before anything was decided")
        self.assert_log_verifies()


class BoundedRuns(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_oncology("--record-rate", str(RATE_KIB))

    def spend_all(self):
        for number in range(2 * QUESTIONS_MAX):  # each of an audience that the agent has not heard of
            answer = self.writ.run_socket("POST", "/v1/svids/jwt", {"audience": [f"{self.audiences}-{'x' * 2000}"]})
            self.audiences += 1
            if answer.status != 200:
                break
        self.assertIn("has made more audit records", answer.json["detail"])

    def refused(self, *arguments: str):
        """Of a command that was refused; on a slow machine it may come when there is a second's worth again."""
        for _ in range(5):
            self.spend_all()
            outcome = self.writ.cli("run", *arguments, "--purpose", "train", "--", PYTHON, "-c", "pass")
            if outcome.code != 0:
                return outcome
        self.fail(f"never refused: {outcome}")

    def test_what_its_agent_asks_for_is_bounded_too(self):
        self.audiences = 0
        for arguments in ((), ("--detach-token",)):
            self.assertRegex(self.refused(*arguments).err, r"again in \d+ s")


if __name__ == "__main__":
    main()
