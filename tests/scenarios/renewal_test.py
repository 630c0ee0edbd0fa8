#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A lease is prolonged while its run lives and policy allows it, by a new decision each time; and taken back when policy says no."""
import os
import time

from harness import Scenario, main, wait_until

LIFETIME_SECONDS = 6


class Renewal(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_oncology()
        provider = cls.writ.admin("GET", "/v1/declarations?kind=CredentialProvider&name=oncology-db").json["declarations"][0]["text"]
        cls.declare({"credential-provider.yaml": provider.replace("lifetime: 10m", f"lifetime: {LIFETIME_SECONDS}s")})
        cls.policies = cls.writ.admin("GET", "/v1/declarations?kind=Policies").json["declarations"][0]["text"]

    @classmethod
    def declare(cls, documents: dict[str, str]):
        answer = cls.writ.admin("POST", "/v1/declarations", {"documents": [{"path": path, "text": text} for path, text in documents.items()]})
        assert answer.status == 200, answer.text

    def lease_of(self, run) -> dict:
        return next(lease for lease in self.writ.admin("GET", "/v1/leases").json["leases"] if lease["credential"] == run.role)

    def test_a_run_that_outlives_its_lease_keeps_its_credential(self):
        run = self.start_holding_run()
        first = self.lease_of(run)
        deadline = time.monotonic() + 2 * LIFETIME_SECONDS
        while time.monotonic() < deadline:
            self.assertTrue(self.postgres.has_role(run.role))
            self.assertEqual(1, self.postgres.sessions(run.role))
            time.sleep(0.5)
        lease = self.lease_of(run)
        self.assertEqual("active", lease["state"])
        self.assertGreater(lease["expires"], first["expires"])
        self.assertEqual("20", self.postgres.login(run.leaked, run.role).stdout.strip(), "the password is still good")
        decisions = self.writ.records(type="decision", run=lease["run"])
        self.assertGreaterEqual(len(decisions), 3, "every renewal is decided on, and on record")
        os.kill(run.job, 9)
        self.assert_role_ends(run.role)

    def test_policy_that_changes_takes_a_living_runs_credential_back(self):
        run = self.start_holding_run()
        self.declare({"policies.cedar": self.policies + '\n@id("closed") forbid (principal, action == Action::"read", resource);\n'})
        try:
            began = time.monotonic()
            self.assert_role_ends(run.role)
            self.assertLess(time.monotonic() - began, LIFETIME_SECONDS / 2, "it does not wait for the lease's next renewal")
            self.assertTrue(run.program.is_running(), "the job goes on, without the data")
            reason = next(lease["reason"] for lease in self.writ.admin("GET", "/v1/leases").json["leases"] if lease["credential"] == run.role)
            self.assertIn("not allowed any more", reason)
        finally:
            self.declare({"policies.cedar": self.policies})
        run.program.kill()

    def test_a_policy_that_cannot_be_decided_is_not_applied(self):
        version = self.writ.admin("GET", "/v1/status").json["policy_version"]
        for text, said in (("permit (principal, action, resource", "end of the text"), ('permit (principal, action == Action::"raed", resource);', "read"),
                           ("permit (principal, action, resource is Dataset) when { resource.purposes.contains(context.purpose) };", "purpose")):
            answer = self.writ.admin("POST", "/v1/declarations", {"documents": [{"path": "policies.cedar", "text": text}]})
            self.assertEqual(400, answer.status, answer.text)
            error = answer.json["errors"][0]
            self.assertEqual(("policies.cedar", 1), (error["path"], error["line"]))
            self.assertIn(said, error["message"])
        self.assertEqual(version, self.writ.admin("GET", "/v1/status").json["policy_version"])
        wait_until("jobs still run", lambda: self.writ.cli("run", "--purpose", "train", "--", "/usr/bin/python3.11", "-c", "pass").code == 0)


if __name__ == "__main__":
    main()
