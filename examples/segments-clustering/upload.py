#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts the measurements of the biopsies that come with scikit-learn into S3 as Parquet, as whoever owns the bucket: once, before the example."""
import io

import boto3
import pyarrow
import pyarrow.parquet
from sklearn.datasets import load_breast_cancer

frame = load_breast_cancer(as_frame=True).data
frame.insert(0, "patient", [f"p{number:04}" for number in range(len(frame))])
s3 = boto3.client("s3")
for part in range(3):
    content = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pandas(frame[part::3], preserve_index=False), content)
    s3.put_object(Bucket="segments", Key=f"measurements/part-{part}.parquet", Body=content.getvalue())
