#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""AuthZEN evaluations in one request: the same answers as one by one, in few records, which tell each of them; also of a liar's texts."""

import json
import os
import pwd
from urllib.parse import quote

from harness import Scenario, UnixConnection, main, request

USER = pwd.getpwuid(os.getuid()).pw_name
TRAINER = {"type": "Workload", "id": f"spiffe://oncology.example/oncology/{USER}/train"}
STRANGER = {"type": "Workload", "id": f"spiffe://oncology.example/oncology/{USER}/other"}


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
        # What nobody declared is only said to be there, of one as of many.
        for item in items:
            self.assertEqual(["resource"] if "none" in item["id"] else [], item.get("asserted", []))
        alone = self.post("/access/v1/evaluation", {"subject": TRAINER, "action": {"name": "read"}, "resource": dataset("oncology/none-1")})
        self.assertIn("resource", self.record(alone.json["context"]["record"])["asserted"])
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

    def test_what_a_request_says_is_bounded_the_defaults_for_each_that_differs(self):
        """A small request must not become a large one within: the defaults are of each question that differs."""
        good = {"subject": TRAINER, "action": {"name": "read"}, "resource": dataset("a")}
        for context, status in (({"x": "y" * 200_000}, 200), ({"x": "y" * 300_000}, 400), ({"x": list(range(20_000))}, 400)):
            self.assertEqual(status, self.post("/access/v1/evaluation", {**good, "context": context}).status)
        differing = [{"action": {"name": f"a{number}"}} for number in range(100)]
        self.assertEqual(200, self.post("/access/v1/evaluations", {**good, "context": {"x": "y" * 20_000}, "evaluations": differing}).status)
        answer = self.post("/access/v1/evaluations", {**good, "context": {"x": "y" * 60_000}, "evaluations": differing})
        self.assertEqual(400, answer.status)
        self.assertIn("4 MiB together", answer.json["detail"])
        # Those that are alike share them.
        self.assertEqual(100, len(self.evaluations({**good, "context": {"x": "y" * 60_000}, "evaluations": [{}] * 100})))

    def found(self, name: str) -> list[int]:
        return [entry["sequence"] for entry in self.writ.records(resource=quote(name, safe=""))]

    def test_whatever_is_decided_on_is_found_by_its_name_alone_and_among_others(self):
        common = {"subject": TRAINER, "action": {"name": "read"}}
        for name in ("x" * 1024, "\u00e9" * 512, "a\"b\\c' d&e=f", "\U0001f9ec/\u2028"):
            alone = self.post("/access/v1/evaluation", {**common, "resource": dataset(name)})
            self.assertEqual(200, alone.status, alone.text)
            self.assertEqual([alone.json["context"]["record"]], self.found(name))
            together = self.evaluations({**common, "evaluations": [{"resource": dataset("a")}, {"resource": dataset(name)}, {"resource": dataset("b")}]})
            self.assertEqual([together[1]["context"]["record"], alone.json["context"]["record"]], self.found(name))

    def test_a_name_by_which_nothing_could_be_found_is_refused_alone_and_among_others(self):
        good = {"subject": TRAINER, "action": {"name": "read"}, "resource": dataset("a")}
        for part, member, limit in (("subject", "id", 1024), ("subject", "type", 256), ("resource", "id", 1024), ("resource", "type", 256), ("action", "name", 256)):
            for bad in ("x" * (limit + 1), "\u00e9" * (limit // 2 + 1), "a\nb", "a\x00b", "a\x7fb"):
                with self.subTest(part=part, member=member, bad=bad[:4]):
                    one = {**good, part: {**good[part], member: bad}}
                    wanted = f"{part}: member `{member}` has at most {limit} bytes and no control characters"
                    for path, body in (("evaluation", one), ("evaluations", {**good, "evaluations": [{}, {part: one[part]}]}), ("evaluations", {**one, "evaluations": [{}]})):
                        answer = self.post(f"/access/v1/{path}", body)
                        self.assertEqual((400, wanted), (answer.status, answer.json.get("detail")), path)

    def test_members_of_a_wrong_type_are_named_and_never_taken_for_absent(self):
        good = {"subject": TRAINER, "action": {"name": "read"}, "resource": dataset("a")}
        wrong = [({"context": {member: 7}}, f"context: member `{member}`") for member in ("purpose", "model", "endpoint", "run", "datasets")]
        wrong += [({"context": 7}, "member `context`"), ({"context": None}, "member `context`"), ({"context": {"datasets": ["a", 7]}}, "context: member `datasets`"),
                  ({"subject": {**TRAINER, "properties": 7}}, "subject: member `properties`"), ({"resource": {**dataset("a"), "properties": []}}, "resource: member `properties`")]
        for change, said in wrong:
            for path, body in (("evaluation", {**good, **change}), ("evaluations", {**good, "evaluations": [{}, change]}), ("evaluations", {**good, **change, "evaluations": [{}]})):
                with self.subTest(path=path, body=body):
                    answer = self.post(f"/access/v1/{path}", body)
                    self.assertEqual(400, answer.status, answer.text)
                    self.assertIn(said, answer.json["detail"])
        for options, said in ((7, "member `options`"), ({"evaluations_semantic": 7}, "options: member `evaluations_semantic`"), ({"evaluations_semantic": None}, "options: member")):
            answer = self.post("/access/v1/evaluations", {**good, "evaluations": [{}], "options": options})
            self.assertEqual(400, answer.status, answer.text)
            self.assertIn(said, answer.json["detail"])
        # SPEC: AuthZEN 1.0: what is not known is ignored.
        self.assertEqual(200, self.post("/access/v1/evaluation", {**good, "x": 1, "options": {"y": 2}, "context": {"z": 3}}).status)

    def test_a_wrong_item_is_named(self):
        body = {"subject": TRAINER, "action": {"name": "read"}}
        for item in ({"resource": 1}, {}, 7, {"resource": {"type": "Dataset"}}, {"resource": dataset("a"), "context": 3}):
            answer = self.post("/access/v1/evaluations", {**body, "evaluations": [{"resource": dataset("a")}, item]})
            self.assertEqual(400, answer.status, item)
        # SPEC: AuthZEN 1.0 §7.1: without evaluations in it, it is a single evaluation; this one has no resource.
        self.assertEqual(400, self.post("/access/v1/evaluations", {**body, "evaluations": []}).status)


if __name__ == "__main__":
    main()
