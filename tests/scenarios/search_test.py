#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""AuthZEN searches on a real authority: what is found may be used, page by page, and nothing of a caller's own makes it more."""
from harness import Scenario, main

DECLARATIONS = """
kind: TrustProvider
name: unix
type: unix
---
kind: Workload
name: trainer
id: spiffe://oncology.example/ml/train
match: { unix.path: /usr/bin/python3.11 }
pipeline: classifier
team: oncology
---
kind: Workload
name: notebook
id: spiffe://oncology.example/ml/{unix.user}/notebook
match: { unix.path: /usr/bin/notebook }
pipeline: exploration
team: oncology
""" + "".join(f"""---
kind: Dataset
name: {name}
location: s3://oncology/{name}
purpose: [{purpose}]
""" for name, purpose in (("biopsies", "train"), ("scans", "train"), ("slides", "train"), ("letters", "care")))
POLICIES = """
permit (principal in Pipeline::"classifier", action in [Action::"read", Action::"evaluate"], resource is Dataset)
when { resource.purpose.contains(context.purpose) };
"""
TRAINER = {"type": "Workload", "id": "spiffe://oncology.example/ml/train"}
TRAIN = {"purpose": "train"}


class Search(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.writ.start_authority()
        (cls.folder / "declarations.yaml").write_text(DECLARATIONS)
        (cls.folder / "policies.cedar").write_text(POLICIES)
        outcome = cls.writ.cli("apply", "-f", cls.folder / "declarations.yaml", "-f", cls.folder / "policies.cedar")
        if outcome.code != 0:
            raise AssertionError(outcome)

    def search(self, what: str, body: dict, status: int = 200) -> dict:
        answer = self.writ.admin("POST", f"/access/v1/search/{what}", body)
        self.assertEqual(status, answer.status, answer.text)
        return answer.json

    def resources(self, page: dict | None = None, context: dict | None = None, status: int = 200) -> dict:
        body = {"subject": TRAINER, "action": {"name": "read"}, "resource": {"type": "Dataset"}, "context": context or TRAIN}
        return self.search("resource", body | ({"page": page} if page is not None else {}), status)

    def test_resources(self):
        found = self.resources()
        self.assertEqual([{"type": "Dataset", "id": name} for name in ("biopsies", "scans", "slides")], found["results"])
        self.assertNotIn("page", found)
        self.assertEqual(["letters"], [result["id"] for result in self.resources(context={"purpose": "care"})["results"]])
        self.assertEqual([], self.resources(context={"purpose": "marketing"})["results"])
        for result in found["results"]:
            answer = self.writ.admin("POST", "/access/v1/evaluation", {"subject": TRAINER, "action": {"name": "read"}, "resource": result, "context": TRAIN})
            self.assertTrue(answer.json["decision"], answer.text)

    def test_subjects_and_actions(self):
        body = {"subject": {"type": "Workload"}, "action": {"name": "read"}, "resource": {"type": "Dataset", "id": "scans"}, "context": TRAIN}
        self.assertEqual([TRAINER], self.search("subject", body)["results"])
        body = {"subject": TRAINER, "resource": {"type": "Dataset", "id": "scans"}, "context": TRAIN}
        self.assertEqual([{"name": "evaluate"}, {"name": "read"}], self.search("action", body)["results"])

    def test_pages(self):
        first = self.resources({"limit": 2})
        self.assertEqual((2, 3, 2), (first["page"]["count"], first["page"]["total"], len(first["results"])))
        second = self.resources({"token": first["page"]["next_token"]})
        self.assertEqual(("", ["slides"]), (second["page"]["next_token"], [result["id"] for result in second["results"]]))
        # A token is of one question.
        self.resources({"token": first["page"]["next_token"]}, context={"purpose": "care"}, status=400)
        self.resources({"token": "bm9uZQ"}, status=400)
        self.resources({"limit": -1}, status=400)

    def test_what_a_caller_says_of_declared_things_is_not_believed(self):
        claimed = {"subject": TRAINER, "action": {"name": "read"}, "context": TRAIN,
                   "resource": {"type": "Dataset", "id": "letters", "properties": {"purpose": ["train"]}}}
        self.assertFalse(self.writ.admin("POST", "/access/v1/evaluation", claimed).json["decision"])
        claimed["resource"]["id"] = "undeclared"
        self.assertFalse(self.writ.admin("POST", "/access/v1/evaluation", claimed).json["decision"])

    def test_a_question_without_its_parts_is_refused(self):
        self.search("resource", {"subject": TRAINER, "resource": {"type": "Dataset"}}, 400)
        self.search("subject", {"subject": {}, "action": {"name": "read"}, "resource": {"type": "Dataset", "id": "scans"}}, 400)
        self.search("action", {"subject": TRAINER, "resource": {"type": "Dataset"}}, 400)


if __name__ == "__main__":
    main()
