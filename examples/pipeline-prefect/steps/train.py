#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains on what was prepared, and keeps the model."""
import io

import boto3
import joblib
import pandas
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

table = pandas.read_csv("s3://pipeline/curated/biopsies.csv")
train = table[: len(table) * 7 // 10]
model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(train.drop(columns="target"), train["target"])
content = io.BytesIO()
joblib.dump(model, content)
boto3.client("s3").put_object(Bucket="pipeline", Key="models/biopsies.joblib", Body=content.getvalue())
print(f"a model of {len(train)} rows")
