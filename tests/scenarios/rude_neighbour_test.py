#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A user of the same machine who makes the agent work, and those who are served meanwhile."""
import os
import shutil
import socket
import subprocess

from harness import Scenario, main
from harness.scenario import JOBS, PYTHON

ASK = """
import socket, sys
asking = socket.socket(socket.AF_UNIX)
asking.connect(sys.argv[1])
asking.sendall(b"POST /v1/svids/x509 HTTP/1.1\\r\\nhost: x\\r\\ncontent-length: 0\\r\\n\\r\\n")
print("asked", flush=True)
asking.recv(1)
print("answered", flush=True)
"""

START = """
import ctypes, json, os, socket, sys
job = os.fork()
if job == 0:
    ctypes.CDLL(None).ptrace(0, 0, 0, 0)
    os.execv("/usr/bin/true", ["true"])
os.waitpid(job, 0)
asking = socket.socket(socket.AF_UNIX)
asking.connect(sys.argv[1])
body = json.dumps({"pid": job, "purpose": "x" * 200, "workload": "none"}).encode()
for _ in range(int(sys.argv[2])):
    asking.sendall(b"POST /v1/runs HTTP/1.1\\r\\nhost: x\\r\\ncontent-length: %d\\r\\n\\r\\n" % len(body) + body)
    answer = asking.recv(65536)
    assert b" 403 " in answer, answer
print(answer.decode())
os.kill(job, 9)
"""


class RudeNeighbour(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_oncology()

    def test_an_executable_of_a_gib_keeps_nobody_waiting(self):
        large = self.scratch("large")
        shutil.copy(PYTHON, large)
        os.truncate(large, 1 << 30)
        with subprocess.Popen([large, "-c", ASK, self.writ.run_dir / "run.sock"], stdout=subprocess.PIPE) as asking:
            self.assertEqual(b"asked\n", asking.stdout.readline())
            for _ in range(3):
                self.assertEqual(200, self.writ.run_socket("GET", "/v1/status").status)
            os.set_blocking(asking.stdout.fileno(), False)
            self.assertIsNone(asking.stdout.readline() or None, "it was read before anybody else was answered")
            asking.kill()

    def test_connections_that_say_nothing_keep_nobody_out(self):
        silent = []
        for name in ("run.sock", "agent.sock", "authority.sock"):
            for _ in range(300):
                connection = socket.socket(socket.AF_UNIX)
                connection.connect(str(self.writ.run_dir / name))
                connection.send(b"P")
                silent.append(connection)
        try:
            outcome = self.writ.cli("run", "--purpose", "train", "--", PYTHON, JOBS / "read.py")
            self.assertEqual(0, outcome.code, outcome)
        finally:
            for connection in silent:
                connection.close()

    def test_starts_that_are_refused_without_end_do_not_fill_the_log(self):
        before = self.writ.tree_size()
        told = subprocess.run([PYTHON, "-c", START, self.writ.run_dir / "run.sock", "600"], capture_output=True, text=True, check=True)
        self.assertIn('"counted":true', told.stdout)
        self.assertLess(self.writ.tree_size() - before, 150)
        # The count is on record at the latest when the authority ends.
        self.dev.stop()
        type(self).dev = self.writ.start_dev()
        reasons = [item["record"].get("reason", "") for item in self.writ.records(type="decision", limit=200)]
        counted = [int(reason.split()[0]) for reason in reasons if "more refused starts of processes of uid" in reason]
        own = [reason for reason in reasons if reason.startswith("workload: ")]
        self.assertEqual(600, sum(counted) + len(own))
        self.assertEqual(1, sum("those behind it are counted" in reason for reason in own))
        outcome = self.writ.cli("run", "--purpose", "train", "--", PYTHON, JOBS / "read.py")
        self.assertEqual(0, outcome.code, outcome)


if __name__ == "__main__":
    main()
