# SPDX-License-Identifier: Apache-2.0
"""Prints its environment, then makes a request for each line of its input and prints what came."""
import http.client
import json
import os
import sys
from urllib.parse import urlsplit

print(json.dumps(dict(os.environ)), flush=True)
for line in sys.stdin:
    order = json.loads(line)
    url = urlsplit(order["url"])
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
    body = b"b" * order["size"] if order["size"] else None
    headers = dict([order["field"]])
    if order["chunked"]:
        body = iter([body[i:i + 10_000] for i in range(0, len(body), 10_000)])
    connection.request(order["method"], url.path + (f"?{url.query}" if url.query else ""), body=body, headers=headers, encode_chunked=order["chunked"])
    response = connection.getresponse()
    if order["first_line"]:
        print(json.dumps([response.status, response.readline().decode().strip()]), flush=True)
        response.close()
    else:
        text = response.read()
        print(json.dumps([response.status, json.loads(text) if text else None]), flush=True)
    connection.close()
