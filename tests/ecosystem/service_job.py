# SPDX-License-Identifier: Apache-2.0
"""A job under `writ run` that uses a service's own client, once for each order (jobs/federated_job.py)."""
import json
import os
from pathlib import Path

from harness import wait_until

JOB = Path(__file__).resolve().parent / "jobs/federated_job.py"
# By which a client knows the file with its token.
VARIABLES = {"anthropic": "ANTHROPIC_IDENTITY_TOKEN_FILE", "@anthropic-ai/sdk": "ANTHROPIC_IDENTITY_TOKEN_FILE", "huggingface_hub": "HF_TOKEN_PATH", "databricks-sdk": "DATABRICKS_OIDC_TOKEN_FILEPATH",
             "wandb": "WANDB_IDENTITY_TOKEN_FILE", "mlflow": "NETRC"}


class ServiceJob:
    def __init__(self, case, client: str, command: list, environment: dict | None = None):
        """`command` runs the job up to where its orders are."""
        self.case, self.client, self.command, self.environment, self.number = case, client, command, environment or {}, 0
        self.folder = case.scratch(client.replace("/", "-"))
        while self.folder.exists():
            self.folder = self.folder.with_name(self.folder.name + "-more")
        self.folder.mkdir()
        # Clients keep things in HOME.
        self.home = self.folder / "home"
        self.home.mkdir()

    def __enter__(self):
        environment = {"HOME": str(self.home), "WANDB_DIR": str(self.home), "WANDB_SILENT": "true", "PYTHONDONTWRITEBYTECODE": "1"} | self.environment
        self.program = self.case.writ.launch(f"{self.folder.parent.name}-{self.folder.name}", ["run", "--purpose", "train", "--", *self.command, self.folder], environment)
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
        return Path(self.variables[VARIABLES[self.client]]).read_text()

    def end(self) -> None:
        (self.folder / "end").touch()
        if hasattr(self, "program") and self.program.is_running():
            self.program.wait(60)

    def __exit__(self, *_):
        self.end()
