# SPDX-License-Identifier: Apache-2.0
"""Data-parallel training as torchrun starts it, no line of Writ: `torchrun … distributed_job.py FOLDER BUCKET PREFIX`. Each rank reads through the workers of a DataLoader of its
own, takes a step with the others, and writes FOLDER/RANK.json: which process read what, with whose key."""
import io
import json
import os
import sys

import boto3
import numpy
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, Dataset, DistributedSampler

BUCKET, PREFIX = sys.argv[2:4]


class Reader:
    """Of one process; none survives a fork."""

    def __init__(self):
        self.session = boto3.Session()
        self.s3 = self.session.client("s3")

    def read(self, key):
        content = numpy.load(io.BytesIO(self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()))
        return {"process": os.getpid(), "parent": os.getppid(), "key": key, "access_key": self.session.get_credentials().get_frozen_credentials().access_key,
                "images": content["images"].astype("float32") / 16, "labels": content["labels"].astype("int64")}


class Shards(Dataset):
    def __init__(self, keys):
        self.keys, self.reader = keys, None

    def __len__(self):
        return len(self.keys)

    def __getitem__(self, index):
        self.reader = self.reader or Reader()
        return self.reader.read(self.keys[index])


def main():
    torch.distributed.init_process_group("gloo")
    rank = torch.distributed.get_rank()
    reader = Reader()
    keys = sorted(item["Key"] for item in reader.s3.list_objects_v2(Bucket=BUCKET, Prefix=PREFIX)["Contents"])
    shards = Shards(keys)
    loader = DataLoader(shards, batch_size=None, num_workers=2, sampler=DistributedSampler(shards, shuffle=False))
    model = DistributedDataParallel(nn.Sequential(nn.Flatten(), nn.Linear(64, 10)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    told = [{name: value for name, value in reader.read(keys[0]).items() if name not in ("images", "labels")}]
    for shard in loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(torch.as_tensor(shard["images"])), torch.as_tensor(shard["labels"])).backward()
        optimizer.step()
        told.append({name: shard[name] for name in ("process", "parent", "key", "access_key")})
    weights = float(next(model.parameters()).sum())
    with open(f"{sys.argv[1]}/{rank}.json", "w") as file:
        json.dump({"rank": rank, "run": os.environ["WRIT_RUN"], "weights": weights, "keys": keys, "reads": told}, file)
    torch.distributed.barrier()


if __name__ == "__main__":
    main()
