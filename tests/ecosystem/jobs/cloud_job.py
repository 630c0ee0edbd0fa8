#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ordinary code of Google's and Azure's clients, no line of Writ: `cloud_job.py CLIENT VERB ARGUMENTS…`, and prints one line of JSON.

Where the stores are, the job's own settings say, as they would for any other installation: GCS_URL, BLOB_URL.
Verbs: get BUCKET NAME, put BUCKET NAME TEXT, list BUCKET PREFIX, forked BUCKET NAME (from a pool of worker processes), identity AUDIENCE, ask URL HEADERS, and
steps FOLDER BUCKET NAME (waits for FOLDER/N, reads or asks as it says, writes FOLDER/N.done, until FOLDER/end).
"""
import json
import multiprocessing
import os
import sys
import urllib.error
import urllib.parse
import urllib.request

from orders import obey


class Gcs:
    def __init__(self):
        from google.cloud import storage
        self.client = storage.Client(client_options={"api_endpoint": os.environ["GCS_URL"]})

    def get(self, bucket, name):
        return self.client.bucket(bucket).blob(name).download_as_bytes(retry=None).decode()

    def put(self, bucket, name, text):
        self.client.bucket(bucket).blob(name).upload_from_string(text, retry=None)
        return "written"

    def list(self, bucket, prefix):
        return [blob.name for blob in self.client.list_blobs(bucket, prefix=prefix)]

    def project(self):
        return self.client.project


class GoogleAuth(Gcs):
    """google-auth alone, as libraries that speak HTTP themselves use it."""

    def __init__(self):
        import google.auth
        from google.auth.transport.requests import AuthorizedSession
        credentials, self.name = google.auth.default(scopes=["https://www.googleapis.com/auth/devstorage.read_write"])
        self.session = AuthorizedSession(credentials)

    def _ask(self, method, path, **more):
        answer = self.session.request(method, os.environ["GCS_URL"] + path, timeout=30, **more)
        answer.raise_for_status()
        return answer

    def get(self, bucket, name):
        return self._ask("GET", f"/download/storage/v1/b/{bucket}/o/{urllib.parse.quote(name, safe='')}?alt=media").text

    def put(self, bucket, name, text):
        self._ask("POST", f"/upload/storage/v1/b/{bucket}/o", params={"uploadType": "media", "name": name}, data=text.encode())
        return "written"

    def list(self, bucket, prefix):
        return [item["name"] for item in self._ask("GET", f"/storage/v1/b/{bucket}/o", params={"prefix": prefix}).json()["items"]]

    def project(self):
        return self.name


class Gcsfs:
    def __init__(self):
        import gcsfs
        self.files = gcsfs.GCSFileSystem(endpoint_url=os.environ["GCS_URL"], skip_instance_cache=True)

    def get(self, bucket, name):
        return self.files.cat_file(f"{bucket}/{name}").decode()

    def put(self, bucket, name, text):
        with self.files.open(f"{bucket}/{name}", "wb") as file:
            file.write(text.encode())
        return "written"

    def list(self, bucket, prefix):
        return [path.split("/", 1)[1] for path in self.files.ls(f"{bucket}/{prefix}", detail=False)]


class AzureBlob:
    def __init__(self):
        from azure.identity import DefaultAzureCredential
        from azure.storage.blob import BlobServiceClient
        self.service = BlobServiceClient(os.environ["BLOB_URL"], credential=DefaultAzureCredential(), retry_total=0)

    def get(self, container, name):
        return self.service.get_blob_client(container, name).download_blob().readall().decode()

    def put(self, container, name, text):
        self.service.get_blob_client(container, name).upload_blob(text.encode(), overwrite=True)
        return "written"

    def list(self, container, prefix):
        return [blob.name for blob in self.service.get_container_client(container).list_blobs(name_starts_with=prefix)]


class AzureBlobMachineLearning(AzureBlob):
    """As on Azure ML's machines, which say MSI_ENDPOINT and MSI_SECRET."""

    def __init__(self):
        if endpoint := os.environ.pop("IDENTITY_ENDPOINT", None):
            os.environ["MSI_ENDPOINT"] = endpoint[:endpoint.index("/azure/")] + "/azure/machine-learning/token"
            os.environ["MSI_SECRET"] = os.environ.pop("IDENTITY_HEADER")
        super().__init__()


class Adlfs:
    def __init__(self):
        import adlfs
        from azure.identity.aio import DefaultAzureCredential
        host = os.environ["BLOB_URL"].removeprefix("https://")
        self.files = adlfs.AzureBlobFileSystem(account_name="acme", account_host=host, credential=DefaultAzureCredential(), skip_instance_cache=True)

    def get(self, container, name):
        return self.files.cat_file(f"{container}/{name}").decode()

    def put(self, container, name, text):
        with self.files.open(f"{container}/{name}", "wb") as file:
            file.write(text.encode())
        return "written"

    def list(self, container, prefix):
        return [path.split("/", 1)[1] for path in self.files.ls(f"{container}/{prefix}", detail=False)]


CLIENTS = {"google-cloud-storage": Gcs, "google-auth": GoogleAuth, "gcsfs": Gcsfs, "azure-storage-blob": AzureBlob, "azure-machine-learning": AzureBlobMachineLearning, "adlfs": Adlfs}


def get_in_worker(arguments):
    client, bucket, name = arguments
    return CLIENTS[client]().get(bucket, name)


def ask(url, headers):
    """The status that a process gets from the local endpoint, with other headers than an SDK sends."""
    try:
        return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20).status
    except urllib.error.HTTPError as error:
        return error.code


def identity(audience):
    import google.auth.transport.requests
    from google.oauth2 import id_token
    return id_token.fetch_id_token(google.auth.transport.requests.Request(), audience)


def steps(client, folder, bucket, name):
    """The client object is made once, as in a job that runs for hours."""
    made = CLIENTS[client]()
    return obey(folder, lambda order: ask(*order["ask"]) if "ask" in order else made.get(bucket, name), lambda error: error)


def main():
    client, verb, *arguments = sys.argv[1:]
    try:
        if verb == "forked":
            with multiprocessing.get_context("fork").Pool(4) as pool:
                value = pool.map(get_in_worker, [(client, *arguments)] * 8)
        elif verb == "steps":
            value = steps(client, *arguments)
        elif verb == "identity":
            value = identity(*arguments)
        else:
            value = getattr(CLIENTS[client](), verb)(*arguments)
        print(json.dumps({"value": value}))
    except Exception as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}))
        sys.exit(3)


if __name__ == "__main__":
    main()
