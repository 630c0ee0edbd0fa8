#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Forged, changed and expired JWT-SVIDs at the token endpoint and at AuthZEN."""
import json
import urllib.parse

from harness import Scenario, main
from harness.keys import P256Key, base64url, decoded, from_base64url, resigned, signed_with_public_key, unsigned

EVALUATION = {
    "subject": {"type": "Workload", "id": "spiffe://oncology.example/oncology/root/train"},
    "action": {"name": "read"},
    "resource": {"type": "Dataset", "id": "oncology/biopsies"},
    "context": {"purpose": "train"},
}


class ForgedToken(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_oncology()
        cls.issuer = cls.writ.public_url()
        # The harness runs in Debian's python and so is the trainer, as far as the kernel can see.
        answer = cls.writ.run_socket("POST", "/v1/svids/jwt", {"audience": [cls.issuer]})
        assert answer.status == 200, answer.text
        cls.token = answer.json["svids"][0]["token"]
        cls.header, cls.payload = decoded(cls.token)
        cls.key = P256Key(cls.folder)

    def exchange(self, token: str):
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token": token,
                "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "audience": "https://storage.example"}
        return self.writ.public("POST", "/oauth2/token", urllib.parse.urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})

    def evaluate(self, token: str | None):
        return self.writ.public("POST", "/access/v1/evaluation", EVALUATION, {"Authorization": f"Bearer {token}"} if token else None)

    def forgeries(self):
        admin = self.payload | {"sub": "spiffe://oncology.example/writ/authority"}
        header, payload, signature = self.token.split(".")
        flipped = bytearray(from_base64url(signature))
        flipped[7] ^= 1
        public_keys = self.writ.admin("GET", "/.well-known/jwks.json").text.encode()
        yield "alg none", unsigned(self.header, self.payload)
        yield "alg NONE", unsigned(self.header, self.payload, "NoNe")
        yield "alg none with the true signature", base64url(json.dumps(self.header | {"alg": "none"}).encode()) + f".{payload}.{signature}"
        yield "no signature", f"{header}.{payload}."
        yield "two parts", f"{header}.{payload}"
        yield "signed again with a key of one's own, under the true key's id", resigned(self.header, admin, self.key)
        yield "signed again, its key in the header", resigned(self.header | {"jwk": self.key.jwk()}, admin, self.key)
        yield "signed again, its key at an address", resigned(self.header | {"jku": "http://127.0.0.1:1/jwks"}, admin, self.key)
        yield "HMAC with the public key", signed_with_public_key(self.header, admin, public_keys)
        yield "another subject under the true signature", f"{header}.{base64url(json.dumps(admin).encode())}.{signature}"
        yield "a bit of the signature", f"{header}.{payload}.{base64url(bytes(flipped))}"
        yield "a signature of zeros", f"{header}.{payload}.{base64url(bytes(64))}"
        yield "padding", f"{header}=.{payload}.{signature}"
        yield "not a token", "x" * 100
        yield "critical extension", resigned(self.header | {"crit": ["b64"], "b64": False}, self.payload, self.key)

    def test_the_true_token_is_accepted(self):
        answer = self.exchange(self.token)
        self.assertEqual(200, answer.status, answer.text)
        _, exchanged = decoded(answer.json["access_token"])
        self.assertIn("https://storage.example", exchanged["aud"])
        self.assertEqual(self.payload["sub"], exchanged["sub"])
        self.assertLessEqual(exchanged["exp"], self.payload["exp"], "a lifetime is never longer than its parent's")
        answer = self.evaluate(self.token)
        self.assertEqual((200, True), (answer.status, answer.json.get("decision")), answer.text)

    def test_no_forgery_is_exchanged(self):
        for name, token in self.forgeries():
            with self.subTest(name):
                answer = self.exchange(token)
                self.assertEqual(400, answer.status, answer.text)
                self.assertIn(answer.json["error"], ("invalid_request", "invalid_grant", "invalid_token"))
                self.assertNotIn("access_token", answer.text)

    def test_no_forgery_opens_authzen(self):
        for name, token in self.forgeries():
            with self.subTest(name):
                answer = self.evaluate(token)
                self.assertEqual(401, answer.status, answer.text)
                self.assertNotIn("decision", answer.text)
                self.assertNotIn("detail", answer.json, "only the code crosses to a caller without an identity")

    def test_no_token_is_no_identity(self):
        self.assertEqual(401, self.evaluate(None).status)

    def test_a_token_for_somebody_else_is_refused(self):
        answer = self.writ.run_socket("POST", "/v1/svids/jwt", {"audience": ["https://elsewhere.example"]})
        token = answer.json["svids"][0]["token"]
        self.assertEqual(401, self.evaluate(token).status)

    def test_the_key_set_verifies_what_was_issued(self):
        keys = self.writ.public("GET", "/.well-known/jwks.json").json["keys"]
        self.assertIn(self.header["kid"], [key["kid"] for key in keys])
        for key in keys:
            self.assertNotIn("d", key, "a private key is published")
        self.assertEqual(self.issuer, self.writ.public("GET", "/.well-known/openid-configuration").json["issuer"])


if __name__ == "__main__":
    main()
