# SPDX-License-Identifier: Apache-2.0
"""What every cloud does with a token of another's: finds the issuer's keys by its discovery document, and checks signature, issuer, audience and times."""
import base64
import json
import ssl
import sys
import time
from http.server import ThreadingHTTPServer

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


class Server(ThreadingHTTPServer):
    """Where a cloud listens; a client that goes away is nothing to report."""
    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (ConnectionError, ssl.SSLError)):
            super().handle_error(request, client_address)


def read_body(request) -> bytes:
    """Of a request whose client may not have known its length."""
    if request.headers.get("transfer-encoding", "").lower() != "chunked":
        return request.rfile.read(int(request.headers.get("content-length") or 0))
    content = b""
    while size := int(request.rfile.readline().split(b";")[0], 16):
        content += request.rfile.read(size)
        request.rfile.readline()
    request.rfile.readline()
    return content


class Refused(Exception):
    """Why, as the cloud would say it."""


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Issuer:
    """The authority, seen from outside: only its public listener is asked."""

    def __init__(self, writ):
        self.public = writ.public
        self.url = writ.public_url()

    def keys(self) -> dict:
        document = self.public("GET", "/.well-known/openid-configuration").json
        if document["issuer"] != self.url or not document["jwks_uri"].startswith(self.url + "/"):
            raise Refused("the discovery document is another's")
        keys = self.public("GET", document["jwks_uri"].removeprefix(self.url)).json["keys"]
        return {key["kid"]: key for key in keys}

    def verify(self, token: str, audience: str) -> dict:
        """The claims of a token that holds; RS256 alone, as Google's and Entra's federation has it."""
        try:
            head, body, signature = token.split(".")
            header, claims = json.loads(decode(head)), json.loads(decode(body))
        except ValueError as error:
            raise Refused("no JWT") from error
        key = self.keys().get(header.get("kid"))
        if header.get("alg") != "RS256" or key is None or key["kty"] != "RSA":
            raise Refused(f"no key for algorithm {header.get('alg')}, key {header.get('kid')}")
        numbers = rsa.RSAPublicNumbers(int.from_bytes(decode(key["e"]), "big"), int.from_bytes(decode(key["n"]), "big"))
        try:
            numbers.public_key().verify(decode(signature), f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature as error:
            raise Refused("the signature does not hold") from error
        audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if claims.get("iss") != self.url:
            raise Refused(f"issuer {claims.get('iss')}")
        if audience not in audiences:
            raise Refused(f"audience {audiences}")
        if not claims.get("iat", 0) - 60 <= time.time() < claims["exp"]:
            raise Refused("not valid now")
        if not claims.get("sub"):
            raise Refused("no subject")
        return claims
