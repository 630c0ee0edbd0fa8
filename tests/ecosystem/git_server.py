# SPDX-License-Identifier: Apache-2.0
"""git's own server for HTTP (git-http-backend) behind one that checks who comes: on 127.0.0.1, with repositories in folders of two owners.

Below `/ml` it takes the authority's tokens for its audience, as password; below `/own` a password that a developer has lying about.
"""
import base64
import subprocess
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import unquote, urlsplit

from issuer import Issuer, Refused, Server, read_body

BACKEND = Path("/usr/lib/git-core/git-http-backend")
OWN_PASSWORD = "hunter2"


class GitServer:
    def __init__(self, issuer: Issuer, subject: str, folder: Path):
        self.issuer, self.subject, self.folder = issuer, subject, folder
        self.shown: list[tuple[str, str]] = []  # what opened it: token or password, path
        self.refused: list[str] = []
        self.lock = threading.Lock()
        self.server = Server(("127.0.0.1", 0), type("Handler", (Handler,), {"git": self}))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def create(self, name: str) -> Path:
        """A repository with one commit."""
        bare = self.folder / f"{name}.git"
        self.run("init", "--quiet", "--bare", "--initial-branch=main", bare)
        self.run("-C", bare, "config", "http.receivepack", "true")
        tree = self.run("-C", bare, "hash-object", "-t", "tree", "-w", "/dev/null").strip()
        commit = self.run("-C", bare, "-c", "user.name=a", "-c", "user.email=a@b", "commit-tree", "-m", f"first of {name}", tree).strip()
        self.run("-C", bare, "update-ref", "refs/heads/main", commit)
        return bare

    def subjects(self, name: str) -> list[str]:
        return self.run("-C", self.folder / f"{name}.git", "log", "--format=%s", "main").splitlines()

    @staticmethod
    def run(*arguments) -> str:
        return subprocess.run(["git", *map(str, arguments)], check=True, capture_output=True, text=True).stdout

    def check(self, path: str, authorization: str) -> str:
        """Who it is. SECURITY: what git-http-backend is told of the path is what was checked here."""
        kind, _, encoded = authorization.partition(" ")
        if kind.lower() != "basic":
            raise Refused("no authorization")
        username, _, password = base64.b64decode(encoded).decode().partition(":")
        if path.startswith("/own/"):
            if (username, password) != ("developer", OWN_PASSWORD):
                raise Refused(f"{username} is not let in")
        elif username != "writ" or self.issuer.verify(password, self.url)["sub"] != self.subject:
            raise Refused(f"{username} is not let in")
        with self.lock:
            self.shown.append((password, path))
        return username


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    git: GitServer

    def do_GET(self):
        self.serve(b"")

    def do_POST(self):
        self.serve(read_body(self))

    def serve(self, body: bytes) -> None:
        where = urlsplit(self.path)
        try:
            user = self.git.check(unquote(where.path), self.headers.get("authorization", ""))
        except (Refused, ValueError) as refused:
            with self.git.lock:
                self.git.refused.append(f"{self.path}: {refused}")
            return self.answer(401, [("WWW-Authenticate", 'Basic realm="repositories"')], b"")
        environment = {"PATH": "/usr/bin:/bin", "GIT_PROJECT_ROOT": str(self.git.folder), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": unquote(where.path), "QUERY_STRING": where.query,
                       "REQUEST_METHOD": self.command, "CONTENT_TYPE": self.headers.get("content-type", ""), "REMOTE_USER": user, "REMOTE_ADDR": "127.0.0.1",
                       "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""), "GIT_PROTOCOL": self.headers.get("git-protocol", "")}
        done = subprocess.run([BACKEND], env=environment, input=body, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n") if line]
        status = next((int(value.split()[0]) for name, value in headers if name == "Status"), 200)
        self.answer(status, [(name, value) for name, value in headers if name != "Status"], content)

    def answer(self, status: int, headers: list, content: bytes) -> None:
        self.send_response(status)
        for name, value in [*headers, ("Content-Length", str(len(content)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass
