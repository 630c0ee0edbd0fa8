#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A join token works once, for whoever comes first, and only towards the authority that made it."""
import shutil
import threading
from pathlib import Path

from harness import Installation, Scenario, main
from harness.keys import P256Key


class JoinToken(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.writ.start_authority()
        cls.key = P256Key(cls.folder)

    def join(self, token: str):
        return self.writ.public("POST", "/v1/agent/join", {"token": token, "public_key": self.key.public_base64()})

    def thief(self, name: str) -> Installation:
        """Another machine that got hold of something."""
        folder = self.scratch(name)
        folder.mkdir()
        thief = Installation(folder)
        self.addCleanup(thief.stop)
        thief.public_url = self.writ.public_url
        return thief

    def test_a_stolen_token_that_was_used_is_refused(self):
        token = self.writ.join_token("node-1")
        agent = self.writ.start_agent(token)
        thief = self.thief("thief")
        program = thief.launch("agent", thief.agent_arguments(token))
        self.assertNotIn(program.wait(), (0, None))
        self.assertNotIn(token.split(".")[0], program.output(), "an agent's log must not show its token")
        self.assertTrue(agent.is_running())
        self.assertTrue(self.writ.is_agent_ready())
        agent.stop()

    def test_a_second_agent_on_the_same_folders_changes_nothing_in_them(self):
        self.addCleanup(shutil.rmtree, self.writ.agent_data)  # who has an identity needs no token
        agent = self.writ.start_agent(self.writ.join_token("node-6"))
        port = (self.writ.agent_data / "loopback-port").read_text()
        arguments = [str(argument) for argument in self.writ.agent_arguments(None)]
        elsewhere = self.scratch_folder("elsewhere")
        for option, held in (("--run-dir", self.writ.agent_data), ("--data", self.writ.run_dir)):
            others = list(arguments)
            others[others.index(option) + 1] = str(elsewhere / option.strip("-"))
            for given in (arguments, others):
                second = self.writ.launch("second", given)
                self.assertNotIn(second.wait(), (0, None))
                self.assertIn("is held by another process", second.output())
            self.assertIn(f"`{held}` is held", second.output())
        self.assertEqual(port, (self.writ.agent_data / "loopback-port").read_text())
        self.assertTrue(self.writ.is_agent_ready())
        agent.stop()

    def test_an_agent_that_has_joined_starts_without_its_token_file(self):
        self.addCleanup(shutil.rmtree, self.writ.agent_data)
        arguments = self.writ.agent_arguments(self.writ.join_token("node-7"))
        file = arguments[arguments.index("--join-token-file") + 1]
        self.writ.start_agent(None, "--join-token-file", file).stop()
        file.unlink()
        agent = self.writ.start_agent(None, "--join-token-file", file)
        self.assertIn("the join token is not needed any more", agent.output())

        # Whoever asks for what it may not have does not fill the agent's log.
        for _ in range(300):
            self.assertEqual(403, self.writ.run_socket("POST", "/v1/aws-credentials", {}).status)
        self.assertIn(agent.output().count("request refused"), range(1, 70))
        agent.stop()
        shutil.rmtree(self.writ.agent_data)
        self.writ.agent_data.mkdir()
        never = self.writ.launch("never", self.writ.agent_arguments(None, "--join-token-file", file))
        self.assertNotIn(never.wait(), (0, None))
        self.assertIn("--join-token-file", never.output())

    def test_a_token_is_written_for_its_owner_alone_whatever_the_umask(self):
        file = self.scratch_folder("tokens") / "node-8.token"
        outcome = self.writ.cli("token", "create", "node-8", "--output", file, umask=0)
        self.assertEqual((0, ""), (outcome.code, outcome.out), outcome)
        self.assertEqual(0o600, file.stat().st_mode & 0o777)
        self.assertEqual(200, self.join(file.read_text().strip()).status)

    def test_what_help_and_messages_say(self):
        outcome = self.writ.cli("audit", "list", "--run-dir", self.writ.run_dir)
        self.assertEqual(2, outcome.code, outcome)
        self.assertIn("--run-dir stands before the command", outcome.err)
        self.assertEqual(0, self.writ.cli("--run-dir", self.writ.run_dir, "audit", "list").code)
        for command in (("lease", "list"), ("lease", "revoke"), ("grant", "list"), ("grant", "revoke"), ("audit", "show"), ("status",), ("version",)):
            self.assertIn(f"  writ {' '.join(command)}", self.writ.cli(*command, "--help").out, command)

    def test_the_thief_learns_a_code_and_no_more(self):
        token = self.writ.join_token("node-2")
        self.assertEqual(200, self.join(token).status)
        answer = self.join(token)
        self.assertEqual(401, answer.status, answer.text)
        self.assertEqual("unauthenticated", answer.json["code"])
        self.assertNotIn("detail", answer.json)
        self.assertEqual(answer.text, self.join("A" * len(token.split(".")[0]) + "." + token.split(".")[1]).text,
                         "a used token and one that never was look the same from outside")

    def test_of_two_at_the_same_moment_one_gets_in(self):
        token = self.writ.join_token("node-3")
        statuses = []
        threads = [threading.Thread(target=lambda: statuses.append(self.join(token).status)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([200] + [401] * 7, sorted(statuses))

    def test_an_agent_does_not_talk_to_an_authority_that_its_token_does_not_name(self):
        impostor = Installation(self.scratch_folder("impostor"))
        self.addCleanup(impostor.stop)
        impostor.start_authority()
        token = self.writ.join_token("node-4")
        victim = self.thief("victim")
        victim.public_url = impostor.public_url
        program = victim.launch("agent", victim.agent_arguments(token))
        self.assertNotEqual(0, program.wait())
        # The token was never shown to the impostor, so it still works where it belongs.
        self.assertEqual(200, self.join(token).status)

    def scratch_folder(self, name: str) -> Path:
        folder = self.scratch(name)
        folder.mkdir()
        return folder

    def test_every_changed_character_of_a_token_is_refused(self):
        token = self.writ.join_token("node-5")
        secret, pin = token.split(".")
        for place in range(0, len(secret), 5):
            other = "A" if secret[place] != "A" else "B"
            self.assertEqual(401, self.join(secret[:place] + other + secret[place + 1:] + "." + pin).status)
        self.assertEqual(200, self.join(token).status)


if __name__ == "__main__":
    main()
