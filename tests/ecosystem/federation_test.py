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
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scenarios"))

from federation import Federation  # noqa: E402
from harness import Scenario, main, wait_until  # noqa: E402

PYTHON = Path(os.environ.get("WRIT_FEDERATION_PYTHON", HERE.parents[1] / "build/federation-python/bin/python3"))
JOB = HERE / "jobs/federated_job.py"
CLIENTS = ("anthropic", "openai", "huggingface_hub", "databricks-sdk", "wandb")
SERVICE = {"huggingface_hub": "hf", "databricks-sdk": "databricks"}
# The client takes what it has from a variable, once.
FROZEN = {"openai"}
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
match: {{ unix.path: /usr/bin/python3.11 }}
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
    def declare(cls, lifetime: str = "1h", policies: str = POLICIES) -> None:
        folder = cls.folder / "declared"
        folder.mkdir(exist_ok=True)
        (folder / "services.yaml").write_text(DECLARATIONS.format(url=cls.services.url, lifetime=lifetime))
        (folder / "policies.cedar").write_text(policies)
        outcome = cls.writ.cli("apply", "-f", folder, "--prune")
        if outcome.code != 0:
            raise AssertionError(outcome)

    def each(self, check) -> None:
        for client in CLIENTS:
            with self.subTest(client=client):
                check(client)

    def job(self, client: str, **options) -> "FederatedJob":
        return FederatedJob(self, client, **options)

    def assert_greets(self, client: str, answer: dict) -> None:
        self.assertEqual({"value": f"hello from {client.removesuffix('-sdk').removesuffix('_hub')}"}, answer, self.services.refused[-3:])

    def test_1_works_without_a_key_and_from_a_forked_worker(self):
        def check(client):
            with self.job(client) as job:
                self.assert_greets(client, job.ask())
                self.assert_greets(client, job.ask("fork"))
        self.each(check)

    def test_2_static_keys_lose(self):
        def check(client):
            with self.job(client, environment=STATIC) as job:
                self.assert_greets(client, job.ask())
                said = job.program.output()
                self.assertIn("out of force for this run", said)
                self.assertNotIn("-static", said)
        self.each(check)

    def test_3_goes_through_two_rotations_and_a_restart_of_the_agent(self):
        jobs = {client: self.job(client) for client in CLIENTS}
        try:
            for client, job in jobs.items():
                job.__enter__()
                self.assert_greets(client, job.ask())
            for step, lifetime in enumerate(("50m", "40m")):
                if step == 1:
                    self.agent.kill()
                    type(self).agent = self.writ.start_agent()
                before = {client: job.file_content() for client, job in jobs.items() if client not in FROZEN}
                self.declare(lifetime)
                for client in before:
                    wait_until(f"another token for {client}", lambda: jobs[client].file_content() != before[client])
                # What clients got for the token before has ended: they come with the new one.
                time.sleep(self.services.lifetime + 1)
                for client, job in jobs.items():
                    with self.subTest(client=client, lifetime=lifetime):
                        self.assert_greets(client, job.ask())
        finally:
            for job in jobs.values():
                job.end()
            self.declare()
        for client in CLIENTS:
            if client not in FROZEN:
                self.assertGreaterEqual(len(set(self.services.shown[SERVICE.get(client, client)])), 3, client)

    def test_4_nothing_for_another_purpose(self):
        before = dict(self.services.answered)
        outcome = self.writ.cli("run", "--purpose", "marketing", "--", PYTHON, JOB, "anthropic", self.scratch("none"))
        self.assertEqual(77, outcome.code, outcome)
        self.assertEqual(before, self.services.answered)


class FederatedJob:
    def __init__(self, case: Federated, client: str, environment: dict | None = None):
        self.case, self.client, self.environment, self.number = case, client, environment or {}, 0
        self.folder = case.scratch(client)
        self.folder.mkdir()

    def __enter__(self):
        # Clients keep things in HOME.
        home = self.folder / "home"
        home.mkdir()
        own = self.case.writ.environment
        self.case.writ.environment = own | {"HOME": str(home), "WANDB_DIR": str(home), "WANDB_SILENT": "true", "PYTHONDONTWRITEBYTECODE": "1"} | self.environment
        try:
            self.program = self.case.writ.launch(f"{self.folder.parent.name}-{self.client}", ["run", "--purpose", "train", "--", PYTHON, JOB, self.client, self.folder])
        finally:
            self.case.writ.environment = own
        self.variables = wait_until("the job says what it was given", self._read)
        return self

    def _read(self):
        if not self.program.is_running():
            raise AssertionError(self.program.output())
        file = self.folder / "environment"
        return json.loads(file.read_text()) if file.exists() else None

    def ask(self, order: str = "ask") -> dict:
        (self.folder / "order").write_text(order)
        os.rename(self.folder / "order", self.folder / f"{self.number}.order")
        done = self.folder / f"{self.number}.done"
        self.number += 1
        wait_until("the job's answer", done.exists, 90)
        return json.loads(done.read_text())

    def file_content(self) -> str:
        variable = {"anthropic": "ANTHROPIC_IDENTITY_TOKEN_FILE", "huggingface_hub": "HF_TOKEN_PATH", "databricks-sdk": "DATABRICKS_OIDC_TOKEN_FILEPATH",
                    "wandb": "WANDB_IDENTITY_TOKEN_FILE"}[self.client]
        return Path(self.variables[variable]).read_text()

    def end(self) -> None:
        (self.folder / "end").touch()
        if hasattr(self, "program") and self.program.is_running():
            self.program.wait(60)

    def __exit__(self, *_):
        self.end()


if __name__ == "__main__":
    main()
