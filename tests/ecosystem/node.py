# SPDX-License-Identifier: Apache-2.0
"""npm's clients: where they are, which versions, and how a job of theirs is started. WRIT_CLIENTS_NODE names the folder in which `npm ci` put them."""
import json
import os
import shutil
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDER = Path(os.environ.get("WRIT_CLIENTS_NODE", HERE.parents[1] / "build/clients-node"))
JOB = HERE / "jobs/client_job.cjs"
PROGRAM = shutil.which("node")
IS_THERE = bool(PROGRAM) and (FOLDER / "node_modules").is_dir()
# As an attested process is known: by its own path, and not that of a link.
PATH = os.path.realpath(PROGRAM) if PROGRAM else "/usr/bin/node"
ENVIRONMENT = {"NODE_PATH": str(FOLDER / "node_modules")}


def clients(*names: str) -> tuple[str, ...]:
    """Those names, if they can be tried."""
    return names if IS_THERE else ()


def versions() -> dict[str, str]:
    """Of what package.json names; under another name where PyPI has a package of the same."""
    if not IS_THERE:
        return {}
    named = json.loads((FOLDER / "package.json").read_text())["dependencies"]
    return {{"openai": "openai-node"}.get(name, name): version for name, version in named.items()}
