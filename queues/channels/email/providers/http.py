"""Call providers' HTTP APIs, so that after any failure it is known whether the provider may have acted on the request.

Each call opens a new connection. If the server closed a kept connection during the request, the outcome would be
unknown.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

import requests
import urllib3

from models.kernel import clock, limits
from models.kernel.errors import NestorError
from models.kernel.open_json import JsonObject
from models.kernel.text import one_line
from queues.channels.email.providers import limits as bounds

_SLICE_BYTES = 64 * 1024
# Raised before a byte of the request has left.
_BEFORE = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.NameResolutionError,
    urllib3.exceptions.SSLError,
    urllib3.exceptions.ProxyError,
)


class NotSent(NestorError):
    """The request was not sent."""


class Unanswered(NestorError):
    """The request was sent, but no complete answer arrived: the provider may have acted on it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An API's answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def document(self) -> JsonObject:
        """Return the JSON object of the answer; empty when it has none."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def retry_after_s(self) -> float | None:
        """Return Retry-After in seconds, within our bound; None without the header."""
        value = self.headers.get("retry-after", "").strip()
        if value.isascii() and value.isdigit():
            return min(float(value[:6]), limits.provider_wait_s_max)
        try:
            at = parsedate_to_datetime(value)
        except (ValueError, TypeError, IndexError):
            return None
        wait_s = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - clock.now()).total_seconds()
        return min(max(wait_s, 1.0), limits.provider_wait_s_max)


def call(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    basic: tuple[str, str] | None = None,
    body: bytes | None = None,
    files: Any = None,
    fields: Any = None,
    answer_bytes_max: int = bounds.answer_bytes_max,
) -> Answer:
    """Make one call without following redirects. Raises NotSent, Unanswered."""
    deadline = time.monotonic() + bounds.call_total_s
    try:
        with (
            requests.Session() as session,
            session.request(
                method,
                url,
                headers={"User-Agent": "Nestor", "Accept-Encoding": "identity", **(headers or {})},
                auth=_keep_authorization if basic is None else basic,
                data=body if body is not None else fields,
                files=files,
                allow_redirects=False,
                stream=True,
                timeout=(limits.send_connect_timeout_s, limits.send_read_timeout_s),
            ) as answer,
        ):
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(answer.status_code, headers, _body(answer, answer_bytes_max, deadline))
    except (
        requests.exceptions.InvalidURL,
        requests.exceptions.MissingSchema,
        requests.exceptions.InvalidSchema,
    ) as error:
        raise NotSent("the address of the provider's API is not one") from error
    except requests.RequestException as error:
        what = type(error).__name__
        if _before(error):
            raise NotSent(f"no connection to the provider's API ({what})") from error
        raise Unanswered(f"the connection failed after the request had left ({what})") from error


def _keep_authorization(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep our own header, which a ~/.netrc entry for the host would otherwise replace."""
    return request


def error_text(answer: Answer, *names: str) -> str:
    """Return the API's message: the first of these names that its document has."""
    document = answer.document()
    found = (value for name in names if isinstance(value := document.get(name), str) and value)
    return worded(answer.status, next(found, ""))


def worded(status: int, text: str) -> str:
    """Return a status and the API's message on one line, without addresses."""
    words = " ".join("[address]" if "@" in word else word for word in text[:2_000].split())
    return one_line(f"{status} {words}", bounds.detail_chars_max)


def _before(error: requests.RequestException) -> bool:
    if isinstance(
        error,
        requests.exceptions.ConnectTimeout | requests.exceptions.SSLError | requests.exceptions.ProxyError,
    ):
        return True
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(reason, _BEFORE)


def _body(answer: requests.Response, bytes_max: int, deadline: float) -> bytes:
    found = bytearray()
    for piece in answer.iter_content(_SLICE_BYTES):
        found += piece
        if len(found) > bytes_max:
            raise requests.exceptions.ContentDecodingError(f"an answer of more than {bytes_max} bytes")
        if time.monotonic() > deadline:
            raise requests.exceptions.ReadTimeout("the answer takes too long")
    return bytes(found)
