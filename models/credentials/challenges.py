"""Challenges: the state between two steps of a sign-in or of an enrolment.

A challenge is single use, short-lived and bound to the password that the user had. Its token is random and stored as a
hash. A wrong answer costs one of a few tries. The commands that must count a failure open their own transactions.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from models.credentials.tables import SignInChallenge
from models.identity import own_password
from models.identity.sign_in import sign_in_limits, tokens
from models.kernel import clock, ids, limits
from models.kernel.errors import TooManyRequests, Unauthenticated
from models.kernel.ids import new_id
from models.kernel.storage.table import for_update
from models.tasks import rates

Purpose = Literal["second_factor", "enrolment", "passkey_registration", "passkey", "oidc"]
_PREFIX = "nsc_"


class ChallengeEnded(Unauthenticated):
    """The challenge is unknown, was used, or has expired; sign in again."""

    code = "challenge_ended"


def make(purpose: Purpose, user_id: UUID | None, data: Mapping[str, Any] | None = None) -> str:
    """Store a challenge and return its token. Joins the caller's transaction."""
    token, now = _PREFIX + ids.secret_token(32), clock.now()
    SignInChallenge.insert(
        id=new_id(),
        purpose=purpose,
        user_id=user_id,
        token_hash=tokens.fingerprint(token),
        password_mark=None if user_id is None else own_password.mark(user_id),
        data=dict(data or {}),
        tries_left=limits.challenge_tries,
        created_at=now,
        expires_at=now + timedelta(seconds=limits.challenge_s),
    ).execute()
    return token


def make_for_anybody(purpose: Purpose, data: Mapping[str, Any] | None = None, *, client: str) -> str:
    """Store a challenge of a caller who has proved nothing yet. Raises TooManyRequests beyond the network's limit."""
    bucket = rates.Bucket(
        f"{purpose}_challenge:{sign_in_limits.network(client)}",
        every_s=limits.challenge_every_s,
        burst=limits.challenges_burst,
    )
    wait_s = rates.take([bucket])
    if wait_s > 0:
        raise TooManyRequests(retry_after_s=wait_s)
    return make(purpose, None, data)


def lock(token: str, purpose: Purpose) -> SignInChallenge:
    """Lock and return a usable challenge. Joins the caller's transaction. Raises ChallengeEnded."""
    query = SignInChallenge.select().where(
        SignInChallenge.token_hash == tokens.fingerprint(token),
        SignInChallenge.purpose == purpose,
        SignInChallenge.used_at.is_null(),
        SignInChallenge.tries_left > 0,
        SignInChallenge.expires_at > clock.now(),
    )
    found: SignInChallenge | None = for_update(query).first()
    if found is None:
        raise ChallengeEnded()
    if found.user_id is not None and found.password_mark != own_password.mark(found.user_id):
        raise ChallengeEnded()
    return found


def use(challenge: SignInChallenge) -> None:
    """End a challenge that was answered. Joins the caller's transaction, which has locked it."""
    SignInChallenge.update(used_at=clock.now()).where(SignInChallenge.id == challenge.id).execute()


def keep(challenge: SignInChallenge, data: Mapping[str, Any]) -> None:
    """Replace the data of a challenge for its next step. Joins the caller's transaction, which has locked it."""
    SignInChallenge.update(data=dict(data)).where(SignInChallenge.id == challenge.id).execute()


def count_failure(challenge: SignInChallenge) -> None:
    """Take one try of a challenge. Joins a transaction that commits although the request fails."""
    SignInChallenge.update(tries_left=SignInChallenge.tries_left - 1).where(
        SignInChallenge.id == challenge.id
    ).execute()
