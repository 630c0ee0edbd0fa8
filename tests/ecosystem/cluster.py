# SPDX-License-Identifier: Apache-2.0
"""Stands in for a Kubernetes API server on 127.0.0.1, over TLS: as much of the API as kubectl asks for to read and write ConfigMaps, for who shows the authority's token."""
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

from issuer import Issuer, Refused, Server, read_body
from microsoft_azure import create_certificate

RESOURCES = {"kind": "APIResourceList", "groupVersion": "v1", "resources": [
    {"name": "configmaps", "singularName": "configmap", "namespaced": True, "kind": "ConfigMap", "verbs": ["create", "get", "list"], "shortNames": ["cm"]}]}


class Cluster:
    def __init__(self, issuer: Issuer, subject: str, folder: Path):
        self.issuer, self.subject = issuer, subject
        self.shown: list[tuple[str, str]] = []  # token, path
        self.refused: list[str] = []
        self.maps: dict[str, dict] = {}
        self.lock = threading.Lock()
        create_certificate(folder)
        self.ca_file = folder / "azure.pem"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "azure.pem", folder / "azure.key")
        self.server = Server(("127.0.0.1", 0), type("Handler", (Handler,), {"cluster": self}))
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def check(self, path: str, authorization: str) -> None:
        kind, _, token = authorization.partition(" ")
        if kind != "Bearer" or self.issuer.verify(token, self.url)["sub"] != self.subject:
            raise Refused("Unauthorized")
        with self.lock:
            self.shown.append((token, path))

    def answer(self, method: str, path: str, body) -> tuple[int, dict]:
        if path == "/version":
            return 200, {"major": "1", "minor": "32", "gitVersion": "v1.32.0"}
        if path == "/api":
            return 200, {"kind": "APIVersions", "versions": ["v1"]}
        if path == "/apis":
            return 200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": []}
        if path == "/api/v1":
            return 200, RESOURCES
        place = "/api/v1/namespaces/ml/configmaps"
        if path == place and method == "POST":
            self.maps[body["metadata"]["name"]] = body
            return 201, body
        if path.startswith(place + "/") and path.removeprefix(place + "/") in self.maps:
            return 200, self.maps[path.removeprefix(place + "/")]
        return failure(404, "NotFound")


def failure(status: int, reason: str) -> tuple[int, dict]:
    return status, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": reason, "code": status}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cluster: Cluster

    def do_GET(self):
        self.serve(None)

    def do_POST(self):
        self.serve(json.loads(read_body(self)))

    def serve(self, body) -> None:
        path = urlsplit(self.path).path
        try:
            self.cluster.check(path, self.headers.get("authorization", ""))
            status, answer = self.cluster.answer(self.command, path, body)
        except Refused as refused:
            with self.cluster.lock:
                self.cluster.refused.append(f"{self.path}: {refused}")
            status, answer = failure(401, "Unauthorized")
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass
