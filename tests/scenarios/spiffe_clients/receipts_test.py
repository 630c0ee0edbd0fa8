#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A client of gRPC that asks for receipts gets them beside its SVIDs, and they prove themselves; one that does not ask sees none."""
import json

from clients import HERE, PYTHON, ClientScenario, python_environment, spiffe_id, workload
from harness import main


class Receipts(ClientScenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.python = python_environment()
        cls.start()

    def setUp(self):
        self.declare(workload("notebook", PYTHON))

    def verify(self, receipt: str) -> dict:
        file = self.scratch("svid.tlog-proof")
        file.write_text(receipt)
        key = (self.writ.data / "log/verifier").read_text().strip()
        verified = self.writ.cli("audit", "receipt", "verify", file, "--key", key, "--json")
        self.assertEqual(0, verified.code, verified)
        return json.loads(verified.out)["content"]

    def test_with_each_svid_comes_its_receipt(self):
        for method, kind in (("FetchJWTSVID", "jwt_svid"), ("FetchX509SVID", "x509_svid")):
            with self.subTest(method):
                told = self.run_client(self.python, HERE / "python/receipts.py", method, "true").first
                [record], [receipt] = told["records"], told["receipts"]
                content = self.verify(receipt)
                self.assertEqual(("issuance", spiffe_id("notebook"), kind), (content["type"], content["workload"], content["credential"]["kind"]))
                self.assertIn(f"index {record}\n", receipt)

    def test_who_does_not_ask_gets_the_number_alone(self):
        told = self.run_client(self.python, HERE / "python/receipts.py", "FetchJWTSVID", "false").first
        self.assertEqual((1, []), (len(told["records"]), told["receipts"]))
        self.assertGreater(told["bytes"], 100)


if __name__ == "__main__":
    main()
