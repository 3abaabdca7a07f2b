"""Interpret the answer to a fetch from a provider: found, gone, temporary failure, or wrong key."""

from __future__ import annotations

from collections.abc import Callable

from models.kernel.errors import ConfigurationError, TransientFailure
from queues.channels.email.providers import http
from queues.channels.email.providers.http import Answer


def answered(provider: str, call: Callable[[], Answer]) -> Answer | None:
    """Return the answer; None when the item is gone. Raises TransientFailure, ConfigurationError (wrong key)."""
    try:
        answer = call()
    except (http.NotSent, http.Unanswered) as error:
        raise TransientFailure(f"{provider}: {error.message}") from error
    if answer.ok:
        return answer
    if answer.status in (404, 410):
        return None
    if answer.status in (401, 403):
        raise ConfigurationError(f"api_key: {provider} refuses it ({answer.status})")
    raise TransientFailure(f"{provider} answered {answer.status}", retry_after_s=answer.retry_after_s)
