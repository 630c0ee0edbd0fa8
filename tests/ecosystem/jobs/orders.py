# SPDX-License-Identifier: Apache-2.0
"""How a job that lives for long is told what to do next, by files in a folder (tests/ecosystem/steps.py)."""
import json
import os
import time


def put(folder, name, value):
    with open(f"{folder}/{name}.part", "w") as file:
        json.dump(value, file)
    os.rename(f"{folder}/{name}.part", f"{folder}/{name}")


def obey(folder, answer, failure):
    """Says what the job was given, then answers one order after another, FOLDER/N with FOLDER/N.done, until FOLDER/end; how many. `failure`: of an error's text."""
    put(folder, "environment", dict(os.environ))
    number = 0
    while not os.path.exists(f"{folder}/end"):
        if not os.path.exists(f"{folder}/{number}"):
            time.sleep(0.05)
            continue
        with open(f"{folder}/{number}") as file:
            order = json.load(file)
        try:
            result = answer(order)
        except Exception as error:
            result = failure(f"{type(error).__name__}: {error}")
        put(folder, f"{number}.done", result)
        number += 1
    return number
