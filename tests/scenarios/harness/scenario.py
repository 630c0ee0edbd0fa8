# SPDX-License-Identifier: Apache-2.0
"""The base of every scenario: a folder, a PostgreSQL and an installation for each test class, and how a file is run."""
import os
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

from harness.postgres import PSQL, Postgres
from harness.processes import wait_until
from harness.writ import EXECUTABLE, NOBODY, Installation

JOBS = Path(__file__).resolve().parents[1] / "jobs"
PYTHON = "/usr/bin/python3.11"  # what the example's trainer is known by
SKIPPED = 77

needs_root = unittest.skipUnless(os.getuid() == 0, "takes root: it acts as another user or mounts a file system")


class Scenario(unittest.TestCase):
    """Starts nothing by itself; a class says in setUpClass what it wants with `start_postgres` and `writ`."""

    folder: Path
    writ: Installation
    postgres: Postgres

    @classmethod
    def setUpClass(cls) -> None:
        if not EXECUTABLE.is_file():
            raise unittest.SkipTest(f"no executable {EXECUTABLE}; build it, or name it in WRIT_EXECUTABLE")
        cls.folder = Path(tempfile.mkdtemp(prefix="writ-scenario.", dir="/tmp"))
        cls.folder.chmod(0o755)
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.writ = Installation(cls.folder)
        cls.addClassCleanup(cls.writ.stop)

    @classmethod
    def start_postgres(cls) -> None:
        if not Path(PSQL).exists():
            raise unittest.SkipTest("no PostgreSQL 15 server programs")
        cls.postgres = Postgres(cls.folder)
        cls.addClassCleanup(cls.postgres.stop)
        cls.postgres.create_oncology()

    @classmethod
    def start_oncology(cls, *options: str) -> None:
        """PostgreSQL, `writ dev` and the example's declarations."""
        cls.start_postgres()
        cls.dev = cls.writ.start_dev(*options)
        cls.writ.apply_oncology(cls.postgres)

    def scratch(self, name: str) -> Path:
        """A path of this test's own."""
        folder = self.folder / self._testMethodName
        folder.mkdir(exist_ok=True)
        return folder / name

    def start_holding_run(self, name: str = "held", writ: Installation | None = None, query: str = "select count(*) from biopsies") -> "HoldingRun":
        return HoldingRun(writ or self.writ, self.scratch(name), query)

    def assert_role_ends(self, role: str) -> None:
        wait_until(f"role {role} is gone", lambda: not self.postgres.has_role(role))
        self.assertEqual(0, self.postgres.sessions(role))

    def assert_log_verifies(self) -> None:
        outcome = self.writ.verify_log()
        self.assertEqual(0, outcome.code, outcome)


class HoldingRun:
    """A run whose job has copied its password file to `leaked`, holds a session open in a child, and waits to be killed."""

    def __init__(self, writ: Installation, leaked: Path, query: str = "select count(*) from biopsies"):
        self.leaked = leaked
        self.program = writ.launch(leaked.name, ["run", "--purpose", "train", "--", PYTHON, JOBS / "hold.py", leaked, query])
        ready = Path(f"{leaked}.ready")

        def started():
            if not self.program.is_running():
                raise AssertionError(f"the run ended with {self.program.wait()}:\n{self.program.output()}")
            return ready.exists()

        wait_until("the job holds a session", started)
        self.job, self.child = map(int, ready.read_text().split())
        self.role = leaked.read_text().split(":")[3]


def act_as_nobody(action):
    """What `action()` returns (a string) in a process of uid nobody."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            result = action()
        except BaseException as error:  # it has to reach the parent, whatever it is
            result = f"{type(error).__name__}: {error}"
        os.write(writing, str(result).encode()[:60000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        result = pipe.read().decode()
    os.waitpid(child, 0)
    return result


def main() -> None:
    """Runs the file's tests; exit code 77 if all were skipped; ends with `N passed, M failed, K skipped`."""
    program = unittest.main(module="__main__", exit=False, verbosity=2)
    result = program.result
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    skipped = len(result.skipped)
    passed = result.testsRun - failed - skipped
    print(f"{max(0, passed)} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed else SKIPPED if passed <= 0 else 0)
