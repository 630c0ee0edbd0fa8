#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A job that does not start because a credential could not be made: `writ run` says for which data set, of which provider, why, and where to look; nothing stays behind."""
from harness import Scenario, main, wait_until
from harness.scenario import JOBS, PYTHON

MORE = """\
kind: CredentialProvider
name: partner
type: token_exchange
endpoint: http://127.0.0.1:1/token
audience: https://partner.example
file_variable: PARTNER_TOKEN_FILE
---
kind: Api
name: partner-models
url: https://partner.example
purpose: [train]
credential: partner
---
kind: Workload
name: oncology-trainer
id: spiffe://oncology.example/oncology/{unix.user}/train
match: { unix.path: /usr/bin/python3.11 }
pipeline: biopsy-classifier
team: oncology
uses:
  - { action: read, dataset: oncology/biopsies }
  - { action: call, api: partner-models }
"""
POLICIES = '@id("partner")\npermit (principal, action == Action::"call", resource is Api);\n'


class StartErrors(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_oncology()

    def failed_start(self, *words: str):
        outcome = self.writ.cli("run", "--purpose", "train", "--", PYTHON, JOBS / "show.py")
        self.assertNotIn(outcome.code, (0, 77), outcome)
        self.assertEqual("", outcome.out)
        for word in ("writ: the job did not start: ", *words):
            self.assertIn(word, outcome.err)
        wait_until("nothing is left of it", lambda: not self.postgres.roles())
        return outcome

    def test_1_a_password_file_that_everybody_may_read(self):
        self.postgres.password_file.chmod(0o644)
        self.addCleanup(self.postgres.password_file.chmod, 0o600)
        # What has a connection already asks for no password.
        self.dev.kill()
        type(self).dev = self.writ.start_dev()
        self.failed_start("CredentialProvider `oncology-db`: for Dataset `oncology/biopsies`: the database's password: ", "every user of this machine",
                          f"`chmod o= {self.postgres.password_file}`", "what is declared does not fit what is there")

    def test_2_a_database_that_lets_nobody_in(self):
        self.postgres.execute("alter role writ_admin nologin;")
        self.addCleanup(self.postgres.execute, "alter role writ_admin login;")
        self.dev.kill()
        type(self).dev = self.writ.start_dev()
        self.failed_start("CredentialProvider `oncology-db`: for Dataset `oncology/biopsies`: ", "not permitted to log in", "is that service up")

    def test_3_a_token_that_nobody_gives(self):
        folder = self.folder / "more"
        folder.mkdir()
        (folder / "more.yaml").write_text(MORE)
        (folder / "more.cedar").write_text(POLICIES)
        self.assertEqual(0, self.writ.cli("apply", "-f", folder).code)
        self.failed_start("CredentialProvider `partner`: for Api `partner-models`: ", "127.0.0.1:1", "is that service up")


if __name__ == "__main__":
    main()
