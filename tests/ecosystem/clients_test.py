#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Unmodified S3 clients under `writ run`, on a real S3 store with a real STS: Ceph's. `./check --ecosystem` runs it and writes docs/clients.md.

The interpreter is Debian's python3.11 in a virtual environment with the pinned clients; WRIT_CLIENTS_PYTHON names it.
"""
import itertools
import json
import os
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scenarios"))

from ceph import REGION, Ceph, missing_programs  # noqa: E402
from harness import Scenario, main, wait_until  # noqa: E402
from harness.scenario import act_as_nobody, needs_root  # noqa: E402
import node  # noqa: E402
from recorder import Recorder  # noqa: E402
from steps import Steps  # noqa: E402
from table import ClientTable  # noqa: E402

PYTHON = Path(os.environ.get("WRIT_CLIENTS_PYTHON", HERE.parents[1] / "build/clients-python/bin/python3"))
JOB = HERE / "jobs/s3_job.py"
AUDIENCE = "sts.writ.test"
EXAMPLE_AUDIENCE = "sts.amazonaws.com"
ROLE = "training"
CLIENTS = ("boto3", "boto3-profile", "s3fs", "pyarrow", *node.clients("@aws-sdk/client-s3"))
TABLE = ClientTable(CLIENTS)
FAKETIME = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
# Minutes, at the first rotation and the second.
CLOCKS_AHEAD = {"pyarrow": (6, 12), "@aws-sdk/client-s3": (11, 11)}

DECLARATIONS = """\
kind: TrustProvider
name: unix
type: unix
---
kind: CredentialProvider
name: store
type: aws_sts
endpoint: {url}
store_endpoint: {store}
region: {region}
role: {role}
audience: {audience}
lifetime: {lifetime}
{more}
---
kind: Dataset
name: genomes
location: s3://genomes/public
purpose: [train]
credential: store
---
kind: Dataset
name: checkpoints
location: s3://models/trainer
purpose: [train]
credential: store
---
kind: Workload
name: trainer
id: spiffe://oncology.example/ml/{{unix.user}}/train
match: {{ unix.path: [/usr/bin/python3.11, {node}] }}
uses:
  - {{ action: read, dataset: genomes }}
  - {{ action: write, dataset: checkpoints }}
"""
POLICIES = """\
@id("for-declared-purposes")
permit (principal, action in [Action::"read", Action::"write"], resource is Dataset) when { resource.purpose.contains(context.purpose) };
"""


class Clients(Scenario):
    """One store for all; an authority and an agent as two processes, so that each can be killed by itself."""

    lifetime = "1h"

    @classmethod
    def setUpClass(cls):
        if missing := missing_programs():
            raise unittest.SkipTest(f"Ceph is not installed, no {', '.join(missing)}: `./check --ecosystem` installs it")
        if not PYTHON.exists():
            raise unittest.SkipTest(f"no {PYTHON}: `./check --ecosystem` makes it")
        super().setUpClass()
        cls.writ.environment |= node.ENVIRONMENT
        sys.path += [str(path) for path in PYTHON.parent.parent.glob("lib/python3*/site-packages")]
        import boto3
        cls.boto3 = boto3
        cls.store = Ceph(cls.folder / "ceph")
        cls.addClassCleanup(cls.store.stop)
        cls.owner = cls.store.client(boto3)
        for bucket in ("genomes", "models", "others"):
            cls.owner.create_bucket(Bucket=bucket)
        for bucket, key in (("genomes", "public/a"), ("genomes", "public/b"), ("genomes", "private/a"), ("genomes", "public-not/a"), ("others", "public/a")):
            cls.owner.put_object(Bucket=bucket, Key=key, Body=f"{bucket}/{key}".encode())
        cls.writ.start_authority()
        jwks = cls.writ.public("GET", "/.well-known/jwks.json").json
        cls.store.trust_issuer(boto3, cls.writ.public_url(), jwks, [AUDIENCE, EXAMPLE_AUDIENCE])
        cls.role = cls.store.create_role(cls.writ.public_url(), AUDIENCE, ROLE)
        cls.agent = cls.writ.start_agent(cls.writ.join_token())
        cls.declare(cls.lifetime)
        # What a developer has lying about.
        home = cls.folder / ".aws"
        home.mkdir()
        (home / "credentials").write_text("[default]\naws_access_key_id = STATIC\naws_secret_access_key = static\n\n"
                                          "[team]\naws_access_key_id = STATIC\naws_secret_access_key = static\n")

    @classmethod
    def declare(cls, lifetime: str, policies: str = POLICIES, prune: bool = False, role: str = "", more: str = "", store: str = "") -> None:
        folder = cls.folder / "declared"
        folder.mkdir(exist_ok=True)
        (folder / "store.yaml").write_text(DECLARATIONS.format(url=cls.store.url, store=store or cls.store.url, region=REGION, role=role or cls.role, audience=AUDIENCE, lifetime=lifetime, more=more, node=node.PATH))
        (folder / "policies.cedar").write_text(policies)
        outcome = cls.writ.cli("apply", "-f", folder, *(["--prune"] if prune else []))
        if outcome.code != 0:
            raise AssertionError(outcome)

    def job(self, client: str, *arguments, environment: dict | None = None, options: tuple = (), purpose: str = "train"):
        outcome = self.writ.cli("run", "--purpose", purpose, *options, "--", *job_of(client), client, *arguments, environment=environment)
        self.assertIn(outcome.code, (0, 3), outcome)
        return json.loads(outcome.out), outcome

    def value(self, client: str, *arguments, **options):
        answer, outcome = self.job(client, *arguments, **options)
        self.assertIn("value", answer, outcome)
        return answer["value"]

    def refused(self, client: str, *arguments) -> None:
        answer, outcome = self.job(client, *arguments)
        self.assertIn("error", answer, outcome)
        self.assertNotRegex(answer["error"], "(?i)credential", "it was not S3 that refused")
        self.assertRegex(answer["error"], "AccessDenied|Access Denied|ACCESS_DENIED|Forbidden|PermissionError|403")

    def each(self, what: str, check) -> None:
        for client in CLIENTS:
            with self.subTest(client=client):
                with TABLE.cell(client, what):
                    check(client)

    # ---- real data

    def test_01_reads_and_lists(self):
        def check(client):
            self.assertEqual("genomes/public/a", self.value(client, "get", "genomes", "public/a"))
            self.assertEqual(["public/a", "public/b"], sorted(self.value(client, "list", "genomes", "public/")))
        self.each("reads and lists", check)

    def test_02_writes(self):
        def check(client):
            key = f"trainer/{client.replace('/', '-')}"
            self.value(client, "put", "models", key, client)
            # Who wrote it owns it here, and the bucket's owner only sees that it is there.
            seen = {item["Key"]: item["Size"] for item in self.owner.list_objects_v2(Bucket="models")["Contents"]}
            self.assertEqual(len(client), seen[key])
            self.assertEqual(client, self.value(client, "get", "models", key))
        self.each("writes, and reads it back", check)

    # ---- what the session policy leaves out

    def test_03_another_prefix_is_refused(self):
        def check(client):
            self.refused(client, "get", "genomes", "private/a")
            self.refused(client, "get", "genomes", "public-not/a")
            self.refused(client, "list", "genomes", "private/")
        self.each("another prefix is refused", check)

    def test_04_a_write_to_what_may_be_read_is_refused(self):
        def check(client):
            self.refused(client, "put", "genomes", "public/a", "tampered")
            self.assertEqual(b"genomes/public/a", self.owner.get_object(Bucket="genomes", Key="public/a")["Body"].read())
        self.each("a write with read-only is refused", check)

    def test_05_another_bucket_is_refused(self):
        self.each("another bucket is refused", lambda client: self.refused(client, "get", "others", "public/a"))

    # ---- what lies about

    def test_06_static_keys_lose(self):
        static = {"AWS_ACCESS_KEY_ID": "STATIC", "AWS_SECRET_ACCESS_KEY": "static", "AWS_SESSION_TOKEN": "static"}

        def check(client):
            answer, outcome = self.job(client, "get", "genomes", "public/a", environment=static)
            self.assertEqual({"value": "genomes/public/a"}, answer, outcome)
            self.assertIn("AWS_SECRET_ACCESS_KEY", outcome.err)
            self.assertIn(".aws/credentials", outcome.err)
            self.assertNotIn("static,", outcome.err)
        self.each("static keys in variables and in ~/.aws lose", check)

    def test_07_strict_does_not_start(self):
        marker = self.scratch("started")
        outcome = self.writ.cli("run", "--strict", "--purpose", "train", "--", "/usr/bin/touch", marker, environment={"HF_TOKEN": "hf_x"})
        self.assertEqual(78, outcome.code, outcome)
        self.assertIn("HF_TOKEN", outcome.err)
        self.assertNotIn("hf_x", outcome.err)
        self.assertFalse(marker.exists())

    # ---- many processes, one run

    def test_08_forked_workers(self):
        self.each("forked workers share the run", lambda client: self.assertEqual(["genomes/public/a"] * 8, self.value(client, "forked", "genomes", "public/a")))

    @needs_root
    @unittest.skipUnless(" cgroup2 " in Path("/proc/mounts").read_text(), "the kernel's second version of control groups is not mounted")
    def test_22_a_process_whose_parent_ended_is_still_of_the_run(self):
        with self.steps("boto3") as job:
            job.step()
            self.assertEqual(200, job.ask_as_orphan())
            run = Path(job.variables["AWS_CONFIG_FILE"]).parent.name
            (group,) = Path("/sys/fs/cgroup").rglob("writ-" + run)
            self.agent.kill()
            type(self).agent = self.writ.start_agent()
            self.assertEqual(200, job.ask_as_orphan())
        self.assertFalse(group.exists())

    # ---- time, and those who die

    def steps(self, client: str, environment: dict | None = None):
        return S3Steps(self, client, environment)

    def test_09_survives_a_restart_of_the_agent(self):
        def check(client):
            with self.steps(client) as job:
                self.assertEqual("genomes/public/a", job.step()[0])
                self.agent.kill()
                type(self).agent = self.writ.start_agent()
                self.assertEqual("genomes/public/a", job.step()[0])
            # Also one that asks for the first time after it.
            self.assertEqual("genomes/public/a", self.value(client, "get", "genomes", "public/a"))
        self.each("goes on after a restart of the agent", check)

    def test_10_survives_an_outage_of_the_authority(self):
        authority = next(program for program in self.writ.programs if program.arguments[1] == "authority" and program.is_running())
        url = self.writ.public_url()
        jobs = {client: self.steps(client) for client in CLIENTS}
        try:
            for job in jobs.values():
                job.__enter__()
                job.step()
            authority.kill()
            self.each("goes on while the authority is away", lambda client: self.assertEqual("genomes/public/a", jobs[client].step()[0]))
        finally:
            for job in jobs.values():
                job.end()
            self.writ.start_authority(listen=url.removeprefix("https://"))

    def test_11_goes_through_two_rotations(self):
        """Botocore's clients want ten minutes, and of a session of a quarter of an hour, the shortest there is, ask for each signature. pyarrow asks every five minutes, and npm's client
        five minutes before the end: their clock is moved on, as far as the store lets a signature differ from its own."""
        recorder = Recorder(self.store.port)
        self.addCleanup(recorder.stop)
        self.addCleanup(self.declare, self.lifetime)
        lifetimes = itertools.cycle(("15m", "16m", "17m"))

        def check(client):
            ahead = CLOCKS_AHEAD.get(client)
            if ahead and not FAKETIME:
                self.skipTest("no libfaketime: `./check --ecosystem` installs it")
            self.declare(next(lifetimes), store=recorder.url)
            clock = self.scratch(f"clock-{client.replace('/', '-')}")
            clock.write_text("+0")
            variables = {"LD_PRELOAD": str(FAKETIME[0]), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1"} if ahead else {}
            with self.steps(client, variables) as job:
                used = self.key_of_a_step(job, recorder)
                for minutes in ahead or (0, 0):
                    self.declare(next(lifetimes), store=recorder.url)  # declarations changed: what was decided before is decided, and opened, anew
                    clock.write_text(f"+{minutes}m")
                    used |= wait_until("another session is used", lambda: self.key_of_a_step(job, recorder) - used, 60)
                self.assertEqual(3, len(used))
        self.each("goes through two rotations, and uses each session", check)

    def key_of_a_step(self, job: "S3Steps", recorder: Recorder) -> set[str]:
        before = len(recorder.keys)
        self.assertEqual("genomes/public/a", job.step()[0])
        return set(recorder.keys[before:])

    def test_12_a_policy_that_says_no_ends_what_is_served(self):
        with self.steps("boto3") as job:
            self.assertEqual("genomes/public/a", job.step()[0])
            self.declare("15m", POLICIES.replace("permit", "forbid"))
            try:
                # The session that the job holds lives until its end, and nobody can change that; a new one it does not get.
                wait_until("no new session", lambda: job.ask_as_child() == 403)
            finally:
                self.declare(self.lifetime)

    # ---- who may ask

    def test_13_others_are_refused(self):
        job = self.steps("boto3")
        with job:
            job.step()
            uri, handle = job.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"], job.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
            self.assertEqual(401, ask(uri, {"Authorization": handle}), "the handle alone opened it")
            self.assertEqual(200, job.ask_as_child())
            self.assertEqual(401, job.ask_as_child(Authorization="another"))
            self.assertEqual(403, job.ask_as_child(Host="rebound.example"))
            self.assertEqual(403, job.ask_as_child(**{"X-Forwarded-For": "10.0.0.1"}))
            self.assertEqual(403, job.ask_as_child(Origin="http://evil.example"))

    @needs_root
    def test_14_another_user_is_refused(self):
        with self.steps("boto3") as job:
            job.step()
            uri, handle = job.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"], job.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
            self.assertEqual("401", act_as_nobody(lambda: ask(uri, {"Authorization": handle})))

    def test_15_it_is_on_record_and_no_secret_is(self):
        key = self.value("boto3", "keys")
        issued = [item["record"] for item in self.writ.records(type="issuance") if item["record"].get("credential", {}).get("id") == key]
        self.assertEqual({"genomes", "checkpoints"}, {record["resource"]["id"] for record in issued})
        for record in issued:
            self.assertEqual("read s3://genomes/public, write s3://models/trainer", record["credential"]["scope"])
        self.assertEqual(0, self.writ.verify_log().code)
        used = self.writ.cli("audit", "who-used", "dataset", "genomes")
        self.assertIn("trainer", used.out, used)
        self.assertEqual([], self.writ.admin("GET", "/v1/leases").json["leases"])

    def test_18_instance_metadata(self):
        with TABLE.cell("boto3", "finds the session as instance metadata (IMDSv2) too"):
            self.assertEqual("genomes/public/a", self.value("boto3-imds", "get", "genomes", "public/a"))

    def test_19_what_is_kept_is_answered_at_once(self):
        with self.steps("boto3") as job:
            job.step()
            milliseconds = job.time()
        print(f"answered from what is kept: median {milliseconds:.2f} ms", file=sys.stderr)
        self.assertLess(milliseconds, 20, "far above what it takes; clients give up after 2000")

    def test_20_a_role_out_of_the_session_of_another(self):
        hub = self.store.create_role(self.writ.public_url(), AUDIENCE, "hub", [{"Effect": "Allow", "Action": "sts:*", "Resource": "arn:aws:iam:::role/*"}])
        account = self.store.create_role_for(hub, "account")
        self.declare("15m", role=account, more=f"through: {hub}")
        try:
            with TABLE.cell("boto3", "through a role chain"):
                self.assertEqual("genomes/public/a", self.value("boto3", "get", "genomes", "public/a"))
                self.refused("boto3", "get", "genomes", "private/a")
            # The role itself trusts the other one alone.
            self.declare("16m", role=account)
            answer, outcome = self.job("boto3", "get", "genomes", "public/a")
            self.assertNotIn("value", answer, outcome)
        finally:
            self.declare(self.lifetime)

    def test_21_the_store_decides_by_session_tags(self):
        tagged = [{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::*", "Condition": {"StringEquals": {"aws:PrincipalTag/purpose": ["evaluate"]}}}]
        role = self.store.create_role(self.writ.public_url(), AUDIENCE, "tagged", tagged)
        anybody = POLICIES.replace(" when { resource.purpose.contains(context.purpose) }", "")
        self.declare("15m", anybody, role=role, more="session_tags: true")
        try:
            with TABLE.cell("boto3", "the store's own policy sees the session's tags"):
                self.assertEqual("genomes/public/a", self.value("boto3", "get", "genomes", "public/a", purpose="evaluate"))
                self.refused("boto3", "get", "genomes", "public/a")
        finally:
            self.declare(self.lifetime)

    def test_16_revoke_says_what_ends_and_what_lives_on(self):
        with self.steps("boto3") as job:
            _, key = job.step()
            run = job.variables["WRIT_RUN"]
            outcome = self.writ.cli("revoke", "--run", run, "--reason", "laptop stolen")
            self.assertEqual(0, outcome.code, outcome)
            self.assertIn(f"ended now: {run}", outcome.out)
            self.assertIn(key, outcome.out)
            wait_until("no new session", lambda: job.ask_as_child() == 404)
        newest = self.writ.records(type="administration")[0]["record"]
        self.assertRegex(newest["reason"], rf"revoked run {run}: 1 runs ended, 0 leases ended, 0 still to end, 1 credentials live on until .*laptop stolen")

    def test_17_the_example(self):
        example = HERE.parents[1] / "examples/tumours-s3"
        self.owner.create_bucket(Bucket="tumours")
        rows = ["a,b,malignant"] + [f"{i % 7},{i % 5 + 3 * (i % 2)},{i % 2}" for i in range(200)]
        self.owner.put_object(Bucket="tumours", Key="curated/biopsies.csv", Body="\n".join(rows).encode())
        with TABLE.cell("boto3", "the example examples/tumours-s3, with checkpoints"):
            applied = self.writ.cli("apply", "-f", example, "--prune", environment={"TUMOURS_ROLE": self.store.create_role(self.writ.public_url(), EXAMPLE_AUDIENCE, "tumours"), "TUMOURS_REGION": REGION,
                                                                                    "TUMOURS_ENDPOINT": self.store.url})
            self.assertEqual(0, applied.code, applied)
            try:
                for epoch in (0, 5):
                    outcome = self.writ.cli("run", "--purpose", "train", "--", PYTHON, example / "train.py")
                    self.assertEqual(0, outcome.code, outcome)
                    self.assertIn(f"going on at epoch {epoch}", outcome.out)
                refused = self.writ.cli("run", "--purpose", "marketing", "--", PYTHON, example / "train.py")
                self.assertEqual(77, refused.code, refused)
            finally:
                self.declare(self.lifetime, prune=True)

    @classmethod
    def tearDownClass(cls):
        if target := os.environ.get("WRIT_CLIENTS_TABLE"):
            TABLE.write(Path(target), PYTHON)


def job_of(client: str) -> list:
    return [node.PROGRAM, node.JOB] if client.startswith("@") else [PYTHON, JOB]


def ask(uri: str, headers: dict) -> int:
    import urllib.error
    import urllib.request
    try:
        return urllib.request.urlopen(urllib.request.Request(uri, headers=headers), timeout=20).status
    except urllib.error.HTTPError as error:
        return error.code


class S3Steps(Steps):
    """It also runs small questions in children of its own."""

    def __init__(self, case: Clients, client: str, environment: dict | None = None):
        super().__init__(case, [*job_of(client), client], client.replace("/", "-"), environment)

    def __enter__(self):
        return self.start("genomes", "public/a")

    def time(self) -> float:
        return self.order({"time": True})

    def ask_as_orphan(self) -> int:
        return self.order({"orphan": {}})

    def ask_as_child(self, **headers) -> int:
        return self.order({"ask": headers})


if __name__ == "__main__":
    main()
