#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Programs that ask a helper for what they show: git, Docker, skopeo, kubectl, unmodified, in a job under `writ run`, against servers that check the token.
`./check --ecosystem` runs it and writes its part of docs/clients.md.

The servers here verify signatures with a package of the clients' virtual environment; WRIT_CLIENTS_PYTHON names its interpreter.
"""
import base64
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import unittest
from contextlib import ExitStack, contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON = Path(os.environ.get("WRIT_CLIENTS_PYTHON", HERE.parents[1] / "build/clients-python/bin/python3"))
sys.path.insert(0, str(HERE.parent / "scenarios"))
sys.path += [str(path) for path in PYTHON.parent.parent.glob("lib/python3*/site-packages")]

from harness import main  # noqa: E402
from harness.scenario import act_as_nobody  # noqa: E402
from harness.writ import EXECUTABLE  # noqa: E402
from table import ClientTable  # noqa: E402
from tool import SUBJECT, Tool, ToolJob  # noqa: E402

TABLE = ClientTable(("git", "docker", "skopeo", "kubectl"))
INTRODUCTION = """\
Programs that ask a helper. git goes to its own server (git-http-backend) behind one of this tree that verifies the token against the authority's published keys; docker and
skopeo to Debian's docker-registry with token authentication, whose tokens one of this tree gives for ours; kubectl to an endpoint of this tree that takes our token as a bearer's."""


class Git(Tool):
    NAME = "repositories"

    @classmethod
    def start_server(cls) -> None:
        from git_server import OWN_PASSWORD, GitServer
        folder = cls.folder / "repositories"
        folder.mkdir()
        cls.server = GitServer(cls.issuer, SUBJECT, folder)
        for name in ("ml/model", "mlother/secret", "own/notes"):
            cls.server.create(name)
        # What a developer has lying about: a helper that answers for everything.
        (cls.folder / ".gitconfig").write_text(
            f'[user]\n\tname = a\n\temail = a@b\n[credential]\n\thelper = "!f() {{ echo username=developer; echo password={OWN_PASSWORD}; }}; f"\n')
        cls.writ.environment |= {"GIT_TERMINAL_PROMPT": "0"}

    @classmethod
    def places(cls) -> str:
        return f'git: {{ "{cls.server.url}/ml": writ }}'

    def url(self, name: str) -> str:
        return f"{self.server.url}/{name}.git"

    def fetch(self, job: ToolJob) -> str:
        done = job.call("git", "ls-remote", self.url("ml/model"))
        self.assertEqual(0, done.returncode, done.stderr)
        return self.server.shown[-1][0]

    def test_1_clones_and_pushes(self):
        with TABLE.cell("git", "reads"), self.job() as job:
            clone = self.scratch("clone")
            done = job.call("git", "clone", "--quiet", self.url("ml/model"), clone)
            self.assertEqual(0, done.returncode, done.stderr)
            done = job.call("git", "-C", clone, "commit", "--quiet", "--allow-empty", "-m", "from a job")
            self.assertEqual(0, done.returncode, done.stderr)
            with TABLE.cell("git", "writes"):
                done = job.call("git", "-C", clone, "push", "--quiet", "origin", "HEAD:main")
                self.assertEqual(0, done.returncode, done.stderr)
                self.assertEqual(["from a job", "first of ml/model"], self.server.subjects("ml/model"))

    def test_2_keeps_what_the_user_has(self):
        settings = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "alias.greet", "GIT_CONFIG_VALUE_0": "!echo hello"}
        with TABLE.cell("git", "the user's own settings stay, for other places"), self.job(settings) as job:
            self.assertEqual("hello\n", job.call("git", "greet").stdout)
            self.assertIn("refs/heads/main", job.call("git", "ls-remote", self.url("own/notes")).stdout)
            self.assertIn("refs/heads/main", job.call("git", "ls-remote", self.url("ml/model")).stdout)

    def test_3_a_static_password_loses(self):
        with TABLE.cell("git", "static secrets lose"), self.job() as job:
            before = len(self.server.refused)
            self.assertNotEqual("hunter2", self.fetch(job))
            # Asked first without, as git does; then with the token.
            self.assertEqual(1, len(self.server.refused) - before, self.server.refused[before:])

    def test_3_neither_netrc_nor_a_header_wins(self):
        from git_server import OWN_PASSWORD
        home = self.scratch("home")
        home.mkdir()
        login = base64.b64encode(f"developer:{OWN_PASSWORD}".encode()).decode()
        (home / ".netrc").write_text(f"machine 127.0.0.1 login developer password {OWN_PASSWORD}\n")
        (home / ".gitconfig").write_text(f"[http]\n\textraHeader = Authorization: Basic {login}\n[credential]\n\thelper = store\n")
        (home / ".git-credentials").write_text(f"http://developer:{OWN_PASSWORD}@{self.server.url.removeprefix('http://')}\n")
        with TABLE.cell("git", "static secrets lose"), self.job({"HOME": str(home)}) as job:
            before = len(self.server.refused)
            self.assertNotEqual(OWN_PASSWORD, self.fetch(job))
            self.assertFalse([refused for refused in self.server.refused[before:] if "developer" in refused], self.server.refused[before:])
            # At other places they are the user's, as before.
            self.assertIn("refs/heads/main", job.call("git", "ls-remote", self.url("own/notes")).stdout)

    def test_4_shows_it_nowhere_else(self):
        with TABLE.cell("git", "the token goes nowhere else"), self.job() as job:
            for name in ("mlother/secret", "ml/../mlother/secret"):
                done = job.call("git", "ls-remote", self.url(name))
                self.assertNotEqual(0, done.returncode, name)
            self.assertNotIn("mlother", json.dumps([path for _, path in self.server.shown]))
            other = self.server.url.replace("127.0.0.1", "127.0.0.2")
            for question in (f"protocol=http\nhost={other.removeprefix('http://')}\npath=ml/model.git\n\n", "protocol=https\nhost=evil.example\npath=ml/model.git\n\n", "nonsense\n\n"):
                done = job.call(EXECUTABLE, "git-credential", "get", text=question)
                self.assertEqual((1, "quit=true\n"), (done.returncode, done.stdout), done.stderr)

    def test_5_says_when_it_ends_and_keeps_nothing(self):
        question = f"protocol=http\nhost={self.server.url.removeprefix('http://')}\npath=ml/model.git\n"
        with self.job() as job:
            answer = dict(line.split("=", 1) for line in job.call(EXECUTABLE, "git-credential", "get", text=question).stdout.splitlines())
            self.assertEqual({"username", "password", "password_expiry_utc"}, set(answer))
            claims = self.issuer.verify(answer["password"], self.server.url)
            self.assertEqual(claims["exp"], int(answer["password_expiry_utc"]))
            for operation in ("store", "erase", "another"):
                done = job.call(EXECUTABLE, "git-credential", operation, text=question + "password=x\n")
                self.assertEqual((0, ""), (done.returncode, done.stdout), done.stderr)

    def test_6_goes_through_two_rotations_and_a_restart_of_the_agent(self):
        with TABLE.cell("git", "goes through two rotations and a restart of the agent"):
            self.goes_through_two_rotations_and_a_restart(self.fetch)

    def test_7_a_policy_that_says_no_ends_it(self):
        with TABLE.cell("git", "ends when policy says no"):
            self.a_policy_that_says_no_ends_it(lambda job: job.call("git", "ls-remote", self.url("ml/model")).returncode != 0)

    def test_8_others_are_refused(self):
        question = f"protocol=http\nhost={self.server.url.removeprefix('http://')}\npath=ml/model.git\n\n"

        def ask(**options):
            return subprocess.run([EXECUTABLE, "git-credential", "get"], input=question, env=self.writ.environment, capture_output=True, text=True, check=False, **options)
        with TABLE.cell("git", "a process of no run gets nothing"), self.job() as job:
            self.fetch(job)
            stranger = ask()
            self.assertEqual((77, "quit=true\n"), (stranger.returncode, stranger.stdout), stranger.stderr)
            if os.getuid() == 0:
                self.assertEqual("77 quit=true\n", act_as_nobody(lambda: "{0.returncode} {0.stdout}".format(ask())))

    def test_9_it_is_on_record_and_no_secret_is(self):
        with self.job() as job:
            self.fetch(job)
        self.is_on_record_and_no_secret_is({token for token, _ in self.server.shown})


class Images(Tool):
    NAME = "images"

    @classmethod
    def setUpClass(cls):
        cls.clients = [name for name in ("docker", "skopeo") if shutil.which(name)]
        if missing := [name for name in ("skopeo", "docker-registry") if not shutil.which(name)]:
            raise unittest.SkipTest(f"no {', '.join(missing)}: `./check --ecosystem` installs it")
        super().setUpClass()

    @classmethod
    def start_server(cls) -> None:
        from image_registry import OWN_PASSWORD, ImageRegistry, write_image
        folder = cls.folder / "registry"
        folder.mkdir()
        cls.server = ImageRegistry(cls.issuer, SUBJECT, folder)
        write_image(cls.folder / "image", "first")
        # What a developer has lying about: a login at the same registry, one at another, and a context.
        cls.docker_folder = cls.folder / ".docker"
        (cls.docker_folder / "contexts/meta").mkdir(parents=True)
        login = base64.b64encode(f"developer:{OWN_PASSWORD}".encode()).decode()
        (cls.docker_folder / "config.json").write_text(json.dumps(
            {"auths": {cls.server.name: {"auth": login}, "other.example": {"auth": login}}, "credHelpers": {"third.example": "gcloud"}, "detachKeys": "ctrl-e,e"}))
        logins = cls.folder / ".config/containers"
        logins.mkdir(parents=True)
        (logins / "auth.json").write_text(json.dumps({"auths": {cls.server.name: {"auth": login}, "fourth.example": {"auth": login}}}))
        # Docker's own program may be anywhere on PATH.
        cls.writ.environment |= {"PATH": os.environ["PATH"], "DOCKER_CLI_HINTS": "false"}

    @classmethod
    def places(cls) -> str:
        return f'docker: {{ "{cls.server.name}": writ }}'

    def image(self, name: str) -> str:
        return f"{self.server.name}/{name}"

    def push(self, job: ToolJob, name: str):
        return job.call("skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false", f"oci:{self.folder / 'image'}", f"docker://{self.image(name)}")

    def inspect(self, client: str, job: ToolJob, name: str = "ml/model:1"):
        # What of Docker's program goes to the registry itself, and not through its daemon.
        if client == "docker":
            return job.call("docker", "manifest", "inspect", "--insecure", self.image(name))
        return job.call("skopeo", "inspect", "--tls-verify=false", f"docker://{self.image(name)}")

    def each(self, what: str, check) -> None:
        with self.job() as job:
            self.assertEqual(0, self.push(job, "ml/model:1").returncode)
        for client in self.clients:
            with self.subTest(client=client), TABLE.cell(client, what):
                check(client)

    @contextmanager
    def each_cell(self, what: str):
        """Of what is the helper's, or the configuration's: whichever client it is that asks."""
        with ExitStack() as cells:
            for client in self.clients:
                cells.enter_context(TABLE.cell(client, what))
            yield

    def test_1_pushes_and_pulls(self):
        with self.job() as job:
            with TABLE.cell("skopeo", "writes"):
                done = self.push(job, "ml/model:1")
                self.assertEqual(0, done.returncode, (done.stderr, self.server.refused))
            with TABLE.cell("skopeo", "reads"):
                done = self.inspect("skopeo", job)
                self.assertEqual({"model": "first"}, json.loads(done.stdout or "{}").get("Labels"), done.stderr)

    def test_1_docker_too(self):
        if "docker" not in self.clients:
            self.skipTest("no docker")
        with self.job() as job:
            self.assertEqual(0, self.push(job, "ml/model:1").returncode)
            with TABLE.cell("docker", "reads"):
                self.assertEqual(2, json.loads(self.inspect("docker", job).stdout)["schemaVersion"])
            with TABLE.cell("docker", "writes"):
                for command in (("create", "--insecure", self.image("ml/model:all"), self.image("ml/model:1")), ("push", "--insecure", self.image("ml/model:all"))):
                    done = job.call("docker", "manifest", *command)
                    self.assertEqual(0, done.returncode, done.stderr)
                self.assertIn("manifests", json.loads(self.inspect("docker", job, "ml/model:all").stdout))

    def test_2_keeps_what_the_user_has(self):
        with self.each_cell("the user's own settings stay, for other places"), self.job() as job:
            folder = Path(job.variables["DOCKER_CONFIG"])
            written, own = json.loads((folder / "config.json").read_text()), json.loads((self.docker_folder / "config.json").read_text())
            self.assertEqual(own | {"credHelpers": {"third.example": "gcloud", self.server.name: "writ"}}, written)
            self.assertEqual(0o600, (folder / "config.json").stat().st_mode & 0o777)
            self.assertTrue((folder / "contexts/meta").is_dir())
            for_others = json.loads(Path(job.variables["REGISTRY_AUTH_FILE"]).read_text())
            self.assertEqual({self.server.name, "other.example", "fourth.example"}, set(for_others["auths"]))
            self.assertEqual(written["credHelpers"], for_others["credHelpers"])
        self.assertFalse(folder.exists())
        self.assertTrue((self.docker_folder / "contexts/meta").is_dir())

    def test_3_a_static_login_loses(self):
        def check(client):
            with self.job() as job:
                before = len(self.server.refused)
                self.assertEqual(0, self.inspect(client, job).returncode)
                self.assertNotIn("hunter2", [shown for shown, _ in self.server.shown])
                self.assertFalse([refused for refused in self.server.refused[before:] if "developer" in refused])
        self.each("static secrets lose", check)

    def test_4_shows_it_nowhere_else(self):
        with self.each_cell("the token goes nowhere else"), self.job() as job:
            helper = ("docker-credential-writ", "get")
            for other in ("other.example", self.server.name + ".evil.example", self.server.name.replace("127.0.0.1", "127.0.0.2"), "127.0.0.1"):
                done = job.call(*helper, text=other)
                self.assertEqual((1, "credentials not found in native keychain\n"), (done.returncode, done.stdout), other)
            done = job.call(*helper, text=self.server.name)
            self.assertEqual({"ServerURL", "Username", "Secret"}, set(json.loads(done.stdout)))
            self.assertEqual({self.server.name: "writ"}, json.loads(job.call("docker-credential-writ", "list").stdout))
            for operation in ("store", "erase"):
                done = job.call("docker-credential-writ", operation, text='{"ServerURL":"a","Username":"b","Secret":"c"}')
                self.assertEqual(1, done.returncode)
                self.assertIn("nothing is stored", done.stdout)

    def test_6_goes_through_two_rotations_and_a_restart_of_the_agent(self):
        def check(client):
            def show(job):
                done = self.inspect(client, job)
                self.assertEqual(0, done.returncode, done.stderr)
                return self.server.shown[-1][0]
            self.goes_through_two_rotations_and_a_restart(show)
        self.each("goes through two rotations and a restart of the agent", check)

    def test_7_a_policy_that_says_no_ends_it(self):
        self.each("ends when policy says no", lambda client: self.a_policy_that_says_no_ends_it(lambda job: self.inspect(client, job).returncode != 0))

    def test_8_others_are_refused(self):
        with self.each_cell("a process of no run gets nothing"):
            stranger = subprocess.run([EXECUTABLE, "docker-credential", "get"], input=self.server.name, env=self.writ.environment, capture_output=True, text=True, check=False)
            self.assertEqual(1, stranger.returncode)
            self.assertIn("only a process of a run", stranger.stdout)

    def test_9_it_is_on_record_and_no_secret_is(self):
        self.is_on_record_and_no_secret_is({token for token, _ in self.server.shown})


class Kubectl(Tool):
    NAME = "cluster"

    @classmethod
    def setUpClass(cls):
        if not shutil.which("kubectl"):
            raise unittest.SkipTest("no kubectl")
        super().setUpClass()

    @classmethod
    def start_server(cls) -> None:
        from cluster import Cluster
        cls.server = Cluster(cls.issuer, SUBJECT, cls.folder)
        cls.write_kubeconfig("kubeconfig", [], True)
        cls.writ.environment |= {"KUBECONFIG": str(cls.folder / "kubeconfig"), "PATH": os.environ["PATH"]}

    @classmethod
    def write_kubeconfig(cls, name: str, arguments: list[str], tells_cluster: bool) -> None:
        execute = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(EXECUTABLE), "args": ["kubectl-credential", *arguments], "interactiveMode": "Never",
                   "provideClusterInfo": tells_cluster}
        (cls.folder / name).write_text(json.dumps(
            {"apiVersion": "v1", "kind": "Config", "current-context": "ml", "contexts": [{"name": "ml", "context": {"cluster": "ml", "user": "writ", "namespace": "ml"}}],
             "clusters": [{"name": "ml", "cluster": {"server": cls.server.url, "certificate-authority": str(cls.server.ca_file)}}],
             "users": [{"name": "writ", "user": {"exec": execute}}]}))

    @classmethod
    def places(cls) -> str:
        return f"kubernetes: [ {cls.server.url} ]"

    def kubectl(self, job: ToolJob, *arguments, **options):
        return job.call("kubectl", *arguments, **options)

    def show(self, job: ToolJob) -> str:
        done = self.kubectl(job, "get", "--raw", "/version")
        self.assertEqual(0, done.returncode, done.stderr)
        return self.server.shown[-1][0]

    def test_1_writes_and_reads(self):
        with TABLE.cell("kubectl", "writes"), self.job() as job:
            settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"model": "fraud"}}
            done = self.kubectl(job, "create", "--validate=false", "-f", "-", text=json.dumps(settings))
            self.assertEqual(0, done.returncode, (done.stderr, self.server.refused))
            with TABLE.cell("kubectl", "reads"):
                self.assertEqual("fraud", self.kubectl(job, "get", "configmap", "settings", "-o", "jsonpath={.data.model}").stdout)

    def test_2_by_name_and_as_the_only_one(self):
        self.write_kubeconfig("named", ["--server", self.server.url], False)
        self.write_kubeconfig("only", [], False)
        self.write_kubeconfig("other", ["--server", self.server.url.replace("127.0.0.1", "localhost")], False)
        with self.job() as job:
            for name, expected in (("named", 0), ("only", 0), ("other", 1)):
                done = self.kubectl(job, "get", "--raw", "/version", environment={"KUBECONFIG": str(self.folder / name)})
                self.assertEqual(expected, done.returncode, (name, done.stderr))

    def test_3_says_when_it_ends(self):
        with TABLE.cell("kubectl", "the token goes nowhere else"), self.job() as job:
            asked = {"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "spec": {"interactive": False, "cluster": {"server": self.server.url}}}
            done = job.call(EXECUTABLE, "kubectl-credential", environment={"KUBERNETES_EXEC_INFO": json.dumps(asked)})
            answer = json.loads(done.stdout)
            self.assertEqual(("ExecCredential", asked["apiVersion"]), (answer["kind"], answer["apiVersion"]))
            ends = datetime.datetime.fromisoformat(answer["status"]["expirationTimestamp"]).timestamp()
            self.assertEqual(self.issuer.verify(answer["status"]["token"], self.server.url)["exp"], int(ends))
            asked["spec"]["cluster"]["server"] = "https://evil.example"
            done = job.call(EXECUTABLE, "kubectl-credential", environment={"KUBERNETES_EXEC_INFO": json.dumps(asked)})
            self.assertEqual((1, ""), (done.returncode, done.stdout), done.stderr)

    def test_6_goes_through_two_rotations_and_a_restart_of_the_agent(self):
        with TABLE.cell("kubectl", "goes through two rotations and a restart of the agent"):
            self.goes_through_two_rotations_and_a_restart(self.show)

    def test_7_a_policy_that_says_no_ends_it(self):
        with TABLE.cell("kubectl", "ends when policy says no"):
            self.a_policy_that_says_no_ends_it(lambda job: self.kubectl(job, "get", "--raw", "/version").returncode != 0)

    def test_8_others_are_refused(self):
        with TABLE.cell("kubectl", "a process of no run gets nothing"):
            stranger = self.writ.cli("kubectl-credential", "--server", self.server.url)
            self.assertEqual((77, ""), (stranger.code, stranger.out), stranger)

    def test_9_it_is_on_record_and_no_secret_is(self):
        with self.job() as job:
            self.show(job)
        self.is_on_record_and_no_secret_is({token for token, _ in self.server.shown})


def versions() -> dict[str, str]:
    commands = {"git": ["git", "--version"], "docker": ["docker", "--version"], "skopeo": ["skopeo", "--version"], "kubectl": ["kubectl", "version", "--client"]}
    found = {}
    for name, command in commands.items():
        said = subprocess.run(command, capture_output=True, text=True, check=False).stdout if shutil.which(name) else ""
        number = re.search(r"\d+(\.\d+)+", said)
        found[name] = number[0] if number else ""
    return found


def tearDownModule():
    if target := os.environ.get("WRIT_CLIENTS_TABLE"):
        TABLE.write_part(Path(target), versions(), "Helpers", INTRODUCTION)


if __name__ == "__main__":
    main()
