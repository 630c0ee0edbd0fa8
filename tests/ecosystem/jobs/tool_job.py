#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A job that calls other programs, as pipelines do: `tool_job.py steps FOLDER`. An order is {"command": [...], "input": "...", "environment": {...}}; the answer has `code`, `out`, `err`."""
import os
import subprocess
import sys

from orders import obey


def call(order):
    done = subprocess.run(order["command"], env=os.environ | order.get("environment", {}), input=order.get("input", ""), capture_output=True, text=True, timeout=60, check=False)
    return {"code": done.returncode, "out": done.stdout, "err": done.stderr}


if __name__ == "__main__":
    obey(sys.argv[2], call, lambda text: {"code": -1, "out": "", "err": text})
