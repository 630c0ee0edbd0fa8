# SPDX-License-Identifier: Apache-2.0
"""What scenario tests are written with: real processes of the real executable, a real PostgreSQL, a lying caller. Python's own library only."""
from harness.postgres import Postgres
from harness.processes import Program, wait_until
from harness.scenario import Scenario, main, needs_root
from harness.unix_http import UnixConnection, request
from harness.writ import Installation, Outcome

__all__ = ["Installation", "Outcome", "Postgres", "Program", "Scenario", "UnixConnection", "main", "needs_root", "request", "wait_until"]
