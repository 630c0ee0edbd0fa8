# SPDX-License-Identifier: Apache-2.0
"""A temporary S3 store with an STS of its own: Ceph's object gateway over one monitor and one storage daemon that keeps everything in memory.

Faithful where it matters here: it checks web-identity tokens against the issuer's discovery document and JWKS, and holds sessions to their policies. Only on
127.0.0.1; nothing outlives stop(). The packages are test-only (scripts/packages.sh).
"""
import base64
import hashlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

PROGRAMS = ("ceph-mon", "ceph-osd", "radosgw", "ceph-authtool", "monmaptool", "radosgw-admin", "ceph")
PATIENCE_SECONDS = 90
# Of the administrator, whom only this fixture and the test that looks from outside know.
ACCESS_KEY, SECRET_KEY = "FIXTUREADMIN", "fixture-" + secrets.token_hex(12)
REGION = "default"


def missing_programs() -> list[str]:
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin"
    return [name for name in PROGRAMS if shutil.which(name, path=path) is None]


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Ceph:
    def __init__(self, folder: Path):
        self.folder = folder
        self.port, monitor, monitor_old = free_ports(3)
        self.url = f"http://127.0.0.1:{self.port}"
        self.conf, self.keyring = folder / "ceph.conf", folder / "keyring"
        self.environment = os.environ | {"PATH": os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin"}
        for name in ("monitor", "store", "run"):
            (folder / name).mkdir(parents=True)
        self._configure(monitor, monitor_old)
        try:
            self._start(monitor, monitor_old)
        except BaseException:
            self.stop()
            raise

    def _configure(self, monitor: int, monitor_old: int) -> None:
        settings = {
            "fsid": Path("/proc/sys/kernel/random/uuid").read_text().strip(), "mon_host": f"[v2:127.0.0.1:{monitor},v1:127.0.0.1:{monitor_old}]",
            "mon_initial_members": "a", "auth_cluster_required": "cephx", "auth_service_required": "cephx", "auth_client_required": "cephx",
            "keyring": self.keyring, "public_network": "127.0.0.0/8", "ms_bind_ipv6": "false",
            # One copy of everything, in memory.
            "osd_pool_default_size": 1, "osd_pool_default_min_size": 1, "osd_pool_default_pg_num": 1, "osd_crush_chooseleaf_type": 0,
            "mon_allow_pool_size_one": "true", "osd_objectstore": "memstore", "memstore_device_bytes": 1 << 30,
            "run_dir": self.folder / "run", "admin_socket": self.folder / "run/$name.$pid.asok", "pid_file": self.folder / "run/$name.pid",
            "log_file": self.folder / "$name.log", "mon_data": self.folder / "monitor", "osd_data": self.folder / "store",
            "rgw_frontends": f"beast endpoint=127.0.0.1:{self.port}", "rgw_enable_apis": "s3, sts, iam, admin", "rgw_s3_auth_use_sts": "true",
            "rgw_sts_key": secrets.token_hex(8),
            # The issuer's TLS root is its own. What is trusted is the certificate in its JWKS, whose thumbprint trust_issuer() registers.
            "rgw_verify_ssl": "false",
        }
        lines = [f"{name} = {value}" for name, value in settings.items()]
        self.conf.write_text("[global]\n" + "\n".join(lines) + f"\n[osd]\nkeyring = {self.folder}/store/keyring\n")
        self.fsid = settings["fsid"]

    def _run(self, *command, text: str | None = None) -> str:
        done = subprocess.run([str(word) for word in command], input=text, capture_output=True, text=True, env=self.environment, timeout=PATIENCE_SECONDS)
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]}: {done.stderr[-2000:]}")
        return done.stdout

    def _start(self, monitor: int, monitor_old: int) -> None:
        everything = ["--cap", "mon", "allow *", "--cap", "osd", "allow *", "--cap", "mgr", "allow *"]
        self._run("ceph-authtool", "--create-keyring", self.keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
        self._run("ceph-authtool", self.keyring, "--gen-key", "-n", "client.admin", *everything)
        self._run("monmaptool", "--create", "--fsid", self.fsid, "--addv", "a", f"[v2:127.0.0.1:{monitor},v1:127.0.0.1:{monitor_old}]", self.folder / "monmap")
        self._run("ceph-mon", "-c", self.conf, "--mkfs", "-i", "a", "--monmap", self.folder / "monmap", "--keyring", self.keyring)
        shutil.copy(self.keyring, self.folder / "monitor/keyring")
        self._run("ceph-mon", "-c", self.conf, "-i", "a")
        self._run("ceph", "-c", self.conf, "auth", "import", "-i", self.keyring)
        uuid = Path("/proc/sys/kernel/random/uuid").read_text().strip()
        secret = self._run("ceph-authtool", "--gen-print-key").strip()
        self._run("ceph", "-c", self.conf, "osd", "new", uuid, "-i", "-", text=json.dumps({"cephx_secret": secret}))
        store = self.folder / "store/keyring"
        self._run("ceph-authtool", "--create-keyring", store, "-n", "osd.0", "--add-key", secret)
        self._run("ceph-osd", "-c", self.conf, "-i", "0", "--mkfs", "--osd-uuid", uuid, "--keyring", store)
        self._run("ceph-osd", "-c", self.conf, "-i", "0", "--keyring", store)
        self._run("radosgw", "-c", self.conf, "-n", "client.admin", "--keyring", self.keyring)
        self._wait()
        self.admin("user", "create", "--uid", "fixture", "--display-name", "fixture", "--access-key", ACCESS_KEY, "--secret", SECRET_KEY,
                   "--caps", "roles=*;oidc-provider=*;user-policy=*")

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(self.url, timeout=2).close()
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        raise RuntimeError(f"S3 does not answer at {self.url}; logs: {self.folder}")

    def admin(self, *arguments: str) -> str:
        return self._run("radosgw-admin", "-c", self.conf, "--keyring", self.keyring, *arguments)

    def client(self, boto3, service: str = "s3"):
        """As the store's owner, for preparing and for looking from outside."""
        return boto3.client(service, endpoint_url=self.url, aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, region_name=REGION)

    def trust_issuer(self, boto3, issuer: str, jwks: dict, audiences: list[str]) -> None:
        """Makes `issuer` an identity provider, as an account's administrator does, once."""
        # Of the key that signs what clouds are shown, alone.
        thumbprints = [hashlib.sha1(base64.b64decode(key["x5c"][0])).hexdigest().upper() for key in jwks["keys"] if key["alg"] == "RS256"]
        self.client(boto3, "iam").create_open_id_connect_provider(Url=issuer, ClientIDList=audiences, ThumbprintList=thumbprints)

    def create_role(self, issuer: str, audience: str, role: str, policy: list | None = None) -> str:
        """A role for whoever has a token of the issuer for that audience; its ARN. It may do anything in S3, if no statements say otherwise."""
        host = issuer.removeprefix("https://")
        return self._create_role(role, {"Federated": [f"arn:aws:iam:::oidc-provider/{host}"]}, ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
                                 {"StringEquals": {f"{host}:app_id": audience}}, policy)

    def create_role_for(self, other: str, role: str) -> str:
        """A role that only another role's sessions may assume; its ARN."""
        return self._create_role(role, {"AWS": [other]}, ["sts:AssumeRole", "sts:TagSession"], None, None)

    def _create_role(self, role: str, principal: dict, actions: list[str], condition: dict | None, policy: list | None) -> str:
        statement = {"Effect": "Allow", "Principal": principal, "Action": actions} | ({"Condition": condition} if condition else {})
        trust = {"Version": "2012-10-17", "Statement": [statement]}
        allowed = {"Version": "2012-10-17", "Statement": policy or [{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::*"}]}
        made = json.loads(self.admin("role", "create", f"--role-name={role}", "--path=/", f"--assume-role-policy-doc={json.dumps(trust)}"))
        self.admin("role-policy", "put", f"--role-name={role}", "--policy-name=all", f"--policy-doc={json.dumps(allowed)}")
        return made.get("Arn") or made["arn"]

    def _pids(self) -> list[int]:
        return [int(file.read_text()) for file in (self.folder / "run").glob("*.pid") if file.read_text().strip()]

    def stop(self) -> None:
        pids = self._pids()
        for number, seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
            for pid in pids:
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass
            deadline = time.monotonic() + seconds
            while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
                time.sleep(0.1)
