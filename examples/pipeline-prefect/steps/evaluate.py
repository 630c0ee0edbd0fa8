#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the model on the rows that it has not seen; writes nothing."""
import io

import boto3
import joblib
import pandas

table = pandas.read_csv("s3://pipeline/curated/biopsies.csv")
test = table[len(table) * 7 // 10:]
model = joblib.load(io.BytesIO(boto3.client("s3").get_object(Bucket="pipeline", Key="models/biopsies.joblib")["Body"].read()))
print(f"accuracy {model.score(test.drop(columns='target'), test['target']):.3f} on {len(test)} rows")
