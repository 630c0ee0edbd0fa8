#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a run with a database role of its own costs: `writ run -- PROGRAM` from start to end beside the same program alone, and the role's life
beside the SQL statements that it consists of. Real PostgreSQL, real `writ dev`. Name the executable in WRIT_EXECUTABLE."""
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TREE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TREE / "tests/scenarios"))

from harness.postgres import SCRIPT, Postgres  # noqa: E402
from harness.writ import Installation  # noqa: E402

PROGRAM = ["/usr/bin/python3.11", "-I", "-S", "-c", "pass"]
RUNS = 40
STATEMENTS = """
begin;
create role bench_{0} login password 'x' valid until '2030-01-01';
grant connect on database oncology to bench_{0};
grant usage on schema public to bench_{0};
grant select on biopsies to bench_{0};
commit;
begin;
revoke select on biopsies from bench_{0};
revoke usage on schema public from bench_{0};
revoke connect on database oncology from bench_{0};
drop role bench_{0};
commit;
"""


def milliseconds(action) -> list[float]:
    taken = []
    for _ in range(RUNS):
        began = time.monotonic()
        action()
        taken.append((time.monotonic() - began) * 1000)
    return taken


def show(name: str, taken: list[float]) -> float:
    median = statistics.median(taken)
    print(f"{name:44} median {median:7.1f} ms   p90 {sorted(taken)[len(taken) * 9 // 10]:7.1f} ms", flush=True)
    return median


def statements(postgres: Postgres) -> float:
    """Milliseconds for one role's statements over a connection that stands."""
    text = "".join(STATEMENTS.format(number) for number in range(RUNS))
    began = time.monotonic()
    subprocess.run([SCRIPT, "psql", postgres.state, "-d", "oncology", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"], input=text, text=True, check=True)
    return (time.monotonic() - began) * 1000 / RUNS


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="writ-bench.", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        postgres, writ = Postgres(folder), Installation(folder)
        try:
            postgres.create_oncology()
            writ.start_dev()
            writ.apply_oncology(postgres)

            def run() -> None:
                outcome = writ.cli("run", "--purpose", "train", "--", *PROGRAM)
                if outcome.code != 0:
                    sys.exit(str(outcome))

            run()
            alone = show("the program alone", milliseconds(lambda: subprocess.run(PROGRAM, check=True)))
            sql = statements(postgres)
            print(f"{'its role: the bare SQL statements':44} mean   {sql:7.1f} ms")
            whole = show("writ run: attest, decide, role, program, end", milliseconds(run))
            print(f"what writ adds: {whole - alone:.1f} ms, of which the statements alone are {sql:.1f} ms: {(whole - alone) / sql:.1f} times that")
        finally:
            writ.stop()
            postgres.stop()


if __name__ == "__main__":
    main()
