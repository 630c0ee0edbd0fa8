#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A role that is told to stop ends with exit code 0, whatever it was in the middle of."""
from harness import Scenario, main

DECLARATIONS = """\
kind: TrustProvider
name: unix
type: unix
---
kind: CredentialProvider
name: partner
type: oidc_token
audience: https://partner.example
file_variable: PARTNER_TOKEN_FILE
---
kind: Api
name: partner
url: https://partner.example
purpose: [train]
credential: partner
---
kind: Workload
name: job
id: spiffe://oncology.example/ml/{unix.user}/job
match: { unix.path: /usr/bin/dash }
uses: [ { action: call, api: partner } ]
"""
POLICY = 'permit (principal, action == Action::"call", resource is Api) when { resource.purpose.contains(context.purpose) };\n'


class OrderlyStop(Scenario):
    def declare_and_run(self) -> None:
        folder = self.scratch("declared")
        folder.mkdir()
        (folder / "partner.yaml").write_text(DECLARATIONS)
        (folder / "partner.cedar").write_text(POLICY)
        self.assertEqual(0, self.writ.cli("apply", "-f", folder).code)
        for _ in range(3):
            outcome = self.writ.cli("run", "--purpose", "train", "--", "/usr/bin/dash", "-c", 'test -s "$PARTNER_TOKEN_FILE"')
            self.assertEqual(0, outcome.code, outcome)

    def test_dev_after_runs(self):
        dev = self.writ.start_dev()
        self.declare_and_run()
        self.assertEqual(0, dev.stop(), dev.output()[-2000:])

    def test_authority_and_agent_with_a_run_that_lives(self):
        authority = self.writ.start_authority()
        agent = self.writ.start_agent(self.writ.join_token())
        self.declare_and_run()
        job = self.writ.launch("living", ["run", "--purpose", "train", "--", "/usr/bin/dash", "-c", "sleep 60; :"])
        try:
            self.assertEqual(0, agent.stop(), agent.output()[-2000:])
            self.assertEqual(0, authority.stop(), authority.output()[-2000:])
        finally:
            job.kill()


if __name__ == "__main__":
    main()
