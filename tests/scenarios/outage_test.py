#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A full log disk and what each policy says of it: some decisions are refused, some are served and spooled, and all of those are in the log afterwards, once."""
import collections
import random
import shutil
import subprocess
import time
import unittest

from harness import Scenario, main, needs_root, wait_until
from harness.scenario import JOBS, PYTHON
from harness.writ import REFUSED, TREE

DECLARATIONS = """kind: Dataset
name: open/one
location: file:///one
---
kind: Dataset
name: strict/two
location: file:///two
---
kind: Dataset
name: both/three
location: file:///three
---
kind: AuditRedaction
name: patients
context: [patient]
"""
POLICIES = """@id("serve")
@outage("spool")
permit (principal, action == Action::"read", resource == Dataset::"open/one");

@id("train")
permit (principal, action == Action::"read", resource == Dataset::"strict/two");

@id("three-spooled")
@outage("spool")
permit (principal, action == Action::"read", resource == Dataset::"both/three");

@id("three-refused")
@outage("refuse")
permit (principal, action == Action::"read", resource == Dataset::"both/three");

@id("never-write")
@outage("spool")
forbid (principal, action == Action::"write", resource == Dataset::"open/one");
"""


@needs_root
class OutageOfTheLog(Scenario):
    def setUp(self):
        super().setUp()
        self.log = self.writ.data / "log"
        self.log.mkdir(parents=True, mode=0o700)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m,mode=0700", "tmpfs", self.log], capture_output=True, text=True)
        if mounted.returncode != 0:
            raise unittest.SkipTest(f"cannot mount a small file system: {mounted.stderr.strip()}")
        self.declared = self.scratch("declared")
        self.declared.mkdir()
        (self.declared / "all.yaml").write_text(DECLARATIONS)
        (self.declared / "all.cedar").write_text(POLICIES)

    def tearDown(self):
        for program in self.writ.programs:
            if program.is_running():
                program.kill()
        subprocess.run(["umount", "-l", self.log], check=False)
        subprocess.run(["rm", "-rf", self.writ.data], check=False)

    def start(self, *options: str):
        self.authority = self.writ.start_authority(*options)

    def apply(self):
        outcome = self.writ.cli("apply", "-f", self.declared)
        self.assertEqual(0, outcome.code, outcome)

    def ask(self, dataset: str, purpose: str, action: str = "read"):
        return self.writ.admin("POST", "/access/v1/evaluation", self.question(dataset, purpose, action))

    @staticmethod
    def question(dataset: str, purpose: str, action: str = "read") -> dict:
        return {"subject": {"type": "Workload", "id": "spiffe://oncology.example/reader"}, "action": {"name": action},
                "resource": {"type": "Dataset", "id": dataset}, "context": {"purpose": purpose}}

    def secret(self) -> dict:
        question = self.question("open/one", "secret")
        question["context"]["patient"] = "Ann Nobody"
        return question

    def ask_many(self, purposes: list[str]):
        return self.writ.admin("POST", "/access/v1/evaluations", {"evaluations": [self.question("open/one", purpose) for purpose in purposes]})

    def fill(self):
        """Until the log takes not even one record more, however often it is asked: it makes room for some before, and gives room back when it publishes."""
        self.ballast = self.log / "ballast"
        refusals = 0
        for _ in range(1000):
            self.fill_the_disk()
            refusals = refusals + 1 if self.ask("strict/two", "filling").status != 200 else 0
            if refusals == 10:
                return
        self.fail("the log takes records on a full disk")

    def fill_the_disk(self):
        many = {"evaluations": [self.question("strict/two", "filling")] * 1000}
        with open(self.ballast, "ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    continue
        while self.writ.admin("POST", "/access/v1/evaluations", many).status == 200:
            continue

    def waiting(self) -> int:
        return self.writ.admin("GET", "/v1/audit/status").json["spool"]["waiting"]

    def wait_drained(self):
        wait_until("the spool is empty", lambda: self.waiting() == 0, seconds=60)

    def all_records(self, **filters) -> list[dict]:
        """Oldest first."""
        found, before = [], None
        while page := self.writ.records(**filters, **({"before": before} if before is not None else {})):
            found += page
            before = page[-1]["sequence"]
        return found[::-1]

    def assert_once_and_in_order(self, purposes: list[str]):
        self.assertEqual(purposes, self.assert_once(purposes))

    def assert_once(self, purposes: list[str]) -> list[str]:
        recorded = [entry["record"]["purpose"] for entry in self.all_records(type="decision") if entry["record"].get("purpose") in set(purposes)]
        self.assertEqual([], [purpose for purpose, count in collections.Counter(recorded).items() if count != 1], "recorded twice")
        self.assertEqual(set(purposes), set(recorded))
        self.assert_log_verifies()
        return recorded

    def gaps(self) -> list[dict]:
        return [entry for entry in self.all_records(type="administration") if entry["record"].get("action") == "outage"]

    def test_only_what_says_so_is_served_and_all_of_it_is_recorded(self):
        self.start()
        self.apply()
        self.assertIsInstance(self.ask("open/one", "before").json["context"]["record"], int)
        self.fill()
        served = [f"during-{i}" for i in range(40)]
        for purpose in served:
            answer = self.ask("open/one", purpose)
            self.assertEqual(200, answer.status, answer.text)
            self.assertTrue(answer.json["decision"])
            self.assertIsNone(answer.json["context"]["record"])
        # What is not to be on record is not to be in the spool.
        for path, body in (("evaluation", self.secret()), ("evaluations", {"evaluations": [self.secret()] * 3})):
            self.assertEqual(200, self.writ.admin("POST", f"/access/v1/{path}", body).status)
        self.assertNotIn(b"Ann Nobody", (self.writ.data / "spool" / "records").read_bytes())
        # A denial by a policy that says so is served too; a default deny, a strict policy, and one strict among two are not.
        denied = self.ask("open/one", "denied", action="write")
        self.assertEqual((200, False), (denied.status, denied.json.get("decision")), denied.text)
        for dataset, action in (("strict/two", "read"), ("both/three", "read"), ("strict/two", "write")):
            self.assertEqual(507, self.ask(dataset, "strict", action).status, dataset)
        self.assertEqual(43, self.waiting())
        self.assertIn("43 records wait in the spool", self.writ.cli("audit", "status").out)
        self.assertIn("writ_audit_spool_waiting 43", self.writ.admin("GET", "/metrics").text)
        self.assertIn("THE AUDIT LOG CANNOT BE WRITTEN", self.authority.output())

        self.ballast.unlink()
        self.wait_drained()
        self.assert_once_and_in_order([*served, "denied"])
        secrets = self.writ.admin("GET", "/v1/audit/records?type=decision&limit=100").text
        self.assertIn('"secret"', secrets)
        self.assertNotIn("Ann Nobody", secrets)
        gap, = self.gaps()
        self.assertRegex(gap["record"]["reason"], r"from \S+Z to \S+Z 43 records were spooled")
        self.assertEqual(200, self.ask("strict/two", "after").status)
        self.assertFalse((self.writ.data / "spool" / "records").exists())
        self.assertNotIn("strict", [entry["record"].get("purpose") for entry in self.all_records(type="decision")])

    def test_a_full_spool_refuses(self):
        self.start("--spool-bytes", str(1 << 16))
        self.apply()
        self.fill()
        served = []
        for i in range(1000):
            purpose = f"bounded-{i}"
            answer = self.ask("open/one", purpose)
            if answer.status != 200:
                break
            served.append(purpose)
        self.assertEqual(507, answer.status, answer.text)
        self.assertGreater(len(served), 20)
        written_ahead = b"\0"
        self.assertLessEqual(len((self.writ.data / "spool" / "records").read_bytes().rstrip(written_ahead)), 1 << 16)
        self.ballast.unlink()
        self.wait_drained()
        self.assert_once_and_in_order(served)

    def test_killed_while_it_brings_them_into_the_log_none_is_lost_or_doubled(self):
        self.start()
        self.apply()
        purposes, in_the_middle = [], 0
        for round_number in range(8):
            self.fill()
            batch = [f"round-{round_number}-{i}" for i in range(1000)]
            self.assertEqual(200, self.ask_many(batch).status)
            purposes += batch
            self.ballast.unlink()
            time.sleep(random.uniform(0, 0.01 * 2 ** round_number))  # before it has begun, in the middle, or after it: chance
            self.authority.kill()
            in_the_middle += (self.writ.data / "spool" / "records").exists()
            self.start()
            self.wait_drained()
            self.assertEqual(round_number + 1, len(self.gaps()))
        self.assertGreater(in_the_middle, 0, "it was always done already")
        # Of a batch the full disk may still take some: a small group of records finds room where a large one did not.
        self.assert_once(purposes)
        for gap in self.gaps():
            self.assertRegex(gap["record"]["reason"], r" [1-9]\d* records were spooled")

    def test_a_run_is_served_with_a_credential_that_is_on_record_afterwards(self):
        self.start_postgres()
        self.dev = self.writ.start_dev()
        example = self.scratch("oncology")
        shutil.copytree(TREE / "examples/oncology", example)
        policies = example / "policies.cedar"
        policies.write_text(policies.read_text().replace('@id("classifier', '@outage("spool")\n@id("classifier'))
        outcome = self.writ.cli("apply", "-f", example, environment={"ONCOLOGY_PORT": str(self.postgres.port),
                                                                    "ONCOLOGY_PASSWORD_FILE": str(self.postgres.password_file)})
        self.assertEqual(0, outcome.code, outcome)
        self.fill()
        outcome = self.writ.cli("run", "--purpose", "train", "--", PYTHON, JOBS / "read.py")
        self.assertEqual(0, outcome.code, outcome)
        self.assertEqual("20", outcome.out.strip())
        refused = self.writ.cli("run", "--purpose", "marketing", "--", PYTHON, JOBS / "read.py")
        self.assertNotIn(refused.code, (0, REFUSED), refused)  # the denial could not be recorded, so nobody learns of it
        wait_until("its role is gone, log or no log", lambda: not self.postgres.roles())
        self.assertGreaterEqual(self.waiting(), 3)

        self.ballast.unlink()
        self.wait_drained()
        run = next(entry["record"]["run"] for entry in self.all_records(type="issuance") if entry["record"]["credential"]["kind"] == "postgres_role")
        wait_until("its end is on record", lambda: {"decision", "issuance", "run_start", "revocation", "run_end"}
                   <= {entry["record"]["type"] for entry in self.all_records(run=run)}, seconds=60)
        issuance, = self.all_records(run=run, type="issuance")
        self.assertNotIn("decision_record", issuance["record"])
        self.assertIn(run, self.writ.cli("audit", "who-used", "dataset", "oncology/biopsies", "--json").out)
        self.assert_log_verifies()

    def test_another_word_is_refused_before_it_is_in_force(self):
        self.start()
        file = self.declared / "all.cedar"
        file.write_text(POLICIES.replace('@outage("refuse")', '@outage("allow")'))
        checked = self.writ.cli("policy", "check", self.declared)
        self.assertEqual(1, checked.code)
        self.assertRegex(checked.err, r"all\.cedar:13:2: `@outage` says `refuse` or `spool`, not `allow`")
        applied = self.writ.cli("apply", "-f", self.declared)
        self.assertNotEqual(0, applied.code)
        self.assertIn("`@outage` says `refuse` or `spool`", applied.err)


if __name__ == "__main__":
    main()
