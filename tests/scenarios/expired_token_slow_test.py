#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A JWT-SVID that was good is refused everywhere once it has expired. Slow: it waits for the shortest lifetime there is."""
import time
import urllib.parse

from harness import Scenario, main
from harness.keys import decoded

WORKLOAD = """kind: Workload
name: oncology-trainer
id: spiffe://oncology.example/oncology/{unix.user}/train
match: { unix.path: /usr/bin/python3.11 }
pipeline: biopsy-classifier
team: oncology
svid_lifetime: 1m
"""


class ExpiredToken(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_oncology()
        answer = cls.writ.admin("POST", "/v1/declarations", {"documents": [{"path": "workloads.yaml", "text": WORKLOAD}]})
        assert answer.status == 200, answer.text
        cls.issuer = cls.writ.public_url()

    def exchange(self, token: str):
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token": token,
                "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "audience": "https://storage.example"}
        return self.writ.public("POST", "/oauth2/token", urllib.parse.urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})

    def evaluate(self, token: str):
        question = {"subject": {"type": "Workload", "id": "spiffe://oncology.example/oncology/root/train"}, "action": {"name": "read"},
                    "resource": {"type": "Dataset", "id": "oncology/biopsies"}, "context": {"purpose": "train"}}
        return self.writ.public("POST", "/access/v1/evaluation", question, {"Authorization": f"Bearer {token}"})

    def test_good_until_it_expires(self):
        answer = self.writ.run_socket("POST", "/v1/svids/jwt", {"audience": [self.issuer]})
        self.assertEqual(200, answer.status, answer.text)
        token = answer.json["svids"][0]["token"]
        _, claims = decoded(token)
        self.assertLessEqual(claims["exp"] - claims["iat"], 60, "never longer than the workload's identity")
        self.assertEqual(200, self.exchange(token).status)
        self.assertEqual(200, self.evaluate(token).status)

        time.sleep(max(0, claims["exp"] - time.time()) + 1)
        refused = self.exchange(token)
        self.assertEqual((400, "invalid_grant"), (refused.status, refused.json["error"]))
        self.assertEqual(401, self.evaluate(token).status)


if __name__ == "__main__":
    main()
