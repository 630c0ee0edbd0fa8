#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A process that lies about itself in environment, arguments and name is what the kernel says that it is."""
import json
import os
import subprocess
from pathlib import Path

from harness import Scenario, main
from harness.scenario import JOBS, PYTHON
from harness.writ import REFUSED

LIES = {
    "WRIT_WORKLOAD": "oncology-trainer", "WRIT_PURPOSE": "train", "WRIT_ID": "spiffe://oncology.example/oncology/root/train",
    "SPIFFE_ID": "spiffe://oncology.example/oncology/root/train", "USER": "root", "LOGNAME": "root", "_": PYTHON,
}


class Liar(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_oncology()
        # A virtual environment with its own copy of the interpreter: the example's notebook, which no policy permits.
        cls.notebook = cls.folder / "notebook-kernel"
        subprocess.run([PYTHON, "-m", "venv", "--copies", "--without-pip", cls.notebook], check=True)
        cls.notebook_python = cls.notebook / "bin" / "python3"

    def test_the_trainer_is_served_and_sees_only_what_it_was_given(self):
        outcome = self.writ.cli("run", "--purpose", "train", "--", PYTHON, JOBS / "show.py")
        self.assertEqual(0, outcome.code, outcome)
        seen = json.loads(outcome.out.splitlines()[-1])
        self.assertEqual("oncology", seen["environment"]["PGDATABASE"])
        self.assertEqual("0o600", seen["file_mode"])
        self.assertEqual("0o700", seen["folder_mode"])
        host, port, database, role, password = seen["content"].strip().split(":")
        self.assertEqual(("127.0.0.1", str(self.postgres.port), "oncology", seen["environment"]["PGUSER"]), (host, port, database, role))
        self.assertNotIn(password, json.dumps(seen["environment"]))
        self.assertNotIn(password, json.dumps(seen["arguments"]))
        self.assertFalse(Path(seen["environment"]["PGPASSFILE"]).exists(), "the run's folder goes with the run")
        self.assertNotIn(password, (self.folder / "dev.log").read_text())
        self.assertNotIn(password, json.dumps(self.writ.records()))

    def test_the_job_reads_its_table_and_no_other(self):
        self.assertEqual(0, self.writ.cli("run", "--purpose", "train", "--", PYTHON, JOBS / "read.py").code)
        for query in ("select * from patients", "insert into biopsies (id) values (1)", "create table mine (a int)", "create temporary table mine (a int)",
                      "set role writ_admin", "select pg_read_file('/etc/passwd')"):
            with self.subTest(query=query):
                outcome = self.writ.cli("run", "--purpose", "train", "--", PYTHON, JOBS / "read.py", query)
                self.assertEqual(1, outcome.code, outcome)
                self.assertIn("permission denied", outcome.err)

    def assert_refused(self, outcome, *said: str):
        self.assertEqual(REFUSED, outcome.code, outcome)
        for text in said:
            self.assertIn(text, outcome.err)
        self.assertNotIn("permit", outcome.err)
        self.assertNotIn("classifier-reads-for-declared-purposes", outcome.err)

    def test_another_interpreter_stays_the_notebook_whatever_it_says(self):
        outcome = self.writ.cli("run", "--purpose", "train", "--", self.notebook_python, JOBS / "read.py", environment=LIES)
        self.assert_refused(outcome, "oncology/biopsies", "read")

    def test_a_links_name_does_not_count(self):
        link = self.scratch("python3.11")
        link.symlink_to(self.notebook_python)
        outcome = self.writ.cli("run", "--purpose", "train", "--", link, JOBS / "read.py", environment=LIES)
        self.assert_refused(outcome, "oncology/biopsies")

    def test_a_forged_argv_0_and_process_name_do_not_count(self):
        for executable, ending in ((PYTHON, "/train"), (self.notebook_python, "/notebook")):
            done = subprocess.run([PYTHON, JOBS / "ask_identity.py", self.writ.run_dir / "run.sock"], executable=executable, env=os.environ | LIES,
                                  capture_output=True, text=True, timeout=60)
            self.assertTrue(done.stdout.strip().endswith(ending), done.stdout + done.stderr)

    def test_naming_a_workload_does_not_make_one_it(self):
        outcome = self.writ.cli("run", "--purpose", "train", "--workload", "oncology-trainer", "--", self.notebook_python, JOBS / "read.py")
        self.assertEqual(REFUSED, outcome.code, outcome)

    def test_a_program_that_nobody_declared_is_refused(self):
        outcome = self.writ.cli("run", "--purpose", "train", "--", "/bin/sh", "-c", "exec -a /usr/bin/python3.11 /bin/true", environment=LIES)
        self.assertEqual(REFUSED, outcome.code, outcome)

    def test_another_purpose_is_refused_and_the_missing_fact_is_named(self):
        outcome = self.writ.cli("run", "--purpose", "marketing", "--", PYTHON, JOBS / "read.py")
        self.assert_refused(outcome, "oncology/biopsies", "read", "purpose")

    def test_a_refused_job_never_ran_and_the_refusal_is_on_record(self):
        mark = self.scratch("ran")
        outcome = self.writ.cli("run", "--purpose", "marketing", "--", PYTHON, "-c", f"open({str(mark)!r}, 'w')")
        self.assertEqual(REFUSED, outcome.code, outcome)
        self.assertFalse(mark.exists())
        self.assertTrue(self.writ.records(decision="deny"))

    def test_the_exit_code_of_the_job_is_passed_on(self):
        for code in (0, 3, 255):
            self.assertEqual(code, self.writ.cli("run", "--purpose", "train", "--", PYTHON, "-c", f"raise SystemExit({code})").code)
        self.assertEqual(143, self.writ.cli("run", "--purpose", "train", "--", PYTHON, "-c", "import os; os.kill(os.getpid(), 15)").code)

    @classmethod
    def tearDownClass(cls):
        assert not cls.postgres.roles(), f"roles are left: {cls.postgres.roles()}"
        super().tearDownClass()


if __name__ == "__main__":
    os.umask(0o022)
    main()
