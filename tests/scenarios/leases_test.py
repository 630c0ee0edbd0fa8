#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What leases cost, how fast a withdrawn permission takes them back, and revoking by node and by model."""
import json
import sqlite3
import time

from harness import Scenario, main, wait_until
from harness.scenario import PYTHON

MANY = 50_000
MEGABYTES_MAX = 64
LONG_AGO = 1_700_000_000


class Withdrawn(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_postgres()
        cls.writ.start_authority()
        cls.agent = cls.writ.start_agent(cls.writ.join_token())
        cls.writ.apply_oncology(cls.postgres)

    def test_1_a_policy_that_withdraws_a_permission_takes_back_what_it_gave(self):
        took = []
        for attempt in range(3):
            run = self.start_holding_run(f"held-{attempt}")
            policies = self.scratch("forbid.cedar")
            policies.write_text(f'@id("closed-{attempt}") forbid (principal, action, resource);\n')
            began = time.monotonic()
            self.assertEqual(0, self.writ.cli("apply", "-f", policies).code)
            applied = time.monotonic()
            wait_until("the role is gone", lambda: not self.postgres.has_role(run.role))
            took.append(time.monotonic() - began)
            print(f"`writ apply` took {applied - began:.3f} s; with the role gone {took[-1]:.3f} s")
            self.assertEqual(0, self.postgres.sessions(run.role))
            run.program.kill()
            self.writ.apply_oncology(self.postgres)
            removed = self.writ.cli("delete", "Policies", policies.name)
            if removed.code != 0:  # by whatever key the documents have it
                documents = self.writ.admin("GET", "/v1/declarations").json["declarations"]
                key = next(item for item in documents if item["path"].endswith("forbid.cedar"))
                self.assertEqual(0, self.writ.cli("delete", key["kind"], key["name"]).code)
        # It never waits for a lease's end or its next renewal, which are minutes away, however busy the machine is.
        self.assertLess(min(took), 10)

    def test_2_revoking_a_node_ends_its_runs_and_its_agent_is_not_listened_to(self):
        run = self.start_holding_run()
        outcome = self.writ.cli("revoke", "--node", "node-1", "--reason", "disk stolen")
        self.assertEqual(0, outcome.code, outcome)
        self.assertIn("ended now: run-", outcome.out)
        self.assertIn("not listened to", outcome.out)
        self.assert_role_ends(run.role)
        refused = self.writ.cli("run", "--purpose", "train", "--", PYTHON, "-c", "pass")
        self.assertNotEqual(0, refused.code)
        run.program.kill()
        newest = self.writ.records(type="administration")[0]["record"]
        self.assertRegex(newest["reason"], "revoked node spiffe://oncology.example/writ/agent/node-1: 1 runs ended, 1 leases ended.*disk stolen")
        self.assertEqual(1, self.writ.cli("revoke", "--node", "nobody").code)
        # With a new token it is trusted anew.
        self.agent.kill()
        for file in self.writ.agent_data.glob("*"):
            if file.is_file():
                file.unlink()
        type(self).agent = self.writ.start_agent(self.writ.join_token())
        self.assertEqual(0, self.writ.cli("run", "--purpose", "train", "--", PYTHON, "-c", "pass").code)

    def test_3_revoking_a_model_or_a_dataset_leaves_others(self):
        run = self.start_holding_run()
        unknown = self.writ.cli("revoke", "--model", "oncology/biopsies")
        self.assertEqual(1, unknown.code, unknown)
        self.assertTrue(self.postgres.has_role(run.role), "a data set is no model of the same name")
        outcome = self.writ.cli("revoke", "--dataset", "oncology/biopsies")
        self.assertIn("revoked now: lease-", outcome.out, outcome)
        self.assert_role_ends(run.role)
        run.program.kill()

    def test_4_a_name_that_nothing_knows_is_no_all_clear(self):
        run = self.start_holding_run()
        for option, name, nearest in (("--workload", "oncology-trainr", "oncology-trainer"), ("--dataset", "oncology/Biopsies", "oncology/biopsies"),
                                      ("--workload", "spiffe://oncology.example/oncology/nobody/train", ""), ("--credential", "nope", "")):
            outcome = self.writ.cli("revoke", option, name)
            self.assertEqual(1, outcome.code, outcome)
            self.assertIn(f"`{name}` is known", outcome.err)
            self.assertIn(f"did you mean `{nearest}`?" if nearest else "is known", outcome.err)
            self.assertNotIn("nothing lives on", outcome.out)
        self.assertEqual(1, self.writ.cli("lease", "list", "--workload", "oncology-trainr").code)
        for path in ("/v1/leases?wrkload=x", "/v1/leases?state=oepn", "/v1/audit/records?wrkload=x"):
            self.assertEqual(400, self.writ.admin("GET", path).status, path)
        self.assertIn("did you mean `workload`?", self.writ.admin("GET", "/v1/audit/records?wrkload=x").text)
        self.assertTrue(self.postgres.has_role(run.role))
        # A declared name is all of its SPIFFE IDs.
        self.assertIn(run.role, self.writ.cli("lease", "list", "--workload", "oncology-trainer").out)
        outcome = self.writ.cli("revoke", "--workload", "oncology-trainer")
        self.assertEqual(0, outcome.code, outcome)
        self.assertIn("ended now: run-", outcome.out)
        self.assert_role_ends(run.role)
        run.program.kill()
        self.assertIn(run.role, self.writ.cli("lease", "list", "--all", "--workload", "oncology-trainer").out)


class Many(Scenario):
    def test_fifty_thousand_live_leases_fit_and_survive_a_restart(self):
        authority = self.writ.start_authority()
        authority.stop()
        self.add_leases()
        for life in ("first", "second"):
            began = time.monotonic()
            authority = self.writ.start_authority()
            started = time.monotonic() - began
            self.assertEqual(MANY, self.writ.admin("GET", "/v1/status").json["leases"])
            listed = self.writ.cli("lease", "list", "--json")
            self.assertEqual(0, listed.code, listed)
            self.assertIn('"cut": true', listed.out.replace('":true', '": true'))
            one = self.writ.cli("lease", "list", "--run", f"run-{'a' * 15}{7:05d}")
            self.assertIn("lease-", one.out)
            time.sleep(2.5)  # rounds of the keeper, which looks for what is due
            peak, now = memory(authority.pid, "VmHWM"), memory(authority.pid, "VmRSS")
            print(f"{life} life: ready in {started:.2f} s, {now:.1f} MB now, {peak:.1f} MB at most")
            self.assertLess(peak, MEGABYTES_MAX)
            authority.kill()
        self.writ.start_authority()
        self.assertEqual(MANY, self.writ.admin("GET", "/v1/status").json["leases"])
        self.revoke_all()
        self.assertEqual(MANY, self.writ.admin("GET", "/v1/status").json["leases"], "nothing has ended that was not taken back")

    def revoke_all(self) -> None:
        """Their database does not answer: all are written down as to be ended, however many, and it is waited for once."""
        began = time.monotonic()
        outcome = self.writ.cli("revoke", "--workload", "spiffe://oncology.example/ml/root/train", "--json")
        print(f"`writ revoke` took {time.monotonic() - began:.1f} s")
        self.assertEqual(0, outcome.code, outcome.err)
        answer = json.loads(outcome.out)
        self.assertEqual(([], MANY), (answer["revoked"], len(set(answer["late"]))))
        with sqlite3.connect(self.writ.data / "writ.db") as database:
            self.assertEqual([(2, MANY)], database.execute("SELECT state, count(*) FROM leases GROUP BY state").fetchall())

    def add_leases(self) -> None:
        nanoseconds = 1_000_000_000
        now = int(time.time())
        unit = self.clock_unit()
        rows = ((f"lease-{'b' * 15}{i:05d}", f"run-{'a' * 15}{i:05d}", "spiffe://oncology.example/ml/root/train", "postgres_role", "oncology-database", f"writ_{i:016d}",
                 "SELECT on public.biopsies", '{"host":"127.0.0.1","port":1,"database":"oncology","user":"writ_admin","password_file":"/nowhere","schema":"public",'
                 '"table":"biopsies","privileges":"SELECT"}', "read", "Dataset", "oncology/biopsies", 1, 2, 1, now * unit, (now + 36_000) * unit, "", None, None) for i in range(MANY))
        self.assertIn(unit, (nanoseconds, 1_000_000, 1_000, 1))
        with sqlite3.connect(self.writ.data / "writ.db") as database:
            database.executemany("INSERT INTO leases VALUES (" + ",".join("?" * 19) + ")", rows)

    def clock_unit(self) -> int:
        """Ticks of the store's time in a second, as a row that the authority wrote has it."""
        with sqlite3.connect(self.writ.data / "writ.db") as database:
            created = database.execute("SELECT created FROM keys LIMIT 1").fetchone()[0]
        unit = 1
        while created // unit > 100 * LONG_AGO:
            unit *= 1_000
        return unit


def memory(pid: int, what: str) -> float:
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(what + ":")) / 1024


if __name__ == "__main__":
    main()
