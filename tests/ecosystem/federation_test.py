#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Unmodified clients of services that take a workload's own token in place of a key, under `writ run`, against endpoints that verify it (federation.py).

WRIT_FEDERATION_PYTHON names a virtual environment's Python 3.11 with federation-requirements.txt in it.
"""
import json
import os
import sys
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scenarios"))

from federation import Federation  # noqa: E402
from harness import Scenario, main, wait_until  # noqa: E402
import node  # noqa: E402
from service_job import JOB, ServiceJob  # noqa: E402
from table import ClientTable, pip_versions  # noqa: E402

PYTHON = Path(os.environ.get("WRIT_FEDERATION_PYTHON", HERE.parents[1] / "build/federation-python/bin/python3"))
CLIENTS = ("anthropic", "openai", "huggingface_hub", "databricks-sdk", "wandb", *node.clients("@anthropic-ai/sdk", "openai-node"))
METADATA = "databricks-metadata"
SERVICE = {"huggingface_hub": "hf", "databricks-sdk": "databricks", METADATA: "databricks", "@anthropic-ai/sdk": "anthropic", "openai-node": "openai"}
# The client takes what it has from a variable, once: the agent adds the token to what it sends.
INJECTED = {"openai", "openai-node"}
TABLE = ClientTable((*CLIENTS[:4], METADATA, *CLIENTS[4:]))
INTRODUCTION = """\
They take a token of the workload's own in place of a key. The other side is an endpoint of this tree (tests/ecosystem/federation.py) that verifies it as each service documents;
the services themselves were not tried. openai takes what it has from a variable, once: its `OPENAI_BASE_URL` is an address of the agent's, which adds the token on the way out."""
HOLDS = "works without a key, also in a forked worker"
STATIC_LOSES = "static keys in variables lose"
ROTATES = "goes through two rotations and a restart of the agent"
# What a developer has lying about, in the order in which each client looks.
STATIC = {"ANTHROPIC_API_KEY": "sk-ant-static", "ANTHROPIC_AUTH_TOKEN": "static", "OPENAI_API_KEY": "sk-static", "HF_TOKEN": "hf_static", "DATABRICKS_TOKEN": "dapi-static",
          "WANDB_API_KEY": "local-" + "0" * 40}

DECLARATIONS = """\
kind: TrustProvider
name: unix
type: unix
---
kind: CredentialProvider
name: anthropic
type: anthropic
federation_rule_id: fdrl_1
organization_id: org-1
base_url: {url}/anthropic
lifetime: {lifetime}
---
kind: CredentialProvider
name: openai
type: openai
endpoint: {url}/openai/oauth/token
identity_provider_id: idp_1
service_account_id: sa_1
base_url: {url}/openai/v1
---
kind: CredentialProvider
name: huggingface
type: huggingface
base_url: {url}/hf
username: acme
scopes: {{ load: "" }}
lifetime: {lifetime}
---
kind: CredentialProvider
name: databricks
type: databricks
host: {url}
metadata_service: {metadata}
audience: databricks-account
client_id: 7d1a
lifetime: {lifetime}
---
kind: CredentialProvider
name: wandb
type: wandb
base_url: {url}/wandb
lifetime: {lifetime}
---
kind: Api
name: claude
url: https://api.anthropic.com
purpose: [train]
credential: anthropic
---
kind: Api
name: gpt
url: https://api.openai.com
purpose: [train]
credential: openai
---
kind: Model
name: acme/gated
purpose: [train]
credential: huggingface
---
kind: Api
name: lakehouse
url: https://acme.cloud.databricks.com
purpose: [train]
credential: databricks
---
kind: Api
name: tracking
url: https://api.wandb.ai
purpose: [train]
credential: wandb
---
kind: Workload
name: trainer
id: spiffe://oncology.example/ml/{{unix.user}}/train
match: {{ unix.path: [/usr/bin/python3.11, {node}] }}
uses:
  - {{ action: call, api: claude }}
  - {{ action: call, api: gpt }}
  - {{ action: load, model: acme/gated }}
  - {{ action: call, api: lakehouse }}
  - {{ action: call, api: tracking }}
"""
POLICIES = """\
@id("for-declared-purposes")
permit (principal, action in [Action::"call", Action::"load"], resource) when { resource is Api && resource.purpose.contains(context.purpose)
  || resource is Model && resource.purpose.contains(context.purpose) };
"""


class Federated(Scenario):
    @classmethod
    def setUpClass(cls):
        if not PYTHON.exists():
            raise unittest.SkipTest(f"no {PYTHON}: `./check --ecosystem` makes it")
        super().setUpClass()
        cls.writ.start_authority()
        cls.agent = cls.writ.start_agent(cls.writ.join_token())
        cls.services = Federation(cls.writ.public_url(), cls.writ.public("GET", "/.well-known/jwks.json").json, "spiffe://oncology.example/ml/")
        cls.addClassCleanup(cls.services.stop)
        cls.declare()

    @classmethod
    def declare(cls, lifetime: str = "1h", policies: str = POLICIES, metadata: bool = False) -> None:
        folder = cls.folder / "declared"
        folder.mkdir(exist_ok=True)
        (folder / "services.yaml").write_text(DECLARATIONS.format(url=cls.services.url, lifetime=lifetime, metadata=str(metadata).lower(), node=node.PATH))
        (folder / "policies.cedar").write_text(policies)
        outcome = cls.writ.cli("apply", "-f", folder, "--prune")
        if outcome.code != 0:
            raise AssertionError(outcome)

    def each(self, what: str, check) -> None:
        for client in CLIENTS:
            with self.subTest(client=client), TABLE.cell(client, what):
                check(client)

    def job(self, client: str, **options) -> ServiceJob:
        is_node = client in ("@anthropic-ai/sdk", "openai-node")
        command = [node.PROGRAM, node.JOB, client, "ask"] if is_node else [PYTHON, JOB, client]
        return ServiceJob(self, client, command, node.ENVIRONMENT | options.pop("environment", {}), **options)

    def assert_greets(self, client: str, answer: dict) -> None:
        self.assertEqual({"value": f"hello from {SERVICE.get(client, client).replace('hf', 'huggingface')}"}, answer, self.services.refused[-3:])

    def works(self, client: str) -> None:
        with self.job(client) as job:
            self.assert_greets(client, job.ask())
            self.assert_greets(client, job.ask("fork"))

    def static_loses(self, client: str) -> None:
        with self.job(client, environment=STATIC) as job:
            self.assert_greets(client, job.ask())
            said = job.program.output()
            self.assertIn("out of force for this run", said)
            self.assertNotIn("-static", said)

    def test_1_works_without_a_key_and_from_a_forked_worker(self):
        self.each(HOLDS, self.works)

    def test_2_static_keys_lose(self):
        self.each(STATIC_LOSES, self.static_loses)

    def test_3_goes_through_two_rotations_and_a_restart_of_the_agent(self):
        jobs = {client: self.job(client) for client in CLIENTS}
        lost: set[str] = set()
        try:
            for client, job in jobs.items():
                job.__enter__()
                self.assert_greets(client, job.ask())
            for step, lifetime in enumerate(("50m", "40m")):
                if step == 1:
                    self.agent.kill()
                    type(self).agent = self.writ.start_agent()
                before = {client: job.file_content() for client, job in jobs.items() if client not in INJECTED}
                self.declare(lifetime)
                for client in before:
                    wait_until(f"another token for {client}", lambda: jobs[client].file_content() != before[client])
                # What clients got for the token before has ended: they come with the new one.
                time.sleep(self.services.lifetime + 1)
                for client, job in jobs.items():
                    with self.subTest(client=client, lifetime=lifetime):
                        lost.add(client)
                        self.assert_greets(client, job.ask())
                        lost.discard(client)
        finally:
            for job in jobs.values():
                job.end()
            self.declare()
        for client in CLIENTS:
            with self.subTest(client=client), TABLE.cell(client, ROTATES):
                self.assertGreaterEqual(len(set(self.services.shown[SERVICE.get(client, client)])), 3, client)
                self.assertNotIn(client, lost)

    def test_31_an_injected_token_is_nowhere_in_the_job(self):
        with self.job("openai") as job:
            self.assert_greets("openai", job.ask())
            given = [token for token, (service, _) in self.services.tokens.items() if service == "openai"]
            self.assertTrue(given)
            for token in given:
                self.assertNotIn(token, json.dumps(dict(job.variables)))
            self.assertRegex(job.variables["OPENAI_BASE_URL"], r"^http://127\.0\.0\.1:\d+/inject/")

    def test_4_nothing_for_another_purpose(self):
        before = dict(self.services.answered)
        outcome = self.writ.cli("run", "--purpose", "marketing", "--", PYTHON, JOB, "anthropic", self.scratch("none"))
        self.assertEqual(77, outcome.code, outcome)
        self.assertEqual(before, self.services.answered)

    def test_5_databricks_by_the_metadata_service(self):
        self.declare(metadata=True)
        self.addCleanup(self.declare)
        with TABLE.cell(METADATA, HOLDS):
            self.works(METADATA)
        with TABLE.cell(METADATA, STATIC_LOSES):
            self.static_loses(METADATA)
        with TABLE.cell(METADATA, ROTATES), self.job(METADATA) as job:
            self.assert_greets(METADATA, job.ask())
            for restart, lifetime in ((False, "50m"), (True, "40m")):
                if restart:
                    self.agent.kill()
                    type(self).agent = self.writ.start_agent()
                before = len(self.services.shown["databricks"])
                self.declare(lifetime, metadata=True)
                wait_until("another token", lambda: len(self.services.shown["databricks"]) > before)
                time.sleep(self.services.lifetime + 1)
                self.assert_greets(METADATA, job.ask())
            self.assertNotIn("DATABRICKS_OIDC_TOKEN_FILEPATH", job.variables)

    def test_6_the_metadata_service_knows_who_asks_and_for_what(self):
        self.declare(metadata=True)
        self.addCleanup(self.declare)
        with self.job(METADATA) as job:
            self.assert_greets(METADATA, job.ask())
            url = job.variables["DATABRICKS_METADATA_SERVICE_URL"]
            asked = {"X-Databricks-Metadata-Version": "1", "X-Databricks-Host": self.services.url}
            self.assertEqual(401, status_of(url, asked), "the address alone opened it")
            self.assertEqual({"value": 200}, job.ask(json.dumps(["status", url, asked])))
            for changed, expected in (({"X-Databricks-Host": "https://evil.example"}, 404), ({"X-Databricks-Host": ""}, 404), ({"X-Databricks-Metadata-Version": ""}, 400),
                                      ({"Host": "rebound.example"}, 403)):
                self.assertEqual({"value": expected}, job.ask(json.dumps(["status", url, asked | changed])), changed)
            self.assertEqual({"value": 401}, job.ask(json.dumps(["status", url[:-1] + "x", asked])))


def status_of(url: str, headers: dict) -> int:
    try:
        return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20).status
    except urllib.error.HTTPError as error:
        return error.code


def tearDownModule():
    if target := os.environ.get("WRIT_CLIENTS_TABLE"):
        TABLE.write_part(Path(target), pip_versions(PYTHON) | node.versions(), "Services by federation", INTRODUCTION)


if __name__ == "__main__":
    main()
