# SPDX-License-Identifier: Apache-2.0
"""Google's Security Token Service, IAM Credentials and the part of Cloud Storage's JSON API that clients read and write with, on 127.0.0.1.

Faithful where it matters here: a token is exchanged for what it proves by the issuer's published keys, an account is impersonated by the subject that may, and a narrowed token
does in Cloud Storage what its access boundary says and nothing else. Conditions are read by this file's own reading of their language, not by the program's.
"""
import json
import re
import secrets
import threading
import time
import urllib.parse
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler

from issuer import Issuer, Refused, Server, read_body

PROVIDER = "projects/123456789/locations/global/workloadIdentityPools/writ/providers/authority"
AUDIENCE = f"https://iam.googleapis.com/{PROVIDER}"
ACCOUNT = "trainer@acme-ml.iam.gserviceaccount.com"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT, ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:access_token"
# The permissions of the roles that matter here (Cloud IAM, roles for Cloud Storage).
ROLES = {"roles/storage.objectViewer": {"get", "list"}, "roles/storage.objectUser": {"get", "list", "create", "delete"}}


class GoogleCloud:
    def __init__(self, issuer: Issuer, subject: str):
        self.issuer, self.subject = issuer, subject
        self.lifetime_max = 3600
        self.tokens: dict[str, dict] = {}
        self.objects: dict[tuple[str, str], bytes] = {}
        self.uploads: dict[str, tuple[str, bytes]] = {}  # begun, and of no object yet
        self.seen: list[tuple[str, str, str]] = []  # what Cloud Storage was asked: token, permission, `bucket/name`
        self.lock = threading.Lock()
        handler = type("Handler", (Handler,), {"cloud": self})
        self.server = Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def give(self, kind: str, seconds: float, **more) -> str:
        token = f"ya29.{kind}-{secrets.token_urlsafe(48)}"
        with self.lock:
            self.tokens[token] = {"kind": kind, "expires": time.time() + seconds} | more
        return token

    def token(self, text: str, kind: str) -> dict:
        found = self.tokens.get(text)
        if found is None or found["kind"] != kind or found["expires"] <= time.time():
            raise Refused("the token is no such token, or has ended")
        return found

    # ---- Security Token Service

    def exchange(self, form: dict) -> dict:
        if form.get("grant_type") != EXCHANGE or form.get("requested_token_type") != ACCESS_TOKEN:
            raise Refused("no token exchange")
        if form.get("subject_token_type") == JWT:
            if form.get("audience") != f"//iam.googleapis.com/{PROVIDER}":
                raise Refused("no such workload identity provider")
            claims = self.issuer.verify(form["subject_token"], AUDIENCE)
            return self._answer(self.give("federated", 3600, subject=claims["sub"])) | {"expires_in": 3600}
        wide = self.token(form["subject_token"], "account")
        rules = json.loads(form["options"])["accessBoundary"]["accessBoundaryRules"]
        if not 1 <= len(rules) <= 10:
            raise Refused("a boundary has 1 to 10 rules")
        left = wide["expires"] - time.time()
        return self._answer(self.give("narrow", left, rules=rules)) | {"expires_in": int(left)}

    @staticmethod
    def _answer(token: str) -> dict:
        return {"access_token": token, "issued_token_type": ACCESS_TOKEN, "token_type": "Bearer"}

    # ---- IAM Credentials

    def impersonate(self, account: str, bearer: str, asked: dict) -> dict:
        federated = self.token(bearer, "federated")
        if account != ACCOUNT or federated["subject"] != self.subject:
            raise PermissionError("iam.serviceAccounts.getAccessToken")
        seconds = min(int(asked["lifetime"].removesuffix("s")), self.lifetime_max)
        token = self.give("account", seconds)
        expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.tokens[token]["expires"]))
        return {"accessToken": token, "expireTime": expires}

    # ---- Cloud Storage

    def check(self, bearer: str, permission: str, bucket: str, name: str, listed: str = "") -> None:
        token = self.token(bearer, "narrow")
        with self.lock:
            self.seen.append((bearer, permission, f"{bucket}/{name or listed}"))
        for rule in token["rules"]:
            permissions = set().union(*(ROLES.get(role.removeprefix("inRole:"), set()) for role in rule["availablePermissions"]))
            if rule["availableResource"] != f"//storage.googleapis.com/projects/_/buckets/{bucket}" or permission not in permissions:
                continue
            condition = rule.get("availabilityCondition", {}).get("expression")
            if condition is None or holds(condition, f"projects/_/buckets/{bucket}" + (f"/objects/{name}" if name else ""), listed):
                return
        raise PermissionError(f"storage.objects.{permission}")


CLAUSES = (
    (re.compile(r"resource\.name == '([^'\\]*)'"), lambda text, name, listed: name == text),
    (re.compile(r"resource\.name\.startsWith\('([^'\\]*)'\)"), lambda text, name, listed: name.startswith(text)),
    (re.compile(r"api\.getAttribute\('storage\.googleapis\.com/objectListPrefix', ''\)\.startsWith\('([^'\\]*)'\)"), lambda text, name, listed: listed.startswith(text)),
)


def holds(expression: str, name: str, listed: str) -> bool:
    """Of CEL, what boundaries are written in: clauses joined by `||`. Anything else is an error, and no permission."""
    results = []
    for part in expression.split(" || "):
        match = next(((pattern.fullmatch(part), rule) for pattern, rule in CLAUSES if pattern.fullmatch(part)), None)
        if match is None:
            raise Refused(f"cannot read the condition: {part}")
        results.append(match[1](match[0].group(1), name, listed))
    return any(results)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cloud: GoogleCloud

    def log_message(self, *_):
        pass

    def answer(self, status: int, body: bytes, kind: str = "application/json", **headers) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def answer_json(self, value, status: int = 200) -> None:
        self.answer(status, json.dumps(value).encode(), "application/json; charset=UTF-8")

    def refuse(self, status: int, code: str, message: str) -> None:
        self.answer_json({"error": {"code": status, "status": code, "message": message, "errors": [{"reason": code.lower(), "message": message}]}}, status)

    @property
    def bearer(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def serve(self) -> None:
        body = read_body(self)
        where = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(where.query))
        is_token_service = where.path == "/v1/token"
        try:
            if is_token_service and self.command == "POST":
                self.answer_json(self.cloud.exchange(dict(urllib.parse.parse_qsl(body.decode()))))
            elif match := re.fullmatch(r"/v1/projects/-/serviceAccounts/([^/:]+):generateAccessToken", where.path):
                self.answer_json(self.cloud.impersonate(urllib.parse.unquote(match[1]), self.bearer, json.loads(body)))
            else:
                self.serve_storage(where.path, query, body)
        except Refused as error:
            if is_token_service:
                self.answer_json({"error": "invalid_grant", "error_description": str(error)}, 400)
            else:
                self.refuse(401, "UNAUTHENTICATED", str(error))
        except PermissionError as error:
            self.refuse(403, "PERMISSION_DENIED", f"Permission '{error}' denied on resource (or it may not exist).")

    do_GET = do_POST = do_PUT = do_DELETE = serve

    def serve_storage(self, path: str, query: dict, body: bytes) -> None:
        if match := re.fullmatch(r"(?:/download|/upload)?/storage/v1/b/([^/]+)/o(?:/(.+))?", path):
            bucket, name = match[1], urllib.parse.unquote(match[2] or "")
            if path.startswith("/upload"):
                self.upload(bucket, query, body)
            elif not name:
                self.list(bucket, query)
            elif self.command == "DELETE":
                self.cloud.check(self.bearer, "delete", bucket, name)
                self.cloud.objects.pop((bucket, name), None)
                self.answer(204, b"")
            else:
                self.get(bucket, name, path.startswith("/download") or query.get("alt") == "media")
        else:
            self.refuse(404, "NOT_FOUND", f"no such path {path}")

    def resource(self, bucket: str, name: str) -> dict:
        return {"kind": "storage#object", "bucket": bucket, "name": name, "size": str(len(self.cloud.objects[bucket, name])), "generation": "1", "metageneration": "1",
                "updated": "2026-01-01T00:00:00.000Z", "timeCreated": "2026-01-01T00:00:00.000Z", "contentType": "text/plain", "etag": "CAE="}

    def get(self, bucket: str, name: str, is_media: bool) -> None:
        self.cloud.check(self.bearer, "get", bucket, name)
        if (bucket, name) not in self.cloud.objects:
            self.refuse(404, "NOT_FOUND", "no such object")
        elif not is_media:
            self.answer_json(self.resource(bucket, name))
        else:
            content = self.cloud.objects[bucket, name]
            if wanted := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
                begin, end = int(wanted[1]), min(int(wanted[2] or len(content) - 1), len(content) - 1)
                self.answer(206, content[begin:end + 1], "text/plain", Content_Range=f"bytes {begin}-{end}/{len(content)}")
            else:
                self.answer(200, content, "text/plain")

    def list(self, bucket: str, query: dict) -> None:
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter")
        self.cloud.check(self.bearer, "list", bucket, "", prefix)
        names = sorted(name for where, name in self.cloud.objects if where == bucket and name.startswith(prefix))
        folders = sorted({prefix + name[len(prefix):].split(delimiter)[0] + delimiter for name in names if delimiter and delimiter in name[len(prefix):]})
        items = [self.resource(bucket, name) for name in names if not delimiter or delimiter not in name[len(prefix):]]
        self.answer_json({"kind": "storage#objects", "items": items} | ({"prefixes": folders} if folders else {}))

    def upload(self, bucket: str, query: dict, body: bytes) -> None:
        if query.get("uploadType") == "multipart":
            message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + self.headers["Content-Type"].encode() + b"\r\n\r\n" + body)
            described, content = (part.get_payload(decode=True) for part in message.iter_parts())
            name = query.get("name") or json.loads(described)["name"]
        elif query.get("uploadType") == "media":
            name, content = query["name"], body
        elif "upload_id" not in query:
            name = query.get("name") or json.loads(body)["name"]
            self.cloud.check(self.bearer, "create", bucket, name)
            session = secrets.token_urlsafe(16)
            self.cloud.uploads[session] = (name, b"")
            self.answer(200, b"", Location=f"{self.cloud.url}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&upload_id={session}")
            return
        else:
            name, content = self.cloud.uploads[query["upload_id"]]
            content += body
            if self.headers["Content-Range"].endswith("/*"):
                self.cloud.uploads[query["upload_id"]] = (name, content)
                self.answer(308, b"", Range=f"bytes=0-{len(content) - 1}")
                return
        self.cloud.check(self.bearer, "create", bucket, name)
        self.cloud.objects[bucket, name] = content
        self.answer_json(self.resource(bucket, name))
