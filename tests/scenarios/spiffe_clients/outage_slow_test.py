#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The authority is away when an SVID is due for renewal: the stream stays, and the renewal is pushed when it is back. Whoever comes new gets nothing."""
import shutil
import time

from clients import ClientScenario, go_client, moment, spiffe_id, workload
from harness import main, wait_until

LIFE_SECONDS = 60


class Outage(ClientScenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.trainer = shutil.copy(go_client(), cls.folder / "trainer")
        cls.authority = cls.writ.start_authority()
        cls.address = cls.writ.public_url().removeprefix("https://")
        cls.writ.start_agent(cls.writ.join_token())
        cls.declare(workload("trainer", cls.trainer, "1m"))

    def test_a_stream_outlives_the_authority(self):
        watcher = self.start_client(self.trainer, "watch")
        first, = watcher.line(0, "the first update")["svids"]
        self.authority.kill()
        self.assertEqual("Unavailable", self.run_client(self.trainer, "x509").error_code, "another process would be an issuance without a record")

        retried = moment(first["expires"]) - LIFE_SECONDS / 2 + 5
        wait_until("its half is over, and the agent has tried twice", lambda: time.time() > retried, LIFE_SECONDS)
        self.assertEqual(1, watcher.count(), f"the stream has neither ended nor said the same again:\n{watcher.program.output()}")

        type(self).authority = self.writ.start_authority(listen=self.address)
        renewed, = watcher.line(1, "the renewal", LIFE_SECONDS / 2)["svids"]
        self.assertEqual(spiffe_id("trainer"), renewed["verified"])
        self.assertNotEqual(first["serial"], renewed["serial"])
        self.assertLess(time.time(), moment(first["expires"]))


if __name__ == "__main__":
    main()
