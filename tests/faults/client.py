"""Clients as the world has them: a provider repeats its update until it hears 2xx, an API caller repeats with its
Idempotency-Key.

Each request has a connection of its own, so that a killed server costs one try and no more.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any

from tests.faults import limits

_counting = threading.Lock()


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: `status` 0 means that no answer came (`error` says why)."""

    status: int
    body: bytes = b""
    error: str = ""
    took_s: float = 0.0

    def json(self) -> Any:
        return json.loads(self.body)


class GaveUp(AssertionError):
    """The desk did not take a request however often it was repeated."""


class Client:
    """Talks to one port; counts the statuses that it saw."""

    def __init__(self, port: int, *, headers: Mapping[str, str], seen: Counter[int] | None = None) -> None:
        self.port = port
        self.seen = Counter() if seen is None else seen
        self._headers = dict(headers)

    def once(
        self, method: str, path: str, body: bytes | None = None, *, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """One try."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=limits.request_s)
        started = time.monotonic()
        try:
            connection.request(method, path, body, {**self._headers, **(headers or {})})
            response = connection.getresponse()
            reply = Reply(response.status, response.read(), took_s=time.monotonic() - started)
        except (OSError, HTTPException) as error:
            reply = Reply(0, error=f"{type(error).__name__}: {error}", took_s=time.monotonic() - started)
        finally:
            connection.close()
        with _counting:
            self.seen[reply.status] += 1
        return reply

    def until_taken(
        self, method: str, path: str, body: bytes | None = None, *, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Repeat until something other than "not now" comes back: 2xx, or a 4xx that a test wants to see.

        500 counts as "not now" for the repetition, and is in `seen` for the test to judge. Raises GaveUp.
        """
        deadline = time.monotonic() + limits.repeat_for_s
        while True:
            reply = self.once(method, path, body, headers=headers)
            if reply.status and reply.status < 500:
                return reply
            if time.monotonic() > deadline:
                raise GaveUp(
                    f"{method} {path}: {reply.status} {reply.error} {reply.body[:300]!r} after"
                    f" {limits.repeat_for_s:g} s"
                )
            time.sleep(limits.repeat_wait_s)

    def get(self, path: str) -> Any:
        """The JSON at a path; raises AssertionError for anything but 200."""
        reply = self.until_taken("GET", path)
        assert reply.status == 200, f"GET {path}: {reply.status} {reply.body[:300]!r}"
        return reply.json()

    def post(self, path: str, value: Any, *, idempotency_key: str | None = None) -> Reply:
        """Send JSON until it is taken."""
        headers = {"Content-Type": "application/json"}
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        return self.until_taken("POST", path, json.dumps(value).encode(), headers=headers)
