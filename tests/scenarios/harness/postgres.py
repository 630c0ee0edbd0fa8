# SPDX-License-Identifier: Apache-2.0
"""A temporary PostgreSQL with the oncology example's tables in it (scripts/temporary-postgres)."""
import contextlib
import csv
import io
import os
import secrets
import signal
import subprocess
from pathlib import Path

TREE = Path(__file__).resolve().parents[3]
SCRIPT = TREE / "scripts" / "temporary-postgres"
PSQL = "/usr/lib/postgresql/15/bin/psql"  # not Debian's wrapper, which is a Perl script


class Postgres:
    def __init__(self, folder: Path):
        self.state = folder / "postgres"
        self.password_file = folder / "admin.password"
        subprocess.run([SCRIPT, "start", self.state], check=True, timeout=120)
        values = dict(line.split("=", 1) for line in self.state.read_text().split())
        self.port, self.folder, self.superuser, self.pid = (
            int(values["postgres_port"]), values["postgres_folder"], values["postgres_superuser"], int(values["postgres_pid"]))

    def create_oncology(self, rows: int = 20) -> None:
        """Tables, the login `writ_admin`, and a few made-up biopsies: enough for whoever only wants to read something."""
        password = secrets.token_urlsafe(24)
        self.password_file.touch(mode=0o600)
        self.password_file.write_text(password)
        subprocess.run([SCRIPT, "psql", self.state, "-f", TREE / "examples/oncology/database.sql"], check=True, timeout=60,
                       env=os.environ | {"WRIT_ADMIN_PASSWORD": password})
        columns = self.lines("select attname from pg_attribute where attrelid = 'biopsies'::regclass and attnum > 0 order by attnum")
        table = io.StringIO()
        writer = csv.writer(table)
        for row in range(rows):
            writer.writerow([row, *([row / 10] * (len(columns) - 2)), "benign"])
        subprocess.run([SCRIPT, "psql", self.state, "-d", "oncology", "-c", r"\copy biopsies from stdin with (format csv)"],
                       input=table.getvalue(), text=True, check=True, timeout=60)

    def fill_with_real_biopsies(self, python: Path) -> None:
        subprocess.run([TREE / "scripts/oncology-database", self.state, python, self.password_file], check=True, timeout=120)

    def execute(self, script: str) -> None:
        """A script of psql, as the superuser."""
        subprocess.run([SCRIPT, "psql", self.state], input=script, text=True, check=True, stdout=subprocess.DEVNULL, timeout=60)

    def lines(self, query: str) -> list[str]:
        """A query's rows, as the superuser sees them."""
        done = subprocess.run([SCRIPT, "psql", self.state, "-d", "oncology", "-At", "-c", query], capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise AssertionError(f"{query}: {done.stderr}")
        return done.stdout.splitlines()

    def has_role(self, role: str) -> bool:
        return self.lines(f"select 1 from pg_roles where rolname = '{role}'") == ["1"]

    def roles(self) -> set[str]:
        """Roles that somebody made beside the server's own and the two of the example."""
        return set(self.lines(f"select rolname from pg_roles where rolname !~ '^pg_' and rolname not in ('writ_admin', '{self.superuser}')"))

    def sessions(self, role: str) -> int:
        return int(self.lines(f"select count(*) from pg_stat_activity where usename = '{role}'")[0])

    def login(self, passfile: Path, role: str, query: str = "select count(*) from biopsies") -> subprocess.CompletedProcess:
        """What somebody gets who has the run's password file."""
        return subprocess.run([PSQL, "-X", "-w", "-At", "-h", "127.0.0.1", "-p", str(self.port), "-U", role, "-d", "oncology", "-c", query],
                              env={"PGPASSFILE": str(passfile), "PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=60)

    def freeze(self) -> None:
        """The server and all of its processes hang: connections are accepted by the kernel and nothing answers."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: int) -> None:
        """The postmaster first: from then on it starts nobody. A session may end by itself in between."""
        os.kill(self.pid, number)
        for child in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), number)

    def stop(self) -> None:
        if not Path(f"/proc/{self.pid}").exists():
            return
        self.thaw()
        subprocess.run([SCRIPT, "stop", self.state], check=True, timeout=60)
