"""The Host header of the demo: a page of another site cannot read the demo through a name that it controls.

An attacker's name may resolve to 127.0.0.1 (DNS rebinding). The browser then treats the demo as the attacker's site,
and the demo's passwords and API key are public. The Host header still has the attacker's name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_REFUSAL = (
    b'{"type":"urn:nestor:problem:misdirected","title":"Misdirected Request","status":421,"detail":"The demo answers'
    b' only under its own name, such as 127.0.0.1 or localhost.","code":"misdirected"}'
)


def own(public_url: str) -> frozenset[str]:
    """Return the host names under which the demo answers."""
    return _LOCAL | {(urlsplit(public_url).hostname or "localhost").lower()}


def is_own(header: str, names: frozenset[str]) -> bool:
    """Return True if a Host header names the demo, with any port.

    HTTP/1.0 clients send no header and are no browsers.
    """
    if not header:
        return True
    try:
        name = urlsplit(f"//{header}").hostname
    except ValueError:
        return False
    return name is not None and name.rstrip(".").lower() in names


def refuse(start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer 421 (RFC 9110, section 15.5.20) as a problem document."""
    headers = [("Content-Type", "application/problem+json"), ("Content-Length", str(len(_REFUSAL)))]
    start_response("421 Misdirected Request", [*headers, ("Connection", "close")])
    return [_REFUSAL]
