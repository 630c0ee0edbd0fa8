# SPDX-License-Identifier: Apache-2.0
"""Uses a service's own client as its documentation says, without a word of credentials, once for each order: federated_job.py CLIENT FOLDER."""
import json
import multiprocessing
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path


def anthropic():
    import anthropic
    client = anthropic.Anthropic(max_retries=0)
    return lambda: client.messages.create(model="claude", max_tokens=8, messages=[{"role": "user", "content": "hello"}]).content[0].text


def openai():
    import openai
    client = openai.OpenAI(max_retries=0)
    return lambda: client.models.retrieve("gpt").owned_by


def huggingface_hub():
    from huggingface_hub import HfApi
    client = HfApi()
    return lambda: client.whoami()["name"]


def databricks():
    from databricks.sdk import WorkspaceClient
    client = WorkspaceClient()
    return lambda: client.current_user.me().user_name


def wandb():
    import wandb

    def ask():
        return wandb.Api(timeout=20).viewer.username
    return ask


def mlflow():
    import mlflow
    from mlflow.tracking import MlflowClient
    client = MlflowClient()

    def ask():
        mlflow.set_experiment("training")
        with mlflow.start_run() as run:
            mlflow.log_metric("loss", 0.25)
            mlflow.log_text("hello from", "greeting.txt")
        assert client.get_run(run.info.run_id).data.metrics == {"loss": 0.25}
        # From the server's own artefacts, which it keeps for its clients.
        return mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/greeting.txt") + " mlflow"
    return ask


def attempt(ask):
    try:
        return {"value": ask()}
    except Exception as error:  # whatever the client calls it
        return {"error": f"{type(error).__name__}: {error}"[:2000]}


def status_of(url, headers):
    """What a process gets from the local endpoint, with other headers than the client sends."""
    try:
        return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20).status
    except urllib.error.HTTPError as error:
        return error.code


def in_a_child(make):
    """As a worker that is forked from the job and makes a client of its own."""
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    worker = context.Process(target=lambda: queue.put(attempt(make())))
    worker.start()
    answer = queue.get()
    worker.join()
    return answer


def main():
    make = {"anthropic": anthropic, "openai": openai, "huggingface_hub": huggingface_hub, "databricks-sdk": databricks, "databricks-metadata": databricks, "wandb": wandb, "mlflow": mlflow}[sys.argv[1]]
    folder = Path(sys.argv[2])
    ask = None
    number = 0
    (folder / "new").write_text(json.dumps(dict(os.environ)))
    os.rename(folder / "new", folder / "environment")
    while not (folder / "end").exists():
        order = folder / f"{number}.order"
        if not order.exists():
            time.sleep(0.05)
            continue
        text = order.read_text()
        if text == "fork":
            answer = in_a_child(make)
        elif text.startswith("["):
            answer = {"value": status_of(*json.loads(text)[1:])}
        else:
            try:
                ask = ask or make()
                answer = attempt(ask)
            except Exception as error:  # a client that will not even be made
                answer = {"error": f"{type(error).__name__}: {error}"[:2000]}
        (folder / "new").write_text(json.dumps(answer))
        os.rename(folder / "new", folder / f"{number}.done")
        number += 1


if __name__ == "__main__":
    main()
