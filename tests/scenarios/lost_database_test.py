#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Databases that hang, or are gone for good: others' leases end all the same, what does not end says why, an administrator may give it up, and what ended is forgotten in the end."""
import contextlib
import json
import socket
import sqlite3
import time

from harness import Scenario, main, wait_until

HANGING = 4
ANSWER_DEADLINE_SECONDS = 15  # after which a database that hangs is one that does not answer
MICROSECONDS = 1_000_000
DAY = 86_400


class LostDatabase(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_oncology()

    def change(self, sql: str, rows) -> None:
        with contextlib.closing(sqlite3.connect(self.writ.data / "writ.db", timeout=30)) as database, database:
            database.executemany(sql, rows)

    def lease_row(self, number: int, provider: str, port: int, state: int, ended: float | None = None) -> tuple:
        now = time.time()
        target = {"host": "127.0.0.1", "port": port, "database": "oncology", "user": "writ_admin", "password_file": str(self.postgres.password_file),
                  "schema": "public", "table": "biopsies", "privileges": "SELECT"}
        return (f"lease-{'h' * 15}{number:05d}", f"run-{'h' * 20}", "spiffe://oncology.example/ml/root/train", "postgres_role", provider, f"writ_{number:016d}",
                "SELECT on public.biopsies", json.dumps(target), "read", "Dataset", "oncology/biopsies", 1, 2, state, int((now - 60 * DAY) * MICROSECONDS),
                int((now - DAY) * MICROSECONDS), "run ended", None, ended and int(ended * MICROSECONDS))

    def leases(self, *options: str) -> list[dict]:
        return json.loads(self.writ.cli("lease", "list", "--json", *options).out)["leases"]

    def lease(self, credential: str, *options: str) -> dict:
        [found] = [lease for lease in self.leases(*options) if credential in (lease["credential"], lease["id"])]
        return found

    def test_1_databases_that_hang_keep_no_others_leases_waiting(self):
        run = self.start_holding_run()
        hanging = []
        for _ in range(HANGING):
            listener = socket.create_server(("127.0.0.1", 0))
            self.addCleanup(listener.close)
            hanging.append(listener.getsockname()[1])
        self.change("INSERT INTO leases VALUES (" + ",".join("?" * 19) + ")",
                    [self.lease_row(number, f"hanging-{number}", port, 2) for number, port in enumerate(hanging)])
        self.change("UPDATE leases SET expires = 1 WHERE credential = ?", [(run.role,)])
        began = time.monotonic()
        wait_until("the role is gone", lambda: not self.postgres.has_role(run.role), seconds=(HANGING - 1) * ANSWER_DEADLINE_SECONDS)
        took = time.monotonic() - began
        print(f"with {HANGING} databases that hang, the role was gone after {took:.1f} s")
        self.assertLess(took, ANSWER_DEADLINE_SECONDS)
        run.program.kill()
        # That they hang is told, with since when.
        late = wait_until("the authority has waited for one", lambda: [lease for lease in self.leases() if "last_error" in lease])
        self.assertEqual("revoking", late[0]["state"])
        listed = self.writ.cli("lease", "list").out
        self.assertRegex(listed, rf"{late[0]['id']}  since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d  .")
        for lease in [lease for lease in self.leases() if lease["provider"].startswith("hanging")]:
            wait_until("it was tried", lambda: "last_error" in self.lease(lease["id"]), seconds=60)
            self.assertEqual(0, self.writ.cli("revoke", "--credential", lease["id"], "--abandon").code)

    def test_2_a_database_that_is_gone_for_good_is_given_up_by_hand_and_on_record(self):
        run = self.start_holding_run()
        refused = self.writ.cli("revoke", "--credential", run.role, "--abandon")
        self.assertEqual(1, refused.code, refused)
        self.assertIn("is active", refused.err)
        self.postgres.stop()
        run.program.kill()
        lease = wait_until("it cannot be taken back", lambda: (found := self.lease(run.role)) and "last_error" in found and found)
        self.assertEqual(("revoking", True), (lease["state"], "revoking_since" in lease))
        self.assertNotEqual(0, self.writ.cli("revoke", "--run", lease["run"], "--abandon").code, "of one credential alone")

        outcome = self.writ.cli("revoke", "--credential", run.role, "--abandon", "--reason", "dismantled")
        self.assertEqual(0, outcome.code, outcome)
        self.assertIn(f"given up, and its system may have the credential still: {lease['id']}", outcome.out)
        self.assertEqual([], self.leases())
        ended = self.lease(run.role, "--all")
        self.assertEqual("ended", ended["state"])
        self.assertIn("given up by uid:", ended["reason"])
        record = self.writ.records(type="administration")[0]["record"]
        self.assertEqual(("abandoned", lease["id"]), (record["outcome"], record["credential"]["lease"]))
        self.assertRegex(record["reason"], r"to be taken back since \d{4}-.*; last: .*; dismantled$")
        self.assertEqual([], [entry for entry in self.writ.records(type="revocation") if entry["record"]["credential"]["lease"] == lease["id"]])
        self.assertEqual(1, self.writ.cli("revoke", "--credential", run.role, "--abandon").code)
        self.assert_log_verifies()

    def test_3_what_ended_a_month_ago_is_forgotten(self):
        self.change("INSERT INTO leases VALUES (" + ",".join("?" * 19) + ")",
                    [self.lease_row(100 + days, "gone", 1, 3, time.time() - days * DAY) for days in (31, 45, 29)])
        wait_until("it is forgotten", lambda: f"lease-{'h' * 15}00131" not in [lease["id"] for lease in self.leases("--all")])
        kept = {lease["id"] for lease in self.leases("--all")}
        self.assertIn(f"lease-{'h' * 15}00129", kept)
        self.assertNotIn(f"lease-{'h' * 15}00145", kept)


if __name__ == "__main__":
    main()
