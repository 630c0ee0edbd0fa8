#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the kernel sees of one answer: its record is written to the journal and synced, or written by a descriptor whose writes are synced before they
return; and only then a byte of the answer goes out."""
import os
import re
import shutil
import signal
import threading
import unittest
from pathlib import Path

from harness import Program, Scenario, UnixConnection, main, request, wait_until
from harness.writ import EXECUTABLE, TRUST_DOMAIN

ASKERS, QUESTIONS = 6, 15
AUDIENCES = [f"audience-{number}.example" for number in range(20)]
CALLS = "openat,pwrite64,pwritev,write,writev,fdatasync,fsync,sendto,sendmsg"

# `PID CALL(FD<PATH>, …) = RESULT`; a call that another thread's interrupted is in two lines.
CALL = re.compile(r"(?P<thread>\d+) +(?P<name>\w+)\((?P<rest>.*)")
RESUMED = re.compile(r"(?P<thread>\d+) +<\.\.\. (?P<name>\w+) resumed>(?P<rest>.*)")


class Call:
    """One system call: the lines at which it began and had returned, and what strace shows of it."""

    def __init__(self, name: str, rest: str, began: int):
        self.name, self.text, self.began, self.ended = name, rest, began, None if rest.endswith("<unfinished ...>") else began
        path = re.match(r"(\d+)<([^>]*)>", rest)
        self.fd, self.path = path.groups() if path else ("", "")
        self.is_synced = False  # a write that has reached the disk when it returns

    def is_of_journal(self) -> bool:
        return "/log/journal/" in self.path

    def has_succeeded(self) -> bool:
        return self.ended is not None and re.search(r"= \d+$", self.text) is not None


def read_trace(lines: list[str]) -> list[Call]:
    calls, open_calls, synced = [], {}, set()
    for number, line in enumerate(lines):
        if match := RESUMED.match(line):
            call = open_calls.pop(match["thread"], None)
            if call:
                call.ended, call.text = number, call.text + match["rest"]
        elif match := CALL.match(line):
            call = Call(match["name"], match["rest"], number)
            call.is_synced = call.fd in synced
            calls.append(call)
            open_calls[match["thread"]] = call
        else:
            continue
        if call and call.name == "openat" and call.ended is not None and (opened := re.search(r"= (\d+)", call.text)):
            (synced.add if "O_DSYNC" in call.text else synced.discard)(opened[1])
    return calls


def why_not_durable(calls: list[Call], record: str, answer: str) -> str:
    """Empty if a sync of the journal lies between the write of the text `record` and the first call that sends what `answer` matches."""
    answers = [call for call in calls if call.name in ("sendto", "sendmsg", "write", "writev") and not call.is_of_journal() and re.search(answer, call.text)]
    writes = [call for call in calls if call.is_of_journal() and call.name.startswith("pwrite") and record in call.text and call.has_succeeded()]
    if not answers:
        return f"no answer with {answer}"
    if not writes:
        return f"no write of {record} to the journal"
    written, answered = writes[0], answers[0]
    if written.is_synced and written.ended < answered.began:
        return ""
    for call in calls:
        is_sync = call.name in ("fdatasync", "fsync") and call.path == written.path and call.has_succeeded()
        if is_sync and written.ended < call.began and call.ended < answered.began:
            return ""
    return f"no sync between the write of {record} (line {written.ended}) and its answer (line {answered.began})"


@unittest.skipUnless(shutil.which("strace"), "no strace")
class SyncBeforeAnswer(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_postgres()
        cls.trace_file = cls.folder / "trace"
        writ = cls.writ
        strace = ["strace", "-f", "-y", "-s", "100000", "-e", f"trace={CALLS}", "-e", "signal=none", "-o", cls.trace_file]
        # What strace leaves when it is killed ends, too.
        traced = ["setpriv", "--pdeathsig", "KILL", EXECUTABLE, "dev", "--data", writ.data, "--run-dir", writ.run_dir, "--trust-domain", TRUST_DOMAIN]
        dev = Program([*strace, *traced], cls.folder / "dev.log", env=writ.environment)
        writ.programs.append(dev)
        wait_until("writ dev under strace is ready", lambda: writ.is_ready() or not dev.is_running())
        if not dev.is_running():
            raise unittest.SkipTest(f"no process may be traced here: {dev.output()[-500:]}")
        writ.apply_oncology(cls.postgres)
        cls.answered = cls.ask_all()
        cls.tokens = [cls.writ.run_socket("POST", "/v1/svids/jwt", {"audience": [audience]}).json for audience in AUDIENCES]
        # strace ends with what it traces, and has then written all of it.
        (child,) = Path(f"/proc/{dev.pid}/task/{dev.pid}/children").read_text().split()
        os.kill(int(child), signal.SIGTERM)
        dev.wait()
        cls.lines = cls.trace_file.read_text(errors="replace").splitlines()

    @classmethod
    def ask_all(cls) -> dict[str, int]:
        """The number of its record for each data set that was asked for; several at a time, so that groups have many."""
        answered = {}

        def ask(asker: int):
            connection = UnixConnection(cls.writ.admin_socket, timeout=120)
            for number in range(QUESTIONS):
                name = f"synced/{asker}.{number}."
                answer = request(connection, "POST", "/access/v1/evaluation", {
                    "subject": {"type": "Workload", "id": "spiffe://oncology.example/oncology/root/train"}, "action": {"name": "read"},
                    "resource": {"type": "Dataset", "id": name}, "context": {"purpose": "train"}})
                if answer.status == 200:
                    answered[name] = answer.json["context"]["record"]
            connection.close()

        threads = [threading.Thread(target=ask, args=(asker,)) for asker in range(ASKERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answered

    @staticmethod
    def decided(number: int) -> str:
        """In an answer, as strace quotes it."""
        return rf'\\"record\\":{number}\b'

    def test_decisions(self):
        self.assertEqual(ASKERS * QUESTIONS, len(self.answered))
        calls = read_trace(self.lines)
        self.assertEqual([], [why for name, number in self.answered.items() if (why := why_not_durable(calls, name, self.decided(number)))])

    def test_tokens(self):
        calls = read_trace(self.lines)
        for audience, token in zip(AUDIENCES, self.tokens):
            self.assertEqual("", why_not_durable(calls, audience, re.escape(token["svids"][0]["token"])))

    def test_it_would_be_seen(self):
        """The same trace with writes that are not synced and without syncs, or with syncs that failed; and with writes that failed."""
        name, number = next(iter(self.answered.items()))
        unsynced = [line.replace("O_DSYNC", "O_CLOEXEC") for line in self.lines]
        without = [line for line in unsynced if "sync" not in line.split("(")[0]]
        failed = [re.sub(r"= 0$", "= -1 EIO (Input/output error)", line) if "sync" in line else line for line in unsynced]
        unwritten = [re.sub(r"= \d+$", "= -1 EIO (Input/output error)", line) if "pwrite64" in line else line for line in self.lines]
        for lines, why in ((without, "no sync"), (failed, "no "), (unwritten, "no write")):
            calls = read_trace(lines)
            self.assertIn(why, why_not_durable(calls, name, self.decided(number)))


if __name__ == "__main__":
    main()
