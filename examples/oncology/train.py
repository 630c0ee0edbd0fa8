#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains a classifier that tells malignant biopsies from benign ones, and saves it.

Ordinary psycopg and scikit-learn. There is no password here: libpq finds server, role and password where `writ run` put them.
"""
import argparse

import joblib
import numpy
import psycopg
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, precision_score, recall_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def read_biopsies():
    """Features, whether malignant, and who we are to the database."""
    with psycopg.connect() as connection, connection.cursor() as cursor:
        cursor.execute("select * from biopsies order by id")
        names = [column.name for column in cursor.description]
        rows = cursor.fetchall()
        role = connection.info.user
    diagnosis = names.index("diagnosis")
    features = [index for index, name in enumerate(names) if name not in ("id", "diagnosis")]
    return numpy.array([[row[i] for i in features] for row in rows]), numpy.array([row[diagnosis] == "malignant" for row in rows]), role


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="biopsies.joblib", help="file to save the model in")
    arguments = parser.parse_args()

    features, malignant, role = read_biopsies()
    print(f"read {len(features)} biopsies as database role {role}")
    train_x, test_x, train_y, test_y = train_test_split(features, malignant, test_size=0.3, random_state=7, stratify=malignant)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(train_x, train_y)

    found = model.predict(test_x)
    print(f"accuracy {accuracy_score(test_y, found):.3f}   precision {precision_score(test_y, found):.3f}   recall {recall_score(test_y, found):.3f}")
    joblib.dump(model, arguments.model)
    print(f"saved {arguments.model}")


if __name__ == "__main__":
    main()
