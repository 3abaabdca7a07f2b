"""The calls of the OpenID provider: metadata, keys, the exchange of a code. All are bounded in time and size.

The desk calls only the configured issuer and the addresses that the issuer's metadata names. Metadata and keys are
cached in the process. A key id that is not in the cache asks for the keys again, at most every half minute, so a
rotated key works at once and a forger cannot make the desk ask without end.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus, urlencode

from models.credentials import oidc_provider
from models.credentials.oidc_provider import Metadata, OidcRefused, Provider
from models.kernel import imports, limits
from models.kernel.errors import PermanentFailure, TransientFailure, Unavailable
from models.kernel.open_json import JsonObject
from models.kernel.telemetry import logs

log = logs.get("oidc")


class OidcUnavailable(Unavailable):
    """The OpenID provider does not answer; try again."""

    code = "oidc_unavailable"


@dataclass
class Issuer:
    """One provider with its cached metadata and keys. Threads share it; `now` is a monotonic clock.

    Two threads that miss the cache at the same moment both ask, which does no harm. A provider that hangs occupies few
    threads (`oidc_calls_at_once`), and after a failure it is left alone for `oidc_rest_s`. So a desk whose provider is
    away goes on answering.
    """

    provider: Provider
    now: Callable[[], float] = time.monotonic
    _calls: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(limits.oidc_calls_at_once)
    )
    _metadata: tuple[float, Metadata] | None = None
    _keys: tuple[float, list[JsonObject]] | None = None
    _rests_until: float = 0.0

    def metadata(self) -> Metadata:
        """Return the provider's metadata. Raises OidcUnavailable, OidcRefused."""
        known = self._metadata
        if known is None or self.now() - known[0] > limits.oidc_metadata_s:
            url = f"{self.provider.issuer.rstrip('/')}/.well-known/openid-configuration"
            document = self._ask("GET", url, {"Accept": "application/json"}, None)
            known = (self.now(), oidc_provider.read_metadata(document, self.provider))
            self._metadata = known
        return known[1]

    def key(self, key_id: str | None) -> Mapping[str, Any] | None:
        """Return the published key with this id, or the only key for a token without an id; None if there is none."""
        url, known = self.metadata().jwks_uri, self._keys
        age_s = float("inf") if known is None else self.now() - known[0]
        found = None if known is None or age_s > limits.oidc_keys_s else _find(known[1], key_id)
        if found is None and age_s > limits.oidc_keys_again_s:
            keys = _keys_of(self._ask("GET", url, {"Accept": "application/json"}, None))
            self._keys = (self.now(), keys)
            found = _find(keys, key_id)
        return found

    def exchange(self, code: str, code_verifier: str) -> str:
        """Return the ID token for a code (RFC 6749, section 4.1.3). Raises OidcUnavailable, OidcRefused."""
        metadata, secret = self.metadata(), oidc_provider.client_secret()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.provider.redirect_url,
            "code_verifier": code_verifier,
        }
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        if secret is None or metadata.secret_by_post:
            form |= {"client_id": self.provider.client_id} | ({"client_secret": secret} if secret else {})
        else:
            pair = f"{quote_plus(self.provider.client_id)}:{quote_plus(secret)}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        token = self._ask("POST", metadata.token_endpoint, headers, urlencode(form).encode()).get("id_token")
        if not isinstance(token, str):
            raise OidcRefused("the OpenID provider returned no ID token")
        return token

    def _ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> JsonObject:
        if self.now() < self._rests_until or not self._calls.acquire(timeout=limits.oidc_wait_s):
            raise OidcUnavailable()
        try:
            return _json(_call(method, url, headers, body))
        except OidcUnavailable:
            self._rests_until = self.now() + limits.oidc_rest_s
            raise
        finally:
            self._calls.release()


@lru_cache(maxsize=2)
def issuer_of(provider: Provider) -> Issuer:
    """Return the issuer of this process."""
    return Issuer(provider)


def _find(keys: list[JsonObject], key_id: str | None) -> JsonObject | None:
    if key_id is None:
        return keys[0] if len(keys) == 1 else None
    return next((key for key in keys if key.get("kid") == key_id), None)


def _call(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    imports.load("queues.outside.safe_http")
    from queues.outside import safe_http  # cold start: loaded at the first sign-in by OpenID

    try:
        reply = safe_http.call(
            method,
            url,
            headers=headers,
            body=body,
            private=True,  # the operator names the issuer, which is often a server in the own network
            connect_s=limits.oidc_connect_s,
            total_s=limits.oidc_total_s,
            body_bytes_max=limits.oidc_document_bytes_max,
        )
    except (TransientFailure, PermanentFailure) as error:
        log.warning("oidc_unreachable", reason=error.code)
        raise OidcUnavailable() from error
    if reply.status >= 500 or reply.status == 429:
        log.warning("oidc_unreachable", reason="status", status=reply.status)
        raise OidcUnavailable()
    if reply.status != 200 or reply.truncated:
        raise OidcRefused(f"the OpenID provider answered {reply.status}")
    return reply.body


def _json(body: bytes) -> JsonObject:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise OidcRefused("the OpenID provider's answer is not JSON") from error
    if not isinstance(document, dict):
        raise OidcRefused("the OpenID provider's answer is not a JSON object")
    return document


def _keys_of(document: JsonObject) -> list[JsonObject]:
    keys = document.get("keys")
    if not isinstance(keys, list):
        raise OidcRefused("the OpenID provider publishes no keys")
    return [key for key in keys if isinstance(key, dict)]
