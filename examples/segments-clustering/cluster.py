#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Finds segments in a Parquet data set on S3, without labels, and writes what segment each row is in beside it.

Ordinary pyarrow and scikit-learn. No line of this is about credentials.
"""
import pyarrow
import pyarrow.dataset
import pyarrow.fs
import pyarrow.parquet
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score
from sklearn.preprocessing import StandardScaler


def main():
    table = pyarrow.dataset.dataset("s3://segments/measurements").to_table()
    features = StandardScaler().fit_transform(table.drop_columns(["patient"]).to_pandas())
    scores = {}
    for count in range(2, 7):
        scores[count] = silhouette_score(features, KMeans(count, n_init=5, random_state=7).fit_predict(features))
    best = max(scores, key=scores.get)
    labels = KMeans(best, n_init=5, random_state=7).fit_predict(features)
    store, path = pyarrow.fs.FileSystem.from_uri("s3://segments/labels/labels.parquet")
    pyarrow.parquet.write_table(pyarrow.table({"patient": table["patient"], "segment": labels}), path, filesystem=store)
    print(f"{table.num_rows} rows in {best} segments, silhouette {scores[best]:.3f}; kept as s3://segments/labels/labels.parquet")


if __name__ == "__main__":
    main()
