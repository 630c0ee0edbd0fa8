#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints what it was given, for a test to look at: environment, arguments, and the password file's mode and folder's mode, as JSON."""
import json
import os
import sys

passfile = os.environ.get("PGPASSFILE", "")
print(json.dumps({
    "environment": dict(os.environ),
    "arguments": sys.argv,
    "pid": os.getpid(),
    "file_mode": oct(os.stat(passfile).st_mode & 0o777) if passfile else None,
    "folder_mode": oct(os.stat(os.path.dirname(passfile)).st_mode & 0o777) if passfile else None,
    "content": open(passfile).read() if passfile else None,
}))
