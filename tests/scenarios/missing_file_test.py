#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Somebody deletes or cuts a file of the audit log, under a running authority or while it is away: it says which and gives nothing out any more, unless the journal can make it
whole."""
import shutil
from contextlib import contextmanager
from pathlib import Path

from harness import Scenario, UnixConnection, main, request, wait_until

RECORDS = 2_700  # of 15 KB: more than two segments of the journal, which lets go of the first
CONTEXT_BYTES = 14_000


def first_segment(log: Path) -> Path:
    return sorted((log / "journal").iterdir())[0]


def full_bundle(log: Path) -> Path:
    return log / "tile/entries/000"


def delete(file: Path) -> None:
    file.unlink()


def cut(file: Path) -> None:
    with open(file, "r+b") as stream:
        stream.truncate(100)


# What is done to which file. Bundles and tiles are not read again while the authority runs; at its next start they are written again from the journal, if
# that has their entries, and missed otherwise.
LIVE = {"a deleted segment": (first_segment, delete), "a cut segment": (first_segment, cut), "a deleted head": (lambda log: log / "head", delete),
        "a cut head": (lambda log: log / "head", cut), "a deleted checkpoint": (lambda log: log / "checkpoint", delete)}
AWAY = {"a deleted bundle": (full_bundle, delete), "a deleted tile": (lambda log: log / "tile/0/000", delete), "a cut tile": (lambda log: log / "tile/0/000", cut)}


class MissingFile(Scenario):
    @contextmanager
    def case(self, what: str):
        """One damage, with an installation that nobody has damaged before."""
        with self.subTest(what):
            try:
                yield
            finally:
                self.writ.stop_programs()
                shutil.rmtree(self.writ.data, ignore_errors=True)

    def try_to_record(self) -> int:
        return self.writ.admin("POST", "/v1/join-tokens", {"agent": "node-1", "ttl_seconds": 600}).status

    def refused_start(self, name: str) -> str:
        program = self.writ.launch(name, ["authority", "--data", self.writ.data, "--run-dir", self.writ.run_dir, "--trust-domain", "oncology.example",
                                          "--listen", "127.0.0.1:0"])
        self.assertNotEqual(0, program.wait(60), program.output())
        return program.output()

    def test_1_under_a_running_authority(self):
        for number, (what, (file_of, damage)) in enumerate(LIVE.items()):
            with self.case(what):
                authority = self.writ.start_authority()
                self.writ.join_token("node-0")
                size = self.writ.tree_size()
                wait_until("it is published", lambda size=size: (checkpoint := self.writ.data / "log/checkpoint").exists()
                           and int(checkpoint.read_text().split("\n")[1]) >= size)
                file = file_of(self.writ.data / "log")
                damage(file)
                wait_until("it takes no record", lambda: self.try_to_record() >= 500)
                self.assertIn(file.name, authority.output())
                self.assertGreaterEqual(self.try_to_record(), 500)  # nor later
                self.assertEqual(503, self.writ.admin("GET", "/readyz").status)
                authority.kill()
                told = self.refused_start(f"refused-{number}")
                # Of the only segment nothing is left that could be missed: what is signed goes further than what is there.
                self.assertRegex(told, f"{file.name}|the journal ends with entry")
                self.assertEqual(1, self.writ.verify_log().code)

    def test_2_while_it_was_away_and_the_journal_still_has_it(self):
        for what, (file_of, damage) in AWAY.items():
            with self.case(what):
                authority = self.writ.start_authority()
                for node in range(300):
                    self.writ.join_token(f"node-{node}")
                authority.stop()
                file = file_of(self.writ.data / "log")
                whole = file.read_bytes()
                damage(file)
                self.assertEqual(1, self.writ.verify_log().code)
                self.writ.start_authority()
                self.assertEqual(whole, file.read_bytes())
                self.assert_log_verifies()

    def decide(self, count: int) -> None:
        connection = UnixConnection(self.writ.admin_socket, timeout=60)
        for number in range(count):
            answer = request(connection, "POST", "/access/v1/evaluation", {
                "subject": {"type": "Workload", "id": "spiffe://oncology.example/w"}, "action": {"name": "read"},
                "resource": {"type": "Dataset", "id": f"d/{number}"}, "context": {"note": "x" * CONTEXT_BYTES}})
            self.assertEqual(200, answer.status, answer.text)
        connection.close()

    def test_3_while_it_was_away_and_nothing_else_has_it(self):
        authority = self.writ.start_authority()
        self.decide(RECORDS)
        authority.stop()
        self.assertGreater(int(sorted((self.writ.data / "log/journal").iterdir())[0].name), 256)
        for number, (what, (file_of, damage)) in enumerate(AWAY.items()):
            with self.subTest(what):
                file = file_of(self.writ.data / "log")
                whole = file.read_bytes()
                damage(file)
                self.assertIn(str(file.relative_to(self.writ.data / "log")), self.refused_start(f"away-{number}"))
                self.assertEqual(1, self.writ.verify_log().code)
                file.write_bytes(whole)
        self.assert_log_verifies()


if __name__ == "__main__":
    main()
