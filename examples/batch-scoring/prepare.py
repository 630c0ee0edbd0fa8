#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the table and the model of the example, as whoever owns database and bucket: once. Prints the SQL; `prepare.py | psql ward`."""
import io

import boto3
import joblib
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge

features, target = load_diabetes(return_X_y=True, as_frame=True)
content = io.BytesIO()
joblib.dump(Ridge(alpha=0.1).fit(features[::2], target[::2]), content)
boto3.client("s3").put_object(Bucket="ward", Key="models/diabetes.joblib", Body=content.getvalue())

print("CREATE TABLE admissions (patient text PRIMARY KEY, " + ", ".join(f"{name} double precision NOT NULL" for name in features.columns) + ");")
print("COPY admissions FROM stdin WITH (FORMAT csv);")
for number, row in enumerate(features[1::2].itertuples(index=False)):
    print(f"p{number:04}," + ",".join(str(value) for value in row))
print("\\.")
print("GRANT SELECT ON admissions TO writ_admin WITH GRANT OPTION;")
