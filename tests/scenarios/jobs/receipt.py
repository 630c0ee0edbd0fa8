# SPDX-License-Identifier: Apache-2.0
"""Prints the receipt of the run's credential as soon as it is in the run's folder."""
import os
import time
from pathlib import Path

receipt = Path(os.environ["WRIT_RECEIPT"])
for _ in range(600):
    if receipt.exists():
        print(receipt.read_text(), end="")
        break
    time.sleep(0.05)
else:
    raise SystemExit(f"no {receipt} within 30 s")
