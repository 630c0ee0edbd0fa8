#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""go-spiffe, unmodified, as the agent's caller: every method of the Workload API, watched streams, mutual TLS, and callers who are nobody."""
import shutil
import socket
import ssl

from clients import TRUST_DOMAIN, ClientScenario, go_client, moment, spiffe_id, with_changed_signature, workload
from harness import main

METHODS = ("FetchX509SVID", "FetchX509Bundles", "FetchJWTSVID", "FetchJWTBundles", "ValidateJWTSVID")


class GoSpiffe(ClientScenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        client = go_client()
        cls.trainer, cls.scorer, cls.stranger = (shutil.copy(client, cls.folder / name) for name in ("trainer", "scorer", "stranger"))
        cls.start()

    def setUp(self):
        self.both = [workload("trainer", self.trainer), workload("scorer", self.scorer)]
        self.declare(*self.both)

    # ---- X.509

    def test_it_gets_an_svid_that_its_own_verification_accepts(self):
        found = self.run_client(self.trainer, "x509").first
        svid, = found["svids"]
        self.assertEqual((spiffe_id("trainer"), spiffe_id("trainer")), (svid["id"], svid["verified"]))
        self.assertAlmostEqual(3600, moment(svid["expires"]) - moment(svid["begins"]), delta=180)
        self.assertEqual({TRUST_DOMAIN: self.x509_roots()}, found["bundles"])
        self.assertEqual(found["bundles"], self.run_client(self.trainer, "x509-bundles").first)

    def test_what_it_gets_is_in_the_log(self):
        before = self.writ.tree_size()
        self.declare(*self.both, workload("recorded", self.trainer))  # so that nothing is answered from the agent's memory
        svids = self.run_client(self.trainer, "x509").first["svids"]
        self.assertEqual({svid["serial"] for svid in svids}, {credential["id"].lstrip("0") for credential in self.issued_since(before)})

    def test_a_process_that_is_two_workloads_gets_two_svids(self):
        self.declare(*self.both, workload("auditor", self.trainer))
        found = self.run_client(self.trainer, "x509").first["svids"]
        self.assertEqual({spiffe_id("trainer"), spiffe_id("auditor")}, {svid["verified"] for svid in found})

    def test_a_watched_stream_hears_of_declarations(self):
        watcher = self.start_client(self.trainer, "watch")
        first = watcher.line(0, "the first update")["svids"]
        self.assertEqual([spiffe_id("trainer")], [svid["id"] for svid in first])

        self.declare(*self.both, workload("auditor", self.trainer))
        watcher.next_that("an update with the second workload", lambda line: len(line.get("svids", ())) == 2)

        self.declare(workload("scorer", self.scorer))
        watcher.next_that("a refusal, as it is no workload any more", lambda line: line.get("code") == "PermissionDenied")

        self.declare(*self.both)
        again = watcher.next_that("an update, as it is a workload again", lambda line: "svids" in line)["svids"]
        self.assertEqual([spiffe_id("trainer")], [svid["verified"] for svid in again])
        self.assertNotEqual(first[0]["serial"], again[0]["serial"])

    def test_a_watched_stream_outlives_the_agent(self):
        watcher = self.start_client(self.trainer, "watch")
        before = watcher.line(0, "the first update")
        self.dev.kill()
        watcher.next_that("an error, as nobody answers", lambda line: line.get("code") == "Unavailable")
        type(self).dev = self.writ.start_dev()
        after = watcher.next_that("an update of the new agent", lambda line: "svids" in line)
        self.assertEqual(before["bundles"], after["bundles"])
        self.assertEqual(spiffe_id("trainer"), after["svids"][0]["verified"])

    # ---- JWT

    def test_it_gets_a_token_that_both_sides_accept(self):
        fetched = self.run_client(self.trainer, "jwt", "reports", "").first
        self.assertEqual((spiffe_id("trainer"), ["reports"]), (fetched["id"], fetched["audience"]))
        for verifier in ("verify", "validate"):
            with self.subTest(verifier):
                seen = self.run_client(self.scorer, verifier, fetched["token"], "reports").first
                self.assertEqual((spiffe_id("trainer"), ["reports"], fetched["expires"]), (seen["id"], seen["audience"], seen["expires"]))
                self.assertEqual(spiffe_id("trainer"), seen["claims"]["sub"])

    def test_a_token_that_was_changed_or_is_for_others_is_refused(self):
        token = self.run_client(self.trainer, "jwt", "reports", "").first["token"]
        for why, altered, audience in (("signature", with_changed_signature(token), "reports"), ("audience", token, "payroll"),
                                       ("no token", "a.b.c", "reports"), ("cut", token[:-20], "reports")):
            with self.subTest(why):
                self.assertEqual("InvalidArgument", self.run_client(self.scorer, "validate", altered, audience).error_code)
                self.assertNotEqual(0, self.run_client(self.scorer, "verify", altered, audience).code)

    def test_it_may_ask_for_one_of_its_own_ids_alone(self):
        self.declare(*self.both, workload("auditor", self.trainer))
        every = self.run_client(self.trainer, "jwt", "reports", "")
        self.assertEqual({spiffe_id("trainer"), spiffe_id("auditor")}, {every.first["id"], *(line["id"] for line in every.lines)})
        one = self.run_client(self.trainer, "jwt", "reports", spiffe_id("auditor"))
        self.assertEqual([spiffe_id("auditor")], [one.first["id"], *(line["id"] for line in one.lines[1:])])
        self.assertEqual("PermissionDenied", self.run_client(self.trainer, "jwt", "reports", spiffe_id("scorer")).error_code)

    def test_the_jwt_bundle_is_the_authoritys(self):
        found = self.run_client(self.trainer, "jwt-bundles").first
        self.assertEqual([TRUST_DOMAIN], list(found))
        self.assertEqual(self.jwt_key_ids(), set(found[TRUST_DOMAIN]))

    # ---- mutual TLS

    def test_two_workloads_speak_mutual_tls(self):
        server = self.start_client(self.scorer, "serve", spiffe_id("trainer"))
        address = server.line(0, "the server listens")["address"]
        said = self.run_client(self.trainer, "dial", address, spiffe_id("scorer")).first
        self.assertEqual((spiffe_id("trainer"), spiffe_id("trainer")), (said["me"], said["seen_as"]))

        with self.subTest("a client of another identity"):
            self.assertNotEqual(0, self.run_client(self.scorer, "dial", address, spiffe_id("scorer")).code)
            self.assertIn(f"unexpected ID \"{spiffe_id('scorer')}\"", server.line(1, "the server's refusal")["error"])
        with self.subTest("a server of another identity"):
            refused = self.run_client(self.trainer, "dial", address, spiffe_id("auditor"))
            self.assertIn(f"unexpected ID \"{spiffe_id('scorer')}\"", refused.lines[0]["error"])
        with self.subTest("a client without a certificate"), self.assertRaises(OSError):
            said_to_stranger(address)

    # ---- nobody

    def test_without_the_header_nothing_is_answered(self):
        for method in METHODS:
            for value in ("", "false", "True"):
                with self.subTest(method, value=value):
                    self.assertEqual("InvalidArgument", self.run_client(self.trainer, "bare", method, value).error_code)
        for method in METHODS[:-1]:  # with it, the same stub is answered
            with self.subTest(method):
                self.assertEqual({"answered": method}, self.run_client(self.trainer, "bare", method, "true").first)

    def test_a_process_of_no_workload_is_refused(self):
        before = self.writ.tree_size()
        for command in (("x509",), ("x509-bundles",), ("jwt", "reports", ""), ("jwt-bundles",)):
            with self.subTest(command[0]):
                self.assertEqual("PermissionDenied", self.run_client(self.stranger, *command).error_code)
        self.assertEqual([], self.issued_since(before))


def said_to_stranger(address: str) -> bytes:
    """What a client hears that shows no certificate and trusts everybody."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as plain, context.wrap_socket(plain) as secured:
        return secured.recv(100)


if __name__ == "__main__":
    main()
