# SPDX-License-Identifier: Apache-2.0
"""What a service does that trusts the authority as an issuer: it verifies a workload's own token by the issuer's keys, for itself as the audience."""
import base64
import hashlib
import json
import time

SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")  # RFC 8017 §9.2, DigestInfo


def decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


class Refused(Exception):
    def __init__(self, error: str, status: int = 400):
        super().__init__(error)
        self.error, self.status = error, status


class Verifier:
    def __init__(self, issuer: str, jwks, subject_prefix: str):
        self.issuer, self.subject_prefix = issuer, subject_prefix
        self.keys = {key["kid"]: key for key in jwks["keys"] if key["kty"] == "RSA"}

    def verify(self, token: str, audience: str) -> dict:
        try:
            head, body, signature = token.split(".")
            header, claims = json.loads(decode(head)), json.loads(decode(body))
            key = self.keys[header["kid"]]
        except (ValueError, KeyError):
            raise Refused("invalid_grant") from None
        modulus, exponent = (int.from_bytes(decode(key[name]), "big") for name in ("n", "e"))
        size = (modulus.bit_length() + 7) // 8
        digest = SHA256_PREFIX + hashlib.sha256(f"{head}.{body}".encode()).digest()
        expected = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
        if header["alg"] != "RS256" or pow(int.from_bytes(decode(signature), "big"), exponent, modulus).to_bytes(size, "big") != expected:
            raise Refused("invalid_grant")
        audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if claims["iss"] != self.issuer or audience not in audiences or claims["exp"] <= time.time() or not claims["sub"].startswith(self.subject_prefix):
            raise Refused("invalid_grant")
        return claims
