#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A secret that was handed to the authority is nowhere in its memory afterwards but sealed."""
import secrets

from harness import Scenario, main
from harness.scenario import needs_root


def places_in_memory(pid: int, wanted: bytes) -> list[str]:
    """Mappings that a process may write to and that have these bytes."""
    found = []
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            span, permissions, *rest = line.split()
            if not permissions.startswith("rw"):
                continue
            begin, end = (int(part, 16) for part in span.split("-"))
            memory.seek(begin)
            try:
                content = memory.read(end - begin)
            except OSError:  # a mapping of the kernel's own
                continue
            if wanted in content:
                found.append(rest[-1] if len(rest) > 3 else "anonymous")
    return found


@needs_root
class WipedSecrets(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dev = cls.writ.start_dev()

    def keep(self, command: str, value: str) -> None:
        file = self.scratch("value")
        file.touch(mode=0o600)
        file.write_text(value)
        outcome = self.writ.cli("secret", command, "vendor/key", "--file", file)
        self.assertEqual(0, outcome.code, outcome)

    def test_no_copy_is_left_of_what_was_put_and_rotated(self):
        # The twin: what is no secret is found by the same search.
        name = "remembered-" + secrets.token_hex(16)
        self.assertEqual(200, self.writ.admin("POST", "/access/v1/evaluation", {"subject": {"type": "Workload", "id": "spiffe://a.example/a"}, "action": {"name": "read"},
                                                                             "resource": {"type": "Dataset", "id": name}}).status)
        self.assertNotEqual([], places_in_memory(self.dev.pid, name.encode()))
        for command, length in (("put", 24), ("rotate", 1000), ("rotate", 20_000), ("rotate", 32)):
            value = secrets.token_hex(length // 2)
            self.keep(command, value)
            for part in (value[:16], value[-16:], value[length // 2 - 8:length // 2 + 8]):
                with self.subTest(command=command, length=length):
                    self.assertEqual([], places_in_memory(self.dev.pid, part.encode()))


if __name__ == "__main__":
    main()
