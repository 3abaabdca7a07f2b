"""Test an account's key at a provider's API with a request that changes and sends nothing."""

from __future__ import annotations

from collections.abc import Callable

from models.kernel.errors import NestorError
from queues.channel_port import Finding
from queues.channels.email.providers import http
from queues.channels.email.providers.http import Answer


def finding_of(provider: str, call: Callable[[], Answer], own_finding: Callable[[Answer], Finding | None]) -> Finding:
    """Interpret the provider's answer: by `own_finding`, or by the status when it returns None."""
    try:
        answer = call()
    except NestorError as error:
        return Finding(False, f"{provider}: {error.message}")
    found = own_finding(answer)
    if found is not None:
        return found
    if answer.ok:
        return Finding(True, f"{provider}: the API takes our key")
    if answer.status in (401, 403):
        return Finding(False, f"{provider}: the API refuses our key ({answer.status})")
    return Finding(False, f"{provider}: the API answered {http.error_text(answer, 'message', 'Message')}")


def nothing_more(answer: Answer) -> Finding | None:
    """Return None, for providers whose status is enough."""
    return None
