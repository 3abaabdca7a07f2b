"""Sign in with a passkey alone, and add a passkey to the own account.

A passkey verifies its user, so it stands for both factors. Nobody names a user: the browser offers the passkeys that it
has, and the response names the passkey.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from models.credentials import challenges, passkeys
from models.credentials.sign_in import SecondFactorFailed
from models.events.commands import Actor
from models.identity import queries
from models.identity.sign_in import sessions
from models.identity.sign_in.tokens import TokenPair
from models.kernel.open_json import JsonObject
from models.kernel.storage import database


def begin(*, client: str) -> tuple[str, JsonObject]:
    """Return a challenge and the options for `navigator.credentials.get()`. Raises TooManyRequests."""
    signed = passkeys.new_challenge()
    with database.transaction():
        token = challenges.make_for_anybody("passkey", {"passkey": signed}, client=client)
    return token, passkeys.request_options(None, signed)


def finish(challenge_token: str, credential: Mapping[str, Any], *, client: str) -> TokenPair:
    """Verify the response and open a session. Raises ChallengeEnded, SecondFactorFailed.

    The challenge ends with the first response, right or wrong.
    """
    assert not database.in_transaction(), "a wrong response is recorded although its request fails"
    passkeys.preload()
    with database.transaction():
        challenge = challenges.lock(challenge_token, "passkey")
        challenges.use(challenge)
        user_id = passkeys.owner(credential)
        pair = None
        if user_id is not None:
            user = queries.lock_user(user_id)
            if user.active and passkeys.use(user.id, credential, str(challenge.data["passkey"])):
                pair = sessions.start(user.id, user.name, client=client)
            else:
                sessions.record_failure(user.id, client=client)
    if pair is None:
        raise SecondFactorFailed()
    return pair


def start_registration(user_id: UUID) -> tuple[str, JsonObject]:
    """Return a challenge and the options for `navigator.credentials.create()`. Joins the caller's transaction."""
    user = queries.lock_user(user_id)
    signed = passkeys.new_challenge()
    token = challenges.make("passkey_registration", user.id, {"passkey": signed})
    return token, passkeys.creation_options(user, signed)


def finish_registration(
    user_id: UUID, challenge_token: str, name: str, credential: Mapping[str, Any], *, actor: Actor
) -> list[str] | None:
    """Add a passkey to the own account; returns the recovery codes with the first second factor, else None.

    Raises ChallengeEnded, also for the challenge of another user, PasskeyRefused, Invalid.
    """
    passkeys.preload()
    with database.transaction():
        challenge = challenges.lock(challenge_token, "passkey_registration")
        if challenge.user_id != user_id:
            raise challenges.ChallengeEnded()
        user = queries.lock_user(user_id)
        challenges.use(challenge)
        return passkeys.register(user, name, credential, str(challenge.data["passkey"]), actor=actor)
