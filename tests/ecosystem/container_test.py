#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A job in a container of podman's: the digest of the image that it was made of is attested from the kernel's control groups and podman's own storage, decided on, and on record."""
import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scenarios"))

from harness import Scenario, main, needs_root, wait_until  # noqa: E402
from harness.writ import EXECUTABLE, NOBODY, REFUSED  # noqa: E402

PODMAN, RUNC = shutil.which("podman"), shutil.which("runc", path="/usr/sbin:/usr/bin")
# No network is asked for the image: everything that runs is this machine's own, and the image is what tells one from another.
CONTAINERFILE = "FROM scratch\nCOPY root /\n"

DECLARATIONS = """\
kind: TrustProvider
name: unix
type: unix
---
kind: CredentialProvider
name: partner
type: oidc_token
audience: https://partner.example
file_variable: PARTNER_TOKEN_FILE
---
kind: Api
name: partner
url: https://partner.example
credential: partner
---
kind: Workload
name: trainer
id: spiffe://oncology.example/ml/train
match: {{ {match} }}
uses: [{{ action: call, api: partner }}]
"""
POLICIES = """\
@id("of-that-image")
permit (principal, action == Action::"call", resource) when {{ context.posture has image_digest && context.posture.image_digest == "{digest}" }};
"""
JOB = "import os; print(open('/name').read(), len(open(os.environ['PARTNER_TOKEN_FILE']).read()))"


@needs_root
class Containers(Scenario):
    @classmethod
    def setUpClass(cls):
        if not PODMAN or not RUNC:
            raise unittest.SkipTest("no podman with runc: `./check --ecosystem` installs them")
        super().setUpClass()
        cls.podman_folder = cls.folder / "podman"
        cls.digests = {name: cls.build(name) for name in ("trained", "other")}
        cls.writ.start_authority()
        cls.writ.start_agent(cls.writ.join_token(), "--container-storage", cls.podman_folder / "storage")

    @classmethod
    def podman(cls, *arguments, check: bool = True) -> subprocess.CompletedProcess:
        storage = ["--root", cls.podman_folder / "storage", "--runroot", cls.podman_folder / "run", "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs",
                   "--events-backend", "file", "--runtime", RUNC]
        done = subprocess.run([str(word) for word in (PODMAN, *storage, *arguments)], capture_output=True, text=True, timeout=120,
                              env=os.environ | {"HOME": str(cls.podman_folder), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        if check and done.returncode != 0:
            raise AssertionError(done.stderr)
        return done

    @classmethod
    def build(cls, name: str) -> str:
        context = cls.folder / f"image-{name}"
        (context / "root").mkdir(parents=True)
        for link in ("bin", "lib", "lib64"):
            (context / "root" / link).symlink_to(f"usr/{link}")
        (context / "root/name").write_text(name)
        (context / "Containerfile").write_text(CONTAINERFILE)
        cls.podman("build", "--isolation", "chroot", "-t", name, context)
        return cls.podman("image", "inspect", "-f", "{{.Digest}}", name).stdout.strip()

    def run_in(self, image: str, *command, name: str = "job") -> subprocess.CompletedProcess:
        mounts = [word for folder in ("/usr", EXECUTABLE.parent, self.writ.run_dir, self.folder) for word in ("-v", f"{folder}:{folder}")]
        return self.podman("run", "--rm", "--name", name, "--network", "none", "--pid", "host", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000",
                           "--security-opt", "seccomp=unconfined", "--cap-add", "SYS_PTRACE", "-e", f"WRIT_RUN_DIR={self.writ.run_dir}", *mounts, image, *command, check=False)

    def declare(self, match: str, digest: str) -> None:
        folder = self.folder / "declared"
        folder.mkdir(exist_ok=True)
        (folder / "workloads.yaml").write_text(DECLARATIONS.format(match=match))
        (folder / "policies.cedar").write_text(POLICIES.format(digest=digest))
        outcome = self.writ.cli("apply", "-f", folder, "--prune")
        self.assertEqual(0, outcome.code, outcome)

    def test_1_the_image_is_attested_and_decided_on(self):
        self.assertRegex(self.digests["trained"], "^sha256:[0-9a-f]{64}$")
        self.assertNotEqual(self.digests["trained"], self.digests["other"])
        self.declare("unix.user: root", self.digests["trained"])
        job = (EXECUTABLE, "run", "--purpose", "train", "--", "/usr/bin/python3.11", "-c", JOB)
        done = self.run_in("trained", *job)
        self.assertEqual((0, "trained"), (done.returncode, (done.stdout.split() or [""])[0]), done.stdout + done.stderr)
        [started] = self.writ.records(type="run_start")
        claims = {claim["name"]: claim["values"] for claim in started["record"]["claims"]}
        self.assertEqual([self.digests["trained"]], claims["unix.image"])
        self.assertRegex(claims["unix.container"][0], "^[0-9a-f]{64}$")
        decision = self.writ.records(type="decision", decision="allow", run=started["record"]["run"])[0]["record"]
        self.assertEqual(self.digests["trained"], decision["context"]["posture"]["image_digest"])

        other = self.run_in("other", *job)
        self.assertEqual(REFUSED, other.returncode, other.stdout + other.stderr)
        outside = self.writ.cli("run", "--purpose", "train", "--", "/usr/bin/python3.11", "-c", "pass")
        self.assertEqual(REFUSED, outside.code, outside)

    def test_2_a_workload_is_matched_by_it(self):
        self.declare(f'unix.image: "{self.digests["other"]}"', self.digests["other"])
        job = (EXECUTABLE, "run", "--purpose", "train", "--", "/usr/bin/python3.11", "-c", JOB)
        done = self.run_in("other", *job)
        self.assertEqual((0, "other"), (done.returncode, (done.stdout.split() or [""])[0]), done.stdout + done.stderr)
        self.assertNotEqual(0, self.run_in("trained", *job).returncode)

    def test_3_a_group_of_that_name_that_a_user_made_is_none(self):
        """Who was given a control group of his own can name one in it after another's container."""
        self.declare(f'unix.image: "{self.digests["trained"]}"', self.digests["trained"])
        sleeper = self.run_in("trained", "/usr/bin/true", name="before")
        self.assertEqual(0, sleeper.returncode, sleeper.stderr)
        identity = self.podman("create", "--name", "kept", "trained", "/usr/bin/true").stdout.strip()
        mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        [mount, *_] = [words[4] for words in mounts if words[words.index("-") + 1] == "cgroup2" and words[3] == "/"] or [None]
        if mount is None:
            self.skipTest("no control groups of version 2")
        given = Path(mount) / f"given-{os.getpid()}"
        forged = given / f"libpod-{identity}"
        forged.mkdir(parents=True)
        try:
            for asked, is_refused in ((NOBODY, True), (0, False)):
                os.chown(given, asked, asked)
                os.chown(forged, asked, asked)
                job = f"echo $$ > {forged}/cgroup.procs && exec {EXECUTABLE} run --purpose train -- /usr/bin/python3.11 -c pass"
                done = subprocess.run(["/bin/sh", "-c", job], capture_output=True, text=True, env=self.writ.environment, timeout=60)
                self.assertEqual(is_refused, done.returncode != 0, done.stderr)
        finally:
            wait_until("its processes have ended", lambda: not (forged / "cgroup.procs").read_text())
            for group in (*forged.glob("writ-*"), forged, given):
                group.rmdir()


if __name__ == "__main__":
    main()
