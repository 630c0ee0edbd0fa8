#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A scheduler's job: decided on when it is submitted, given its credentials when it starts, and nothing after it ends."""
import getpass
import json
import sqlite3
from datetime import datetime, timedelta, timezone

from harness import Scenario, main, wait_until
from harness.scenario import JOBS, PYTHON


class DetachToken(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_oncology()

    def submit(self, *options: str, purpose: str = "train"):
        return self.writ.cli("run", "--detach-token", "--purpose", purpose, *options, "--", PYTHON, JOBS / "show.py")

    def token_file(self, name: str = "job.token"):
        outcome = self.submit()
        self.assertEqual(0, outcome.code, outcome)
        file = self.scratch(name)
        file.touch(mode=0o600)
        file.write_text(outcome.out)
        return file

    def start(self, file, *options: str, program=PYTHON):
        return self.writ.cli("run", "--token-file", file, *options, "--", program, JOBS / "show.py")

    def test_a_submitted_job_has_nothing_until_it_starts_and_nothing_after_it(self):
        before = self.postgres.roles()
        outcome = self.submit("--json")
        answer = json.loads(outcome.out)
        self.assertEqual("spiffe://oncology.example/", answer["workload"][:26])
        self.assertEqual(before, self.postgres.roles(), "a credential was made at submission")
        self.assertEqual([], [run for run in self.writ.admin("GET", "/v1/runs").json["runs"] if "ended" not in run])
        submitted = next(item["record"] for item in self.writ.records(type="administration") if item["sequence"] == answer["record"])
        self.assertRegex(submitted["reason"], f"^{answer['grant']}: a run may start until ")
        self.assertNotIn(answer["token"], json.dumps(self.writ.records()))
        self.assertNotIn(answer["token"].encode(), (self.writ.data / "writ.db").read_bytes())

        file = self.scratch("job.token")
        file.write_text(answer["token"])
        done = self.start(file)
        self.assertEqual(0, done.code, done)
        shown = json.loads(done.out)
        self.assertIn("PGPASSFILE", shown["environment"])
        started = self.writ.records(type="run_start", run=shown["environment"]["WRIT_RUN"])[0]["record"]
        self.assertEqual(("train", f"as promised by {answer['grant']}, record {answer['record']}"), (started["purpose"], started["reason"]))
        self.assert_role_ends(shown["environment"]["PGUSER"])

    def test_a_token_starts_one_run(self):
        file = self.token_file()
        self.assertEqual(0, self.start(file).code)
        again = self.start(file)
        self.assertNotEqual(0, again.code)
        self.assertIn("was used or has expired", again.err)

    def test_what_is_refused_is_refused_at_submission(self):
        outcome = self.submit(purpose="marketing")
        self.assertEqual(77, outcome.code, outcome)
        self.assertEqual("", outcome.out)
        self.assertIn("purpose", outcome.err)

    def test_a_token_is_for_its_workload_and_its_purpose(self):
        file = self.token_file()
        self.assertNotEqual(0, self.start(file, "--purpose", "evaluate").code)
        self.assertNotEqual(0, self.start(file, program="/bin/cat").code, "another program")
        self.assertEqual(0, self.start(file).code, "it was used up by who could not use it")
        tampered, token = self.scratch("tampered"), self.token_file("another").read_text().strip()
        tampered.write_text(token[:-1] + ("2" if token[-1] != "2" else "3"))
        self.assertNotEqual(0, self.start(tampered).code)

    def test_a_token_expires(self):
        outcome = self.submit("--token-ttl", "1", "--json")
        self.assertEqual(0, outcome.code, outcome)
        file = self.scratch("job.token")
        file.write_text(json.loads(outcome.out)["token"])
        end = datetime.fromisoformat(json.loads(outcome.out)["expires"].replace("Z", "+00:00")[:19] + "+00:00")
        wait_until("its second is over", lambda: datetime.now(timezone.utc) > end + timedelta(seconds=1))
        done = self.start(file)
        self.assertNotEqual(0, done.code)
        self.assertIn("expired", done.err)
        self.assertNotEqual(0, self.submit("--token-ttl", "700000").code, "longer than a week")

    def test_a_policy_that_says_no_meanwhile_wins(self):
        file = self.token_file()
        forbid = self.scratch("forbid.cedar")
        forbid.write_text('@id("closed") forbid (principal, action, resource);\n')
        self.assertEqual(0, self.writ.cli("apply", "-f", forbid).code)
        try:
            self.assertEqual(77, self.start(file).code)
        finally:
            documents = self.writ.admin("GET", "/v1/declarations").json["declarations"]
            key = next(item for item in documents if item["path"].endswith("forbid.cedar"))
            self.assertEqual(0, self.writ.cli("delete", key["kind"], key["name"]).code)
        self.assertEqual(0, self.start(file).code, "the refusal used it up")

    def waiting(self) -> list[dict]:
        return self.writ.admin("GET", "/v1/grants").json["grants"]

    def test_promised_runs_are_listed_and_taken_back(self):
        file, other = self.token_file(), self.token_file("other.token")
        first = self.waiting()[1]
        self.assertEqual(("train", f"oncology/{getpass.getuser()}/train"), (first["purpose"], first["workload"].split("/", 3)[3]))
        listed = self.writ.cli("grant", "list", "--workload", "oncology-trainer")
        self.assertIn(first["id"], listed.out)
        self.assertEqual(1, self.writ.cli("grant", "list", "--workload", "oncology-trainr").code)
        self.assertNotIn(file.read_text().strip(), json.dumps(self.waiting()))

        revoked = self.writ.cli("grant", "revoke", first["id"], "--reason", "job was cancelled", "--json")
        self.assertEqual({"revoked": [first["id"]]}, json.loads(revoked.out))
        self.assertNotEqual(0, self.start(file).code)
        newest = self.writ.records(type="administration")[0]["record"]
        self.assertEqual(f"{first['id']}: the run that was promised may not start any more: job was cancelled", newest["reason"])
        self.assertEqual(first["workload"], newest["workload"])
        self.assertEqual(1, self.writ.cli("grant", "revoke", first["id"]).code)
        self.assertIn("revoked grant-", self.writ.cli("grant", "revoke", "--workload", "oncology-trainer").out)
        self.assertEqual([], self.waiting())
        self.assertNotEqual(0, self.start(other).code)
        self.assertIn("no run waits", self.writ.cli("grant", "list").out)
        self.assert_log_verifies()

    def test_one_workload_does_not_take_all_there_are(self):
        mine = json.loads(self.submit("--json").out)["workload"]
        far = 4_000_000_000_000_000_000  # nanoseconds: long after this test
        with sqlite3.connect(self.writ.data / "writ.db") as database:
            database.executemany("INSERT INTO run_grants VALUES (?, ?, ?, 'train', '{\"uses\":[]}', 1, ?)",
                                 ((f"digest-{i}", f"grant-{i}", mine, far) for i in range(1000)))
        before = self.writ.tree_size()
        outcome = self.submit()
        self.assertNotEqual(0, outcome.code)
        self.assertIn("1000 runs of", outcome.err)
        self.assertEqual(before, self.writ.tree_size(), "it was decided on")
        revoked = json.loads(self.writ.cli("grant", "revoke", "--workload", mine, "--json").out)["revoked"]
        self.assertGreater(len(revoked), 1000)
        self.assertEqual(0, self.submit().code)


if __name__ == "__main__":
    main()
