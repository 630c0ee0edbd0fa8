#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SSH certificates of runs, at an OpenSSH server: who gets in, as whom, to do what, and until when."""
import os
import re
import shutil
import socket
import subprocess
import threading
import unittest
from pathlib import Path

from harness import Scenario, main, wait_until
from harness.scenario import PYTHON, needs_root

SSHD = "/usr/sbin/sshd"

DECLARATIONS = """kind: TrustProvider
name: unix
type: unix
---
kind: Workload
name: trainer
id: spiffe://oncology.example/trainer
match: {{ unix.path: {python} }}
uses:
  - {{ action: {action}, api: cluster }}
---
kind: CredentialProvider
name: cluster-login
type: ssh_certificate
principals: {{ connect: deploy, call: somebody-else, infer: "{{workload}}" }}
known_hosts: "{known_hosts}"
{provider}
---
kind: Api
name: cluster
url: ssh://127.0.0.1:{port}
purpose: [train]
credential: cluster-login
"""


@needs_root
class Ssh(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not Path(SSHD).exists():
            raise unittest.SkipTest("no OpenSSH server: install openssh-server")
        cls.writ.start_dev()
        cls.start_server()

    @classmethod
    def start_server(cls):
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        ca = cls.writ.cli("ssh", "ca")
        assert ca.code == 0, ca
        (cls.folder / "user-ca.pub").write_text(ca.out)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", cls.folder / "host"], check=True)
        (cls.folder / "principals").write_text("deploy\nspiffe://oncology.example/trainer\n")
        listener = socket.create_server(("127.0.0.1", 0))
        cls.addClassCleanup(listener.close)
        cls.port = listener.getsockname()[1]
        (cls.folder / "sshd_config").write_text(f"""
            HostKey {cls.folder}/host
            PidFile none
            UsePAM no
            StrictModes no
            PermitRootLogin yes
            AuthenticationMethods publickey
            AuthorizedKeysFile none
            TrustedUserCAKeys {cls.folder}/user-ca.pub
            AuthorizedPrincipalsFile {cls.folder}/principals
            LogLevel VERBOSE
        """)
        cls.known_hosts = f"[127.0.0.1]:{cls.port} " + " ".join((cls.folder / "host.pub").read_text().split()[:2])
        cls.server_log = cls.folder / "sshd.log"
        threading.Thread(target=cls.serve, args=(listener,), daemon=True).start()

    @classmethod
    def serve(cls, listener):
        """A server for each connection, as inetd has it: sshd itself takes no port that the system chooses."""
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                server = subprocess.Popen([SSHD, "-i", "-f", cls.folder / "sshd_config", "-E", cls.server_log], stdin=connection, stdout=connection,
                                          stderr=subprocess.DEVNULL)
            cls.addClassCleanup(server.wait)
            cls.addClassCleanup(server.terminate)

    @classmethod
    def log(cls) -> str:
        return cls.server_log.read_text() if cls.server_log.exists() else ""

    def declare(self, action: str = "connect", provider: str = "lifetime: 10m", code: int = 0):
        declarations = self.scratch("declarations.yaml")
        declarations.write_text(DECLARATIONS.format(python=PYTHON, action=action, port=self.port, provider=provider, known_hosts=self.known_hosts))
        policies = self.scratch("policies.cedar")
        policies.write_text('@id("all") permit (principal, action, resource);\n')
        outcome = self.writ.cli("apply", "-f", declarations, "-f", policies)
        self.assertEqual(code == 0, outcome.code == 0, outcome)
        return outcome

    def run_job(self, code: str, *arguments):
        return self.writ.cli("run", "--purpose", "train", "--", PYTHON, "-c", "import os, shlex, shutil, subprocess, sys\n" + code, *arguments)

    def login(self, *arguments):
        """A job that logs in with what its environment says."""
        return self.run_job("sys.exit(subprocess.run([*shlex.split(os.environ['GIT_SSH_COMMAND']), '-F', 'none', '-o', 'BatchMode=yes', '-p', sys.argv[1], "
                            "*sys.argv[2:-1], 'root@127.0.0.1', sys.argv[-1]]).returncode)", str(self.port), *arguments)

    def test_a_run_logs_in_as_its_principal_and_the_server_knows_which_run(self):
        self.declare()
        outcome = self.login("echo hello; id -un")
        self.assertEqual((0, "hello\nroot\n"), (outcome.code, outcome.out), f"{outcome}\n{self.log()}")
        issued = self.writ.records(type="issuance")[0]["record"]
        self.assertEqual("ssh_certificate", issued["credential"]["kind"])
        self.assertIn("connect cluster as deploy", issued["credential"]["scope"])
        told = re.search(r"ID (\S+) (run-\w+) (\w+) \(serial (\d+)\)", self.log())
        self.assertEqual(("spiffe://oncology.example/trainer", issued["run"], "train", issued["credential"]["id"]), told.groups())

    def test_a_workload_is_a_principal_by_its_spiffe_id(self):
        self.declare("infer")
        self.assertEqual(0, self.login("true").code)

    def test_another_principal_is_refused(self):
        self.declare("call")
        outcome = self.login("true")
        self.assertEqual(255, outcome.code, outcome)
        self.assertIn("Permission denied (publickey)", outcome.err)
        self.assertRegex(self.log(), "does not contain an authorized principal|name is not a listed principal")

    def test_an_action_without_principal_starts_no_job(self):
        self.declare()
        declarations = self.scratch("declarations.yaml")
        declarations.write_text(declarations.read_text().replace("principals: { connect: deploy, ", "principals: { "))
        self.assertEqual(0, self.writ.cli("apply", "-f", declarations).code)
        outcome = self.login("true")
        self.assertNotEqual(0, outcome.code)
        self.assertIn("no principal is declared for action `connect`", outcome.err)

    def test_nothing_is_permitted_that_is_not_said(self):
        self.declare()
        self.assertIn("PTY allocation request failed", self.login("-tt", "true").err)
        self.declare(provider="lifetime: 10m\nextensions: [permit-pty]")
        self.assertNotIn("PTY allocation request failed", self.login("-tt", "true").err)
        self.declare(provider="lifetime: 10m\nforce_command: echo forced")
        outcome = self.login("echo mine")
        self.assertEqual((0, "forced\n"), (outcome.code, outcome.out), outcome)
        self.declare(provider="lifetime: 10m\nsource_address: 10.0.0.0/8")
        self.assertEqual(255, self.login("true").code)
        self.assertIn("not from a permitted source address", self.log())

    def test_after_its_lifetime_it_is_refused(self):
        self.declare(provider="lifetime: 5s")
        kept = self.scratch("kept")
        copied = self.run_job("key = os.environ['SSH_KEY_FILE']\nfor end in ('', '-cert.pub'):\n    shutil.copy(key + end, sys.argv[1] + end)", str(kept))
        self.assertEqual(0, copied.code, copied)
        command = ["ssh", "-F", "none", "-i", kept, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={self.scratch('hosts')}", "-p", str(self.port),
                   "root@127.0.0.1", "true"]
        self.scratch("hosts").write_text(self.known_hosts + "\n")
        wait_until("it is refused", lambda: subprocess.run(command, capture_output=True, timeout=60).returncode == 255)
        self.assertIn("Certificate invalid: expired", self.log())
        listed = subprocess.run(["ssh-keygen", "-L", "-f", f"{kept}-cert.pub"], capture_output=True, text=True, check=True).stdout
        self.assertIn("ED25519-CERT", listed)
        self.assertRegex(listed, r"Principals:\s+deploy\s+Critical Options: \(none\)\s+Extensions: \(none\)")

    def test_the_private_key_is_the_node_s_alone(self):
        self.declare()
        outcome = self.run_job("key = os.environ['SSH_KEY_FILE']\nprint(oct(os.stat(key).st_mode & 0o777), os.path.basename(key))\nprint(open(key).read())")
        self.assertEqual(0, outcome.code, outcome)
        self.assertTrue(outcome.out.startswith("0o600 cluster-login\n-----BEGIN OPENSSH PRIVATE KEY-----"), outcome.out)
        body = outcome.out.split("\n")[3]
        for path in (self.folder / "data").rglob("*"):
            if path.is_file():
                self.assertNotIn(body.encode(), path.read_bytes(), path)

    @unittest.skipUnless(shutil.which("git"), "no git")
    def test_git_clones_over_ssh_without_being_told(self):
        self.declare()
        work, bare = self.scratch("work"), self.scratch("bare.git")
        git = ["git", "-c", "user.name=a", "-c", "user.email=a@example", "-c", "safe.directory=*"]
        subprocess.run([*git, "init", "-q", work], check=True)
        (work / "file").write_text("content\n")
        subprocess.run([*git, "-C", work, "add", "file"], check=True)
        subprocess.run([*git, "-C", work, "commit", "-qm", "one"], check=True)
        subprocess.run([*git, "clone", "-q", "--bare", work, bare], check=True)
        outcome = self.run_job("sys.exit(subprocess.run(['git', 'clone', '-q', sys.argv[1], sys.argv[2]]).returncode)", f"ssh://root@127.0.0.1:{self.port}{bare}",
                               str(self.scratch("clone")))
        self.assertEqual(0, outcome.code, outcome)
        self.assertEqual("content\n", (self.scratch("clone") / "file").read_text())

    def test_declarations_that_no_server_would_take_are_refused(self):
        for provider in ("extensions: [permit-all]", "source_address: everywhere", "variable: KEY", "file: a/b"):
            with self.subTest(provider=provider):
                self.declare(provider=provider, code=1)


if __name__ == "__main__":
    main()
