#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs one conformance program over its corpus: `run.py PROGRAM SCRATCH`.

The corpora are other people's test data and no part of this tree. They are looked for as NAME.tar.xz in $WRIT_CORPORA, else in
../shared/corpora beside the checkout, unpacked once into SCRATCH, and handed to PROGRAM as a folder. Exit code 77: no corpora here, skipped.
"""
import fcntl
import os
import subprocess
import sys
import tarfile
from pathlib import Path

SKIPPED = 77
TREE = Path(__file__).resolve().parents[2]

# Runners whose corpus has another name than they have.
ARCHIVES = {"jose": "jose-cookbook", "jwt": "jwt-attacks", "limbo": "x509-limbo", "merkle": "merkle-rfc6962", "sigv4": "aws-sigv4", "tlog": "tlog-tiles", "witness": "tlog-tiles"}


def corpora_folder() -> Path:
    named = os.environ.get("WRIT_CORPORA")
    return Path(named) if named else TREE.parent / "shared" / "corpora"


def unpack(archive: Path, scratch: Path) -> Path:
    """The folder with the archive's files; unpacked again only if the archive has changed."""
    scratch.mkdir(parents=True, exist_ok=True)
    folder, stamp = scratch / archive.name.removesuffix(".tar.xz"), scratch / f"{archive.name}.unpacked"
    wanted = f"{archive.stat().st_size} {archive.stat().st_mtime_ns}"
    with open(scratch / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            with tarfile.open(archive) as packed:
                packed.extractall(scratch, filter="data") if hasattr(tarfile, "data_filter") else packed.extractall(scratch)
            # A corpus may hold archives of its own.
            for inner in folder.glob("*.tar.xz"):
                with tarfile.open(inner) as packed:
                    packed.extractall(folder, filter="data") if hasattr(tarfile, "data_filter") else packed.extractall(folder)
            stamp.write_text(wanted)
    return folder


def main(arguments: list[str]) -> int:
    program, scratch = Path(arguments[1]), Path(arguments[2])
    runner = program.name.removesuffix("_conformance")
    archive = corpora_folder() / f"{ARCHIVES.get(runner, runner)}.tar.xz"
    if not archive.is_file():
        print(f"skipped: no {archive.name} in {archive.parent}; set WRIT_CORPORA to the folder that has it")
        return SKIPPED
    return subprocess.run([program, unpack(archive, scratch)]).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv))
