#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Somebody else's syslog server, rsyslog from Debian, receives records over TLS and reads the header as we mean it; also across a restart, and none if it is a stranger."""
import json
import os
import socket
import unittest
from pathlib import Path

from harness import Program, Scenario, main, wait_until
from harness.collectors import Certificates
from harness.writ import TREE

# Unpacked (scripts/unpacked-packages), or else installed.
UNPACKED = Path(os.environ.get("WRIT_RSYSLOG", TREE / "build/rsyslog"))
ROOT = UNPACKED if (UNPACKED / "usr/sbin/rsyslogd").exists() else Path("/")
LIBRARIES = ROOT / "usr/lib/x86_64-linux-gnu"
RSYSLOGD, MODULES = ROOT / "usr/sbin/rsyslogd", LIBRARIES / "rsyslog"
# The fields as rsyslog took them apart, each on its own, and the message.
TEMPLATE = r"%pri%|%protocol-version%|%timestamp:::date-rfc3339%|%hostname%|%app-name%|%procid%|%msgid%|%structured-data%|%msg%\n"


class Rsyslog:
    def __init__(self, folder: Path, certificates: Certificates):
        self.folder, self.received, self.port_file = folder, folder / "received", folder / "port"
        self.port = 0
        self.configuration = folder / "rsyslog.conf"
        self.certificates = certificates
        self.start()

    def start(self) -> None:
        (self.folder / "rsyslog.pid").unlink(missing_ok=True)
        self.configuration.write_text(f"""global(workDirectory="{self.folder}" maxMessageSize="128k" defaultNetstreamDriverCAFile="{self.certificates.root}"
  defaultNetstreamDriverCertFile="{self.certificates.certificate}" defaultNetstreamDriverKeyFile="{self.certificates.key}")
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon")
template(name="apart" type="string" string="{TEMPLATE}")
input(type="imtcp" address="127.0.0.1" port="{self.port}" listenPortFileName="{self.port_file}")
action(type="omfile" file="{self.received}" template="apart")
""")
        self.program = Program([RSYSLOGD, "-n", "-f", self.configuration, "-i", self.folder / "rsyslog.pid", "-M", MODULES], self.folder / "rsyslog.log",
                               env=os.environ | {"LD_LIBRARY_PATH": str(LIBRARIES)})

        def listens():
            if not self.program.is_running():
                raise AssertionError(f"rsyslogd ended:\n{self.program.output()}")
            if self.port == 0:  # it says which it has taken
                self.port = int(self.port_file.read_text()) if self.port_file.exists() and self.port_file.read_text().strip() else 0
            with socket.socket() as client:
                return self.port != 0 and client.connect_ex(("127.0.0.1", self.port)) == 0
        wait_until("rsyslog listens", listens)

    def lines(self) -> list[list[str]]:
        return [line.split("|", 8) for line in self.received.read_text().splitlines()] if self.received.exists() else []


class RsyslogExport(Scenario):
    @classmethod
    def setUpClass(cls):
        if not RSYSLOGD.exists() or not (MODULES / "lmnsd_ossl.so").exists():
            raise unittest.SkipTest("no rsyslog with OpenSSL: scripts/packages.sh names it")
        super().setUpClass()
        cls.writ.start_authority()

    def declare(self, name: str, fields: str) -> None:
        documents = self.scratch(f"{name}.yaml")
        documents.write_text(f"kind: AuditExport\nname: {name}\n{fields}\n")
        outcome = self.writ.cli("apply", "-f", documents)
        self.assertEqual(0, outcome.code, outcome)

    def status(self, name: str) -> dict:
        return {status["name"]: status for status in json.loads(self.writ.cli("audit", "exports", "--json").out)["exports"]}[name]

    def make_records(self, count: int) -> int:
        for number in range(count):
            self.writ.join_token(f"node-{number}")
        return self.writ.tree_size()

    def test_1_what_we_send_is_what_it_reads(self):
        folder = self.scratch("rsyslog")
        folder.mkdir()
        certificates = Certificates(folder)
        rsyslog = Rsyslog(folder, certificates)
        self.addCleanup(lambda: rsyslog.program.kill())
        self.declare("rsyslog", f"format: json\ndestination: syslog+tls://127.0.0.1:{rsyslog.port}\nca_file: {certificates.root}")
        # A batch of many decisions, too: each is a message of its own.
        batch = self.writ.admin("POST", "/access/v1/evaluations", {
            "subject": {"type": "Workload", "id": "spiffe://oncology.example/w"}, "action": {"name": "read"}, "context": {"purpose": "train"},
            "evaluations": [{"resource": {"type": "Dataset", "id": f"d/{number}"}} for number in range(40)]}).json["evaluations"]
        [record] = {answer["context"]["record"] for answer in batch}
        size = self.make_records(5)

        def events():
            return [json.loads(line[8]) for line in rsyslog.lines()]
        wait_until("all have arrived", lambda: {event["sequence"] for event in events()} >= set(range(size)), 60)
        stored = {entry["sequence"]: entry["record"] for entry in self.writ.records()}
        for line in rsyslog.lines():
            priority, version, time, host, application, process, message_id, structured, text = line
            event = json.loads(text)
            # SPEC: RFC 5424 §6.2.1: facility 13 (log audit) and a severity.
            self.assertEqual((13, "1", "oncology.example", "writ", "-"), (int(priority) // 8, version, host, application, process))
            self.assertEqual(event["record"]["time"].rstrip("Z"), time.removesuffix("+00:00").rstrip("Z"))
            self.assertEqual(event["record"]["type"], message_id)
            self.assertRegex(structured, r'^\[meta sequenceId="\d+"\]$')
            if "item" not in event:
                self.assertEqual(stored[event["sequence"]], event["record"])
        items = [event for event in events() if event["sequence"] == record]
        self.assertEqual([f"oncology.example/log/{record}/{item}" for item in range(1, 41)], list(dict.fromkeys(event["id"] for event in items)))
        self.assertEqual([f"d/{number}" for number in range(40)], list(dict.fromkeys(event["record"]["resource"]["id"] for event in items)))
        self.assertEqual({40}, {event["items"] for event in items})

        rsyslog.program.kill()
        size = self.make_records(5)
        rsyslog.start()
        wait_until("it goes on", lambda: {event["sequence"] for event in events()} >= set(range(size)), 120)
        firsts = list(dict.fromkeys(event["sequence"] for event in events()))
        self.assertEqual(sorted(firsts), firsts)

    def test_2_a_stranger_gets_nothing(self):
        folder, others = self.scratch("rsyslog"), self.scratch("others")
        folder.mkdir()
        others.mkdir()
        rsyslog = Rsyslog(folder, Certificates(folder))
        self.addCleanup(lambda: rsyslog.program.kill())
        self.declare("stranger", f"format: cef\ndestination: syslog+tls://127.0.0.1:{rsyslog.port}\nca_file: {Certificates(others).root}")
        self.make_records(1)
        refused = wait_until("it is refused", lambda: (status := self.status("stranger"))["failures"] > 0 and status)
        self.assertRegex(refused["error"], "certificate")
        self.assertEqual([], rsyslog.lines())


if __name__ == "__main__":
    main()
