"""An authorization server for tests: tokens, device codes, and the check of a token for Dovecot, over real HTTP."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import jwt

# The desk's clock of a test may be another one.
_ONLY_SIGNED: Any = {"verify_exp": False, "verify_iat": False}
Answer = tuple[int, dict[str, Any]]


@dataclass
class Authority:
    """`access`: the valid access tokens with their mailboxes; `refresh`: the valid refresh tokens.

    `rotates`: each refresh token is valid once. `fails`: the answer to every token request instead of a token.
    `pending`: how often a device code is not confirmed yet.
    """

    url: str
    mailbox: str = "desk@example.test"
    secret: str = "client-secret"
    expires_in: Any = 3600
    interval: int = 5
    rotates: bool = False
    fails: Answer | None = None
    pending: list[str] = field(default_factory=list)
    access: dict[str, str] = field(default_factory=dict)
    refresh: set[str] = field(default_factory=lambda: {"first-refresh-token"})
    codes: dict[str, str] = field(default_factory=dict)
    # Of the service account, and the claims of its assertions.
    public_key: Any = None
    claims: list[dict[str, Any]] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)

    def revoke_access(self) -> None:
        self.access.clear()

    def is_valid(self, token: str) -> bool:
        return token in self.access

    def token(self, form: dict[str, str]) -> Answer:
        self.requests.append(form)
        if self.fails is not None:
            return self.fails
        if form["grant_type"].endswith("jwt-bearer"):
            return self._assertion(form["assertion"])
        if form.get("client_secret") != self.secret:
            return 401, {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret"}
        refused = self._refusal(form)
        if refused is not None:
            return 400, refused
        answer = self._new_token()
        if self.rotates and form["grant_type"] == "refresh_token":
            self.refresh.discard(form["refresh_token"])
        if self.rotates or form["grant_type"] not in ("refresh_token", "client_credentials"):
            answer["refresh_token"] = f"refresh-{secrets.token_hex(8)}"
            self.refresh.add(answer["refresh_token"])
        return 200, answer

    def _new_token(self) -> dict[str, Any]:
        token = f"access-{secrets.token_hex(8)}"
        self.access[token] = self.mailbox
        return {"token_type": "Bearer", "access_token": token, "expires_in": self.expires_in}

    def _assertion(self, signed: str) -> Answer:
        """Check the assertion of a service account, as Google does."""
        assert self.public_key is not None
        try:
            claims = jwt.decode(
                signed, self.public_key, algorithms=["RS256"], audience=f"{self.url}/token", options=_ONLY_SIGNED
            )
        except jwt.PyJWTError:
            return 400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
        self.claims.append(claims)
        return 200, self._new_token()

    def _refusal(self, form: dict[str, str]) -> dict[str, str] | None:
        kind = form.get("grant_type", "")
        if kind == "refresh_token" and form.get("refresh_token") not in self.refresh:
            return {
                "error": "invalid_grant",
                "error_description": "AADSTS70008: The refresh token of desk@example.test has expired.\r\nTrace ID: 7",
            }
        if kind.endswith("device_code") and self.pending:
            return {"error": self.pending.pop(0)}
        if kind == "authorization_code" and form.get("code") != "the-code":
            return {"error": "invalid_grant"}
        return None


class _Handler(BaseHTTPRequestHandler):
    # One request per connection: Dovecot would keep a connection to the server of an earlier test.
    protocol_version = "HTTP/1.0"

    def do_POST(self) -> None:
        authority = cast(_Server, self.server).authority
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        form = dict(parse_qsl(body))
        if self.path == "/devicecode":
            authority.requests.append(form)
            self._answer(
                200,
                {
                    "device_code": "device-code",
                    "user_code": "ABCD-EFGH",
                    "verification_uri": "https://login.example.test/device",
                    "interval": authority.interval,
                    "expires_in": 900,
                },
            )
        else:
            self._answer(*authority.token(form))

    def do_GET(self) -> None:
        """Tell Dovecot whose token it is."""
        authority = cast(_Server, self.server).authority
        token = dict(parse_qsl(urlsplit(self.path).query)).get("access_token", "")
        mailbox = authority.access.get(token)
        self._answer(*((401, {"error": "invalid_token"}) if mailbox is None else (200, {"email": mailbox})))

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    authority: Authority


@contextmanager
def running(port: int = 0) -> Iterator[Authority]:
    """Run a server on this port, or on a free one."""
    server = _Server(("127.0.0.1", port), _Handler)
    server.authority = Authority(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.authority
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10.0)
