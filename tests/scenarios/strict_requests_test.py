#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is asked with members of a wrong type, members that nobody knows, or numbers that are none: refused by its name, and never taken for something else."""

from harness import Scenario, main
from harness.scenario import PYTHON

USAGE = 2
DOCUMENT = {"path": "a.yaml", "text": "kind: Team"}

# Path, body, and what is said of it.
ADMINISTRATION = (
    ("/v1/policy/replay", {"documents": [], "since": 7}, "member `since` must be a string"),
    ("/v1/policy/replay", {"documents": [], "workload": 7}, "member `workload` must be a string"),
    ("/v1/policy/replay", {"documents": [], "prune": "x"}, "member `prune` must be true or false"),
    ("/v1/policy/replay", {"documents": [], "limit": "7"}, "member `limit` must be an integer"),
    ("/v1/policy/replay", {"documents": [], "sicne": "7d"}, "unknown member `sicne`"),
    ("/v1/policy/replay", {"documents": [{**DOCUMENT, "line": 7}]}, "documents: unknown member `line`"),
    ("/v1/declarations", {"documents": [DOCUMENT], "dry_run": 1}, "member `dry_run` must be true or false"),
    ("/v1/declarations", {"documents": [DOCUMENT], "prune": None}, "member `prune` must be true or false"),
    ("/v1/declarations", {"documents": [DOCUMENT], "dryrun": True}, "unknown member `dryrun`"),
    ("/v1/declarations", {"documents": {}}, "member `documents` must be an array"),
    ("/v1/join-tokens", {"agent": "a", "ttl_seconds": "600"}, "member `ttl_seconds` must be an integer"),
    ("/v1/join-tokens", {"agent": "a", "ttl": 600}, "unknown member `ttl`"),
    ("/v1/leases/revoke", {"id": "lease-a", "reason": 7}, "member `reason` must be a string"),
    ("/v1/leases/revoke", {"run": "run-a", "id": 7}, "member `id` must be a string"),
    ("/v1/leases/revoke", {"run": "run-a", "force": True}, "unknown member `force`"),
    ("/v1/revocations", {"run": "run-a", "dataset": ["a"]}, "member `dataset` must be a string"),
    ("/v1/revocations", {"run": "run-a", "reason": 7}, "member `reason` must be a string"),
    ("/v1/revocations", {"run": "run-a", "user": "x"}, "unknown member `user`"),
    ("/v1/secrets", {"name": "a", "value": 7}, "member `value` must be a string"),
    ("/v1/secrets", {"name": "a", "value": "x", "version": 7}, "unknown member `version`"),
    ("/v1/audit/digest", {"value": "x", "salt": "y"}, "unknown member `salt`"),
    ("/access/v1/search/resource", {"subject": {"type": "Workload", "id": "a"}, "action": {"name": "read"}, "resource": {"type": "Dataset"}, "context": {"purpose": 7}},
     "context: member `purpose` must be a string"),
    ("/access/v1/search/resource", {"subject": {"type": "Workload", "id": "a"}, "action": {"name": "read"}, "resource": {"type": "Dataset"}, "page": {"token": 7}},
     "page: member `token` must be a string"),
)
AGENT = (
    ("/v1/runs", {"pid": "1"}, "member `pid` must be an integer"),
    ("/v1/runs", {"pid": 1, "workloda": "x"}, "unknown member `workloda`"),
    ("/v1/runs/run-aaaaaaaaaaaaaaaaaaaa/end", {"reason": 7}, "member `reason` must be a string"),
    ("/v1/runs/run-aaaaaaaaaaaaaaaaaaaa/end", {"code": 7}, "unknown member `code`"),
    ("/v1/grants", {"pid": 1, "seconds": "7"}, "member `seconds` must be an integer"),
    ("/v1/aws-credentials", {"profile": 7}, "member `profile` must be a string"),
    ("/v1/places/token", {"client": "git", "url": "https://a.example", "user": "x"}, "unknown member `user`"),
    ("/v1/svids/jwt", {"audience": ["a"], "id": 7}, "member `id` must be a string"),
    ("/v1/svids/jwt", {"audience": ["a"], "ID": "x"}, "unknown member `ID`"),
)
RUN = ("run", "--purpose", "train")
NUMBERS = (
    ((*RUN, "--rank=RANK", "--", PYTHON, "-c", ""), "--rank", "RANK", ("4294967296",)),
    ((*RUN, "--detach-token", "--token-ttl=RANK", "--", PYTHON, "-c", ""), "--token-ttl", "RANK", ("0",)),
    (("audit", "list", "--limit=RANK"), "--limit", "RANK", ("0", "1001")),
    (("audit", "list", "--before=RANK"), "--before", "RANK", ()),
    (("audit", "export", "--since=RANK"), "--since", "RANK", ()),
    (("audit", "show", "--", "RANK"), "record", "RANK", ()),
    (("audit", "explain", "--", "RANK"), "record", "RANK", ()),
    (("audit", "receipt", "get", "--", "RANK"), "record", "RANK", ()),
    (("token", "create", "a", "--ttl=RANK"), "--ttl", "RANK", ("0",)),
    (("audit", "verify", "--witness-quorum=RANK"), "--witness-quorum", "RANK", ("0",)),
    (("authority", "--spool-bytes=RANK"), "--spool-bytes", "RANK", ("0",)),
    (("agent", "--authority", "https://a.example", "--loopback-port=RANK"), "--loopback-port", "RANK", ("65536",)),
)


class StrictRequests(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_oncology()

    def test_members_that_are_wrong_or_unknown_are_named(self):
        for ask, cases in ((self.writ.admin, ADMINISTRATION), (self.writ.run_socket, AGENT)):
            for path, body, said in cases:
                with self.subTest(path=path, body=body):
                    answer = ask("POST", path, body)
                    self.assertEqual((400, said), (answer.status, answer.json.get("detail")), answer.text)

    def test_numbers_that_are_none_are_refused_by_the_option_s_name(self):
        for arguments, option, mark, beyond in NUMBERS:
            for number in ("-1", "010", "0x10", "1e3", "99999999999999999999999", "18446744073709551615", "", *beyond):
                with self.subTest(option=option, number=number, command=arguments[:2]):
                    outcome = self.writ.cli(*(argument.replace(mark, number) if argument != PYTHON else argument for argument in arguments))
                    self.assertEqual(USAGE, outcome.code, outcome)
                    self.assertIn(option, outcome.err)

    def test_a_rank_that_a_run_has_is_on_its_record(self):
        outcome = self.writ.cli("run", "--purpose", "train", "--rank", "4294967295", "--", PYTHON, "-c", "")
        self.assertEqual(0, outcome.code, outcome)
        self.assertIn(4294967295, [entry["record"].get("rank") for entry in self.writ.records(type="run_start")])


if __name__ == "__main__":
    main()
