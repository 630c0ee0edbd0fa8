#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A key that the job uses and never holds: the agent adds it to what the job sends to one service."""
import http.client
import json
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from harness import Scenario, main, wait_until
from harness.processes import die_with_parent
from harness.scenario import JOBS, PYTHON
from harness.writ import EXECUTABLE

DECLARATIONS = """\
kind: TrustProvider
name: unix
type: unix
---
kind: CredentialProvider
name: vendor
type: sealed_secret
secret: vendor/key
inject: {vendor}/v1
environment: {{ VENDOR_URL: "{{inject}}", VENDOR_API_KEY: "{{handle}}" }}
---
kind: CredentialProvider
name: other
type: sealed_secret
secret: other/key
inject: {vendor}/v1/other
inject_header: "X-Api-Key: {{token}}"
environment: {{ OTHER_URL: "{{inject}}" }}
---
kind: Api
name: vendor-models
url: {vendor}/v1
purpose: [train]
credential: vendor
---
kind: Api
name: other-models
url: {vendor}/v1/other
purpose: [train]
credential: other
---
kind: Workload
name: trainer
id: spiffe://oncology.example/ml/{{unix.user}}/train
match: {{ unix.path: /usr/bin/python3.11 }}
uses:
  - {{ action: call, api: vendor-models }}
  - {{ action: call, api: other-models }}
"""
POLICIES = """\
@id("for-declared-purposes")
permit (principal, action == Action::"call", resource is Api) when { resource.purpose.contains(context.purpose) };
"""
WITHDRAWN = POLICIES + """\
@id("not-the-vendor-any-more")
forbid (principal, action, resource == Api::"vendor-models");
"""
FIRST, SECOND, OTHER = "sk-first-5b0d2f8c44", "sk-second-9a7e11c3d0", "sk-other-c2f1009b7d"


class Vendor:
    """Says what it was asked and with which key; streams if asked to."""

    def __init__(self):
        self.seen: list[tuple[str, str, dict, int]] = []
        self.left = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.answer(self, b"")

            def do_POST(self):
                if self.headers.get("transfer-encoding") == "chunked":
                    body = b""
                    while size := int(self.rfile.readline(), 16):
                        body += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                else:
                    body = self.rfile.read(int(self.headers["content-length"]))
                outer.answer(self, body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        self.url = f"http://{self.address}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request, body: bytes) -> None:
        self.seen.append((request.command, request.path, {name.lower(): value for name, value in request.headers.items()}, len(body)))
        if request.path.endswith("/stream"):
            return self.stream(request)
        text = json.dumps({"path": request.path, "bytes": len(body)}).encode()
        request.send_response(200)
        request.send_header("content-length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)

    def stream(self, request) -> None:
        request.send_response(200)
        request.send_header("transfer-encoding", "chunked")
        request.end_headers()
        try:
            for number in range(2000):
                text = f"data: {number}\n\n"
                request.wfile.write(f"{len(text):x}\r\n{text}\r\n".encode())
                request.wfile.flush()
                time.sleep(0.05)
        except OSError:
            self.left.set()


class Injection(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.vendor = Vendor()
        cls.writ.start_authority()
        cls.agent = cls.writ.start_agent(cls.writ.join_token())
        cls.declare()
        for name, value in (("vendor/key", FIRST), ("other/key", OTHER)):
            cls.change_secret("put", name, value)

    @classmethod
    def declare(cls, policies: str = POLICIES) -> None:
        folder = cls.folder / "declared"
        folder.mkdir(exist_ok=True)
        (folder / "vendor.yaml").write_text(DECLARATIONS.format(vendor=cls.vendor.url))
        (folder / "policies.cedar").write_text(policies)
        outcome = cls.writ.cli("apply", "-f", folder, "--prune")
        if outcome.code != 0:
            raise AssertionError(outcome)

    @classmethod
    def change_secret(cls, command: str, name: str, value: str) -> None:
        file = cls.folder / "value"
        file.write_text(value + "\n")
        outcome = cls.writ.cli("secret", command, name, "--file", file)
        file.unlink()
        if outcome.code != 0:
            raise AssertionError(outcome)

    def start(self) -> "Caller":
        return Caller(self)

    def test_01_the_job_uses_a_key_that_it_does_not_have(self):
        with self.start() as job:
            self.assertNotIn(FIRST, json.dumps(job.variables))
            self.assertEqual((200, {"path": "/v1/models?limit=2", "bytes": 0}), job.ask("GET", "/models?limit=2"))
            method, path, headers, _ = self.vendor.seen[-1]
            self.assertEqual(("GET", "/v1/models?limit=2", f"Bearer {FIRST}", self.vendor.address),
                             (method, path, headers["authorization"], headers["host"]))
            self.assertNotIn(job.variables["VENDOR_API_KEY"], json.dumps(headers))
            folder = self.writ.run_dir / "runs" / job.variables["WRIT_RUN"]
            self.assertTrue(folder.is_dir())
            for file in folder.rglob("*"):
                if file.is_file():
                    self.assertNotIn(FIRST.encode(), file.read_bytes(), file)
        for program in self.writ.programs:
            self.assertNotIn(FIRST, program.output())

    def test_02_long_bodies_and_chunked_ones_go_through(self):
        with self.start() as job:
            self.assertEqual((200, {"path": "/v1/files", "bytes": 3_000_000}), job.ask("POST", "/files", size=3_000_000))
            self.assertEqual((200, {"path": "/v1/files", "bytes": 200_000}), job.ask("POST", "/files", size=200_000, chunked=True))

    def test_03_an_answer_comes_as_it_is_made_and_ends_with_its_reader(self):
        with self.start() as job:
            self.vendor.left.clear()
            began = time.monotonic()
            self.assertEqual("data: 0", job.ask("GET", "/stream", first_line=True)[1])
            self.assertLess(time.monotonic() - began, 20, "it was kept until its end")
            self.assertTrue(self.vendor.left.wait(20), "the service was not told that its reader has left")

    def test_04_each_of_two_services_gets_its_own_key_in_its_own_field(self):
        with self.start() as job:
            handle = job.variables["VENDOR_API_KEY"]
            self.assertEqual(200, job.ask("GET", "/x", url=job.variables["OTHER_URL"], field=("x-api-key", handle))[0])
            headers = self.vendor.seen[-1][2]
            self.assertEqual(OTHER, headers["x-api-key"])
            self.assertNotIn("authorization", headers)

    def test_05_a_key_that_changes_is_the_new_one_at_the_next_request(self):
        with self.start() as job:
            job.ask("GET", "/a")
            self.assertEqual(f"Bearer {FIRST}", self.vendor.seen[-1][2]["authorization"])
            self.change_secret("rotate", "vendor/key", SECOND)

            def new_key():
                job.ask("GET", "/a")
                return self.vendor.seen[-1][2]["authorization"] == f"Bearer {SECOND}"
            wait_until("the new key", new_key)
            self.agent.kill()
            type(self).agent = self.writ.start_agent()
            self.assertEqual(200, job.ask("GET", "/a")[0])
            self.change_secret("rotate", "vendor/key", FIRST)
            wait_until("the first key again", lambda: job.ask("GET", "/a")[0] == 200 and self.vendor.seen[-1][2]["authorization"] == f"Bearer {FIRST}")

    def test_06_whoever_is_not_of_the_run_or_shows_no_handle_gets_nothing_there(self):
        with self.start() as job:
            before = len(self.vendor.seen)
            url, handle = urlsplit(job.variables["VENDOR_URL"]), job.variables["VENDOR_API_KEY"]

            def outside(path: str = url.path + "/a", **headers):
                connection = http.client.HTTPConnection("127.0.0.1", url.port, timeout=20)
                connection.request("GET", path, headers={"Authorization": f"Bearer {handle}"} | headers)
                return connection.getresponse().status
            self.assertEqual(401, outside())  # this process is of no run
            self.assertEqual(403, outside(Origin="https://evil.example"))
            self.assertEqual(403, outside(Host="rebound.example"))
            self.assertEqual(401, job.ask("GET", "/a", field=("authorization", "Bearer " + "a" * len(handle)))[0])
            self.assertEqual(401, job.ask("GET", "/a", field=("x-nothing", "a"))[0])
            self.assertEqual(404, job.ask("GET", "/a", url=job.variables["VENDOR_URL"][:-1] + "2")[0])
            self.assertEqual(404, job.ask("GET", "/", url=f"http://127.0.0.1:{url.port}/inject/evil.example")[0])
            self.assertEqual(400, job.ask("GET", "/../../a")[0])
            self.assertEqual(before, len(self.vendor.seen))

    def test_07_a_permission_that_is_withdrawn_ends_it(self):
        with self.start() as job:
            self.assertEqual(200, job.ask("GET", "/a")[0])
            try:
                self.declare(WITHDRAWN)
                wait_until("refused", lambda: job.ask("GET", "/a")[0] == 403)
                before = len(self.vendor.seen)
                self.assertEqual(403, job.ask("GET", "/a")[0])
                self.assertEqual(before, len(self.vendor.seen))
            finally:
                self.declare()
            wait_until("allowed again", lambda: job.ask("GET", "/a")[0] == 200)

    def test_08_the_release_is_on_record_and_the_key_is_not(self):
        issued = [item["record"] for item in self.writ.records(type="issuance") if item["record"]["credential"]["kind"] == "sealed_secret"]
        self.assertTrue(issued)
        self.assertNotIn(FIRST, json.dumps(self.writ.records()))
        self.assert_log_verifies()

    def test_09_what_cannot_be_injected_is_refused_when_it_is_declared(self):
        for change, said in (("inject: http://vendor.example/v1", "loopback"), ("inject: https://a:b@vendor.example", "inject"),
                             ('inject_header: "Host: {token}"', "no field to show a token in"), ('inject_header: "X-Key: none"', "one `{token}`"),
                             ('inject_header: "X-Key {token}"', "`name: value`")):
            folder = self.scratch("bad")
            folder.mkdir(exist_ok=True)
            lines = ["kind: CredentialProvider", "name: bad", "type: sealed_secret", "secret: vendor/key", change]
            if not change.startswith("inject:"):
                lines.append("inject: https://vendor.example")
            (folder / "bad.yaml").write_text("\n".join(lines) + "\n")
            outcome = self.writ.cli("apply", "-f", folder)
            self.assertNotEqual(0, outcome.code, change)
            self.assertIn(said, outcome.err + outcome.out, change)
        (folder / "bad.yaml").write_text('kind: CredentialProvider\nname: bad\ntype: sealed_secret\nsecret: vendor/key\nvariable: A\nenvironment: { B: "{inject}" }\n')
        self.assertIn("are for a token that is injected", self.writ.cli("apply", "-f", folder).err)


class Caller:
    """A job that asks what it is told to over its standard input."""

    def __init__(self, case: Injection):
        self.case = case

    def __enter__(self) -> "Caller":
        self.process = subprocess.Popen([EXECUTABLE, "run", "--purpose", "train", "--", PYTHON, JOBS / "http_calls.py"], env=self.case.writ.environment,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        self.variables = json.loads(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.case.assertEqual(0, self.process.wait(30))
        self.process.stdout.close()

    def ask(self, method: str, path: str, url: str = "", field: tuple[str, str] = (), size: int = 0, chunked: bool = False, first_line: bool = False):
        """Status, and the JSON that came; or the first line of a stream, which is left then."""
        field = field or ("authorization", "Bearer " + self.variables["VENDOR_API_KEY"])
        order = {"method": method, "url": (url or self.variables["VENDOR_URL"]) + path, "field": field, "size": size, "chunked": chunked, "first_line": first_line}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        status, answer = json.loads(self.process.stdout.readline())
        return status, answer


if __name__ == "__main__":
    main()
