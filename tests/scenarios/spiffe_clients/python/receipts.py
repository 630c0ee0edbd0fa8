# SPDX-License-Identifier: Apache-2.0
"""Plain grpcio, without any SPIFFE library: METHOD and whether to ask for receipts. Prints the metadata of the first answer."""
import json
import os
import sys

import grpc

method, wants_receipts = sys.argv[1:]
# JWTSVIDRequest: field 1, the audience. X509SVIDRequest is empty.
request = b"\x0a\x07reports" if method == "FetchJWTSVID" else b""
metadata = [("workload.spiffe.io", "true")] + ([("writ-receipt", "true")] if wants_receipts == "true" else [])
with grpc.insecure_channel(os.environ["SPIFFE_ENDPOINT_SOCKET"]) as channel:
    path = f"/SpiffeWorkloadAPI/{method}"
    if method == "FetchJWTSVID":
        message, call = channel.unary_unary(path).with_call(request, metadata=metadata, timeout=60)
    else:
        call = channel.unary_stream(path)(request, metadata=metadata, timeout=60)
        message = next(call)
    fields = call.initial_metadata()
    print(json.dumps({"bytes": len(message), "records": [int(value) for name, value in fields if name == "writ-record"],
                      "receipts": [value.decode() for name, value in fields if name == "writ-receipt-bin"]}), flush=True)
    if method != "FetchJWTSVID":
        call.cancel()
