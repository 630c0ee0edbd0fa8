#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Google's and Azure's clients, as they come from PyPI, under `writ run`, against endpoints that verify what the clouds verify (google_cloud.py, microsoft_azure.py).
`./check --ecosystem` runs it and writes its part of docs/clients.md.

The interpreter is Debian's python3.11 in a virtual environment with the pinned clients; WRIT_CLIENTS_PYTHON names it.
"""
import base64
import json
import os
import pwd
import sys
import unittest
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON = Path(os.environ.get("WRIT_CLIENTS_PYTHON", HERE.parents[1] / "build/clients-python/bin/python3"))
sys.path.insert(0, str(HERE.parent / "scenarios"))
sys.path += [str(path) for path in PYTHON.parent.parent.glob("lib/python3*/site-packages")]

from harness import Scenario, main, wait_until  # noqa: E402
from harness.scenario import act_as_nobody  # noqa: E402
from harness.writ import EXECUTABLE  # noqa: E402
from steps import Steps  # noqa: E402
import node  # noqa: E402
from table import ClientTable, pip_versions  # noqa: E402

JOB = HERE / "jobs/cloud_job.py"
SUBJECT = f"spiffe://oncology.example/ml/{pwd.getpwuid(os.getuid()).pw_name}/train"

COMMON = """\
kind: TrustProvider
name: unix
type: unix
---
kind: Workload
name: trainer
id: spiffe://oncology.example/ml/{{unix.user}}/train
match: {{ unix.path: [/usr/bin/python3.11, {node}] }}
svid_lifetime: {lifetime}
uses:
  - {{ action: read, dataset: genomes }}
  - {{ action: write, dataset: checkpoints }}
---
kind: Dataset
name: genomes
location: {genomes}
purpose: [train]
credential: {reader}
---
kind: Dataset
name: checkpoints
location: {checkpoints}
purpose: [train]
credential: {writer}
---
"""
POLICIES = """\
@id("for-declared-purposes")
permit (principal, action in [Action::"read", Action::"write"], resource is Dataset) when { resource.purpose.contains(context.purpose) };
"""


STATIC_LOSES = "static keys in variables and in files lose"


class Cloud(Scenario):
    """An authority and an agent as two processes, so that each can be killed by itself; a cloud beside them."""

    CLIENTS: tuple[str, ...] = ()
    table: ClientTable
    refusal = "403|Forbidden|Permission|not authorized"

    @classmethod
    def setUpClass(cls):
        if cls is Cloud:
            raise unittest.SkipTest("each cloud has its own")
        if not PYTHON.exists():
            raise unittest.SkipTest(f"no {PYTHON}: `./check --ecosystem` makes it")
        super().setUpClass()
        cls.writ.environment |= node.ENVIRONMENT
        from issuer import Issuer
        cls.table = ClientTable(cls.CLIENTS)
        cls.writ.start_authority()
        cls.issuer = Issuer(cls.writ)
        cls.start_cloud()
        cls.addClassCleanup(cls.cloud.stop)
        cls.agent = cls.writ.start_agent(cls.writ.join_token())
        cls.declare("1h")

    @classmethod
    def declare(cls, lifetime: str, policies: str = POLICIES, prune: bool = False) -> None:
        folder = cls.folder / "declared"
        folder.mkdir(exist_ok=True)
        (folder / "cloud.yaml").write_text(cls.declarations(lifetime))
        (folder / "policies.cedar").write_text(policies)
        outcome = cls.writ.cli("apply", "-f", folder, *(["--prune"] if prune else []))
        if outcome.code != 0:
            raise AssertionError(outcome)

    def job(self, client: str, *arguments, environment: dict | None = None, options: tuple = ()):
        outcome = self.writ.cli("run", "--purpose", "train", *options, "--", *job_of(client), client, *arguments, environment=self.home_of(client) | (environment or {}))
        self.assertIn(outcome.code, (0, 3), outcome)
        return json.loads(outcome.out.splitlines()[-1]), outcome

    def value(self, client: str, *arguments, **options):
        answer, outcome = self.job(client, *arguments, **options)
        self.assertIn("value", answer, outcome)
        return answer["value"]

    def refused(self, client: str, *arguments) -> None:
        answer, outcome = self.job(client, *arguments)
        self.assertIn("error", answer, outcome)
        self.assertRegex(answer["error"], self.refusal)

    def each(self, what: str, check, clients: tuple[str, ...] | None = None) -> None:
        for client in clients or self.CLIENTS:
            with self.subTest(client=client):
                with self.table.cell(client, what):
                    check(client)

    def steps(self, client: str, *, name: str = "public/a") -> Steps:
        return Steps(self, [*job_of(client), client], plain(client), self.home_of(client)).start("genomes", name)

    def home_of(self, client: str) -> dict:
        """Where a developer's files lie about, unless a client would take them whatever it is told."""
        return {}

    # ---- the stories that both clouds tell

    def reads_and_lists(self):
        def check(client):
            self.assertEqual("genomes/public/a", self.value(client, "get", "genomes", "public/a"))
            self.assertEqual(["public/a", "public/b"], sorted(self.value(client, "list", "genomes", "public/")))
        self.each("reads and lists", check)

    def static_keys_lose(self, static: dict, named: tuple[str, ...], clients: tuple[str, ...] | None = None):
        def check(client):
            answer, outcome = self.job(client, "get", "genomes", "public/a", environment=static)
            self.assertEqual({"value": "genomes/public/a"}, answer, outcome)
            for name in named:
                self.assertIn(name, outcome.err)
            self.assertNotIn("hunter2", outcome.err)
        self.each(STATIC_LOSES, check, clients)

    def strict_does_not_start(self, static: dict):
        marker = self.scratch("started")
        outcome = self.writ.cli("run", "--strict", "--purpose", "train", "--", "/usr/bin/touch", marker, environment=static)
        self.assertEqual(78, outcome.code, outcome)
        self.assertIn(next(iter(static)), outcome.err)
        self.assertFalse(marker.exists())

    def forked_workers(self):
        self.each("forked workers share the run", lambda client: self.assertEqual(["genomes/public/a"] * 8, self.value(client, "forked", "genomes", "public/a")))

    def survives_a_restart_of_the_agent(self):
        def check(client):
            with self.steps(client) as job:
                self.assertEqual("genomes/public/a", job.step())
                self.agent.kill()
                type(self).agent = self.writ.start_agent()
                self.assertEqual("genomes/public/a", job.step())
            # Also one that asks for the first time after it.
            self.assertEqual("genomes/public/a", self.value(client, "get", "genomes", "public/a"))
        self.each("goes on after a restart of the agent", check)

    def goes_through_two_rotations(self, set_lifetime):
        """Declarations that change make the agent ask anew; a token that is near its end makes the client ask the agent."""
        def check(client):
            with self.steps(client) as job:
                self.assertEqual("genomes/public/a", job.step())
                used = {self.cloud.seen[-1][0]}
                for lifetime in ("59m", "1h"):
                    self.declare(lifetime)

                    def moved_on():
                        self.assertEqual("genomes/public/a", job.step())
                        return self.cloud.seen[-1][0] not in used
                    wait_until("the job reads with another token", moved_on, 60)
                    used.add(self.cloud.seen[-1][0])
                self.assertEqual(3, len(used))
        set_lifetime(True)
        try:
            self.declare("59m")
            self.declare("1h")
            self.each("goes through two rotations", check)
        finally:
            set_lifetime(False)
            self.declare("59m")
            self.declare("1h")

    def a_policy_that_says_no_ends_what_is_served(self, url: str, headers):
        with self.steps(self.CLIENTS[0]) as job:
            self.assertEqual("genomes/public/a", job.step())
            base = local_endpoint(job.variables)
            self.assertEqual(200, job.ask(base + url, headers(job.variables)))
            self.declare("1h", POLICIES.replace("permit", "forbid"))
            try:
                wait_until("no new token", lambda: job.ask(base + url, headers(job.variables)) == 403)
            finally:
                self.declare("1h")

    def others_are_refused(self, url: str, headers, without: tuple[dict, int]):
        with self.steps(self.CLIENTS[0]) as job:
            self.assertEqual("genomes/public/a", job.step())
            url, shown = local_endpoint(job.variables) + url, headers(job.variables)
            self.assertEqual(401, ask(url, shown), "what the job shows opened it for a stranger")
            self.assertEqual(200, job.ask(url, shown))
            self.assertEqual(without[1], job.ask(url, without[0]))
            self.assertEqual(403, job.ask(url, shown | {"Host": "rebound.example"}))
            self.assertEqual(403, job.ask(url, shown | {"X-Forwarded-For": "10.0.0.1"}))
            self.assertEqual(403, job.ask(url, shown | {"Origin": "http://evil.example"}))
            if os.getuid() == 0:
                self.assertEqual("401", act_as_nobody(lambda: ask(url, shown)))

    def is_on_record(self, kind: str, scopes: set[str]):
        self.value(self.CLIENTS[0], "get", "genomes", "public/a")
        issued = [item["record"] for item in self.writ.records(type="issuance") if item["record"].get("credential", {}).get("kind") == kind]
        self.assertEqual(scopes, {record["credential"]["scope"] for record in issued})
        log = json.dumps(self.writ.records())
        for token in self.cloud.tokens:
            self.assertNotIn(token, log)
        self.assertEqual(0, self.writ.verify_log().code)
        self.assertEqual([], self.writ.admin("GET", "/v1/leases").json["leases"])

    def doctor_knows(self, client: str, secret: str):
        """Before a run, with and without a secret in sight; in one, where it asks the endpoint as the client would; and with a secret set since."""
        arguments = ["doctor", "--json", "--", PYTHON, JOB]
        state_of = lambda outcome: {one["client"]: one for one in json.loads(outcome.out)["clients"]}[client]  # noqa: E731
        before = self.writ.cli(*arguments)
        self.assertEqual((78, "shadowed"), (before.code, state_of(before)["state"]), before)
        empty = self.scratch("home")
        empty.mkdir()
        clean = self.writ.cli(*arguments, environment={"HOME": str(empty)})
        self.assertEqual((0, "by writ run"), (clean.code, state_of(clean)["state"]), clean)
        alone = self.writ.cli(*arguments, environment={"HOME": str(empty), "WRIT_RUN_DIR": str(empty)})
        self.assertEqual((69, "unreachable"), (alone.code, state_of(alone)["state"]), alone)
        code = "import os, subprocess, sys; sys.exit(subprocess.call(sys.argv[2:], env=os.environ | ({sys.argv[1]: 'hunter2'} if sys.argv[1] else {})))"
        for variable, expected in (("", (0, "in use")), (secret, (78, "shadowed"))):
            inside = self.writ.cli("run", "--purpose", "train", "--", PYTHON, "-c", code, variable, EXECUTABLE, *arguments)
            self.assertEqual(expected, (inside.code, state_of(inside)["state"]), inside)
            self.assertNotIn("hunter2", inside.out + inside.err)

    @classmethod
    def tearDownClass(cls):
        if target := os.environ.get("WRIT_CLIENTS_TABLE"):
            cls.table.write_part(Path(target), pip_versions(PYTHON) | node.versions(), cls.TITLE, cls.INTRODUCTION)


def job_of(client: str) -> list:
    return [node.PROGRAM, node.JOB] if client.startswith("@") else [PYTHON, JOB]


def plain(client: str) -> str:
    return client.replace("/", "-")


def local_endpoint(variables: dict) -> str:
    host = variables.get("GCE_METADATA_HOST")
    return f"http://{host}" if host else variables["IDENTITY_ENDPOINT"].split("/azure/")[0]


def ask(url: str, headers: dict, body: bytes | None = None) -> int:
    try:
        return urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=20).status
    except urllib.error.HTTPError as error:
        return error.code


FLAVOR = {"Metadata-Flavor": "Google"}
TOKEN_PATH = "/computeMetadata/v1/instance/service-accounts/default/token"


class Google(Cloud):
    CLIENTS = ("google-cloud-storage", "google-auth", "gcsfs", *node.clients("@google-cloud/storage"))
    TITLE = "Google Cloud"
    INTRODUCTION = """\
Channel: the metadata server of a machine at Google (`GCE_METADATA_HOST`). The other side is an endpoint in this tree (tests/ecosystem/google_cloud.py) that verifies the
assertion against the authority's published keys and holds tokens to their access boundary; Google itself was not tried. The token is for reading
`gs://genomes/public` and writing `gs://models/trainer`; the service account may do anything. Node's client would take a login in ~/.config/gcloud wherever
`CLOUDSDK_CONFIG` points: where there is one, `writ run` gives it an external account, which it exchanges at the agent."""
    NODE = "@google-cloud/storage"

    @classmethod
    def start_cloud(cls) -> None:
        from google_cloud import GoogleCloud
        cls.cloud = GoogleCloud(cls.issuer, SUBJECT)
        for bucket, name in (("genomes", "public/a"), ("genomes", "public/b"), ("genomes", "private/a"), ("genomes", "public-not/a"), ("others", "public/a")):
            cls.cloud.objects[bucket, name] = f"{bucket}/{name}".encode()
        # gcsfs asks for the kind of a bucket by gRPC, which this endpoint does not speak; where it gets no answer it goes on, after a minute.
        cls.writ.environment |= {"GCS_URL": cls.cloud.url, "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false"}
        gcloud = cls.folder / ".config/gcloud"
        gcloud.mkdir(parents=True)
        # What a developer has lying about.
        (gcloud / "application_default_credentials.json").write_text(json.dumps(
            {"type": "authorized_user", "client_id": "x", "client_secret": "hunter2", "refresh_token": "hunter2"}))

    def home_of(self, client: str) -> dict:
        return {"HOME": str(self.folder / "clean-home")} if client == self.NODE and not self.has_login else {}

    has_login = False

    @classmethod
    def declarations(cls, lifetime: str) -> str:
        from google_cloud import ACCOUNT, PROVIDER
        return COMMON.format(lifetime="1h", genomes="gs://genomes/public", checkpoints="gs://models/trainer", reader="store", writer="store", node=node.PATH) + f"""\
kind: CredentialProvider
name: store
type: gcp_sts
workload_identity_provider: {PROVIDER}
service_account: {ACCOUNT}
sts_endpoint: {cls.cloud.url}
iam_endpoint: {cls.cloud.url}
lifetime: {lifetime}
"""

    def test_01_reads_and_lists(self):
        self.reads_and_lists()

    def test_02_writes(self):
        def check(client):
            self.value(client, "put", "models", f"trainer/{plain(client)}", client)
            self.assertEqual(client.encode(), self.cloud.objects["models", f"trainer/{plain(client)}"])
            self.assertEqual(client, self.value(client, "get", "models", f"trainer/{plain(client)}"))
        self.each("writes, and reads it back", check)

    def test_03_what_the_boundary_leaves_out_is_refused(self):
        def check(client):
            for bucket, name in (("genomes", "private/a"), ("genomes", "public-not/a"), ("others", "public/a")):
                self.refused(client, "get", bucket, name)
            self.refused(client, "put", "genomes", "public/a", "tampered")
            self.refused(client, "list", "genomes", "private/")
            self.assertEqual(b"genomes/public/a", self.cloud.objects["genomes", "public/a"])
        self.each("another prefix, another bucket, a write with read-only are refused", check)

    def test_04_static_keys_lose(self):
        key = self.scratch("key.json")
        key.write_text(json.dumps({"type": "service_account", "client_email": "static@acme.iam.gserviceaccount.com", "private_key": "hunter2", "token_uri": "https://127.0.0.1:9"}))
        self.has_login = True
        self.static_keys_lose({"GOOGLE_APPLICATION_CREDENTIALS": str(key), "NO_GCE_CHECK": "true", "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1:1"},
                              ("GOOGLE_APPLICATION_CREDENTIALS", "application_default_credentials.json"))

    def test_16_beside_a_login_nodes_client_goes_through_all_of_it(self):
        if self.NODE not in self.CLIENTS:
            self.skipTest("no npm client")
        with self.steps(self.NODE) as job:
            self.assertNotIn("google_application_credentials", job.variables)
        self.has_login = True
        self.each("the same beside a login of the user's", self.lives_beside_a_login, (self.NODE,))

    def lives_beside_a_login(self, client: str) -> None:
        self.assertEqual(["genomes/public/a"] * 8, self.value(client, "forked", "genomes", "public/a"))
        self.refused(client, "get", "genomes", "private/a")
        self.refused(client, "put", "genomes", "public/a", "tampered")
        with self.steps(client) as job:
            self.assertEqual("genomes/public/a", job.step())
            self.agent.kill()
            type(self).agent = self.writ.start_agent()
            self.assertEqual("genomes/public/a", job.step())
            account = json.loads(Path(job.variables["google_application_credentials"]).read_text())
            form = urllib.parse.urlencode({"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token": Path(account["credential_source"]["file"]).read_text()}).encode()
            self.assertEqual(401, ask(account["token_url"], {}, form), "what the job shows opened it for a stranger")
            self.assertEqual(401, ask(account["token_url"], {}, b""))

    def test_05_strict_does_not_start(self):
        self.strict_does_not_start({"GOOGLE_APPLICATION_CREDENTIALS": "/nowhere"})

    def test_06_forked_workers(self):
        self.forked_workers()

    def test_07_survives_a_restart_of_the_agent(self):
        self.survives_a_restart_of_the_agent()

    def test_08_goes_through_two_rotations(self):
        # google-auth takes a token with less than 3 min 45 s for none.
        def set_lifetime(is_short: bool):
            self.cloud.lifetime_max = 228 if is_short else 3600
        self.goes_through_two_rotations(set_lifetime)

    def test_09_a_policy_that_says_no_ends_what_is_served(self):
        self.a_policy_that_says_no_ends_what_is_served(TOKEN_PATH, lambda variables: FLAVOR)

    def test_10_others_are_refused(self):
        self.others_are_refused(TOKEN_PATH, lambda variables: FLAVOR, ({}, 403))

    def test_11_identity_is_the_runs_own(self):
        with self.table.cell("google-auth", "gives an identity token for any audience: the run's JWT-SVID"):
            token = self.value("google-auth", "identity", "https://service.example")
            claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
            self.assertEqual((SUBJECT, self.issuer.url), (claims["sub"], claims["iss"]))
            self.assertIn("https://service.example", claims["aud"])

    def test_12_project_is_the_declared_one(self):
        for client in ("google-cloud-storage", "google-auth"):
            self.assertEqual("acme-ml", self.value(client, "project"))

    def test_13_it_is_on_record_and_no_secret_is(self):
        self.is_on_record("gcp_sts", {"read gs://genomes/public, write gs://models/trainer"})

    def test_15_doctor_knows(self):
        self.doctor_knows("google-cloud-storage", "GOOGLE_APPLICATION_CREDENTIALS")

    def test_14_an_unknown_subject_is_refused_by_google(self):
        self.cloud.subject = "spiffe://oncology.example/somebody/else"
        try:
            self.declare("59m")
            answer, outcome = self.job("google-auth", "get", "genomes", "public/a")
            self.assertIn("error", answer, outcome)
        finally:
            self.cloud.subject = SUBJECT
            self.declare("1h")
        self.assertEqual("genomes/public/a", self.value("google-auth", "get", "genomes", "public/a"))


class Azure(Cloud):
    CLIENTS = ("azure-storage-blob", "azure-machine-learning", "adlfs", *node.clients("@azure/identity"))
    TITLE = "Azure"
    INTRODUCTION = """\
Channel: the managed identity of App Service (`IDENTITY_ENDPOINT`), that of Azure ML (`MSI_ENDPOINT`), or `AZURE_FEDERATED_TOKEN_FILE`. The other side is an endpoint in this
tree (tests/ecosystem/microsoft_azure.py) that verifies the assertion against the authority's published keys; Azure itself was not tried. Entra narrows no token to a
container or to reading: an application that may only read is what bounds it."""
    checkpoints = False
    token_file = False

    @classmethod
    def start_cloud(cls) -> None:
        from microsoft_azure import ACCOUNT, MicrosoftAzure
        cls.cloud = MicrosoftAzure(cls.issuer, SUBJECT, cls.folder)
        for container, name in (("genomes", "public/a"), ("genomes", "public/b"), ("others", "public/a")):
            cls.cloud.blobs[container, name] = f"{container}/{name}".encode()
        cls.writ.environment |= {"BLOB_URL": f"{cls.cloud.url}/{ACCOUNT}", "REQUESTS_CA_BUNDLE": str(cls.cloud.ca_file), "SSL_CERT_FILE": str(cls.cloud.ca_file), "NODE_EXTRA_CA_CERTS": str(cls.cloud.ca_file)}
        (cls.folder / ".azure").mkdir()
        (cls.folder / ".azure/msal_token_cache.json").write_text('{"RefreshToken": "hunter2"}')

    @classmethod
    def declarations(cls, lifetime: str) -> str:
        from microsoft_azure import AUDIENCE, READER, TENANT, WRITER
        host = cls.cloud.url.removeprefix("https://")
        reader, writer = ("containers-w", "containers-w") if cls.checkpoints else ("containers", "containers-w")
        text = COMMON.format(lifetime="2h", genomes=f"https://{host}/genomes/public", checkpoints=f"https://{host}/models/trainer", reader=reader, writer=writer, node=node.PATH)
        if cls.token_file:  # two files of one name would be one too many
            text = text.replace("  - { action: write, dataset: checkpoints }\n", "")
        if cls.checkpoints:
            text = text.replace("  - { action: read, dataset: genomes }\n", "")
        for name, client, access in (("containers", READER, "read"), ("containers-w", WRITER, "write")):
            if cls.token_file:
                text += f"""\
kind: CredentialProvider
name: {name}
type: oidc_token
audience: {AUDIENCE}
file: azure-token
file_variable: AZURE_FEDERATED_TOKEN_FILE
environment: {{ AZURE_TENANT_ID: {TENANT}, AZURE_CLIENT_ID: {client}, AZURE_AUTHORITY_HOST: "{cls.cloud.url}" }}
scopes: {{ read: "", write: "" }}
lifetime: {lifetime}
---
"""
                continue
            text += f"""\
kind: CredentialProvider
name: {name}
type: azure_entra
tenant: {TENANT}
client_id: {client}
access: {access}
endpoint: {cls.cloud.plain_url}
lifetime: {lifetime}
---
"""
        return text.removesuffix("---\n")

    def test_01_reads_and_lists(self):
        self.reads_and_lists()

    def test_02_writes(self):
        type(self).checkpoints = True
        try:
            self.declare("1h")

            def check(client):
                self.value(client, "put", "models", f"trainer/{plain(client)}", client)
                self.assertEqual(client.encode(), self.cloud.blobs["models", f"trainer/{plain(client)}"])
                self.assertEqual(client, self.value(client, "get", "models", f"trainer/{plain(client)}"))
            self.each("writes, and reads it back", check)
        finally:
            type(self).checkpoints = False
            self.declare("1h")

    def test_03_what_the_application_may_not_is_refused(self):
        def check(client):
            self.refused(client, "get", "others", "public/a")
            self.refused(client, "put", "genomes", "public/a", "tampered")
            self.assertEqual(b"genomes/public/a", self.cloud.blobs["genomes", "public/a"])
        self.each("another container, a write with read-only are refused", check)

    def test_04_static_keys_lose(self):
        self.static_keys_lose({"AZURE_CLIENT_ID": "x", "AZURE_TENANT_ID": "y", "AZURE_CLIENT_SECRET": "hunter2", "AZURE_STORAGE_ACCOUNT_KEY": "hunter2", "MSI_ENDPOINT": "http://127.0.0.1:9",
                               "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1:1"}, ("AZURE_CLIENT_SECRET", "AZURE_STORAGE_ACCOUNT_KEY", "msal_token_cache.json"))

    def test_05_strict_does_not_start(self):
        self.strict_does_not_start({"AZURE_CLIENT_SECRET": "hunter2"})

    def test_06_forked_workers(self):
        self.forked_workers()

    def test_07_survives_a_restart_of_the_agent(self):
        self.survives_a_restart_of_the_agent()

    def test_08_goes_through_two_rotations(self):
        # Azure's clients take a token with less than five minutes for none; those of npm, with less than two.
        def set_lifetime(is_short: bool):
            self.cloud.lifetime = 110 if is_short else 3000
        self.goes_through_two_rotations(set_lifetime)

    APP_SERVICE = "/azure/app-service/token?api-version=2019-08-01&resource=https%3A%2F%2Fstorage.azure.com"

    def test_09_a_policy_that_says_no_ends_what_is_served(self):
        self.a_policy_that_says_no_ends_what_is_served(self.APP_SERVICE, lambda variables: {"X-IDENTITY-HEADER": variables["IDENTITY_HEADER"]})

    def test_10_others_are_refused(self):
        self.others_are_refused(self.APP_SERVICE, lambda variables: {"X-IDENTITY-HEADER": variables["IDENTITY_HEADER"]}, ({"X-IDENTITY-HEADER": "another"}, 401))

    def test_11_instance_metadata(self):
        from microsoft_azure import WRITER
        path = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fstorage.azure.com%2F"
        with self.steps("azure-storage-blob") as job:
            base = local_endpoint(job.variables)
            self.assertEqual(200, job.ask(base + path, {"Metadata": "true"}))
            self.assertEqual(400, job.ask(base + path, {}))
            # Of two applications for one resource: the one that is asked for.
            self.assertEqual(200, job.ask(base + path + f"&client_id={WRITER}", {"Metadata": "true"}))
            self.assertEqual(400, job.ask(base + path + "&client_id=somebody", {"Metadata": "true"}))
            self.assertEqual(400, job.ask(base + path.replace("storage", "vault"), {"Metadata": "true"}))

    def test_12_token_file(self):
        type(self).token_file = True
        try:
            self.declare("1h")
            with self.table.cell("azure-storage-blob", "by AZURE_FEDERATED_TOKEN_FILE, rotated, after a restart of the agent too"):
                with self.steps("azure-storage-blob") as job:
                    self.assertEqual("genomes/public/a", job.step())
                    file = Path(job.variables["AZURE_FEDERATED_TOKEN_FILE"])
                    self.assertEqual(0o600, file.stat().st_mode & 0o777)
                    seen = {file.read_text()}
                    self.assertRegex(file.read_text(), r"\A[\w-]+\.[\w-]+\.[\w-]+\Z", "exactly a JWT, no line break")
                    for restart in (False, True):
                        if restart:
                            self.agent.kill()
                            type(self).agent = self.writ.start_agent()
                        self.declare("59m" if not restart else "1h")
                        wait_until("another assertion", lambda: file.read_text() not in seen)
                        seen.add(file.read_text())
                    self.assertEqual("genomes/public/a", job.step())
        finally:
            type(self).token_file = False
            self.declare("1h")

    def test_13_it_is_on_record_and_no_secret_is(self):
        host = self.cloud.url.removeprefix("https://")
        self.is_on_record("azure_entra", {f"read https://{host}/genomes/public", f"write https://{host}/models/trainer"})

    def test_15_doctor_knows(self):
        self.doctor_knows("azure-storage-blob", "AZURE_CLIENT_SECRET")

    def test_14_an_unknown_subject_is_refused_by_entra(self):
        from microsoft_azure import READER
        self.cloud.trusted[READER] = "spiffe://oncology.example/somebody/else"
        try:
            self.declare("59m")
            answer, outcome = self.job("azure-storage-blob", "get", "genomes", "public/a")
            self.assertIn("error", answer, outcome)
        finally:
            self.cloud.trusted[READER] = SUBJECT
            self.declare("1h")
        self.assertEqual("genomes/public/a", self.value("azure-storage-blob", "get", "genomes", "public/a"))


if __name__ == "__main__":
    main()
