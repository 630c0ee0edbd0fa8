#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The examples after real runs: each question is answered alike by the command, over HTTP and from the files, page by page; and a model is traced all the way from the data that
it was trained on to those who called it, each step taken by a process of its own that was attested."""
import csv
import hashlib
import io
import json
import re
import shutil
from urllib.parse import urlencode

from harness import Scenario, main, wait_until
from harness.scenario import JOBS, PYTHON
from harness.writ import REFUSED, TREE

DIGEST = "sha256:" + hashlib.sha256(b"what the trainer wrote").hexdigest()
DECLARED = f"""
kind: Model
name: biopsy-classifier
classification: [internal]
purpose: [serve]
versions: [{{ version: "1", digest: "{DIGEST}" }}]
aliases: {{ latest: "1" }}
---
kind: Endpoint
name: scorer
url: https://scorer.example
purpose: [care]
"""
# Each a program of its own; the kernel tells them apart by their paths.
PROGRAMS = {"trainer": "read, dataset: oncology/biopsies", "server": "load, model: biopsy-classifier", "ward": "infer, endpoint: scorer"}
POLICIES = """
@id("trainer-signs")
permit (principal in Team::"models", action == Action::"sign", resource in Model::"biopsy-classifier") when { context.run != "" };
@id("trainer-reads")
permit (principal in Team::"models", action == Action::"read", resource == Dataset::"oncology/biopsies");
@id("server-loads")
permit (principal in Team::"serving", action == Action::"load", resource in Model::"biopsy-classifier");
@id("ward-asks")
permit (principal in Team::"ward", action == Action::"infer", resource == Endpoint::"scorer") when { context.purpose == "care" };
"""
TEAMS = {"trainer": "models", "server": "serving", "ward": "ward"}


class AuditAnswers(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_oncology()
        cls.declare_programs()
        cls.declare_tumours()
        cls.run_oncology()
        cls.run_tumours()
        cls.walk_the_lineage()

    @classmethod
    def wait_for_files(cls) -> None:
        """Files have a record a fraction of a second after it was acknowledged."""
        size = cls.writ.tree_size()
        wait_until("all of it is published", lambda: int((cls.writ.data / "log/checkpoint").read_text().split("\n")[1]) >= size)

    @classmethod
    def declare_programs(cls):
        folder = cls.folder / "programs"
        folder.mkdir()
        workloads = ""
        for name, use in PROGRAMS.items():
            shutil.copy(PYTHON, folder / name)
            workloads += (f"---\nkind: Workload\nname: {name}\nid: spiffe://oncology.example/lineage/{name}\nmatch: {{ unix.path: {folder / name} }}\n"
                          f"team: {TEAMS[name]}\nuses: [{{ action: {use} }}]\n")
        declared = cls.folder / "declared"
        declared.mkdir()
        (declared / "lineage.yaml").write_text(DECLARED + workloads)
        (declared / "lineage.cedar").write_text(POLICIES)
        applied = cls.writ.cli("apply", "-f", declared)
        assert applied.code == 0, applied

    @classmethod
    def declare_tumours(cls):
        """The example as it is, but for its interpreter, which is the oncology trainer's too. Nobody opens a session, so no store is there."""
        copy = cls.folder / "tumours-s3"
        shutil.copytree(TREE / "examples/tumours-s3", copy)
        shutil.copy(PYTHON, cls.folder / "programs/tumours")
        workloads = copy / "workloads.yaml"
        workloads.write_text(workloads.read_text().split("---\nkind: TrustProvider")[0].replace(PYTHON, str(cls.folder / "programs/tumours")))
        (copy / "policies.cedar").rename(copy / "tumours.cedar")  # the other example has one of that name
        applied = cls.writ.cli("apply", "-f", copy, environment={"TUMOURS_ROLE": "arn:aws:iam::123456789012:role/tumours", "TUMOURS_REGION": "eu-central-1",
                                                                 "TUMOURS_ENDPOINT": "http://127.0.0.1:9"})
        assert applied.code == 0, applied

    @classmethod
    def run_job(cls, *command, purpose: str, code: int = 0) -> str:
        outcome = cls.writ.cli("run", "--purpose", purpose, "--", *command, environment={"PYTHONHOME": "/usr"})
        assert outcome.code == code, outcome
        return outcome.out

    @classmethod
    def run_oncology(cls):
        for _ in range(2):
            cls.run_job(PYTHON, JOBS / "read.py", purpose="train")
        cls.run_job(PYTHON, JOBS / "read.py", purpose="marketing", code=REFUSED)

    @classmethod
    def run_tumours(cls):
        cls.run_job(cls.folder / "programs/tumours", "-c", "print('no session')", purpose="train")

    @classmethod
    def walk_the_lineage(cls):
        issuer, roots = cls.writ.public_url(), cls.folder / "roots.pem"
        bundle = cls.writ.admin("GET", "/.well-known/spiffe-bundle").json
        roots.write_text("".join(f"-----BEGIN CERTIFICATE-----\n{key['x5c'][0]}\n-----END CERTIFICATE-----\n" for key in bundle["keys"] if key.get("use") == "x509-svid"))

        def step(program: str, purpose: str, *question: str, **context):
            return cls.run_job(cls.folder / "programs" / program, JOBS / "ask.py", issuer, roots, *question, json.dumps(context | {"purpose": purpose}), purpose=purpose)

        step("trainer", "train", "sign", "ModelVersion", "biopsy-classifier@latest", datasets=["oncology/biopsies"])
        step("server", "serve", "load", "ModelVersion", "biopsy-classifier@1", endpoint="scorer")
        for _ in range(2):
            step("ward", "care", "infer", "Endpoint", "scorer", model="biopsy-classifier@1")

    # ---- the same answer three ways

    def both(self, question: str, *arguments: str, **parameters) -> dict:
        """What the command says in JSON, which is what HTTP says, and what the files say."""
        self.wait_for_files()
        told = self.writ.cli("audit", *arguments, "--json")
        self.assertIn(told.code, (0, 1), told)
        answer = json.loads(told.out)
        over_http = self.writ.admin("GET", f"/v1/audit/{question}?{urlencode(parameters)}")
        self.assertEqual(200, over_http.status, over_http.text)
        self.assertEqual(over_http.json, answer)
        from_files = self.writ.cli("audit", *arguments, "--json", "--data", self.writ.data)
        self.assertEqual((told.code, answer), (from_files.code, json.loads(from_files.out)))
        return answer

    def rows(self, *arguments, code: int = 0, group: str = "audit") -> list[dict]:
        outcome = self.writ.cli(group, *arguments, "--csv")
        self.assertEqual(code, outcome.code, outcome)
        return list(csv.DictReader(io.StringIO(outcome.out, newline="")))

    def test_who_used(self):
        page = self.both("who-used", "who-used", "dataset", "oncology/biopsies", type="dataset", id="oncology/biopsies", limit=50)
        self.assertEqual({"oncology-trainer", "trainer"}, {use["workload"] for use in page["uses"]})
        self.assertGreaterEqual(len(page["uses"]), 3)
        self.assertTrue(all(use["credential"]["kind"] == "postgres_role" for use in page["uses"] if use["action"] == "read"))
        self.assertEqual([use["workload"] for use in page["uses"]], [row["WORKLOAD"] for row in self.rows("who-used", "dataset", "oncology/biopsies")])
        curated = self.both("who-used", "who-used", "dataset", "tumours/curated", type="dataset", id="tumours/curated", limit=50)
        self.assertEqual([("tumours-trainer", "read")], [(use["workload"], use["action"]) for use in curated["uses"]])
        for kind, name in (("model", "biopsy-classifier@1"), ("endpoint", "scorer"), ("database", "oncology"), ("api", "none")):
            self.both("who-used", "who-used", kind, name, type=kind, id=name, limit=50)

    def test_pages_are_the_whole(self):
        whole = self.both("who-used", "who-used", "dataset", "oncology/biopsies", type="dataset", id="oncology/biopsies", limit=50)["uses"]
        found, before = [], {}
        for _ in range(len(whole) + 1):
            options = [word for name, value in before.items() for word in (f"--{name}", str(value))]
            page = self.both("who-used", "who-used", "dataset", "oncology/biopsies", "-n", "1", *options, type="dataset", id="oncology/biopsies", limit=1, **before)
            found += page["uses"]
            if "next" not in page:
                break
            before = {"before": page["next"]}
        self.assertEqual(whole, found)

        records = self.both("records", "list", "-n", "1000", limit=1000)["records"]
        found, before = [], {}
        while True:
            options = [word for name, value in before.items() for word in (f"--{name}", str(value))]
            page = self.both("records", "list", "-n", "7", *options, limit=7, **before)
            found += page["records"]
            if "next" not in page:
                break
            before = {"before": page["next"]}
        self.assertEqual(records, found)

    def test_what_used(self):
        runs = [entry["record"]["run"] for entry in self.writ.records(type="run_start", workload="trainer")]
        for kind, name, used in (("workload", "oncology-trainer", {"oncology/biopsies"}), ("workload", "tumours-trainer", {"tumours/curated", "tumours/checkpoints"}),
                                 ("run", runs[0], {"oncology/biopsies", "biopsy-classifier@1"})):
            page = self.both("what-used", "what-used", kind, name, kind=kind, id=name, limit=50)
            self.assertEqual(used, {use["resource"]["id"] for use in page["uses"]})
            self.assertEqual(len(page["uses"]), len(self.rows("what-used", kind, name)))
        model = self.both("what-used", "what-used", "model", "biopsy-classifier@1", kind="model", id="biopsy-classifier@1", limit=50)
        self.assertEqual({"oncology/biopsies"}, {use["resource"]["id"] for use in model["used"]["uses"]})
        self.assertEqual({"sign", "load", "infer"}, {use["action"] for use in model["used_by"]["uses"]})

    def test_a_model_is_traced_all_the_way(self):
        [model] = self.both("trace", "trace", "model", "biopsy-classifier@1", model="biopsy-classifier@1")["models"]
        self.assertEqual(("biopsy-classifier", "1", DIGEST), (model["name"], model["version"], model["digest"]))
        [made] = model["runs"]
        self.assertEqual(("trainer", ["sign"]), (made["workload"], made["actions"]))
        self.assertTrue(made["run"].startswith("run-"))
        self.assertEqual({("oncology/biopsies", "read")}, {(data["resource"]["id"], data["action"]) for data in made["data"] if data["action"] == "read"})
        [endpoint] = model["endpoints"]
        self.assertEqual(("scorer", "spiffe://oncology.example/lineage/server"), (endpoint["endpoint"], endpoint["loaded_by"]))
        # Each run of the caller is decided on at its start, and once by itself.
        self.assertEqual({"ward"}, {caller["workload"] for caller in endpoint["callers"]})
        self.assertGreaterEqual(sum(caller["calls"] for caller in endpoint["callers"]), 2)
        edges = {(row["EDGE"], row["OF"]) for row in self.rows("trace", "model", "biopsy-classifier@1")}
        self.assertLessEqual({("loaded", "scorer"), ("called", "scorer"), ("made", made["run"])}, edges)
        tree = self.writ.cli("audit", "trace", "model", "biopsy-classifier").out
        for words in ("biopsy-classifier@1", f"made by {made['run']} (trainer): sign", "from Dataset oncology/biopsies (read)", "loaded by scorer", "called by ward"):
            self.assertIn(words, tree)
        signed = self.writ.records(workload="trainer", type="decision", limit=1)[0]["record"]
        self.assertEqual(("sign", "latest", made["run"], ["datasets"]), (signed["action"], signed["resource"]["alias"], signed["run"], signed["asserted"]))

    def test_never(self):
        self.assertTrue(self.both("never", "never", "oncology/patients", name="oncology/patients")["never"])
        self.assertFalse(self.both("never", "never", "oncology/biopsies", name="oncology/biopsies")["never"])
        [absent] = self.rows("never", "oncology/patients")
        [used] = self.rows("never", "oncology/biopsies", code=1)
        self.assertEqual([("true", ""), ("false", "trainer")], [(row["NEVER"], row["BY"].replace("oncology-trainer", "trainer")) for row in (absent, used)])
        since = "2199-01-01T00:00:00Z"
        self.assertTrue(self.both("never", "never", "oncology/biopsies", "--since", since, name="oncology/biopsies", since=since)["never"])

    def test_each_filter(self):
        run = self.writ.records(type="run_start", workload="oncology-trainer")[0]["record"]["run"]
        middle = self.writ.records(limit=1000)[len(self.writ.records(limit=1000)) // 2]["record"]["time"]
        trace = self.writ.records(type="run_start")[0]["record"]["trace"]
        everything = self.both("records", "list", "-n", "1000", limit=1000)["records"]
        wanted = {
            "type": ("issuance", lambda record: record["type"] == "issuance"),
            "decision": ("deny", lambda record: record.get("decision") == "deny"),
            "workload": ("oncology-trainer", lambda record: record.get("workload_name") == "oncology-trainer"),
            "run": (run, lambda record: record.get("run") == run),
            "purpose": ("train", lambda record: record.get("purpose") == "train"),
            "policy": ("server-loads", lambda record: "server-loads" in record.get("policies", [])),
            "classification": ("pseudonymised", lambda record: "pseudonymised" in record.get("classification", [])),
            "resource": ("Dataset::oncology/biopsies", lambda record: record.get("resource", {}).get("id") == "oncology/biopsies"),
            "trace": (trace, lambda record: record.get("trace") == trace),
            "since": (middle, lambda record: record["time"] >= middle),
            "until": (middle, lambda record: record["time"] <= middle),
        }
        for name, (value, holds) in wanted.items():
            with self.subTest(name):
                found = self.both("records", "list", "-n", "1000", f"--{name}", value, limit=1000, **{name: value})["records"]
                expected = [entry["sequence"] for entry in everything if holds(entry["record"])]
                self.assertEqual(expected, [entry["sequence"] for entry in found])
                self.assertGreater(len(found), 0)
                self.assertLess(len(found), len(everything))
                self.assertEqual([str(number) for number in expected], [row["RECORD"] for row in self.rows("list", "-n", "1000", f"--{name}", value)])
        several = {"type": "decision", "decision": "allow", "purpose": "train", "workload": "trainer"}
        options = [word for name, value in several.items() for word in (f"--{name}", value)]
        self.assertEqual({"read", "sign"}, {entry["record"]["action"] for entry in self.both("records", "list", "-n", "1000", *options, limit=1000, **several)["records"]})

    def test_following_tells_what_listing_tells(self):
        follower = self.writ.launch("follower", ["audit", "list", "--follow", "--json", "--type", "run_start", "--workload", "oncology-trainer"])
        beside = self.writ.launch("beside", ["audit", "list", "--follow", "--json", "--type", "administration"])
        wait_until("they follow", lambda: self.writ.join_token("follower") and "follower" in beside.output())
        first = self.writ.tree_size()
        self.run_job(PYTHON, JOBS / "read.py", purpose="train")
        followed = wait_until("it is told", lambda: [json.loads(line) for line in follower.output().splitlines() if line.startswith("{")])
        listed = [entry for entry in self.writ.records(type="run_start", workload="oncology-trainer") if entry["sequence"] >= first]
        self.assertEqual(listed, [entry for entry in followed if entry["sequence"] >= first])

    def test_every_decision_is_explained_alike(self):
        self.wait_for_files()
        for entry in self.writ.records(type="decision", limit=1000):
            with self.subTest(entry["sequence"]):
                told = self.writ.cli("audit", "explain", entry["sequence"], "--json")
                if entry["record"]["action"] == "run":
                    continue
                self.assertEqual(0, told.code, told)
                self.assertEqual(self.writ.admin("GET", f"/v1/audit/records/{entry['sequence']}/explanation").json, json.loads(told.out))
                self.assertEqual(told.out, self.writ.cli("audit", "explain", entry["sequence"], "--json", "--data", self.writ.data).out)
                [row] = self.rows("explain", str(entry["sequence"]))
                self.assertEqual((entry["record"]["decision"],) * 2 + ("true",), (row["DECISION"], row["DECIDED AGAIN"], row["AGREES"]))

    # ---- policies held against the log: by the command, over HTTP and from the files

    def documents(self, folder) -> list[dict]:
        return [{"path": path.name, "text": path.read_text()} for path in sorted(folder.iterdir())]

    def replayed(self, folder, *options, **parameters) -> dict:
        self.wait_for_files()
        told = self.writ.cli("policy", "replay", folder, *options, "--json")
        self.assertIn(told.code, (0, 1), told)
        over_http = self.writ.admin("POST", "/v1/policy/replay", {"documents": self.documents(folder)} | parameters)
        self.assertEqual(200, over_http.status, over_http.text)
        from_files = self.writ.cli("policy", "replay", folder, *options, "--json", "--data", self.writ.data)
        answers = [json.loads(told.out), over_http.json, json.loads(from_files.out)]
        for answer in answers:
            del answer["kinds"]  # those of each thread
        self.assertEqual(answers[0], answers[1])
        self.assertEqual((told.code, answers[0]), (from_files.code, answers[2]))
        rows = self.rows("replay", folder, *options, group="policy", code=told.code)
        self.assertEqual([(change["change"], str(change["count"]), change["workload"]) for change in answers[0]["changes"]],
                         [(row["CHANGE"], row["COUNT"], row["WORKLOAD"]) for row in rows])
        return answers[0]

    def test_a_replay_of_what_is_in_force_changes_nothing(self):
        report = self.replayed(self.folder / "declared")
        self.assertEqual([], [change for change in report["changes"] if change["change"] != "by other policies"])
        self.assertGreater(report["decisions"], 8)

    def test_a_draft_is_replayed_alike(self):
        draft = self.scratch("draft")
        draft.mkdir()
        (draft / "lineage.cedar").write_text(POLICIES.replace('context.purpose == "care"', 'context.purpose == "study"').replace(
            'Team::"models", action == Action::"read"', 'Team::"none", action == Action::"read"'))
        report = self.replayed(draft)
        changed = [change for change in report["changes"] if change["change"] == "would be denied"]
        self.assertLessEqual({("ward", "infer"), ("trainer", "read")}, {(change["workload"], change["action"]) for change in changed})
        self.assertEqual(report["changed"], sum(change["count"] for change in changed))
        of_one = self.replayed(draft, "--workload", "ward", workload="ward")
        self.assertEqual({"ward"}, {change["workload"] for change in of_one["changes"]})
        future = "2199-01-01T00:00:00Z"
        self.assertEqual(0, self.replayed(draft, "--since", future, since=future)["decisions"])
        first = self.writ.admin("POST", "/v1/policy/replay", {"documents": self.documents(draft), "limit": 1}).json
        self.assertEqual((report["changes"][:1], report["groups"]), (first["changes"], first["groups"]))
        self.assertGreater(first["groups"], 1)

    def test_a_draft_that_is_none_is_refused(self):
        refused = self.writ.admin("POST", "/v1/policy/replay", {"documents": [{"path": "a.cedar", "text": "permit (principal;"}]})
        self.assertEqual((400, "a.cedar"), (refused.status, refused.json["errors"][0]["path"]))
        for body in ({}, {"documents": [], "since": "yesterday"}, {"documents": [], "limit": -1}):
            self.assertEqual(400, self.writ.admin("POST", "/v1/policy/replay", body).status)

    def test_suggestions_are_made_alike(self):
        for workload in ("oncology-trainer", "ward"):
            self.wait_for_files()
            told = self.writ.cli("policy", "suggest", "--workload", workload, "--json")
            self.assertEqual(0, told.code, told)
            answer = json.loads(told.out)
            self.assertEqual(answer, self.writ.admin("GET", f"/v1/policy/suggest?workload={workload}").json)
            self.assertEqual(told.out, self.writ.cli("policy", "suggest", "--workload", workload, "--json", "--data", self.writ.data).out)
            rows = self.rows("suggest", "--workload", workload, group="policy")
            uses = [(permit["policy"], use["action"], str(use["count"])) for permit in answer["permits"] for use in permit["uses"]]
            self.assertEqual(uses, [(row["PERMIT"], row["ACTION"], row["COUNT"]) for row in rows if row["ACTION"] and row["PERMIT"]])
            self.assertEqual({permit["policy"] for permit in answer["permits"]}, {row["PERMIT"] for row in rows if row["PERMIT"]})
            self.assertTrue(re.search(rf"{workload}|nothing to narrow", self.writ.cli("policy", "suggest", "--workload", workload).out))
        self.assertEqual(400, self.writ.admin("GET", "/v1/policy/suggest").status)
        self.assertEqual(404, self.writ.admin("GET", "/v1/policy/suggest?workload=nobody").status)


if __name__ == "__main__":
    main()
