#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""However a run ends, its role is dropped, its open sessions are ended, and the copied password is dead."""
import os
import signal

from harness import Scenario, main, wait_until


class KilledRun(Scenario):
    """In one process: `writ dev`."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_oncology()

    def assert_over(self, run) -> None:
        self.assert_role_ends(run.role)
        outcome = self.postgres.login(run.leaked, run.role)
        self.assertNotEqual(0, outcome.returncode)
        self.assertIn("authentication failed", outcome.stderr)

    def test_the_copied_password_works_while_the_run_lives(self):
        run = self.start_holding_run()
        self.assertEqual("20", self.postgres.login(run.leaked, run.role).stdout.strip())
        self.assertEqual(1, self.postgres.sessions(run.role))
        run.program.stop()
        self.assert_over(run)

    def test_the_job_is_killed(self):
        run = self.start_holding_run()
        os.kill(run.job, signal.SIGKILL)
        self.assertEqual(137, run.program.wait())
        self.assert_over(run)  # with the session that its child held

    def test_writ_run_is_killed(self):
        run = self.start_holding_run()
        run.program.kill()
        wait_until("the job is gone too", lambda: not os.path.exists(f"/proc/{run.job}") or is_zombie(run.job))
        self.assert_over(run)

    def test_the_lease_is_revoked_by_hand(self):
        run = self.start_holding_run()
        leases = [lease for lease in self.writ.admin("GET", "/v1/leases").json["leases"] if lease["state"] == "active"]
        self.assertEqual(1, len(leases), leases)
        outcome = self.writ.cli("lease", "revoke", leases[0]["id"])
        self.assertEqual(0, outcome.code, outcome)
        self.assert_over(run)
        run.program.kill()


class KilledAgent(Scenario):
    """As two processes: the authority outlives its agent."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_postgres()
        cls.writ.start_authority()
        cls.writ.apply_oncology(cls.postgres)
        cls.agent = cls.writ.start_agent(cls.writ.join_token())

    def restart_agent(self) -> None:
        type(self).agent = self.writ.start_agent()  # no token: it has its identity

    def test_the_agent_is_killed_and_comes_back(self):
        run = self.start_holding_run()
        self.agent.kill()
        self.assertTrue(self.postgres.has_role(run.role))
        os.kill(run.job, signal.SIGKILL)  # nobody sees it
        self.restart_agent()
        self.assert_role_ends(run.role)
        again = self.start_holding_run("again")
        again.program.kill()
        self.assert_role_ends(again.role)

    def test_the_authority_is_killed_while_a_run_lives_and_learns_of_its_end(self):
        run = self.start_holding_run()
        authority = next(program for program in self.writ.programs if program.arguments[1] == "authority" and program.is_running())
        url = self.writ.public_url()
        authority.kill()
        os.kill(run.job, signal.SIGKILL)
        self.writ.start_authority(listen=url.removeprefix("https://"))
        self.assert_role_ends(run.role)
        self.assert_log_verifies()


class LostAgent(Scenario):
    """The agent never comes back: the credential's own lifetime ends it."""

    def test_the_lease_runs_out(self):
        self.start_postgres()
        self.writ.start_authority()
        self.writ.apply_oncology(self.postgres)
        provider = self.writ.admin("GET", "/v1/declarations?kind=CredentialProvider&name=oncology-db").json["declarations"][0]["text"]
        answer = self.writ.admin("POST", "/v1/declarations", {"documents": [
            {"path": "credential-provider.yaml", "text": provider.replace("lifetime: 10m", "lifetime: 10s")}]})
        self.assertEqual(200, answer.status, answer.text)
        agent = self.writ.start_agent(self.writ.join_token())
        run = self.start_holding_run()
        agent.kill()
        self.assert_role_ends(run.role)


def is_zombie(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


if __name__ == "__main__":
    main()
