# SPDX-License-Identifier: Apache-2.0
"""How an MLflow server takes a workload's own token: an `authorization_function` of its authorization app. Loaded by the server, not by the suite.

The token comes as Bearer, or as the password of .netrc; the workload is a user of MLflow's by its SPIFFE ID, and MLflow's own permissions are that user's.
"""
import json
import os
import secrets
import time
from pathlib import Path

from flask import Response, request
from mlflow.server.auth import store
from verifier import Refused, Verifier
from werkzeug.datastructures import Authorization

settings = json.loads(Path(os.environ["MLFLOW_ISSUER"]).read_text())
verifier = Verifier(settings["issuer"], settings["jwks"], settings["subject_prefix"])
folder = Path(os.environ["MLFLOW_ISSUER"]).parent


def told(what: str, text: str) -> None:
    with open(folder / what, "a") as file:
        file.write(text + "\n")


def authenticate():
    shown = request.authorization
    token = (shown.token if shown.type == "bearer" else shown.password) if shown else ""
    try:
        claims = verifier.verify(token or "", settings["audience"])
        if claims["jti"] in (folder / "superseded").read_text().split():
            raise Refused("a token that has been replaced")
    except Refused as refused:
        told("refused", f"{request.path}: {refused.error}")
        return Response("the token is none of a workload's", status=401, headers={"WWW-Authenticate": "Bearer"})
    if not store.has_user(claims["sub"]):
        store.create_user(claims["sub"], secrets.token_urlsafe(32))
    told("shown", f"{claims['jti']} {claims['sub']} {shown.type} {int(time.time())}")
    return Authorization("basic", {"username": claims["sub"], "password": ""})
