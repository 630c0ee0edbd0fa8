#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""MLflow as it comes from PyPI, client and server: a real tracking server, whose authorization app verifies workloads' own tokens (mlflow_authorization.py), and its client
under `writ run`.

WRIT_MLFLOW_PYTHON names a virtual environment's Python 3.11 with mlflow-requirements.txt in it.
"""
import json
import os
import sys
import unittest
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scenarios"))

from ceph import free_ports  # noqa: E402
from harness import Program, Scenario, main, wait_until  # noqa: E402
from service_job import JOB, ServiceJob  # noqa: E402
from table import ClientTable, pip_versions  # noqa: E402

PYTHON = Path(os.environ.get("WRIT_MLFLOW_PYTHON", HERE.parents[1] / "build/mlflow-python/bin/python3"))
TABLE = ClientTable(("mlflow",))
INTRODUCTION = """\
Against MLflow's own tracking server of that version, whose authorization app verifies the workload's own token (tests/ecosystem/mlflow_authorization.py). The client reads it
from `.netrc` for each request. `~/.mlflow/credentials` would win; nothing puts it out of force, so `writ run` tells of it and `--strict` refuses."""
GREETING = {"value": "hello from mlflow"}
STATIC = {"MLFLOW_TRACKING_USERNAME": "admin", "MLFLOW_TRACKING_PASSWORD": "admin-static", "MLFLOW_TRACKING_TOKEN": "token-static"}

DECLARATIONS = """\
kind: TrustProvider
name: unix
type: unix
---
kind: CredentialProvider
name: mlflow
type: mlflow
tracking_uri: {url}
audience: mlflow
lifetime: {lifetime}
---
kind: Api
name: tracking
url: {url}
purpose: [train]
credential: mlflow
---
kind: Workload
name: trainer
id: spiffe://oncology.example/ml/{{unix.user}}/train
match: {{ unix.path: /usr/bin/python3.11 }}
uses: [{{ action: call, api: tracking }}]
"""
POLICIES = """\
@id("for-declared-purposes")
permit (principal, action == Action::"call", resource is Api) when { resource.purpose.contains(context.purpose) };
"""


class Mlflow(Scenario):
    @classmethod
    def setUpClass(cls):
        if not PYTHON.exists():
            raise unittest.SkipTest(f"no {PYTHON}: `./check --ecosystem` makes it")
        super().setUpClass()
        cls.writ.start_authority()
        cls.agent = cls.writ.start_agent(cls.writ.join_token())
        cls.start_server()
        cls.declare()

    @classmethod
    def start_server(cls) -> None:
        cls.server_folder = cls.folder / "mlflow"
        cls.server_folder.mkdir()
        [port] = free_ports(1)
        cls.url = f"http://127.0.0.1:{port}"
        (cls.server_folder / "superseded").touch()
        issuer = {"issuer": cls.writ.public_url(), "jwks": cls.writ.public("GET", "/.well-known/jwks.json").json, "audience": "mlflow",
                  "subject_prefix": "spiffe://oncology.example/ml/"}
        (cls.server_folder / "issuer.json").write_text(json.dumps(issuer))
        (cls.server_folder / "auth.ini").write_text(f"[mlflow]\ndefault_permission = READ\ndatabase_uri = sqlite:///{cls.server_folder}/auth.db\nadmin_username = admin\n"
                                                    "authorization_function = mlflow_authorization:authenticate\n")
        environment = {"PATH": f"{PYTHON.parent}:/usr/bin:/bin", "HOME": str(cls.server_folder), "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1",
                       "MLFLOW_ISSUER": str(cls.server_folder / "issuer.json"), "MLFLOW_AUTH_CONFIG_PATH": str(cls.server_folder / "auth.ini"),
                       "MLFLOW_AUTH_ADMIN_PASSWORD": "admin-static-password", "MLFLOW_FLASK_SERVER_SECRET_KEY": "of this test", "MLFLOW_DISABLE_TELEMETRY": "true"}
        cls.server = Program([PYTHON, "-m", "mlflow", "server", "--app-name", "basic-auth", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
                              "--backend-store-uri", f"sqlite:///{cls.server_folder}/tracking.db", "--artifacts-destination", str(cls.server_folder / "artifacts")],
                             cls.folder / "mlflow.log", env=environment, cwd=cls.server_folder)
        cls.addClassCleanup(cls.server.stop)
        wait_until("the tracking server", cls.is_server_ready, 180)

    @classmethod
    def is_server_ready(cls) -> bool:
        if not cls.server.is_running():
            raise AssertionError(cls.server.output()[-4000:])
        return cls.status_of("/health") == 200

    @classmethod
    def status_of(cls, path: str, **headers) -> int:
        try:
            with urllib.request.urlopen(urllib.request.Request(cls.url + path, headers=headers), timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    @classmethod
    def declare(cls, lifetime: str = "1h", policies: str = POLICIES) -> None:
        folder = cls.folder / "declared"
        folder.mkdir(exist_ok=True)
        (folder / "tracking.yaml").write_text(DECLARATIONS.format(url=cls.url, lifetime=lifetime))
        (folder / "policies.cedar").write_text(policies)
        outcome = cls.writ.cli("apply", "-f", folder, "--prune")
        if outcome.code != 0:
            raise AssertionError(outcome)

    def job(self, **options) -> ServiceJob:
        return ServiceJob(self, "mlflow", [PYTHON, JOB, "mlflow"], **options)

    def told(self, what: str) -> list[str]:
        file = self.server_folder / what
        return file.read_text().splitlines() if file.exists() else []

    def test_1_works_without_a_key_and_from_a_forked_worker(self):
        self.assertEqual(401, self.status_of("/api/2.0/mlflow/experiments/get?experiment_id=0"))
        with TABLE.cell("mlflow", "runs, metrics and artefacts without a key, also in a forked worker"), self.job() as job:
            self.assertEqual(GREETING, job.ask(), self.told("refused")[-3:])
            self.assertEqual(GREETING, job.ask("fork"), self.told("refused")[-3:])
        [user] = {line.split()[1] for line in self.told("shown")}
        self.assertTrue(user.startswith("spiffe://oncology.example/ml/"), user)

    def test_2_static_keys_lose(self):
        with TABLE.cell("mlflow", "static keys in variables lose"), self.job(environment=STATIC) as job:
            self.assertEqual(GREETING, job.ask(), self.told("refused")[-3:])
            said = job.program.output()
            self.assertIn("out of force for this run", said)
            self.assertIn("MLFLOW_TRACKING_PASSWORD", said)
            self.assertNotIn("-static", said)

    def test_3_a_file_that_nothing_puts_out_of_force_is_told_of_and_refused_if_so_asked(self):
        with (job := self.job()):
            pass
        (job.home / ".mlflow").mkdir()
        (job.home / ".mlflow/credentials").write_text("[mlflow]\nmlflow_tracking_username = admin\nmlflow_tracking_password = wrong-static\n")
        told = self.writ.cli("run", "--purpose", "train", "--", PYTHON, "-c", "pass", environment={"HOME": str(job.home)})
        self.assertEqual(0, told.code, told)
        self.assertIn(f"used in place of the run's own until you move it away: {job.home}/.mlflow/credentials", told.err)
        refused = self.writ.cli("run", "--purpose", "train", "--strict", "--", PYTHON, "-c", "pass", environment={"HOME": str(job.home)})
        self.assertEqual(78, refused.code, refused)
        self.assertIn(".mlflow/credentials", refused.err)

    def test_4_goes_through_two_rotations_and_a_restart_of_the_agent(self):
        try:
            with TABLE.cell("mlflow", "goes through two rotations and a restart of the agent"), self.job() as job:
                self.assertEqual(GREETING, job.ask(), self.told("refused")[-3:])
                for step, lifetime in enumerate(("50m", "40m")):
                    if step == 1:
                        self.agent.kill()
                        type(self).agent = self.writ.start_agent()
                    before = job.file_content()
                    self.declare(lifetime)
                    wait_until("another token", lambda: job.file_content() != before)
                    # The server takes the one before no more: the client comes with the new one.
                    old = self.told("shown")[-1].split()[0]
                    with open(self.server_folder / "superseded", "a") as file:
                        file.write(old + "\n")
                    self.assertEqual(GREETING, job.ask(), self.told("refused")[-3:])
                    self.assertEqual(GREETING, job.ask("fork"), self.told("refused")[-3:])
                    self.assertNotEqual(old, self.told("shown")[-1].split()[0])
        finally:
            self.declare()

    def test_5_the_end_of_a_run_and_of_a_policy(self):
        with TABLE.cell("mlflow", "asks for nothing more when its policy is withdrawn"), self.job() as job:
            self.assertEqual(GREETING, job.ask())
            file = Path(job.variables["NETRC"])
            self.assertEqual(0o600, file.stat().st_mode & 0o777)
            self.declare(policies=POLICIES.replace("permit", "forbid"))
            wait_until("the file goes with the policy", lambda: not file.exists())
            self.assertIn("error", job.ask())
            self.declare()
        outcome = self.writ.cli("run", "--purpose", "marketing", "--", PYTHON, JOB, "mlflow", self.scratch("none"))
        self.assertEqual(77, outcome.code, outcome)


def tearDownModule():
    if target := os.environ.get("WRIT_CLIENTS_TABLE"):
        TABLE.write_part(Path(target), pip_versions(PYTHON), "MLflow", INTRODUCTION)


if __name__ == "__main__":
    main()
