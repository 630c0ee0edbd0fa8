#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""git, and what Docker and kubectl call, are given a run's token for the places that are declared, and for no other. No server is asked here: tests/ecosystem/tools_test.py does."""
import base64
import json

from harness import Scenario, main
from harness.scenario import JOBS, PYTHON
from harness.writ import EXECUTABLE

DECLARATIONS = """\
kind: TrustProvider
name: unix
type: unix
---
kind: CredentialProvider
name: forge
type: oidc_token
audience: https://git.example
git: { "https://git.example/team": oauth2 }
---
kind: CredentialProvider
name: platform
type: oidc_token
audience: https://platform.example
docker: { "registry.example:5000": writ }
kubernetes: [ "https://k8s.example:6443" ]
---
kind: Api
name: repositories
url: https://git.example
credential: forge
---
kind: Api
name: images
url: https://registry.example
credential: platform
---
kind: Workload
name: trainer
id: spiffe://oncology.example/train
match: { unix.path: /usr/bin/python3.11 }
uses:
  - { action: call, api: repositories }
  - { action: call, api: images }
"""
POLICIES = 'permit (principal, action == Action::"call", resource is Api);\n'


def question(host: str, path: str) -> str:
    return f"protocol=https\nhost={host}\npath={path}\n\n"


class Places(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dev = cls.writ.start_dev()
        cls.writ.environment |= {"GIT_TERMINAL_PROMPT": "0"}
        cls.apply(POLICIES)

    @classmethod
    def apply(cls, policies: str) -> None:
        folder = cls.folder / "declared"
        folder.mkdir(exist_ok=True)
        (folder / "places.yaml").write_text(DECLARATIONS)
        (folder / "policies.cedar").write_text(policies)
        outcome = cls.writ.cli("apply", "-f", folder)
        if outcome.code != 0:
            raise AssertionError(outcome)

    def call(self, *commands_with_input: tuple[list, str]) -> list:
        commands = [[str(word) for word in command] for command, _ in commands_with_input]
        outcome = self.writ.cli("run", "--", PYTHON, JOBS / "call.py", json.dumps(commands), json.dumps([text for _, text in commands_with_input]))
        self.assertEqual(0, outcome.code, outcome)
        return json.loads(outcome.out)

    def audience(self, token: str) -> list:
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        self.assertEqual("spiffe://oncology.example/train", claims["sub"])
        return claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]

    def test_git_asks_by_what_the_run_set(self):
        fill = ["git", "credential", "fill"]
        mine, other, above = self.call((fill, question("git.example", "team/model.git")), (fill, question("evil.example", "team/model.git")), (fill, question("git.example", "teams/a")))
        answer = dict(line.split("=", 1) for line in mine[1].splitlines())
        self.assertEqual("oauth2", answer["username"], mine)
        self.assertEqual(["https://git.example"], self.audience(answer["password"]))
        for refused in (other, above):
            self.assertNotEqual(0, refused[0])
            self.assertNotIn("password", refused[1])

    def test_dockers_helper_is_on_path(self):
        helper = ["docker-credential-writ"]
        got, listed, other, stored = self.call(([*helper, "get"], "registry.example:5000\n"), ([*helper, "list"], ""), ([*helper, "get"], "registry.example"), ([*helper, "store"], "{}"))
        answer = json.loads(got[1])
        self.assertEqual(("registry.example:5000", "writ"), (answer["ServerURL"], answer["Username"]))
        self.assertEqual(["https://platform.example"], self.audience(answer["Secret"]))
        self.assertEqual({"registry.example:5000": "writ"}, json.loads(listed[1]))
        self.assertEqual([1, "credentials not found in native keychain\n"], other[:2])
        self.assertEqual(1, stored[0])

    def test_kubectls_plug_in_knows_the_only_cluster(self):
        plug_in = [EXECUTABLE, "kubectl-credential"]
        only, named, other = self.call((plug_in, ""), ([*plug_in, "--server", "https://k8s.example:6443/"], ""), ([*plug_in, "--server", "https://k8s.example"], ""))
        for given in (only, named):
            self.assertEqual(["https://platform.example"], self.audience(json.loads(given[1])["status"]["token"]))
        self.assertEqual([1, ""], other[:2])

    def test_nobody_outside_of_a_run_is_given_any(self):
        for command in (["git-credential", "get"], ["kubectl-credential", "--server", "https://k8s.example:6443"]):
            outcome = self.writ.cli(*command)
            self.assertNotEqual(0, outcome.code)
            self.assertNotIn("password", outcome.out)
            self.assertNotIn("token", outcome.out)

    def test_a_secret_of_two_lines_is_no_answer_to_git(self):
        value = self.scratch("secret")
        value.write_text("first\nusername=admin")
        self.assertEqual(0, self.writ.cli("secret", "put", "two-lines", "--file", value).code)
        folder = self.folder / "two-lines"
        folder.mkdir()
        (folder / "provider.yaml").write_text('kind: CredentialProvider\nname: forge\ntype: sealed_secret\nsecret: two-lines\ngit: { "https://git.example/team": oauth2 }\n')
        self.addCleanup(self.apply, POLICIES)
        self.assertEqual(0, self.writ.cli("apply", "-f", folder).code)
        (refused,) = self.call((["git", "credential", "fill"], question("git.example", "team/model.git")))
        self.assertNotEqual(0, refused[0])
        self.assertNotIn("admin", refused[1])


if __name__ == "__main__":
    main()
