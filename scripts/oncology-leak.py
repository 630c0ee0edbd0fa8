#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A careless job: copies its password file to FILE and shows that the copy works. With --hold it keeps its session open until killed."""
import argparse
import os
import shutil
import signal
from pathlib import Path

import psycopg

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--hold", action="store_true", help="write the process id to FILE.pid and wait")
parser.add_argument("file", type=Path)
arguments = parser.parse_args()

shutil.copyfile(os.environ["PGPASSFILE"], arguments.file)
arguments.file.chmod(0o600)
with psycopg.connect(passfile=str(arguments.file)) as connection:
    count = connection.execute("select count(*) from biopsies").fetchone()[0]
    print(f"the copied password works: {count} biopsies", flush=True)
    if arguments.hold:
        Path(f"{arguments.file}.pid").write_text(str(os.getpid()))
        signal.pause()
