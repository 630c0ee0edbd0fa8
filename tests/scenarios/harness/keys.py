# SPDX-License-Identifier: Apache-2.0
"""An attacker's keys and tokens, made with the `openssl` command."""
import base64
import hashlib
import hmac
import json
import subprocess
from pathlib import Path


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def decoded(token: str) -> tuple[dict, dict]:
    header, payload, _ = token.split(".")
    return json.loads(from_base64url(header)), json.loads(from_base64url(payload))


class P256Key:
    def __init__(self, folder: Path):
        self.file = folder / "attacker.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.file], check=True, capture_output=True)

    def public_der(self) -> bytes:
        return subprocess.run(["openssl", "pkey", "-in", self.file, "-pubout", "-outform", "DER"], check=True, capture_output=True).stdout

    def public_base64(self) -> str:
        return base64.b64encode(self.public_der()).decode()

    def jwk(self) -> dict:
        point = self.public_der()[-64:]
        return {"kty": "EC", "crv": "P-256", "x": base64url(point[:32]), "y": base64url(point[32:])}

    def sign(self, data: bytes) -> bytes:
        """r and s, 32 bytes each (RFC 7518 §3.4)."""
        der = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.file], input=data, check=True, capture_output=True).stdout
        return b"".join(number.to_bytes(32, "big") for number in _two_integers(der))


def _two_integers(der: bytes) -> list[int]:
    numbers, place = [], 2
    for _ in range(2):
        length = der[place + 1]
        numbers.append(int.from_bytes(der[place + 2:place + 2 + length], "big"))
        place += 2 + length
    return numbers


def _token(header: dict, payload: dict, signature_of) -> str:
    signed = base64url(json.dumps(header).encode()) + "." + base64url(json.dumps(payload).encode())
    return signed + "." + base64url(signature_of(signed.encode()))


def unsigned(header: dict, payload: dict, algorithm: str = "none") -> str:
    return _token(header | {"alg": algorithm}, payload, lambda _: b"")


def resigned(header: dict, payload: dict, key: P256Key) -> str:
    return _token(header | {"alg": "ES256"}, payload, key.sign)


def signed_with_public_key(header: dict, payload: dict, public_key: bytes) -> str:
    """RFC 8725 §2.1: HMAC with the issuer's public key as its secret."""
    return _token(header | {"alg": "HS256"}, payload, lambda data: hmac.new(public_key, data, hashlib.sha256).digest())
