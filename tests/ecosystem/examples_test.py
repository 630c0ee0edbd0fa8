#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The examples, as their READMEs say, on a real store and a real database: each job does its work without a secret, is refused another purpose, and is on record.

The interpreter is Debian's python3.11 in a virtual environment with the pinned packages; WRIT_EXAMPLES_PYTHON names it. PyTorch is Debian's own, WRIT_PYTORCH_PYTHON.
"""
import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scenarios"))

from ceph import ACCESS_KEY, REGION, SECRET_KEY, Ceph, missing_programs  # noqa: E402
from harness import Postgres, Scenario, main  # noqa: E402
from harness.writ import EXECUTABLE, REFUSED  # noqa: E402

PYTHON = Path(os.environ.get("WRIT_EXAMPLES_PYTHON", HERE.parents[1] / "build/examples-python/bin/python3"))
PYTORCH = Path(os.environ.get("WRIT_PYTORCH_PYTHON", HERE.parents[1] / "build/pytorch-python/bin/python3"))
DISTRIBUTED = HERE / "jobs/distributed_job.py"
EXAMPLES = HERE.parents[1] / "examples"
AUDIENCE = "sts.amazonaws.com"
WARD = """\
create role writ_admin login createrole password 'fixture';
grant pg_signal_backend to writ_admin;
create database ward;
revoke all on database ward from public;
grant connect on database ward to writ_admin with grant option;
\\connect ward
revoke all on schema public from public;
grant usage on schema public to writ_admin with grant option;
"""


class Examples(Scenario):
    @classmethod
    def setUpClass(cls):
        if missing := missing_programs():
            raise unittest.SkipTest(f"Ceph is not installed, no {', '.join(missing)}: `./check --ecosystem` installs it")
        if not PYTHON.exists():
            raise unittest.SkipTest(f"no {PYTHON}: `./check --ecosystem` makes it")
        super().setUpClass()
        sys.path += [str(path) for path in PYTHON.parent.parent.glob("lib/python3*/site-packages")]
        import boto3
        cls.store = Ceph(cls.folder / "ceph")
        cls.addClassCleanup(cls.store.stop)
        cls.owner = cls.store.client(boto3)
        cls.writ.start_authority()
        cls.store.trust_issuer(boto3, cls.writ.public_url(), cls.writ.public("GET", "/.well-known/jwks.json").json, [AUDIENCE])
        cls.role = cls.store.create_role(cls.writ.public_url(), AUDIENCE, "examples")
        cls.writ.start_agent(cls.writ.join_token())
        cls.programs = cls.folder / "programs"  # what the examples call by name
        cls.programs.mkdir()
        (cls.programs / "writ").symlink_to(EXECUTABLE)

    def apply(self, example: str, **values: str) -> None:
        outcome = self.writ.cli("apply", "-f", EXAMPLES / example, "--prune", environment={
            "STORE_ROLE": self.role, "STORE_REGION": REGION, "STORE_ENDPOINT": self.store.url} | values)
        self.assertEqual(0, outcome.code, outcome)

    def as_owner(self, *command, **options) -> str:
        """Whoever owns the bucket has keys, and puts the data there."""
        keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_ENDPOINT_URL": self.store.url, "AWS_DEFAULT_REGION": REGION}
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=os.environ | keys, timeout=120, **options)
        self.assertEqual(0, done.returncode, done.stderr)
        return done.stdout

    def run_job(self, purpose: str, *command, seconds: float = 240) -> str:
        outcome = self.writ.cli("run", "--purpose", purpose, "--", *command, seconds=seconds)
        self.assertEqual(0, outcome.code, outcome)
        return outcome.out

    def assert_refused(self, *command) -> None:
        outcome = self.writ.cli("run", "--purpose", "marketing", "--", *command)
        self.assertEqual(REFUSED, outcome.code, outcome)

    def assert_on_record(self, dataset: str, workload: str) -> None:
        used = self.writ.cli("audit", "who-used", "dataset", dataset)
        self.assertIn(workload, used.out, used)
        self.assertEqual(0, self.writ.verify_log().code)

    def keys(self, bucket: str) -> list[str]:
        return sorted(item["Key"] for item in self.owner.list_objects_v2(Bucket=bucket).get("Contents", []))

    def prepare_digits(self) -> None:
        if not PYTORCH.exists() or subprocess.run([PYTORCH, "-c", "import torch, boto3"], capture_output=True).returncode != 0:
            self.skipTest("no python3-torch: `./check --ecosystem` installs it")
        self.owner.create_bucket(Bucket="digits")
        self.as_owner(PYTHON, EXAMPLES / "digits-pytorch/upload.py")
        self.apply("digits-pytorch")

    def distributed(self, name: str) -> tuple[Path, list]:
        """Where two ranks say what they did, and torchrun's command up to theirs."""
        folder = self.scratch(name)
        folder.mkdir()
        # Under Python 3.11 PyTorch 1.13 does not know its own default for where output goes.
        output = ("--redirects", "1", "--tee", "1", "--log_dir", folder / "output")
        return folder, [PYTORCH, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", *output]

    def ranks(self, folder: Path) -> list[dict]:
        """What they said: each shard was read by a worker process of the one or the other, and the two agree on the weights."""
        ranks = [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]
        readers = [{read["process"] for read in rank["reads"]} for rank in ranks]
        self.assertEqual([3, 3], [len(processes) for processes in readers], "a rank and two workers of its own")
        self.assertEqual(6, len(readers[0] | readers[1]))
        self.assertEqual(set(ranks[0]["keys"]), {read["key"] for rank in ranks for read in rank["reads"]})
        self.assertAlmostEqual(ranks[0]["weights"], ranks[1]["weights"], places=5)
        return ranks

    def test_torchrun_in_a_run(self):
        """The ranks, and the DataLoader's workers of each, are of the one run that torchrun is of."""
        self.prepare_digits()
        folder, torchrun = self.distributed("one")
        self.run_job("train", *torchrun, DISTRIBUTED, folder, "digits", "images/")
        ranks = self.ranks(folder)
        self.assertEqual(1, len({rank["run"] for rank in ranks}))
        self.assertEqual(1, len({read["access_key"] for rank in ranks for read in rank["reads"]}), "one session serves them all")
        self.assert_refused(*torchrun, DISTRIBUTED, folder, "digits", "images/")
        self.assert_on_record("digits/images", "train")

    def test_torchrun_of_runs(self):
        """Each rank a run of its own, and on record as that rank."""
        self.prepare_digits()
        folder, torchrun = self.distributed("two")
        environment = self.writ.environment | {"PATH": f"{self.programs}:/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
        done = subprocess.run([str(word) for word in (*torchrun, "--no_python", self.programs / "writ", "run", "--purpose", "train", "--", PYTORCH, DISTRIBUTED, folder, "digits", "images/")],
                              capture_output=True, text=True, env=environment, timeout=240)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        ranks = self.ranks(folder)
        self.assertEqual(2, len({rank["run"] for rank in ranks}))
        for rank in ranks:
            self.assertEqual(1, len({read["access_key"] for read in rank["reads"]}))
            [started] = self.writ.records(type="run_start", run=rank["run"])
            self.assertEqual(rank["rank"], started["record"]["rank"])

    def test_digits_pytorch(self):
        self.prepare_digits()
        job = (PYTORCH, EXAMPLES / "digits-pytorch/train.py", "--epochs", "4")
        self.assertIn("going on at epoch 0", self.run_job("train", *job))
        said = self.run_job("train", *job)
        self.assertIn("going on at epoch 4", said)
        self.assertGreater(float(said.split()[-1]), 0.85, said)
        self.assert_refused(*job)
        self.assert_on_record("digits/images", "train")

    def test_wine_keras(self):
        self.owner.create_bucket(Bucket="wine")
        self.as_owner(PYTHON, EXAMPLES / "wine-keras/upload.py")
        self.apply("wine-keras")
        self.assertRegex(self.run_job("train", PYTHON, EXAMPLES / "wine-keras/train.py"), r"178 samples; accuracy (0\.9|1)")
        self.assertIn("models/wine.keras", self.keys("wine"))
        self.assert_refused(PYTHON, EXAMPLES / "wine-keras/train.py")
        self.assert_on_record("wine/samples", "train")

    def test_segments_clustering(self):
        self.owner.create_bucket(Bucket="segments")
        self.as_owner(PYTHON, EXAMPLES / "segments-clustering/upload.py")
        self.apply("segments-clustering")
        self.assertRegex(self.run_job("explore", PYTHON, EXAMPLES / "segments-clustering/cluster.py"), r"569 rows in \d segments")
        self.assertIn("labels/labels.parquet", self.keys("segments"))
        self.assert_refused(PYTHON, EXAMPLES / "segments-clustering/cluster.py")
        self.assert_on_record("segments/measurements", "cluster")

    def test_lake_reinforcement(self):
        self.owner.create_bucket(Bucket="lake")
        self.apply("lake-reinforcement")
        job = (PYTHON, EXAMPLES / "lake-reinforcement/learn.py")
        self.assertIn("going on at episode 0", self.run_job("train", *job))
        said = self.run_job("train", *job)
        self.assertIn("going on at episode 3000", said)
        self.assertIn("crosses 100 times of 100", said)
        self.assert_refused(*job)
        self.assert_on_record("lake/checkpoints", "learn")

    def test_batch_scoring(self):
        folder = self.scratch("postgres")
        folder.mkdir()
        postgres = Postgres(folder)
        self.addCleanup(postgres.stop)
        self.owner.create_bucket(Bucket="ward")
        rows = self.as_owner(PYTHON, EXAMPLES / "batch-scoring/prepare.py")
        postgres.execute(WARD + rows)
        password = self.scratch("ward.password")
        password.write_text("fixture\n")
        password.chmod(0o600)
        self.apply("batch-scoring", WARD_PORT=str(postgres.port), WARD_PASSWORD_FILE=str(password))
        self.assertRegex(self.run_job("score", PYTHON, EXAMPLES / "batch-scoring/score.py"), r"221 rows scored, mean 1\d\d\.\d")
        self.assertIn("scores/latest.csv", self.keys("ward"))
        self.assert_refused(PYTHON, EXAMPLES / "batch-scoring/score.py")
        for dataset in ("ward/admissions", "ward/models", "ward/scores"):
            self.assert_on_record(dataset, "score")

    def test_notebook_papermill(self):
        self.owner.create_bucket(Bucket="report")
        self.as_owner(PYTHON, EXAMPLES / "notebook-papermill/upload.py")
        self.apply("notebook-papermill")
        result = self.scratch("report.ipynb")
        job = (PYTHON, "-m", "papermill", EXAMPLES / "notebook-papermill/report.ipynb", result, "-p", "quantile", "0.8", "-k", "python3")
        self.run_job("report", *job)
        self.assertIn("114 of 569 are larger than most", result.read_text())
        self.assertIn("results/latest.csv", self.keys("report"))
        self.assert_refused(*job)
        self.assert_on_record("report/measurements", "report")

    def test_pipeline_prefect(self):
        self.owner.create_bucket(Bucket="pipeline")
        self.as_owner(PYTHON, EXAMPLES / "pipeline-prefect/upload.py")
        self.apply("pipeline-prefect")
        environment = self.writ.environment | {"PREFECT_HOME": str(self.scratch("prefect")), "PREFECT_LOGGING_LEVEL": "WARNING",
                                                 "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1",
                                                 "PATH": f"{self.programs}:/usr/bin:/bin"}
        done = subprocess.run([PYTHON, EXAMPLES / "pipeline-prefect/flow.py"], capture_output=True, text=True, env=environment, timeout=240)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertIn("prepare: 569 rows without names", done.stdout)
        self.assertRegex(done.stdout, r"evaluate: accuracy 0\.9")
        for dataset, workload in (("pipeline/raw", "prepare"), ("pipeline/models", "train"), ("pipeline/models", "evaluate")):
            self.assert_on_record(dataset, workload)
        step = EXAMPLES / "pipeline-prefect/steps/prepare.py"
        outcome = self.writ.cli("run", "--workload", "pipeline-train", "--purpose", "prepare", "--", PYTHON, step)
        self.assertNotEqual(0, outcome.code, "a step read what another may")


if __name__ == "__main__":
    main()
