#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts the digits that come with scikit-learn into S3, as whoever owns the bucket: once, before the example."""
import io

import boto3
import numpy
from sklearn.datasets import load_digits

images, labels = load_digits(return_X_y=True)
order = numpy.random.default_rng(7).permutation(len(images))
s3 = boto3.client("s3")
for number, part in enumerate(numpy.array_split(order, 12)):
    content = io.BytesIO()
    numpy.savez(content, images=images[part].reshape(-1, 8, 8), labels=labels[part])
    s3.put_object(Bucket="digits", Key=f"images/{number:02}.npz", Body=content.getvalue())
