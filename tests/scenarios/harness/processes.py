# SPDX-License-Identifier: Apache-2.0
"""Child processes with deadlines, that end with the test whatever happens."""
import ctypes
import os
import signal
import subprocess
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True)

# How long anything may take on a loaded machine of two cores before it counts as hanging.
PATIENCE_SECONDS = 30.0
# Between two looks at something in another process that cannot tell us.
POLL_SECONDS = 0.05


def die_with_parent() -> None:
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def wait_until(what: str, holds, seconds: float = PATIENCE_SECONDS):
    """The first true value of `holds()`; an AssertionError naming `what` if there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = holds()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(POLL_SECONDS)


class Program:
    """A process whose output goes to a file."""

    def __init__(self, arguments: list, output: Path, **options):
        self.arguments = [str(argument) for argument in arguments]
        self.output_file = output
        with open(output, "ab") as stream:
            self.process = subprocess.Popen(self.arguments, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT,
                                            preexec_fn=die_with_parent, **options)

    @property
    def pid(self) -> int:
        return self.process.pid

    def is_running(self) -> bool:
        return self.process.poll() is None

    def output(self) -> str:
        return self.output_file.read_text(errors="replace")

    def wait(self, seconds: float = PATIENCE_SECONDS) -> int:
        """The exit code as a shell has it: 128 + signal for a process that was killed."""
        code = self.process.wait(seconds)
        return code if code >= 0 else 128 - code

    def signal(self, number: int) -> None:
        if self.is_running():
            os.kill(self.pid, number)

    def kill(self) -> None:
        """kill -9, and gone."""
        self.signal(signal.SIGKILL)
        self.process.wait(PATIENCE_SECONDS)

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        try:
            return self.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.arguments[:2]} did not end within 10 s of SIGTERM:\n{self.output()[-2000:]}") from None
