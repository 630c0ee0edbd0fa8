# SPDX-License-Identifier: Apache-2.0
"""One installation of Writ: its folders, its processes, its commands. The only file here that knows how the executable is called."""
import os
import shutil
import ssl
import subprocess
import tempfile
import http.client
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from harness.processes import PATIENCE_SECONDS, Program, die_with_parent, wait_until
from harness.unix_http import Response, UnixConnection, request

TREE = Path(__file__).resolve().parents[3]
EXECUTABLE = Path(os.environ.get("WRIT_EXECUTABLE", TREE / "build/dev/writ"))
TRUST_DOMAIN = "oncology.example"
NOBODY = 65534

REFUSED = 77
UNREACHABLE = 69


@dataclass
class Outcome:
    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"exit code {self.code}\n{self.out}{self.err}"


class Installation:
    def __init__(self, folder: Path):
        self.folder = folder
        self.data = folder / "data"
        self.agent_data = folder / "agent"
        self.run_dir = Path(tempfile.mkdtemp(prefix="writ-run.", dir="/tmp"))  # short: a unix socket's path has 107 bytes at most
        self.run_dir.chmod(0o755)
        self.programs: list[Program] = []
        self.environment = {"PATH": "/usr/bin:/bin", "WRIT_RUN_DIR": str(self.run_dir), "HOME": str(folder)}

    # ---- processes

    def start_dev(self, *options: str) -> Program:
        return self._start("dev", ["dev", "--data", self.data, "--run-dir", self.run_dir, "--trust-domain", TRUST_DOMAIN, *options], self.is_ready)

    def start_authority(self, *options: str, listen: str = "127.0.0.1:0") -> Program:
        arguments = ["authority", "--data", self.data, "--run-dir", self.run_dir, "--trust-domain", TRUST_DOMAIN, "--listen", listen]
        return self._start("authority", [*arguments, *options], self.is_authority_ready)

    def start_agent(self, token: str | None = None, *options: str) -> Program:
        return self._start("agent", self.agent_arguments(token, *options), self.is_agent_ready)

    def agent_arguments(self, token: str | None, *options: str) -> list:
        arguments = ["agent", "--authority", self.public_url(), "--data", self.agent_data, "--run-dir", self.run_dir]
        if token:
            token_file = self.folder / "join.token"
            token_file.touch(mode=0o600)
            token_file.write_text(token)
            arguments += ["--join-token-file", token_file]
        return [*arguments, *options]

    def _start(self, name: str, arguments: list, ready) -> Program:
        program = self.launch(name, arguments)

        def ready_or_ended():
            if not program.is_running():
                raise AssertionError(f"writ {name} ended with {program.wait()}:\n{program.output()[-3000:]}")
            return ready()

        wait_until(f"writ {name} is ready", ready_or_ended)
        return program

    def launch(self, name: str, arguments: list, environment: dict | None = None, **options) -> Program:
        program = Program([EXECUTABLE, *arguments], self.folder / f"{name}.log", env=self.environment | (environment or {}), **options)
        self.programs.append(program)
        return program

    def is_authority_ready(self) -> bool:
        try:
            return self.admin("GET", "/readyz").status == 200
        except OSError:
            return False

    def is_agent_ready(self) -> bool:
        try:
            answer = self.run_socket("GET", "/v1/status")
            return answer.status == 200 and bool(answer.json["joined"])
        except OSError:
            return False

    def is_ready(self) -> bool:
        return self.is_authority_ready() and self.is_agent_ready()

    def stop(self) -> None:
        self.stop_programs()
        shutil.rmtree(self.run_dir, ignore_errors=True)

    def stop_programs(self) -> None:
        for program in reversed(self.programs):
            if program.is_running():
                program.kill()

    # ---- commands

    def cli(self, *arguments, environment: dict | None = None, seconds: float = 120, **options) -> Outcome:
        """Runs `writ ARGUMENTS` to its end."""
        done = subprocess.run([str(argument) for argument in (EXECUTABLE, *arguments)], env=self.environment | (environment or {}), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, errors="replace", timeout=seconds, preexec_fn=die_with_parent, **options)
        return Outcome(done.returncode if done.returncode >= 0 else 128 - done.returncode, done.stdout, done.stderr)

    def apply_oncology(self, postgres) -> None:
        outcome = self.cli("apply", "-f", TREE / "examples/oncology",
                           environment={"ONCOLOGY_PORT": str(postgres.port), "ONCOLOGY_PASSWORD_FILE": str(postgres.password_file)})
        if outcome.code != 0:
            raise AssertionError(f"writ apply: {outcome}")

    def join_token(self, agent: str = "node-1") -> str:
        answer = self.admin("POST", "/v1/join-tokens", {"agent": agent, "ttl_seconds": 600})
        if answer.status != 200:
            raise AssertionError(answer.text)
        return answer.json["token"]

    # ---- interfaces

    @property
    def admin_socket(self) -> Path:
        return self.run_dir / "authority.sock"

    def admin(self, method: str, path: str, body=None, headers: dict | None = None) -> Response:
        return self._once(UnixConnection(self.admin_socket), method, path, body, headers)

    def run_socket(self, method: str, path: str, body=None) -> Response:
        return self._once(UnixConnection(self.run_dir / "run.sock"), method, path, body)

    def public_url(self) -> str:
        return self.admin("GET", "/v1/status").json["issuer"]

    def public(self, method: str, path: str, body=None, headers: dict | None = None) -> Response:
        return self._once(self.public_connection(), method, path, body, headers)

    def public_connection(self) -> http.client.HTTPSConnection:
        """TLS to the public listener, verified against the trust domain's own bundle."""
        bundle = self.admin("GET", "/.well-known/spiffe-bundle").json
        authorities = [key["x5c"][0] for key in bundle["keys"] if key.get("use") == "x509-svid"]
        pem = "".join(f"-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n" for der in authorities)
        context = ssl.create_default_context(cadata=pem)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        where = urlsplit(self.public_url())
        return http.client.HTTPSConnection(where.hostname, where.port, timeout=PATIENCE_SECONDS, context=context)

    @staticmethod
    def _once(connection, method: str, path: str, body=None, headers: dict | None = None) -> Response:
        try:
            return request(connection, method, path, body, headers)
        finally:
            connection.close()

    # ---- the log

    def records(self, **filters) -> list[dict]:
        """Newest first; each {"sequence", "hash", "record"}."""
        query = "&".join(f"{name}={value}" for name, value in ({"limit": 1000} | filters).items())
        answer = self.admin("GET", f"/v1/audit/records?{query}")
        if answer.status != 200:
            raise AssertionError(answer.text)
        return answer.json["records"]

    def tree_size(self) -> int:
        return self.admin("GET", "/v1/status").json["tree_size"]

    def copy_log(self, target: Path) -> None:
        """The log's files while it goes on. What is replaced in the middle of it, a partial tile by a full one, is copied anew."""
        def is_copied() -> bool:
            shutil.rmtree(target, ignore_errors=True)
            try:
                shutil.copytree(self.data / "log", target)
                return True
            except (shutil.Error, FileNotFoundError):
                return False
        wait_until("the log holds still for a copy", is_copied)

    def verify_log(self) -> Outcome:
        return self.cli("audit", "verify", "--data", self.data)
