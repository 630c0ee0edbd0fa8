#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Another user of the machine: on the administration socket, and on somebody else's run."""
import os
import subprocess
from pathlib import Path

from harness import Scenario, UnixConnection, main, needs_root, request
from harness.scenario import act_as_nobody
from harness.writ import EXECUTABLE


@needs_root
class OtherUser(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_oncology()

    def ask_as_nobody(self, socket: str, method: str, path: str, body=None) -> str:
        """`STATUS BODY` of an answer, or the name of what went wrong."""
        def ask() -> str:
            answer = request(UnixConnection(self.writ.run_dir / socket), method, path, body)
            return f"{answer.status} {answer.text}"

        return act_as_nobody(ask)

    def test_the_administration_socket_answers_its_owner_alone(self):
        self.assertEqual(200, self.writ.admin("GET", "/v1/status").status)
        for method, path, body in (("GET", "/v1/status", None), ("GET", "/v1/declarations", None), ("GET", "/v1/audit/records", None),
                                   ("POST", "/v1/join-tokens", {"agent": "mine", "ttl_seconds": 600}),
                                   ("POST", "/v1/declarations", {"documents": [], "prune": True}), ("POST", "/v1/leases/revoke", {"run": "run-x"})):
            with self.subTest(path=path):
                answer = self.ask_as_nobody("authority.sock", method, path, body)
                self.assertFalse(answer.startswith("2"), answer)
                self.assertNotIn("oncology", answer)

    def test_the_check_is_of_the_peer_not_of_the_sockets_mode(self):
        socket = self.writ.admin_socket
        mode = socket.stat().st_mode & 0o777
        socket.chmod(0o777)
        try:
            answer = self.ask_as_nobody("authority.sock", "GET", "/v1/status")
            self.assertTrue(answer.startswith(("403", "401", "ConnectionResetError", "RemoteDisconnected", "BrokenPipeError")), answer)
        finally:
            socket.chmod(mode)

    def test_somebody_elses_run_is_out_of_reach(self):
        run = self.start_holding_run()
        name = next(row["run"] for row in self.writ.run_socket("GET", "/v1/runs").json["runs"])
        with self.subTest("not listed"):
            answer = self.ask_as_nobody("run.sock", "GET", "/v1/runs")
            self.assertTrue(answer.startswith("200"), answer)
            self.assertNotIn(name, answer)
        with self.subTest("not ended"):
            answer = self.ask_as_nobody("run.sock", "POST", f"/v1/runs/{name}/end", {"reason": "not its own"})
            self.assertTrue(answer.startswith(("403", "404")), answer)
            self.assertTrue(self.postgres.has_role(run.role))
        with self.subTest("not started over"):
            for pid in (run.job, os.getpid(), 1):
                answer = self.ask_as_nobody("run.sock", "POST", "/v1/runs", {"pid": pid, "purpose": "train"})
                self.assertTrue(answer.startswith(("403", "400")), answer)
        with self.subTest("its files are not read"):
            environment = dict(part.split("=", 1) for part in Path(f"/proc/{run.job}/environ").read_text().split("\0") if "=" in part)
            self.assertTrue(Path(environment["PGPASSFILE"]).exists())
            self.assertIn("PermissionError", act_as_nobody(lambda: open(environment["PGPASSFILE"]).read()))
            self.assertIn("PermissionError", act_as_nobody(lambda: os.listdir(Path(environment["PGPASSFILE"]).parent)))
        run.program.kill()
        self.assert_role_ends(run.role)

    def test_a_job_of_another_user_reads_what_it_was_given(self):
        folder = self.scratch("declared")
        folder.mkdir()
        (folder / "own.yaml").write_text("""\
kind: CredentialProvider
name: own
type: oidc_token
audience: https://own.example
file_variable: OWN_TOKEN_FILE
---
kind: Api
name: own
url: https://own.example
purpose: [train]
credential: own
---
kind: Workload
name: own-reader
id: spiffe://oncology.example/own/{unix.user}
match: { unix.path: /usr/bin/dash }
uses: [ { action: call, api: own } ]
""")
        (folder / "own.cedar").write_text('permit (principal, action == Action::"call", resource == Api::"own");\n')
        self.assertEqual(0, self.writ.cli("apply", "-f", folder).code)

        def run() -> str:
            done = subprocess.run([EXECUTABLE, "run", "--purpose", "train", "--", "/usr/bin/dash", "-c", 'wc -c < "$OWN_TOKEN_FILE"'], env=self.writ.environment | {"HOME": "/tmp"},
                                  capture_output=True, text=True, timeout=60)
            return f"{done.returncode} {done.stdout.strip()} {done.stderr}"
        outcome = act_as_nobody(run)
        self.assertRegex(outcome, r"^0 \d{3,} ")

    def test_nobody_gets_an_identity_of_his_own_user_not_of_ours(self):
        answer = self.ask_as_nobody("run.sock", "POST", "/v1/svids/x509", {})
        # The harness is /usr/bin/python3.11 too, so the workload matches; its id says whose process it is.
        self.assertNotIn("/oncology/root/", answer)

    def test_nobody_is_told_whose_the_administration_is(self):
        def run() -> str:
            done = subprocess.run([EXECUTABLE, "audit", "list"], env=self.writ.environment | {"HOME": "/tmp"}, capture_output=True, text=True, timeout=60)
            return f"{done.returncode} {done.stderr}"
        outcome = act_as_nobody(run)
        self.assertRegex(outcome, r"^77 writ: the authority at .* answers uid 0 and root alone, this is uid 65534")

    def test_the_data_folder_is_closed(self):
        for name in (".", "writ.db", "kek", "log"):
            self.assertIn("PermissionError", act_as_nobody(lambda name=name: os.listdir(self.writ.data / name) if (self.writ.data / name).is_dir()
                                                           else open(self.writ.data / name, "rb").read()[:1]), name)


if __name__ == "__main__":
    main()
