# SPDX-License-Identifier: Apache-2.0
"""Stands between S3's clients and the store, on 127.0.0.1, and remembers with which access key each request was signed. What goes through is not changed."""
import re
import socket
import threading

SIGNED = re.compile(rb"AWS4-HMAC-SHA256 Credential=([^/\s]+)/")
# More than a signature's head has; it may come in two pieces.
OVERLAP = 512


class Recorder:
    def __init__(self, port: int):
        self.store = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.keys: list[str] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            store = socket.create_connection(("127.0.0.1", self.store))
            threading.Thread(target=self._pump, args=(client, store, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(store, client, False), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, is_from_client: bool) -> None:
        seen = b""
        try:
            while piece := source.recv(1 << 16):
                if is_from_client:
                    seen += piece
                    # Before the store has it: whoever gets the answer finds the key here.
                    found = list(SIGNED.finditer(seen))
                    self.keys += [match[1].decode() for match in found]
                    seen = seen[found[-1].end():][-OVERLAP:] if found else seen[-OVERLAP:]
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            for one in (source, target):
                one.close()
