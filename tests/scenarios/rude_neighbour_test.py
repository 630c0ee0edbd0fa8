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


if __name__ == "__main__":
    main()
