#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains a Keras network on a table in S3, and keeps the model there.

Ordinary s3fs, pandas and Keras. No line of this is about credentials.
"""
import os
import tempfile

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras  # noqa: E402
import numpy  # noqa: E402
import pandas  # noqa: E402
import s3fs  # noqa: E402


def main():
    keras.utils.set_random_seed(7)
    table = pandas.read_csv("s3://wine/samples/wine.csv").sample(frac=1, random_state=7)
    features, target = table.drop(columns="target").to_numpy("float32"), table["target"].to_numpy()
    features = (features - features.mean(0)) / features.std(0)
    split = len(table) * 7 // 10
    model = keras.Sequential([keras.Input((features.shape[1],)), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(features[:split], target[:split], epochs=40, verbose=0)
    accuracy = model.evaluate(features[split:], target[split:], verbose=0)[1]
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "wine.keras")
        model.save(file)
        s3fs.S3FileSystem().put(file, "wine/models/wine.keras")
    kept = numpy.round(accuracy, 3)
    print(f"{len(table)} samples; accuracy {kept}; kept as s3://wine/models/wine.keras")


if __name__ == "__main__":
    main()
