#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a user has set for other purposes than credentials reaches the job as it is."""
import configparser
import json
import os

from harness import Scenario, main
from harness.scenario import JOBS, PYTHON

# Whom clients trust: each of them replaces or adds to what the client brings along, and is not Writ's to touch.
TRUST = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "PGSSLROOTCERT")

MORE = """\
kind: Dataset
name: oncology/samples
database: oncology
schema: public
table: biopsies
classification: [pseudonymised, health]
purpose: [train]
credential: oncology-db
---
kind: Workload
name: oncology-trainer
id: spiffe://oncology.example/oncology/{unix.user}/train
match: { unix.path: /usr/bin/python3.11 }
pipeline: biopsy-classifier
team: oncology
uses:
  - { action: read, dataset: oncology/biopsies }
  - { action: read, dataset: oncology/samples }
"""


class Environment(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_oncology()

    def seen_by_a_job(self, environment: dict) -> dict:
        outcome = self.writ.cli("run", "--purpose", "train", "--", PYTHON, JOBS / "show.py", environment=environment)
        self.assertEqual(0, outcome.code, outcome)
        return json.loads(outcome.out.splitlines()[-1])["environment"]

    def test_certificates_that_the_user_trusts(self):
        own = {name: f"/etc/company/{name.lower()}.pem" for name in TRUST}
        seen = self.seen_by_a_job(own)
        self.assertEqual(own, {name: seen.get(name) for name in TRUST})

    def test_none_where_the_user_has_none(self):
        self.assertEqual(set(), set(TRUST) & set(self.seen_by_a_job({})))

    def test_a_service_for_each_data_set(self):
        seen = self.seen_by_a_job({"PGSERVICEFILE": "/nowhere", "PGSERVICE": "static"})
        self.assertEqual(os.path.dirname(seen["PGPASSFILE"]), os.path.dirname(seen["PGSERVICEFILE"]))
        self.assertNotIn("PGSERVICE", seen)

    def test_arguments_are_what_they_are(self):
        words = ['["a", "b"]', "[1,2]", "[]", "a,b", '"quoted"', "%% x", '{"a": [1]}', "--json", "--purpose", "x", "-x", "", "--", "\\n", "[run]"]
        for option in ((), ("--rank", "3")):
            outcome = self.writ.cli("run", "--purpose", "train", *option, "--", PYTHON, JOBS / "show.py", *words)
            self.assertEqual(0, outcome.code, outcome)
            self.assertEqual(words, json.loads(outcome.out.splitlines()[-1])["arguments"][1:])
        self.assertEqual(2, self.writ.cli("run", "--purpose", "train", "--").code)
        self.assertEqual(2, self.writ.cli("run", "--purpose", "train").code)
        outcome = self.writ.cli("run", "--purpose", "train", PYTHON, "--", "-c", "print('ran')")
        self.assertEqual(2, outcome.code, outcome)
        self.assertIn("stands before `--`", outcome.err)

    def test_a_file_that_never_ends_holds_nobody_up(self):
        home = self.folder / "home"
        (home / ".aws").mkdir(parents=True)
        os.mkfifo(home / ".aws/credentials")
        os.mkfifo(home / ".pgpass")
        self.assertIn("WRIT_RUN", self.seen_by_a_job({"HOME": str(home)}))

    def test_a_purpose_is_one_line_of_text(self):
        for purpose in ("train\n", "a\tb", "a\x7f"):
            outcome = self.writ.cli("run", "--purpose", purpose, "--", PYTHON, JOBS / "show.py")
            self.assertEqual(1, outcome.code, outcome)
            self.assertIn("control characters", outcome.err)

    def test_z_several_data_sets_are_one_password_file_and_one_of_services(self):
        folder = self.folder / "more"
        folder.mkdir()
        (folder / "more.yaml").write_text(MORE)
        self.assertEqual(0, self.writ.cli("apply", "-f", folder).code)
        code = "import json, os; print(json.dumps([open(os.environ[name]).read() for name in ('PGPASSFILE', 'PGSERVICEFILE')] + [os.environ['PGUSER']]))"
        outcome = self.writ.cli("run", "--purpose", "train", "--", PYTHON, "-c", code)
        self.assertEqual(0, outcome.code, outcome)
        passwords, services, user = json.loads(outcome.out.splitlines()[-1])
        roles = [line.split(":")[3] for line in passwords.splitlines()]
        parsed = configparser.ConfigParser()
        parsed.read_string(services)
        self.assertEqual(["oncology/biopsies", "oncology/samples"], parsed.sections())
        self.assertEqual(roles, [parsed[name]["user"] for name in parsed.sections()])
        self.assertEqual((2, roles[0]), (len(set(roles)), user))


if __name__ == "__main__":
    main()
