#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The wall clock of a real authority is set, under its feet and between two lives: it is said loudly, on record, and nothing else breaks. libfaketime answers the authority's
questions for the time; its monotonic clock stays the kernel's, as when somebody sets the clock."""
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path

from harness import Scenario, main, wait_until

LIBRARY = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
HOUR = 3600
MOMENT = "%Y-%m-%dT%H:%M:%SZ"


def seconds_ahead(record: dict) -> float:
    """How far the clock that wrote the record is ahead of this one."""
    return datetime.fromisoformat(record["time"].replace("Z", "+00:00")).timestamp() - datetime.now(timezone.utc).timestamp()


class SetClock(Scenario):
    @classmethod
    def setUpClass(cls):
        if not LIBRARY.exists():
            raise unittest.SkipTest("no libfaketime: scripts/packages.sh names it")
        super().setUpClass()
        cls.offset = cls.folder / "offset"

    def set_clock(self, seconds: int) -> None:
        beside = self.offset.with_suffix(".new")
        beside.write_text(f"{seconds:+d}\n")
        beside.rename(self.offset)

    def start_authority(self):
        plain = self.writ.environment
        self.writ.environment = plain | {"LD_PRELOAD": str(LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(self.offset), "FAKETIME_NO_CACHE": "1",
                                         "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
        try:
            return self.writ.start_authority()
        finally:
            self.writ.environment = plain  # commands live in this machine's time

    def steps(self) -> list[dict]:
        """The records that tell of a step, oldest first."""
        found = [entry["record"] for entry in self.writ.records(type="administration")]
        return [record for record in reversed(found) if record["outcome"] == "clock_step"]


class Clock(SetClock):
    def test_each_step_is_told_once_and_on_record(self):
        self.set_clock(0)
        authority = self.start_authority()
        self.writ.join_token("before")
        self.assertLess(abs(seconds_ahead(self.writ.records(type="administration", limit=1)[0]["record"])), 60)
        self.assertEqual([], self.steps())

        self.set_clock(HOUR)
        [forward] = wait_until("the step forward is on record", self.steps)
        self.assertRegex(forward["reason"], r"the clock was set forward by 3(599|600)\.\d s")
        self.assertIn("the clock was set forward by", authority.output())
        self.writ.join_token("an-hour-later")
        self.assertAlmostEqual(HOUR, seconds_ahead(self.writ.records(type="administration", limit=1)[0]["record"]), delta=120)

        self.set_clock(-HOUR)
        back = wait_until("the step back is on record", lambda: len(self.steps()) == 2 and self.steps()[1])
        self.assertRegex(back["reason"], r"the clock was set back by (7199|7200)\.\d s")
        self.assertIn("the clock was set back by", authority.output())
        self.writ.join_token("an-hour-before")
        # The order is the log's, whatever the times say; time filters still find each.
        sequences = [entry["sequence"] for entry in self.writ.records(type="administration")]
        self.assertEqual(sorted(sequences, reverse=True), sequences)
        now = datetime.now(timezone.utc)
        for filters, wanted in (({"since": (now + timedelta(minutes=30)).strftime(MOMENT)}, "an-hour-later"),
                                ({"until": (now - timedelta(minutes=30)).strftime(MOMENT)}, "an-hour-before")):
            with self.subTest(filters):
                found = " ".join(entry["record"]["reason"] for entry in self.writ.records(type="administration", **filters))
                self.assertIn(wanted, found)
                self.assertNotIn("agent/before,", found)
        self.assert_log_verifies()

        # Between two lives: the newest record is of a time that has not come yet.
        self.set_clock(HOUR)
        wait_until("that is on record, too", lambda: len(self.steps()) == 3)
        self.writ.join_token("in-the-future")
        authority.stop()
        self.set_clock(-HOUR)
        authority = self.start_authority()
        startup = wait_until("it has started", lambda: (found := self.writ.records(type="startup")) and len(found) == 2 and found[0]["record"])
        self.assertRegex(startup["reason"], r"the clock says .*, and the newest record is of ")
        self.assertIn("and the newest record is of", authority.output())
        self.writ.join_token("after-all")
        self.assert_log_verifies()


class Leases(SetClock):
    """Their own class: a PostgreSQL and an agent besides, whose clocks nobody sets."""

    def test_a_step_forward_takes_no_live_run_its_credentials(self):
        self.start_postgres()
        self.set_clock(0)
        self.start_authority()
        self.writ.start_agent(self.writ.join_token())
        self.writ.apply_oncology(self.postgres)
        run = self.start_holding_run()
        self.set_clock(10 * HOUR)
        wait_until("the step forward is on record", self.steps)
        [lease] = wait_until("the agent has renewed what lives", lambda: [
            lease for lease in self.writ.admin("GET", "/v1/leases?state=open").json["leases"] if seconds_ahead({"time": lease["expires"]}) > 10 * HOUR - 60])
        self.assertEqual((run.role, "active"), (lease["credential"], lease["state"]))
        self.assertTrue(self.postgres.has_role(run.role))
        self.assertEqual(1, self.postgres.sessions(run.role))
        self.assertTrue(run.program.is_running())
        # The old time goes on for a while, and what is not renewed ends by it.
        run.program.kill()
        self.assert_role_ends(run.role)
        self.assert_log_verifies()


if __name__ == "__main__":
    main()
