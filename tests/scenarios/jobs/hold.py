#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A careless job: copies its password file to FILE, opens a session in a child that outlives it, asks what the second argument says, tells FILE.ready, and waits."""
import os
import shutil
import signal
import subprocess
import sys

PSQL = "/usr/lib/postgresql/15/bin/psql"

leaked = sys.argv[1]
shutil.copyfile(os.environ["PGPASSFILE"], leaked)
os.chmod(leaked, 0o600)
# In a session of its own, so that no signal to the job's group reaches it; it reads the copy, since the run's folder will be gone.
child = subprocess.Popen([PSQL, "-X", "-w", "-At"], env=os.environ | {"PGPASSFILE": leaked}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         text=True, start_new_session=True)
child.stdin.write((sys.argv[2] if len(sys.argv) > 2 else "select count(*) from biopsies") + ";\n")
child.stdin.flush()
print("rows:", child.stdout.readline().strip(), flush=True)
with open(leaked + ".part", "w") as ready:
    ready.write(f"{os.getpid()} {child.pid}")
os.rename(leaked + ".part", leaked + ".ready")
signal.pause()
