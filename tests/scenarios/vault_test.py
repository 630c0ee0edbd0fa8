#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Secrets of a real Vault for runs: read with a JWT of the workload, and no token of Vault is left. WRIT_VAULT names the program."""
import base64
import json
import os
import shutil
import subprocess
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from harness import Scenario, main, wait_until
from harness.processes import die_with_parent
from harness.scenario import PYTHON

VAULT = os.environ.get("WRIT_VAULT") or shutil.which("vault")
ROOT = "root-of-a-test"
POLICY = 'path "secret/data/openai/*" { capabilities = ["read"] }'

DECLARATIONS = """kind: TrustProvider
name: unix
type: unix
---
kind: Workload
name: trainer
id: spiffe://oncology.example/trainer
match: {{ unix.path: {python} }}
uses:
  - {{ action: call, api: models }}
---
kind: CredentialProvider
name: research-key
type: vault_kv
address: {address}
audience: https://vault.example
role: writ
path: openai/research
field: api_key
file_variable: KEY_FILE
lifetime: 1h
{more}
---
kind: Api
name: models
url: https://models.example
purpose: [train]
credential: research-key
"""


class Vault(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not VAULT:
            raise unittest.SkipTest("no Vault: WRIT_VAULT names one")
        cls.writ.start_dev()
        cls.start_vault()

    @classmethod
    def start_vault(cls):
        log = cls.folder / "vault.log"
        with log.open("w") as output:
            server = subprocess.Popen([VAULT, "server", "-dev", "-dev-no-store-token", f"-dev-root-token-id={ROOT}", "-dev-listen-address=127.0.0.1:0"], stdout=output,
                                      stderr=subprocess.STDOUT, env={"PATH": os.environ["PATH"], "HOME": str(cls.folder)}, preexec_fn=die_with_parent)
        cls.addClassCleanup(server.wait)
        cls.addClassCleanup(server.kill)
        wait_until("Vault serves", lambda: "Development mode should NOT be used" in log.read_text() and cls.listens(server.pid))
        (cls.folder / "keys.pem").write_text(subprocess.run(
            ["openssl", "x509", "-inform", "der", "-pubkey", "-noout"], input=cls.certificate_of_key(), check=True, capture_output=True).stdout.decode())
        cls.ask("POST", "sys/auth/jwt", {"type": "jwt"})
        cls.ask("POST", "auth/jwt/config", {"jwt_validation_pubkeys": [(cls.folder / "keys.pem").read_text()], "bound_issuer": cls.writ.public_url()})
        cls.ask("POST", "sys/policies/acl/research", {"policy": POLICY})
        cls.ask("POST", "auth/jwt/role/writ", {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["https://vault.example"], "token_ttl": "1m", "token_num_uses": 2,
                                               "bound_subject": "spiffe://oncology.example/trainer", "bound_claims": {"purpose": "train"}, "token_policies": ["research"]})
        cls.ask("POST", "secret/data/openai/research", {"data": {"api_key": "sk-one", "other": "x"}})
        cls.ask("POST", "secret/data/closed/research", {"data": {"api_key": "sk-closed"}})

    @classmethod
    def listens(cls, pid: int) -> bool:
        """Which port the system gave it."""
        inodes = {os.readlink(entry)[8:-1] for entry in Path(f"/proc/{pid}/fd").iterdir() if os.readlink(entry).startswith("socket:[")}
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and words[9] in inodes:
                address = f"http://127.0.0.1:{int(words[1].split(':')[1], 16)}"
                try:
                    with urllib.request.urlopen(f"{address}/v1/sys/health", timeout=5) as answer:
                        if json.load(answer)["initialized"]:
                            cls.address = address
                            return True
                except (OSError, ValueError, KeyError):
                    continue
        return False

    @classmethod
    def certificate_of_key(cls) -> bytes:
        keys = cls.writ.public("GET", "/.well-known/jwks.json").json["keys"]
        return base64.b64decode(next(key for key in keys if key["kty"] == "RSA")["x5c"][0])

    @classmethod
    def ask(cls, method: str, path: str, body=None):
        request = urllib.request.Request(f"{cls.address}/v1/{path}", method=method, data=None if body is None else json.dumps(body).encode(),
                                         headers={"X-Vault-Token": ROOT, "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def declare(self, more: str = "", **changes):
        text = DECLARATIONS.format(python=PYTHON, address=self.address, more=more)
        for name, value in changes.items():
            text = text.replace(next(line for line in text.splitlines() if line.startswith(f"{name}: ") and "research-key" not in line and "models" not in line), f"{name}: {value}")
        self.scratch("declarations.yaml").write_text(text)
        self.scratch("policies.cedar").write_text('@id("all") permit (principal, action, resource);\n')
        outcome = self.writ.cli("apply", "-f", self.scratch("declarations.yaml"), "-f", self.scratch("policies.cedar"))
        self.assertEqual(0, outcome.code, outcome)

    def job(self, purpose: str = "train"):
        return self.writ.cli("run", "--purpose", purpose, "--", PYTHON, "-c", "import os; print(open(os.environ['KEY_FILE']).read())")

    def tokens(self) -> set[str]:
        return set(self.ask("LIST", "auth/token/accessors")["data"]["keys"])

    def test_a_job_reads_the_newest_version_and_no_token_is_left(self):
        self.declare()
        before = self.tokens()
        outcome = self.job()
        self.assertEqual((0, "sk-one\n"), (outcome.code, outcome.out), outcome)
        self.assertEqual(before, self.tokens())
        issued = self.writ.records(type="issuance")[0]["record"]["credential"]
        self.assertEqual("vault_kv", issued["kind"])
        self.assertRegex(issued["id"], r"^secret/openai/research/1/\w+$")
        self.assertNotIn("sk-one", json.dumps(self.writ.records()))
        self.ask("POST", "secret/data/openai/research", {"data": {"api_key": "sk-two"}})
        try:
            self.assertEqual("sk-two\n", self.job().out)
        finally:
            self.ask("POST", "secret/data/openai/research", {"data": {"api_key": "sk-one"}})

    def test_what_vault_refuses_starts_no_job(self):
        for changes, said in (({"path": "closed/research"}, "403"), ({"path": "openai/nothing"}, "404"), ({"role": "another"}, "role"), ({"audience": "https://other.example"}, "aud"),
                              ({"field": "missing"}, "no field `missing`")):
            with self.subTest(**changes):
                self.declare(**changes)
                before = self.tokens()
                outcome = self.job()
                self.assertNotEqual(0, outcome.code, outcome)
                self.assertIn(said, outcome.err)
                self.assertEqual(before, self.tokens())
        self.declare()
        self.assertIn("purpose", self.job("evaluate").err)

    def test_all_fields_come_as_json_if_none_is_named(self):
        self.declare()
        declarations = self.scratch("declarations.yaml")
        declarations.write_text(declarations.read_text().replace("field: api_key\n", ""))
        self.assertEqual(0, self.writ.cli("apply", "-f", declarations).code)
        self.assertIn("api_key", json.loads(self.job().out))


if __name__ == "__main__":
    main()
