#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A run finds the receipt of its credential in its folder, and it proves itself; nobody else is given it."""
import base64
import json
import urllib.parse

from harness import Scenario, main
from harness.scenario import JOBS, PYTHON


class Receipt(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_oncology()

    def test_a_run_has_the_receipt_of_its_credential(self):
        outcome = self.writ.cli("run", "--purpose", "train", "--", PYTHON, JOBS / "receipt.py")
        self.assertEqual(0, outcome.code, outcome)
        file = self.scratch("run.tlog-proof")
        file.write_text(outcome.out)
        key = (self.writ.data / "log" / "verifier").read_text().strip()
        verified = self.writ.cli("audit", "receipt", "verify", file, "--key", key, "--json")
        self.assertEqual(0, verified.code, verified)
        answer = json.loads(verified.out)
        self.assertEqual("issuance", answer["content"]["type"])
        self.assertEqual("postgres_role", answer["content"]["credential"]["kind"])
        self.assertEqual("oncology/biopsies", answer["content"]["resource"]["id"])

        # The record with one word changed is another one's.
        lines = outcome.out.split("\n")
        record = base64.b64decode(lines[1].removeprefix("extra ")).replace(b"train", b"trade")
        file.write_text("\n".join([lines[0], "extra " + base64.b64encode(record).decode(), *lines[2:]]))
        self.assertEqual(1, self.writ.cli("audit", "receipt", "verify", file, "--key", key).code)

    def test_a_token_names_its_receipt_and_only_its_bearer_gets_it(self):
        issuer = self.writ.public_url()
        answer = self.writ.run_socket("POST", "/v1/svids/jwt", {"audience": [issuer]})
        self.assertEqual(200, answer.status, answer.text)
        svid = answer.json["svids"][0]
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token": svid["token"],
                "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "audience": "https://storage.example"}
        exchanged = self.writ.public("POST", "/oauth2/token", urllib.parse.urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"}).json
        self.assertTrue(exchanged["receipt"].startswith(issuer + "/v1/receipts/"))
        mine = {"Authorization": f"Bearer {svid['token']}"}
        for path in (exchanged["receipt"].removeprefix(issuer), f"/v1/receipts/{svid['record']}"):
            receipt = self.writ.public("GET", path, headers=mine)
            self.assertEqual(200, receipt.status, receipt.text)
            file = self.scratch("token.tlog-proof")
            file.write_text(receipt.text)
            key = (self.writ.data / "log" / "verifier").read_text().strip()
            self.assertEqual(0, self.writ.cli("audit", "receipt", "verify", file, "--key", key).code)
            self.assertEqual(401, self.writ.public("GET", path).status)
        self.assertEqual(404, self.writ.public("GET", "/v1/receipts/0", headers=mine).status)  # the authority's own start
        self.assertEqual(404, self.writ.public("GET", "/v1/receipts/999999", headers=mine).status)
        self.assertEqual(200, self.writ.admin("GET", "/v1/receipts/0").status)


if __name__ == "__main__":
    main()
