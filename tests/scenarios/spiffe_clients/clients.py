# SPDX-License-Identifier: Apache-2.0
"""An agent with workloads declared for it, and programs written with other people's SPIFFE libraries that ask it who they are."""
import fcntl
import json
import os
import pwd
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from unittest import SkipTest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from harness import Program, Scenario, wait_until  # noqa: E402
from harness.scenario import PYTHON  # noqa: E402
from harness.writ import TREE, TRUST_DOMAIN  # noqa: E402

BUILT = Path(os.environ.get("WRIT_SPIFFE_CLIENTS", TREE / "build/dev/spiffe_clients"))
USER = pwd.getpwuid(os.getuid()).pw_name

# On two cores with nothing fetched yet.
BUILD_SECONDS = 600


def spiffe_id(name: str) -> str:
    return f"spiffe://{TRUST_DOMAIN}/clients/{USER}/{name}"


def workload(name: str, path: Path | str, lifetime: str = "1h") -> str:
    """A declaration: processes of this user whose executable is `path`."""
    return (f"kind: Workload\nname: {name}\nid: spiffe://{TRUST_DOMAIN}/clients/{{unix.user}}/{name}\n"
            f"match: {{ unix.path: {path}, unix.user: {USER} }}\nsvid_lifetime: {lifetime}\n")


# Whom the authority believes about processes.
TRUST_PROVIDER = "kind: TrustProvider\nname: linux\ntype: unix\n"


@contextmanager
def locked(name: str):
    """Tests run side by side; one of them builds."""
    BUILT.mkdir(parents=True, exist_ok=True)
    with open(BUILT / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def go_client() -> Path:
    """go/ as an executable, or SkipTest if this machine cannot make one."""
    go = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    if go is None:
        raise SkipTest("no Go: the command `go` is missing")
    environment = os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly -buildvcs=false", "CGO_ENABLED": "0", "GOWORK": "off"}
    with locked("go"):
        fetched = subprocess.run([go, "mod", "download"], cwd=HERE / "go", env=environment, capture_output=True, text=True, timeout=BUILD_SECONDS)
        if fetched.returncode != 0:
            raise SkipTest(f"Go is too old for go-spiffe, or its modules cannot be fetched: {fetched.stderr.strip()[-400:]}")
        built = subprocess.run([go, "build", "-o", BUILT / "go-client", "."], cwd=HERE / "go", env=environment, capture_output=True, text=True,
                               timeout=BUILD_SECONDS)
        if built.returncode != 0:
            raise AssertionError(f"go build: {built.stderr}")
    return BUILT / "go-client"


def python_environment() -> Path:
    """A Python that has py-spiffe, or SkipTest."""
    folder = BUILT / "python"
    with locked("python"):
        made = subprocess.run([TREE / "scripts/python-environment", folder, HERE / "python/requirements.txt"], capture_output=True, text=True,
                              timeout=BUILD_SECONDS)
    if made.returncode != 0:
        raise SkipTest(f"py-spiffe cannot be installed: {made.stderr.strip()[-400:]}")
    return folder / "bin/python"


def lines_of(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def moment(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


@dataclass
class Answer:
    """What a client printed, and whether it was content."""
    code: int
    lines: list[dict]
    text: str

    @property
    def first(self) -> dict:
        if self.code != 0 or not self.lines:
            raise AssertionError(f"the client ended with {self.code}:\n{self.text}")
        return self.lines[0]

    @property
    def error_code(self) -> str:
        """The gRPC code that the client ended with; empty if it did not fail."""
        return self.lines[-1].get("code", "") if self.code != 0 and self.lines else ""


class Watcher:
    """A client that prints a line for each update."""

    def __init__(self, program: Program):
        self.program = program

    def line(self, number: int, what: str, seconds: float = 30) -> dict:
        def arrived():
            lines = lines_of(self.program.output())
            if len(lines) > number:
                return lines[number]
            if not self.program.is_running():
                raise AssertionError(f"the client ended:\n{self.program.output()}")
            return None

        return wait_until(what, arrived, seconds)

    def next_that(self, what: str, holds, seconds: float = 30) -> dict:
        """The newest line once `holds` of it."""
        def arrived():
            lines = lines_of(self.program.output())
            return lines[-1] if lines and holds(lines[-1]) else None

        try:
            return wait_until(what, arrived, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; the client said:\n{self.program.output()[-2000:]}") from None

    def count(self) -> int:
        return len(lines_of(self.program.output()))


class ClientScenario(Scenario):
    @classmethod
    def start(cls) -> None:
        cls.dev = cls.writ.start_dev()

    @classmethod
    def declare(cls, *documents: str) -> None:
        """These and nothing else are declared from now on."""
        answer = cls.writ.admin("POST", "/v1/declarations", {
            "documents": [{"path": f"{number}.yaml", "text": text} for number, text in enumerate((TRUST_PROVIDER, *documents))], "prune": True})
        if answer.status != 200:
            raise AssertionError(answer.text)

    @classmethod
    def environment(cls) -> dict:
        return {"PATH": "/usr/bin:/bin", "SPIFFE_ENDPOINT_SOCKET": f"unix://{cls.writ.run_dir}/agent.sock"}

    def run_client(self, *command) -> Answer:
        done = subprocess.run([str(part) for part in command], env=self.environment(), capture_output=True, text=True, timeout=60)
        return Answer(done.returncode, lines_of(done.stdout), done.stdout + done.stderr)

    def start_client(self, *command) -> Watcher:
        program = Program(list(command), self.scratch(f"client-{len(self._watchers())}.log"), env=self.environment())
        self._watchers().append(program)
        self.addCleanup(program.kill)
        return Watcher(program)

    def _watchers(self) -> list:
        return self.__dict__.setdefault("watchers", [])

    def issued_since(self, tree_size: int) -> list[dict]:
        """The credentials that the log has issuances of, newest first."""
        entries = self.writ.records(limit=100)
        return [entry["record"]["credential"] for entry in entries if entry["sequence"] >= tree_size and entry["record"]["type"] == "issuance"]

    def x509_roots(self) -> list[str]:
        keys = self.writ.admin("GET", "/.well-known/spiffe-bundle").json["keys"]
        return [key["x5c"][0] for key in keys if key.get("use") == "x509-svid"]

    def jwt_key_ids(self) -> set[str]:
        keys = self.writ.admin("GET", "/.well-known/spiffe-bundle").json["keys"]
        return {key["kid"] for key in keys if key.get("use") == "jwt-svid"}


def with_changed_signature(token: str) -> str:
    """One bit of the signature is another; not in its last character, whose lower bits say nothing."""
    place = token.rindex(".") + 10
    return token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1:]


__all__ = ["Answer", "ClientScenario", "HERE", "PYTHON", "TRUST_DOMAIN", "Watcher", "go_client", "moment", "python_environment", "spiffe_id",
           "with_changed_signature", "workload"]
