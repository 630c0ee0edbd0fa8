#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""AuthZEN evaluations in one request: the same answers as one by one, in few records, which tell each of them; also of a liar's texts."""

import json

from harness import Scenario, UnixConnection, main, request

TRAINER = {"type": "Workload", "id": "spiffe://oncology.example/oncology/root/train"}
STRANGER = {"type": "Workload", "id": "spiffe://oncology.example/oncology/root/other"}


def dataset(name: str) -> dict:
    return {"type": "Dataset", "id": name}


def items_of(record: dict) -> list[dict]:
    """As docs/formats/audit-record.md has `items`: each with its outcome."""
    outcomes, selected, items = [], 0, []
    for element in record["items"]:
        if isinstance(element, int):
            selected = element
        if isinstance(element, dict) and "decision" in element:
            selected = len(outcomes)
            outcomes.append(element)
        if isinstance(element, str):
            items.append({**outcomes[selected], "id": element})
        if isinstance(element, dict) and "id" in element:
            items.append({**outcomes[selected], **element})
    return items


class Evaluations(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_oncology()

    def post(self, path: str, body: dict):
        connection = UnixConnection(self.writ.admin_socket, timeout=60)
        try:
            return request(connection, "POST", path, body)
        finally:
            connection.close()

    def evaluations(self, body: dict) -> list[dict]:
        answer = self.post("/access/v1/evaluations", body)
        self.assertEqual(200, answer.status, answer.text)
        return answer.json["evaluations"]

    def record(self, number: int) -> dict:
        (found,) = [entry["record"] for entry in self.writ.records(limit=100) if entry["sequence"] == number]
        return found

    def test_each_is_decided_as_if_it_were_asked_alone(self):
        common = {"subject": TRAINER, "action": {"name": "read"}, "context": {"purpose": "train"}}
        items = [
            {"resource": dataset("oncology/biopsies")},
            {"resource": dataset("oncology/unknown")},
            {"resource": dataset("oncology/biopsies"), "context": {"purpose": "marketing"}},
            {"resource": dataset("oncology/biopsies"), "subject": STRANGER},
            {"resource": dataset("oncology/biopsies"), "action": {"name": "write"}},
            {"resource": dataset("oncology/biopsies")},
        ]
        together = self.evaluations({**common, "evaluations": items})
        alone = [self.post("/access/v1/evaluation", {**common, **item}).json for item in items]
        self.assertEqual([answer["decision"] for answer in alone], [answer["decision"] for answer in together])
        self.assertEqual([answer["context"].get("missing") for answer in alone], [answer["context"].get("missing") for answer in together])
        self.assertEqual([True, False, False, False, False, True], [answer["decision"] for answer in together])

    def test_those_alike_share_a_record_that_tells_each(self):
        names = ["oncology/biopsies" if number % 3 == 0 else f"oncology/none-{number}" for number in range(1000)]
        answers = self.evaluations({"subject": TRAINER, "action": {"name": "read"}, "context": {"purpose": "train"},
                                    "evaluations": [{"resource": dataset(name)} for name in names]})
        numbers = sorted({answer["context"]["record"] for answer in answers})
        self.assertEqual(1, len(numbers))
        self.assertLess(len(json.dumps(self.record(numbers[0]))), 30_000)
        items = [item for number in numbers for item in items_of(self.record(number))]
        self.assertEqual(names, [item["id"] for item in items])
        self.assertEqual([answer["decision"] for answer in answers], [item["decision"] == "allow" for item in items])
        for item in items:
            self.assertEqual(bool(item.get("policies")), item["decision"] == "allow")
        first = self.record(numbers[0])
        self.assertEqual((TRAINER["id"], "read", "train"), (first["workload"], first["action"], first["purpose"]))
        self.assertNotIn("resource", first)
        # Explanations are for the first denials only.
        explained = [answer for answer in answers if "missing" in answer["context"]]
        self.assertEqual(16, len(explained))
        self.assert_log_verifies()

    def test_it_stops_where_it_was_told_to(self):
        body = {"subject": TRAINER, "action": {"name": "read"}, "context": {"purpose": "train"},
                "evaluations": [{"resource": dataset(name)} for name in ("oncology/biopsies", "none", "oncology/biopsies")]}
        for semantic, wanted in (("execute_all", [True, False, True]), ("deny_on_first_deny", [True, False]), ("permit_on_first_permit", [True])):
            answers = self.evaluations({**body, "options": {"evaluations_semantic": semantic}})
            self.assertEqual(wanted, [answer["decision"] for answer in answers], semantic)
        self.assertEqual(400, self.post("/access/v1/evaluations", {**body, "options": {"evaluations_semantic": "maybe"}}).status)

    def test_texts_too_long_for_a_record_neither_stop_it_nor_go_unseen(self):
        long = "x" * 60_000
        answers = self.evaluations({"subject": {**TRAINER, "id": TRAINER["id"] + long}, "action": {"name": "read" + long}, "context": {"purpose": "train"},
                                    "evaluations": [{"resource": dataset(f"{number}{long}")} for number in range(40)]})
        self.assertEqual([False] * 40, [answer["decision"] for answer in answers])
        self.assertEqual(40, len({answer["context"]["record"] for answer in answers}))
        record = self.record(answers[7]["context"]["record"])
        self.assertTrue(record["resource"]["id"].startswith("7xxx"))
        self.assertEqual("deny", record["decision"])
        self.assertEqual(200, self.post("/access/v1/evaluation", {"subject": TRAINER, "action": {"name": "read"}, "resource": dataset("a")}).status)

    def test_a_wrong_item_is_named(self):
        body = {"subject": TRAINER, "action": {"name": "read"}}
        for item in ({"resource": 1}, {}, 7, {"resource": {"type": "Dataset"}}, {"resource": dataset("a"), "context": 3}):
            answer = self.post("/access/v1/evaluations", {**body, "evaluations": [{"resource": dataset("a")}, item]})
            self.assertEqual(400, answer.status, item)
        # SPEC: AuthZEN 1.0 §7.1: without evaluations in it, it is a single evaluation; this one has no resource.
        self.assertEqual(400, self.post("/access/v1/evaluations", {**body, "evaluations": []}).status)


if __name__ == "__main__":
    main()
