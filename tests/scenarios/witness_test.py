#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Witnesses as processes: one is killed, one lies, and a log that was rolled back or forked is refused and said loudly."""
import hashlib
import http.client
import http.server
import re
import shutil
import threading

from harness import Scenario, main, wait_until
from harness.collectors import Certificates, TlsFront
from harness.processes import Program


class Witness:
    """`writ audit witness` with a folder of its own."""

    def __init__(self, writ, name: str):
        self.writ = writ
        self.name = name
        self.data = writ.folder / name
        self.key = writ.cli("audit", "witness", "--data", self.data, "--name", f"witness.example/{name}", "--show-key").out.strip()
        self.port = 0
        self.program: Program | None = None

    def start(self, log_key: str) -> None:
        pattern = r"address=\"?127\.0\.0\.1:(\d+)"
        before = len(re.findall(pattern, self.program.output())) if self.program else 0
        self.program = self.writ.launch(self.name, ["audit", "witness", "--data", self.data, "--listen", f"127.0.0.1:{self.port}", "--log", log_key])
        found = wait_until(f"{self.name} serves", lambda: (all_found := re.findall(pattern, self.program.output()))[before:] and all_found)
        self.port = int(found[-1])

    def kill(self) -> None:
        self.program.kill()

    @property
    def option(self) -> list[str]:
        return ["--witness", f"http://127.0.0.1:{self.port}={self.key}"]

    def latest(self, origin: str) -> int:
        """The size that it has cosigned last; 0: none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", f"/{hashlib.sha256(origin.encode()).hexdigest()}/checkpoint")
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return int(text.split("\n")[1]) if answer.status == 200 else 0

    def post(self, body: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("POST", "/add-checkpoint", body)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text


class Liar(http.server.BaseHTTPRequestHandler):
    """Says what `answer` has."""
    answer = (500, "text/plain", "")

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.say(*self.answer)

    def do_GET(self):
        self.say(404, "text/plain", "")

    def say(self, status, content_type, body):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


class WitnessedLog(Scenario):
    def setUp(self):
        """Three witnesses that know the log, which has begun."""
        super().setUp()
        self.authority = self.writ.start_authority()
        verifier = self.writ.data / "log" / "verifier"
        wait_until("the log has begun", verifier.exists)
        self.log_key = verifier.read_text().strip()
        self.origin = self.log_key.split("+")[0]
        self.authority.stop()
        self.witnesses = [Witness(self.writ, f"{self._testMethodName[5:12]}-{i}") for i in range(3)]
        for witness in self.witnesses:
            witness.start(self.log_key)

    def tearDown(self):
        for program in list(self.writ.programs):
            if program.is_running():
                program.kill()
        shutil.rmtree(self.writ.data, ignore_errors=True)

    def start_witnessed(self, *options: str):
        self.authority = self.writ.start_authority(*[word for witness in self.witnesses for word in witness.option], *options)

    def add_records(self, count: int = 1) -> int:
        for i in range(count):
            self.writ.join_token(f"node-{i}")
        return self.writ.tree_size()

    def status(self) -> dict:
        return self.writ.admin("GET", "/v1/audit/status").json

    def wait_final(self, size: int) -> dict:
        return wait_until(f"{size} records are final", lambda: (status := self.status())["final_size"] >= size and status)

    def verify(self, *witnesses, quorum: int):
        keys = [word for witness in witnesses for word in ("--witness", witness.key)]
        return self.writ.cli("audit", "verify", "--data", self.writ.data, *keys, "--witness-quorum", str(quorum))

    def test_final_with_two_of_three_and_one_is_killed(self):
        self.start_witnessed()
        self.wait_final(self.add_records(5))
        status = wait_until("all three have cosigned", lambda: (now := self.status())["final_cosignatures"] == 3 and now)
        self.assertEqual([0, 0, 0], [witness["lag"] for witness in status["witnesses"]])
        note = self.writ.public("GET", "/log/checkpoint").text
        for witness in self.witnesses:
            self.assertIn(f"— witness.example/{witness.name} ", note)
        self.assertEqual(note, self.writ.public("GET", "/log/final").text)
        self.assertEqual(note, (self.writ.data / "log" / "final").read_text())

        # Killed while records come: what was final stays so, and two are enough.
        self.witnesses[0].kill()
        size = self.add_records(20)
        self.wait_final(size)
        lag = next(witness for witness in self.status()["witnesses"] if witness["name"].endswith("-0"))
        self.assertGreaterEqual(lag["lag"], 20)
        self.assertRegex(self.writ.public("GET", "/metrics").text, r'writ_audit_witness_lag_records\{witness="[^"]*-0"\} [1-9]')
        outcome = self.verify(*self.witnesses, quorum=2)
        self.assertEqual(0, outcome.code, outcome)
        self.assertNotEqual(0, self.verify(*self.witnesses, quorum=3).code)
        self.assertIn("final", self.writ.cli("audit", "status").out)

        # With one alone nothing becomes final, and everything else goes on.
        self.witnesses[1].kill()
        size = self.add_records(3)
        receipt = self.writ.cli("audit", "receipt", "get", str(size - 1))
        self.assertEqual(0, receipt.code, receipt)
        self.assertLess(self.status()["final_size"], size)

        # They come back and catch up by themselves.
        self.witnesses[0].start(self.log_key)
        self.witnesses[1].start(self.log_key)
        self.wait_final(size)
        wait_until("all have caught up", lambda: all(witness.latest(self.origin) >= size for witness in self.witnesses), seconds=60)

        # After a restart what was final is there at once.
        self.authority.kill()
        for witness in self.witnesses:
            witness.kill()
        self.start_witnessed()
        self.assertGreaterEqual(self.status()["final_size"], size)

    def test_receipts_prove_themselves(self):
        self.start_witnessed()
        size = self.add_records(9)
        file = self.scratch("receipt")
        self.assertEqual(0, self.writ.cli("audit", "receipt", "get", str(size - 2), "-o", file).code)
        text = file.read_text()
        self.assertTrue(text.startswith("c2sp.org/tlog-proof@v1\nextra "))
        keys = [word for witness in self.witnesses for word in ("--witness", witness.key)]
        verified = self.writ.cli("audit", "receipt", "verify", file, "--key", self.log_key, *keys, "--witness-quorum", "2")
        self.assertEqual(0, verified.code, verified)
        self.assertIn("administration", verified.out)
        for place in range(len("c2sp.org/tlog-proof@v1\nextra "), len(text), 37):
            file.write_text(text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1:])
            refused = self.writ.cli("audit", "receipt", "verify", file, "--key", self.log_key, *keys, "--witness-quorum", "3")
            self.assertNotEqual(0, refused.code, place)
        # Without a credential of the record's workload nobody gets it.
        self.assertEqual(401, self.writ.public("GET", f"/v1/receipts/{size - 2}").status)

    def test_over_https_with_a_private_root_and_none_of_a_strangers(self):
        mine, others = self.scratch("mine"), self.scratch("others")
        mine.mkdir()
        others.mkdir()
        certificates = Certificates(mine)
        fronts = [TlsFront(certificates, witness.port) for witness in self.witnesses]
        for front in fronts:
            self.addCleanup(front.stop)
        options = [word for front, witness in zip(fronts, self.witnesses) for word in ("--witness", f"https://127.0.0.1:{front.port}={witness.key}")]
        self.authority = self.writ.start_authority(*options, "--witness-roots", Certificates(others).root)
        size = self.add_records(3)
        status = wait_until("nobody believes in their certificates", lambda: all(
            witness["failures"] > 0 for witness in self.status()["witnesses"]) and self.status())
        for witness in status["witnesses"]:
            self.assertRegex(witness["error"], "certificate")
        self.assertEqual((0, 0), (status["final_size"], sum(front.connections for front in fronts)))
        self.authority.stop()

        self.authority = self.writ.start_authority(*options, "--witness-roots", certificates.root)
        self.wait_final(max(size, self.add_records(2)))
        self.assertEqual(0, self.verify(*self.witnesses, quorum=2).code)
        self.assertGreater(sum(front.connections for front in fronts), 1)
        self.authority.stop()
        nothing = self.scratch("nothing.pem")
        nothing.write_text("no certificate\n")
        refused = self.writ.launch("no-roots", ["authority", "--data", self.writ.data, "--run-dir", self.writ.run_dir, "--trust-domain", "oncology.example",
                                                "--listen", "127.0.0.1:0", *options, "--witness-roots", nothing])
        self.assertNotEqual(0, refused.wait(60))
        self.assertIn("nothing.pem` has no certificate", refused.output())

    def test_a_policy_says_who_must_cosign(self):
        file = self.scratch("policy")
        names = ("ours", "hospital", "auditor")
        lines = [f"witness {name} {witness.key} http://127.0.0.1:{witness.port}/" for name, witness in zip(names, self.witnesses)]
        file.write_text("\n".join([f"log {self.log_key}", *lines, "group others any hospital auditor", "group both all ours others", "quorum both", ""]))
        self.authority = self.writ.start_authority("--witness-policy", file)
        self.assertEqual(2, self.status()["quorum"])
        self.witnesses[1].kill()
        size = self.add_records(3)
        self.wait_final(size)
        receipt = self.scratch("receipt")
        self.assertEqual(0, self.writ.cli("audit", "receipt", "get", str(size - 1), "-o", receipt).code)
        verified = self.writ.cli("audit", "receipt", "verify", receipt, "--policy", file)
        self.assertEqual(0, verified.code, verified)
        self.assertEqual(0, self.writ.cli("audit", "verify", "--data", self.writ.data, "--policy", file).code)
        # The two others are a majority, and no quorum of this policy.
        self.witnesses[0].kill()
        self.witnesses[1].start(self.log_key)
        size = self.add_records(2)
        wait_until("both others have cosigned", lambda: all(witness.latest(self.origin) >= size for witness in self.witnesses[1:]), seconds=60)
        self.assertLess(self.status()["final_size"], size)
        file.write_text(file.read_text().replace("group both all ours others", "group both 3 ours others"))
        refused = self.writ.cli("audit", "receipt", "verify", receipt, "--policy", file)
        self.assertEqual(1, refused.code, refused)
        self.assertIn("line 6", refused.err)

    def test_one_that_lies_stops_nothing(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Liar)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        lying = self.witnesses.pop()
        lying.kill()
        lying.port = server.server_port
        self.witnesses.append(lying)
        other = self.witnesses[0]
        self.start_witnessed()

        def failures():
            return next(witness for witness in self.status()["witnesses"] if witness["name"].endswith("-2"))

        # A size that this log has never had.
        Liar.answer = (409, "text/x.tlog.size", "123456789\n")
        self.wait_final(self.add_records(2))
        wait_until("its word is said loudly, and not believed", lambda: failures()["conflict"])
        self.assertIn("A WITNESS HAS SEEN ANOTHER LOG", self.authority.output())
        # An old size, again and again; a signature of another key; one of its own that is of another checkpoint; nonsense.
        stranger = Witness(self.writ, "stranger")
        self.assertNotEqual(stranger.key, other.key)
        mark = "— witness.example/" + lying.name + " "
        for answer in ((409, "text/x.tlog.size", "0\n"), (200, "text/plain", ""), (200, "text/plain", "— a AAAAAAAA\n"),
                       (200, "text/plain", mark + "AAAAAAAA\n"), (403, "text/plain", "no\n"), (200, "text/plain", "\x00" * 400)):
            Liar.answer = answer
            before = failures()["failures"]
            self.wait_final(self.add_records(1))
            wait_until(f"{answer} is no cosignature", lambda before=before: failures()["failures"] > before, seconds=90)
        self.assertEqual(0, self.verify(*self.witnesses, quorum=2).code)

    def test_a_witness_killed_at_any_moment_never_goes_back(self):
        self.start_witnessed()
        victim = self.witnesses[0]
        seen = 0
        for _ in range(12):
            size = self.add_records(4)
            victim.kill()
            victim.start(self.log_key)
            now = victim.latest(self.origin)
            self.assertGreaterEqual(now, seen)
            seen = now
        self.wait_final(size)
        wait_until("it has caught up", lambda: victim.latest(self.origin) >= size, seconds=90)

    def copy_of_data(self):
        copy = self.writ.folder / f"copy-{self._testMethodName}"
        shutil.copytree(self.writ.data, copy)
        return copy

    def restore(self, copy):
        shutil.rmtree(self.writ.data)
        shutil.copytree(copy, self.writ.data)

    def refused_start(self, *options: str) -> str:
        words = [word for witness in self.witnesses for word in witness.option]
        program = self.writ.launch(f"refused-{self._testMethodName}", ["authority", "--data", self.writ.data, "--run-dir", self.writ.run_dir, "--trust-domain",
                                                "oncology.example", "--listen", "127.0.0.1:0", *words, *options])
        self.assertNotEqual(0, program.wait(60))
        return program.output()

    def test_a_log_that_was_rolled_back_does_not_start(self):
        self.start_witnessed()
        self.wait_final(self.add_records(3))
        self.authority.stop()
        copy = self.copy_of_data()
        self.start_witnessed()
        self.wait_final(self.add_records(30))
        self.authority.stop()
        self.restore(copy)
        self.assertRegex(self.refused_start(), "rolled back")
        # One that cannot be asked is not waited for; the others are enough to know it.
        self.witnesses[0].kill()
        self.witnesses[1].kill()
        self.assertRegex(self.refused_start(), "rolled back")
        # Who says that the records are lost may go on; it stays loud, and nothing becomes final.
        self.start_witnessed("--accept-rollback")
        self.assertIn("THE LOG IS NOT WHAT IT WAS", self.authority.output())
        self.add_records(2)
        wait_until("the conflict is seen", lambda: any(witness["conflict"] for witness in self.status()["witnesses"]))

    def test_a_fork_of_the_same_name_and_key_is_refused_by_every_witness(self):
        self.start_witnessed()
        self.wait_final(self.add_records(3))
        self.authority.stop()
        copy = self.copy_of_data()
        self.start_witnessed()
        final = self.wait_final(self.add_records(10))["final_size"]
        self.authority.stop()
        self.restore(copy)
        # No witness can be asked at the start; the fork grows beyond what they have seen.
        for witness in self.witnesses:
            witness.kill()
        self.start_witnessed()
        self.assertGreater(self.add_records(40), final)
        for witness in self.witnesses:
            witness.start(self.log_key)
        status = wait_until("all of them refuse it", lambda: (now := self.status()) and all(
            witness["conflict"] for witness in now["witnesses"]) and now, seconds=90)
        self.assertLess(status["final_size"], self.writ.tree_size())
        self.assertIn("A WITNESS HAS SEEN ANOTHER LOG UNDER THIS LOG'S NAME AND KEY", self.authority.output())
        self.assertIn("CONFLICT", self.writ.cli("audit", "status").out)
        self.assertIn("A LOG SHOWS A TREE THAT IS NOT CONSISTENT", "".join(witness.program.output() for witness in self.witnesses))
        self.authority.stop()
        self.assertRegex(self.refused_start(), "was replaced, or rolled back")

    def test_a_restart_says_how_the_last_life_ended(self):
        self.start_witnessed()
        self.add_records(1)
        self.authority.kill()
        self.start_witnessed()
        self.authority.stop()
        self.start_witnessed()
        self.add_records(1)
        reasons = [entry["record"]["reason"] for entry in self.writ.records(type="startup")]
        self.assertIn("the last life ended cleanly", reasons[0])
        self.assertIn("the last life was cut off", reasons[1])
        self.assertIn("the last life ended cleanly", reasons[2])
        self.assertIn("its first life", reasons[-1])


if __name__ == "__main__":
    main()
