#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An auditor keeps one file: it verifies with the log's public key alone, `tar` and `sha256sum` read it, and an altered byte is found."""
import hashlib
import json
import random
import subprocess

from harness import Scenario, main
from harness.scenario import JOBS, PYTHON


class Bundle(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_oncology()

    def test_of_a_run(self):
        self.assertEqual(0, self.writ.cli("run", "--purpose", "train", "--", PYTHON, JOBS / "read.py").code)
        run = next(entry["record"]["run"] for entry in self.writ.records(type="run_start"))
        file = self.scratch("run.tar")
        made = self.writ.cli("audit", "bundle", "--run", run, "-o", file)
        self.assertEqual(0, made.code, made)
        key = (self.writ.data / "log/verifier").read_text().strip()
        self.dev.kill()  # nobody is asked

        verified = self.writ.cli("audit", "bundle", "verify", file, "--key", key, "--json")
        self.assertEqual(0, verified.code, verified)
        report = json.loads(verified.out)
        self.assertEqual({"run": run}, report["question"])
        self.assertGreaterEqual(report["records"], 4)
        self.assertEqual(1, len(report["declarations"]))
        self.assertTrue(report["schemas_are_proven"])
        [schema] = report["schemas"]
        self.assertIn("verified", self.writ.cli("audit", "bundle", "verify", file, "--key", key).out)

        folder = self.scratch("unpacked")
        folder.mkdir()
        subprocess.run(["tar", "xf", file, "-C", folder], check=True)
        subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=folder, check=True)
        self.assertIn("permit", (folder / f"declarations/{report['declarations'][0]}.json").read_text())

        self.assertEqual(schema, hashlib.sha256((folder / f"schemas/{schema}.cedarschema").read_bytes()).hexdigest())
        self.assertIn("entity Dataset", (folder / f"schemas/{schema}.cedarschema").read_text())

        good, chance = file.read_bytes(), random.Random(7)
        bad_file = self.scratch("bad.tar")
        for place in chance.sample(range(len(good)), 40):
            bad_file.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1:])
            self.assertEqual(1, self.writ.cli("audit", "bundle", "verify", bad_file, "--key", key).code, f"byte {place}")
        self.assertEqual(1, self.writ.cli("audit", "bundle", "verify", file, "--key", key.replace("oncology", "ecology")).code)
        self.assertNotEqual(0, self.writ.cli("audit", "bundle", "-o", file).code)


if __name__ == "__main__":
    main()
