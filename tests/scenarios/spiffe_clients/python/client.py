# SPDX-License-Identifier: Apache-2.0
"""A workload written with py-spiffe as its authors publish it. It finds the Workload API in SPIFFE_ENDPOINT_SOCKET and prints a JSON object a line."""
import base64
import json
import re
import sys
import threading

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding
from spiffe import JwtSource, SpiffeId, TrustDomain, WorkloadApiClient, X509Source
from spiffe.errors import PySpiffeError
from spiffe.svid.jwt_svid import JwtSvid

PATIENCE_SECONDS = 20.0


def tell(line) -> None:
    print(json.dumps(line), flush=True)


def tell_error(error: Exception) -> None:
    """py-spiffe puts the gRPC code into its messages."""
    code = re.search(r"StatusCode\.([A-Z_]+)", str(error))
    tell({"error": f"{type(error).__name__}: {error}", "code": code.group(1) if code else "UNKNOWN"})


def is_signed_by(certificate, root) -> bool:
    try:
        certificate.verify_directly_issued_by(root)
        return True
    except (InvalidSignature, ValueError):
        return False


def described(svid, bundles) -> dict:
    roots = bundles.get_bundle_for_trust_domain(svid.spiffe_id.trust_domain).x509_authorities
    leaf = svid.leaf
    return {"id": str(svid.spiffe_id), "serial": f"{leaf.serial_number:x}", "begins": leaf.not_valid_before_utc.isoformat(),
            "expires": leaf.not_valid_after_utc.isoformat(), "is_signed_by_a_root": any(is_signed_by(leaf, root) for root in roots),
            "has_its_key": leaf.public_key() == svid.private_key.public_key()}


def described_bundles(bundles) -> dict:
    return {bundle.trust_domain.name: [base64.b64encode(root.public_bytes(Encoding.DER)).decode() for root in bundle.x509_authorities]
            for bundle in bundles}


def described_context(context) -> dict:
    bundles = context.x509_bundle_set
    return {"svids": [described(svid, bundles) for svid in context.x509_svids], "bundles": described_bundles(bundles.bundles)}


def described_jwt(svid) -> dict:
    return {"id": str(svid.spiffe_id), "audience": sorted(svid.audience), "expires": svid.expiry, "token": svid.token}


def described_keys(bundles) -> dict:
    return {bundle.trust_domain.name: sorted(bundle.jwt_authorities) for bundle in bundles}


def x509(client) -> None:
    tell(described_context(client.fetch_x509_context()))


def x509_bundles(client) -> None:
    tell(described_bundles(client.fetch_x509_bundles().bundles))


def jwt(client, audience: str, subject: str) -> None:
    for svid in client.fetch_jwt_svids({audience}, SpiffeId(subject) if subject else None):
        tell(described_jwt(svid))


def jwt_bundles(client) -> None:
    tell(described_keys(client.fetch_jwt_bundles().bundles))


def verify(client, token: str, audience: str, trust_domain: str) -> None:
    """py-spiffe verifies, with the bundle it was given."""
    bundle = client.fetch_jwt_bundles().get_bundle_for_trust_domain(TrustDomain(trust_domain))
    tell(described_jwt(JwtSvid.parse_and_validate(token, bundle, {audience})))


def validate(client, token: str, audience: str) -> None:
    """The agent verifies."""
    tell(described_jwt(client.validate_jwt_svid(token, audience)))


def watch(client) -> None:
    ended = threading.Event()

    def fail(error: Exception) -> None:
        tell_error(error)
        ended.set()

    client.stream_x509_contexts(lambda context: tell(described_context(context)), fail, retry_connect=False)
    ended.wait()


def sources(client) -> None:
    """The two sources that a server of py-spiffe's users holds; a line at the start and at each update of either."""
    with X509Source(client, timeout_in_seconds=PATIENCE_SECONDS) as x509_source, JwtSource(client, timeout_in_seconds=PATIENCE_SECONDS) as jwt_source:
        def show() -> None:
            tell(described_context(x509_source.get_x509_context()) | {"keys": described_keys(jwt_source.bundles)})

        show()
        x509_source.subscribe_for_updates(show)
        threading.Event().wait()


COMMANDS = {"x509": x509, "x509-bundles": x509_bundles, "jwt": jwt, "jwt-bundles": jwt_bundles, "verify": verify, "validate": validate, "watch": watch,
            "sources": sources}


def main() -> int:
    try:
        with WorkloadApiClient(default_timeout=PATIENCE_SECONDS) as client:
            COMMANDS[sys.argv[1]](client, *sys.argv[2:])
        return 0
    except PySpiffeError as error:
        tell_error(error)
        return 1


if __name__ == "__main__":
    sys.exit(main())
