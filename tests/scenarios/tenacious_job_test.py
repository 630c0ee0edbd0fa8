#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A job, or an accident, that would keep a role alive behind its run."""
import ctypes
import os
import signal
import subprocess
from pathlib import Path

from harness import Scenario, main, wait_until
from harness.postgres import PSQL
from harness.scenario import JOBS, PYTHON


def children_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


class TenaciousJob(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_oncology()

    def as_role(self, run, database: str, query: str) -> subprocess.CompletedProcess:
        return subprocess.run([PSQL, "-X", "-w", "-At", "-h", "127.0.0.1", "-p", str(self.postgres.port), "-U", run.role, "-d", database, "-c", query],
                              env={"PGPASSFILE": self.passfile(run), "PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=60)

    def passfile(self, run) -> str:
        """The run's, good for every database of the server."""
        host, port, _, role, password = run.leaked.read_text().strip().split(":")
        anywhere = Path(f"{run.leaked}.anywhere")
        anywhere.touch(mode=0o600)
        anywhere.write_text(f"{host}:{port}:*:{role}:{password}\n")
        return str(anywhere)

    def test_what_it_left_in_another_database_does_not_keep_its_role(self):
        self.postgres.lines("create database elsewhere")  # where everybody may connect, and make large objects
        run = self.start_holding_run()
        for database in ("elsewhere", "oncology"):
            done = self.as_role(run, database, "select lo_create(0)")
            self.assertEqual(0, done.returncode, done.stderr)
        run.program.kill()
        self.assert_role_ends(run.role)
        self.assertEqual(["0"], self.postgres.lines("select count(*) from pg_shdepend where refclassid = 'pg_authid'::regclass"
                                                    " and refobjid not in (select oid from pg_roles)"))

    def test_a_reason_cut_within_a_character_ends_its_run(self):
        run = self.start_holding_run()
        (listed,) = self.writ.run_socket("GET", "/v1/runs").json["runs"]
        answer = self.writ.run_socket("POST", f"/v1/runs/{listed['run']}/end", {"reason": "x" + "\u00e9" * 60})
        self.assertEqual(200, answer.status, answer.text)
        self.assertFalse(self.postgres.has_role(run.role))

    def test_one_process_has_one_run(self):
        child = os.fork()
        if child == 0:
            ctypes.CDLL(None, use_errno=True).ptrace(0, 0, None, None)  # PTRACE_TRACEME: stops behind its exec
            os.execv(PYTHON, [PYTHON, "-c", ""])
        try:
            os.waitpid(child, 0)
            answers = [self.writ.run_socket("POST", "/v1/runs", {"pid": pid, "purpose": "train"}) for pid in (child, child, child + 2**32)]
            self.assertEqual([200, 409, 400], [answer.status for answer in answers], [answer.text for answer in answers])
            self.assertEqual(1, len(self.postgres.roles()))
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        wait_until("no role is left", lambda: not self.postgres.roles())

    def test_a_signal_while_the_run_is_being_started_ends_it(self):
        """A scheduler's cancel, or Ctrl-C, while the database does not answer."""
        ran = self.scratch("ran")
        self.postgres.freeze()
        try:
            for number in (signal.SIGTERM, signal.SIGINT):
                program = self.writ.launch(f"cancelled-{number}", ["run", "--purpose", "train", "--", PYTHON, "-c", f"open({str(ran)!r}, 'w')"])
                wait_until("the start is under way", lambda: self.writ.admin("GET", "/v1/runs").json["runs"][-1:] and len(children_of(program.pid)) == 1)
                program.signal(number)
                self.assertEqual(128 + number, program.wait(10))
        finally:
            self.postgres.thaw()
        self.assertFalse(ran.exists())
        wait_until("no run lives", lambda: not [run for run in self.writ.admin("GET", "/v1/runs").json["runs"] if "ended" not in run])
        wait_until("no role is left", lambda: not self.postgres.roles())

    def test_a_statement_that_arrives_late_makes_no_role(self):
        """The authority gave a connection up; what it had sent there is executed when nobody waits for it any more."""
        self.assertEqual(0, self.writ.cli("run", "--purpose", "train", "--", PYTHON, JOBS / "read.py").code)
        backends = [int(pid) for pid in self.postgres.lines("select pid from pg_stat_activity where application_name = 'writ'")]
        self.assertTrue(backends)
        for pid in backends:
            os.kill(pid, signal.SIGSTOP)
        try:
            outcome = self.writ.cli("run", "--purpose", "train", "--", PYTHON, JOBS / "read.py")
            self.assertNotEqual(0, outcome.code, outcome)
            wait_until("the lease has ended", lambda: self.writ.admin("GET", "/v1/status").json["leases"] == 0)
        finally:
            for pid in backends:
                os.kill(pid, signal.SIGCONT)
        wait_until("the connection is gone", lambda: not set(backends) & {
            int(pid) for pid in self.postgres.lines("select pid from pg_stat_activity where application_name = 'writ'")})
        self.assertFalse(self.postgres.roles())


if __name__ == "__main__":
    main()
