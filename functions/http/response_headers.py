"""Security headers of every response. An operation that needs another value sets the header itself.

Sources: OWASP HTTP Headers Cheat Sheet; RFC 6797 (HSTS); RFC 9111, section 5.2.2.5 (no-store).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

from models.kernel.settings import Settings

_ALONE = "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_ALWAYS: Mapping[str, str] = {
    # Answers hold people's data; a shared cache or a browser's disk must not keep them.
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    # The answers are data. Nothing in them may run, load or be framed if a browser shows one as a page.
    "Content-Security-Policy": f"default-src 'none'; object-src 'none'; {_ALONE}",
    # For browsers that do not know frame-ancestors.
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
# Two years, the value that browsers' preload lists ask for. Only a desk with an https PUBLIC_URL sends it: without TLS
# the header would lock visitors out of the next program on the same name.
_HSTS = "max-age=63072000; includeSubDomains"


def headers_for(config: Settings) -> dict[str, str]:
    """Return the default headers of every response of this process."""
    secure = (config.public_url or "").lower().startswith("https://")
    return {**_ALWAYS, **({"Strict-Transport-Security": _HSTS} if secure else {})}


def for_page(style: str, *, script: str | None = None, forms: bool = False) -> dict[str, str]:
    """Return the headers of an HTML page whose only style and script are these texts. A script may call this origin;
    with `forms`, forms may be sent to it.

    Source: Content Security Policy Level 3, section 2.3.1 (hash-source).
    """
    sources = f"style-src '{_digest(style)}'"
    if script is not None:
        sources += f"; script-src '{_digest(script)}'; connect-src 'self'"
    alone = _ALONE.replace("form-action 'none'", "form-action 'self'") if forms else _ALONE
    return {"Content-Security-Policy": f"default-src 'none'; object-src 'none'; {sources}; {alone}"}


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def for_file(*, shown: bool) -> dict[str, str]:
    """Return the headers of a file from outside.

    `shown`: a picture on an origin of its own. The signed link authorises the request, so pages of the console's origin
    may embed the picture (Fetch Standard, section 3.7, Cross-Origin-Resource-Policy).
    """
    policy = {"Content-Security-Policy": f"sandbox; default-src 'none'; object-src 'none'; {_ALONE}"}
    return policy | ({"Cross-Origin-Resource-Policy": "cross-origin"} if shown else {})
