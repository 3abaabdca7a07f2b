"""The guard of /metrics, /healthz/deep and /docs: programs and people with MONITOR_TOKEN may read them.

They tell an attacker the load, the backlog and the routes of a desk. The token is sent as `Authorization: Bearer`, as
Prometheus does, or as the password of HTTP Basic (RFC 7617), which a browser asks for.
"""

from __future__ import annotations

import base64
import binascii
import hmac

from functions.http.operations import AnyCall
from models.kernel.errors import Unauthenticated
from models.kernel.settings import Settings

_CHALLENGE = 'Bearer realm="nestor monitoring", Basic realm="nestor monitoring", charset="UTF-8"'


def require(call: AnyCall, config: Settings) -> None:
    """Let a request with the token through, and any request if MONITOR_OPEN is on. Raises Unauthenticated."""
    if config.monitor_open:
        return
    given = _token(call.request.get_header("Authorization") or "")
    expected = config.monitor_token.encode()
    if not expected or not hmac.compare_digest(given, expected):
        raise Unauthenticated(
            "This page needs MONITOR_TOKEN: send it as a bearer token, or as the password of HTTP Basic.",
            challenge=_CHALLENGE,
        )


def _token(header: str) -> bytes:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip().encode("utf-8", "surrogatepass")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value.strip(), validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return b""
    return b""
