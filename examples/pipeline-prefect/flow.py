#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A pipeline of three steps, each with an identity of its own: what one step may use, another may not.

Ordinary Prefect; each task starts its step under `writ run`. Prefect itself holds no credential and needs none.
"""
import subprocess
import sys
from pathlib import Path

from prefect import flow, task

HERE = Path(__file__).resolve().parent


@task(retries=1)
def step(name: str) -> str:
    command = ["writ", "run", "--workload", f"pipeline-{name}", "--purpose", name, "--", sys.executable, str(HERE / "steps" / f"{name}.py")]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


@flow
def nightly():
    for name in ("prepare", "train", "evaluate"):
        print(f"{name}: {step(name)}")


if __name__ == "__main__":
    nightly()
