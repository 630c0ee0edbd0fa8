# SPDX-License-Identifier: Apache-2.0
"""Stands in for services that take a workload's own token in place of a key, one path each: Anthropic, Databricks, Hugging Face, OpenAI, Weights & Biases.

Each verifies what the real one verifies (signature by the issuer's keys, `iss`, `aud`, `exp`, `sub`), in the words of its own documents, gives a token that lives
for seconds, and answers one question of an API for whoever shows one. A static key opens nothing.
"""
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from verifier import Refused, Verifier

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


class Federation:
    def __init__(self, issuer: str, jwks, subject_prefix: str):
        self.verifier = Verifier(issuer, jwks, subject_prefix)
        self.lock = threading.Lock()
        self.tokens: dict[str, tuple[str, float]] = {}  # service, end
        self.shown: dict[str, list[str]] = {}  # service: `jti` of each identity token
        self.answered: dict[str, int] = {}
        self.refused: list[str] = []
        self.lifetime = 30
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.handle_with(None)

            do_HEAD = do_GET

            def do_POST(self):
                self.handle_with(self.rfile.read(int(self.headers.get("content-length", 0))))

            def handle_with(self, body):
                try:
                    status, headers, answer = outer.answer(self, body)
                except Refused as refused:
                    with outer.lock:
                        outer.refused.append(f"{self.path}: {refused.error}")
                    status, headers, answer = refused.status, {}, {"error": refused.error}
                content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                for name, value in {"content-type": "application/json", "content-length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    # ---- tokens

    def give(self, service: str, identity: str, audience: str, prefix: str) -> dict:
        claims = self.verifier.verify(identity, audience)
        token = prefix + secrets.token_urlsafe(24)
        with self.lock:
            self.tokens[token] = (service, time.time() + self.lifetime)
            self.shown.setdefault(service, []).append(claims["jti"])
        return {"access_token": token, "token_type": "Bearer", "expires_in": self.lifetime}

    def check(self, service: str, request) -> None:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        with self.lock:
            known = self.tokens.get(token)
        if kind.lower() != "bearer" or known is None or known[0] != service or known[1] < time.time():
            raise Refused("unauthorized", 401)
        if request.headers.get("x-api-key"):
            raise Refused("a static key beside the token", 401)
        with self.lock:
            self.answered[service] = self.answered.get(service, 0) + 1

    # ---- paths

    def answer(self, request, body):
        path = urlsplit(request.path).path
        service = path.split("/")[1]
        routes = {"anthropic": self.anthropic, "databricks": self.databricks, "hf": self.huggingface, "openai": self.openai, "wandb": self.wandb}
        if service not in routes:
            # Databricks' client knows a host, and no path behind it.
            return self.databricks(request, path, body)
        return routes[service](request, path.removeprefix("/" + service), body)

    def anthropic(self, request, path, body):
        if path == "/v1/oauth/token":
            asked = json.loads(body)
            if asked.get("grant_type") != JWT_BEARER or asked.get("federation_rule_id") != "fdrl_1" or asked.get("organization_id") != "org-1" \
                    or "oidc-federation-2026-04-01" not in request.headers.get("anthropic-beta", ""):
                raise Refused("invalid_request")
            return 200, {}, self.give("anthropic", asked["assertion"], "https://api.anthropic.com", "sk-ant-oat01-")
        if path != "/v1/messages":
            raise Refused("not found", 404)
        self.check("anthropic", request)
        return 200, {}, {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "end_turn", "stop_sequence": None,
                         "content": [{"type": "text", "text": "hello from anthropic"}], "usage": {"input_tokens": 1, "output_tokens": 1}}

    def openai(self, request, path, body):
        if path == "/oauth/token":
            asked = json.loads(body)
            if asked.get("grant_type") != TOKEN_EXCHANGE or asked.get("identity_provider_id") != "idp_1" or asked.get("service_account_id") != "sa_1" \
                    or asked.get("subject_token_type") != "urn:ietf:params:oauth:token-type:jwt":
                raise Refused("invalid_request")
            return 200, {}, self.give("openai", asked["subject_token"], "https://api.openai.com/v1", "eyJ-openai-")
        if path != "/v1/models/gpt":
            raise Refused("not found", 404)
        self.check("openai", request)
        return 200, {}, {"id": "gpt", "object": "model", "created": 1, "owned_by": "hello from openai"}

    def huggingface(self, request, path, body):
        if path == "/oauth/token":
            asked = json.loads(body)
            if asked.get("grant_type") != TOKEN_EXCHANGE or asked.get("subject_token_type") != "urn:ietf:params:oauth:token-type:id_token" or asked.get("resource") != "acme":
                raise Refused("invalid_request")
            return 200, {}, self.give("hf", asked["subject_token"], f"{self.url}/hf", "hf_jwt_")
        self.check("hf", request)
        if path == "/api/whoami-v2":
            return 200, {}, {"type": "user", "name": "hello from huggingface", "auth": {"type": "access_token"}}
        raise Refused("not found", 404)

    def databricks(self, request, path, body):
        if path == "/oidc/.well-known/oauth-authorization-server":
            return 200, {}, {"authorization_endpoint": f"{self.url}/oidc/v1/authorize", "token_endpoint": f"{self.url}/oidc/v1/token"}
        if path == "/.well-known/databricks-config":
            return 200, {}, {"oidc_endpoint": f"{self.url}/oidc", "workspace_id": "1"}
        if path == "/oidc/v1/token":
            asked = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            if asked.get("grant_type") != TOKEN_EXCHANGE or asked.get("subject_token_type") != "urn:ietf:params:oauth:token-type:jwt":
                raise Refused("invalid_request")
            return 200, {}, self.give("databricks", asked["subject_token"], "databricks-account", "dapi-")
        self.check("databricks", request)
        if path == "/api/2.0/preview/scim/v2/Me":
            return 200, {}, {"id": "1", "userName": "hello from databricks", "active": True}
        raise Refused("not found", 404)

    def wandb(self, request, path, body):
        if path == "/oidc/token":
            asked = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            if asked.get("grant_type") != JWT_BEARER:
                raise Refused("invalid_request")
            return 200, {}, self.give("wandb", asked["assertion"], "https://api.wandb.ai", "wandb-")
        if path != "/graphql":
            raise Refused("not found", 404)
        self.check("wandb", request)
        viewer = {"id": "1", "flags": "{}", "entity": "acme", "username": "hello from wandb", "email": "a@acme.example", "admin": False, "name": "hello from wandb", "deletedAt": None,
                  "apiKeys": {"edges": []}, "teams": {"edges": []}}
        return 200, {}, {"data": {"viewer": viewer, "serverInfo": {"cliVersionInfo": {"max_cli_version": "99.0.0"}}}}
