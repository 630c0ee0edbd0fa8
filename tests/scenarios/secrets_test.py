#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tokens and keys that come to a job as files and variables: rotated while it runs, gone when policy or somebody says so; and secrets that lie sealed."""
import base64
import json
import os
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

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
name: partner
type: oidc_token
audience: https://partner.example
file_variable: PARTNER_TOKEN_FILE
environment: {{ PARTNER_URL: https://partner.example/v1, PARTNER_CACHE: "{{folder}}/cache" }}
scopes: {{ call: models.read }}
lifetime: {lifetime}
---
kind: CredentialProvider
name: vendor
type: sealed_secret
secret: vendor/key
variable: VENDOR_API_KEY
file_variable: VENDOR_KEY_FILE
---
kind: CredentialProvider
name: exchange
type: token_exchange
endpoint: {exchange}/token
revocation_endpoint: {exchange}/revoke
audience: https://exchange.example
file_variable: EXCHANGED_TOKEN_FILE
lifetime: 1h
---
kind: Api
name: partner-models
url: https://partner.example/v1
purpose: [train]
credential: partner
---
kind: Api
name: vendor-models
url: https://vendor.example/v1
purpose: [train]
credential: vendor
---
kind: Api
name: exchanged
url: https://exchange.example/v1
purpose: [train]
credential: exchange
---
kind: Workload
name: trainer
id: spiffe://oncology.example/ml/{{unix.user}}/train
match: {{ unix.path: /usr/bin/python3.11 }}
uses:
  - {{ action: call, api: partner-models }}
  - {{ action: call, api: vendor-models }}
  - {{ action: call, api: exchanged }}
"""
POLICIES = """\
@id("for-declared-purposes")
permit (principal, action == Action::"call", resource is Api) when { resource.purpose.contains(context.purpose) };
"""
WITHDRAWN = POLICIES + """\
@id("not-the-vendor-any-more")
forbid (principal, action, resource == Api::"vendor-models");
"""
FIRST, SECOND = "sk-first-3f9c2a7be1", "sk-second-77d0c41e9a"


class Exchange:
    """A token endpoint of somebody else's; counts who asks."""

    def __init__(self):
        self.requests, self.revoked = [], []
        self.open = threading.Event()  # while it is not set, tokens are waited for
        self.open.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
                if self.path == "/revoke":
                    outer.revoked.append(form["token"][0])
                    self.send_response(200)
                    self.send_header("content-length", "0")
                    self.end_headers()
                    return
                outer.requests.append(form)
                number = len(outer.requests)
                outer.open.wait(30)
                answer = json.dumps({"access_token": f"exchanged-{number}", "token_type": "Bearer", "expires_in": 1800}).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def claims_of(token: str) -> dict:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


class Secrets(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.exchange = Exchange()
        cls.writ.start_authority()
        cls.agent = cls.writ.start_agent(cls.writ.join_token())
        cls.declare()
        cls.put("put", FIRST)

    @classmethod
    def declare(cls, lifetime: str = "1h", policies: str = POLICIES) -> None:
        folder = cls.folder / "declared"
        folder.mkdir(exist_ok=True)
        (folder / "tokens.yaml").write_text(DECLARATIONS.format(lifetime=lifetime, exchange=cls.exchange.url))
        (folder / "policies.cedar").write_text(policies)
        outcome = cls.writ.cli("apply", "-f", folder, "--prune")
        if outcome.code != 0:
            raise AssertionError(outcome)

    @classmethod
    def put(cls, command: str, value: str, name: str = "vendor/key"):
        file = cls.folder / "value"
        file.write_text(value + "\n")
        outcome = cls.writ.cli("secret", command, name, "--file", file)
        if outcome.code != 0:
            raise AssertionError(outcome)
        return outcome

    def start(self, name: str = "job"):
        return Job(self, self.scratch(name))

    # ---- what a job is given

    def test_01_a_job_finds_its_tokens_as_files_and_variables(self):
        with self.start() as job:
            token_file = Path(job.variables["PARTNER_TOKEN_FILE"])
            token = token_file.read_bytes()
            self.assertNotIn(b"\n", token)
            self.assertEqual(0o600, token_file.stat().st_mode & 0o777)
            claims = claims_of(token.decode())
            self.assertEqual(["https://partner.example"], claims["aud"])
            self.assertEqual((job.variables["WRIT_RUN"], "train", "models.read"), (claims["run"], claims["purpose"], claims["scope"]))
            self.assertLessEqual(claims["exp"] - claims["iat"], 3600)
            self.assertEqual("https://partner.example/v1", job.variables["PARTNER_URL"])
            self.assertEqual(str(token_file.parent / "cache"), job.variables["PARTNER_CACHE"])
            self.assertEqual(FIRST, job.variables["VENDOR_API_KEY"])
            self.assertEqual(FIRST, Path(job.variables["VENDOR_KEY_FILE"]).read_text())
            self.assertRegex(Path(job.variables["EXCHANGED_TOKEN_FILE"]).read_text(), r"^exchanged-\d+$")
        wait_until("the run's folder is gone", lambda: not token_file.parent.exists())

    def test_02_one_exchange_for_one_run(self):
        before = len(self.exchange.requests)
        with self.start():
            self.assertEqual(before + 1, len(self.exchange.requests))
        shown = claims_of(self.exchange.requests[-1]["subject_token"][0])
        self.assertEqual(["https://exchange.example"], shown["aud"])

    def test_03_another_purpose_gets_nothing(self):
        before = len(self.exchange.requests)
        outcome = self.writ.cli("run", "--purpose", "marketing", "--", PYTHON, JOBS / "wait.py", self.scratch("refused"))
        self.assertEqual(77, outcome.code, outcome)
        self.assertFalse(self.scratch("refused").exists())
        self.assertEqual(before, len(self.exchange.requests))
        newest = self.writ.records(type="issuance", limit=1)[0]["record"]
        self.assertNotEqual("marketing", newest.get("purpose"))

    # ---- rotation

    def test_04_a_token_is_replaced_while_the_job_runs_and_never_half_there(self):
        with self.start() as job:
            file = Path(job.variables["PARTNER_TOKEN_FILE"])
            seen, stop = set(), threading.Event()

            def look():
                while not stop.is_set():
                    seen.add(file.read_text())

            watcher = threading.Thread(target=look)
            watcher.start()
            try:
                first = file.read_text()
                for lifetime in ("50m", "40m"):
                    before = file.read_text()
                    self.declare(lifetime)
                    wait_until("another token", lambda: file.read_text() != before)
            finally:
                stop.set()
                watcher.join()
            self.assertNotEqual(first, file.read_text())
            for token in seen:
                self.assertEqual(3, len(token.split(".")), "a reader saw half a token")
                claims_of(token)

    def test_05_goes_on_after_a_restart_of_the_agent(self):
        with self.start() as job:
            file = Path(job.variables["PARTNER_TOKEN_FILE"])
            self.agent.kill()
            type(self).agent = self.writ.start_agent()
            before = file.read_text()
            self.declare("45m")
            wait_until("another token", lambda: file.read_text() != before)

    def test_06_a_rotated_secret_reaches_a_run_in_its_file(self):
        with self.start() as job:
            file = Path(job.variables["VENDOR_KEY_FILE"])
            outcome = self.put("rotate", SECOND)
            self.assertIn("version 2", outcome.out)
            wait_until("the second value", lambda: file.read_text() == SECOND)
        self.put("rotate", FIRST)

    # ---- the end

    def test_07_a_permission_that_is_withdrawn_takes_the_file_away_within_a_second(self):
        with self.start() as job:
            file = Path(job.variables["VENDOR_KEY_FILE"])
            self.assertTrue(file.exists())
            began = time.monotonic()
            self.declare(policies=WITHDRAWN)
            wait_until("no file", lambda: not file.exists())
            took = time.monotonic() - began
            print(f"from `writ apply` to no file: {took:.3f} s")
            self.assertTrue(Path(job.variables["PARTNER_TOKEN_FILE"]).exists())
            self.declare()
            wait_until("allowed again", file.exists)
            self.assertEqual(FIRST, file.read_text())

    def test_08_a_revoked_run_loses_its_files(self):
        with self.start() as job:
            file = Path(job.variables["VENDOR_KEY_FILE"])
            outcome = self.writ.cli("revoke", "--run", job.variables["WRIT_RUN"], "--reason", "laptop stolen")
            self.assertEqual(0, outcome.code, outcome)
            wait_until("no file", lambda: not file.exists())

    def test_081_a_token_that_can_be_taken_back_is_when_its_run_ends(self):
        with self.start() as job:
            token = Path(job.variables["EXCHANGED_TOKEN_FILE"]).read_text()
            leases = self.writ.admin("GET", f"/v1/leases?state=open&run={job.variables['WRIT_RUN']}").json["leases"]
            self.assertEqual(["token_exchange"], [lease["kind"] for lease in leases])
            self.assertNotIn(token.encode(), (self.writ.data / "writ.db").read_bytes())
            # Whatever happens to the authority meanwhile.
            authority = next(program for program in self.writ.programs if program.arguments[1] == "authority" and program.is_running())
            url = self.writ.public_url()
            authority.kill()
            self.writ.start_authority(listen=url.removeprefix("https://"))
            self.assertNotIn(token, self.exchange.revoked)
        wait_until("the token is revoked", lambda: token in self.exchange.revoked)
        ended = [item["record"] for item in self.writ.records(type="revocation") if item["record"]["credential"]["lease"] == leases[0]["id"]]
        self.assertEqual(1, len(ended))

    def test_082_a_token_is_taken_back_with_its_permission(self):
        with self.start() as job:
            token = Path(job.variables["EXCHANGED_TOKEN_FILE"]).read_text()
            self.declare(policies=WITHDRAWN.replace("vendor-models", "exchanged"))
            wait_until("the token is revoked", lambda: token in self.exchange.revoked)
        self.declare()

    def test_083_a_token_that_comes_when_its_run_is_over_is_taken_back(self):
        asked = len(self.exchange.requests)
        self.exchange.open.clear()
        job = self.writ.launch("late", ["run", "--purpose", "train", "--", PYTHON, JOBS / "wait.py", self.scratch("late")])
        try:
            wait_until("its token is asked for", lambda: len(self.exchange.requests) > asked)
            run = self.writ.admin("GET", "/v1/runs").json["runs"][0]["id"]
            self.assertEqual(0, self.writ.cli("revoke", "--run", run).code)
        finally:
            self.exchange.open.set()
        wait_until("the token is revoked", lambda: f"exchanged-{asked + 1}" in self.exchange.revoked)
        wait_until("no lease is left", lambda: not self.writ.admin("GET", f"/v1/leases?state=open&run={run}").json["leases"])
        job.kill()

    # ---- sealed

    def test_09_no_command_and_no_file_shows_a_value(self):
        listed = self.writ.cli("secret", "list")
        self.assertIn("vendor/key", listed.out)
        self.assertNotIn(FIRST, listed.out + self.writ.admin("GET", "/v1/secrets").text)
        for root in (self.writ.data, self.writ.agent_data):
            for file in root.rglob("*"):
                if file.is_file():
                    self.assertNotIn(FIRST.encode(), file.read_bytes(), file)
        for program in self.writ.programs:
            self.assertNotIn(FIRST, program.output())
        self.assertNotIn(FIRST, json.dumps(self.writ.records()))

    def test_10_of_changes_at_once_only_those_that_happened_are_on_record(self):
        self.writ.cli("secret", "put", "many/hands", "--file", "/etc/hostname")
        rotations = [subprocess.Popen([EXECUTABLE, "secret", "rotate", "many/hands", "--file", "/etc/hostname"], env=self.writ.environment,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=die_with_parent) for _ in range(12)]
        said = [rotation.communicate(timeout=60) for rotation in rotations]
        done = sum("rotated" in out for out, _ in said)
        for out, error in said:
            self.assertTrue("rotated" in out or "being changed by somebody else" in error, (out, error))
        reasons = [item["record"].get("reason", "") for item in self.writ.records(type="administration", limit=100)]
        self.assertEqual(done, sum(reason.startswith("secret many/hands: version") and "takes the place" in reason for reason in reasons))
        self.assertEqual(0, self.writ.cli("secret", "remove", "many/hands").code)

    def test_10_put_rotate_and_remove_are_on_record(self):
        self.assertEqual(1, self.writ.cli("secret", "put", "vendor/key", "--file", "/etc/hostname").code)
        self.assertNotEqual(0, self.writ.cli("secret", "rotate", "not/there", "--file", "/etc/hostname").code)
        self.assertNotEqual(0, self.writ.cli("secret", "put", "empty", "--file", "/dev/null").code)
        self.put("put", "short-lived", "another")
        self.assertEqual(0, self.writ.cli("secret", "remove", "another").code)
        self.assertNotEqual(0, self.writ.cli("secret", "remove", "another").code)
        reasons = [item["record"]["reason"] for item in self.writ.records(type="administration")]
        self.assertIn("secret another: removed with all of its versions", reasons)
        self.assertIn("secret another: version 1 put", reasons)
        self.assert_log_verifies()

    def test_11_a_secret_that_is_not_there_starts_no_job_and_says_which(self):
        self.assertEqual(0, self.writ.cli("secret", "remove", "vendor/key").code)
        try:
            outcome = self.writ.cli("run", "--purpose", "train", "--", PYTHON, JOBS / "wait.py", self.scratch("without"))
            self.assertNotEqual(0, outcome.code)
            self.assertIn("no secret `vendor/key`", outcome.err)
            self.assertIn("`vendor`", outcome.err)
            self.assertFalse(self.scratch("without").exists())
            self.assertEqual([], [run for run in self.writ.admin("GET", "/v1/runs").json["runs"] if "ended" not in run])
        finally:
            self.put("put", FIRST)

    def test_12_a_kill_at_any_moment_of_a_rotation_loses_nothing(self):
        newest = self.version()
        for attempt in range(8):
            value = f"sk-attempt-{attempt}"
            (self.folder / "value").write_text(value)
            rotation = subprocess.Popen([EXECUTABLE, "secret", "rotate", "vendor/key", "--file", self.folder / "value"], env=self.writ.environment,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, preexec_fn=die_with_parent)
            authority = next(program for program in self.writ.programs if program.arguments[1] == "authority" and program.is_running())
            url = self.writ.public_url()
            time.sleep(attempt * 0.004)  # another moment each time; whichever it is, what holds is the same
            authority.kill()
            acknowledged = "rotated" in rotation.communicate(timeout=30)[0]
            self.writ.start_authority(listen=url.removeprefix("https://"))
            version = self.version()
            self.assertIn(version, (newest, newest + 1), "a rotation was done twice, or lost")
            if acknowledged:
                self.assertEqual(newest + 1, version, "what was acknowledged is lost")
            newest = version
        wait_until("the agent is back", self.writ.is_agent_ready)
        with self.start() as job:
            self.assertRegex(job.variables["VENDOR_API_KEY"], "^sk-")
        self.assert_log_verifies()

    def test_13_a_kill_at_any_moment_of_a_change_of_the_key_loses_nothing(self):
        for attempt in range(8):
            change = subprocess.Popen([EXECUTABLE, "secret", "rekey"], env=self.writ.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                      preexec_fn=die_with_parent)
            authority = next(program for program in self.writ.programs if program.arguments[1] == "authority" and program.is_running())
            url = self.writ.public_url()
            before = (self.writ.data / "kek").read_bytes()
            time.sleep(attempt * 0.004)  # another moment each time; whichever it is, what holds is the same
            authority.kill()
            acknowledged = "sealed with a new key" in change.communicate(timeout=30)[0]
            self.writ.start_authority(listen=url.removeprefix("https://"))
            self.assertFalse((self.writ.data / "kek.next").exists())
            if acknowledged:
                self.assertNotEqual(before, (self.writ.data / "kek").read_bytes())
        wait_until("the agent is back", self.writ.is_agent_ready)
        with self.start() as job:
            self.assertRegex(job.variables["VENDOR_API_KEY"], "^sk-")
        self.assert_log_verifies()

    def test_14_a_key_is_changed_while_all_goes_on(self):
        before = (self.writ.data / "kek").read_bytes()
        with self.start() as job:
            outcome = self.writ.cli("secret", "rekey")
            self.assertEqual(0, outcome.code, outcome)
            self.assertNotEqual(before, (self.writ.data / "kek").read_bytes())
            self.assertEqual(0o600, (self.writ.data / "kek").stat().st_mode & 0o777)
            self.put("rotate", SECOND)
            wait_until("the new value is there", lambda: Path(job.variables["VENDOR_KEY_FILE"]).read_text() == SECOND)
        self.assertIn("the key-encryption key is changed", json.dumps(self.writ.records(type="administration")))
        url = self.writ.public_url()
        next(program for program in self.writ.programs if program.arguments[1] == "authority" and program.is_running()).kill()
        # A backup of the database of now and the key of before open nothing.
        kek = self.writ.data / "kek"
        now = kek.read_bytes()
        kek.write_bytes(before)
        refused = self.writ.cli("authority", "--data", self.writ.data, "--run-dir", self.folder / "other", "--trust-domain", "oncology.example", "--listen", "127.0.0.1:0")
        self.assertNotEqual(0, refused.code)
        kek.write_bytes(now)
        self.writ.start_authority(listen=url.removeprefix("https://"))
        wait_until("the agent is back", self.writ.is_agent_ready)
        with self.start("after") as job:
            self.assertEqual(SECOND, job.variables["VENDOR_API_KEY"])

    def version(self) -> int:
        return max(item["version"] for item in self.writ.admin("GET", "/v1/secrets").json["secrets"] if item["name"] == "vendor/key")


class Job:
    """A run whose job says what it was given, and waits."""

    def __init__(self, case: Secrets, folder: Path):
        self.case, self.folder = case, folder

    def __enter__(self):
        self.program = self.case.writ.launch(f"job-{self.folder.parent.name}", ["run", "--purpose", "train", "--", PYTHON, JOBS / "wait.py", self.folder])
        self.variables = wait_until("the job says what it was given", self._read)
        return self

    def _read(self):
        if not self.program.is_running():
            raise AssertionError(self.program.output())
        file = self.folder / "environment"
        return json.loads(file.read_text()) if file.exists() else None

    def __exit__(self, *_):
        (self.folder / "end").touch()
        if self.program.is_running():
            self.program.wait()


if __name__ == "__main__":
    main()
