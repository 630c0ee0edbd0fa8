#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ordinary code of S3's clients, no line of Writ: `s3_job.py CLIENT VERB ARGUMENTS…`, and prints one line of JSON.

Verbs: get BUCKET KEY, put BUCKET KEY TEXT, list BUCKET PREFIX, keys (the access key in use), forked BUCKET KEY (from a pool of worker processes), and
steps FOLDER BUCKET KEY (waits for FOLDER/N, does what it says, writes FOLDER/N.done, until FOLDER/end).
"""
import http.client
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
import urllib.parse

from orders import obey


class Boto3:
    def __init__(self, profile=None):
        import boto3
        self.session = boto3.Session(profile_name=profile)
        self.s3 = self.session.client("s3")

    def get(self, bucket, key):
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()

    def put(self, bucket, key, text):
        self.s3.put_object(Bucket=bucket, Key=key, Body=text.encode())
        return "written"

    def list(self, bucket, prefix):
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]

    def keys(self):
        return self.session.get_credentials().get_frozen_credentials().access_key


class S3fs:
    def __init__(self):
        import s3fs
        self.files = s3fs.S3FileSystem(skip_instance_cache=True)

    def get(self, bucket, key):
        return self.files.cat_file(f"{bucket}/{key}").decode()

    def put(self, bucket, key, text):
        with self.files.open(f"{bucket}/{key}", "wb") as file:
            file.write(text.encode())
        return "written"

    def list(self, bucket, prefix):
        return [path.split("/", 1)[1] for path in self.files.ls(f"{bucket}/{prefix}", detail=False)]


class PyArrow:
    def __init__(self):
        import pyarrow.fs
        self.fs = pyarrow.fs
        # From an address: S3FileSystem() itself looks at no AWS_ENDPOINT_URL_S3 (26.0.1).
        self.files, _ = pyarrow.fs.FileSystem.from_uri("s3://genomes")

    def get(self, bucket, key):
        with self.files.open_input_stream(f"{bucket}/{key}") as stream:
            return stream.read().decode()

    def put(self, bucket, key, text):
        with self.files.open_output_stream(f"{bucket}/{key}") as stream:
            stream.write(text.encode())
        return "written"

    def list(self, bucket, prefix):
        return [info.path.split("/", 1)[1] for info in self.files.get_file_info(self.fs.FileSelector(f"{bucket}/{prefix}"))]


class Boto3Imds(Boto3):
    """As on a machine in the cloud, where a client knows of nothing else: the instance metadata service, version 2."""

    def __init__(self):
        uri = os.environ.pop("AWS_CONTAINER_CREDENTIALS_FULL_URI")
        os.environ["AWS_EC2_METADATA_DISABLED"] = "false"
        os.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = uri[:uri.index("/aws/")] + "/"
        super().__init__()


CLIENTS = {"boto3-imds": Boto3Imds, "boto3": Boto3, "boto3-profile": lambda: Boto3("team"), "s3fs": S3fs, "pyarrow": PyArrow}


def get_in_worker(arguments):
    client, bucket, key = arguments
    return CLIENTS[client]().get(bucket, key)


# Prints the status of an answer of the container endpoint, with other headers than an SDK sends.
ASK = ("import json, os, sys, urllib.request, urllib.error\n"
       "headers = {'Authorization': os.environ['AWS_CONTAINER_AUTHORIZATION_TOKEN']} | json.loads(sys.argv[1])\n"
       "request = urllib.request.Request(os.environ['AWS_CONTAINER_CREDENTIALS_FULL_URI'], headers=headers)\n"
       "try: print(urllib.request.urlopen(request, timeout=20).status)\n"
       "except urllib.error.HTTPError as error: print(error.code)\n")
# Starts a program that waits until this one has ended.
LEAVE_A_CHILD = "import os, subprocess, sys; subprocess.Popen([sys.executable, '-c', *sys.argv[1:], str(os.getpid())])"
WAIT_FOR_THE_PARENTS_END = "import os, sys, time\nwhile os.getppid() == int(sys.argv[2]): time.sleep(0.01)\n"


def ask_in_child(headers):
    return int(subprocess.run([sys.executable, "-c", ASK, json.dumps(headers)], capture_output=True, text=True, check=True).stdout)


def ask_as_orphan(headers):
    """A process whose parent ended, as a daemon's."""
    return int(subprocess.run([sys.executable, "-c", LEAVE_A_CHILD, WAIT_FOR_THE_PARENTS_END + ASK, json.dumps(headers)], capture_output=True, text=True, check=True).stdout)


def median_milliseconds():
    """Of 50 answers from what the agent keeps, over one connection."""
    where = urllib.parse.urlsplit(os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"])
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=20)
    times = []
    for _ in range(50):
        begin = time.perf_counter()
        connection.request("GET", where.path, headers={"Authorization": os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]})
        answer = connection.getresponse()
        answer.read()
        times.append(1000 * (time.perf_counter() - begin))
        if answer.status != 200:
            raise RuntimeError(f"status {answer.status}")
    return statistics.median(times)


def steps(client, folder, bucket, key):
    """The client object is made once, as in a job that runs for hours."""
    made = CLIENTS[client]()

    def answer(order):
        if "time" in order:
            return median_milliseconds()
        if "ask" in order:
            return ask_in_child(order["ask"])
        if "orphan" in order:
            return ask_as_orphan(order["orphan"])
        return [made.get(bucket, key), made.keys() if hasattr(made, "keys") else ""]
    return obey(folder, answer, lambda error: [error, ""])


def main():
    client, verb, *arguments = sys.argv[1:]
    try:
        if verb == "forked":
            with multiprocessing.get_context("fork").Pool(4) as pool:
                value = pool.map(get_in_worker, [(client, *arguments)] * 8)
        elif verb == "steps":
            value = steps(client, *arguments)
        else:
            value = getattr(CLIENTS[client](), verb)(*arguments)
        print(json.dumps({"value": value}))
    except Exception as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}))
        sys.exit(3)


if __name__ == "__main__":
    main()
