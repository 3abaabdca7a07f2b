"""Requests to an authorization server: tokens (RFC 6749 section 5) and device codes (RFC 8628).

Each failure becomes a text for people, without the secrets and addresses of the request.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from models.kernel.errors import ConfigurationError, TransientFailure
from models.kernel.open_json import JsonObject
from queues.channels.email.oauth import limits
from queues.channels.email.providers import http

# RFC 6749 appendix A: visible ASCII. Another character could end the token's field in the login.
_TOKEN = re.compile(rf"[!-~]{{1,{limits.token_chars_max}}}", re.ASCII)

# The errors of RFC 6749 section 5.2 that an operator has to correct, and those of Microsoft and RFC 8628.
_MEANINGS = {
    "invalid_grant": "it refuses the refresh token, which has expired or was revoked, or the mailbox's sign-in changed",
    "invalid_client": "it does not know the client_id, or the client_secret is wrong or has expired",
    "unauthorized_client": "the application may not use this grant or this mailbox",
    "unsupported_grant_type": "it does not offer this grant",
    "invalid_scope": "it does not offer these scopes to the application",
    "invalid_request": "it does not accept the request",
    "invalid_resource": "it does not offer these scopes to the application",
    "interaction_required": "a person has to sign in again",
    "consent_required": "nobody has given the application access to the mailbox",
    "access_denied": "the access was refused",
    "expired_token": "the code has expired before anybody confirmed it",
}


class Refused(ConfigurationError):
    """The authorization server refuses the account's credentials; `error` is its word."""

    def __init__(self, message: str, error: str) -> None:
        super().__init__(message)
        self.error = error


class Pending(TransientFailure):
    """Nobody has confirmed the device code yet. `slower`: the server asks for longer pauses."""

    def __init__(self, *, slower: bool) -> None:
        super().__init__("nobody has confirmed the code yet")
        self.slower = slower


@dataclass(frozen=True, slots=True)
class Grant:
    """The answer to a token request."""

    access_token: str = field(repr=False)
    expires_in_s: float
    refresh_token: str | None = field(repr=False)


def token(url: str, form: Mapping[str, str]) -> Grant:
    """Ask for an access token. Raises Refused, Pending, TransientFailure."""
    document = _ask(url, form)
    access_token = _token(document.get("access_token"))
    if access_token is None:
        raise TransientFailure("the authorization server's answer has no usable access_token")
    return Grant(access_token, _seconds(document.get("expires_in")), _token(document.get("refresh_token")))


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """The answer to a device request. A person opens `url` and enters `user_code`."""

    device_code: str = field(repr=False)
    user_code: str
    url: str
    interval_s: float
    expires_in_s: float


def device_code(url: str, form: Mapping[str, str]) -> DeviceCode:
    """Ask for a device code. Raises Refused, TransientFailure."""
    document = _ask(url, form)
    code, user_code = _token(document.get("device_code")), document.get("user_code")
    # Google calls it verification_url.
    address = document.get("verification_uri") or document.get("verification_url")
    if code is None or not isinstance(user_code, str) or not isinstance(address, str):
        raise TransientFailure("the authorization server's answer has no usable device_code")
    return DeviceCode(
        code, user_code, address, _seconds(document.get("interval"), 5.0), _seconds(document.get("expires_in"), 600.0)
    )


def _ask(url: str, form: Mapping[str, str]) -> JsonObject:
    try:
        answer = http.call(
            "POST",
            url,
            headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
            body=urlencode(form).encode("ascii"),
            answer_bytes_max=limits.answer_bytes_max,
        )
    except (http.NotSent, http.Unanswered) as error:
        raise TransientFailure(f"the authorization server cannot be reached: {error.message}") from error
    document = answer.document()
    if answer.ok and "error" not in document:
        return document
    raise _failure(answer, document)


def _failure(answer: http.Answer, document: JsonObject) -> Refused | TransientFailure:
    error = document.get("error")
    word = error if isinstance(error, str) else ""
    if word in ("authorization_pending", "slow_down"):
        return Pending(slower=word == "slow_down")
    if word in _MEANINGS and answer.status < 500:
        said = http.worded(answer.status, str(document.get("error_description") or ""))
        return Refused(f"the authorization server answered {word}: {_MEANINGS[word]} ({said})", word)
    if 300 <= answer.status < 500 and answer.status not in (408, 425, 429):
        # The address is wrong, or the word is one of another server's own.
        said = http.error_text(answer, "error_description", "error")
        return Refused(f"the authorization server refuses the request: {said}", word)
    return TransientFailure(f"the authorization server answered {answer.status}", retry_after_s=answer.retry_after_s)


def _token(value: object) -> str | None:
    return value if isinstance(value, str) and _TOKEN.fullmatch(value) else None


def _seconds(value: object, default: float = limits.lifetime_default_s) -> float:
    """Return a duration, which some servers write as text, within the bounds."""
    try:
        found = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else default
    except ValueError:
        found = default
    return min(max(found, 1.0), limits.lifetime_s_max) if math.isfinite(found) else default
