#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""10,000 requests from 64 connections, then kill -9: every decision that was answered is in the log."""
import threading
import time

from harness import Scenario, UnixConnection, main, request

REQUESTS = 10_000
CONNECTIONS = 64


class Load(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_oncology()

    def ask(self, number: int, answered: dict, problems: list) -> None:
        connection = UnixConnection(self.writ.admin_socket, timeout=120)
        for item in range(number, REQUESTS, CONNECTIONS):
            answer = request(connection, "POST", "/access/v1/evaluation", {
                "subject": {"type": "Workload", "id": "spiffe://oncology.example/oncology/root/train"}, "action": {"name": "read"},
                "resource": {"type": "Dataset", "id": f"load/{item}"}, "context": {"purpose": "train"}})
            if answer.status == 200:
                answered[f"load/{item}"] = answer.json["decision"]
            else:
                problems.append((item, answer.status, answer.text[:200]))
        connection.close()

    def recorded(self) -> dict[str, str]:
        found, before = {}, None
        while page := self.writ.records(**({"before": before} if before is not None else {})):
            for entry in page:
                resource = entry["record"].get("resource")
                if isinstance(resource, dict) and str(resource.get("id", "")).startswith("load/"):
                    found[resource["id"]] = entry["record"]["decision"]
            before = page[-1]["sequence"]
            if before == 0:
                break
        return found

    def test_nothing_is_lost(self):
        answered, problems = {}, []
        threads = [threading.Thread(target=self.ask, args=(number, answered, problems)) for number in range(CONNECTIONS)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.monotonic() - began
        print(f"{len(answered)} decisions over {CONNECTIONS} connections in {took:.1f} s ({len(answered) / took:.0f}/s, this Python client included)")
        self.assertEqual([], problems[:3])
        self.assertEqual(REQUESTS, len(answered))
        self.assertFalse(any(answered.values()), "nobody declared these data sets")

        self.dev.kill()
        type(self).dev = self.writ.start_dev()
        recorded = self.recorded()
        self.assertFalse(set(answered) - set(recorded))
        self.assertEqual({"deny"}, set(recorded.values()))
        self.assert_log_verifies()


if __name__ == "__main__":
    main()
