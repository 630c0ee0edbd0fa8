#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Scores every row of a table with a model that lies in S3, and writes the scores there: a nightly batch.

Ordinary psycopg2, boto3 and scikit-learn. No line of this is about credentials.
"""
import csv
import io

import boto3
import joblib
import pandas
import psycopg2


def main():
    s3 = boto3.client("s3")
    model = joblib.load(io.BytesIO(s3.get_object(Bucket="ward", Key="models/diabetes.joblib")["Body"].read()))
    columns = ["patient", *model.feature_names_in_]
    with psycopg2.connect("") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(columns) + " FROM admissions ORDER BY patient")
        rows = pandas.DataFrame(cursor.fetchall(), columns=columns)
    scores = model.predict(rows[columns[1:]])
    content = io.StringIO()
    csv.writer(content).writerows([("patient", "score"), *((patient, f"{score:.1f}") for patient, score in zip(rows["patient"], scores))])
    s3.put_object(Bucket="ward", Key="scores/latest.csv", Body=content.getvalue().encode())
    print(f"{len(rows)} rows scored, mean {scores.mean():.1f}; kept as s3://ward/scores/latest.csv")


if __name__ == "__main__":
    main()
