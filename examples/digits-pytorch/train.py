#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains a small convolutional network on images of digits in S3; a checkpoint goes there after each epoch, and a job that is started again goes on from it.

Ordinary boto3 and PyTorch, with worker processes that read for themselves. No line of this is about credentials.
"""
import argparse
import io

import boto3
import numpy
import torch
from botocore.exceptions import ClientError
from torch import nn
from torch.utils.data import DataLoader, Dataset

BUCKET = "digits"


class Images(Dataset):
    """One object for each shard of images; a worker opens its own client, since none survives a fork."""

    def __init__(self, shards):
        self.shards, self.s3 = shards, None

    def __len__(self):
        return len(self.shards)

    def __getitem__(self, index):
        self.s3 = self.s3 or boto3.client("s3")
        content = numpy.load(io.BytesIO(self.s3.get_object(Bucket=BUCKET, Key=self.shards[index])["Body"].read()))
        return torch.from_numpy(content["images"].astype("float32") / 16).unsqueeze(1), torch.from_numpy(content["labels"].astype("int64"))


def network():
    return nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Flatten(), nn.Linear(32 * 2 * 2, 10))


def load(s3, key, model, optimizer):
    try:
        checkpoint = torch.load(io.BytesIO(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()))
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        return 0
    model.load_state_dict(checkpoint["model"])
    optimizer.load_state_dict(checkpoint["optimizer"])
    return checkpoint["epoch"]


def save(s3, key, model, optimizer, epoch):
    content = io.BytesIO()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}, content)
    s3.put_object(Bucket=BUCKET, Key=key, Body=content.getvalue())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--checkpoint", default="checkpoints/network.pt")
    arguments = parser.parse_args()
    torch.manual_seed(7)
    s3 = boto3.client("s3")
    shards = sorted(item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET, Prefix="images/")["Contents"])
    train = DataLoader(Images(shards[:-1]), batch_size=None, num_workers=2, shuffle=True)
    test_images, test_labels = Images(shards[-1:])[0]
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    first = load(s3, arguments.checkpoint, model, optimizer)
    print(f"{len(shards)} shards in s3://{BUCKET}/images; going on at epoch {first}")
    for epoch in range(first, first + arguments.epochs):
        for images, labels in train:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(images), labels).backward()
            optimizer.step()
        save(s3, arguments.checkpoint, model, optimizer, epoch + 1)
    accuracy = (model(test_images).argmax(1) == test_labels).float().mean().item()
    print(f"epoch {first + arguments.epochs}   accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
