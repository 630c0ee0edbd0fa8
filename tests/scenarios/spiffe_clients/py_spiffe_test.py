#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""py-spiffe, unmodified, as the agent's caller: SVIDs, bundles, sources that follow along, and a caller who is nobody any more."""
from clients import HERE, PYTHON, TRUST_DOMAIN, ClientScenario, moment, python_environment, spiffe_id, with_changed_signature, workload
from harness import main


class PySpiffe(ClientScenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.python = python_environment()
        cls.start()

    def setUp(self):
        self.declare(workload("notebook", PYTHON))  # what the kernel says of a virtual environment's python

    def client(self, *command):
        return self.run_client(self.python, HERE / "python/client.py", *command)

    def test_it_gets_an_svid_with_its_key_and_roots(self):
        found = self.client("x509").first
        svid, = found["svids"]
        self.assertEqual(spiffe_id("notebook"), svid["id"])
        self.assertTrue(svid["is_signed_by_a_root"])
        self.assertTrue(svid["has_its_key"])
        self.assertAlmostEqual(3600, moment(svid["expires"]) - moment(svid["begins"]), delta=180)
        self.assertEqual({TRUST_DOMAIN: self.x509_roots()}, found["bundles"])
        self.assertEqual(found["bundles"], self.client("x509-bundles").first)

    def test_it_gets_a_token_that_both_sides_accept(self):
        fetched = self.client("jwt", "reports", "").first
        self.assertEqual((spiffe_id("notebook"), ["reports"]), (fetched["id"], fetched["audience"]))
        self.assertEqual(fetched, self.client("verify", fetched["token"], "reports", TRUST_DOMAIN).first)
        self.assertEqual(fetched, self.client("validate", fetched["token"], "reports").first)

        for why, altered, audience in (("signature", with_changed_signature(fetched["token"]), "reports"), ("audience", fetched["token"], "payroll")):
            with self.subTest(why):
                self.assertNotEqual(0, self.client("verify", altered, audience, TRUST_DOMAIN).code)
                self.assertEqual("INVALID_ARGUMENT", self.client("validate", altered, audience).error_code)
        with self.subTest("an id of somebody else"):
            self.assertEqual("PERMISSION_DENIED", self.client("jwt", "reports", spiffe_id("scorer")).error_code)

    def test_the_jwt_bundle_is_the_authoritys(self):
        self.assertEqual({TRUST_DOMAIN: sorted(self.jwt_key_ids())}, self.client("jwt-bundles").first)

    def test_a_source_hears_of_declarations(self):
        source = self.start_client(self.python, HERE / "python/client.py", "sources")
        first = source.line(0, "the source is ready")
        self.assertEqual({TRUST_DOMAIN: sorted(self.jwt_key_ids())}, first["keys"])
        self.declare(workload("notebook", PYTHON, lifetime="2h"))
        renewed, = source.next_that("an SVID of the new lifetime", lambda line: lasts(line) > 7000)["svids"]
        self.assertTrue(renewed["is_signed_by_a_root"] and renewed["has_its_key"])
        self.assertNotEqual(first["svids"][0]["serial"], renewed["serial"])

    def test_a_watcher_and_its_successors_are_refused_when_it_is_a_workload_no_more(self):
        watcher = self.start_client(self.python, HERE / "python/client.py", "watch")
        watcher.line(0, "the first update")
        self.declare()
        self.assertEqual("PERMISSION_DENIED", watcher.next_that("the stream's end", lambda line: "error" in line)["code"])
        for command in (("x509",), ("x509-bundles",), ("jwt", "reports", ""), ("jwt-bundles",)):
            with self.subTest(command[0]):
                self.assertEqual("PERMISSION_DENIED", self.client(*command).error_code)


def lasts(line: dict) -> float:
    """How long the first SVID of an update is valid, in seconds."""
    svid = line["svids"][0]
    return moment(svid["expires"]) - moment(svid["begins"])


if __name__ == "__main__":
    main()
