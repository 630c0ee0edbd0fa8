#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains a classifier in epochs on data that lies in S3, and keeps a checkpoint there after each, from which it goes on when it is started again.

Ordinary boto3 and scikit-learn. There is no key here: boto3 finds region, endpoint and a session where `writ run` put them.
"""
import argparse
import io

import boto3
import joblib
import numpy
from botocore.exceptions import ClientError
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


def split(address):
    """Bucket and key of s3://bucket/key."""
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return {"Bucket": bucket, "Key": key}


def read_tumours(s3, address):
    """Features, and whether malignant: the last column of a CSV with a heading."""
    table = numpy.loadtxt(io.TextIOWrapper(s3.get_object(**split(address))["Body"]), delimiter=",", skiprows=1)
    return table[:, :-1], table[:, -1].astype(int)


def load_checkpoint(s3, address):
    try:
        return joblib.load(io.BytesIO(s3.get_object(**split(address))["Body"].read()))
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        return {"epoch": 0, "model": SGDClassifier(loss="log_loss", random_state=7)}


def save_checkpoint(s3, address, checkpoint):
    content = io.BytesIO()
    joblib.dump(checkpoint, content)
    s3.put_object(**split(address), Body=content.getvalue())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="s3://tumours/curated/biopsies.csv")
    parser.add_argument("--checkpoint", default="s3://tumours/checkpoints/classifier.joblib")
    parser.add_argument("--epochs", type=int, default=5)
    arguments = parser.parse_args()

    s3 = boto3.client("s3")
    features, malignant = read_tumours(s3, arguments.data)
    train_x, test_x, train_y, test_y = train_test_split(features, malignant, test_size=0.3, random_state=7, stratify=malignant)
    scaler = StandardScaler().fit(train_x)
    checkpoint = load_checkpoint(s3, arguments.checkpoint)
    print(f"read {len(features)} biopsies from {arguments.data}; going on at epoch {checkpoint['epoch']}")
    for epoch in range(checkpoint["epoch"], checkpoint["epoch"] + arguments.epochs):
        checkpoint["model"].partial_fit(scaler.transform(train_x), train_y, classes=[0, 1])
        checkpoint["epoch"] = epoch + 1
        save_checkpoint(s3, arguments.checkpoint, checkpoint)
    print(f"epoch {checkpoint['epoch']}   accuracy {accuracy_score(test_y, checkpoint['model'].predict(scaler.transform(test_x))):.3f}")


if __name__ == "__main__":
    main()
