#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL's clients, as they come from PyPI, under `writ run`, on a real server. `./check --ecosystem` runs it and writes its part of docs/clients.md.

The interpreter is Debian's python3.11 in a virtual environment with the pinned clients; WRIT_CLIENTS_PYTHON names it.
"""
import os
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scenarios"))

from harness import Scenario, main, wait_until  # noqa: E402
from steps import Steps  # noqa: E402
from table import ClientTable, pip_versions  # noqa: E402

PYTHON = Path(os.environ.get("WRIT_CLIENTS_PYTHON", HERE.parents[1] / "build/clients-python/bin/python3"))
JOB = HERE / "jobs/database_job.py"
CLIENTS = ("psycopg", "psycopg2", "asyncpg")
TABLE = ClientTable(CLIENTS)
INTRODUCTION = """\
On a PostgreSQL 15. The run has a role for each table that it uses; `service=` names the data set (`PGSERVICEFILE`), and without it clients find the first (`PGHOST`, `PGUSER`…).
asyncpg looks at a service only in a URL, `asyncpg.connect("postgresql://?service=oncology%2Fnotes")`, which psycopg takes too; its argument `service=` alone it does not heed."""

DECLARATIONS = """\
kind: TrustProvider
name: unix
type: unix
---
kind: Database
name: hospital
type: postgres
host: 127.0.0.1
port: {port}
database: oncology
---
kind: CredentialProvider
name: hospital
type: postgres_role
database: hospital
user: writ_admin
password_file: {password_file}
lifetime: {lifetime}
---
kind: Dataset
name: oncology/biopsies
database: hospital
schema: public
table: biopsies
purpose: [train]
credential: hospital
---
kind: Dataset
name: oncology/notes
database: hospital
schema: public
table: notes
purpose: [train]
credential: hospital
---
kind: Workload
name: trainer
id: spiffe://oncology.example/ml/{{unix.user}}/train
match: {{ unix.path: /usr/bin/python3.11 }}
uses:
  - {{ action: read, dataset: oncology/biopsies }}
  - {{ action: write, dataset: oncology/notes }}
"""
POLICIES = """\
@id("for-declared-purposes")
permit (principal, action in [Action::"read", Action::"write"], resource is Dataset) when { resource.purpose.contains(context.purpose) };
"""
BIOPSIES, NOTES = "oncology/biopsies", "oncology/notes"
COUNT = "select count(*)::int from biopsies"


class Databases(Scenario):
    @classmethod
    def setUpClass(cls):
        if not PYTHON.exists():
            raise unittest.SkipTest(f"no {PYTHON}: `./check --ecosystem` makes it")
        super().setUpClass()
        cls.start_postgres()
        cls.postgres.execute("\\connect oncology\ncreate table notes (client text, text text);\n"
                             "grant select, insert, update, delete on notes to writ_admin with grant option;\n")
        cls.writ.start_authority()
        cls.agent = cls.writ.start_agent(cls.writ.join_token())
        cls.declare("10m")
        # What a developer has lying about.
        for name, text in ((".pgpass", "*:*:*:*:static\n"), (".pg_service.conf", f"[{BIOPSIES}]\nhost=127.0.0.1\nport=1\nuser=static\npassword=static\n")):
            (cls.folder / name).touch(mode=0o600)
            (cls.folder / name).write_text(text)

    @classmethod
    def declare(cls, lifetime: str, policies: str = POLICIES) -> None:
        folder = cls.folder / "declared"
        folder.mkdir(exist_ok=True)
        (folder / "hospital.yaml").write_text(DECLARATIONS.format(port=cls.postgres.port, password_file=cls.postgres.password_file, lifetime=lifetime))
        (folder / "policies.cedar").write_text(policies)
        outcome = cls.writ.cli("apply", "-f", folder)
        if outcome.code != 0:
            raise AssertionError(outcome)

    def each(self, what: str, check) -> None:
        for client in CLIENTS:
            with self.subTest(client=client):
                with TABLE.cell(client, what):
                    check(client)

    def job(self, client: str, environment: dict | None = None) -> "DatabaseJob":
        return DatabaseJob(self, client, environment or {})

    def test_1_reads_and_writes_by_the_data_sets_names(self):
        def check(client):
            with self.job(client) as job:
                self.assertEqual([[20]], job.rows(COUNT, BIOPSIES))
                self.assertEqual([[client]], job.rows(f"insert into notes values ('{client}', 'from a job') returning client", NOTES))
            self.assertEqual(["from a job"], self.postgres.lines(f"select text from notes where client = '{client}'"))
        self.each("reads and writes, each data set by its name", check)

    def test_2_without_a_name_it_is_the_first(self):
        def check(client):
            with self.job(client) as job:
                self.assertEqual([[20]], job.rows(COUNT))
                self.assertEqual(job.rows("select current_user::text", BIOPSIES), job.rows("select current_user::text"))
        self.each("without a name it is the first", check)

    def test_3_what_was_not_decided_is_refused(self):
        def check(client):
            with self.job(client) as job:
                for query, service in (("select * from patients", BIOPSIES), ("delete from biopsies returning id", BIOPSIES), ("select * from notes", BIOPSIES),
                                       ("select * from patients", NOTES), (COUNT, NOTES)):
                    self.assertRegex(job.ask(query, service).get("error", ""), "(?i)permission denied|insufficient", (query, service))
        self.each("another table, and a write with read-only, are refused", check)

    def test_4_static_secrets_lose(self):
        services = self.scratch("services")
        services.write_text((self.folder / ".pg_service.conf").read_text())
        static = {"PGPASSWORD": "static", "PGSERVICE": BIOPSIES, "PGSERVICEFILE": str(services), "PGUSER": "static", "PGHOST": "10.0.0.1"}

        def check(client):
            with self.job(client, static) as job:
                self.assertEqual([[20]], job.rows(COUNT))
                self.assertEqual([[20]], job.rows(COUNT, BIOPSIES))
                self.assertIn("PGPASSWORD", job.program.output())
        self.each("static secrets in variables and in files lose", check)

    def test_5_forked_workers(self):
        def check(client):
            with self.job(client) as job:
                self.assertEqual({"value": [[[20]]] * 8}, job.order({"fork": {"query": COUNT, "service": BIOPSIES}}))
        self.each("forked workers share the run", check)

    def test_6_survives_a_restart_of_the_agent(self):
        def check(client):
            with self.job(client) as job:
                self.assertEqual([[20]], job.rows(COUNT, BIOPSIES))
                self.agent.kill()
                type(self).agent = self.writ.start_agent()
                self.assertEqual([[20]], job.rows(COUNT, BIOPSIES))
        self.each("goes on after a restart of the agent", check)

    def test_7_goes_through_two_renewals(self):
        """The role stays and its end moves: nothing in the job is replaced."""
        self.declare("10s")
        self.addCleanup(self.declare, "10m")

        def check(client):
            with self.job(client) as job:
                role = job.rows("select current_user::text", BIOPSIES)[0][0]
                ends = {self.end_of(role)}
                for _ in range(2):
                    ends.add(wait_until("a later end", lambda: {self.end_of(role)} - ends).pop())
                    self.assertEqual([[20]], job.rows(COUNT, BIOPSIES))
                self.assertEqual(3, len(ends))
        self.each("goes through two renewals", check)

    def end_of(self, role: str) -> str:
        return self.postgres.lines(f"select rolvaliduntil from pg_roles where rolname = '{role}'")[0]

    def test_8_ends_with_the_run_or_the_policy(self):
        def check(client):
            with self.job(client) as job:
                roles = [job.rows("select current_user::text", service)[0][0] for service in (BIOPSIES, NOTES)]
                self.declare("10m", POLICIES.replace("permit", "forbid"))
                try:
                    wait_until("it is refused", lambda: "error" in job.ask(COUNT, BIOPSIES))
                finally:
                    self.declare("10m")
            for role in roles:
                self.assert_role_ends(role)
        self.each("ends with the run, or when policy says no", check)


class DatabaseJob(Steps):
    def __init__(self, case: Databases, client: str, environment: dict):
        super().__init__(case, [PYTHON, JOB, client], client, environment)

    def __enter__(self) -> "DatabaseJob":
        return self.start()

    def ask(self, query: str, service: str = "") -> dict:
        return self.order({"query": query, "service": service})

    def rows(self, query: str, service: str = "") -> list:
        answer = self.ask(query, service)
        self.case.assertIn("value", answer, answer)
        return answer["value"]


def tearDownModule():
    if target := os.environ.get("WRIT_CLIENTS_TABLE"):
        TABLE.write_part(Path(target), pip_versions(PYTHON) | {"psycopg2": pip_versions(PYTHON).get("psycopg2-binary", "")}, "PostgreSQL", INTRODUCTION)


if __name__ == "__main__":
    main()
