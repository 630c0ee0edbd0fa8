#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts biopsies with made-up names into S3 as CSV, as whoever owns the bucket: once, before the example."""
import boto3
from sklearn.datasets import load_breast_cancer

frame = load_breast_cancer(as_frame=True).frame
frame.insert(0, "name", [f"Patient {number}" for number in range(len(frame))])
boto3.client("s3").put_object(Bucket="pipeline", Key="raw/biopsies.csv", Body=frame.to_csv(index=False).encode())
