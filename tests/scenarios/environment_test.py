#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a user has set for other purposes than credentials reaches the job as it is."""
import json
import os

from harness import Scenario, main
from harness.scenario import JOBS, PYTHON

# Whom clients trust: each of them replaces or adds to what the client brings along, and is not Writ's to touch.
TRUST = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "PGSSLROOTCERT")


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


if __name__ == "__main__":
    main()
