#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A full disk: issuing stops with a clear error, reading goes on, and with space it recovers, without a restart."""
import subprocess
import unittest

from harness import Scenario, main, needs_root, wait_until
from harness.scenario import JOBS, PYTHON
from harness.writ import REFUSED


@needs_root
class FullDisk(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.writ.data.mkdir(mode=0o700)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=0700", "tmpfs", cls.writ.data], capture_output=True, text=True)
        if mounted.returncode != 0:
            raise unittest.SkipTest(f"cannot mount a small file system: {mounted.stderr.strip()}")
        cls.addClassCleanup(subprocess.run, ["umount", "-l", cls.writ.data])
        # Cleanups run last in, first out: the daemons have to be gone before their disk is.
        cls.addClassCleanup(cls.writ.stop)
        cls.start_oncology()

    def run_job(self):
        return self.writ.cli("run", "--purpose", "train", "--", PYTHON, JOBS / "read.py")

    def fill(self):
        ballast = self.writ.data / "ballast"
        with open(ballast, "wb", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    continue
        return ballast

    def test_full_and_free_again(self):
        self.assertEqual(0, self.run_job().code)
        size = self.writ.tree_size()
        ballast = self.fill()

        refused = self.run_job()
        self.assertNotIn(refused.code, (0, REFUSED), refused)
        self.assertRegex(refused.err, "(?i)space|full|exhausted")
        wait_until("no role is left", lambda: not self.postgres.roles())

        self.assertEqual(200, self.writ.admin("GET", "/v1/status").status)
        self.assertEqual(0, self.writ.cli("audit", "who-used", "dataset", "oncology/biopsies").code)
        self.assertGreaterEqual(len(self.writ.records()), size)
        self.assertEqual(200, self.writ.public("GET", "/.well-known/jwks.json").status)
        self.assertEqual(200, self.writ.public("GET", "/log/checkpoint").status)

        ballast.unlink()
        recovered = wait_until("jobs run again", lambda: (outcome := self.run_job()).code == 0 and outcome)
        self.assertEqual("20", recovered.out.strip().splitlines()[-1])
        self.assertGreater(self.writ.tree_size(), size)
        self.assert_log_verifies()
        wait_until("no role is left", lambda: not self.postgres.roles())


if __name__ == "__main__":
    main()
