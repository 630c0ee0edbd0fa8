#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The slow one, of half a minute: an SVID of the shortest life is renewed at its half, pushed to whoever watches, while mutual TLS goes on."""
import shutil
import time

from clients import HERE, PYTHON, ClientScenario, go_client, moment, python_environment, spiffe_id, workload
from harness import main

LIFE_SECONDS = 60


class Renewal(ClientScenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        client = go_client()
        cls.trainer, cls.scorer = (shutil.copy(client, cls.folder / name) for name in ("trainer", "scorer"))
        cls.python = python_environment()
        cls.start()
        cls.declare(workload("trainer", cls.trainer, "1m"), workload("scorer", cls.scorer, "1m"), workload("notebook", PYTHON, "1m"))

    def assert_renewed_at_half_life(self, watcher, began: float) -> None:
        first = watcher.line(0, "the first update")
        second = watcher.line(1, "an update that nobody asked for", LIFE_SECONDS)
        after = time.time() - began
        self.assertGreater(after, 0.4 * LIFE_SECONDS)
        self.assertLess(time.time(), moment(first["svids"][0]["expires"]))
        (old,), (new,) = first["svids"], second["svids"]
        self.assertEqual(old["id"], new["id"])
        self.assertNotEqual(old["serial"], new["serial"])
        self.assertAlmostEqual(LIFE_SECONDS / 2, moment(new["expires"]) - moment(old["expires"]), delta=6)
        self.assertEqual(first["bundles"], second["bundles"])

    def test_whoever_watches_is_pushed_a_new_svid_at_half_life(self):
        began = time.time()
        server = self.start_client(self.scorer, "serve", spiffe_id("trainer"))
        watchers = [self.start_client(self.trainer, "watch"), self.start_client(self.python, HERE / "python/client.py", "sources")]
        address = server.line(0, "the server listens")["address"]
        before = self.run_client(self.trainer, "dial", address, spiffe_id("scorer")).first
        for watcher in watchers:
            self.assert_renewed_at_half_life(watcher, began)

        def said() -> dict:
            return self.run_client(self.trainer, "dial", address, spiffe_id("scorer")).first

        after = said()
        while after["server_serial"] == before["server_serial"] and time.time() - began < LIFE_SECONDS:
            after = said()
        self.assertNotEqual(before["server_serial"], after["server_serial"], "the server goes on with its new SVID, without a restart")
        self.assertEqual(before["seen_as"], after["seen_as"])


if __name__ == "__main__":
    main()
