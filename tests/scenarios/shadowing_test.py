#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Static secrets that lie about where git, Docker and kubectl look: at a run's places they lose, or are named where nothing can put them out of force; --strict starts nothing."""
import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import Scenario, main
from harness.scenario import JOBS, PYTHON
from harness.writ import EXECUTABLE

STATIC = "hunter2"
DECLARATIONS = """\
kind: TrustProvider
name: unix
type: unix
---
kind: CredentialProvider
name: forge
type: oidc_token
audience: https://git.example
git: {{ "{url}/team": oauth2 }}
docker: {{ "registry.example": writ }}
kubernetes: [ "https://k8s.example" ]
---
kind: Api
name: repositories
url: https://git.example
credential: forge
---
kind: Workload
name: trainer
id: spiffe://oncology.example/train
match: {{ unix.path: /usr/bin/python3.11 }}
uses:
  - {{ action: call, api: repositories }}
"""
POLICIES = 'permit (principal, action == Action::"call", resource is Api);\n'


class Forge:
    """Refuses everybody, and remembers what they showed."""

    def __init__(self):
        self.shown: list[str] = []
        self.teams: list[str] = []
        forge = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                for value in self.headers.get_all("authorization", []):
                    kind, _, rest = value.partition(" ")
                    forge.shown.append(base64.b64decode(rest).decode() if kind == "Basic" else value)
                forge.teams += self.headers.get_all("x-team", [])
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="forge"')
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.name = f"127.0.0.1:{self.server.server_port}"
        self.url = f"http://{self.name}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Shadowing(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.forge = Forge()
        cls.addClassCleanup(cls.forge.stop)
        cls.dev = cls.writ.start_dev()
        cls.writ.environment |= {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1"}
        folder = cls.folder / "declared"
        folder.mkdir()
        (folder / "forge.yaml").write_text(DECLARATIONS.format(url=cls.forge.url))
        (folder / "policies.cedar").write_text(POLICIES)
        outcome = cls.writ.cli("apply", "-f", folder)
        if outcome.code != 0:
            raise AssertionError(outcome)

    def setUp(self):
        self.home = self.scratch("home")
        self.home.mkdir()
        self.forge.shown.clear()
        self.forge.teams.clear()

    def write(self, name: str, text: str) -> None:
        file = self.home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run_job(self, *options, repository: str = "team/model.git", environment: dict | None = None, cwd=None):
        command = ["git", "ls-remote", f"{self.forge.url}/{repository}"]
        outcome = self.writ.cli("run", *options, "--", PYTHON, JOBS / "call.py", json.dumps([command]), '[""]',
                                environment={"HOME": str(self.home)} | (environment or {}), cwd=cwd or self.home)
        self.assertNotIn(STATIC, outcome.err)
        return outcome

    def doctor(self, environment: dict | None = None) -> dict:
        """What it says of a program's family from outside of a run."""
        outcome = self.writ.cli("doctor", "--json", environment={"HOME": str(self.home)} | (environment or {}), cwd=self.home)
        self.assertNotIn(STATIC, outcome.out)
        return json.loads(outcome.out)

    def git_shows_the_runs_alone(self, **options):
        outcome = self.run_job(**options)
        self.assertEqual(0, outcome.code, outcome)
        self.assertFalse([one for one in self.forge.shown if STATIC in one], self.forge.shown)
        self.assertTrue([one for one in self.forge.shown if one.startswith("oauth2:ey")], (self.forge.shown, outcome))
        return outcome

    def is_refused_and_named(self, *names, environment: dict | None = None):
        self.forge.shown.clear()
        outcome = self.run_job("--strict", environment=environment)
        self.assertEqual(78, outcome.code, outcome)
        said = {(one["name"], one["key"]) for one in self.doctor(environment)["secrets"]}
        for name, key in names:
            self.assertIn(f"{self.home / name}: {key} (", outcome.err)
            self.assertIn((str(self.home / name), key), said)
        self.assertEqual([], self.forge.shown)

    def test_a_header_that_authorizes_loses_and_others_stay(self):
        login = base64.b64encode(f"developer:{STATIC}".encode()).decode()
        self.write(".gitconfig", f'[http]\n\textraHeader = X-Team: oncology\n\textraHeader = Authorization: Basic {login}\n'
                                 f'[http "{self.forge.url}/team/model.git"]\n\textraHeader = Authorization: Basic {login}\n')
        outcome = self.git_shows_the_runs_alone()
        self.assertIn(f"out of force for this run, which has its own: {self.home}/.gitconfig: http.extraHeader (Git)", outcome.err)
        self.assertEqual({"oncology"}, set(self.forge.teams))
        self.run_job(repository="elsewhere/notes.git")
        self.assertIn(f"developer:{STATIC}", self.forge.shown)  # at other places the user's settings are the user's

    def test_strict_names_headers(self):
        self.write(".gitconfig", f"[http]\n\textraHeader = Authorization: Basic {STATIC}\n")
        self.is_refused_and_named((".gitconfig", "http.extraHeader"))

    def test_a_header_in_variables_loses(self):
        login = base64.b64encode(f"developer:{STATIC}".encode()).decode()
        variables = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "http.extraHeader", "GIT_CONFIG_VALUE_0": f"Authorization: Basic {login}"}
        outcome = self.git_shows_the_runs_alone(environment=variables)
        self.assertIn("GIT_CONFIG_VALUE_0: http.extraHeader (Git)", outcome.err)

    def test_netrc_loses_at_the_runs_places(self):
        self.write(".netrc", f"machine 127.0.0.1 login developer password {STATIC}\nmachine other.example login developer password {STATIC}\n")
        outcome = self.git_shows_the_runs_alone()
        self.assertIn(f"out of force for this run, which has its own: {self.home}/.netrc: machine 127.0.0.1 (Git)", outcome.err)
        self.assertIn(f"stay, the run has nothing in their place: {self.home}/.netrc: machine other.example (Git)", outcome.err)
        self.run_job(repository="elsewhere/notes.git")
        self.assertIn(f"developer:{STATIC}", self.forge.shown)

    def test_strict_names_netrc(self):
        self.write(".netrc", f"machine 127.0.0.1 login developer password {STATIC}\n")
        self.is_refused_and_named((".netrc", "machine 127.0.0.1"))

    def test_stored_credentials_lose(self):
        self.write(".gitconfig", "[credential]\n\thelper = store\n")
        self.write(".git-credentials", f"http://developer:{STATIC}@{self.forge.name}\n")
        outcome = self.git_shows_the_runs_alone()
        self.assertIn(f"out of force for this run, which has its own: {self.home}/.git-credentials: {self.forge.name} (Git)", outcome.err)
        self.is_refused_and_named((".git-credentials", self.forge.name))

    def test_a_rewriting_with_a_password_wins_and_is_named(self):
        self.write(".gitconfig", f'[url "http://developer:{STATIC}@{self.forge.name}/"]\n\tinsteadOf = {self.forge.url}/\n')
        outcome = self.run_job()
        self.assertEqual(0, outcome.code, outcome)
        self.assertIn(f"used in place of the run's own until you move it away: {self.home}/.gitconfig: url.http://…@{self.forge.name}/.insteadOf (Git)", outcome.err)
        self.is_refused_and_named((".gitconfig", f"url.http://…@{self.forge.name}/.insteadOf"))

    def test_a_remote_with_a_password_is_named(self):
        self.write("clone/.git/config", f'[remote "origin"]\n\turl = http://developer:{STATIC}@{self.forge.name}/team/model.git\n')
        self.write("clone/.git/HEAD", "ref: refs/heads/main\n")
        outcome = self.run_job(cwd=self.home / "clone")
        self.assertIn(f"until you move it away: {self.home}/clone/.git/config: remote.origin.url (Git)", outcome.err)

    def test_logins_at_registries_and_clusters_are_named(self):
        self.write(".docker/config.json", json.dumps({"auths": {name: {"auth": STATIC} for name in ("registry.example", "other.example")}}))
        self.write(".kube/config", f"users:\n- name: admin\n  user:\n    token: {STATIC}\n")
        self.write(".vault-token", STATIC)
        outcome = self.run_job(environment={"DOCKER_AUTH_CONFIG": STATIC, "VAULT_TOKEN": STATIC})
        self.assertEqual(0, outcome.code, outcome)
        self.assertIn(f"out of force for this run, which has its own: DOCKER_AUTH_CONFIG (Docker), {self.home}/.docker/config.json: auths.registry.example (Docker)\n", outcome.err)
        self.assertIn(f"until you move it away: {self.home}/.kube/config: users.token (Kubernetes)\n", outcome.err)
        self.assertIn(f"in their place: VAULT_TOKEN (Vault), {self.home}/.vault-token (Vault), {self.home}/.docker/config.json: auths.other.example (Docker)\n", outcome.err)
        self.is_refused_and_named((".docker/config.json", "auths.registry.example"), (".kube/config", "users.token"))

    def test_dockers_variable_is_taken_out(self):
        outcome = self.writ.cli("run", "--", PYTHON, JOBS / "show.py", environment={"HOME": str(self.home), "DOCKER_AUTH_CONFIG": STATIC}, cwd=self.home)
        seen = json.loads(outcome.out)["environment"]
        self.assertIn("DOCKER_CONFIG", seen, outcome)
        self.assertNotIn("DOCKER_AUTH_CONFIG", seen)

    def test_names_of_files_move_no_cursor(self):
        self.home = self.scratch("\x1b[31mred\x1b]0;title\x07")
        self.write(".netrc", f"machine 127.0.0.1\x1b[2J login developer password {STATIC}\n")
        self.write("bin/python3", "#!/bin/sh\n")
        (self.home / "bin/python3").chmod(0o700)
        for command in (["doctor"], ["run", "--strict", "--", PYTHON, "-c", "pass"]):
            outcome = self.writ.cli(*command, environment={"HOME": str(self.home), "PATH": f"{self.home}/bin:/usr/bin:/bin"}, cwd=self.home)
            self.assertEqual(78, outcome.code, outcome)
            self.assertIn(".netrc: machine 127.0.0.1", outcome.out + outcome.err)
            self.assertNotRegex(outcome.out + outcome.err, "[\x00-\x09\x0b-\x1f\x7f]")

    def test_doctor_says_for_what_nothing_is_declared(self):
        for name in ("git", "psql", "kubectl"):
            self.write(f"bin/{name}", "")
            (self.home / "bin" / name).chmod(0o700)
        states = {one["client"]: one["state"] for one in self.doctor({"PATH": f"{self.home}/bin"})["clients"]}
        self.assertEqual({"git": "by writ run", "kubectl": "by writ run", "psql": "none"}, states)

    def test_a_run_within_a_run_finds_nothing_of_the_first(self):
        inner = [str(EXECUTABLE), "run", "--strict", "--", PYTHON, "-c", "print('inner')"]
        outcome = self.writ.cli("run", "--", PYTHON, JOBS / "call.py", json.dumps([inner]), '[""]', environment={"HOME": str(self.home)}, cwd=self.home)
        self.assertEqual([0, "inner\n"], json.loads(outcome.out)[0][:2], outcome)


if __name__ == "__main__":
    main()
