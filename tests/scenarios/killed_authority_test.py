#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No record, no credential: the authority dies between decision and issuance."""
import random
import threading
import time

from harness import Scenario, main, wait_until
from harness.scenario import JOBS, PYTHON


class KilledAuthority(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_postgres()
        cls.authority = cls.writ.start_authority()
        cls.address = cls.writ.public_url().removeprefix("https://")
        cls.writ.apply_oncology(cls.postgres)
        cls.writ.start_agent(cls.writ.join_token())

    def types_of(self, run: str) -> list[str]:
        return [entry["record"]["type"] for entry in self.writ.records(run=run)]

    def test_the_decision_is_on_record_and_no_credential_is(self):
        mark = self.scratch("ran")
        before = self.writ.tree_size()
        self.postgres.freeze()  # issuing hangs
        try:
            program = self.writ.launch("hanging", ["run", "--purpose", "train", "--", PYTHON, JOBS / "hold.py", mark])
            decision = wait_until("the decision is on record", lambda: next(
                (entry for entry in self.writ.records(type="decision") if entry["sequence"] >= before), None))
            run = decision["record"]["run"]
            self.assertEqual("allow", decision["record"]["decision"])
            self.authority.kill()
        finally:
            self.postgres.thaw()
        self.assertNotEqual(0, program.wait())
        self.assertFalse(mark.exists(), "the job ran without a credential's record")

        type(self).authority = self.writ.start_authority(listen=self.address)
        self.assertIn("decision", self.types_of(run))
        self.assertNotIn("issuance", self.types_of(run))
        # What PostgreSQL may have done with a statement that reached it is undone.
        wait_until("no role is left", lambda: not self.postgres.roles())
        self.assert_log_verifies()

        held = self.start_holding_run("afterwards")
        held.program.kill()
        self.assert_role_ends(held.role)

    def test_killed_again_and_again_nothing_that_was_acknowledged_is_lost(self):
        acknowledged = []
        for round_number in range(5):
            run = self.start_holding_run(f"round-{round_number}")
            acknowledged += [(entry["sequence"], entry["hash"]) for entry in self.writ.records() if entry["record"].get("run")]
            self.authority.kill()
            run.program.kill()
            type(self).authority = self.writ.start_authority(listen=self.address)
            known = {(entry["sequence"], entry["hash"]) for entry in self.writ.records()}
            self.assertFalse(set(acknowledged) - known)
            self.assert_role_ends(run.role)
        self.assert_log_verifies()

    def test_killed_at_any_moment_every_issuance_is_decided_and_revoked(self):
        over = threading.Event()

        def start_runs():
            while not over.is_set():
                self.writ.cli("run", "--purpose", "train", "--", PYTHON, "-c", "import time; time.sleep(0.05)")

        threads = [threading.Thread(target=start_runs) for _ in range(4)]
        for thread in threads:
            thread.start()
        chance = random.Random(7)
        try:
            for _ in range(12):
                time.sleep(0.05 + chance.random() / 2)
                self.authority.kill()
                type(self).authority = self.writ.start_authority(listen=self.address)
        finally:
            over.set()
            for thread in threads:
                thread.join()
        wait_until("no lease is open", lambda: self.writ.admin("GET", "/v1/status").json["leases"] == 0)
        self.assertFalse(self.postgres.roles())
        self.assert_log_verifies()
        records, oldest = {}, None
        while page := self.writ.records(**({} if oldest is None else {"before": oldest})):
            records |= {entry["sequence"]: entry["record"] for entry in page}
            oldest = page[-1]["sequence"]
        issued = {record["credential"]["lease"]: record for record in records.values()
                  if record["type"] == "issuance" and record["credential"]["kind"] == "postgres_role"}
        revoked = [record["credential"]["lease"] for record in records.values() if record["type"] == "revocation"]
        self.assertTrue(issued)
        self.assertEqual(set(issued), set(revoked))
        self.assertEqual({"allow"}, {records[record["decision_record"]]["decision"] for record in issued.values()})
        uses = self.writ.admin("GET", "/v1/audit/who-used?type=Dataset&id=oncology/biopsies&limit=1000").json["uses"]
        # What was allowed when the authority was killed and never given out is there too, without a credential.
        self.assertEqual(set(issued), {use["credential"]["lease"] for use in uses if "credential" in use})
        self.assertTrue(all(use["to"] for use in uses))


if __name__ == "__main__":
    main()
