#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Roles for runs hold to what every issuer holds to, on a real server; and a twin that breaks a rule is seen."""
import os
import subprocess
import unittest
from pathlib import Path

from harness import Scenario, main
from harness.writ import EXECUTABLE

PROGRAM = Path(os.environ.get("WRIT_POSTGRES_CONFORMANCE", EXECUTABLE.parent / "tests/postgres_conformance"))


class PostgresIssuer(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not PROGRAM.is_file():
            raise unittest.SkipTest(f"no {PROGRAM}: `ninja scenario_programs`")
        cls.start_postgres()
        cls.postgres.execute("grant create on database oncology to writ_admin")  # for roles that may read some rows

    def test_conforms(self):
        done = subprocess.run([PROGRAM, "127.0.0.1", str(self.postgres.port), self.postgres.password_file], capture_output=True, text=True, timeout=180)
        self.assertEqual((0, ""), (done.returncode, done.stdout), done.stderr)


if __name__ == "__main__":
    main()
