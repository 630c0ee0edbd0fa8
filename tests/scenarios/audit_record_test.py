#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a record says of a decision: enough to ask about it and to decide it again, and nothing that was declared sensitive."""
import hashlib
import json
from pathlib import Path

from harness import Scenario, main
from harness.scenario import JOBS, PYTHON
from harness.writ import REFUSED

DECLARED = """
kind: Dataset
name: fraud/transactions
location: s3://fraud/transactions
classification: [pii, financial]
purpose: [train]
---
kind: Model
name: fraud
classification: [internal]
purpose: [serve]
versions: [{ version: "7", digest: "sha256:7777777777777777777777777777777777777777777777777777777777777777" }]
aliases: { latest: "7" }
---
kind: Endpoint
name: scorer
url: https://scorer.example
purpose: [serve]
---
kind: AuditRedaction
name: patients
context: [patient.id]
---
kind: TrustProvider
name: node
type: unix
---
kind: Workload
name: trainer
id: spiffe://oncology.example/fraud/train
match: { unix.path: /usr/bin/python3.11 }
pipeline: fraud
team: risk
"""
POLICIES = """
@id("fraud-pipeline-trains")
permit (principal in Pipeline::"fraud", action in [Action::"read", Action::"train"], resource is Dataset) when { resource.purpose.contains(context.purpose) };
@id("the-released-one")
permit (principal in Pipeline::"fraud", action == Action::"load", resource == ModelVersion::"fraud@7") when { !resource.signed };
@id("callers-call")
permit (principal, action == Action::"infer", resource is Endpoint);
"""
TRAINER = "spiffe://oncology.example/fraud/train"


class AuditRecord(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.writ.start_authority()
        folder = cls.folder / "declared"
        folder.mkdir()
        (folder / "fraud.yaml").write_text(DECLARED)
        (folder / "fraud.cedar").write_text(POLICIES)
        applied = cls.writ.cli("apply", "-f", folder)
        assert applied.code == 0, applied

    def evaluate(self, action: str, resource: tuple[str, str], context: dict, headers: dict | None = None) -> dict:
        answer = self.writ.admin("POST", "/access/v1/evaluation", {
            "subject": {"type": "Workload", "id": TRAINER}, "action": {"name": action},
            "resource": {"type": resource[0], "id": resource[1]}, "context": context}, headers)
        self.assertEqual(200, answer.status, answer.text)
        sequence = answer.json["context"]["record"]
        return self.writ.admin("GET", f"/v1/audit/records/{sequence}").json["record"]

    def test_a_decision_is_recorded_with_what_it_was_decided_on(self):
        record = self.evaluate("train", ("Dataset", "fraud/transactions"), {
            "purpose": "train", "amount": 5, "nested": {"b": True, "a": ["x"]}, "model": "fraud@7", "datasets": ["fraud/labels@3"]},
            {"X-Request-ID": "req-1", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})
        self.assertEqual(1, record["v"])
        self.assertEqual(("allow", ["fraud-pipeline-trains"], "train", "fraud", "risk"),
                         (record["decision"], record["policies"], record["purpose"], record["pipeline"], record["team"]))
        self.assertEqual(["pii", "financial"], record["classification"])
        self.assertEqual({"type": "ModelVersion", "id": "fraud@7", "version": "7", "digest": "sha256:" + "7" * 64}, record["model"])
        self.assertEqual(["workload", "model", "datasets"], record["asserted"])
        self.assertEqual([{"type": "DatasetVersion", "id": "fraud/labels@3", "version": "3"}], record["datasets"])
        self.assertEqual("req-1", record["request"])
        self.assertEqual("0af7651916cd43dd8448eb211c80319c", record["trace"])
        self.assertEqual('{"amount":5,"datasets":["fraud/labels@3"],"model":"fraud@7","nested":{"a":["x"],"b":true}}',
                         json.dumps(record["context"], separators=(",", ":")))

    def test_an_alias_is_decided_and_recorded_as_its_version(self):
        record = self.evaluate("load", ("ModelVersion", "fraud@latest"), {"purpose": "serve"})
        self.assertEqual({"type": "ModelVersion", "id": "fraud@7", "version": "7", "digest": "sha256:" + "7" * 64, "alias": "latest"}, record["resource"])
        self.assertEqual(("allow", ["the-released-one"]), (record["decision"], record["policies"]))
        self.assertEqual(["workload"], record["asserted"])
        unknown = self.evaluate("load", ("ModelVersion", "fraud@8"), {"purpose": "serve"})
        self.assertEqual(("deny", ["workload", "resource"]), (unknown["decision"], unknown["asserted"]))

    def test_items_of_a_batch_have_version_digest_and_alias_too(self):
        versions = [{"resource": {"type": "ModelVersion", "id": f"fraud@{version}"}} for version in ("latest", "8", "7")]
        answer = self.writ.admin("POST", "/access/v1/evaluations", {
            "subject": {"type": "Workload", "id": TRAINER}, "action": {"name": "load"}, "context": {"purpose": "serve"}, "evaluations": versions})
        self.assertEqual([True, False, True], [one["decision"] for one in answer.json["evaluations"]], answer.text)
        record = self.writ.admin("GET", f"/v1/audit/records/{answer.json['evaluations'][0]['context']['record']}").json["record"]
        seven = {"id": "fraud@7", "version": "7", "digest": "sha256:" + "7" * 64}
        self.assertEqual([{"type": "ModelVersion", "decision": "allow", "policies": ["the-released-one"]}, {**seven, "alias": "latest"},
                          {"type": "ModelVersion", "decision": "deny", "asserted": ["resource"]}, "fraud@8", 0, seven], record["items"])

    def test_no_item_of_a_batch_is_lost_to_digests(self):
        names = [f"member-{number}" for number in range(60)]
        folder = self.scratch("redacted")
        folder.mkdir()
        (folder / "many.yaml").write_text("kind: AuditRedaction\nname: many\ncontext: [" + ", ".join(names) + "]\n")
        applied = self.writ.cli("apply", "-f", folder)
        self.assertEqual(0, applied.code, applied)
        answer = self.writ.admin("POST", "/access/v1/evaluations", {
            "subject": {"type": "Workload", "id": "spiffe://oncology.example/" + "x" * 900}, "action": {"name": "infer"}, "context": dict.fromkeys(names, 1) | {"note": "x" * 15_000},
            "evaluations": [{"resource": {"type": "Endpoint", "id": f"{number}" + "y" * 900}} for number in range(36)]}).json["evaluations"]
        told = 0
        for number in sorted({one["context"]["record"] for one in answer}):
            record = self.writ.admin("GET", f"/v1/audit/records/{number}").json["record"]
            told += len([item for item in record["items"] if isinstance(item, str)]) if "items" in record else int("decision" in record and "resource" in record)
        self.assertEqual(36, told)

    def test_a_denial_is_recorded_as_fully(self):
        record = self.evaluate("train", ("Dataset", "fraud/transactions"), {"purpose": "marketing", "campaign": "spring"})
        self.assertEqual(("deny", {"campaign": "spring"}), (record["decision"], record["context"]))
        self.assertEqual(["pii", "financial"], record["classification"])

    def test_what_is_declared_sensitive_is_a_digest(self):
        record = self.evaluate("infer", ("Endpoint", "scorer"), {"patient": {"id": "p-17", "ward": "3"}})
        digest = record["context"]["patient"]["id"]
        self.assertRegex(digest, "^hmac-sha256:[0-9a-f]{64}$")
        self.assertEqual("3", record["context"]["patient"]["ward"])
        self.assertEqual(["context.patient.id"], record["redacted"])
        again = self.evaluate("infer", ("Endpoint", "scorer"), {"patient": {"id": "p-17"}})
        self.assertEqual(digest, again["context"]["patient"]["id"])
        other = self.evaluate("infer", ("Endpoint", "scorer"), {"patient": {"id": "p-18"}})
        self.assertNotEqual(digest, other["context"]["patient"]["id"])
        for file in (self.writ.data / "log").rglob("*"):
            if file.is_file():
                self.assertNotIn(b"p-17", file.read_bytes(), file)

    def test_the_salt_is_named_by_its_digest_when_the_authority_starts(self):
        salt = self.writ.data / "audit-salt"
        self.assertEqual(0o600, salt.stat().st_mode & 0o777)
        started = self.writ.records(type="startup")[0]["record"]
        self.assertEqual(hashlib.sha256(salt.read_bytes()).hexdigest(), started["salt_digest"])

    def test_an_administration_names_who_and_which_documents(self):
        record = self.writ.records(type="administration")[0]["record"]
        self.assertRegex(record["caller"], r"^uid:\d+$")
        self.assertEqual(1, record["declarations"]["version"])
        self.assertRegex(record["declarations"]["digest"], "^[0-9a-f]{64}$")

    def test_a_run_of_somebody_else_is_no_run(self):
        record = self.evaluate("infer", ("Endpoint", "scorer"), {"run": "run-aaaaaaaaaaaaaaaaaaaa"})
        self.assertNotIn("run", record)


class Posture(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_oncology()

    def test_what_attestation_measured_is_on_record_and_decides(self):
        executable = hashlib.sha256(Path(PYTHON).resolve().read_bytes()).hexdigest()
        self.assertEqual(0, self.writ.cli("run", "--purpose", "train", "--", PYTHON, JOBS / "read.py").code)
        decision, start = (self.writ.records(type=kind)[0]["record"] for kind in ("decision", "run_start"))
        posture = decision["context"]["posture"]
        self.assertEqual((executable, {"__extn": {"fn": "ip", "arg": "127.0.0.1"}}), (posture["executable_digest"], posture["address"]))
        self.assertTrue(posture["node"].startswith("spiffe://oncology.example/writ/agent/"), posture)
        self.assertEqual("datetime", posture["attested"]["__extn"]["fn"])
        self.assertEqual(posture, start["context"]["posture"])
        for record in (decision, start):
            self.assertEqual(hashlib.sha256(json.dumps(posture, separators=(",", ":")).encode()).hexdigest(), record["posture"])
        self.assertNotIn("asserted", decision)

        # Another program of the same path is no trainer to a policy that knows its digest.
        rule = self.scratch("rule.cedar")
        rule.write_text('@id("only-this-build") forbid (principal, action, resource) unless { context.posture has executable_digest '
                        f'&& context.posture.executable_digest == "{"0" * 64}" }};')
        self.assertEqual(0, self.writ.cli("apply", "-f", rule).code)
        refused = self.writ.cli("run", "--purpose", "train", "--", PYTHON, JOBS / "read.py")
        self.assertEqual(REFUSED, refused.code, refused)
        self.assertIn("executable_digest", refused.err)
        denied = self.writ.records(type="decision", limit=1)[0]
        explained = self.writ.cli("audit", "explain", denied["sequence"], "--json")
        self.assertEqual(0, explained.code, explained)
        rule.write_text(rule.read_text().replace("0" * 64, executable))
        self.assertEqual(0, self.writ.cli("apply", "-f", rule).code)
        self.assertEqual(0, self.writ.cli("run", "--purpose", "train", "--", PYTHON, JOBS / "read.py").code)
        allowed = self.writ.records(type="decision", limit=1)[0]
        self.assertEqual(0, self.writ.cli("audit", "explain", allowed["sequence"]).code)


if __name__ == "__main__":
    main()
