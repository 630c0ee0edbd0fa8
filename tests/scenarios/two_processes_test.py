#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The oncology job, real data and real training, with authority and agent as two processes that joined over mutual TLS."""
import subprocess
import unittest
from pathlib import Path

from harness import Scenario, main
from harness.postgres import TREE, Postgres
from harness.writ import REFUSED

VENV = TREE / "build" / "oncology-python"


@unittest.skipUnless((VENV / "installed.txt").exists(), "no scikit-learn: run scripts/python-environment build/oncology-python")
class TwoProcesses(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.postgres = Postgres(cls.folder)
        cls.addClassCleanup(cls.postgres.stop)
        cls.postgres.fill_with_real_biopsies(VENV / "bin" / "python")
        cls.writ.start_authority()
        cls.writ.start_agent(cls.writ.join_token("node-1"))
        cls.writ.apply_oncology(cls.postgres)

    def train(self, model: Path, purpose: str = "train"):
        return self.writ.cli("run", "--purpose", purpose, "--", "python", TREE / "examples/oncology/train.py", "--model", model,
                             environment={"PATH": f"{VENV}/bin:/usr/bin:/bin"})

    def test_a_model_is_trained_and_the_log_tells_it(self):
        model = self.scratch("model.joblib")
        outcome = self.train(model)
        self.assertEqual(0, outcome.code, outcome)
        self.assertIn("read 569 biopsies", outcome.out)
        self.assertRegex(outcome.out, r"accuracy 0\.9\d+   precision 0\.9\d+   recall 0\.9\d+")
        self.assertGreater(model.stat().st_size, 500)
        self.assertFalse(self.postgres.roles())

        told = self.writ.cli("audit", "who-used", "dataset", "oncology/biopsies")
        self.assertEqual(0, told.code, told)
        for text in ("oncology-trainer", "train", "classifier-reads-for-declared-purposes"):
            self.assertIn(text, told.out)
        use = self.writ.admin("GET", "/v1/audit/who-used?type=Dataset&id=oncology/biopsies").json["uses"][0]
        self.assertEqual(("oncology-trainer", "train", "read", "allow"), tuple(use[name] for name in ("workload", "purpose", "action", "decision")))
        self.assertEqual("postgres_role", use["credential"]["kind"])
        self.assertIsNotNone(use["to"])
        self.assert_log_verifies()

    def test_another_purpose_is_refused(self):
        model = self.scratch("model.joblib")
        self.assertEqual(REFUSED, self.train(model, "marketing").code)
        self.assertFalse(model.exists())

    def test_one_flipped_byte_is_found_and_named(self):
        copy = self.scratch("copy")
        self.writ.copy_log(copy / "log")
        self.assertEqual(0, self.writ.cli("audit", "verify", "--data", copy).code)
        subprocess.run([TREE / "scripts/flip-a-byte", copy / "log"], check=True, capture_output=True)
        outcome = self.writ.cli("audit", "verify", "--data", copy)
        self.assertEqual(1, outcome.code, outcome)
        self.assertRegex(outcome.err + outcome.out, r"entry \d+")


if __name__ == "__main__":
    main()
