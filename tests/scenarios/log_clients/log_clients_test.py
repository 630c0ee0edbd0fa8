#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tessera's client library, unmodified, as a monitor of the authority's log: over its HTTP endpoint and from the folder, while the log grows."""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from unittest import SkipTest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from harness import Program, Scenario, main, wait_until  # noqa: E402
from harness.writ import TREE  # noqa: E402

BUILT = Path(os.environ.get("WRIT_LOG_CLIENTS", TREE / "build/dev/log_clients"))
# On two cores with nothing fetched yet.
BUILD_SECONDS = 600


def go_client() -> Path:
    go = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    if go is None:
        raise SkipTest("no Go: the command `go` is missing")
    environment = os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly -buildvcs=false", "CGO_ENABLED": "0", "GOWORK": "off"}
    BUILT.mkdir(parents=True, exist_ok=True)
    fetched = subprocess.run([go, "mod", "download"], cwd=HERE / "go", env=environment, capture_output=True, text=True, timeout=BUILD_SECONDS)
    if fetched.returncode != 0:
        raise SkipTest(f"Go is too old for Tessera's client, or its modules cannot be fetched: {fetched.stderr.strip()[-400:]}")
    built = subprocess.run([go, "build", "-o", BUILT / "log-client", "."], cwd=HERE / "go", env=environment, capture_output=True, text=True,
                           timeout=BUILD_SECONDS)
    if built.returncode != 0:
        raise AssertionError(f"go build: {built.stderr}")
    return BUILT / "log-client"


class LogClients(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client = go_client()
        cls.authority = cls.writ.start_authority()
        cls.log, = [path.parent for path in cls.folder.rglob("verifier")]

    def grow(self, records: int) -> None:
        """Each token made is an administration record."""
        for number in range(records):
            self.writ.join_token(f"node-{number % 7}")

    def sources(self) -> dict:
        return {"socket": f"unix:{self.writ.admin_socket}", "public": self.writ.public_url(), "folder": f"dir:{self.log}"}

    def test_every_checkpoint_seen_while_it_grows_is_consistent_and_every_entry_included(self):
        checkpoints = 4
        watchers = {name: Program([self.client, source, self.log / "verifier", str(checkpoints)], self.scratch(f"{name}.log"))
                    for name, source in self.sources().items()}
        for watcher in watchers.values():
            self.addCleanup(watcher.kill)
        while any(watcher.is_running() for watcher in watchers.values()):
            self.grow(20)
        for name, watcher in watchers.items():
            with self.subTest(name):
                self.assertEqual(0, watcher.wait(), watcher.output())
                seen = json.loads(watcher.output().splitlines()[-1])
                self.assertEqual(checkpoints, seen["checkpoints"])
                self.assertGreaterEqual(seen["consistent_pairs"], checkpoints * (checkpoints - 1) // 2 - (checkpoints - 1))
                self.assertEqual(seen["size"], seen["included"])

    def test_full_tiles_and_partial_ones_of_a_log_at_rest(self):
        self.grow(max(0, 300 - self.writ.tree_size()))
        size = self.writ.tree_size()
        wait_until("the checkpoint covers all", lambda: int((self.log / "checkpoint").read_text().splitlines()[1]) == size)
        found = {}
        for name, source in self.sources().items():
            done = subprocess.run([self.client, source, self.log / "verifier", "1"], capture_output=True, text=True, timeout=60)
            self.assertEqual(0, done.returncode, f"{name}: {done.stderr}")
            found[name] = json.loads(done.stdout)
            self.assertEqual((size, size), (found[name]["size"], found[name]["included"]), name)
        self.assertEqual(1, len({seen["root"] for seen in found.values()}))

    def test_an_altered_record_hash_or_key_is_noticed(self):
        self.grow(max(0, 300 - self.writ.tree_size()))
        copy = self.scratch("copy")
        wait_until("a full bundle", lambda: (self.log / "tile/entries/000").exists())
        self.writ.copy_log(copy)

        def fails_with(path: str, position: int) -> str:
            content = (copy / path).read_bytes()
            (copy / path).write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1:])
            done = subprocess.run([self.client, f"dir:{copy}", copy / "verifier", "1"], capture_output=True, text=True, timeout=60)
            (copy / path).write_bytes(content)
            self.assertNotEqual(0, done.returncode, f"{path}: {done.stdout}")
            return done.stderr

        self.assertIn("does not have its hash", fails_with("tile/entries/000", 40))
        fails_with("tile/0/000", 32 * 17)
        fails_with("checkpoint", len((copy / "checkpoint").read_bytes()) - 10)


if __name__ == "__main__":
    main()
