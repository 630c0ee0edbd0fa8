#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An auditor's questions, asked of a running authority and of a copy of its files: who used what, where a model comes from and went, and that nobody did."""
import csv
import fcntl
import io
import json
import os
import pty
import shutil
import struct
import subprocess
import tempfile
import termios
from pathlib import Path

from harness import Scenario, main, wait_until
from harness.writ import EXECUTABLE

DECLARED = """
kind: Dataset
name: transactions
location: s3://fraud/transactions
classification: [pii]
purpose: [train]
---
kind: Dataset
name: secrets
location: s3://fraud/secrets
purpose: [train]
---
kind: Model
name: fraud
purpose: [serve]
---
kind: Endpoint
name: scorer
url: https://scorer.example
purpose: [serve]
---
kind: TrustProvider
name: node
type: unix
---
kind: AuditRedaction
name: cards
context: [card]
"""
NAMES = {"trainer": "fraud", "server": "serving", "shop": "retail", "stranger": "nowhere"}
WORKLOADS = "".join(f"""
---
kind: Workload
name: {name}
id: spiffe://oncology.example/{team}/{name}
match: {{ unix.path: /bin/{name} }}
team: {team}
""" for name, team in NAMES.items())
POLICIES = """
@id("fraud-makes-models")
permit (principal in Team::"fraud", action in [Action::"read", Action::"train", Action::"sign"], resource) unless { resource == Dataset::"secrets" };
@id("serving-loads")
permit (principal in Team::"serving", action == Action::"load", resource);
@id("retail-calls")
permit (principal in Team::"retail", action == Action::"infer", resource is Endpoint);
"""


class AuditQuestions(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.writ.start_authority()
        folder = cls.folder / "declared"
        folder.mkdir()
        (folder / "fraud.yaml").write_text(DECLARED + WORKLOADS)
        (folder / "fraud.cedar").write_text(POLICIES)
        applied = cls.writ.cli("apply", "-f", folder)
        assert applied.code == 0, applied
        cls.evaluate("trainer", "read", "Dataset", "transactions", purpose="train", card="card-4111")
        cls.evaluate("trainer", "train", "Dataset", "transactions", purpose="train", model="fraud@7", datasets=["labels@3"])
        cls.evaluate("trainer", "sign", "ModelVersion", "fraud@7")
        cls.evaluate("server", "load", "ModelVersion", "fraud@7", endpoint="scorer")
        for _ in range(3):
            cls.evaluate("shop", "infer", "Endpoint", "scorer", purpose="score", model="fraud@7")
        cls.evaluate("stranger", "infer", "Endpoint", "scorer", allowed=False)
        cls.last = cls.evaluate("trainer", "read", "Dataset", "secrets", purpose="train", allowed=False)
        wait_until("all of it is published", lambda: int((cls.writ.data / "log" / "checkpoint").read_text().split("\n")[1]) > cls.last)

    @classmethod
    def evaluate(cls, workload: str, action: str, kind: str, name: str, allowed: bool = True, **context) -> int:
        answer = cls.writ.admin("POST", "/access/v1/evaluation", {
            "subject": {"type": "Workload", "id": f"spiffe://oncology.example/{NAMES[workload]}/{workload}"}, "action": {"name": action},
            "resource": {"type": kind, "id": name}, "context": context})
        assert answer.json["decision"] is allowed, answer.text
        return answer.json["context"]["record"]

    def copy(self):
        copy = Path(tempfile.mkdtemp(dir=self.folder))
        self.writ.copy_log(copy / "log")
        shutil.copy(self.writ.data / "audit-salt", copy)
        return copy

    def ask(self, *arguments, code: int = 0):
        """The answer of the authority, which a copy of the files gives word for word."""
        outcome = self.writ.cli("audit", *arguments, "--json")
        self.assertEqual(code, outcome.code, outcome)
        offline = self.writ.cli("audit", *arguments, "--json", "--data", self.copy(), environment={"WRIT_RUN_DIR": "/nonexistent"})
        self.assertEqual(code, offline.code, offline)
        answer = json.loads(outcome.out)
        self.assertEqual(answer, json.loads(offline.out))
        return answer

    def test_who_used_a_data_set(self):
        uses = self.ask("who-used", "dataset", "transactions")["uses"]
        self.assertEqual([("trainer", "train"), ("trainer", "read")], [(use["workload"], use["action"]) for use in uses])
        self.assertEqual(["labels@3"], [data["id"] for data in uses[0]["datasets"]])
        self.assertEqual(1, len(self.ask("who-used", "dataset", "labels@3")["uses"]))
        self.assertEqual([], self.ask("who-used", "dataset", "labels@4")["uses"])
        self.assertEqual([], self.ask("who-used", "dataset", "secrets")["uses"])
        told = self.writ.cli("audit", "who-used", "endpoint", "scorer")
        self.assertRegex(told.out, r"shop .* score .* infer .* 3 ")

    def test_what_was_used(self):
        uses = self.ask("what-used", "workload", "trainer")["uses"]
        self.assertEqual(["fraud@7", "transactions", "transactions"], [use["resource"]["id"] for use in uses])
        model = self.ask("what-used", "model", "fraud@7")
        self.assertEqual({"sign", "train", "load", "infer"}, {use["action"] for use in model["used_by"]["uses"]})

    def test_a_model_is_traced_both_ways(self):
        [model] = self.ask("trace", "model", "fraud@7")["models"]
        self.assertEqual(("fraud", "7"), (model["name"], model["version"]))
        [made] = model["runs"]
        self.assertEqual({"train", "sign"}, set(made["actions"]))
        self.assertEqual({"transactions", "labels@3"}, {data["resource"]["id"] for data in made["data"]})
        [endpoint] = model["endpoints"]
        self.assertEqual(("scorer", "spiffe://oncology.example/serving/server"), (endpoint["endpoint"], endpoint["loaded_by"]))
        self.assertEqual([("shop", 3)], [(caller["workload"], caller["calls"]) for caller in endpoint["callers"]])
        tree = self.writ.cli("audit", "trace", "model", "fraud").out
        for line in ("fraud@7", "made by trainer: ", "from Dataset transactions (train)", "loaded by scorer", "called by shop to score, 3 times"):
            self.assertIn(line, tree)

    def test_what_nobody_but_the_caller_says_is_marked(self):
        for use in self.ask("who-used", "dataset", "transactions")["uses"]:
            self.assertIn("workload", use["asserted"])
            self.assertRegex(use["caller"], r"^uid:\d+$")
            self.assertFalse(use["attested"])
        for question in (("who-used", "dataset", "transactions"), ("what-used", "workload", "trainer")):
            self.assertEqual([], self.ask(*question, "--attested")["uses"])
            self.assertRegex(self.writ.cli("audit", *question).out, r" workload, model, datasets by uid:\d+ ")
            [first, *_] = csv.DictReader(io.StringIO(self.writ.cli("audit", *question, "--csv").out, newline=""))
            self.assertEqual("false", first["ATTESTED"])
        self.assertEqual([], self.ask("trace", "model", "fraud", "--attested")["models"])
        self.assertRegex(self.writ.cli("audit", "trace", "model", "fraud").out, r"made by trainer: .* \(asserted by uid:\d+\)")
        self.assertEqual([], self.ask("list", "--type", "decision", "--attested")["records"])
        self.assertEqual(1, len(self.ask("list", "--type", "startup", "--attested")["records"]))
        self.assertEqual(400, self.writ.admin("GET", "/v1/audit/who-used?type=dataset&id=transactions&attested=perhaps").status)

    def test_tables_fit_a_terminal(self):
        for question in (("who-used", "dataset", "transactions"), ("what-used", "model", "fraud@7"), ("list", "-n", "100")):
            whole = self.writ.cli("audit", *question).out
            lines = self.on_terminal("audit", *question)
            self.assertLessEqual(max(map(len, lines)), 120, "\n".join(lines))
            self.assertGreaterEqual(whole.count("\n"), len(lines))
            self.assertGreater(max(map(len, self.on_terminal("audit", *question, "--wide"))), 120)

    def on_terminal(self, *arguments: str) -> list[str]:
        """The lines that a terminal of 120 columns is told."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        process = subprocess.Popen([EXECUTABLE, *arguments], stdout=theirs, env=self.writ.environment | {"NO_COLOR": "1"})
        os.close(theirs)
        told = b""
        try:
            while block := os.read(ours, 65536):
                told += block
        except OSError:  # the other end is closed
            pass
        os.close(ours)
        self.assertEqual(0, process.wait())
        return told.decode().splitlines()

    def test_absence_names_the_tree_it_is_said_of(self):
        answer = self.ask("never", "secrets")
        self.assertTrue(answer["never"])
        self.assertEqual(1, answer["denied"])
        lines = answer["checkpoint"].split("\n")
        self.assertEqual([str(answer["size"]), answer["root"]], lines[1:3])
        used = self.ask("never", "transactions", "--since", "2026-01-01T00:00:00Z", code=1)
        # All that is on record of it is what an administrator says of others.
        self.assertNotIn("last_use", used)
        self.assertEqual((2, "trainer"), (used["asserted_uses"], used["last_asserted_use"]["record"]["workload_name"]))
        told = self.writ.cli("audit", "never", "transactions").out
        self.assertRegex(told, r"not attested: nothing is proven to have used `transactions` ever\nasserted: 2 uses .* by trainer, record \d+, says uid:\d+ \(workload, model, datasets\)")
        self.assertTrue(self.ask("never", "transactions", "--attested")["never"])
        self.assertIn("never attested: ", self.writ.cli("audit", "never", "transactions", "--attested").out)
        self.assertTrue(self.ask("never", "transactions", "--since", "2199-01-01T00:00:00Z")["never"])
        self.assertEqual(1, self.writ.cli("audit", "never", "transactions", "--since", "1h").code)

    def test_records_are_listed_by_what_they_say(self):
        def found(*filters):
            return [entry["record"] for entry in self.ask("list", *filters)["records"]]
        self.assertEqual(2, len(found("--decision", "deny")))
        self.assertEqual(2, len(found("--classification", "pii", "--purpose", "train")))
        self.assertEqual(3, len(found("--policy", "retail-calls", "--since", "1h")))
        self.assertEqual([], found("--until", "2001-01-01T00:00:00Z"))
        self.assertEqual(2, len(found("--resource", "fraud@7")))
        first = self.ask("list", "-n", "4")
        second = self.ask("list", "-n", "4", "--before", str(first["next"]))
        sequences = [entry["sequence"] for entry in first["records"] + second["records"]]
        self.assertEqual(sorted(sequences, reverse=True), sequences)
        self.assertEqual(8, len(set(sequences)))
        self.assertNotEqual(0, self.writ.cli("audit", "list", "--since", "yesterday").code)

    def test_values_separated_by_commas(self):
        outcome = self.writ.cli("audit", "list", "--workload", "trainer", "--csv")
        rows = list(csv.DictReader(io.StringIO(outcome.out, newline="")))
        self.assertEqual({"trainer"}, {row["WORKLOAD"] for row in rows})
        self.assertEqual(4, len(rows))
        uses = list(csv.DictReader(io.StringIO(self.writ.cli("audit", "who-used", "model", "fraud", "--csv").out, newline="")))
        self.assertEqual({"sign", "load", "train", "infer"}, {row["ACTION"] for row in uses})

    def test_a_sensitive_value_is_found_by_its_digest(self):
        digest = self.writ.cli("audit", "digest", "card-4111").out.strip()
        self.assertEqual(digest, self.writ.cli("audit", "digest", "card-4111", "--data", self.copy()).out.strip())
        listed = self.writ.cli("audit", "list", "--json", "--workload", "trainer").out
        self.assertIn(digest, listed)
        self.assertNotIn("card-4111", listed)

    def test_the_index_is_built_anew(self):
        refused = self.writ.cli("audit", "reindex", "--data", self.writ.data)
        self.assertNotEqual(0, refused.code)
        self.assertIn("authority", refused.err)
        copy = self.copy()
        outcome = self.writ.cli("audit", "reindex", "--data", copy, "--json")
        self.assertEqual(0, outcome.code, outcome)
        self.assertGreater(json.loads(outcome.out)["records"], 8)
        self.assertTrue((copy / "audit-index.db").exists())


class AfterAKill(Scenario):
    def kill_after_answers(self, life: int) -> int:
        """The last record's number."""
        authority = self.writ.start_authority()
        for number in range(20):
            answer = self.writ.admin("POST", "/access/v1/evaluation", {
                "subject": {"type": "Workload", "id": "spiffe://oncology.example/fraud/trainer"}, "action": {"name": "read"},
                "resource": {"type": "Dataset", "id": f"killed-{life}-{number}"}, "context": {"purpose": "train"}})
        authority.kill()
        authority.wait()
        return answer.json["context"]["record"]

    def test_what_was_acknowledged_is_in_the_answers_of_the_files_before_it_is_published(self):
        for life in range(5):  # the log publishes five times a second, and may have done so just then
            last = self.kill_after_answers(life)
            published = int((self.writ.data / "log" / "checkpoint").read_text().split("\n")[1])
            if published <= last:
                break
        self.assertLessEqual(published, last)
        listed = self.writ.cli("audit", "list", "--json", "-n", "20", "--type", "decision", "--data", self.writ.data)
        self.assertEqual(0, listed.code, listed)
        records = json.loads(listed.out)["records"]
        self.assertEqual([f"killed-{life}-{number}" for number in reversed(range(20))], [entry["record"]["resource"]["id"] for entry in records])
        self.assertEqual(last, records[0]["sequence"])
        exported = self.writ.cli("audit", "export", "--since", str(last), "--data", self.writ.data)
        self.assertIn(f"killed-{life}-19", exported.out)


class Following(Scenario):
    def test_new_records_are_seen_once_each_also_after_a_restart(self):
        authority = self.writ.start_authority()
        follower = self.writ.launch("follower", ["audit", "list", "--follow", "--json", "--type", "administration"])
        wait_until("it follows", lambda: self.writ.join_token("node-1") and "node-1" in follower.output())
        authority.kill()
        authority.wait()
        self.writ.start_authority()
        self.writ.join_token("node-2")
        wait_until("it goes on", lambda: "node-2" in follower.output())
        entries = [json.loads(line) for line in follower.output().splitlines() if line.startswith("{")]
        sequences = [entry["sequence"] for entry in entries]
        self.assertEqual(sorted(set(sequences)), sequences)
        first = sequences[0]
        told = [entry["sequence"] for entry in self.writ.records(type="administration") if entry["sequence"] >= first]
        self.assertEqual(sorted(told), sequences)


if __name__ == "__main__":
    main()
