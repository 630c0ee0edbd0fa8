#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Old decisions explained with the policies of their moment, a draft replayed over them, and the least that a workload needs proposed from them."""
import json
import sqlite3

from harness import Scenario, main, wait_until

DECLARATIONS = """
kind: TrustProvider
name: unix
type: unix
---
kind: Workload
name: trainer
id: spiffe://oncology.example/ml/{unix.user}/train
match: { unix.path: /usr/bin/python3.11 }
pipeline: classifier
team: oncology
---
kind: Workload
name: evaluator
id: spiffe://oncology.example/ml/{unix.user}/evaluate
match: { unix.path: /usr/bin/evaluate }
pipeline: classifier
team: oncology
---
kind: Dataset
name: biopsies
location: s3://oncology/biopsies
purpose: [train, evaluate]
---
kind: Dataset
name: scans
location: s3://oncology/scans
purpose: [train, evaluate]
"""
TEAM = """// The team reads.
@id("team-reads")
permit (principal in Team::"oncology", action in [Action::"read", Action::"write"], resource is Dataset)
when { resource.purpose.contains(context.purpose) };
"""
NOBODY = """@id("nobody") forbid (principal, action, resource);
"""
TRAINER = "spiffe://oncology.example/ml/ann/train"
EVALUATOR = "spiffe://oncology.example/ml/ann/evaluate"


class Hindsight(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.authority = cls.writ.start_authority()

    def folder_of(self, name: str, policies: str):
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "policies.cedar").write_text(policies)
        return folder

    def apply(self, name: str, policies: str) -> None:
        folder = self.folder_of(name, policies)
        (folder / "declarations.yaml").write_text(DECLARATIONS)
        outcome = self.writ.cli("apply", "-f", folder)
        self.assertEqual(0, outcome.code, outcome)

    def decide(self, workload: str, action: str, dataset: str, purpose: str) -> tuple[bool, int]:
        answer = self.writ.admin("POST", "/access/v1/evaluation", {
            "subject": {"type": "Workload", "id": workload}, "action": {"name": action},
            "resource": {"type": "Dataset", "id": dataset}, "context": {"purpose": purpose, "note": "kept"}})
        self.assertEqual(200, answer.status, answer.text)
        return answer.json["decision"], answer.json["context"]["record"]

    def explain(self, record: int, *options) -> dict:
        outcome = self.writ.cli("audit", "explain", record, "--json", *options)
        self.assertEqual(0, outcome.code, outcome)
        return json.loads(outcome.out)

    def wait_for_checkpoint(self) -> None:
        """Entries are published a fraction of a second after they are acknowledged."""
        size = self.writ.tree_size()
        wait_until("the published checkpoint covers all", lambda: int(self.writ.admin("GET", "/log/checkpoint").text.splitlines()[1]) >= size)

    def replay(self, *arguments) -> tuple[int, dict]:
        outcome = self.writ.cli("policy", "replay", "--json", *arguments)
        self.assertIn(outcome.code, (0, 1), outcome)
        return outcome.code, json.loads(outcome.out)

    def test_the_whole_story(self):
        self.apply("first", TEAM)
        used = [self.decide(TRAINER, "read", "biopsies", "train") for _ in range(3)]
        denied = self.decide(TRAINER, "read", "biopsies", "marketing")
        others = self.decide(EVALUATOR, "read", "scans", "evaluate")
        self.assertEqual([True, True, True, False, True], [allowed for allowed, _ in [*used, denied, others]])

        batch = self.writ.admin("POST", "/access/v1/evaluations", {
            "subject": {"type": "Workload", "id": EVALUATOR}, "action": {"name": "read"}, "context": {"purpose": "evaluate"},
            "evaluations": [{"resource": {"type": "Dataset", "id": name}} for name in ("biopsies", "scans", "nowhere")]}).json["evaluations"]
        self.assertEqual([True, True, False], [answer["decision"] for answer in batch])

        # The policies change; what was decided before is still explained by what was in force then.
        self.apply("second", TEAM + NOBODY)
        self.assertFalse(self.decide(TRAINER, "read", "biopsies", "train")[0])
        explained = self.explain(used[0][1])
        replayed = explained["decisions"][0]["replayed"]
        self.assertEqual((True, "allow", ["team-reads"], 1), (
            explained["agrees"], replayed["decision"], replayed["policies"], explained["policy_version"]))
        self.assertEqual("resource.purpose", self.explain(denied[1])["decisions"][0]["replayed"]["missing"][0]["fact"])
        many = self.explain(batch[0]["context"]["record"])
        self.assertEqual(["allow", "allow", "deny"], [decision["replayed"]["decision"] for decision in many["decisions"]])
        text = self.writ.cli("audit", "explain", used[0][1])
        self.assertIn("the same answer again", text.out)
        self.assertIn("when { resource.purpose.contains(context.purpose) }", text.out)
        self.assertRegex(text.out, r'resource\.purpose was .*"train"')
        self.assertEqual(2, self.writ.cli("audit", "explain", 0).code)  # the startup record decided nothing

        # A draft shows what it would change, before anybody applies it.
        self.apply("third", TEAM)
        self.wait_for_checkpoint()
        code, report = self.replay(self.folder_of("draft", TEAM.replace('Team::"oncology"', 'Team::"radiology"')))
        self.assertEqual(1, code)
        change = next(change for change in report["changes"] if change["workload"] == "trainer" and change["change"] == "would be denied")
        self.assertEqual((3, [record for _, record in used], ["team-reads"], {"type": "Dataset", "id": "biopsies"}),
                         (change["count"], change["records"], change["policies"], change["resource"]))
        self.assertEqual("principal in Team", change["missing"][0]["fact"])
        shown = self.writ.cli("policy", "replay", self.folder / "draft")
        self.assertIn("would be denied", shown.out)
        self.assertEqual(2, self.writ.cli("policy", "replay", self.folder_of("broken", "permit (principal;")).code)
        code, report = self.replay("--since", "2999-01-01T00:00:00Z", self.folder / "draft")
        self.assertEqual((0, 0), (code, report["decisions"]))

        # The least that the trainer needs; for the evaluator nothing changes.
        narrow = self.folder / "narrow"
        outcome = self.writ.cli("policy", "suggest", "--workload", "trainer", "-o", narrow)
        self.assertEqual(0, outcome.code, outcome)
        self.assertIn("wider than used", outcome.out)
        self.assertIn('+when { principal.name == "trainer" && context.purpose == "train" }', outcome.out)
        self.assertEqual(outcome.out, self.writ.cli("policy", "suggest", "--workload", "trainer").out)
        code, report = self.replay("--workload", "trainer", narrow)
        changes = [change for change in report["changes"] if change["change"] != "by other policies"]
        self.assertEqual(["would be allowed"], [change["change"] for change in changes])  # what `nobody` denied above
        self.assertTrue(self.decide(TRAINER, "write", "scans", "train")[0])  # permitted, and not used when it was proposed
        self.assertEqual(0, self.writ.cli("apply", "-f", narrow).code)
        self.assertTrue(self.decide(TRAINER, "read", "biopsies", "train")[0])
        self.assertFalse(self.decide(TRAINER, "write", "scans", "train")[0])
        self.assertFalse(self.decide(TRAINER, "read", "scans", "train")[0])
        self.assertTrue(self.decide(EVALUATOR, "write", "scans", "train")[0])

        self.check_offline(used[0][1], denied[1])

    def check_offline(self, allowed: int, denied: int) -> None:
        """The same from the files alone; and an altered store is not believed."""
        online = self.explain(allowed)
        self.wait_for_checkpoint()
        code, report = self.replay(self.folder / "draft")
        self.authority.stop()
        self.assertEqual(online, self.explain(allowed, "--data", self.writ.data))
        self.assertEqual(0, self.writ.cli("audit", "explain", denied, "--data", self.writ.data).code)
        offline_code, offline = self.replay("--data", self.writ.data, self.folder / "draft")
        self.assertEqual((code, report["changes"], report["log_size"]), (offline_code, offline["changes"], offline["log_size"]))
        suggestion = self.writ.cli("policy", "suggest", "--workload", "evaluator", "--data", self.writ.data)
        self.assertEqual(0, suggestion.code, suggestion)

        with sqlite3.connect(self.writ.data / "writ.db") as database:
            database.execute("update declarations set text = replace(text, 'team-reads', 'team-wrote') where number = 1")
        database.close()
        outcome = self.writ.cli("audit", "explain", allowed, "--data", self.writ.data)
        self.assertEqual(1, outcome.code, outcome)
        self.assertIn("ALTERED", outcome.err)
        self.assertIn("SHA-256", outcome.err)


if __name__ == "__main__":
    main()
