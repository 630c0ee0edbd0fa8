# SPDX-License-Identifier: Apache-2.0
"""A job that lives and reads once for each step, so that things can happen between two of them."""
import json
import os
from pathlib import Path

from harness import wait_until


class Steps:
    def __init__(self, case, command: list, name: str, environment: dict | None = None):
        """`command` runs the job up to its verb `steps`; the job is told where its orders are, then `rest`."""
        self.case, self.command, self.environment, self.number = case, command, environment, 0
        self.folder = case.scratch(name)
        while self.folder.exists():
            self.folder = self.folder.with_name(self.folder.name + "-more")
        self.folder.mkdir()

    def start(self, *rest: str) -> "Steps":
        name = f"steps-{self.folder.parent.name}-{self.folder.name}"
        self.program = self.case.writ.launch(name, ["run", "--purpose", "train", "--", *self.command, "steps", self.folder, *rest], self.environment)
        self.variables = wait_until("the job says what it was given", self._read_variables)
        return self

    def _read_variables(self):
        file = self.folder / "environment"
        if not self.program.is_running():
            raise AssertionError(self.program.output())
        return json.loads(file.read_text()) if file.exists() else None

    def order(self, order: dict):
        (self.folder / "order").write_text(json.dumps(order))
        os.rename(self.folder / "order", self.folder / str(self.number))
        done = self.folder / f"{self.number}.done"
        self.number += 1
        wait_until("the job's step", done.exists, 60)
        return json.loads(done.read_text())

    def step(self):
        return self.order({})

    def ask(self, url: str, headers: dict) -> int:
        return self.order({"ask": [url, headers]})

    def end(self) -> None:
        (self.folder / "end").touch()
        if self.program.is_running():
            self.program.wait(60)

    def __enter__(self) -> "Steps":
        return self

    def __exit__(self, *_) -> None:
        self.end()
