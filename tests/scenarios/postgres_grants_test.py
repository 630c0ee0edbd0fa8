#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Parts of tables: columns, rows, templates, and what a run leaves behind; and jobs that want more than their part."""
import unittest

from harness import Scenario, main
from harness.scenario import JOBS, PYTHON
from harness.processes import wait_until
from harness.writ import REFUSED

HOSTILE_SCHEMA, HOSTILE_TABLE, HOSTILE_COLUMN = 'we"ird; drop schema', "t'a\"b\\; --", 'c"; drop table samples; --'
HOSTILE_VALUE = "x'; drop table samples; -- \\"

DECLARATIONS = """kind: TrustProvider
name: unix
type: unix
---
kind: Workload
name: trainer
id: spiffe://oncology.example/trainer
match: {{ unix.path: /usr/bin/python3.11 }}
uses:
  - {{ action: {action}, dataset: samples }}
---
kind: Database
name: oncology
type: postgres
host: 127.0.0.1
port: {port}
database: oncology
---
kind: CredentialProvider
name: oncology-db
type: postgres_role
database: oncology
user: writ_admin
password_file: {password_file}
lifetime: 10m
{provider}
---
kind: Dataset
name: samples
database: oncology
purpose: [train]
credential: oncology-db
{dataset}
"""

SETUP = r"""
\connect oncology
grant create on database oncology to writ_admin;
create table samples (id integer primary key, site text not null, taken date not null, tenant text not null, note text not null);
insert into samples select n, case when n % 2 = 0 then 'vienna' else 'graz' end, date '2024-01-01' + n, 'spiffe://oncology.example/' ||
    case when n <= 10 then 'trainer' else 'other' end, 'note-' || n || '-' || case when n % 2 = 0 then 'mine' else 'hidden' end from generate_series(1, 20) as n;
analyze samples;
grant select, insert, update, delete on samples to writ_admin with grant option;
create role research_data nologin;
grant research_data to writ_admin;
create schema outputs;
grant usage, create on schema outputs to writ_admin with grant option;
grant usage, create on schema outputs to research_data;
create role analyst nologin;
grant usage on schema public to analyst;
grant select on biopsies to analyst;
grant select (id, site) on samples to analyst;
create sequence numbers; grant usage on sequence numbers to analyst; grant usage on sequence numbers to writ_admin with grant option;
create function twice(integer) returns integer language sql immutable as 'select 2 * $1';
revoke execute on function twice from public; grant execute on function twice to analyst; grant execute on function twice to writ_admin with grant option;
grant select on patients to analyst;
create table requests (id integer); grant delete on requests to analyst; grant delete on requests to writ_admin with grant option;
"""

HOSTILE = f"""
\\connect oncology
create schema "{HOSTILE_SCHEMA.replace('"', '""')}";
set search_path to "{HOSTILE_SCHEMA.replace('"', '""')}";
create table "{HOSTILE_TABLE.replace('"', '""')}" (id integer, "{HOSTILE_COLUMN.replace('"', '""')}" text);
insert into "{HOSTILE_TABLE.replace('"', '""')}" values (1, '{HOSTILE_VALUE.replace("'", "''")}'), (2, 'other');
grant usage on schema "{HOSTILE_SCHEMA.replace('"', '""')}" to writ_admin with grant option;
grant select on "{HOSTILE_TABLE.replace('"', '""')}" to writ_admin with grant option;
"""

VIENNA = "table: samples\nrows:\n  - { column: site, any_of: [vienna] }\n"
LEAK = ("create or replace function outputs.leak(text) returns boolean cost 0.0000000001 language plpgsql as "
        "$$ begin raise notice 'saw %', $1; return true; end $$")


def yaml(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


class PostgresGrants(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_postgres()
        cls.postgres.execute(SETUP)
        cls.dev = cls.writ.start_dev()

    def declare(self, dataset: str, action: str = "read", provider: str = ""):
        declarations = self.scratch("declarations.yaml")
        declarations.write_text(DECLARATIONS.format(action=action, port=self.postgres.port, password_file=self.postgres.password_file, dataset=dataset,
                                                    provider=provider))
        policies = self.scratch("policies.cedar")
        policies.write_text('@id("all") permit (principal, action, resource);\n')
        return self.writ.cli("apply", "-f", declarations, "-f", policies)

    def start(self, dataset: str, action: str = "read", provider: str = "", query: str = "select 1"):
        outcome = self.declare(dataset, action, provider)
        self.assertEqual(0, outcome.code, outcome)
        run = self.start_holding_run(query=query)
        self.addCleanup(run.program.kill)
        return run

    def end(self, run) -> None:
        run.program.kill()
        self.assert_role_ends(run.role)
        self.assertEqual([], self.postgres.lines(f"select nspname from pg_namespace where nspname = '{run.role}'"))

    def ask(self, run, query: str):
        return self.postgres.login(run.leaked, run.role, query)

    def rows(self, run, query: str) -> list[str]:
        done = self.ask(run, query)
        self.assertEqual(0, done.returncode, f"{query}: {done.stderr}")
        return done.stdout.splitlines()

    def assert_denied(self, run, *queries: str, said: str = "permission denied|must be owner|must be superuser|must have CREATEROLE|no schema") -> None:
        for query in queries:
            with self.subTest(query=query):
                done = self.ask(run, query)
                self.assertNotEqual(0, done.returncode, done.stdout)
                self.assertRegex(done.stderr, said)

    def assert_refused(self, said: str) -> None:
        outcome = self.writ.cli("run", "--purpose", "train", "--", PYTHON, JOBS / "read.py")
        self.assertNotEqual(0, outcome.code, outcome)
        self.assertRegex(outcome.err, said)
        self.assertEqual({"research_data", "analyst"}, self.postgres.roles())

    # ---- columns

    def test_columns_are_all_that_a_job_reads_of_a_table(self):
        run = self.start("table: samples\ncolumns: [id, site]\n")
        self.assertEqual(["20"], self.rows(run, "select count(site) from public.samples"))
        self.assert_denied(run, "select * from samples", "select note from samples", "select samples from samples", "copy samples to stdout",
                           "select count(*) from samples where note like 'a%'", "update samples set site = ''", "delete from samples")
        self.assertEqual(["id", "site"], sorted(self.rows(run, "select attname from pg_stats where tablename = 'samples'")))
        self.end(run)

    def test_columns_are_all_that_a_job_writes_of_a_table_and_no_row_goes(self):
        run = self.start("table: samples\ncolumns: [id, site]\n", "write")
        self.assertEqual(["UPDATE 1"], self.rows(run, "update samples set site = site where id = 1"))
        self.assert_denied(run, "update samples set note = '' where id = 1", "delete from samples where id = 1", "select note from samples")
        self.end(run)

    # ---- rows

    def test_rows_are_filtered_and_the_table_itself_is_closed(self):
        run = self.start("table: samples\ncolumns: [id, site, note]\nrows:\n  - { column: site, any_of: [vienna, linz] }\n"
                         "  - { column: taken, from: 2024-01-05, before: 2024-01-10 }\n  - { column: tenant, any_of: '{workload}' }\n")
        self.assertEqual(["4|vienna|note-4-mine", "6|vienna|note-6-mine", "8|vienna|note-8-mine"], self.rows(run, "select * from samples order by id"))
        self.assert_denied(run, "select * from public.samples", "select count(*) from public.samples", "insert into samples (id) values (1)", "delete from samples",
                           "set role writ_admin", "set session authorization writ_admin", f"alter view {run.role}.samples reset (security_barrier)",
                           f"alter view {run.role}.samples owner to {run.role}", f"create or replace view {run.role}.samples as select 1",
                           f"create table {run.role}.mine (a int)", f"drop view {run.role}.samples",
                           "create policy p on public.samples using (true)", "create role another")
        # Statistics of the table are not the job's.
        self.assertEqual([], self.rows(run, "select most_common_vals from pg_stats where tablename = 'samples'"))
        self.assertEqual(["RESET", "3"], self.rows(run, "reset all; select count(*) from samples"))
        self.end(run)

    def leaks(self, run) -> str:
        """What a job sees that looks at each row before, it hopes, the filter does."""
        self.rows(run, LEAK)
        seen = self.ask(run, "select count(*) from samples where outputs.leak(note)")
        self.assertEqual(0, seen.returncode, seen.stderr)
        return seen.stderr + "".join(self.ask(run, query).stderr for query in (
            "select count(*) from samples where 1 / (id - 3) >= 0 or true",
            "select count(*) from samples where (note || site)::integer > 0",
            "explain analyze select * from samples where outputs.leak(note)"))

    def test_functions_of_a_job_see_no_row_before_the_filter_does(self):
        run = self.start("tables:\n  - table: samples\n    rows: [{ column: site, any_of: vienna }]\n  - { schema: outputs, table: '*' }\n"
                         "privileges: { read: 'select, create' }\n")
        said = self.leaks(run)
        self.assertIn("saw note-4-mine", said)
        self.assertNotIn("hidden", said)
        self.assertNotIn("graz", said)
        # The twin: without the barrier the same attack shows what is hidden.
        self.postgres.lines(f"alter view {run.role}.samples reset (security_barrier)")
        self.assertIn("hidden", self.leaks(run))
        self.end(run)
        self.assertEqual([], self.postgres.lines("select 1 from pg_proc where proname = 'leak'"))

    def test_what_is_written_through_a_filter_stays_within_it(self):
        run = self.start(VIENNA + "privileges: { write: 'SELECT, UPDATE, DELETE' }\n", "write")
        self.assertEqual(["UPDATE 10"], self.rows(run, "update samples set note = note"))
        self.assert_denied(run, "update samples set site = 'graz' where id = 2", said="violates check option")
        self.assertEqual(["UPDATE 0"], self.rows(run, "update samples set site = 'vienna' where id = 1"))
        self.assertEqual(["DELETE 0"], self.rows(run, "delete from samples where id = 1"))
        self.assert_denied(run, "insert into samples values (100, 'vienna', '2024-01-01', '', '')", "update public.samples set site = 'vienna'", "truncate public.samples",
                           "insert into samples values (1, 'vienna', '2024-01-01', '', '') on conflict (id) do update set note = ''")
        self.end(run)

    def test_who_inserts_takes_over_no_hidden_row(self):
        run = self.start(VIENNA + "privileges: { write: 'SELECT, INSERT' }\n", "write")
        insert = "insert into samples values (1, 'vienna', '2024-01-01', '', '')"
        self.assert_denied(run, f"{insert} on conflict (id) do update set site = 'vienna', note = samples.note returning *")
        self.assertEqual(["INSERT 0 0"], self.rows(run, f"{insert} on conflict (id) do nothing"))
        self.assert_denied(run, "insert into samples values (101, 'graz', '2024-01-01', '', '')", said="violates check option")
        self.assertEqual(["INSERT 0 1"], self.rows(run, "insert into samples values (101, 'vienna', '2024-01-01', '', '')"))
        self.assertEqual(["graz|note-1-hidden"], self.postgres.lines("select site, note from samples where id = 1"))
        self.postgres.lines("delete from samples where id = 101")
        self.end(run)

    def test_inserting_and_updating_beside_a_filter_is_refused(self):
        outcome = self.declare(VIENNA + "privileges: { write: 'SELECT, INSERT, UPDATE' }\n")
        self.assertNotEqual(0, outcome.code, outcome)
        self.assertIn("leave out INSERT or UPDATE", outcome.err + outcome.out)
        self.assertEqual(0, self.declare(VIENNA, "write").code)
        self.assert_refused("leave out INSERT or UPDATE")

    def test_a_table_that_everybody_reads_is_not_given_in_part(self):
        self.postgres.lines("grant select (note) on samples to public")
        try:
            for part in (VIENNA, "table: samples\ncolumns: [id, site]\n"):
                self.assertEqual(0, self.declare(part).code)
                self.assert_refused("revoke that from PUBLIC")
        finally:
            self.postgres.lines("revoke select (note) on samples from public")
        run = self.start(VIENNA)
        self.end(run)

    def test_what_everybody_may_besides_reading_is_no_way_around_a_part(self):
        for right in ("trigger", "references", "references (note)", "truncate"):
            self.postgres.lines(f"grant {right} on samples to public")
            try:
                for part in (VIENNA, "table: samples\ncolumns: [id, site]\n"):
                    with self.subTest(right=right, part=part):
                        self.assertEqual(0, self.declare(part).code)
                        self.assert_refused("revoke that from PUBLIC")
            finally:
                self.postgres.lines(f"revoke {right} on samples from public")

    def test_a_part_is_not_given_of_what_everybody_reads_by_another_table(self):
        self.postgres.lines("create table whole (id integer, site text) partition by list (site); create table half partition of whole for values in ('vienna', 'graz')"
                            " partition by range (id); create table quarter partition of half for values from (0) to (100);"
                            " insert into whole values (1, 'vienna'), (2, 'graz'); grant select on whole, half, quarter to writ_admin with grant option")
        try:
            for open_one, part in (("whole", "quarter"), ("half", "quarter"), ("quarter", "whole"), ("half", "whole")):
                self.postgres.lines(f"grant select (id) on {open_one} to public")
                with self.subTest(open=open_one, part=part):
                    self.assertEqual(0, self.declare(VIENNA.replace("samples", part)).code)
                    self.assert_refused(f"everybody may use table public.{open_one}, .*revoke that from PUBLIC")
                self.postgres.lines(f"revoke select (id) on {open_one} from public")
            run = self.start(VIENNA.replace("samples", "quarter"))
            self.assertEqual(["1|vienna"], self.rows(run, "select * from quarter"))
            self.assert_denied(run, "select * from public.quarter", "select * from public.half", "select * from public.whole")
            self.end(run)
        finally:
            self.postgres.lines("drop table whole")

    def test_declarations_that_would_widen_by_mistake_are_refused(self):
        for dataset in ("table: samples\nrows:\n", "table: samples\ncolumns:\n", "table: samples\ncolumns: []\n", "table: samples\nrows: []\n", "table: '*'\ncolumns: [id]\n",
                        "table: samples\nrows: [{ column: site }]\n", "table: samples\nrows: [{ column: site, any_of: }]\n", "table: samples\nrows: [{ column: site, any_of: [] }]\n",
                        "table: samples\nrows: [{ column: site, any_of: '{team}' }]\n", "table: samples\nrows: \"site = 'vienna'\"\n", "table: samples\nprivileges: { wirte: select }\n",
                        "table: samples\nprivileges: { write: 'select, trigger' }\n", "table: samples\ntables: [{ table: biopsies }]\n", "table: samples\ntemplate: { read: analyst }\n",
                        "template: { read: analyst }\nprivileges: { read: select }\n", f"table: {'a' * 64}\n", 'table: "a\\0b"\n', "tables: []\n",
                        "tables: [{ table: samples }, { table: samples }]\n"):
            with self.subTest(dataset=dataset):
                outcome = self.declare(dataset)
                self.assertNotEqual(0, outcome.code, outcome)

    def test_hostile_names_and_values_stay_names_and_values(self):
        self.postgres.execute(HOSTILE)
        run = self.start(f"schema: {yaml(HOSTILE_SCHEMA)}\ntable: {yaml(HOSTILE_TABLE)}\ncolumns: [id, {yaml(HOSTILE_COLUMN)}]\n"
                         f"rows: [{{ column: {yaml(HOSTILE_COLUMN)}, any_of: [{yaml(HOSTILE_VALUE)}] }}]\n")
        quoted = '"' + HOSTILE_TABLE.replace('"', '""') + '"'
        self.assertEqual(["1|" + HOSTILE_VALUE], self.rows(run, f"select * from {quoted}"))
        self.end(run)
        self.assertEqual(["20"], self.postgres.lines("select count(*) from samples"))

    # ---- templates

    def test_a_template_is_copied_and_nobody_is_a_member_of_it(self):
        run = self.start("template: { read: analyst }\n", query="select count(*) from biopsies")
        self.assertEqual(["20"], self.rows(run, "select count(id) from samples"))
        self.assertEqual(["t|4"], self.rows(run, "select nextval('numbers') > 0, twice(2)"))
        self.assertEqual(["DELETE 0"], self.rows(run, "delete from requests"))
        self.assert_denied(run, "select note from samples", "set role analyst", "insert into biopsies (id) values (1)", "select * from requests")
        self.assertEqual([], self.postgres.lines(f"select 1 from pg_auth_members join pg_roles on pg_roles.oid = member where rolname = '{run.role}'"))
        self.end(run)
        self.assertEqual(["analyst"], self.postgres.lines("select rolname from pg_roles where rolname = 'analyst'"))

    def test_a_template_that_is_not_there_or_for_another_action_gives_nothing(self):
        self.assertEqual(0, self.declare("template: { read: nobody_there }\n").code)
        self.assert_refused("was granted nothing")
        self.assertEqual(0, self.declare("template: { read: analyst }\n", "write").code)
        self.assert_refused("no template is for action `write`")

    # ---- what a run leaves behind

    OUTPUTS = "schema: outputs\ntable: '*'\nprivileges: { write: 'select, insert, update, delete, create' }\n"
    LEFT_BEHIND = r"""
        create table outputs.result (id integer generated by default as identity primary key, score double precision default random(), label text check (length(label) < 100),
            twice double precision generated always as (score * 2) stored);
        insert into outputs.result (score, label) select n, 'label' from generate_series(1, 100) as n;
        create index on outputs.result (lower(label)); create index plain on outputs.result (label);
        create function outputs.steal() returns trigger security definer language plpgsql as $$ begin raise notice 'stolen'; return new; end $$;
        create trigger t before insert on outputs.result for each row execute function outputs.steal();
        create rule r as on delete to outputs.result do also select 1;
        alter table outputs.result enable row level security, force row level security;
        create policy p on outputs.result using (true);
        create function outputs.is_good(text) returns boolean language sql as 'select true';
        alter table outputs.result add constraint good check (outputs.is_good(label));
        grant all on outputs.result to public; grant select (label) on outputs.result to public; grant all on sequence outputs.result_id_seq to public;
        create function outputs.peek(text) returns text immutable language plpgsql as $$ begin raise notice 'peeked'; return $1; end $$;
        create statistics outputs.watch on (outputs.peek(label)), id from outputs.result; alter function outputs.peek volatile;
        create view outputs.everything as select * from outputs.result; grant select on outputs.everything to public;
        create table outputs."x""; drop table public.samples; --" (a integer); insert into outputs."x""; drop table public.samples; --" values (1);
        create type outputs.mood as enum ('good'); create table outputs.moody (mood outputs.mood, a integer);
        create table outputs.parent (a integer) partition by range (a); create table outputs.child partition of outputs.parent default;
        create materialized view outputs.frozen as select 1 as a; create sequence outputs.loose;
    """

    def test_tables_of_a_run_go_to_their_owner_without_any_code(self):
        run = self.start(self.OUTPUTS, "write", "owner: research_data")
        self.rows(run, self.LEFT_BEHIND)
        self.end(run)
        self.assertEqual(['moody|research_data', 'result|research_data', 'x"; drop table public.samples; --|research_data'], self.postgres.lines(
            "select relname, pg_get_userbyid(relowner) from pg_class where relnamespace = 'outputs'::regnamespace and relkind in ('r','p','v','m') order by 1"))
        self.assertEqual(["100"], self.postgres.lines("select count(*) from outputs.result"))
        self.assertEqual(["f|f|{research_data=arwdDxt/research_data}"], self.postgres.lines(
            "select relrowsecurity, relforcerowsecurity, relacl from pg_class where oid = 'outputs.result'::regclass"))
        self.assertEqual(["research_data|0"], self.postgres.lines(
            "select pg_get_userbyid(relowner), count(grantee) from pg_class left join aclexplode(relacl) on grantee <> relowner where oid = 'outputs.result_id_seq'::regclass"
            " group by 1"))
        self.assertEqual([], self.postgres.lines("select tgname from pg_trigger where tgrelid = 'outputs.result'::regclass union all"
                                                 " select rulename from pg_rewrite where ev_class = 'outputs.result'::regclass union all select polname from pg_policy"))
        self.assertEqual([], self.postgres.lines("select adrelid::regclass from pg_attrdef where adrelid::regclass::text like 'outputs.%'"
                                                 " union all select conrelid::regclass from pg_constraint where contype = 'c' and connamespace = 'outputs'::regnamespace"
                                                 " union all select oid::regclass from pg_proc where pronamespace = 'outputs'::regnamespace"
                                                 " union all select oid::regclass from pg_statistic_ext"))
        self.assertEqual(["plain", "result_pkey"], self.postgres.lines(
            "select relname from pg_index join pg_class on pg_class.oid = indexrelid where indrelid = 'outputs.result'::regclass order by 1"))
        self.postgres.lines('drop table outputs.result, outputs.moody, outputs."x""; drop table public.samples; --"')
        self.assertEqual(["20"], self.postgres.lines("select count(*) from samples"))

    def test_without_an_owner_they_go_with_the_run(self):
        run = self.start(self.OUTPUTS, "write")
        self.rows(run, self.LEFT_BEHIND)
        self.end(run)
        self.assertEqual([], self.postgres.lines("select relname from pg_class where relnamespace = 'outputs'::regnamespace"))

    def test_more_objects_than_the_server_has_locks_do_not_keep_a_role(self):
        run = self.start(self.OUTPUTS, "write")
        self.rows(run, "select count(lo_create(0)) from generate_series(1, 20000)")
        for part in range(4):
            for what in (f"table outputs.t{part}_%s (a text primary key)", f"collation outputs.c{part}_%s (locale = ''C'')", f"table outputs.p{part}_%s (a integer) partition by range (a)"):
                self.rows(run, f"do $$ begin for n in 1..1000 loop execute format('create {what}', n); end loop; end $$")
        self.end(run)
        self.assertEqual(["0"], self.postgres.lines("select count(*) from pg_largeobject_metadata"))

    def test_an_owner_that_may_have_nothing_there_gives_no_role(self):
        self.postgres.lines("revoke create on schema outputs from research_data")
        try:
            self.assertEqual(0, self.declare(self.OUTPUTS, "write", "owner: research_data").code)
            self.assert_refused("`research_data`, which is to own what a run leaves behind, lacks CREATE on schema `outputs`")
        finally:
            self.postgres.lines("grant create on schema outputs to research_data")

    def assert_ends_though_its_owner_lost(self, lost: str, regained: str) -> None:
        run = self.start(self.OUTPUTS, "write", "owner: research_data")
        self.rows(run, "create table outputs.kept (id serial primary key); insert into outputs.kept default values")
        self.postgres.lines(lost)
        try:
            self.end(run)
            self.assertEqual(["writ_admin"], self.postgres.lines("select pg_get_userbyid(relowner) from pg_class where oid = 'outputs.kept'::regclass"))
            self.assertEqual(["1"], self.postgres.lines("select count(*) from outputs.kept"))
            self.assertIn("a table of a run went to the login", self.dev.output())
        finally:
            self.postgres.lines(regained)
            self.postgres.lines("drop table outputs.kept")

    def test_an_owner_that_lost_its_schema_keeps_no_run_from_ending(self):
        self.assert_ends_though_its_owner_lost("revoke create on schema outputs from research_data", "grant create on schema outputs to research_data")

    def test_an_owner_that_lost_its_member_keeps_no_run_from_ending(self):
        self.assert_ends_though_its_owner_lost("revoke research_data from writ_admin", "grant research_data to writ_admin")

    def test_what_cannot_be_taken_back_yet_is_marked_and_no_run_hangs_on_it(self):
        run = self.start("table: samples\n")
        self.postgres.lines("alter role writ_admin nocreaterole")
        try:
            run.program.kill()
            wait_until("the agent knows no run", lambda: self.writ.run_socket("GET", "/v1/runs").json["runs"] == [], 60)
            [lease] = [one for one in self.writ.admin("GET", "/v1/leases?state=open").json["leases"] if one["credential"] == run.role]
            self.assertRegex(lease["reason"], "^run ended: .*; not yet: .*permission denied")
            self.assertTrue(self.postgres.has_role(run.role))
        finally:
            self.postgres.lines("alter role writ_admin createrole")
        self.assert_role_ends(run.role)
        wait_until("the lease has ended", lambda: not self.writ.admin("GET", "/v1/leases?state=open").json["leases"])
        [ended] = [one for one in self.writ.admin("GET", "/v1/leases").json["leases"] if one["credential"] == run.role]
        self.assertNotIn("not yet", ended["reason"])

    def test_a_login_that_cannot_hand_over_gives_no_role(self):
        self.postgres.lines("revoke research_data from writ_admin")
        try:
            self.assertEqual(0, self.declare(self.OUTPUTS, "write", "owner: research_data").code)
            self.assert_refused("is no member of `research_data`")
        finally:
            self.postgres.lines("grant research_data to writ_admin")


if __name__ == "__main__":
    main()
