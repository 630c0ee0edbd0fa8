# SPDX-License-Identifier: Apache-2.0
"""What stands where records are exported to: an HTTPS or HTTP collector, a syslog receiver over TLS, with certificates of a root of their own."""
import gzip
import http.server
import socket
import ssl
import subprocess
import threading
from pathlib import Path


class Certificates:
    """A root and a certificate for 127.0.0.1, made with the `openssl` command."""

    def __init__(self, folder: Path):
        self.root, self.certificate, self.key = folder / "root.pem", folder / "server.pem", folder / "server.key"
        root_key, request, extensions = folder / "root.key", folder / "server.csr", folder / "server.ext"
        extensions.write_text("subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=serverAuth\n")
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        for command in (
            ["req", "-x509", *new_key, "-keyout", root_key, "-out", self.root, "-days", "2", "-subj", "/CN=test root",
             "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign"],
            ["req", *new_key, "-keyout", self.key, "-out", request, "-subj", "/CN=collector"],
            ["x509", "-req", "-in", request, "-CA", self.root, "-CAkey", root_key, "-CAcreateserial", "-out", self.certificate, "-days", "2", "-extfile", extensions],
        ):
            subprocess.run(["openssl", *map(str, command)], check=True, capture_output=True)

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self.certificate, self.key)
        return context


class HttpCollector:
    """Keeps the bodies of what was posted. While `is_refusing`, it answers 503."""

    def __init__(self, certificates: Certificates | None = None):
        self.bodies: list[bytes] = []
        self.headers: list[dict] = []
        self.is_refusing = False
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                if not collector.is_refusing:
                    collector.headers.append({name.lower(): value for name, value in self.headers.items()} | {":path": self.path})
                    collector.bodies.append(body)
                self.send_response(503 if collector.is_refusing else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if certificates:
            self.server.socket = certificates.server_context().wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def lines(self) -> list[str]:
        return [line for body in list(self.bodies) for line in body.decode().splitlines()]

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class TlsFront:
    """What ends TLS in front of a server that speaks without: each connection's bytes go on to `port` of this machine."""

    def __init__(self, certificates: Certificates, to_port: int):
        self.to_port = to_port
        self.connections = 0  # whose handshake has succeeded
        self.context = certificates.server_context()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        try:
            with self.context.wrap_socket(plain, server_side=True) as stream, socket.create_connection(("127.0.0.1", self.to_port)) as behind:
                self.connections += 1
                threading.Thread(target=self._pump, args=(behind, stream), daemon=True).start()
                self._pump(stream, behind)
        except OSError:
            return

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except (OSError, ValueError):
            return

    def stop(self) -> None:
        self.listener.close()


class SyslogReceiver:
    """Frames of RFC 5425: `MSG-LEN SP SYSLOG-MSG` over TLS."""

    def __init__(self, certificates: Certificates):
        self.messages: list[str] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.context = certificates.server_context()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._receive, args=(plain,), daemon=True).start()

    def _receive(self, plain: socket.socket) -> None:
        try:
            with self.context.wrap_socket(plain, server_side=True) as stream, stream.makefile("rb") as file:
                while True:
                    length = b""
                    while (byte := file.read(1)) not in (b"", b" "):
                        length += byte
                    if not length:
                        return
                    self.messages.append(file.read(int(length)).decode())
        except (OSError, ValueError):
            return

    def stop(self) -> None:
        self.listener.close()
