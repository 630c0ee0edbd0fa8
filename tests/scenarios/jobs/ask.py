#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A job that enforces what is decided: `ask.py ISSUER ROOTS ACTION TYPE ID CONTEXT`. As itself, by its own token and about its own run, it asks for a decision, prints it and
ends with 0 if it may. Before a `sign` it reads the data that it was given."""
import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
from urllib.parse import urlsplit

issuer, roots, action, kind, name, context = sys.argv[1:]
if action == "sign":
    subprocess.run(["/usr/lib/postgresql/15/bin/psql", "-X", "-w", "-At", "-c", "select count(*) from biopsies"], check=True)

agent = http.client.HTTPConnection("localhost", timeout=30)
agent.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
agent.sock.connect(os.environ["WRIT_RUN_DIR"] + "/run.sock")
agent.request("POST", "/v1/svids/jwt", json.dumps({"audience": [issuer]}), {"Content-Type": "application/json"})
[svid] = json.loads(agent.getresponse().read())["svids"]

where = urlsplit(issuer)
authority = http.client.HTTPSConnection(where.hostname, where.port, timeout=30, context=ssl.create_default_context(cafile=roots))
authority.request("POST", "/access/v1/evaluation", json.dumps({
    "subject": {"type": "Workload", "id": svid["id"]}, "action": {"name": action}, "resource": {"type": kind, "id": name},
    "context": json.loads(context) | {"run": os.environ["WRIT_RUN"]}}), {"Content-Type": "application/json", "Authorization": "Bearer " + svid["token"]})
answer = json.loads(authority.getresponse().read())
print(json.dumps(answer), flush=True)
sys.exit(0 if answer["decision"] else 1)
