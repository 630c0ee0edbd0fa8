# SPDX-License-Identifier: Apache-2.0
"""The stories that every program tells which asks a helper: a job that calls it, a server that it shows the token to, and what may happen in between."""
import json
import os
import pwd
import subprocess
import unittest
from pathlib import Path

from harness import Scenario, wait_until
from harness.scenario import PYTHON as INTERPRETER
from steps import Steps

HERE = Path(__file__).resolve().parent
PYTHON = Path(os.environ.get("WRIT_CLIENTS_PYTHON", HERE.parents[1] / "build/clients-python/bin/python3"))
JOB = HERE / "jobs/tool_job.py"
SUBJECT = f"spiffe://oncology.example/ml/{pwd.getpwuid(os.getuid()).pw_name}/train"

DECLARATIONS = """\
kind: TrustProvider
name: unix
type: unix
---
kind: Workload
name: trainer
id: spiffe://oncology.example/ml/{{unix.user}}/train
match: {{ unix.path: /usr/bin/python3.11 }}
uses:
  - {{ action: call, api: {name} }}
---
kind: Api
name: {name}
url: {url}
purpose: [train]
credential: {name}
---
kind: CredentialProvider
name: {name}
type: oidc_token
audience: {audience}
lifetime: {lifetime}
{places}
"""
POLICIES = """\
@id("for-declared-purposes")
permit (principal, action == Action::"call", resource is Api) when { resource.purpose.contains(context.purpose) };
"""


class Tool(Scenario):
    """An authority and an agent as two processes, so that each can be killed by itself; a server beside them."""

    NAME = ""

    @classmethod
    def setUpClass(cls):
        if not cls.NAME:
            raise unittest.SkipTest("each tool has its own")
        if not PYTHON.exists():
            raise unittest.SkipTest(f"no {PYTHON}: `./check --ecosystem` makes it")
        super().setUpClass()
        from issuer import Issuer
        cls.writ.start_authority()
        cls.issuer = Issuer(cls.writ)
        cls.start_server()
        cls.addClassCleanup(cls.server.stop)
        cls.agent = cls.writ.start_agent(cls.writ.join_token())
        cls.declare("1h")

    @classmethod
    def declare(cls, lifetime: str, policies: str = POLICIES) -> None:
        folder = cls.folder / "declared"
        folder.mkdir(exist_ok=True)
        (folder / "tool.yaml").write_text(DECLARATIONS.format(name=cls.NAME, url=cls.server.url, audience=cls.server.url, lifetime=lifetime, places=cls.places()))
        (folder / "policies.cedar").write_text(policies)
        outcome = cls.writ.cli("apply", "-f", folder)
        if outcome.code != 0:
            raise AssertionError(outcome)

    def job(self, environment: dict | None = None) -> "ToolJob":
        return ToolJob(self, environment or {})

    def goes_through_two_rotations_and_a_restart(self, use):
        """`use(job)` has the tool show its token, and returns it."""
        with self.job() as job:
            used = {use(job)}
            for step, lifetime in enumerate(("59m", "58m")):
                if step == 1:
                    self.agent.kill()
                    type(self).agent = self.writ.start_agent()
                self.declare(lifetime)
                used.add(wait_until("another token is shown", lambda: {use(job)} - used).pop())
            self.assertEqual(3, len(used))
        self.declare("1h")

    def a_policy_that_says_no_ends_it(self, fails):
        with self.job() as job:
            self.assertFalse(fails(job))
            self.declare("1h", POLICIES.replace("permit", "forbid"))
            try:
                wait_until("it is refused", lambda: fails(job))
            finally:
                self.declare("1h")

    def is_on_record_and_no_secret_is(self, tokens):
        issued = {item["record"]["credential"]["id"] for item in self.writ.records(type="issuance") if item["record"].get("credential", {}).get("kind") == "oidc_token"}
        self.assertTrue(issued)
        log = json.dumps(self.writ.records())
        for token in tokens:
            self.assertNotIn(token, log)
        self.assertEqual(0, self.writ.verify_log().code)


class ToolJob(Steps):
    def __init__(self, case: Tool, environment: dict):
        super().__init__(case, [INTERPRETER, JOB], "job", environment)

    def __enter__(self) -> "ToolJob":
        return self.start()

    def call(self, *command, text: str = "", environment: dict | None = None):
        answer = self.order({"command": [str(word) for word in command], "input": text, "environment": environment or {}})
        return subprocess.CompletedProcess(command, answer["code"], answer["out"], answer["err"])
