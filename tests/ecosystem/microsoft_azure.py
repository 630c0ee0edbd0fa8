# SPDX-License-Identifier: Apache-2.0
"""Microsoft Entra's token endpoint and the part of Blob Storage's REST API that clients read and write with, on 127.0.0.1: over TLS, which the clients insist on, and in the
clear for the authority alone.

Faithful where it matters here: an application gets a token for an assertion that proves its registered subject by the issuer's published keys, and a token does in Blob Storage
what the application's role assignments say.
"""
import json
import re
import secrets
import ssl
import subprocess
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from xml.sax.saxutils import escape

from issuer import Issuer, Refused, Server

TENANT = "99999999-8888-7777-6666-555555555555"
READER, WRITER = "11111111-2222-3333-4444-000000000001", "11111111-2222-3333-4444-000000000002"
AUDIENCE = "api://AzureADTokenExchange"
STORAGE = "https://storage.azure.com/.default"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ACCOUNT = "acme"


def create_certificate(folder: Path) -> None:
    """A certificate of its own for 127.0.0.1 and localhost."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=azure.test",
                    "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-addext", "basicConstraints=critical,CA:TRUE", "-keyout", folder / "azure.key", "-out", folder / "azure.pem"],
                   check=True, capture_output=True)


class MicrosoftAzure:
    def __init__(self, issuer: Issuer, subject: str, folder: Path):
        self.issuer = issuer
        # Federated credentials: of each application, whom it trusts.
        self.trusted = {READER: subject, WRITER: subject}
        # Role assignments: Storage Blob Data Reader or Contributor, on a container.
        self.assigned = {(READER, "genomes"): {"read"}, (WRITER, "models"): {"read", "write"}}
        self.lifetime = 3000
        self.tokens: dict[str, dict] = {}
        self.blobs: dict[tuple[str, str], bytes] = {}
        self.blocks: dict[tuple[str, str, str], bytes] = {}  # put, and of no blob yet
        self.seen: list[tuple[str, str, str]] = []  # what Blob Storage was asked: token, permission, `container/name`
        self.assertions = 0
        self.lock = threading.Lock()
        create_certificate(folder)
        self.ca_file = folder / "azure.pem"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "azure.pem", folder / "azure.key")
        handler = type("Handler", (Handler,), {"cloud": self})
        self.servers = [Server(("127.0.0.1", 0), handler) for _ in range(2)]
        self.servers[1].socket = context.wrap_socket(self.servers[1].socket, server_side=True, do_handshake_on_connect=False)
        self.plain_url = f"http://127.0.0.1:{self.servers[0].server_port}"
        self.url = f"https://127.0.0.1:{self.servers[1].server_port}"
        for server in self.servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        for server in self.servers:
            server.shutdown()
            server.server_close()

    # ---- Entra

    def token(self, form: dict) -> dict:
        client = form.get("client_id", "")
        if client not in self.trusted:
            raise Refused(f"AADSTS700016: Application with identifier '{client}' was not found in the directory")
        if form.get("grant_type") != "client_credentials" or form.get("client_assertion_type") != ASSERTION:
            raise Refused("AADSTS7000216: 'client_assertion' or 'client_secret' is required")
        try:
            claims = self.issuer.verify(form.get("client_assertion", ""), AUDIENCE)
        except Refused as error:
            raise Refused(f"AADSTS700027: the assertion does not hold: {error}") from error
        if claims["sub"] != self.trusted[client]:
            raise Refused(f"AADSTS700213: No matching federated identity record found for presented assertion subject '{claims['sub']}'")
        scope = form.get("scope", "")
        if scope != STORAGE:
            raise Refused(f"AADSTS70011: The provided value for the input parameter 'scope' is not valid: {scope}")
        token = f"eyJ0.{secrets.token_urlsafe(48)}.{secrets.token_urlsafe(16)}"
        with self.lock:
            self.assertions += 1
            self.tokens[token] = {"client": client, "expires": time.time() + self.lifetime}
        return {"token_type": "Bearer", "expires_in": self.lifetime, "ext_expires_in": self.lifetime, "access_token": token}

    # ---- Blob Storage

    def check(self, bearer: str, permission: str, container: str, name: str) -> None:
        token = self.tokens.get(bearer)
        if token is None or token["expires"] <= time.time():
            raise Refused("the token is no such token, or has ended")
        with self.lock:
            self.seen.append((bearer, permission, f"{container}/{name}"))
        if permission not in self.assigned.get((token["client"], container), set()):
            raise PermissionError("This request is not authorized to perform this operation using this permission.")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cloud: MicrosoftAzure

    def log_message(self, *_):
        pass

    def answer(self, status: int, body: bytes = b"", kind: str = "application/json", **headers) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-ms-version", "2024-05-04")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status: int, code: str, message: str) -> None:
        self.answer(status, f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>'.encode(), "application/xml",
                    x_ms_error_code=code)

    @property
    def bearer(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def serve(self) -> None:
        body = self.read_body()
        where = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(where.query, keep_blank_values=True))
        try:
            if where.path == f"/{TENANT}/oauth2/v2.0/token" and self.command == "POST":
                self.answer_token(dict(urllib.parse.parse_qsl(body.decode())))
            elif match := re.fullmatch(rf"/{ACCOUNT}/([^/]+)(?:/(.+))?", where.path):
                if not isinstance(self.connection, ssl.SSLSocket):
                    raise Refused("a bearer token in the clear")
                self.serve_blob(match[1], urllib.parse.unquote(match[2] or ""), query, body)
            else:
                self.refuse(404, "ResourceNotFound", where.path)
        except Refused as error:
            self.refuse(401, "InvalidAuthenticationInfo", str(error))
        except PermissionError as error:
            self.refuse(403, "AuthorizationPermissionMismatch", str(error))

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = serve

    def read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def answer_token(self, form: dict) -> None:
        try:
            self.answer(200, json.dumps(self.cloud.token(form)).encode())
        except Refused as error:
            self.answer(401, json.dumps({"error": "invalid_client", "error_description": f"{error} Trace ID: 0", "error_codes": []}).encode())

    def serve_blob(self, container: str, name: str, query: dict, body: bytes) -> None:
        if not name and query.get("comp") == "list":
            self.list(container, query)
        elif self.command == "PUT":
            self.cloud.check(self.bearer, "write", container, name)
            self.put(container, name, query, body)
        elif self.command in ("GET", "HEAD"):
            self.cloud.check(self.bearer, "read", container, name)
            self.get(container, name)
        else:
            self.refuse(405, "UnsupportedHttpVerb", self.command)

    def properties(self) -> dict:
        return {"ETag": '"0x1"', "Last_Modified": "Thu, 01 Jan 2026 00:00:00 GMT", "x_ms_blob_type": "BlockBlob", "x_ms_request_server_encrypted": "true", "Accept_Ranges": "bytes"}

    def get(self, container: str, name: str) -> None:
        content = self.cloud.blobs.get((container, name))
        if content is None:
            self.refuse(404, "BlobNotFound", "The specified blob does not exist.")
        elif wanted := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("x-ms-range") or self.headers.get("Range") or ""):
            begin, end = int(wanted[1]), min(int(wanted[2] or len(content) - 1), len(content) - 1)
            self.answer(206, content[begin:end + 1], "application/octet-stream", Content_Range=f"bytes {begin}-{end}/{len(content)}", **self.properties())
        else:
            self.answer(200, content, "application/octet-stream", **self.properties())

    def put(self, container: str, name: str, query: dict, body: bytes) -> None:
        blocks = self.cloud.blocks
        if query.get("comp") == "block":
            blocks[container, name, query["blockid"]] = body
        elif query.get("comp") == "blocklist":
            self.cloud.blobs[container, name] = b"".join(blocks[container, name, block] for block in re.findall(r"<(?:Latest|Uncommitted)>([^<]+)<", body.decode()))
        else:
            self.cloud.blobs[container, name] = body
        self.answer(201, **self.properties())

    def list(self, container: str, query: dict) -> None:
        self.cloud.check(self.bearer, "read", container, "")
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter")
        names = sorted(name for where, name in self.cloud.blobs if where == container and name.startswith(prefix))
        folders = sorted({prefix + name[len(prefix):].split(delimiter)[0] + delimiter for name in names if delimiter and delimiter in name[len(prefix):]})
        items = [name for name in names if not delimiter or delimiter not in name[len(prefix):]]
        xml = "".join(f"<Blob><Name>{escape(name)}</Name><Properties><Last-Modified>Thu, 01 Jan 2026 00:00:00 GMT</Last-Modified><Etag>0x1</Etag>"
                      f"<Content-Length>{len(self.cloud.blobs[container, name])}</Content-Length><Content-Type>text/plain</Content-Type><BlobType>BlockBlob</BlobType>"
                      "</Properties></Blob>" for name in items)
        xml += "".join(f"<BlobPrefix><Name>{escape(folder)}</Name></BlobPrefix>" for folder in folders)
        self.answer(200, (f'<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="{self.cloud.url}/{ACCOUNT}" ContainerName="{container}">'
                          f"<Prefix>{escape(prefix)}</Prefix><Blobs>{xml}</Blobs><NextMarker/></EnumerationResults>").encode(), "application/xml")
