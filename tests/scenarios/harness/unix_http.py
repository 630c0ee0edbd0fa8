# SPDX-License-Identifier: Apache-2.0
"""HTTP over a unix socket, as Writ's own commands speak it, and as somebody else may try to."""
import http.client
import json
import socket
from dataclasses import dataclass, field
from pathlib import Path


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float = 30):
        super().__init__("localhost", timeout=timeout)
        self.path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


@dataclass
class Response:
    status: int
    text: str
    headers: dict = field(default_factory=dict)

    @property
    def json(self):
        return json.loads(self.text)


def request(connection: http.client.HTTPConnection, method: str, path: str, body=None, headers: dict | None = None) -> Response:
    """One request; a body that is not text is sent as JSON."""
    headers = dict(headers or {})
    if body is not None and not isinstance(body, (str, bytes)):
        body = json.dumps(body)
        headers.setdefault("Content-Type", "application/json")
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return Response(answer.status, answer.read().decode(errors="replace"), dict(answer.getheaders()))
