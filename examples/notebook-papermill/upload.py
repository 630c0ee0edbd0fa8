#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts the tumours that come with scikit-learn into S3 as CSV, as whoever owns the bucket: once, before the example."""
import boto3
from sklearn.datasets import load_breast_cancer

data = load_breast_cancer(as_frame=True)
frame = data.data.rename(columns=lambda name: name.replace(" ", "_"))
frame["diagnosis"] = [data.target_names[value] for value in data.target]
boto3.client("s3").put_object(Bucket="report", Key="measurements/tumours.csv", Body=frame.to_csv(index=False).encode())
