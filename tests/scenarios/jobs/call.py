#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs commands and prints what each answered, as JSON: `call.py '[["git", …], …]' '["standard input", …]'`."""
import json
import subprocess
import sys

answers = []
for command, text in zip(json.loads(sys.argv[1]), json.loads(sys.argv[2])):
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)
    answers.append([done.returncode, done.stdout, done.stderr])
print(json.dumps(answers))
