#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tells the kernel another name and asks the agent who it is: prints the ids it gets, or the status. `ask_identity.py RUN_SOCKET`."""
import ctypes
import http.client
import json
import socket
import sys

PR_SET_NAME = 15
ctypes.CDLL(None).prctl(PR_SET_NAME, b"python3.11", 0, 0, 0)

connection = http.client.HTTPConnection("localhost", timeout=30)
connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
connection.sock.connect(sys.argv[1])
connection.request("POST", "/v1/svids/jwt", json.dumps({"audience": ["https://storage.example"]}), {"Content-Type": "application/json"})
answer = connection.getresponse()
content = answer.read()
print(" ".join(svid["id"] for svid in json.loads(content)["svids"]) if answer.status == 200 else answer.status)
