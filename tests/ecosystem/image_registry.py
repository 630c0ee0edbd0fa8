# SPDX-License-Identifier: Apache-2.0
"""Debian's docker-registry on 127.0.0.1, with token authentication (SPEC: distribution, Docker Registry v2 authentication): its tokens are given by a server here, for the
authority's token as password, and for the password of a developer to what is the developer's own."""
import base64
import datetime
import gzip
import hashlib
import json
import secrets
import shutil
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.x509.oid import NameOID
from harness.processes import Program, wait_until
from issuer import Issuer, Refused, Server

PROGRAM = shutil.which("docker-registry")
OWN_PASSWORD = "hunter2"
SERVICE = "images"


def encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


class Signer:
    """The key that the registry trusts, with a certificate of its own."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "images.test")])
        now = datetime.datetime.now(datetime.timezone.utc)
        self.certificate = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self.key.public_key()).serial_number(1).not_valid_before(
            now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(days=1)).add_extension(
                x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(self.key, hashes.SHA256())

    def sign(self, claims: dict) -> str:
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        header = {"typ": "JWT", "alg": "ES256", "x5c": [base64.b64encode(der).decode()]}
        text = encode(json.dumps(header).encode()) + "." + encode(json.dumps(claims).encode())
        r, s = utils.decode_dss_signature(self.key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return text + "." + encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


class ImageRegistry:
    def __init__(self, issuer: Issuer, subject: str, folder: Path):
        self.issuer, self.subject, self.signer = issuer, subject, Signer()
        self.shown: list[tuple[str, str]] = []  # token or password, scope
        self.refused: list[str] = []
        self.lock = threading.Lock()
        self.tokens = Server(("127.0.0.1", 0), type("Handler", (Handler,), {"registry": self}))
        threading.Thread(target=self.tokens.serve_forever, daemon=True).start()
        with socket.socket() as reserved:
            reserved.bind(("127.0.0.1", 0))
            port = reserved.getsockname()[1]
        self.name = f"127.0.0.1:{port}"
        self.url = f"https://{self.name}"  # what it is called; on a loopback address clients speak to it in the clear
        bundle = folder / "signer.pem"
        bundle.write_bytes(self.signer.certificate.public_bytes(serialization.Encoding.PEM))
        settings = {"version": "0.1", "log": {"level": "error"}, "storage": {"filesystem": {"rootdirectory": str(folder / "images")}}, "http": {"addr": self.name},
                    "auth": {"token": {"realm": f"http://127.0.0.1:{self.tokens.server_port}/token", "service": SERVICE, "issuer": "images.test", "rootcertbundle": str(bundle)}}}
        (folder / "registry.yml").write_text(json.dumps(settings))
        self.program = Program([PROGRAM, "serve", folder / "registry.yml"], folder / "registry.log")
        wait_until("the registry listens", self.listens)

    def listens(self) -> bool:
        if not self.program.is_running():
            raise AssertionError(self.program.output())
        with socket.socket() as probe:
            host, port = self.name.split(":")
            return probe.connect_ex((host, int(port))) == 0

    def stop(self) -> None:
        self.program.kill()
        self.tokens.shutdown()
        self.tokens.server_close()

    def allowed(self, username: str, password: str, scope: str) -> list[str]:
        """What of `repository:NAME:ACTIONS` this user may."""
        _, name, actions = scope.split(":")
        if name.startswith("own/"):
            is_known = (username, password) == ("developer", OWN_PASSWORD)
        else:
            is_known = username == "writ" and self.issuer.verify(password, self.url)["sub"] == self.subject
        if not is_known:
            raise Refused(f"{username} is not let in to {name}")
        with self.lock:
            self.shown.append((password, scope))
        return actions.split(",") if name.startswith(("ml/", "own/")) else []

    def token(self, authorization: str, scopes: list[str]) -> str:
        kind, _, encoded = authorization.partition(" ")
        if kind.lower() != "basic":
            raise Refused("no authorization")
        username, _, password = base64.b64decode(encoded).decode().partition(":")
        access = [{"type": "repository", "name": scope.split(":")[1], "actions": self.allowed(username, password, scope)} for scope in scopes]
        now = int(time.time())
        return self.signer.sign({"iss": "images.test", "sub": username, "aud": SERVICE, "exp": now + 60, "nbf": now - 10, "iat": now, "jti": secrets.token_hex(8), "access": access})


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry: ImageRegistry

    def do_GET(self):
        query = parse_qs(urlsplit(self.path).query)
        try:
            scopes = [scope for given in query.get("scope", []) for scope in given.split(" ")]
            status, answer = 200, {"token": self.registry.token(self.headers.get("authorization", ""), scopes)}
        except (Refused, ValueError) as refused:
            with self.registry.lock:
                self.registry.refused.append(f"{self.path}: {refused}")
            status, answer = 401, {"errors": [{"code": "UNAUTHORIZED", "message": str(refused)}]}
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self):
        self.send_error(404)  # OAuth's flavour of it: clients go on with GET

    def log_message(self, *_):
        pass


def write_image(folder: Path, text: str) -> None:
    """An image of one layer with no file in it, as an OCI layout (SPEC: OCI image-spec, Image Layout)."""
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)

    def blob(content: bytes, kind: str) -> dict:
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(content)}
    tar = bytes(1024)
    config = {"architecture": "amd64", "os": "linux", "config": {"Labels": {"model": text}}, "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(tar).hexdigest()}"]}}
    layer = blob(gzip.compress(tar, mtime=0), "layer.v1.tar+gzip")
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": blob(json.dumps(config).encode(), "config.v1+json"), "layers": [layer]}
    index = {"schemaVersion": 2, "manifests": [blob(json.dumps(manifest).encode(), "manifest.v1+json")]}
    (folder / "oci-layout").write_text(json.dumps({"imageLayoutVersion": "1.0.0"}))
    (folder / "index.json").write_text(json.dumps(index))
