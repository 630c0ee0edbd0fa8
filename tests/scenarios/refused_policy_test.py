#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Policies with mistakes of every kind: `writ apply` refuses them in the words, and at the places, of `writ policy check`, and nothing changes."""
import json
import re

from harness import Scenario, main

SYNTAX = """permit (principal, action, resource)
when { context.purpose = "train" };

forbid (principal, action == Action::"read", resource) unless { context.source_ip.isLoopbak() };
"""
TYPES = """@id("misspelt")
permit (principal in Pipeline::"p", action == Action::"reed", resource is Datset)
when { principal.teem == "x" };

@id("mixed")
permit (principal, action == Action::"read", resource is Dataset)
when { context.purpose == 1 };

@id("twice") permit (principal, action == Action::"read", resource);
@id("twice") forbid (principal, action == Action::"read", resource);
"""
GOOD = """@id("good")
permit (principal, action == Action::"read", resource is Dataset);
"""
PLACE = re.compile(r"(\S+\.cedar):(\d+):(\d+): (.+)")


def problems(text: str) -> list[tuple[str, ...]]:
    return sorted(match.groups() for match in PLACE.finditer(text))


class RefusedPolicy(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.writ.start_authority()

    def declared(self, **texts: str):
        folder = self.scratch("declared")
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for name, text in texts.items():
            (folder / f"{name}.cedar").write_text(text)
        return folder

    def refused_alike(self, **texts: str) -> list[tuple[str, ...]]:
        folder = self.declared(**texts)
        checked = self.writ.cli("policy", "check", folder)
        applied = self.writ.cli("apply", "-f", folder)
        self.assertEqual(1, checked.code, checked)
        self.assertNotEqual(0, applied.code, applied)
        self.assertEqual(problems(checked.err), problems(applied.err), f"{checked}\n{applied}")
        return problems(applied.err)

    def test_what_does_not_parse(self):
        found = self.refused_alike(syntax=SYNTAX)
        self.assertEqual(["2", "4"], sorted(line for _, line, _, _ in found))
        self.assertTrue(any("`isLoopbak` is no method; did you mean `isLoopback`?" in message for *_, message in found), found)

    def test_what_the_schema_does_not_know_or_strictness_does_not_allow(self):
        found = self.refused_alike(types=TYPES)
        self.assertTrue(any("two policies are called `twice`" in message for *_, message in found), found)
        found = self.refused_alike(types=TYPES.split('@id("twice")')[0])
        messages = [message for *_, message in found]
        self.assertTrue(any("did you mean `Action::\"read\"`?" in message for message in messages), found)
        self.assertTrue(any("did you mean `Dataset`?" in message for message in messages), found)
        self.assertTrue(any(line == "7" for _, line, _, _ in found), found)

    def test_a_good_file_beside_a_bad_one_is_not_applied_either(self):
        before = self.writ.admin("GET", "/v1/status").json
        self.refused_alike(good=GOOD, bad=SYNTAX)
        self.assertEqual(before.get("version"), self.writ.admin("GET", "/v1/status").json.get("version"))
        folder = self.declared(good=GOOD)
        self.assertEqual(0, self.writ.cli("policy", "check", folder).code)
        applied = self.writ.cli("apply", "-f", folder)
        self.assertEqual(0, applied.code, applied)
        self.assertIn("version 1 ", applied.out)  # those refused took no version

    def test_with_json_what_is_wrong_is_json(self):
        file = self.scratch("types.cedar")
        file.write_text(TYPES)
        outcome = self.writ.cli("apply", "-f", file, "--json")
        self.assertEqual((1, ""), (outcome.code, outcome.err), outcome)
        answer = json.loads(outcome.out)
        self.assertEqual(("invalid_argument", "types.cedar"), (answer["code"], answer["errors"][0]["path"].rsplit("/", 1)[-1]))
        missing = self.writ.cli("apply", "-f", self.scratch("none.yaml"), "--json")
        self.assertNotEqual(0, missing.code)
        self.assertIn("none.yaml", json.loads(missing.out)["detail"])


if __name__ == "__main__":
    main()
