"""The signed assertion of a service account (RFC 7523), by which Google lets an application into a mailbox of its
Workspace without a person's consent.

Source: https://developers.google.com/identity/protocols/oauth2/service-account
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from models.kernel import clock
from models.kernel.errors import ConfigurationError
from queues.channels.email.oauth import limits

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_EXPECTED = "oauth.service_account: expected the JSON key of a service account, with client_email and private_key"


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """The key of a service account, as its JSON file has it."""

    client_email: str
    private_key: str = field(repr=False)
    key_id: str


def read(text: str) -> ServiceAccount:
    """Read the JSON key. Raises ConfigurationError, whose message does not contain the value."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(_EXPECTED) from error
    known = found if isinstance(found, dict) else {}
    email, key = known.get("client_email"), known.get("private_key")
    if not isinstance(email, str) or not isinstance(key, str) or not email or not key:
        raise ConfigurationError(_EXPECTED)
    return ServiceAccount(email, key, str(known.get("private_key_id") or ""))


def signed(account: ServiceAccount, *, audience: str, scopes: Sequence[str], user: str) -> str:
    """Return the assertion that the service account acts for the mailbox `user`. Raises ConfigurationError for an
    unusable key.
    """
    import jwt  # cold start: only a worker with such an account needs it

    now = int(clock.now().timestamp())
    claims = {
        "iss": account.client_email,
        "sub": user,
        "scope": " ".join(scopes),
        "aud": audience,
        "iat": now,
        "exp": now + int(limits.assertion_s),
    }
    headers = {"kid": account.key_id} if account.key_id else None
    try:
        return jwt.encode(claims, account.private_key, algorithm="RS256", headers=headers)
    except (ValueError, TypeError, jwt.PyJWTError) as error:
        raise ConfigurationError("oauth.service_account: its private_key is not a usable RSA key") from error
