#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the Wisconsin breast cancer biopsies that scikit-learn ships (569 real cases) as CSV, for the table `biopsies`."""
import csv
import sys

from sklearn.datasets import load_breast_cancer

data = load_breast_cancer()
columns = [name.replace(" ", "_") for name in data.feature_names]
writer = csv.writer(sys.stdout)
writer.writerow(["id", *columns, "diagnosis"])
for number, (features, target) in enumerate(zip(data.data.tolist(), data.target.tolist()), 1):
    writer.writerow([number, *features, data.target_names[target]])
