"""OpenID providers for tests: a real one in a process of its own, and one that lies as a test says."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from functions.http import oidc_issuer
from models.credentials.oidc_provider import SECRET_NAME
from models.kernel import clock, settings
from tests.functions.callers import Caller
from tests.servers import HttpReceiver, Say, receiving

CLIENT_ID = "nestor-desk"
_start_s = 30.0  # the process imports its server in a second; a machine under load gets half a minute


@contextmanager
def real_provider(*users: Mapping[str, Any]) -> Iterator[str]:
    """`oidc-provider-mock`, built on Authlib, in a process of its own; yields its issuer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    claims = [argument for user in users for argument in ("--user-claims", json.dumps(user))]
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce", "true", *claims]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        issuer = f"http://127.0.0.1:{port}"
        try:
            _wait_for(f"{issuer}/.well-known/openid-configuration", process)
            yield issuer
        finally:
            process.kill()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _start_s
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            assert process.poll() is None, "the provider ended"
            assert time.monotonic() < deadline, "the provider did not start"
            time.sleep(0.05)


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any) -> None:
        return None


def consent(authorization_url: str, subject: str) -> dict[str, str]:
    """Sign in at the real provider as a browser does; returns the parameters of the redirect back to the desk."""
    opener = urllib.request.build_opener(_Stay)
    form = urlencode({"sub": subject}).encode()
    try:
        answer: Any = opener.open(urllib.request.Request(authorization_url, data=form), timeout=5)
    except urllib.error.HTTPError as redirect:
        answer = redirect
    with answer:
        assert answer.status in (302, 303), re.sub("<[^>]*>", " ", answer.read().decode())[:400]
        query = urlsplit(answer.headers["Location"]).query
    return {name: values[0] for name, values in parse_qs(query).items()}


class LyingProvider:
    """A provider whose every answer a test can change. It checks PKCE and the client as RFC 6749 and 7636 say."""

    def __init__(self, server: HttpReceiver) -> None:
        self.server, self.issuer = server, f"http://127.0.0.1:{server.port}"
        self.keys = {"one": rsa.generate_private_key(65537, 2048)}
        self.key_id: str | None = "one"
        self.algorithm = "RS256"
        self.signing_key: Any = self.keys["one"]
        self.claims: dict[str, Any] = {"sub": "s-1", "email": "agent@example.test", "email_verified": True}
        self.metadata: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }
        self.token: str | None = None
        self._query: dict[str, str] = {}
        usual = server._answer

        def answer(handler: Any, say: Say) -> None:
            usual(handler, self.answer(server.got[-1]) if say is server.otherwise else say)

        setattr(server, "_answer", answer)  # noqa: B010 -- mypy refuses the assignment to a method

    def authorize(self, url: str) -> dict[str, str]:
        """Sign the user in; returns the parameters of the redirect back to the desk."""
        self._query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert self._query["response_type"] == "code"
        assert self._query["code_challenge_method"] == "S256"
        return {"state": self._query["state"], "code": "code-1"}

    def answer(self, request: Any) -> Say:
        """The answer of the provider to one request of the desk."""
        path = urlsplit(request.path).path
        if path.endswith("/openid-configuration"):
            return _say(self.metadata)
        if path == "/keys":
            return _say({"keys": [_public(key, key_id) for key_id, key in self.keys.items()]})
        assert path == "/token", path
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == self._query["code_challenge"]
        assert form["redirect_uri"] == self._query["redirect_uri"]
        return _say({"id_token": self.token or self.id_token()})

    def id_token(self) -> str:
        """A token with the provider's claims over the usual ones; a claim of None is left out."""
        now = int(clock.now().timestamp())
        usual = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": self._query.get("nonce")}
        claims = {name: value for name, value in {**usual, **self.claims}.items() if value is not None}
        headers = {"kid": self.key_id} if self.key_id is not None else {}
        return jwt.encode(claims, self.signing_key, algorithm=self.algorithm, headers=headers)


def _public(key: Any, key_id: str) -> dict[str, Any]:
    algorithm: Any = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": key_id, "use": "sig"}


def _say(document: Any) -> Say:
    return Say(200, body=json.dumps(document).encode())


@contextmanager
def lying_provider() -> Iterator[LyingProvider]:
    with receiving() as server:
        yield LyingProvider(server)


def new_ec_key() -> Any:
    return ec.generate_private_key(ec.SECP256R1())


def configure(monkeypatch: pytest.MonkeyPatch, issuer: str, **more: str) -> None:
    values = {"OIDC_ISSUER": issuer, "OIDC_CLIENT_ID": CLIENT_ID, "OIDC_LINK_BY_EMAIL": "true", **more}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(f"NESTOR_SECRET_{SECRET_NAME.upper()}", "secret-of-the-desk")
    settings.current.cache_clear()
    oidc_issuer.issuer_of.cache_clear()


def start(stranger: Caller) -> Any:
    return stranger.made("/v1/auth/oidc/authorizations")


def finish(stranger: Caller, provider: LyingProvider, **other: str) -> Any:
    """A whole sign-in at the lying provider; `other` replaces parameters of the response."""
    begun = start(stranger)
    body = {"challenge": begun["challenge"], **provider.authorize(begun["authorization_url"]), **other}
    return stranger.post("/v1/auth/oidc/tokens", body)
