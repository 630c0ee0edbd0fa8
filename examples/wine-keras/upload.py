#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts the wine table that comes with scikit-learn into S3, as whoever owns the bucket: once, before the example."""
import boto3
from sklearn.datasets import load_wine

boto3.client("s3").put_object(Bucket="wine", Key="samples/wine.csv", Body=load_wine(as_frame=True).frame.to_csv(index=False).encode())
